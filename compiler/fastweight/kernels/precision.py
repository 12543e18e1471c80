"""Binary floating point of a given precision, one rounded operation at a time, inside numba.

numba has no float16 and no bfloat16. Their sums and products, and those of float32, are computed in float64 and
rounded once more: with p significant bits and 53 >= 2 p + 2 that is the correctly rounded result (Figueroa 1995, "When
is double rounding innocuous?"). Below the least normal number results are multiples of the least subnormal one; above
the greatest they are infinite.
"""

from __future__ import annotations

from math import frexp
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Precision: TypeAlias = Literal["float64", "float32", "float16", "bfloat16"]


class Binary(NamedTuple):
    """Significant bits, the exponent of the least normal number, and the greatest number."""

    bits: int
    least: int
    greatest: float


BINARY: dict[Precision, Binary] = {
    "float64": Binary(53, -1022, 1.7976931348623157e308),
    "float32": Binary(24, -126, (2 - 2.0**-23) * 2.0**127),
    "float16": Binary(11, -14, 65504.0),
    "bfloat16": Binary(8, -126, (2 - 2.0**-7) * 2.0**127),
}


@njit(nogil=True, cache=True)
def rounded(x: Any, bits: Any, least: Any, greatest: Any) -> Any:
    """`x` to the nearest number of this precision, ties to even."""
    if bits == 24:  # float32, for which there is an instruction
        return np.float64(np.float32(x))
    if bits == 53 or x == 0.0 or not np.isfinite(x):
        return x
    _, exponent = frexp(x)
    unit = 2.0 ** (max(exponent - 1, least) - (bits - 1))
    near = np.rint(x / unit) * unit
    if abs(near) > greatest:
        return np.inf if near > 0 else -np.inf
    return near


def all_rounded(values: NDArray[Any], precision: Precision) -> NDArray[np.float64]:
    """Every one of `values`, rounded."""
    flat = np.array(values, dtype=np.float64).ravel()
    _round_all(flat, *BINARY[precision])
    return flat.reshape(values.shape)


@njit(nogil=True, cache=True)
def _round_all(flat: Any, bits: Any, least: Any, greatest: Any) -> None:
    for n in range(len(flat)):
        flat[n] = rounded(flat[n], bits, least, greatest)
