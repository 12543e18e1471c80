"""What rules leave of the targets of samples, and the design matrix where it is small."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from compiler.learning.real.moments import Shape
from compiler.learning.real.samples import Floats, Samples, gathered, predicted


def rests(shape: Shape, blocks: Iterable[Samples], weights: Floats) -> tuple[Floats, Floats]:
    """What rules `weights` leave: H^T r (k L, d) and the sums of r^2 (d,), with r = y - H p."""
    gradient, squares = np.zeros_like(weights), np.zeros(weights.shape[1])
    for block in blocks:
        part = shape.part(block)
        if len(part.last):
            left = part.targets - predicted(part, weights)
            gradient += gathered(part, left)
            squares += np.square(left).sum(axis=0)
    return gradient, squares


def design(shape: Shape, blocks: Iterable[Samples]) -> tuple[Floats, Floats]:
    """The design matrix (m, k L) of a class, and its targets (m, d), all in memory."""
    parts = [shape.part(block) for block in blocks]
    rows = [(part.last[:, :, None] * part.memory[:, None, :]).reshape(len(part.last), -1) for part in parts]
    return np.concatenate(rows), np.concatenate([part.targets for part in parts])
