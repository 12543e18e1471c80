"""Features as a linear operator: H p and H^T r from the two factors of the samples, without a design matrix."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from compiler.learning.real.moments import Shape
from compiler.learning.real.samples import Floats, Samples


def predicted(shape: Shape, part: Samples, weights: Floats) -> Floats:
    """H p: the answers (m, d) of rules `weights` (k L, d) to samples of the class `shape`."""
    k, pairs, d = len(shape.coordinates), len(shape.pairs), weights.shape[1]
    found = np.zeros((len(part.last), d))
    for z, rules in zip(part.last.T, weights.reshape(k, pairs, d), strict=True):
        found += z[:, None] * (part.memory @ rules)
    return found


def gathered(shape: Shape, part: Samples, values: Floats) -> Floats:
    """H^T r: (k L, d) of `values` r (m, d) at samples of the class `shape`."""
    columns = part.memory.T
    return np.concatenate([columns @ (z[:, None] * values) for z in part.last.T]).reshape(shape.features, -1)


def rests(shape: Shape, blocks: Iterable[Samples], weights: Floats) -> tuple[Floats, Floats]:
    """What rules `weights` leave: H^T r (k L, d) and the sums of r^2 (d,), with r = y - H p."""
    gradient, squares = np.zeros_like(weights), np.zeros(weights.shape[1])
    for block in blocks:
        part = shape.part(block)
        if len(part.last):
            left = part.targets - predicted(shape, part, weights)
            gradient += gathered(shape, part, left)
            squares += np.square(left).sum(axis=0)
    return gradient, squares


def design(shape: Shape, blocks: Iterable[Samples]) -> tuple[Floats, Floats]:
    """The design matrix (m, k L) of a class, and its targets (m, d), all in memory."""
    parts = [shape.part(block) for block in blocks]
    rows = [(part.last[:, :, None] * part.memory[:, None, :]).reshape(len(part.last), -1) for part in parts]
    return np.concatenate(rows), np.concatenate([part.targets for part in parts])
