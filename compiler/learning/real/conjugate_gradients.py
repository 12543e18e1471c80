"""Least squares by conjugate gradients on the normal equations: memory for a few vectors of rules, and no more.

Hestenes and Stiefel 1952, on (H^T H + ridge) p = H^T y, all outputs side by side, each with its own step, in the scale
in which every feature has the mean square 1 (the Jacobi preconditioner). From the start p = 0 the iterates stay in the
row space, so where the data leave something open the answer is the one of least norm in that scale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from compiler.learning.real.moments import Shape
from compiler.learning.real.samples import Floats, Samples, gathered, predicted

TOLERANCE = 1e-14
"""It stops where the gradient is this small, relative to the first, in every output."""
STALLED = 50
"""It stops where the least gradient has not fallen for so many steps."""
MOST_STEPS = 5_000


class Iterated(NamedTuple):
    """Rules (k L, d); the least gradient, relative to the first; the steps; a lower bound of the trace of G^-1."""

    weights: Floats
    gradient: float
    steps: int
    trace: float


def conjugate_gradients(shape: Shape, blocks: Callable[[], Iterable[Samples]], d: int, ridge: float = 0.0) -> Iterated:
    """The rules (k L, d) of least squares; `blocks` goes through the samples once more at each call."""
    peaks, right = np.zeros(shape.features), np.zeros((shape.features, d))
    for part in map(shape.part, blocks()):
        peaks += (np.square(part.last).T @ np.square(part.memory)).ravel()
        right += gathered(part, part.targets)
    scale = np.divide(1.0, np.sqrt(peaks + ridge), out=np.zeros_like(peaks), where=peaks > 0)[:, None]

    trace = float(np.square(scale).sum())

    def normal(x: Floats) -> Floats:
        found = ridge * x
        for part in map(shape.part, blocks()):
            found += gathered(part, predicted(part, x))
        return np.asarray(found)

    weights = np.zeros_like(right)
    rest = right * scale
    direction, squares = rest.copy(), np.square(rest).sum(axis=0)
    first, least, best, since = squares.copy(), np.inf, weights, 0
    for step in range(MOST_STEPS):
        size = float(np.sqrt((squares / np.where(first > 0, first, 1)).max()))
        since = 0 if size < 0.9 * least else since + 1
        if size < least:
            least, best = size, weights.copy()
        if size <= TOLERANCE or since >= STALLED:
            return Iterated(best * scale, least, step, trace)
        pushed = scale * normal(scale * direction)
        length = _ratio(squares, (direction * pushed).sum(axis=0))
        weights += length * direction
        rest -= length * pushed
        before, squares = squares, np.square(rest).sum(axis=0)
        direction = rest + _ratio(squares, before) * direction
    return Iterated(best * scale, least, MOST_STEPS, trace)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
