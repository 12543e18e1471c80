"""Rules of integer data whose last tokens are letters: one small regression a letter.

A letter has one coordinate e, so the features with another letter last are other features, and y = z[e] p(S). The basic
solution is wanted, with the quietest features first (`learning.learn`): columns are taken in this order, a few at a
time, until the targets lie in their span, modulo a prime. Features that come later are zero in the basic solution,
since it is unique on the pivots that were found. It is solved on as many rows as there are pivots, and every sample is
then checked over the integers.

It costs the square of the number of pivots that are needed, times the samples; eliminating the moments of all
features, which is how blocks are solved in general (`learning.moments`), costs the cube of the features.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from compiler.exact import product, times
from compiler.learning.elimination import Integers, rationals
from compiler.learning.letters import Letter, letters_of, squares_of, types_of
from compiler.learning.reading import Part
from compiler.rules import exact_array
from compiler.spans import PRIME, Span
from compiler.sparse_rank import sparse_rank
from compiler.traces.data_set import DataSet

BLOCK = 256
"""Columns that are taken at once."""
MOST_CELLS = 200_000_000
"""The most entries of S at the samples of one letter."""


def parts_by_letters(data: DataSet) -> list[Part] | None:
    """The exact rules of `data`, a part for each letter; None where last tokens are no letters, or nothing fits."""
    types = types_of(data)
    letters = letters_of(types)
    if letters is None:
        return None
    pairs, squares = squares_of(types.vectors)
    found: list[Part] = []
    for letter in letters:
        part = _part(data, letter, pairs, squares) if len(letter.samples) * len(pairs) <= MOST_CELLS else None
        if part is None:
            return None
        found.append(part)
    return found


def _part(data: DataSet, letter: Letter, pairs: NDArray[np.int64], squares: csr_array) -> Part | None:
    """The basic solution of one letter, if it fits all of its samples exactly."""
    changes = letter.changes @ squares
    scale = data.tokens[letter.samples, letter.coordinate].astype(np.int64)
    design = letter.summed(changes.toarray()) * scale[:, None]
    targets = data.targets[letter.samples]
    asked = np.flatnonzero((targets != 0).any(axis=0))
    wanted = targets[:, asked].astype(np.int64)
    peaks = np.abs(design).max(axis=0)
    live = np.flatnonzero(peaks)
    solved = _basic(design, wanted, live[np.argsort(peaks[live], kind="stable")])
    if solved is None:
        return None
    chosen, numerators, denominator = solved
    n, k = np.nonzero(numerators)
    places = np.column_stack([np.full(len(n), letter.coordinate), pairs[chosen[n]], asked[k]])
    weights = exact_array(Fraction(int(value), denominator) for value in numerators[n, k].tolist())
    return Part(places, weights, len(live), sparse_rank(changes), Fraction(0))


def _basic(
    design: Integers, wanted: Integers, order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Integers, int] | None:
    """The columns (r,) of the basic solution of design u = wanted, and its numerators (r, k) over one denominator."""
    span = Span(len(design))
    probe = np.mod(wanted, PRIME) @ np.random.default_rng(0).integers(1, 2**20, size=wanted.shape[1])
    chosen = np.zeros(0, dtype=np.int64)
    for begin in range(0, len(order), BLOCK):
        columns = order[begin : begin + BLOCK]
        chosen = np.concatenate([chosen, columns[span.extend(design[:, columns].T)]])
        if not span.rest(probe).any():
            values = _solved(design[:, chosen], wanted, span.pivots[: span.size])
            if values is not None:
                return chosen, *values
    return None


def _solved(design: Integers, wanted: Integers, rows: NDArray[np.int64]) -> tuple[Integers, int] | None:
    """The solution of design u = wanted, from as many `rows` as there are columns; None where it does not fit all."""
    width = design.shape[1]
    span = Span(width + wanted.shape[1])
    span.extend(np.concatenate([design[rows], wanted[rows]], axis=1))
    order = np.argsort(span.pivots[: span.size])
    values = rationals(span.rows[order][:, width:].astype(np.int64), PRIME)
    if values is None or span.size != width or span.pivots[order[-1]] >= width:
        return None
    numerators, denominator = values
    made = product(design, numerators.astype(np.int64))
    return None if np.any(made != times(wanted, denominator)) else (numerators, denominator)
