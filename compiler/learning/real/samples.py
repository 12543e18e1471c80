"""Data to samples, in blocks: what is read at each supervised position, never all of it at once.

The features of a sample are z[e] S[b, c] with z the last token and S the fast weights. They factor, so a block keeps the
two factors, (m, d) and (m, L) numbers in the place of m d L.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.traces.data_set import DataSet

Floats = NDArray[np.float64]

ROWS = 1_024
"""The most samples of a block; the plan of the blocks depends on the data alone, so sums of floats do too."""


class Samples(NamedTuple):
    """A block of m samples.

    Attributes
    ----------
    last
        (m, d): the last token z.
    memory
        (m, L): S[b, c] on some pairs b <= c.
    targets
        (m, d): the answers wanted.
    """

    last: Floats
    memory: Floats
    targets: Floats


def live_pairs(tokens: NDArray[Any]) -> NDArray[np.int64]:
    """The pairs (b, c), b <= c, of coordinates that some token has both of, (L, 2), ascending."""
    d = tokens.shape[1]
    together = np.zeros((d, d), dtype=np.float32)
    for begin in range(0, len(tokens), 2**16):
        present = (tokens[begin : begin + 2**16] != 0).astype(np.float32)
        together += present.T @ present
    return np.argwhere(np.triu(together > 0))


def samples_of(data: DataSet, pairs: NDArray[np.int64], sequences: range | None = None) -> Iterator[Samples]:
    """The samples of a data set on `pairs` (L, 2), in order, in blocks of at most `ROWS`; of `sequences`, or of all."""
    chosen = range(len(data)) if sequences is None else sequences
    low, high = pairs.T
    waiting: list[tuple[Floats, Floats, Floats]] = []
    count = 0
    for number in chosen:
        rows = slice(int(data.offsets[number]), int(data.offsets[number + 1]))
        for part in _of_sequence(data, rows, low, high):
            waiting.append(part)
            count += len(part[0])
            if count >= ROWS:
                yield Samples(*(np.concatenate(each) for each in zip(*waiting, strict=True)))
                waiting, count = [], 0
    if waiting:
        yield Samples(*(np.concatenate(each) for each in zip(*waiting, strict=True)))


def _of_sequence(
    data: DataSet, rows: slice, low: NDArray[np.int64], high: NDArray[np.int64]
) -> Iterator[tuple[Floats, Floats, Floats]]:
    """The samples of one sequence, at most `ROWS` positions at a time."""
    tokens, supervised = data.tokens[rows].astype(np.float64), data.supervised[rows]
    shown = np.flatnonzero(supervised)
    if len(shown) == 1:
        z = tokens[: shown[0] + 1]
        yield z[-1:], (z.T @ z)[low, high][None], data.targets[rows][shown].astype(np.float64)
        return
    before = np.zeros(len(low))
    for begin in range(0, len(tokens), ROWS):
        z, asked = tokens[begin : begin + ROWS], supervised[begin : begin + ROWS]
        sums = np.cumsum(z[:, low] * z[:, high], axis=0) + before
        before = sums[-1]
        if asked.any():
            yield z[asked], sums[asked], data.targets[rows][begin : begin + ROWS][asked].astype(np.float64)
