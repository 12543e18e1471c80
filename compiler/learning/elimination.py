"""Exact linear algebra for learning: eliminate modulo a prime, reconstruct rationals, check over the integers.

A rank modulo a prime is a lower bound for the rank over the rationals, and what is reconstructed is accepted only if it
satisfies its equations exactly, so no result rests on luck: an unlucky prime costs time. Where reconstruction fails
(entries too large for one prime) the slow exact route through flint's rationals is taken.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt, lcm
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


class Elimination(NamedTuple):
    """A symmetric integer G (n, n) and right-hand sides C (n, k), eliminated modulo `PRIME`.

    Attributes
    ----------
    gram, right
        G and C.
    pivots
        The unknowns that are pivots, in the order in which they were found; their count is the rank modulo the prime.
    rows
        The reduced rows of G (rank, n), columns in the order of the unknowns.
    values
        The reduced rows of C (rank, k).
    """

    gram: Integers
    right: Integers
    pivots: list[int]
    rows: Integers
    values: Integers


def echelon(matrix: Integers) -> tuple[list[int], Integers]:
    """Pivot columns and non-zero rows (rank, n) of the reduced row echelon form modulo `PRIME`."""
    m, n = matrix.shape
    if not m or not n:
        return [], np.zeros((0, n), dtype=object)
    reduced, rank = _residues(matrix).rref()
    rows = np.array([[int(value) for value in row] for row in reduced.table()[:rank]], dtype=object).reshape(rank, n)
    return [int(np.flatnonzero(row)[0]) for row in rows], rows


def null_rows(matrix: Integers) -> Integers:
    """A basis (n - rank, n) of the null space modulo `PRIME` of a matrix (m, n)."""
    m, n = matrix.shape
    if not m:
        return np.eye(n, dtype=np.int64).astype(object)
    basis, nullity = _residues(matrix).nullspace()
    columns = np.array([[int(value) for value in row] for row in basis.table()], dtype=object).reshape(n, -1)
    return columns[:, :nullity].T


def rank(matrix: Integers) -> int:
    """The rank modulo `PRIME`: a lower bound for the rank over the rationals."""
    return int(_residues(matrix).rank()) if matrix.size else 0


def _residues(matrix: Integers) -> nmod_mat:
    m, n = matrix.shape
    return nmod_mat(m, n, np.mod(matrix, PRIME).ravel().tolist(), PRIME)


def eliminate(gram: Integers, right: Integers, order: NDArray[np.int64]) -> Elimination:
    """Eliminate a symmetric positive semidefinite integer G (n, n) with C (n, k); `order` lists the unknowns to try."""
    n = len(gram)
    found, rows = echelon(np.concatenate([gram[np.ix_(order, order)], right[order]], axis=1))
    pivots = [int(order[pivot]) for pivot in found if pivot < n]
    back = np.argsort(order)
    return Elimination(gram, right, pivots, rows[: len(pivots), back], rows[: len(pivots), n:])


def solve(eliminated: Elimination) -> tuple[Integers, int]:
    """The basic solution of G u = C, zero but on the pivots, as numerators (n, k) over one denominator: exact.

    C must be in the range of G, as the moments of any data are. Should the prime be so unlucky that the solution on its
    pivots is none, the elimination is done again over the rationals.
    """
    gram, right, pivots = eliminated.gram, eliminated.right, eliminated.pivots
    values = rationals(eliminated.values)
    if values is None or not _satisfied(gram, pivots, *values, right):
        values = solve_slowly(gram[np.ix_(pivots, pivots)], right[pivots])
        if not _satisfied(gram, pivots, *values, right):
            pivots = [int(np.flatnonzero(row)[0]) for row in _rational_rows(gram)]
            values = solve_slowly(gram[np.ix_(pivots, pivots)], right[pivots])
    numerators = np.zeros(right.shape, dtype=values[0].dtype)
    numerators[pivots] = values[0]
    return numerators, values[1]


def _rational_rows(gram: Integers) -> Integers:
    """The non-zero rows of the reduced row echelon form over the rationals, up to a common factor."""
    reduced, _, rank = fmpz_mat(gram.tolist()).rref()
    return np.array([[int(value) for value in row] for row in reduced.table()[:rank]], dtype=object)


def _satisfied(gram: Integers, pivots: list[int], numerators: Integers, denominator: int, right: Integers) -> bool:
    return bool(np.all(product(gram[:, pivots], numerators) == times(right, denominator)))


def solve_slowly(gram: Integers, right: Integers) -> tuple[Integers, int]:
    """G u = C for an invertible integer G, by flint over the rationals: the specification of the fast way."""
    if not right.size:
        return right, 1
    answer = fmpz_mat(gram.tolist()).solve(fmpz_mat(right.tolist()))
    values = [[Fraction(int(x.p), int(x.q)) for x in row] for row in answer.table()]
    denominator = lcm(*{value.denominator for row in values for value in row})
    return np.array([[int(value * denominator) for value in row] for row in values], dtype=object), denominator


def in_row_space(eliminated: Elimination, rows: Integers) -> NDArray[np.bool_]:
    """Which of `rows` (m, n) lie in the row space of G; every "yes" is proved.

    Where a basis of the null space of G can be written down and proved, a row is inside exactly when it is orthogonal
    to it. Otherwise a row r that is inside modulo the prime is proved by the exact solution of x G = r on the pivots.
    """
    basis = null_space(eliminated)
    if basis is not None:
        return np.asarray(~(product(rows, basis.T) != 0).any(axis=1))
    gram, pivots = eliminated.gram, np.array(eliminated.pivots, dtype=np.int64)
    _, reduced = echelon(np.concatenate([gram, rows.T], axis=1))
    inside: NDArray[np.bool_] = ~(reduced[len(pivots) :, len(gram) :] != 0).any(axis=0)
    chosen = np.flatnonzero(inside)
    numerators, denominator = solve_slowly(gram[np.ix_(pivots, pivots)], rows[np.ix_(chosen, pivots)].T)
    made = product(numerators.T, gram[pivots])
    inside[chosen] = (made == times(rows[chosen], denominator)).all(axis=1)
    return inside


def null_space(eliminated: Elimination) -> Integers | None:
    """An integer basis (n - rank, n) of the null space of G, proved; None where its entries are too large.

    Every vector of the basis is annihilated exactly, so the rank is at most n minus their number; the rank modulo the
    prime says that it is at least that. So the basis spans the null space.
    """
    gram, pivots = eliminated.gram, eliminated.pivots
    free = np.setdiff1d(np.arange(len(gram)), pivots)
    values = rationals(eliminated.rows[:, free])
    if values is None:
        return None
    basis = np.zeros((len(free), len(gram)), dtype=object)
    basis[np.arange(len(free)), free] = values[1]
    basis[:, pivots] = -values[0].T
    return basis if not np.any(product(gram, basis.T)) else None


def rationals(residues: Integers, prime: int = PRIME) -> tuple[Integers, int] | None:
    """The rationals with these residues modulo `prime`, over one denominator; None where one is out of bounds.

    The bound on numerators and denominators is the square root of half the prime, at most `BOUND`.
    """
    bound = min(BOUND, isqrt((prime - 1) // 2))
    distinct, places = np.unique(residues.ravel(), return_inverse=True)
    values = [_rational(int(residue), prime, bound) for residue in distinct.tolist()]
    if any(value is None for value in values):
        return None
    denominator = lcm(*(value.denominator for value in values if value is not None))
    if denominator > bound:
        return None
    whole = [int(value * denominator) for value in values if value is not None]
    return np.array(whole, dtype=object)[places].reshape(residues.shape), denominator


def _rational(residue: int, prime: int, bound: int) -> Fraction | None:
    """The fraction n/m = `residue` modulo `prime` with |n|, m <= `bound`, by the extended Euclidean algorithm."""
    if residue <= bound:
        return Fraction(residue)
    if prime - residue <= bound:
        return Fraction(residue - prime)
    before, here = (prime, 0), (residue, 1)
    while here[0] > bound:
        quotient = before[0] // here[0]
        before, here = here, (before[0] - quotient * here[0], before[1] - quotient * here[1])
    return Fraction(here[0], here[1]) if 0 < abs(here[1]) <= bound else None
