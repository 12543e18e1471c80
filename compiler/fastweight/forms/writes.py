"""What a layer writes and reads, for all tokens at once: the part of a layer that needs no state.

Arrays are (B, H, n, ...). A token of DeltaProduct makes n_h writes, which stand one after the other: write j is of
token j // n_h.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.layer import Floats, sigmoid, unit
from compiler.fastweight.linear_transformer import FEATURES, LinearTransformer


class Sums(NamedTuple):
    """Of a linear Transformer: features of queries and keys (B, H, n, d_k), and values (B, H, n, d_v)."""

    q: Floats
    k: Floats
    v: Floats


class Corrections(NamedTuple):
    """Of DeltaProduct.

    Attributes
    ----------
    q
        (B, H, n, d_k): queries.
    k, v, rate
        (B, H, n n_h, d_k), (B, H, n n_h, d_v) and (B, H, n n_h): keys of length 1, values and rates of the writes.
    alpha
        (B, H, n): decays; (1, 1, n) of ones where there are none.
    """

    q: Floats
    k: Floats
    v: Floats
    rate: Floats
    alpha: Floats


def sums(layer: LinearTransformer, X: Floats) -> Sums:
    """What a linear Transformer adds and asks at tokens X (B, n, d)."""
    dtype, phi = precision(layer.dtype), FEATURES[layer.feature]
    q, k, v = (X.astype(dtype)[:, None] @ transposed(each, dtype) for each in (layer.W_q, layer.W_k, layer.W_v))
    return Sums(phi(q), phi(k), v)


def corrections(layer: DeltaProduct, X: Floats) -> Corrections:
    """What DeltaProduct corrects and asks at tokens X (B, n, d)."""
    dtype = precision(layer.dtype)
    tokens = X.astype(dtype)[:, None]

    def writes(weights: Floats) -> Floats:
        found = np.moveaxis(tokens[:, None] @ transposed(weights, dtype), 1, 3)
        batch, heads, n, steps, m = found.shape
        return found.reshape(batch, heads, n * steps, m)

    rate = dtype.type(layer.beta_max) * sigmoid(writes(layer.w_beta[..., None, :])[..., 0])
    if layer.w_alpha is None:
        alpha = np.ones((1, 1, X.shape[1]), dtype)
    else:
        alpha = sigmoid((tokens @ transposed(layer.w_alpha[:, None, :], dtype))[..., 0])
    return Corrections(tokens @ transposed(layer.W_q, dtype), unit(writes(layer.W_k)), writes(layer.W_v), rate, alpha)


def precision(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What a layer of this dtype is computed in."""
    return np.promote_types(dtype, np.float32)


def transposed(weights: Floats, dtype: np.dtype[Any]) -> Floats:
    """Weights (..., m, d) as (..., d, m), to stand right of tokens."""
    return weights.astype(dtype).swapaxes(-1, -2)


def side_by_side(y: Floats, dtype: np.dtype[Any]) -> Floats:
    """The heads' answers (B, H, n, d_v) as (B, n, H d_v)."""
    batch, heads, n, values = y.shape
    return y.swapaxes(1, 2).reshape(batch, n, heads * values).astype(dtype)
