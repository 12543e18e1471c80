"""The Delta RNN: fast weights that are those of a recurrent network.

For each head, with two fast matrices, W from the token to the answer and R from answer to answer, both written by the
delta rule, from y = 0 (Irie et al. 2021, arXiv 2106.06295, section 3):

    q, k, v, b    = share(W_q x), share(W_k x), W_v x, sigmoid(w_beta . x)
    k', v', b'    = softmax(R_k x), R_v x, sigmoid(r_beta . x)
    W <- W + b (v - W k) k^T          R <- R + b' (v' - R k') k'^T
    y <- W q + R softmax(y)

share(a) = (elu(a) + 1) / sum(elu(a) + 1). Keys of R go through softmax because what R is read with does. The features
are those of the authors' code; softmax(0) at the first token is uniform, so R is read there too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from compiler.fastweight.layer import Floats, Projecting, elu_plus_one, projected, sigmoid, softmax


class Recurrent(NamedTuple):
    """The fast weights W (B, H, d_v, d_k) and R (B, H, d_v, d_v), and y (B, H, d_v), the last answers."""

    W: Floats
    R: Floats
    y: Floats


@dataclass(frozen=True, slots=True, eq=False)
class DeltaRNN(Projecting):
    """A layer of the Delta RNN.

    Attributes
    ----------
    W_q, W_k, W_v, w_beta
        (H, d_k, d), (H, d_k, d), (H, d_v, d) and (H, d): queries, keys, values and rates of W.
    R_k, R_v, r_beta
        (H, d_v, d), (H, d_v, d) and (H, d): keys, values and rates of R.
    """

    W_q: Floats
    W_k: Floats
    W_v: Floats
    w_beta: Floats
    R_k: Floats
    R_v: Floats
    r_beta: Floats

    def start(self, batch: int) -> Recurrent:
        """Zero."""
        heads, values, keys = *self.W_v.shape[:2], self.W_k.shape[1]
        shapes = (batch, heads, values, keys), (batch, heads, values, values), (batch, heads, values)
        return Recurrent(*(np.zeros(shape, self.dtype) for shape in shapes))

    def step(self, state: Recurrent, x: Floats) -> tuple[Recurrent, Floats]:
        """Correct both matrices, then read both."""
        k, v, rate = share(projected(self.W_k, x)), projected(self.W_v, x), np.einsum("hd,bd->bh", self.w_beta, x)
        W = corrected(state.W, k, v, sigmoid(rate))
        k, v, rate = softmax(projected(self.R_k, x)), projected(self.R_v, x), np.einsum("hd,bd->bh", self.r_beta, x)
        R = corrected(state.R, k, v, sigmoid(rate))
        y = np.einsum("bhvk,bhk->bhv", W, share(projected(self.W_q, x)))
        y = y + np.einsum("bhvw,bhw->bhv", R, softmax(state.y))
        return Recurrent(W, R, y), y.reshape(len(x), -1)


def share(x: Floats) -> Floats:
    """The features elu + 1 divided by their sum; zero where all of them underflow."""
    features = elu_plus_one(x)
    total = features.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(features, total, out=np.zeros_like(features), where=total > 0))


def corrected(W: Floats, k: Floats, v: Floats, rate: Floats) -> Floats:
    """One write by the delta rule: W (B, H, d_v, d_k), k (B, H, d_k), v (B, H, d_v) and rates (B, H)."""
    error = v - np.einsum("bhvk,bhk->bhv", W, k)
    return np.asarray(W + (rate[..., None] * error)[..., :, None] * k[..., None, :])
