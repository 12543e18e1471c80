"""Rules of integer data by their reading coordinates: small regressions in the place of one large one.

Where all tokens are of finitely many types, S is linear in the token counts, and so is an answer once the last token is
known. Programs show which of the coordinates of a question make it one: those that no other token has (`conf` of a
machine; a cell that is written stands in the same token, and in the prompt). If rules that read only these *reading
coordinates* fit every sample exactly, they are a minimiser like any other, and on data that are certified all
minimisers agree on the domain. So each connected class of questions is solved by itself: as many rows as its counts
have dimensions, chosen modulo a prime; the basic solution of these, quietest features first; and then every sample is
checked over the integers. Where no such coordinates exist, or some sample is not fitted, all features are taken.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.exact import largest, product, times
from compiler.learning.elimination import Integers, echelon, rationals
from compiler.learning.features import components
from compiler.rules import Weights, exact_array
from compiler.spans import Span
from compiler.traces.data_set import DataSet

MOST_TYPES = 3_000
MOST_COUNTS = 200_000_000


class Part(NamedTuple):
    """What one block gave.

    Attributes
    ----------
    places, weights
        The rules: coordinates (e, b, c, a) of each, (r, 4), and weights (r,).
    live, rank
        The features that are not zero on all of its samples, and their rank.
    error
        The sum of squared errors.
    spread
        The expected sum of squares of what noise in the targets did to the weights, from the errors that it left.
    """

    places: NDArray[np.int64]
    weights: Weights
    live: int
    rank: int
    error: Fraction | float
    spread: float = 0.0


class _Shown(NamedTuple):
    """Samples in count space: counts (m, T), last tokens and targets (m, d), pairs (P, 2), and S of types (T, P)."""

    counts: Integers
    last: Integers
    targets: Integers
    pairs: NDArray[np.int64]
    squares: Integers


def parts_by_reading(data: DataSet) -> list[Part] | None:
    """The exact rules of `data` by reading coordinates; None where they do not fit, or there are none."""
    types, places = data.types()
    reading = reading_coordinates(types, np.unique(places[data.supervised]))
    if reading is None:
        return None
    shown = _shown(data, types, places)
    if shown is None:
        return None
    found = []
    for rows, columns in components(shown.last[:, reading] != 0):
        part = _part(shown, rows, reading[columns])
        if part is None:
            return None
        found.append(part)
    return found


def reading_coordinates(types: Integers, questions: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The coordinates of questions that no other type has; None unless they mark all, and are not all.

    A question is a type that is supervised somewhere; it need not be everywhere.
    """
    asked = types[questions] != 0
    others = (np.delete(types, questions, axis=0) != 0).any(axis=0)
    alone = asked.any(axis=0) & ~others
    if not bool(asked[:, alone].any(axis=1).all()) or not bool((asked.any(axis=0) & others).any()):
        return None
    return np.flatnonzero(alone)


def _shown(data: DataSet, types: Integers, places: NDArray[np.int64]) -> _Shown | None:
    if len(types) > MOST_TYPES or data.samples * len(types) > MOST_COUNTS or largest(types) >= 2**20:
        return None
    counts = np.zeros((data.samples, len(types)), dtype=np.int64)
    begin = 0
    for rows in data.sequences():
        chosen = np.flatnonzero(data.supervised[rows])
        if len(chosen):
            one = np.zeros((rows.stop - rows.start, len(types)), dtype=np.int64)
            one[np.arange(len(one)), places[rows]] = 1
            counts[begin : begin + len(chosen)] = np.cumsum(one, axis=0)[chosen]
            begin += len(chosen)
    low, high = np.triu_indices(data.d)
    present = (types != 0).astype(np.float64)
    met = (present.T @ present)[low, high] > 0
    pairs = np.column_stack([low[met], high[met]])
    squares = types[:, pairs[:, 0]] * types[:, pairs[:, 1]]
    return _Shown(counts, data.tokens[data.supervised], data.targets[data.supervised], pairs, squares)


def _part(shown: _Shown, rows: NDArray[np.int64], coordinates: NDArray[np.int64]) -> Part | None:
    """The basic solution of one class, if it fits all of its samples exactly."""
    counts, last = shown.counts[rows], shown.last[np.ix_(rows, coordinates)]
    independent = independent_rows(products(last, counts))
    memory = product(counts, shown.squares)
    design = products(last[independent], memory[independent])
    live = np.flatnonzero(design.any(axis=0))
    order = live[_quietest(last, memory)[live].argsort(kind="stable")]
    targets = shown.targets[rows]
    asked = np.flatnonzero((targets != 0).any(axis=0))
    pivots, reduced = echelon(np.concatenate([design[:, order], targets[np.ix_(independent, asked)]], axis=1))
    if pivots and pivots[-1] >= len(order):
        return None
    values = rationals(reduced[:, len(order) :])
    if values is None:
        return None
    numerators, denominator = values
    chosen = order[pivots]
    used = np.flatnonzero(numerators.any(axis=1))
    e, pair = chosen[used] // len(shown.pairs), chosen[used] % len(shown.pairs)
    made = product(times(last[:, e], memory[:, pair]), numerators[used])
    if np.any(made != times(targets[:, asked], denominator)):
        return None
    n, k = np.nonzero(numerators[used])
    places = np.column_stack([coordinates[e[n]], shown.pairs[pair[n]], asked[k]])
    weights = exact_array(Fraction(int(value), denominator) for value in numerators[used][n, k].tolist())
    return Part(places, weights, len(live), len(pivots), Fraction(0))


def _quietest(last: Integers, memory: Integers) -> NDArray[np.int64]:
    """For each feature (coordinate of `last`, pair) its rank in the order in which unknowns are tried as pivots.

    First by the largest absolute value, then by how many samples it is not zero on, the most first: a register holds 0
    or 1 at every length, and something at most times, where counters grow, or have only begun to.
    """
    peaks, held = [], []
    for values in last.T:
        mine = memory[values != 0]
        peaks.append(np.abs(mine).max(axis=0, initial=0))
        held.append((mine != 0).sum(axis=0))
    order = np.lexsort((-np.concatenate(held), np.concatenate(peaks)))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank


def products(left: Integers, right: Integers) -> Integers:
    """Row by row the products of all entries of `left` (m, k) with all of `right` (m, n): (m, k n)."""
    return np.asarray(times(left[:, :, None], right[:, None, :]).reshape(len(left), -1))


def independent_rows(rows: Integers) -> NDArray[np.int64]:
    """The numbers of rows that span all, modulo a prime."""
    return np.asarray(Span(rows.shape[1]).extend(rows), dtype=np.int64)
