"""Heads to rules: p[a; {b, c}; e] = sum_h V_h[a, b] Q_h[c, e] + V_h[a, c] Q_h[b, e] for b < c, once for b = c.

The rules of any set of heads; what is not determined by the function (head order, scales, mixings, the exchange of
b and c) is summed away. One last coordinate e at a time, so that dense heads stay within memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.exact import Scaled, largest, scaled, times
from compiler.rules import Form, Weights


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


def exact_rules(heads: Sequence[Head], coordinates: tuple[str, ...]) -> tuple[Form, int]:
    """The rules of `heads` as integers over one denominator; floats enter as the rationals that they are."""
    whole, denominator = exact_heads(heads)
    return heads_to_rules(whole, coordinates), denominator


def exact_heads(heads: Sequence[Head]) -> tuple[list[Head], int]:
    """`heads` with integer weights, and the denominator by which every product V Q is to be divided."""
    if not heads:
        return [], 1
    left = scaled(_joined([head.V.weights for head in heads]))
    right = scaled(_joined([head.Q.weights for head in heads]))
    v_at = np.cumsum([0, *(len(head.V.weights) for head in heads)])
    q_at = np.cumsum([0, *(len(head.Q.weights) for head in heads)])
    whole = [
        Head(head.name, _with(head.V, left, v_at[n], v_at[n + 1]), _with(head.Q, right, q_at[n], q_at[n + 1]))
        for n, head in enumerate(heads)
    ]
    return whole, left.denominator * right.denominator


def _with(matrix: Sparse, values: Scaled, start: int, end: int) -> Sparse:
    return Sparse(matrix.rows, matrix.columns, values.numerators[start:end])


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
    return index, v * q if "f" in (v.dtype.kind, q.dtype.kind) else _times(v, q)


def _times(v: NDArray[Any], q: NDArray[Any]) -> NDArray[Any]:
    if v.dtype == q.dtype == np.int64 and largest(v) * largest(q) < 2**62:
        return np.asarray(v * q)
    return times(v, q) if v.dtype == q.dtype == np.int64 else np.asarray(v.astype(object) * q.astype(object))


def _joined(arrays: list[Weights]) -> Weights:
    """Arrays end to end; where some are exact and some are float, all become float."""
    kinds = {array.dtype.kind for array in arrays}
    if kinds == {"i", "O"}:
        arrays = [array.astype(object) for array in arrays]
    elif "f" in kinds:
        arrays = [array.astype(np.float64) for array in arrays]
    return np.concatenate(arrays)
