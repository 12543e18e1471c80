"""Count moments to rules by reading coordinates: the method of `learning.reading`, without the samples.

A class of questions that share reading coordinates R is a regression of its own. The rows of gram_l are sums of
counts (each sample as often as a count says), and those of cross_l the same sums of targets; together they span what
the samples with l last show. So the equations are l[R] (x) (row of gram_l @ types' squares) -> row of cross_l, as
many as are independent modulo a prime, and their basic solution, quietest features first, is that of the samples.
Whether it fits every sample is decided over the integers: for each last token energy - 2 <P, cross> + <P gram, P>
must be zero, where P are the answers per count.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.exact import product, times
from compiler.learning.elimination import Integers, echelon, rationals
from compiler.learning.features import components
from compiler.learning.reading import Part, independent_rows, products, reading_coordinates
from compiler.learning.sums.counts import CountMoments, pairs_of
from compiler.rules import exact_array


class _Class(NamedTuple):
    """Questions that share reading coordinates (k,): the numbers of the last tokens (l,), and these there, (l, k)."""

    numbers: NDArray[np.int64]
    coordinates: NDArray[np.int64]
    last: Integers


def parts_by_counts(moments: CountMoments) -> list[Part] | None:
    """The exact rules by reading coordinates; None where they do not fit, or there are none."""
    reading = reading_coordinates(moments.types, moments.lasts)
    if reading is None:
        return None
    lasts = moments.types[moments.lasts]
    found = []
    for numbers, columns in components(lasts[:, reading] != 0):
        coordinates = reading[columns]
        part = _part(moments, _Class(numbers, coordinates, lasts[np.ix_(numbers, coordinates)]))
        if part is None:
            return None
        found.append(part)
    return found


def _part(moments: CountMoments, mine: _Class) -> Part | None:
    """The basic solution of one class, if it fits all of its samples exactly."""
    pairs = pairs_of(moments.types)
    squares = times(moments.types[:, pairs[:, 0]], moments.types[:, pairs[:, 1]])
    grams = [moments.gram_of(number)[:, 1:] for number in mine.numbers.tolist()]
    counts, targets = np.concatenate(grams), np.concatenate(moments.cross[mine.numbers])
    last = np.repeat(mine.last, len(moments.types) + 1, axis=0)
    rows = independent_rows(products(last, counts))
    design = products(last[rows], product(counts[rows], squares))
    live = np.flatnonzero(design.any(axis=0))
    order = live[_quietest(moments, mine)[live].argsort(kind="stable")]
    asked = np.flatnonzero((targets != 0).any(axis=0))
    pivots, reduced = echelon(np.concatenate([design[:, order], targets[np.ix_(rows, asked)]], axis=1))
    values = rationals(reduced[:, len(order) :])
    if values is None or (pivots and pivots[-1] >= len(order)):
        return None
    numerators, denominator = values
    used = np.flatnonzero(numerators.any(axis=1))
    e, pair = np.divmod(order[pivots][used], len(pairs))
    if not _fitted(moments, mine, squares[:, pair], e, numerators[used], asked, denominator):
        return None
    n, k = np.nonzero(numerators[used])
    places = np.column_stack([mine.coordinates[e[n]], pairs[pair[n]], asked[k]])
    weights = exact_array(Fraction(int(value), denominator) for value in numerators[used][n, k].tolist())
    return Part(places, weights, len(live), len(pivots), Fraction(0))


def _fitted(
    moments: CountMoments,
    mine: _Class,
    squares: Integers,
    e: NDArray[np.int64],
    numerators: Integers,
    asked: NDArray[np.int64],
    denominator: int,
) -> bool:
    """Whether rules fit every sample of a class: the squared errors of each of its last tokens are zero."""
    for number, last in zip(mine.numbers.tolist(), mine.last, strict=True):
        answers = product(times(squares, last[e]), numerators)
        gram, cross = moments.gram_of(number)[1:, 1:], moments.cross[number, 1:]
        made = product(gram, answers).astype(object) - 2 * times(cross[:, asked], denominator).astype(object)
        error = int(np.sum(made * answers.astype(object))) + denominator**2 * int(
            moments.energy[number].astype(object).sum()
        )
        if error != 0:
            return False
    return True


def _quietest(moments: CountMoments, mine: _Class) -> NDArray[np.int64]:
    """For each feature (coordinate, pair) its rank in the order in which unknowns are tried as pivots."""
    peaks, held = [], []
    for values in mine.last.T:
        numbers = mine.numbers[values != 0]
        peaks.append(moments.peaks[numbers].max(axis=0, initial=0))
        held.append(moments.held[numbers].sum(axis=0))
    order = np.lexsort((-np.concatenate(held), np.concatenate(peaks)))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank
