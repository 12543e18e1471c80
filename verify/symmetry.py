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

from compiler.attention import Head
from compiler.model import Model

Rationals = NDArray[Any]


def witness(left: Model, right: Model) -> tuple[str, ...]:
    """In words, a symmetry that takes the heads of `left` to those of `right`; the models are the same function."""
    if left.digest() == right.digest():
        return ("the weights are identical",)
    if (matched := _permutation(left.heads, right.heads, left.d)) is not None:
        return tuple(
            f"head {old} of the first is head {new} of the second"
            + (f", V times {c} and Q divided by it" if c != 1 else "")
            for old, (new, c) in enumerate(matched)
        )
    exchanged = _exchanged(left, right)
    if exchanged:
        return (f"the heads differ by exchanges of b and c, in {exchanged} entries of W that no input sees",)
    mixing = _mixing(left, right)
    if mixing is not None:
        rows = ["  [" + ", ".join(str(value) for value in row) + "]" for row in mixing.tolist()]
        return ("the heads of the second are V' = M V and Q' = M^-T Q of the first, with M =", *rows)
    return (f"sum_h V_h (x) Q_h is the same tensor, as {len(left.heads)} heads and as {len(right.heads)} heads",)


def _flat(heads: Sequence[Head], d: int, side: str) -> Rationals:
    """V or Q of every head as a row of rationals, (H, d d)."""
    matrices = [(head.V if side == "V" else head.Q).dense(d).ravel() for head in heads]
    rows = [[Fraction(value) for value in matrix.tolist()] for matrix in matrices]
    return np.array(rows, dtype=object).reshape(len(heads), d * d)


def _permutation(left: Sequence[Head], right: Sequence[Head], d: int) -> list[tuple[int, Fraction]] | None:
    """For each head of `left` the head of `right` that it is, and the factor of V; None where one has no partner."""
    if len(left) != len(right):
        return None
    sides = [_normalised(heads, d) for heads in (left, right)]
    free: dict[Any, list[tuple[int, Fraction]]] = {}
    for number, (key, factor) in enumerate(sides[1]):
        free.setdefault(key, []).append((number, factor))
    matched = []
    for key, factor in sides[0]:
        if not free.get(key):
            return None
        number, other = free[key].pop(0)
        matched.append((number, other / factor))
    return matched


def _normalised(heads: Sequence[Head], d: int) -> list[tuple[Any, Fraction]]:
    """Each head with the first entry of V made 1 (the factor goes into Q), and that factor."""
    found = []
    for v, q in zip(_flat(heads, d, "V"), _flat(heads, d, "Q"), strict=True):
        first = next((value for value in v if value), Fraction(1))
        found.append(((tuple(v / first), tuple(q * first)), first))
    return found


def _exchanged(left: Model, right: Model) -> int:
    """In how many entries the tensors W differ, before b and c are identified."""
    totals: dict[tuple[int, int, int, int], Fraction] = {}
    for model, sign in ((left, 1), (right, -1)):
        for head in model.heads:
            for a, b, v in zip(head.V.rows.tolist(), head.V.columns.tolist(), head.V.weights.tolist(), strict=True):
                for c, e, q in zip(head.Q.rows.tolist(), head.Q.columns.tolist(), head.Q.weights.tolist(), strict=True):
                    totals[a, b, c, e] = totals.get((a, b, c, e), Fraction(0)) + sign * Fraction(v) * Fraction(q)
    return sum(value != 0 for value in totals.values())


def _mixing(left: Model, right: Model) -> Rationals | None:
    """M (H, H) with V' = M V and Q = M^T Q', if the heads of `left` have independent V; checked."""
    if len(left.heads) != len(right.heads):
        return None
    v, w = _flat(left.heads, left.d, "V"), _flat(right.heads, right.d, "V")
    used = np.flatnonzero((v != 0).any(axis=0) | (w != 0).any(axis=0))
    gram, cross = v[:, used] @ v[:, used].T, w[:, used] @ v[:, used].T
    try:
        solved = _matrix(gram).solve(_matrix(cross.T))
    except ZeroDivisionError:
        return None
    mixing = np.array([[Fraction(int(x.p), int(x.q)) for x in row] for row in solved.table()], dtype=object).T
    q, r = _flat(left.heads, left.d, "Q"), _flat(right.heads, right.d, "Q")
    holds = np.array_equal(mixing @ v, w) and np.array_equal(mixing.T @ r, q)
    return mixing if holds else None


def _matrix(values: Rationals) -> fmpq_mat:
    m, n = values.shape
    return fmpq_mat(m, n, [fmpq(x.numerator, x.denominator) for x in values.ravel().tolist()])
