"""Integer data whose tokens are of few types, as sums over samples: moments of token counts.

With T types t_j and counts c_j, S = sum_j c_j t_j t_j^T, so a sample is its counts, its last token and its target.
For each last token l the moments are those of (1, c) and y at the samples with l last,

    gram_l = sum (1, c) (1, c)^T,     cross_l = sum (1, c) y^T,     energy_l = sum y^2.

All features of a sample are S (x) l, linear in c, so these give every second moment of features, and whether rules
fit every sample exactly: sum |y - P^T c|^2 = energy - 2 <P, cross> + <P gram, P>, over the integers. For the order in
which unknowns are tried the largest |S[b, c]| (a maximum) and how often it is not zero (a sum) are kept beside them.
Integers: any partition of the data and any order of its parts give the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.exact import largest, plus, product, times
from compiler.learning.elimination import Integers
from compiler.learning.reading import MOST_TYPES, reading_coordinates
from compiler.traces.data_set import DataSet

ROWS = 2**14
"""The most positions whose counts are held at once."""


@dataclass(frozen=True, slots=True, eq=False)
class CountMoments:
    """Sums over samples, by last token.

    Attributes
    ----------
    types
        (T, d): the token types of the data, ascending.
    lasts
        (L,): the numbers of those that are supervised somewhere, ascending.
    gram
        (L, (T + 1) (T + 2) / 2): sum of (1, c) (1, c)^T, upper triangles in the order of `numpy.triu_indices`.
    cross
        (L, T + 1, d): sum of (1, c) y^T.
    energy
        (L, d): sum of y^2.
    peaks, held
        (L, P): the largest |S[b, c]|, and the number of samples where it is not zero, for each pair of `pairs_of`.
    """

    types: NDArray[np.int64]
    lasts: NDArray[np.int64]
    gram: Integers
    cross: Integers
    energy: Integers
    peaks: Integers
    held: Integers

    @property
    def d(self) -> int:
        """The dimension of the tokens."""
        return int(self.types.shape[1])

    @property
    def samples(self) -> int:
        """The number of supervised positions."""
        return int(self.gram[:, 0].sum())

    @property
    def exact(self) -> bool:
        """These are integers."""
        return True

    @property
    def size(self) -> int:
        """The bytes that these take."""
        return sum(getattr(self, name).nbytes for name in (*SUMS, "peaks"))

    def plus(self, other: CountMoments) -> CountMoments:
        """The moments of both; they must have the same types and last tokens."""
        added = {name: plus(getattr(self, name), getattr(other, name)) for name in SUMS}
        return CountMoments(self.types, self.lasts, **added, peaks=np.maximum(self.peaks, other.peaks))

    def frame(self) -> tuple[Any, ...]:
        """What two moments must have in common to be added, as something that can be compared."""
        return "counts", self.types.shape, self.types.tobytes(), self.lasts.tobytes()

    def gram_of(self, number: int) -> Integers:
        """gram_l (T + 1, T + 1) of the last token of this number in `lasts`."""
        n = len(self.types) + 1
        low, high = np.triu_indices(n)
        found = np.empty((n, n), dtype=self.gram.dtype)
        found[low, high] = found[high, low] = self.gram[number]
        return found

    def violations(self) -> list[str]:
        """Everything that is wrong with these moments; empty for legal ones."""
        if self.types.ndim != 2 or self.lasts.ndim != 1 or 0 in self.types.shape:
            return [f"types {self.types.shape} and lasts {self.lasts.shape} must have shapes (T, d) and (L,)"]
        total, d, count = *self.types.shape, len(self.lasts)
        pairs = len(pairs_of(self.types))
        shapes = {
            "gram": (count, (total + 1) * (total + 2) // 2),
            "cross": (count, total + 1, d),
            "energy": (count, d),
            "peaks": (count, pairs),
            "held": (count, pairs),
        }
        found = [
            f"{name} has shape {getattr(self, name).shape}, expected {shape}"
            for name, shape in shapes.items()
            if getattr(self, name).shape != shape
        ]
        found += [
            f"{each.name} are no integers" for each in fields(self) if getattr(self, each.name).dtype.kind not in "iO"
        ]
        if found:
            return found
        if not np.array_equal(np.unique(self.types, axis=0), self.types):
            found.append("types do not ascend")
        if not np.array_equal(np.unique(self.lasts), self.lasts) or (
            count and not 0 <= self.lasts[0] <= self.lasts[-1] < total
        ):
            found.append(f"lasts do not ascend from 0 to at most {total - 1}")
            return found
        if any((getattr(self, name) < 0).any() for name in ("gram", "energy", "peaks", "held")):
            found.append("a number that counts or is a size is negative")
        return found


SUMS = ("gram", "cross", "energy", "held")
"""What is added; of `peaks` the maximum is taken."""


def pairs_of(types: NDArray[Any]) -> NDArray[np.int64]:
    """The pairs (b, c), b <= c, of coordinates that some token has both of, (P, 2), ascending."""
    from scipy.sparse import csr_array, triu

    present = csr_array((types != 0).astype(np.float64))
    low, high = triu(present.T @ present, format="csr").nonzero()
    order = np.lexsort((high, low))
    return np.column_stack([low, high]).astype(np.int64)[order]


class _Chunk(NamedTuple):
    """Some samples: the types of their last tokens (m,), counts (m, 1 + T), with a leading 1, and targets (m, d)."""

    last: NDArray[np.int64]
    counts: Integers
    targets: Integers


@dataclass(frozen=True)
class CountFrame:
    """Integer data, their token types (T, d), and the type of each token (total,)."""

    data: DataSet
    types: NDArray[np.int64]
    numbers: NDArray[np.int64]

    @cached_property
    def lasts(self) -> NDArray[np.int64]:
        """(L,): the types that are supervised somewhere."""
        return np.unique(self.numbers[self.data.supervised])

    @property
    def size(self) -> int:
        """The bytes that moments take."""
        count, total, d = len(self.lasts), len(self.types) + 1, self.data.d
        return 8 * count * (total * (total + 1) // 2 + total * d + d + 2 * len(pairs_of(self.types)))

    def zero(self) -> CountMoments:
        """The moments of no samples."""
        return CountMoments(self.types, self.lasts, **self._zeros(np.dtype(np.int64)))

    def _zeros(self, dtype: np.dtype[Any]) -> dict[str, Integers]:
        count, total, pairs = len(self.lasts), len(self.types), len(pairs_of(self.types))
        shapes = {
            "gram": (count, (total + 1) * (total + 2) // 2),
            "cross": (count, total + 1, self.data.d),
            "energy": (count, self.data.d),
            "held": (count, pairs),
            "peaks": (count, pairs),
        }
        return {name: np.zeros(shape, dtype=dtype) for name, shape in shapes.items()}

    def block(self, sequences: range) -> CountMoments:
        """The moments of some sequences."""
        from scipy.sparse import csr_array

        ends = self.data.offsets[sequences.start : sequences.stop + 1]
        longest, target = int(np.diff(ends).max(initial=0)), largest(self.data.targets)
        bound = int(ends[-1] - ends[0]) * max(longest, target, 1) ** 2
        found = self._zeros(np.dtype(np.int64 if bound < 2**63 else object))
        pairs = pairs_of(self.types)
        squares = csr_array((self.types[:, pairs[:, 0]] * self.types[:, pairs[:, 1]]).T)
        low, high = np.triu_indices(len(self.types) + 1)
        for chunk in self._chunks(sequences):
            sizes = np.abs((squares @ chunk.counts[:, 1:].T).T)
            order = np.argsort(chunk.last, kind="stable")
            for mine in np.split(order, np.flatnonzero(np.diff(chunk.last[order])) + 1) if len(order) else ():
                place = int(np.searchsorted(self.lasts, chunk.last[mine[0]]))
                counts, targets = chunk.counts[mine], chunk.targets[mine]
                found["gram"][place] += product(counts.T, counts)[low, high]
                found["cross"][place] += product(counts.T, targets)
                found["energy"][place] += times(targets, targets).sum(axis=0)
                found["held"][place] += (sizes[mine] != 0).sum(axis=0)
                found["peaks"][place] = np.maximum(found["peaks"][place], sizes[mine].max(axis=0))
        return CountMoments(self.types, self.lasts, **found)

    def _chunks(self, sequences: range) -> Iterator[_Chunk]:
        """The tokens of some sequences, at most `ROWS` at a time, with the counts at supervised positions."""
        ends = self.data.offsets
        first, stop = int(ends[sequences.start]), int(ends[sequences.stop])
        carried = np.zeros(len(self.types), dtype=np.int64)
        for begin in range(first, stop, ROWS):
            end = min(begin + ROWS, stop)
            sums = np.zeros((end - begin + 1, len(self.types)), dtype=np.int64)
            sums[np.arange(1, len(sums)), self.numbers[begin:end]] = 1
            np.cumsum(sums, axis=0, out=sums)
            starts = ends[np.searchsorted(ends, np.arange(begin, end), side="right") - 1]
            at = np.flatnonzero(self.data.supervised[begin:end])
            counts = sums[at + 1] - sums[np.maximum(starts[at] - begin, 0)]
            counts[starts[at] < begin] += carried
            yield _Chunk(
                self.numbers[begin:end][at],
                np.concatenate([np.ones((len(at), 1), dtype=np.int64), counts], axis=1),
                self.data.targets[begin:end][at],
            )
            last = int(starts[-1])
            carried = sums[-1] - sums[max(last - begin, 0)] + (carried if last < begin else 0)


def frame_of_counts(data: DataSet) -> tuple[CountFrame | None, bool]:
    """The frame of integer data whose tokens are of few types, and whether they have reading coordinates."""
    found, places = data.types()
    if len(found) > MOST_TYPES or largest(found) ** 2 * len(data.tokens) >= 2**62:
        return None, False
    types, numbers = np.unique(found.astype(np.int64), axis=0, return_inverse=True)
    frame = CountFrame(
        replace(data, tokens=data.tokens.astype(np.int64), targets=data.targets.astype(np.int64)),
        types,
        numbers.reshape(-1)[places],
    )
    return frame, reading_coordinates(types, frame.lasts) is not None
