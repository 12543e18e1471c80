"""Training every layer on every language, in processes of their own; what is finished is told at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from compiler.errors import AttncError

Scores = dict[str, float]
Key = tuple[str, str]
"""A layer and a language, by name."""


def train_cell(key: Key) -> Scores:
    """The scores of one cell. Imports torch."""
    from compiler.formal.trained import trained

    return trained(*key)


def train_cells(
    keys: Sequence[Key], *, processes: int | None = None, train: Callable[[Key], Scores] = train_cell
) -> Iterator[tuple[Key, Scores]]:
    """The cells with their scores, as they are finished.

    `processes` is their number, else one for each processor; with 1 the work is done here. Each uses one thread, so
    scores do not depend on it. Raises AttncError where a process is killed.
    """
    count = min(processes or os.cpu_count() or 1, len(keys))
    if count <= 1:
        for key in keys:
            yield key, train(key)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, spawn, _end_quietly) as pool:
        futures = {pool.submit(train, key): key for key in keys}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise AttncError("a process that trained was ended from outside, perhaps for want of memory") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _end_quietly() -> None:
    """In a worker: Ctrl-C ends it, without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
