"""Exact linear algebra for learning: eliminate modulo a prime, reconstruct rationals, check over the integers.

A rank modulo a prime is a lower bound for the rank over the rationals, and what is reconstructed is accepted only if it
satisfies its equations exactly, so no result rests on luck: an unlucky prime costs time. Where reconstruction fails
(entries too large for one prime) the slow exact route through flint's rationals is taken.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz_mat, nmod_mat
from numpy.typing import NDArray

from compiler.exact import product, times

PRIME = 2**61 - 1
BOUND = 2**29
"""Numerators and denominators up to here are reconstructed: 2 * BOUND^2 < PRIME makes them unique (Wang 1981)."""

Integers = NDArray[Any]
"""An integer array of dtype int64 or object."""


class Solution(NamedTuple):
    """A basic solution of G u = C: zero but on the pivots.

    Attributes
    ----------
    pivots
        The numbers of the unknowns that were solved for; their count is the rank.
    numerators, denominator
        The solution (n, k), exactly.
    """

    pivots: list[int]
    numerators: Integers
    denominator: int


class Echelon(NamedTuple):
    """The reduced row echelon form modulo `PRIME`: pivot columns, and the non-zero rows (rank, n)."""

    pivots: list[int]
    rows: Integers


def echelon(matrix: Integers) -> Echelon:
    """The reduced row echelon form of an integer matrix modulo `PRIME`."""
    m, n = matrix.shape
    if not m or not n:
        return Echelon([], np.zeros((0, n), dtype=object))
    reduced, rank = nmod_mat(m, n, np.mod(matrix, PRIME).ravel().tolist(), PRIME).rref()
    table = reduced.table()[:rank]
    rows = np.array([[int(value) for value in row] for row in table], dtype=object).reshape(rank, n)
    return Echelon([int(np.flatnonzero(row)[0]) for row in rows], rows)


def solve(gram: Integers, right: Integers, order: NDArray[np.int64]) -> Solution:
    """The basic solution of G u = C for a symmetric positive semidefinite integer G (n, n) and C (n, k) in its range.

    `order` lists the unknowns in the order in which they are tried as pivots.
    """
    n = len(gram)
    found = echelon(np.concatenate([gram[np.ix_(order, order)], right[order]], axis=1))
    pivots = [pivot for pivot in found.pivots if pivot < n]
    chosen = [int(order[pivot]) for pivot in pivots]
    values = rationals(found.rows[: len(pivots), n:])
    if values is None or not _satisfied(gram, chosen, *values, right):
        values = _solve_slowly(gram[np.ix_(chosen, chosen)], right[chosen])
        if not _satisfied(gram, chosen, *values, right):
            raise ArithmeticError("the prime divides a minor of the moment matrix; this is beyond bad luck, please report it")
    numerators = np.zeros(right.shape, dtype=values[0].dtype)
    numerators[chosen] = values[0]
    return Solution(chosen, numerators, values[1])


def _satisfied(gram: Integers, chosen: list[int], numerators: Integers, denominator: int, right: Integers) -> bool:
    return bool(np.all(product(gram[:, chosen], numerators) == times(right, denominator)))


def _solve_slowly(gram: Integers, right: Integers) -> tuple[Integers, int]:
    """G u = C for an invertible integer G, by flint over the rationals: the specification of the fast way."""
    if not len(gram):
        return right, 1
    answer = fmpz_mat(gram.tolist()).solve(fmpz_mat(right.tolist()))
    values = [[Fraction(int(x.p), int(x.q)) for x in row] for row in answer.table()]
    denominator = lcm(*{value.denominator for row in values for value in row})
    return np.array([[int(value * denominator) for value in row] for row in values], dtype=object), denominator


def in_row_space(gram: Integers, rows: Integers) -> NDArray[np.bool_]:
    """Which of `rows` (m, n) lie in the row space of a symmetric integer G (n, n); every "yes" is proved.

    Modulo the prime a row r is inside exactly when G x = r has a solution. To prove it over the rationals, either r is
    orthogonal to a proved basis of the null space of G, or the solution on the pivots is computed exactly and checked.
    """
    n = len(gram)
    found = echelon(np.concatenate([gram, rows.T], axis=1))
    pivots = [pivot for pivot in found.pivots if pivot < n]
    inside = ~(found.rows[len(pivots) :, n:] != 0).any(axis=0)
    if not inside.any() or (basis := _null_space(gram, pivots, found.rows[: len(pivots), :n])) is None:
        return inside & _solvable(gram, pivots, rows, inside)
    return ~(product(rows, basis.T) != 0).any(axis=1)


def _null_space(gram: Integers, pivots: list[int], rows: Integers) -> Integers | None:
    """An integer basis (n - rank, n) of the null space of G from its echelon form, proved; None where it is too large.

    Every vector of the basis is annihilated exactly, so the rank is at most n minus their number; the rank modulo the
    prime says that it is at least that. So the basis spans the null space.
    """
    n = len(gram)
    free = np.setdiff1d(np.arange(n), pivots)
    values = rationals(rows[:, free])
    if values is None:
        return None
    basis = np.zeros((len(free), n), dtype=object)
    basis[np.arange(len(free)), free] = values[1]
    basis[:, pivots] = -values[0].T
    return basis if not np.any(product(gram, basis.T)) else None


def _solvable(gram: Integers, pivots: list[int], rows: Integers, candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the candidate rows are combinations of the pivot rows of G, by an exact solution."""
    solvable = np.zeros(len(rows), dtype=np.bool_)
    chosen = np.flatnonzero(candidates)
    if len(chosen):
        numerators, denominator = _solve_slowly(gram[np.ix_(pivots, pivots)], rows[np.ix_(chosen, pivots)].T)
        made = product(numerators.T, gram[pivots])
        solvable[chosen] = (made == times(rows[chosen], denominator)).all(axis=1)
    return solvable


def rationals(residues: Integers) -> tuple[Integers, int] | None:
    """The rationals with these residues modulo `PRIME`, over one denominator; None where one is out of bounds."""
    distinct, places = np.unique(residues.ravel(), return_inverse=True)
    values = [_rational(int(residue)) for residue in distinct.tolist()]
    if any(value is None for value in values):
        return None
    denominator = lcm(*(value.denominator for value in values if value is not None))
    if denominator > BOUND:
        return None
    whole = [int(value * denominator) for value in values if value is not None]
    return np.array(whole, dtype=object)[places].reshape(residues.shape), denominator


def _rational(residue: int) -> Fraction | None:
    """The fraction n/m = `residue` modulo `PRIME` with |n|, m <= BOUND, by the extended Euclidean algorithm."""
    if residue <= BOUND:
        return Fraction(residue)
    if PRIME - residue <= BOUND:
        return Fraction(residue - PRIME)
    before, here = (PRIME, 0), (residue, 1)
    while here[0] > BOUND:
        quotient = before[0] // here[0]
        before, here = here, (before[0] - quotient * here[0], before[1] - quotient * here[1])
    return Fraction(here[0], here[1]) if 0 < abs(here[1]) <= BOUND else None
