"""The weights of heads as tensors and back: dense or as lists of entries, integers, floats or exact rationals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.errors import ModelError
from compiler.rules import Weights, exact_array

Tensors = dict[str, NDArray[Any]]
SIDES = ("V", "Q")


def heads_to_tensors(heads: Sequence[Head], d: int, *, dense: bool) -> Tensors:
    """V and Q as (heads, d, d) arrays, or as weights (n,) with ``.index`` (n, 3): head, row, column, ascending.

    Rationals are float64, with int64 ``.numerator`` and ``.denominator`` beside them. Raises ModelError.
    """
    tensors: Tensors = {}
    for side in SIDES:
        index, weights = _entries([head.V if side == "V" else head.Q for head in heads], side)
        parts = _parts(side, weights)
        if dense:
            for name, values in parts.items():
                filled = np.full((len(heads), d, d), name.endswith(".denominator"), dtype=values.dtype)
                filled[tuple(index.T)] = values
                tensors[name] = filled
        else:
            tensors |= {f"{side}.index": index.astype("<i4")} | parts
    return tensors


def _entries(matrices: Sequence[Sparse], side: str) -> tuple[NDArray[np.int64], Weights]:
    """The non-zero entries of matrices: (head, row, column) in ascending order, and weights of one kind."""
    places = [np.column_stack([np.full(len(m.rows), n), m.rows, m.columns]) for n, m in enumerate(matrices)]
    index = np.concatenate([np.zeros((0, 3), dtype=np.int64), *places]).astype(np.int64)
    weights = _of_one_kind([matrix.weights for matrix in matrices])
    order = np.lexsort(index.T[::-1])
    index, weights = index[order], weights[order]
    if not _ascending(index):
        raise ModelError(f"an entry of {side} stands twice, so its weight is not clear")
    kept = np.flatnonzero(weights != 0)
    return index[kept], weights[kept]


def _ascending(index: NDArray[np.int64]) -> bool:
    """Whether rows (n, 3) ascend strictly, in the order of dictionaries."""
    first, second, third = (np.diff(index, axis=0) > 0).T
    same = np.diff(index, axis=0) == 0
    return bool(np.all(first | (same[:, 0] & (second | (same[:, 1] & third)))))


def _of_one_kind(parts: Sequence[Weights]) -> Weights:
    """All weights as one array, exactly: int64, or float64, or rationals where neither holds them all."""
    if not parts:
        return np.zeros(0, dtype=np.int64)
    for kind in (np.int64, np.float64):
        if all(part.dtype == kind for part in parts):
            return np.concatenate(parts)
    values = [value for part in parts for value in part.tolist()]
    if any(isinstance(value, float) for value in values) and all(Fraction(float(v)) == v for v in values):
        return np.array(values, dtype=np.float64)
    return exact_array(Fraction(value) for value in values)


def _parts(name: str, weights: Weights) -> Tensors:
    if weights.dtype.kind != "O":
        return {name: narrow(weights) if weights.dtype.kind == "i" else weights.astype("<f8")}
    values = [Fraction(value) for value in weights.tolist()]
    if any(abs(value.numerator) >= 2**63 or value.denominator >= 2**63 for value in values):
        raise ModelError("a weight is a rational whose numerator or denominator does not fit into 64 bits")
    return {
        name: np.array([float(value) for value in values], dtype="<f8"),
        f"{name}.numerator": np.array([value.numerator for value in values], dtype="<i8"),
        f"{name}.denominator": np.array([value.denominator for value in values], dtype="<i8"),
    }


def narrow(array: NDArray[Any]) -> NDArray[Any]:
    """Integers in the narrowest signed type that holds them, low byte first."""
    if not array.size:
        return array.astype("<i8")
    low, high = int(array.min()), int(array.max())
    return array.astype(np.min_scalar_type(min(low, -high - 1, -1)).newbyteorder("<"))


def tensors_to_heads(tensors: Tensors, names: Sequence[str], d: int) -> tuple[Head, ...]:
    """The heads called `names`. Raises ModelError for tensors that `heads_to_tensors` does not make."""
    endings = ("", ".index", ".numerator", ".denominator")
    if unknown := sorted(tensors.keys() - {side + ending for side in SIDES for ending in endings}):
        raise ModelError(f"it has a tensor {unknown[0]!r}, expected V and Q")
    v, q = (_side(tensors, side, len(names), d) for side in SIDES)
    return tuple(Head(*each) for each in zip(names, v, q, strict=True))


def _side(tensors: Tensors, side: str, heads: int, d: int) -> list[Sparse]:
    if side not in tensors:
        raise ModelError(f"it has no tensor {side!r}")
    values, rational = tensors[side], f"{side}.numerator" in tensors
    index = tensors.get(f"{side}.index")
    shape = (heads, d, d) if index is None else (len(index),)
    if values.shape != shape or not (values.dtype.kind == "i" or values.dtype == np.float64):
        raise ModelError(f"{side} is {values.dtype} {values.shape}, expected signed integers or float64 {shape}")
    if rational or f"{side}.denominator" in tensors:
        _check_rationals(tensors, side)
    if index is None:
        index = np.argwhere(tensors[f"{side}.numerator"] if rational else values)
        at: tuple[NDArray[Any], ...] = tuple(index.T)
    else:
        _check_index(index, side, values, heads, d)
        at = (np.arange(len(index)),)
    chosen = [tensors[f"{side}{ending}"][at] for ending in ((".numerator", ".denominator") if rational else ("",))]
    ends = np.searchsorted(index[:, 0], np.arange(heads + 1)).tolist()
    return [
        Sparse(
            index[start:end, 1].astype(np.int32),
            index[start:end, 2].astype(np.int32),
            _weights([part[start:end] for part in chosen]),
        )
        for start, end in pairwise(ends)
    ]


def _weights(parts: list[NDArray[Any]]) -> Weights:
    """Weights from themselves, or from numerators and denominators."""
    if len(parts) == 1:
        return parts[0].astype(np.int64) if parts[0].dtype.kind == "i" else parts[0]
    return exact_array(Fraction(n, m) for n, m in zip(parts[0].tolist(), parts[1].tolist(), strict=True))


def _check_index(index: NDArray[Any], side: str, values: NDArray[Any], heads: int, d: int) -> None:
    if index.dtype != np.int32 or index.shape != (len(values), 3):
        raise ModelError(f"{side}.index is {index.dtype} {index.shape}, expected int32 ({len(values)}, 3)")
    if len(index) and (index.min() < 0 or index[:, 0].max() >= heads or index[:, 1:].max() >= d):
        raise ModelError(f"{side}.index has an entry outside {heads} heads and {d} coordinates")
    if not _ascending(index.astype(np.int64)) or not values.all():
        raise ModelError(f"{side}.index must ascend strictly, and {side} hold no zero")


def _check_rationals(tensors: Tensors, side: str) -> None:
    names = [f"{side}.numerator", f"{side}.denominator"]
    parts = [tensors.get(name, np.zeros(0)) for name in names]
    values = tensors[side]
    for name, part in zip(names, parts, strict=True):
        if part.dtype != np.int64 or part.shape != values.shape:
            raise ModelError(f"{name} is {part.dtype} {part.shape}, expected int64 {values.shape}")
    above, below = (part.ravel() for part in parts)
    if (below < 1).any() or (above == np.iinfo(np.int64).min).any() or (np.gcd(above, below) != 1).any():
        raise ModelError(f"{side} has a rational that is not in lowest terms with a positive denominator")
    whole = np.flatnonzero(above)
    nearest = [n / m for n, m in zip(above[whole].tolist(), below[whole].tolist(), strict=True)]
    expected = np.zeros(len(above))
    expected[whole] = nearest
    if values.dtype != np.float64 or (values.ravel() != expected).any():
        raise ModelError(f"{side} does not hold the floats nearest to its rationals")
