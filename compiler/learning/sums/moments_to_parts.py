"""Moments to rules, part by part, and to the certificate for a program: what `learn` does, without the samples."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np

from compiler.domain.guarded import system_of
from compiler.errors import DataError
from compiler.learning.certificate import LoweredByFeatures, certificate_of_features
from compiler.learning.count_certificate import Certificate, certificate_of_shown
from compiler.learning.elimination import Integers
from compiler.learning.features import MAX_CELLS, components
from compiler.learning.moments import Moments, SolvedBlock, solved_block
from compiler.learning.parts import Found, exact_part, float_part, reasonable
from compiler.learning.reading import Part
from compiler.learning.real.least_squares import Fitted, direct_bytes, solution
from compiler.learning.real.moments import RealMoments
from compiler.learning.real.tiles import LARGEST
from compiler.learning.sums.counts import CountMoments
from compiler.learning.sums.counts_to_pairs import counts_to_pairs
from compiler.learning.sums.counts_to_rules import parts_by_counts
from compiler.learning.sums.data_moments import DataMoments
from compiler.learning.sums.pairs import PairMoments
from compiler.program_to_rules.lowering import Asks, Lowering
from compiler.traces.filling import Filled


def found_in_moments(moments: DataMoments, ridge: float | Literal["cv"], memory: int) -> Found:
    """The rules that fit best: exactly, if the moments are integers and no ridge is wanted.

    Raises DataError for moments of a shard, for moments that leave rules open where they are floats, for those of
    more features than fit into `memory`, and for a ridge by cross-validation.
    """
    if not moments.whole:
        i, n = moments.shard
        raise DataError(f"these are moments of shard {i} of {n}; `attnc reduce` adds up all of them first")
    if not moments.samples:
        raise DataError("no position is supervised, so there is nothing to learn from")
    if ridge == "cv":
        raise DataError("cross-validation needs the data; from their moments learn with a ridge that is a number")
    sums = moments.sums
    if isinstance(sums, CountMoments):
        parts = parts_by_counts(sums) if ridge == 0 else None
        if parts is not None:
            return Found(parts, 0, True, [], [])
        sums = counts_to_pairs(sums, memory)
    if sums.exact and ridge == 0:
        blocks = [blocks_of_class(*each) for each in zip(sums.classes, sums.peaks, strict=True)]
        exactly = [part for solved in blocks for part in _parts(solved)]
        if any(part.error < 0 for part in exactly):
            raise DataError("the squared errors would be negative: these are no moments of data")
        return Found(exactly, sums.unanswered, True, [block for solved in blocks for block in solved], [])
    fitted = [_fitted(each, float(ridge), memory) for each in sums.classes]
    return Found([float_part(each) for each in fitted], sums.unanswered, False, [], fitted, float(ridge))


def blocks_of_class(moments: RealMoments, peaks: Integers) -> list[SolvedBlock]:
    """The moments of the live features of a class, eliminated, in blocks that are zero beside each other.

    All squared targets of the class are said to be those of the first block. Raises DataError for too many features.
    """
    live = np.flatnonzero(peaks)
    if len(live) ** 2 > MAX_CELLS:
        raise DataError(f"{len(live):,} features that stand together are more than this learner solves exactly")
    k, pairs = len(moments.shape.coordinates), len(moments.shape.pairs)
    e, p = np.divmod(live, pairs)
    gram = moments.products[_places(k)[e[:, None], e], _places(pairs)[p[:, None], p]]
    asked = np.flatnonzero((moments.cross != 0).any(axis=0))
    energy = int(moments.energy.astype(object).sum())
    found = []
    for rows, _ in components(gram != 0):
        mine = live[rows]
        cross = moments.cross[np.ix_(mine, asked)]
        block = Moments(moments.shape.index[mine], gram[np.ix_(rows, rows)], asked, cross, energy, peaks[mine])
        found.append(solved_block(block))
        energy = 0
    return found


def _places(n: int) -> Integers:
    """(n, n): where each entry of a symmetric matrix stands in the order of `numpy.triu_indices`."""
    low, high = np.triu_indices(n)
    found = np.zeros((n, n), dtype=np.int64)
    found[low, high] = found[high, low] = np.arange(len(low))
    return found


def _parts(blocks: list[SolvedBlock]) -> list[Part]:
    """The rules of the blocks of one class; the squared error is known of all of them together."""
    try:
        parts = [exact_part(each) for each in blocks]
    except ZeroDivisionError:  # the pivots of a matrix that is no sum of squares may be singular
        raise DataError("a matrix that should be a sum of squares is none: these are no moments of data") from None
    error = sum((Fraction(part.error) for part in parts), Fraction(0))
    parts = [part._replace(error=Fraction(0) if number else error) for number, part in enumerate(parts)]
    return [part if reasonable(part) else part._replace(weights=part.weights.astype(np.float64)) for part in parts]


def _fitted(moments: RealMoments, ridge: float, memory: int) -> Fitted:
    """The rules of a class in floats, from its moments alone."""
    shape, d = moments.shape, moments.cross.shape[1]
    if len(shape.pairs) > LARGEST or direct_bytes(shape, d) > memory:
        raise DataError(f"{shape.features:,} features need {direct_bytes(shape, d):,} bytes; {memory:,} are allowed")
    products, cross, energy = (each.astype(np.float64) for each in (moments.products, moments.cross, moments.energy))
    found = solution(RealMoments(shape, products, cross, energy, moments.samples), None, ridge)
    if found is None or not np.isfinite(found.weights).all():
        raise DataError(
            f"the data leave rules open, or nearly ({shape.features:,} features, {moments.samples:,} samples): their "
            "moments are singular to working precision; learn from the data, or with a ridge"
        )
    return found


def certificate_of_moments(
    moments: DataMoments, lowering: Lowering, solved: Sequence[SolvedBlock], memory: int
) -> Certificate:
    """The certificate of the data, from their moments; `solved` are those of all features, where they are known.

    Raises DataError where the moments do not hold what the certificate asks for, or pass `memory` bytes.
    """
    if isinstance(lowering, LoweredByFeatures):
        return certificate_of_features(lowering, lambda: solved or _all_blocks(moments, memory))[0]
    what = f"{lowering.program.kind} {lowering.program.name}"
    system = system_of(lowering)
    if system.situations or not isinstance(moments.sums, CountMoments):
        raise DataError(f"moments do not hold all that a certificate for {what} asks for; certify the data")
    shown = Filled(system)
    for last, rows in _shown(moments.sums, lowering).items():
        shown.show(last, list(rows))
    return certificate_of_shown(shown)[0]


def _all_blocks(moments: DataMoments, memory: int) -> list[SolvedBlock]:
    sums = moments.sums if isinstance(moments.sums, PairMoments) else counts_to_pairs(moments.sums, memory)
    return [block for each in zip(sums.classes, sums.peaks, strict=True) for block in blocks_of_class(*each)]


def _shown(moments: CountMoments, lowering: Lowering) -> dict[int, Integers]:
    """By question of the program, sums of the counts (1 + T,) of its tokens that the data show there."""
    vectors = np.ascontiguousarray(lowering.tokens.dense().astype(np.int64))
    numbers = {row.tobytes(): number for number, row in enumerate(vectors)}
    found = [numbers.get(row.tobytes(), -1) for row in np.ascontiguousarray(moments.types)]
    if -1 in found:
        what = f"{lowering.program.kind} {lowering.program.name}"
        raise DataError(f"a token of the data is none of {what}, so they are not its runs")
    shown = {}
    for place, last in enumerate(moments.lasts.tolist()):
        if lowering.asks[found[last]] != Asks.NOTHING and moments.gram[place, 0]:
            gram = moments.gram_of(place)
            rows = np.zeros((len(gram), 1 + len(vectors)), dtype=gram.dtype)
            rows[:, [0, *(1 + number for number in found)]] = gram
            shown[found[last]] = rows
    return shown
