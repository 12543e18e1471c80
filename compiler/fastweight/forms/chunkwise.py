"""The block-recurrent form: chunks one after the other, all tokens of a chunk at once, in n C time.

What chunks do within themselves needs no state and is computed for all of them together; the loop over chunks has only
products of matrices. Chunks are of one size, zero tokens filling the last, which answer nothing that is asked.

**Linear Transformer** (Hua et al. 2022, arXiv 2202.10447, section 3; Yang et al. 2023, arXiv 2312.06635, section 2.2).
The sum over s <= t splits at the start of t's chunk: Y = tril(Q K^T) V + Q W^T, and W <- W + V^T K. A column of ones
beside V makes z a further row of W, and the normaliser a further column of Y.

**DeltaProduct** (WY representation: Bischof and Van Loan 1987; arXiv 2406.06484, section 3; with decays arXiv
2412.06464, section 3.3). The attention form (`parallel`) holds within a chunk, with W_0 the state W that it starts
from:

    T U = diag(b) (V - diag(D) K W^T),    so   U = P - R W^T,   P = T^-1 diag(b) V,   R = T^-1 diag(b D) K.

P and R (the UT transform) do not depend on W. So, with C the last token of the chunk,

    Y = (Q K^T * D) U + diag(D) Q W^T                W <- D(C) W + sum_j D(t(j), C) u_j k_j^T,

the latter being the formula for W_j after the last write. D has products of decays, no quotients: a decay of 0 empties
W and cuts off what was written before, as it should.
"""

from __future__ import annotations

import math

import numpy as np

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.forms.triangular import decays, interactions, solved
from compiler.fastweight.forms.writes import corrections, side_by_side, sums
from compiler.fastweight.layer import Floats
from compiler.fastweight.linear_transformer import LinearTransformer


def linear_transformer(layer: LinearTransformer, X: Floats, chunk: int) -> Floats:
    """The answers (B, n, outputs) to tokens X (B, n, inputs), by chunks of at most `chunk` tokens."""
    tokens, count = filled(X, chunk)
    q, k, v = (split(each, count) for each in sums(layer, tokens))
    if layer.normalise:
        v = np.concatenate([v, np.ones_like(v[..., :1])], axis=-1)
    y = np.tril(q @ k.swapaxes(-1, -2)) @ v
    added = k.swapaxes(-1, -2) @ v
    W = np.zeros_like(added[:, :, 0])
    for c in range(count):
        y[:, :, c] += q[:, :, c] @ W
        W = W + added[:, :, c]
    if layer.normalise:
        y, total = y[..., :-1], y[..., -1:]
        y = np.divide(y, total, out=np.zeros_like(y), where=total != 0)
    return side_by_side(joined(y), layer.dtype)[:, : X.shape[1]]


def delta_product(layer: DeltaProduct, X: Floats, chunk: int) -> Floats:
    """The answers (B, n, outputs) to tokens X (B, n, inputs), by chunks of at most `chunk` tokens."""
    (tokens, count), steps = filled(X, chunk), len(layer.W_k)
    q, k, v, rate, alpha = (split(each, count) for each in corrections(layer, tokens))
    from_start, between = np.cumprod(alpha, axis=-1)[..., None], decays(alpha)
    to_writes = np.repeat(between, steps, axis=-1)
    N = interactions(k, rate, np.repeat(to_writes, steps, axis=-2))
    right = np.concatenate([v, np.repeat(from_start, steps, axis=-2) * k], axis=-1)
    P, R = np.split(solved(N, rate[..., None] * right), [v.shape[-1]], axis=-1)
    scores = q @ k.swapaxes(-1, -2) * to_writes
    asked, kept = from_start * q, (to_writes[..., -1, :, None] * k).swapaxes(-1, -2)
    y = np.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
    W = layer.start(len(X)).astype(q.dtype).swapaxes(-1, -2)
    for c in range(count):
        U = P[:, :, c] - R[:, :, c] @ W
        y[:, :, c] = scores[:, :, c] @ U + asked[:, :, c] @ W
        W = from_start[:, :, c, -1:] * W + kept[:, :, c] @ U
    return side_by_side(joined(y), layer.dtype)[:, : X.shape[1]]


def filled(X: Floats, chunk: int) -> tuple[Floats, int]:
    """Tokens (B, n, d) with zero tokens after them, so that equal chunks hold them, and the least number of chunks.

    A ValueError for a chunk below 1.
    """
    if chunk < 1:
        raise ValueError(f"chunks of {chunk} tokens: at least 1 is wanted")
    n = X.shape[1]
    count = max(1, math.ceil(n / chunk))
    size = max(1, math.ceil(n / count))
    return np.pad(X, ((0, 0), (0, count * size - n), (0, 0))), count


def split(each: Floats, count: int) -> Floats:
    """Arrays (B, H, n, ...) as (B, H, chunks, n / chunks, ...)."""
    return each.reshape(*each.shape[:2], count, each.shape[2] // count, *each.shape[3:])


def joined(y: Floats) -> Floats:
    """The answers of chunks (B, H, chunks, C, d_v) as (B, H, n, d_v)."""
    batch, heads, count, chunk, values = y.shape
    return y.reshape(batch, heads, count * chunk, values)
