"""Heads to rules: p[a; {b, c}; e] = sum_h V_h[a, b] Q_h[c, e] + V_h[a, c] Q_h[b, e] for b < c, once for b = c.

The rules of any set of heads; what is not determined by the function (head order, scales, mixings, the exchange of
b and c) is summed away. One last coordinate e at a time, so that dense heads stay within memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.exact import scaled, times
from compiler.rules import Form, Weights

MOST_RULES = 50_000_000
"""The most products of weights that are listed as rules."""


def heads_to_rules(heads: Sequence[Head], coordinates: tuple[str, ...]) -> Form:
    """The rules of `heads`, computed in the arithmetic of their weights (exactly unless they are floats)."""
    d = len(coordinates)
    forms = []
    for e in range(d):
        parts = [part for head in heads if (part := _entries(head, e)) is not None]
        if parts:
            index = np.concatenate([places for places, _ in parts])
            forms.append(Form.canonical(coordinates, index, _joined([weights for _, weights in parts])))
    if not forms:
        return Form(coordinates, np.zeros((0, 4), dtype=np.int32), np.zeros(0, dtype=np.int64))
    index = np.concatenate([form.index for form in forms])
    return Form(coordinates, index, _joined([form.weights for form in forms]))


def products(heads: Sequence[Head]) -> int:
    """The number of products of a weight of V and a weight of Q: what listing the rules costs."""
    return sum(len(head.V.weights) * len(head.Q.weights) for head in heads)


def live_rules(heads: Sequence[Head], coordinates: tuple[str, ...], pairs: NDArray[np.int64]) -> Form:
    """The rules of `heads` that read one of `pairs` (L, 2), b <= c, in the arithmetic of their weights.

    The same function as the heads on all tokens that have no other pair of coordinates; for the tokens of a machine
    there are few, where all pairs of weights would be billions.
    """
    d = len(coordinates)
    turned = pairs[pairs[:, 0] != pairs[:, 1]][:, ::-1]
    both = np.concatenate([pairs, turned])
    both = both[np.argsort(both[:, 0], kind="stable")]
    found = [_live_entries(head, both, d) for head in heads]
    kept = [each for each in found if len(each[1])]
    if not kept:
        return Form(coordinates, np.zeros((0, 4), dtype=np.int32), np.zeros(0, dtype=np.int64))
    return Form.canonical(coordinates, np.concatenate([index for index, _ in kept]), _joined([w for _, w in kept]))


def _live_entries(head: Head, pairs: NDArray[np.int64], d: int) -> tuple[NDArray[np.int64], Weights]:
    """Every (e, b, c, a) of one head whose (b, c) is among `pairs` (sorted by b), with its weight."""
    asked = np.zeros(d, dtype=np.bool_)
    asked[head.Q.rows] = True
    pairs = pairs[asked[pairs[:, 1]]]
    v, some = matches(head.V.columns, pairs[:, 0])
    order = np.argsort(head.Q.rows, kind="stable")
    first, q = matches(pairs[some, 1], head.Q.rows[order])
    v, some, q = v[first], some[first], order[q]
    index = np.column_stack([head.Q.columns[q], pairs[some], head.V.rows[v]]).astype(np.int64)
    left, right = head.V.weights[v], head.Q.weights[q]
    return index, left * right if "f" in (left.dtype.kind, right.dtype.kind) else times(left, right)


def matches(left: NDArray[Any], right: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All (i, j) with left[i] = right[j]; `right` ascends."""
    begins, ends = np.searchsorted(right, left, side="left"), np.searchsorted(right, left, side="right")
    sizes = ends - begins
    i = np.repeat(np.arange(len(left)), sizes)
    j = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes) + np.repeat(begins, sizes)
    return i, j


def exact_rules(heads: Sequence[Head], coordinates: tuple[str, ...]) -> tuple[Form, int]:
    """The rules of `heads` as integers over one denominator; floats enter as the rationals that they are."""
    whole, denominator = exact_heads(heads)
    return heads_to_rules(whole, coordinates), denominator


def exact_heads(heads: Sequence[Head]) -> tuple[list[Head], int]:
    """`heads` with integer weights, and the denominator by which every product V Q is to be divided.

    Each head crosses by itself, so that a float in one does not round an integer in another.
    """
    v, v_below = _common([head.V for head in heads])
    q, q_below = _common([head.Q for head in heads])
    return [Head(head.name, *sides) for head, *sides in zip(heads, v, q, strict=True)], v_below * q_below


def _common(matrices: Sequence[Sparse]) -> tuple[list[Sparse], int]:
    """Matrices as integers over their least common denominator."""
    parts = [scaled(matrix.weights) for matrix in matrices]
    below = lcm(*(part.denominator for part in parts))
    whole = [times(part.numerators, below // part.denominator) for part in parts]
    return [Sparse(m.rows, m.columns, weights) for m, weights in zip(matrices, whole, strict=True)], below


def _entries(head: Head, e: int) -> tuple[NDArray[np.int64], Weights] | None:
    """Every (e, b, c, a) that one head has for the last coordinate e, with its weight."""
    chosen = np.flatnonzero(head.Q.columns == e)
    if not len(chosen) or not len(head.V.weights):
        return None
    n, m = len(head.V.weights), len(chosen)
    a, b = np.repeat(head.V.rows, m), np.repeat(head.V.columns, m)
    c = np.tile(head.Q.rows[chosen], n)
    index = np.stack([np.full(n * m, e), b, c, a], axis=1).astype(np.int64)
    v, q = np.repeat(head.V.weights, m), np.tile(head.Q.weights[chosen], n)
    return index, v * q if "f" in (v.dtype.kind, q.dtype.kind) else times(v, q)


def _joined(arrays: list[Weights]) -> Weights:
    """Arrays end to end; where some are exact and some are float, all become float."""
    kinds = {array.dtype.kind for array in arrays}
    if kinds == {"i", "O"}:
        arrays = [array.astype(object) for array in arrays]
    elif "f" in kinds:
        arrays = [array.astype(np.float64) for array in arrays]
    return np.concatenate(arrays)
