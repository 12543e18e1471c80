"""Slow weights over a vocabulary: what they make of each token, once for all."""

from __future__ import annotations

import numpy as np

from compiler.fastweight.layer import Floats


def over_vocabulary(weights: Floats, embeddings: Floats | None) -> Floats:
    """What weights (..., d) make of each token (V, ...), from embeddings (V, d); None for unit vectors."""
    said = weights.astype(np.float64)
    return np.moveaxis(said if embeddings is None else said @ embeddings.T, -1, 0)
