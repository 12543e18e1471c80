"""Gated DeltaProduct, and with one step and no decay DeltaNet: fast weights that are corrected, not only added to.

For each head and each token x, with unit keys (Siems et al. 2025, arXiv 2502.10297, eqs. 3-6; gates as in Yang et al.
2024, arXiv 2412.06464):

    W <- alpha W                                    alpha = sigmoid(w_alpha . x), or 1 without a decay
    for i = 1, ..., n_h:
        k, v, b = unit(W_k[i] x), W_v[i] x, beta_max sigmoid(w_beta[i] . x)
        W <- W + b (v - W k) k^T  =  W (I - b k k^T) + b v k^T
    y = W q,   q = W_q x

With beta_max 1 and n_h = 1 this is DeltaNet (Schlag et al. 2021, arXiv 2102.11174, eqs. 23-25; arXiv 2310.16076,
section 2), whose I - b k k^T has eigenvalues in [0, 1]; with beta_max 2 they are in [-1, 1] (Grazzi et al. 2025, arXiv
2411.12537), and b = 2 is a reflection.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compiler.errors import ModelError
from compiler.fastweight.layer import Floats, Projecting, check_shapes, projected, sigmoid, unit


@dataclass(frozen=True, slots=True, eq=False)
class DeltaProduct(Projecting):
    """A layer of gated DeltaProduct.

    Attributes
    ----------
    W_q
        (H, d_k, d): queries.
    W_k, W_v, w_beta
        (n_h, H, d_k, d), (n_h, H, d_v, d) and (n_h, H, d): keys, values and rates of each step.
    w_alpha
        (H, d): the decay; None for none.
    W_0
        (H, d_v, d_k): the fast weights at the start; None for zero, as the papers have it.
    beta_max
        1 or 2: rates are below it (or equal to it, where the sigmoid is 1 in floats).
    """

    W_q: Floats
    W_k: Floats
    W_v: Floats
    w_beta: Floats
    w_alpha: Floats | None = None
    W_0: Floats | None = None
    beta_max: int = 1

    def __post_init__(self) -> None:
        heads, keys, d = self.W_q.shape
        steps, values = len(self.W_k), self.W_v.shape[2]
        wanted = {"W_k": (steps, heads, keys, d), "W_v": (steps, heads, values, d), "w_beta": (steps, heads, d)}
        check_shapes(self, wanted | {"w_alpha": (heads, d), "W_0": (heads, values, keys)})
        if self.beta_max not in (1, 2):
            raise ModelError(f"beta_max is {self.beta_max!r}; rates go up to 1 or to 2")

    @property
    def outputs(self) -> int:
        """The dimension of answers: H d_v."""
        return int(self.W_v.shape[1] * self.W_v.shape[2])

    def start(self, batch: int) -> Floats:
        """The fast weights (B, H, d_v, d_k)."""
        shape = *self.W_v.shape[1:3], self.W_k.shape[2]
        first = np.zeros(shape, self.dtype) if self.W_0 is None else self.W_0.astype(self.dtype)
        return np.repeat(first[None], batch, axis=0)

    def step(self, state: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Decay, correct n_h times, then read."""
        W = state
        if self.w_alpha is not None:
            W = sigmoid(np.einsum("hd,bd->bh", self.w_alpha, x))[..., None, None] * W
        for W_k, W_v, w_beta in zip(self.W_k, self.W_v, self.w_beta, strict=True):
            k, v = unit(projected(W_k, x)), projected(W_v, x)
            rate = self.dtype.type(self.beta_max) * sigmoid(np.einsum("hd,bd->bh", w_beta, x))
            error = v - np.einsum("bhvk,bhk->bhv", W, k)
            W = W + (rate[..., None] * error)[..., :, None] * k[..., None, :]
        y = np.einsum("bhvk,bhk->bhv", W, projected(self.W_q, x))
        return W, y.reshape(len(x), -1)
