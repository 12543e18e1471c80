"""What data show to each letter: last tokens that have one coordinate each, as those of automata have.

With a letter last, a sample is a vector of token counts, and from one sample to the next of the same sequence few of
them change. So samples are kept as changes, sparse; S follows by sums along each sequence. Sums of rows do not change
what they span, so the changes have the samples' rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from compiler.exact import largest
from compiler.learning.elimination import Integers
from compiler.traces.data_set import DataSet


class Types(NamedTuple):
    """The distinct tokens (T, d) of data, the number of that of each position (total,), and where there are samples."""

    vectors: Integers
    places: NDArray[np.int64]
    supervised: NDArray[np.bool_]
    offsets: NDArray[np.int64]


class Letter(NamedTuple):
    """The samples with one letter last.

    Attributes
    ----------
    coordinate
        Its coordinate e.
    samples
        (m,): their positions in the data.
    first
        (m,): which are the first of their sequence.
    changes
        (m, T): how often each type stood since the sample before, or since the sequence began, the last token included.
    """

    coordinate: int
    samples: NDArray[np.int64]
    first: NDArray[np.bool_]
    changes: csr_array

    def summed(self, changes: Integers) -> Integers:
        """Sums (m, n) along each sequence of what changed at each sample (m, n)."""
        sums = np.cumsum(changes, axis=0)
        begins = np.flatnonzero(self.first)
        before = np.concatenate([np.zeros_like(sums[:1]), sums[begins[1:] - 1]])
        return np.asarray(sums - np.repeat(before, np.diff([*begins, len(sums)]), axis=0))


def types_of(data: DataSet) -> Types:
    """The tokens of integer data by their types."""
    vectors, places = data.types()
    return Types(vectors.astype(np.int64), places, data.supervised, data.offsets)


def squares_of(vectors: Integers) -> tuple[NDArray[np.int64], csr_array]:
    """The pairs (P, 2) of coordinates that some of `vectors` (T, d) has both of, and the products there, (T, P)."""
    d = vectors.shape[1]
    entries = [np.zeros((0, 3), dtype=np.int64)]
    for number, vector in enumerate(vectors):
        places = np.flatnonzero(vector)
        low, high = np.triu_indices(len(places))
        b, c = places[low], places[high]
        entries.append(np.column_stack([np.full(len(b), number), b * d + c, vector[b] * vector[c]]))
    rows, codes, values = np.concatenate(entries).T
    used, columns = np.unique(codes, return_inverse=True)
    squares = csr_array((values, (rows, columns)), shape=(len(vectors), len(used)))
    return np.column_stack([used // d, used % d]), squares


def letters_of(types: Types) -> Iterator[Letter] | None:
    """What is shown to each letter; None where some last token has not one coordinate, or for huge numbers."""
    asked = np.unique(types.places[types.supervised])
    has = types.vectors[asked] != 0
    if np.any(has.sum(axis=1) != 1) or largest(types.vectors) ** 3 * len(types.places) >= 2**62:
        return None
    coordinates = has.argmax(axis=1)
    return (_letter(types, e, asked[coordinates == e]) for e in np.unique(coordinates).tolist())


def _letter(types: Types, coordinate: int, tokens: NDArray[np.int64]) -> Letter:
    sequence = np.repeat(np.arange(len(types.offsets) - 1), np.diff(types.offsets))
    asked = types.supervised & np.isin(types.places, tokens)
    samples = np.flatnonzero(asked)
    row: NDArray[np.int64] = np.cumsum(asked) - asked
    shown = np.flatnonzero(row < len(samples))
    shown = shown[sequence[samples[row[shown]]] == sequence[shown]]
    shape = len(samples), len(types.vectors)
    ones = np.ones(len(shown), dtype=np.int64)
    changes = csr_array((ones, (row[shown], types.places[shown])), shape=shape)
    first = np.diff(sequence[samples], prepend=-1) != 0
    return Letter(coordinate, samples, first, changes)
