"""The basis in which a model works, by its embeddings: the linear map that takes a program's tokens to the model's.

If M e_t = e'_t for all tokens, a model (V', Q') over the basis of M is, in the program's coordinates, V = M^-1 V' M and
Q = M^T Q' M: with S' = M S M^T its answer V' S' Q' M z is M times V S Q z. All over the rationals.

The tokens may span less than all dimensions. What is orthogonal to them is then mapped to what is orthogonal to their
images, in one of many ways, which changes neither an answer that is a token nor which token is nearest to an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.errors import ModelError

NO_MAP = "no invertible linear map takes the tokens of the program to the embeddings of the model"


class Basis(NamedTuple):
    """The map M (d, d) from the program's coordinates to the model's, and its inverse.

    `rank` is the dimension of what the tokens span; `similar` says whether M keeps angles between tokens, and so which
    of them is nearest; `isometric`, whether it keeps lengths, too.
    """

    map: fmpq_mat
    inverse: fmpq_mat
    rank: int
    similar: bool
    isometric: bool


def basis(tokens: NDArray[Any], images: NDArray[Any]) -> Basis:
    """The invertible map that takes each of `tokens` (T, d) to the one of `images` (T, d) in the same row.

    Raises
    ------
    ModelError
        Where no invertible linear map does.
    """
    d = tokens.shape[1]
    left, right = rationals(tokens), rationals(images)
    pivots = _pivots(left.transpose())
    ours, theirs = (_chosen(each, pivots) for each in (left, right))
    completed = _stacked(theirs, _orthogonal(theirs))
    if completed.nrows() != d:  # the images of independent tokens depend on each other
        raise ModelError(NO_MAP)
    transposed = _stacked(ours, _orthogonal(ours)).solve(completed)
    if left * transposed != right:
        raise ModelError(NO_MAP)
    gram, other = ours * ours.transpose(), theirs * theirs.transpose()
    similar = not pivots or gram * other[0, 0] == other * gram[0, 0]
    return Basis(transposed.transpose(), transposed.inv().transpose(), len(pivots), similar, gram == other)


def in_basis(heads: Sequence[Head], found: Basis) -> tuple[Head, ...]:
    """The heads of a model, seen from the program's coordinates."""
    d = found.map.nrows()
    moved = []
    for head in heads:
        v, q = (rationals(side.dense(d)) for side in (head.V, head.Q))
        sides = found.inverse * v * found.map, found.map.transpose() * q * found.map
        moved.append(Head(head.name, *(Sparse.of(fractions(side)) for side in sides)))
    return tuple(moved)


def rationals(array: NDArray[Any]) -> fmpq_mat:
    """A matrix of integers, floats or Fractions, exactly."""
    rows, columns = array.shape
    values = map(Fraction, array.ravel().tolist())
    return fmpq_mat(rows, columns, [fmpq(value.numerator, value.denominator) for value in values])


def fractions(matrix: fmpq_mat) -> NDArray[Any]:
    """A matrix as an object array of integers and Fractions."""
    values = [Fraction(int(value.p), int(value.q)) for value in matrix.entries()]
    array = np.empty(len(values), dtype=object)
    array[:] = [value.numerator if value.denominator == 1 else value for value in values]
    return array.reshape(matrix.nrows(), matrix.ncols())


def _pivots(matrix: fmpq_mat) -> list[int]:
    """The first columns that are independent of those before them."""
    reduced, rank = matrix.rref()
    rows = reduced.table()
    return [next(n for n, value in enumerate(row) if value != 0) for row in rows[:rank]]


def _chosen(matrix: fmpq_mat, rows: Sequence[int]) -> fmpq_mat:
    table = matrix.table()
    return fmpq_mat(len(rows), matrix.ncols(), [value for row in rows for value in table[row]])


def _stacked(above: fmpq_mat, below: fmpq_mat) -> fmpq_mat:
    return fmpq_mat(above.nrows() + below.nrows(), above.ncols(), above.entries() + below.entries())


def _orthogonal(matrix: fmpq_mat) -> fmpq_mat:
    """Rows that span all vectors orthogonal to the rows of `matrix`."""
    d = matrix.ncols()
    reduced, _ = matrix.rref()
    pivots = _pivots(matrix)
    free = [n for n in range(d) if n not in pivots]
    rows = [[fmpq(int(n == place)) for n in range(d)] for place in free]
    for row, place in zip(rows, free, strict=True):
        for number, pivot in enumerate(pivots):
            row[pivot] = -reduced[number, place]
    return fmpq_mat(len(free), d, [value for row in rows for value in row])
