"""Exact numbers and vectors as proofs store them: integers, fractions as text, entries that are not zero."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np


def stored_number(value: Any) -> int | str:
    """An exact number: an integer, or a fraction as text; a float is the rational that it is."""
    exact = Fraction(value.item() if isinstance(value, np.generic) else value)
    return int(exact) if exact.denominator == 1 else str(exact)


def stored_entries(vector: Mapping[int, Any]) -> list[list[Any]]:
    """The places and numbers of a vector's entries that are not zero, ascending."""
    return [[place, stored_number(value)] for place, value in sorted(vector.items()) if value]
