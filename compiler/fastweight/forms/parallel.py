"""The attention form: all tokens at once, with a matrix of scores between any two, in n^2 time and space.

**Linear Transformer.** W after token t is sum_{s <= t} v_s phi(k_s)^T, so with rows for tokens

    Y = tril(Q K^T) V,        z_t . phi(q_t) = the sum of row t of tril(Q K^T).

**DeltaProduct** (DeltaNet: Yang et al. 2024, arXiv 2406.06484, section 3; decays: arXiv 2412.06464, section 3.3). Let
write j be of token t(j), and u_j = b_j (v_j - W_j k_j), where W_j is what write j finds. Every write adds u_j k_j^T,
every token t multiplies all that is there by alpha_t first. So with D(s, t) = alpha_{s+1} ... alpha_t and D(t) =
alpha_1 ... alpha_t

    W_j = D(t(j)) W_0 + sum_{i < j} D(t(i), t(j)) u_i k_i^T,

D(t, t) = 1 being right for writes of one token, between which nothing decays. Into the definition of u_j, as rows:

    T U = diag(b) (V - diag(D) K W_0^T),     T = I + tril(N, -1),     N = diag(b) (K K^T * D),

unit triangular, so U is unique. Token t reads after all its writes: Y = (Q K^T * D) U + diag(D) Q W_0^T, with D(t(j),
t) = 0 for later writes.

**Conditioning.** Keys have length 1 (or 0) and 0 <= b <= 2, so I - b k k^T lengthens no vector, nor does a decay.
Column i of T^-1 is what write i leaves in later u_j when nothing else is written: W is then a row of length at most 1,
and |u_j| = b_j |W k_j| <= 2. So T and T^-1 have entries of at most 2, and the condition of T is at most 4 (n n_h)^2
whatever was written.
"""

from __future__ import annotations

import numpy as np

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.forms.triangular import decays, interactions, solved
from compiler.fastweight.forms.writes import corrections, side_by_side, sums
from compiler.fastweight.layer import Floats
from compiler.fastweight.linear_transformer import LinearTransformer


def linear_transformer(layer: LinearTransformer, X: Floats) -> Floats:
    """The answers (B, n, outputs) to tokens X (B, n, inputs)."""
    q, k, v = sums(layer, X)
    scores = np.tril(q @ k.swapaxes(-1, -2))
    y = scores @ v
    if layer.normalise:
        total = scores.sum(axis=-1, keepdims=True)
        y = np.divide(y, total, out=np.zeros_like(y), where=total != 0)
    return side_by_side(y, layer.dtype)


def delta_product(layer: DeltaProduct, X: Floats) -> Floats:
    """The answers (B, n, outputs) to tokens X (B, n, inputs)."""
    q, k, v, rate, alpha = corrections(layer, X)
    W_0 = layer.start(len(X)).astype(q.dtype).swapaxes(-1, -2)
    steps, from_start, between = len(layer.W_k), np.cumprod(alpha, axis=-1), decays(alpha)
    to_writes = np.repeat(between, steps, axis=-1)
    found = np.repeat(from_start, steps, axis=-1)[..., None] * (k @ W_0)
    N = interactions(k, rate, np.repeat(to_writes, steps, axis=-2))
    U = solved(N, rate[..., None] * (v - found))
    y = (q @ k.swapaxes(-1, -2) * to_writes) @ U + from_start[..., None] * (q @ W_0)
    return side_by_side(y, layer.dtype)
