"""Decays between any two tokens, and systems that are triangular: a write reads only what was written before."""

from __future__ import annotations

import numpy as np

from compiler.fastweight.layer import Floats

BLOCK = 32


def decays(alpha: Floats) -> Floats:
    """The matrix G[t, s] = alpha_{s+1} ... alpha_t for s <= t, else 0; alpha (..., n) gives (..., n, n).

    Each entry is a product, never a quotient of two cumulative products nor the exponential of a difference of sums of
    logarithms: a decay of 0 is no special case, and what underflows is as small as it looks.
    """
    after = np.tri(alpha.shape[-1], k=-1, dtype=bool)
    steps = np.where(after, alpha[..., :, None], alpha.dtype.type(1))
    return np.tril(np.cumprod(steps, axis=-2))


def interactions(k: Floats, rate: Floats, between: Floats) -> Floats:
    """What writes find of each other: rate_j (k_j . k_i) between[j, i]; only i < j has a meaning."""
    found = k @ k.swapaxes(-1, -2)
    found *= rate[..., None]
    found *= between
    return found


def solved(N: Floats, Y: Floats) -> Floats:
    """The solution of (I + tril(N, -1)) U = Y, N (..., m, m), Y (..., m, p).

    By halves, [A 0; B C] [U1; U2] = [Y1; Y2] being A U1 = Y1 and C U2 = Y2 - B U1: m^2 p multiplications, nearly all in
    products of matrices. (The inverse as a product of I + (-tril(N, -1))^(2^i) would cancel: these powers grow like
    binomial coefficients, the inverse does not.)
    """
    m = N.shape[-1]
    if m <= BLOCK:
        return np.linalg.solve(np.tril(N, -1) + np.eye(m, dtype=N.dtype), Y)
    half = m // 2
    upper = solved(N[..., :half, :half], Y[..., :half, :])
    lower = solved(N[..., half:, half:], Y[..., half:, :] - N[..., half:, :half] @ upper)
    return np.concatenate([upper, lower], axis=-2)
