"""Features that tell nothing on some data: those that are zero on all samples, and duplicates of others.

Nearly all features of one-hot tokens are zero, most for one of two reasons that are said once: a coordinate that no
last token has, and a pair of coordinates that no token has both of.

>>> data = DataSet.of_arrays([[[1, 2, 0]], [[1, 3, 0]]], [[0, 0, 0]] * 2)
>>> found = redundant(data, ("one", "size", "never"))
>>> found.zero, found.unset, found.apart
(12, ('never',), (('one', 'never'), ('size', 'never'), ('never', 'never')))
>>> [[f"{factor} {name}" for name, factor in each] for each in found.duplicates[:1]]
[["1 ('one', 'one', 'size')", "1 ('size', 'one', 'one')"]]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from compiler.errors import DataError
from compiler.exact import scaled
from compiler.learning.proportional import Columns, proportional
from compiler.learning.real.samples import live_pairs
from compiler.traces.data_set import DataSet

Feature: TypeAlias = tuple[str, str, str]
"""The names of (e, b, c): z[e] S[b, c] with z the last token."""

MOST_COORDINATES = 2_000
MOST_FEATURES = 4_000_000
"""The most features that are looked at one by one."""


@dataclass(frozen=True, slots=True)
class Redundant:
    """The features z[e] S[b, c], b <= c, that are zero on all samples, or multiples of others: exactly, all of them.

    Attributes
    ----------
    features
        psi = d^2 (d + 1) / 2.
    zero
        How many of them are zero on all samples, for whatever reason.
    unset
        The coordinates that no last token of a sample has: every feature with such an e is zero.
    apart
        The pairs {b, c} that no token has both of: every feature with such a pair is zero.
    silent
        The other features that are zero.
    duplicates
        The classes of two or more features that are multiples of each other and not zero: each with what times the
        first of its class it is.
    """

    features: int
    zero: int
    unset: tuple[str, ...]
    apart: tuple[tuple[str, str], ...]
    silent: tuple[Feature, ...]
    duplicates: tuple[tuple[tuple[Feature, Fraction], ...], ...]

    @property
    def repeated(self) -> int:
        """How many features are multiples of one that comes before them."""
        return sum(len(each) - 1 for each in self.duplicates)


def redundant(data: DataSet, coordinates: Sequence[str]) -> Redundant:
    """What `data` show of each feature, by the names (d,) of its coordinates.

    Floats are the rationals that they are: what is equal only up to rounding is not equal. The data are read block by
    block, several times over.

    Raises
    ------
    DataError
        For too many coordinates or features.
    """
    if data.d > MOST_COORDINATES:
        raise DataError(f"{data.d:,} coordinates are too many to name features; at most {MOST_COORDINATES:,} are named")
    tokens = scaled(data.tokens).numerators
    met = (tokens[data.supervised] != 0).any(axis=0)
    pairs = live_pairs(tokens)
    last = np.flatnonzero(met)
    if len(last) * len(pairs) > MOST_FEATURES:
        raise DataError(
            f"{len(last) * len(pairs):,} features, of {len(last):,} coordinates and {len(pairs):,} pairs that occur, "
            f"are too many to look at one by one; at most {MOST_FEATURES:,} are"
        )
    first = np.zeros(len(tokens), dtype=np.bool_)
    first[data.offsets[:-1]] = True
    zero, classes = proportional(Columns(tokens, first, data.supervised, last, pairs))
    names = list(coordinates)
    together = np.zeros((data.d, data.d), dtype=np.bool_)
    together[tuple(pairs.T)] = True

    def feature(number: int) -> Feature:
        b, c = pairs[number % len(pairs)].tolist()
        return names[last[number // len(pairs)]], names[b], names[c]

    features = data.d**2 * (data.d + 1) // 2
    return Redundant(
        features=features,
        zero=features - int(np.count_nonzero(~zero)),
        unset=tuple(names[e] for e in np.flatnonzero(~met).tolist()),
        apart=tuple((names[b], names[c]) for b, c in np.argwhere(np.triu(~together)).tolist()),
        silent=tuple(map(feature, np.flatnonzero(zero).tolist())),
        duplicates=tuple(
            tuple((feature(n), factor) for n, factor in zip(members.tolist(), factors, strict=True))
            for members, factors in classes
        ),
    )
