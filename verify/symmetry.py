"""How two models that are the same function are the same: the symmetry, found, checked and said.

Equal rules p leave these freedoms to the heads: their order, scales (V, Q) -> (cV, Q/c), any invertible mixing
V' = M V, Q' = M^-T Q of the heads, heads that add nothing, and the exchange of b and c (an antisymmetric part of
W[a; b, c; e] = sum_h V_h[a, b] Q_h[c, e], which no input sees).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.model import Model

Rationals = NDArray[Any]


def witness(left: Model, right: Model) -> tuple[str, ...]:
    """In words, a symmetry that takes the heads of `left` to those of `right`; the models are the same function."""
    if left.digest() == right.digest():
        return ("the weights are identical",)
    if (matched := _permutation(left.heads, right.heads)) is not None:
        return tuple(
            f"head {old} of the first is head {new} of the second"
            + (f", V times {c} and Q divided by it" if c != 1 else "")
            for old, (new, c) in enumerate(matched)
        )
    if apart := _exchanged(left, right):
        a, b, c, e = (left.coordinates[place] for place in apart[0])
        entry = f"W[{a}; {b}, {c}; {e}] and W[{a}; {c}, {b}; {e}]"
        return (f"exchanges of b and c, which no input sees, in {len(apart)} entries of W, such as {entry}",)
    mixing = _mixing(left, right)
    if mixing is not None:
        rows = ["  [" + ", ".join(str(value) for value in row) + "]" for row in mixing.tolist()]
        return ("the heads of the second are V' = M V and Q' = M^-T Q of the first, with M =", *rows)
    return (f"sum_h V_h (x) Q_h is the same tensor, as {len(left.heads)} heads and as {len(right.heads)} heads",)


Key = tuple[int, int]


def _entries(matrix: Sparse) -> dict[Key, Fraction]:
    """The non-zero entries of a matrix, exactly."""
    places = zip(matrix.rows.tolist(), matrix.columns.tolist(), matrix.weights.tolist(), strict=True)
    return {(row, column): Fraction(weight) for row, column, weight in places if weight != 0}


def _permutation(left: Sequence[Head], right: Sequence[Head]) -> list[tuple[int, Fraction]] | None:
    """For each head of `left` the head of `right` that it is, and the factor of V; None where one has no partner."""
    if len(left) != len(right):
        return None
    free: dict[Any, list[tuple[int, Fraction]]] = {}
    for number, head in enumerate(right):
        key, factor = _normalised(head)
        free.setdefault(key, []).append((number, factor))
    matched = []
    for head in left:
        key, factor = _normalised(head)
        if not free.get(key):
            return None
        number, other = free[key].pop(0)
        matched.append((number, other / factor))
    return matched


def _normalised(head: Head) -> tuple[Any, Fraction]:
    """The head with the first entry of V made 1 (the factor goes into Q), and that factor."""
    v, q = _entries(head.V), _entries(head.Q)
    factor = v[min(v)] if v else Fraction(1)
    return (
        tuple(sorted((place, value / factor) for place, value in v.items())),
        tuple(sorted((place, value * factor) for place, value in q.items())),
    ), factor


def _exchanged(left: Model, right: Model) -> list[tuple[int, int, int, int]]:
    """The places (a, b, c, e) with b < c at which the tensors W differ, before b and c are identified."""
    totals: dict[tuple[int, int, int, int], Fraction] = {}
    for model, sign in ((left, 1), (right, -1)):
        for head in model.heads:
            q = _entries(head.Q)
            for (a, b), v in _entries(head.V).items():
                for (c, e), weight in q.items():
                    totals[a, b, c, e] = totals.get((a, b, c, e), Fraction(0)) + sign * v * weight
    return sorted(place for place, value in totals.items() if value and place[1] < place[2])


def _mixing(left: Model, right: Model) -> Rationals | None:
    """The invertible M (H, H) with V' = M V and Q = M^T Q', if the heads of `left` have independent V; checked."""
    if len(left.heads) != len(right.heads):
        return None
    v, w = _rows(left, right, "V")
    try:
        solved = _matrix(v @ v.T).solve(_matrix((w @ v.T).T))
    except ZeroDivisionError:
        return None
    mixing = np.array([[Fraction(int(x.p), int(x.q)) for x in row] for row in solved.table()], dtype=object).T
    q, r = _rows(left, right, "Q")
    holds = np.array_equal(mixing @ v, w) and np.array_equal(mixing.T @ r, q) and _matrix(mixing).det() != 0
    return mixing if holds else None


def _rows(left: Model, right: Model, side: str) -> tuple[Rationals, Rationals]:
    """V or Q of every head of two models as rows of rationals, over the places where any of them is not zero."""
    entries = [[_entries(head.V if side == "V" else head.Q) for head in model.heads] for model in (left, right)]
    places = sorted({place for heads in entries for head in heads for place in head})
    first, second = (
        np.array([[head.get(place, Fraction(0)) for place in places] for head in heads], dtype=object)
        for heads in entries
    )
    return first, second


def _matrix(values: Rationals) -> fmpq_mat:
    m, n = values.shape
    return fmpq_mat(m, n, [fmpq(x.numerator, x.denominator) for x in values.ravel().tolist()])
