"""How much ridge: by cross-validation over folds of sequences, from moments, which add and subtract."""

from __future__ import annotations

import numpy as np

from compiler.errors import DataError
from compiler.learning.real.least_squares import Factor, direct_bytes, moments_of_reals
from compiler.learning.real.moments import RealMoments, Shape, shapes_of
from compiler.learning.real.rests import rests
from compiler.learning.real.samples import Floats, live_pairs, samples_of
from compiler.traces.data_set import DataSet

FOLDS = 5
"""Fold f holds the sequences f, f + 5, f + 10, ..."""
SIZES = tuple(10.0**power for power in range(-12, 3))
"""The candidates, relative to the mean of the squares of the features."""


def cross_validated_ridge(data: DataSet, *, memory: int) -> float:
    """The ridge whose rules, learned on four folds of five, have the least squared error on the fifth, over all folds.

    A candidate is a multiple of the mean of the diagonal of the sum of H H^T, so that it has the unit of `ridge`.

    Raises
    ------
    DataError
        For fewer than `FOLDS` sequences, and where the moments of the data do not fit into `memory`.
    """
    if len(data) < FOLDS:
        raise DataError(f"cross-validation takes {FOLDS} folds of sequences, and there are {len(data)} sequences")
    shapes = shapes_of(data.tokens[data.supervised], live_pairs(data.tokens))
    needed = sum(2 * direct_bytes(shape, data.d) for shape in shapes)
    if needed > memory:
        raise DataError(f"cross-validation needs {needed:,} bytes for moments, and {memory:,} are allowed")
    whole = moments_of_reals(data, shapes)
    mean = sum(float(each.peaks().sum()) for each in whole) / sum(shape.features for shape in shapes)
    errors = np.zeros(len(SIZES))
    for fold in range(FOLDS):
        held = range(fold, len(data), FOLDS)
        for total, mine in zip(whole, moments_of_reals(data, shapes, held), strict=True):
            errors += _errors(data, held, total.plus(mine, -1), mean)
    return SIZES[int(np.argmin(errors))] * mean


def _errors(data: DataSet, held: range, moments: RealMoments, mean: float) -> Floats:
    """The squared error on the `held` sequences of the rules of the others, for each candidate."""
    found = np.full(len(SIZES), np.inf)
    for n, size in enumerate(SIZES):
        factor = Factor.of(moments, size * mean)
        if factor is not None:
            shape: Shape = moments.shape
            _, squares = rests(shape, samples_of(data, shape.pairs, held), factor.solved(moments.cross))
            found[n] = float(squares.sum())
    return found
