"""Data to moments, block by block: resumable, and on as many workers as there are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from compiler.errors import DataError
from compiler.learning.learn import MEMORY
from compiler.learning.sums.data_moments import WHOLE, DataMoments, Frame, Sums, added, frame_of
from compiler.learning.sums.plan import Shard, digest_of, plan_of
from compiler.traces.data_set import DataSet

COPIES = 3
"""So many moments are held at once: the sum, what is added to it, and the sum of both."""


class Future(Protocol):
    """What will be the moments of a block."""

    def result(self) -> Any:
        """Them, when they are there."""


class Workers(Protocol):
    """Where the moments of blocks are computed."""

    count: int

    def submit(self, block: range) -> Future:
        """Begin with a block."""


Hire = Callable[[Frame, int], AbstractContextManager[Workers]]
"""Workers for a frame and so many blocks, for as long as the context lasts."""


class Keeper(Protocol):
    """Where a sum that is not finished is kept, so that an interrupted one can go on."""

    def kept(self, empty: DataMoments, ends: Iterable[int]) -> DataMoments:
        """The sum that was kept for the same data and shard, up to one of `ends`; else `empty`."""

    def keep(self, partial: DataMoments) -> None:
        """A sum so far."""


def moments(
    data: DataSet,
    *,
    shard: Shard = WHOLE,
    memory: int = MEMORY,
    hire: Hire | None = None,
    keeper: Keeper | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> DataMoments:
    """The moments of `data`, or of the i-th of N parts of it, from which `learn` learns as from the data themselves.

    Parameters
    ----------
    shard
        (i, N), i from 1 to N.
    memory
        The bytes that may be used for sums.
    hire
        Workers to compute the moments of blocks; without it they are computed here.
    keeper
        Where unfinished sums are kept.
    progress
        Told again and again how many of how many sequences are done.

    Raises
    ------
    DataError
        For data without samples, moments that do not fit into `memory`, and a shard that is none.
    """
    if not isinstance(data, DataSet):
        raise DataError(f"moments are of a data set, not of a {type(data).__name__}")
    if not data.samples:
        raise DataError("no position is supervised, so there is nothing to learn from")
    data = data.integral()
    plan = plan_of(data, shard)
    frame = frame_of(data)
    if COPIES * frame.size > memory:
        raise DataError(f"the moments need {COPIES * frame.size:,} bytes, and {memory:,} are allowed")
    begin, end = plan[0].start, plan[-1].stop
    found = DataMoments(frame.zero(), digest_of(data), shard, (begin, begin, len(data)), data.program, data.denominator)
    if keeper is not None:
        found = keeper.kept(found, [block.stop for block in plan])
    left = [block for block in plan if block.start >= found.sequences[1] and len(block)]
    progress(found.sequences[1] - begin, end - begin)
    with nullcontext(Here(frame)) if hire is None or not left else hire(frame, len(left)) as workers:
        for block, sums in zip(left, _in_order(workers, left), strict=True):
            found = replace(found, sums=added(found.sums, sums), sequences=(begin, block.stop, len(data)))
            progress(block.stop - begin, end - begin)
            if keeper is not None and block.stop < end:
                keeper.keep(found)
    return found


class Here:
    """A worker in this process, which begins with a block when its result is wanted."""

    count = 1

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def submit(self, block: range) -> Future:
        """A promise to compute a block."""
        return _Later(self.frame, block)


class _Later(NamedTuple):
    frame: Frame
    block: range

    def result(self) -> Sums:
        return self.frame.block(self.block)


def _in_order(workers: Workers, blocks: list[range]) -> Iterator[Sums]:
    """The moments of blocks, in their order, never many more of them at once than there are workers."""
    waiting: deque[Future] = deque()
    for block in blocks:
        waiting.append(workers.submit(block))
        if len(waiting) > workers.count:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
