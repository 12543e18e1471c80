"""Who computes the moments of blocks: processes of this machine, or a cluster.

They are added in the order of the blocks, whoever computed them and whichever came first, so sums are the same.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from compiler.errors import UnsupportedError
from compiler.learning.sums.collect import Future, Here, Hire, Workers
from compiler.learning.sums.data_moments import Frame, Sums
from compiler.learning.sums.pairs import PairFrame

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What says how many threads a process uses for products of matrices; workers get one each."""

FEWEST = 6
"""Fewer blocks than these are done before processes have begun."""
PATIENCE = 20
"""Seconds within which a scheduler must answer."""

_frame: Frame
"""In a worker process: the frame of the data."""


def _begin(frame: Frame) -> None:
    global _frame
    _frame = frame


def _block(block: range) -> Sums:
    return _frame.block(block)


class _Processes:
    """A pool of processes that know the frame."""

    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self.pool = pool
        self.count = count

    def submit(self, block: range) -> Future:
        return self.pool.submit(_block, block)


@contextmanager
def processes(frame: Frame, blocks: int) -> Iterator[Workers]:
    """A process for each processor, each with one thread, for moments of counts, whose products are too small for more.

    Moments of pairs are products of large matrices, which use all processors by themselves: they are computed here, and
    so are few blocks.
    """
    if isinstance(frame, PairFrame) or blocks < FEWEST:
        yield Here(frame)
        return
    count = os.cpu_count() or 1
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin, (frame,))
    try:
        yield _Processes(pool, count)
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class _Cluster:
    """The workers of a dask scheduler, who have been sent the frame."""

    def __init__(self, client: Any, frame: Frame) -> None:
        self.client = client
        self.count = 2 * max(1, len(client.ncores()))
        self.kind = type(frame)
        self.sent = client.scatter(frame, broadcast=True, hash=False)

    def submit(self, block: range) -> Future:
        future: Future = self.client.submit(self.kind.block, self.sent, block, pure=False)
        return future


def cluster(address: str) -> Hire:
    """The workers of the dask scheduler at `address`, which must have attnc too.

    Raises UnsupportedError where dask is not installed or no scheduler answers.
    """

    @contextmanager
    def hire(frame: Frame, blocks: int) -> Iterator[Workers]:
        del blocks
        try:
            from distributed import Client
        except ImportError:
            raise UnsupportedError("a scheduler needs dask: pip install 'attnc[dask]'") from None
        try:
            client = Client(address, timeout=PATIENCE)
        except (OSError, ValueError) as problem:
            raise UnsupportedError(f"no dask scheduler answers at {address!r}: {problem}") from None
        with client:
            yield _Cluster(client, frame)

    return hire
