"""Vocabularies: the tokens of a model by name, kept sparse.

A machine on 13,000 cells has 160,000 tokens in 117,000 dimensions with at most four non-zero entries each, so tokens
are kept as lists of entries, and a vector is made when it is asked for.

>>> words = Vocabulary.of({"start": np.array([1, 0]), "a": np.array([0, 3])}, 2)
>>> words["a"].tolist(), list(words), words.entries(1)[0].tolist()
([0, 3], ['start', 'a'], [1])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.errors import ModelError
from compiler.rules import Weights, exact_array


class Vocabulary(Mapping[str, NDArray[Any]]):
    """Tokens by name: a mapping from names to vectors (d,).

    Attributes
    ----------
    names
        The names of the T tokens, in order.
    d
        The dimension.
    ends
        (T + 1,): the entries of token t are those from ends[t] to ends[t + 1].
    places, values
        The non-zero entries: coordinates (int32), ascending within a token, and numbers; see `rules.Weights`. An
        object array may hold integers, Fractions and floats side by side.
    """

    def __init__(
        self, names: Sequence[str], d: int, ends: NDArray[np.int64], places: NDArray[np.int32], values: Weights
    ) -> None:
        self.names = tuple(names)
        self.d = d
        self.ends = ends
        self.places = places
        self.values_of_entries = values

    @classmethod
    def of(cls, tokens: Mapping[str, NDArray[Any]], d: int) -> Vocabulary:
        """The vocabulary of dense vectors. Raises ModelError for one that has no shape (d,) or no finite numbers."""
        if isinstance(tokens, Vocabulary) and tokens.d == d:
            return tokens
        kept = []
        for name, vector in tokens.items():
            if vector.shape != (d,):
                raise ModelError(f"token {name!r} has shape {vector.shape}, expected ({d},)")
            if vector.dtype.kind == "f" and not bool(np.all(np.isfinite(vector))):
                raise ModelError(f"token {name!r} has an entry that is NaN or infinite")
            places = np.flatnonzero(vector)
            kept.append((places, _numbers(vector[places])))
        return cls.joined(list(tokens), d, kept)

    @classmethod
    def joined(cls, names: Sequence[str], d: int, entries: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> Vocabulary:
        """The vocabulary whose tokens have these entries (places ascending, values)."""
        ends = np.concatenate([[0], np.cumsum([len(places) for places, _ in entries])]).astype(np.int64)
        places = np.concatenate([np.zeros(0), *(places for places, _ in entries)]).astype(np.int32)
        return cls(names, d, ends, places, _concatenated([values for _, values in entries]))

    @classmethod
    def named(cls, tokens: Mapping[str, Mapping[str, int]], coordinates: Sequence[str]) -> Vocabulary:
        """The vocabulary of tokens given by the names of their coordinates."""
        place = {name: number for number, name in enumerate(coordinates)}
        sizes = np.array([len(entries) for entries in tokens.values()], dtype=np.int64)
        places = np.array([place[name] for entries in tokens.values() for name in entries], dtype=np.int32)
        values = np.array([value for entries in tokens.values() for value in entries.values()], dtype=np.int64)
        order = np.lexsort((places, np.repeat(np.arange(len(sizes)), sizes)))
        ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return cls(list(tokens), len(coordinates), ends, places[order], values[order])

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each token by name."""
        return {name: number for number, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.numbers

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.vector(self.numbers[name])

    def entries(self, number: int) -> tuple[NDArray[np.int32], Weights]:
        """The coordinates and the values of the non-zero entries of a token."""
        part = slice(int(self.ends[number]), int(self.ends[number + 1]))
        return self.places[part], _numbers(self.values_of_entries[part])

    def listed(self, number: int) -> dict[int, Any]:
        """The non-zero entries of a token as Python's numbers: coordinate -> value."""
        places, values = self.entries(number)
        return dict(zip(places.tolist(), values.tolist(), strict=True))

    def vector(self, number: int) -> NDArray[Any]:
        """The token as a vector (d,)."""
        places, values = self.entries(number)
        vector = np.zeros(self.d, dtype=values.dtype)
        vector[places] = values
        return vector

    def dense(self, numbers: Iterable[int] | None = None) -> NDArray[Any]:
        """The tokens as rows (T, d), or those with these numbers."""
        chosen = range(len(self)) if numbers is None else list(numbers)
        if not len(chosen):
            return np.zeros((0, self.d), dtype=np.int64)
        return np.stack([self.vector(number) for number in chosen])

    def differing(self, other: Vocabulary) -> list[str]:
        """The names that both have, of tokens with different entries; `other` has the same d."""
        same = np.array_equal(self.ends, other.ends) and np.array_equal(self.places, other.places)
        if same and self.names == other.names and np.array_equal(self.values_of_entries, other.values_of_entries):
            return []
        shared = ((name, n, other.numbers[name]) for n, name in enumerate(self.names) if name in other.numbers)
        return [name for name, n, m in shared if self.listed(n) != other.listed(m)]

    def at(self, places: NDArray[Any]) -> list[int]:
        """The numbers of the tokens whose non-zero entries are just at these ascending places."""
        found = np.flatnonzero(np.diff(self.ends) == len(places))
        for n, place in enumerate(places):
            found = found[self.places[self.ends[found] + n] == place]
        return [int(number) for number in found]

    @cached_property
    def owners(self) -> NDArray[np.int64]:
        """The number of the token that each entry belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.ends))

    @property
    def peak(self) -> float:
        """The largest absolute value of an entry; 0 for none."""
        return max((abs(float(value)) for value in np.unique(self.values_of_entries)), default=0.0)

    def chosen(self, numbers: Sequence[int]) -> Vocabulary:
        """The vocabulary of the tokens with these numbers, in this order."""
        if list(numbers) == list(range(len(self))):
            return self
        order = np.asarray(numbers, dtype=np.int64)
        sizes = np.diff(self.ends)[order]
        ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        gather = np.repeat(self.ends[order] - ends[:-1], sizes) + np.arange(ends[-1])
        names = [self.names[number] for number in numbers]
        return Vocabulary(names, self.d, ends, self.places[gather], self.values_of_entries[gather])

    def moved(self, places: NDArray[Any]) -> Vocabulary:
        """The same tokens with coordinate i at places[i]."""
        moved = places[self.places].astype(np.int64)
        order = np.lexsort((moved, self.owners))
        return Vocabulary(self.names, self.d, self.ends, moved[order].astype(np.int32), self.values_of_entries[order])

    def pairs(self) -> NDArray[np.int64]:
        """The pairs (b, c), b <= c, of coordinates that some token has both of, (L, 2), ascending."""
        found = [np.zeros(0, dtype=np.int64)]
        sizes = np.diff(self.ends)
        for size in np.unique(sizes[sizes > 0]).tolist():
            begins = self.ends[:-1][sizes == size]
            rows = self.places[begins[:, None] + np.arange(size)].astype(np.int64)
            low, high = np.triu_indices(size)
            for part in range(0, len(rows), max(1, 2**22 // len(low))):
                some = rows[part : part + max(1, 2**22 // len(low))]
                found.append(_distinct((some[:, low] * self.d + some[:, high]).ravel()))
        keys = _distinct(np.concatenate(found))
        return np.column_stack([keys // self.d, keys % self.d])


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The distinct keys, ascending. Sorting is several times faster here than the hashing of `np.unique`."""
    keys = np.sort(keys)
    return keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys


def _numbers(values: NDArray[Any]) -> Weights:
    """Values in the narrowest exact type: int64, float64, or Python's numbers as they are."""
    if values.dtype.kind in "bi":
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    listed = values.tolist()
    if len({isinstance(value, float) for value in listed}) == 2:
        return exact_array(Fraction(value) for value in listed)
    return exact_array(listed)


def _concatenated(parts: list[Weights]) -> Weights:
    """Arrays end to end without rounding: one kind stays as it is, several become Python's numbers."""
    kinds = {part.dtype.kind for part in parts if len(part)}
    if kinds <= {"i"}:
        return np.concatenate([np.zeros(0, dtype=np.int64), *(part.astype(np.int64) for part in parts)])
    if kinds == {"f"}:
        return np.concatenate([part.astype(np.float64) for part in parts])
    return np.concatenate([part.astype(object) for part in parts])
