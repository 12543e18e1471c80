"""The border between weights and exact arithmetic: any array of numbers as integers over one common denominator.

A float is the rational that it is, m * 2^e, so crossing loses nothing. Integer products use float64 BLAS where the
largest possible sum stays below 2^53 (every partial sum is then an integer that float64 holds), int64 below 2^63, and
Python's integers beyond; no result is ever rounded or wrapped.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.errors import ModelError


class Scaled(NamedTuple):
    """The rational array `numerators` / `denominator`, integers of dtype int64 or object."""

    numerators: NDArray[Any]
    denominator: int


def scaled(array: NDArray[Any]) -> Scaled:
    """`array`, of integers, floats or Fractions, over one denominator. Raises ModelError for NaN and infinities."""
    if array.dtype.kind in "iub":
        return Scaled(array.astype(np.int64) if array.dtype.kind != "u" else _compact(array.astype(object)), 1)
    if array.dtype.kind == "f":
        if not bool(np.all(np.isfinite(array))):
            raise ModelError("a weight is NaN or infinite")
        if bool(np.all(np.abs(array) < 2.0**53)) and bool(np.all(array == np.rint(array))):
            return Scaled(array.astype(np.int64), 1)
    values = [Fraction(value) for value in array.ravel().tolist()]
    denominator = lcm(*{value.denominator for value in values})
    numerators = np.empty(len(values), dtype=object)
    numerators[:] = [value.numerator * (denominator // value.denominator) for value in values]
    return Scaled(_compact(numerators.reshape(array.shape)), denominator)


def largest(array: NDArray[Any]) -> int:
    """The largest absolute value of an integer array; 0 for an empty one."""
    return max(abs(int(array.max())), abs(int(array.min()))) if array.size else 0


def product(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """The matrix product of integer arrays, exactly."""
    bound = largest(left) * largest(right) * max(1, left.shape[-1])
    if bound < 2**53:
        return np.rint(left.astype(np.float64) @ right.astype(np.float64)).astype(np.int64)
    if bound < 2**63 and left.dtype == right.dtype == np.int64:
        return np.asarray(left @ right)
    return np.asarray(left.astype(object) @ right.astype(object))


def plus(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """The elementwise sum of integer arrays, exactly."""
    if largest(left) + largest(right) < 2**63 and left.dtype == right.dtype == np.int64:
        return np.asarray(left + right)
    return np.asarray(left.astype(object) + right.astype(object))


def times(left: NDArray[Any], right: NDArray[Any] | int) -> NDArray[Any]:
    """The elementwise product of exact arrays (integers; Fractions in object arrays), exactly."""
    if isinstance(right, int):
        if right == 1:
            return left
        right = np.asarray(right, dtype=np.int64 if abs(right) < 2**62 else object)
    if left.dtype == right.dtype == np.int64 and largest(left) * largest(right) < 2**63:
        return np.asarray(left * right)
    return np.asarray(left.astype(object) * right.astype(object))


def _compact(numerators: NDArray[Any]) -> NDArray[Any]:
    return numerators.astype(np.int64) if largest(numerators) < 2**62 else numerators
