"""The linear Transformer as a recurrent network: fast weights that are only added to.

For each head, with a feature map phi (Katharopoulos et al. 2020, arXiv 2006.16236, eqs. 16-20; arXiv 2310.16076,
section 2; Schlag et al. 2021, arXiv 2102.11174, eqs. 5-8):

    q, k, v = W_q x, W_k x, W_v x
    W <- W + v phi(k)^T           z <- z + phi(k)
    y  = W phi(q)                 or, with the normaliser,  y = W phi(q) / (z . phi(q))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from compiler.errors import ModelError
from compiler.fastweight.layer import Floats, Projecting, check_shapes, elu_plus_one, identity, projected, relu

Feature: TypeAlias = Literal["elu+1", "relu", "identity"]
FEATURES = {"elu+1": elu_plus_one, "relu": relu, "identity": identity}


class Sums(NamedTuple):
    """The fast weights W (B, H, d_v, d_k), and z (B, H, d_k), the sum of the keys' features."""

    W: Floats
    z: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LinearTransformer(Projecting):
    """A layer of linear attention.

    Attributes
    ----------
    W_q, W_k
        (H, d_k, d): queries and keys.
    W_v
        (H, d_v, d): values.
    feature
        phi, by name.
    normalise
        Whether answers are divided by z . phi(q). Where that is zero so is the answer.
    """

    W_q: Floats
    W_k: Floats
    W_v: Floats
    feature: Feature = "elu+1"
    normalise: bool = False

    def __post_init__(self) -> None:
        heads, keys, d = self.W_q.shape
        check_shapes(self, {"W_k": (heads, keys, d), "W_v": (heads, self.W_v.shape[1], d)})
        if self.feature not in FEATURES:
            raise ModelError(f"there is no feature map {self.feature!r}; the maps are {', '.join(FEATURES)}")

    def start(self, batch: int) -> Sums:
        """Zero."""
        heads, values, keys = *self.W_v.shape[:2], self.W_k.shape[1]
        return Sums(np.zeros((batch, heads, values, keys), self.dtype), np.zeros((batch, heads, keys), self.dtype))

    def step(self, state: Sums, x: Floats) -> tuple[Sums, Floats]:
        """Add, then read."""
        phi = FEATURES[self.feature]
        q, k, v = phi(projected(self.W_q, x)), phi(projected(self.W_k, x)), projected(self.W_v, x)
        W, z = state.W + v[..., :, None] * k[..., None, :], state.z + k
        y = np.einsum("bhvk,bhk->bhv", W, q)
        if self.normalise:
            total = np.einsum("bhk,bhk->bh", z, q)[..., None]
            y = np.divide(y, total, out=np.zeros_like(y), where=total != 0)
        return Sums(W, z), y.reshape(len(x), -1)
