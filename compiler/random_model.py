"""Random models: teachers for learning real-valued layers."""

from __future__ import annotations

import numpy as np

from compiler.errors import ModelError
from compiler.model import Model


def random_model(d: int, heads: int, *, seed: int) -> Model:
    """A model with iid Gaussian weights of variance 1/d, (heads, d, d); the same seed gives the same model.

    Raises ModelError unless d >= 1, heads >= 1 and seed >= 0.

    >>> random_model(4, 2, seed=0).V.shape
    (2, 4, 4)
    """
    if d < 1 or heads < 1 or seed < 0:
        raise ModelError(f"d = {d}, heads = {heads}, seed = {seed}: expected at least 1, 1 and 0")
    random = np.random.default_rng(seed)
    V, Q = random.normal(size=(2, heads, d, d)) / np.sqrt(d)
    return Model.from_arrays(V, Q)
