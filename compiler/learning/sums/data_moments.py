"""The moments of a data set, or of a shard of it, and how shards become the whole.

>>> from compiler.learning.sums.collect import moments
>>> from compiler.language.load import load
>>> from compiler.traces.program_to_traces import generate
>>> data = generate(load("parity"), count=20, lengths=(1, 9), seed=0)
>>> reduce([moments(data, shard=(2, 2)), moments(data, shard=(1, 2))]).samples == data.samples
True
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from compiler.errors import DataError
from compiler.learning.real.moments import shapes_of
from compiler.learning.real.samples import live_pairs
from compiler.learning.sums.counts import CountFrame, CountMoments, frame_of_counts
from compiler.learning.sums.pairs import PairFrame, PairMoments
from compiler.learning.sums.plan import Shard
from compiler.program import Program
from compiler.traces.data_set import DataSet

Frame: TypeAlias = CountFrame | PairFrame
Sums: TypeAlias = CountMoments | PairMoments
WHOLE: Shard = (1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class DataMoments:
    """What least squares needs to know of a data set, or of a shard of it.

    Attributes
    ----------
    sums
        The moments.
    digest
        Of the whole data set (`sums.plan.digest_of`).
    shard
        (i, N): the i-th of N parts; (1, 1) is the whole.
    sequences
        (begin, end, total): the sequences that are summed, of how many.
    program, denominator
        Those of the data set.

    Raises
    ------
    DataError
        At construction, with every violation.
    """

    sums: Sums
    digest: str
    shard: Shard
    sequences: tuple[int, int, int]
    program: Program | None = None
    denominator: int = 1

    def __post_init__(self) -> None:
        if problems := self.violations():
            raise DataError("; ".join(problems[:5]))

    def violations(self) -> list[str]:
        """Everything that is wrong with these moments; empty for legal ones."""
        found = self.sums.violations()
        (i, n), (begin, end, total) = self.shard, self.sequences
        if not 1 <= i <= n:
            found.append(f"there is no shard {i} of {n}")
        if not 0 <= begin <= end <= total:
            found.append(f"there are no sequences {begin} to {end} of {total}")
        if self.denominator > 1 and not self.exact:
            found.append(f"a denominator of {self.denominator} is for integer targets")
        return found

    @property
    def d(self) -> int:
        """The dimension of the tokens."""
        return self.sums.d

    @property
    def samples(self) -> int:
        """The number of supervised positions."""
        return self.sums.samples

    @property
    def exact(self) -> bool:
        """Whether all are sums of integers."""
        return self.sums.exact

    @property
    def size(self) -> int:
        """The bytes that the sums take."""
        return self.sums.size

    @property
    def whole(self) -> bool:
        """Whether these are the moments of all of the data."""
        return self.sequences[0] == 0 and self.sequences[1] == self.sequences[2]


def frame_of(data: DataSet) -> Frame:
    """How the moments of `data` are kept: by token counts where that is how its rules are found, or where it is less.

    It depends on the whole data set, so all shards have the same.
    """
    counts, reading = frame_of_counts(data) if data.exact else (None, False)
    if counts is not None and reading:
        return counts
    pairs = PairFrame(data, shapes_of(data.tokens[data.supervised], live_pairs(data.tokens)))
    return counts if counts is not None and counts.size <= pairs.size else pairs


def added(left: Sums, right: Sums) -> Sums:
    """The moments of both. Raises DataError where they are not of the same kind and shape."""
    if left.frame() != right.frame():
        raise DataError("moments of different shapes cannot be added")
    if isinstance(left, CountMoments) and isinstance(right, CountMoments):
        return left.plus(right)
    assert isinstance(left, PairMoments)
    assert isinstance(right, PairMoments)
    return left.plus(right)


def reduce(parts: Iterable[DataMoments]) -> DataMoments:
    """The moments of a data set from those of all of its shards, in any order.

    Integers are the same, to the byte, however the data were parted; floats are summed in the order of the shards.

    Raises
    ------
    DataError
        For shards of different data or of different partitions, for one that is missing, and for one given twice.
    """
    given = list(parts)
    for part in given:
        if not isinstance(part, DataMoments):
            raise DataError(f"reduce takes moments, not a {type(part).__name__}")
    if not given:
        raise DataError("there are no moments to reduce")
    shards = sorted(given, key=lambda part: part.shard)
    first = shards[0]
    count = first.shard[1]
    for part in shards[1:]:
        if part.digest != first.digest:
            raise DataError(
                f"shard {_named(part)} is of other data than shard {_named(first)}: their digests are "
                f"{part.digest[:12]} and {first.digest[:12]}"
            )
        if part.shard[1] != count:
            raise DataError(f"shards {_named(first)} and {_named(part)} are of different partitions")
    numbers = [part.shard[0] for part in shards]
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise DataError(f"given twice: shard {_several(twice)} of {count}")
    if missing := sorted(set(range(1, count + 1)) - set(numbers)):
        raise DataError(f"missing: shard {_several(missing)} of {count}")
    return _joined(shards)


def _joined(shards: list[DataMoments]) -> DataMoments:
    """All shards, in order; the sequences of each must begin where those before it end."""
    total, reached = shards[0].sums, 0
    for number, part in enumerate(shards):
        begin, end, count = part.sequences
        if begin != reached or count != shards[0].sequences[2]:
            raise DataError(f"shard {_named(part)} begins at sequence {begin}, expected {reached}")
        total, reached = added(total, part.sums) if number else total, end
    if reached != shards[0].sequences[2]:
        raise DataError(f"the last shard ends at sequence {reached} of {shards[0].sequences[2]}")
    return replace(shards[0], sums=total, shard=WHOLE, sequences=(0, reached, reached))


def _named(part: DataMoments) -> str:
    return f"{part.shard[0]}/{part.shard[1]}"


def _several(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:20]))
    return shown if len(numbers) <= 20 else f"{shown} and {len(numbers) - 20} more"
