"""The Recurrent Delta network: what it last answered enters its next query, key, value and rate.

For each head, from y = 0 (Irie et al. 2021, arXiv 2106.06295, section 3; arXiv 2310.16076, section 2):

    h = tanh(y of the token before)
    q, k, v = softmax(W_q x + R_q h), softmax(W_k x + R_k h), W_v x + R_v h
    b = sigmoid(w_beta . x + r_beta . h)
    W <- W + b (v - W k) k^T
    y  = W q

As in the authors' code a head sees its own answer, not those of the other heads. The loop through tanh is what linear
Transformers lack: it cannot be computed for all tokens at once, so this layer has no other form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from compiler.fastweight.layer import Floats, Projecting, check_shapes, projected, sigmoid, softmax


class Answered(NamedTuple):
    """The fast weights W (B, H, d_v, d_k), and y (B, H, d_v), the last answers."""

    W: Floats
    y: Floats


@dataclass(frozen=True, slots=True, eq=False)
class RecurrentDelta(Projecting):
    """A layer of the Recurrent Delta network.

    Attributes
    ----------
    W_q, W_k, W_v, w_beta
        (H, d_k, d), (H, d_k, d), (H, d_v, d) and (H, d): what tokens bring to queries, keys, values and rates.
    R_q, R_k, R_v, r_beta
        (H, d_k, d_v), (H, d_k, d_v), (H, d_v, d_v) and (H, d_v): what the last answers bring.
    W_0
        (H, d_v, d_k): the fast weights at the start; None for zero, as the paper has it.

    A ModelError if these are not the shapes.
    """

    W_q: Floats
    W_k: Floats
    W_v: Floats
    w_beta: Floats
    R_q: Floats
    R_k: Floats
    R_v: Floats
    r_beta: Floats
    W_0: Floats | None = None

    def __post_init__(self) -> None:
        (heads, keys, d), values = self.W_q.shape, self.W_v.shape[1]
        slow = {"W_k": (heads, keys, d), "W_v": (heads, values, d), "w_beta": (heads, d)}
        back = {"R_q": (heads, keys, values), "R_k": (heads, keys, values), "R_v": (heads, values, values)}
        check_shapes(self, slow | back | {"r_beta": (heads, values), "W_0": (heads, values, keys)})

    def start(self, batch: int) -> Answered:
        """W_0 and zero."""
        heads, values, keys = *self.W_v.shape[:2], self.W_k.shape[1]
        first = np.zeros((heads, values, keys), self.dtype) if self.W_0 is None else self.W_0.astype(self.dtype)
        return Answered(np.repeat(first[None], batch, axis=0), np.zeros((batch, heads, values), self.dtype))

    def step(self, state: Answered, x: Floats) -> tuple[Answered, Floats]:
        """Project token and last answer, correct, read."""
        W, h = state.W, np.tanh(state.y)
        q = softmax(projected(self.W_q, x) + np.einsum("hkv,bhv->bhk", self.R_q, h))
        k = softmax(projected(self.W_k, x) + np.einsum("hkv,bhv->bhk", self.R_k, h))
        v = projected(self.W_v, x) + np.einsum("hvw,bhw->bhv", self.R_v, h)
        rate = sigmoid(np.einsum("hd,bd->bh", self.w_beta, x) + np.einsum("hv,bhv->bh", self.r_beta, h))
        error = v - np.einsum("bhvk,bhk->bhv", W, k)
        W = W + (rate[..., None] * error)[..., :, None] * k[..., None, :]
        y = np.einsum("bhvk,bhk->bhv", W, q)
        return Answered(W, y), y.reshape(len(x), -1)
