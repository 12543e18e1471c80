"""Data to samples, in blocks: what is read at each supervised position, never all of it at once.

The features of a sample are z[e] S[b, c] with z the last token and S the fast weights. They factor, so a block keeps
the two factors, (m, d) and (m, L) numbers in the place of m d L.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.traces.data_set import DataSet

Floats = NDArray[np.float64]

REAL: np.dtype[Any] = np.dtype(np.float64)

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


def samples_of(
    data: DataSet, pairs: NDArray[np.int64], sequences: range | None = None, dtype: np.dtype[Any] = REAL
) -> Iterator[Samples]:
    """The samples of a data set on `pairs` (L, 2), in order, in blocks of about `ROWS`; of `sequences`, or of all.

    In float64, or in Python's integers, where `dtype` is object.
    """
    chosen = np.arange(len(data)) if sequences is None else np.array(sequences)
    waiting: list[Samples] = []
    count = 0
    for begin in range(0, len(chosen), ROWS):
        for part in _of_sequences(data, chosen[begin : begin + ROWS], pairs, dtype):
            waiting.append(part)
            count += len(part.last)
            if count >= ROWS:
                yield _joined(waiting)
                waiting, count = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[Samples]) -> Samples:
    return parts[0] if len(parts) == 1 else Samples(*map(np.concatenate, zip(*parts, strict=True)))


def _of_sequences(
    data: DataSet, numbers: NDArray[np.int64], pairs: NDArray[np.int64], dtype: np.dtype[Any]
) -> Iterator[Samples]:
    """The samples of some sequences; together where they have one length, and are asked at their ends alone."""
    begins, ends = data.offsets[numbers], data.offsets[numbers + 1]
    length = int(ends[0] - begins[0])
    places = begins[:, None] + np.arange(length)
    if length <= ROWS and bool(np.all(ends - begins == length)):
        asked = data.supervised[places]
        if bool(asked[:, -1].all()) and not bool(asked[:, :-1].any()):
            z = data.tokens[places].astype(dtype)
            memory = np.matmul(z.transpose(0, 2, 1), z)[:, pairs[:, 0], pairs[:, 1]]
            yield Samples(z[:, -1], memory, data.targets[ends - 1].astype(dtype))
            return
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        yield from _of_sequence(data, slice(begin, end), pairs, dtype)


def _of_sequence(data: DataSet, rows: slice, pairs: NDArray[np.int64], dtype: np.dtype[Any]) -> Iterator[Samples]:
    """The samples of one sequence, at most `ROWS` positions at a time."""
    low, high = pairs.T
    before = np.zeros(len(pairs), dtype=dtype)
    for begin in range(rows.start, rows.stop, ROWS):
        part = slice(begin, min(begin + ROWS, rows.stop))
        z, asked = data.tokens[part].astype(dtype), data.supervised[part]
        if asked[:-1].any():
            sums = np.cumsum(z[:, low] * z[:, high], axis=0) + before
        else:
            sums = ((z.T @ z)[low, high] + before)[None]
        before = sums[-1]
        if asked.any():
            memory = sums[asked] if len(sums) == len(asked) else sums
            yield Samples(z[asked], memory, data.targets[part][asked].astype(dtype))


def predicted(part: Samples, weights: Floats) -> Floats:
    """H p: the answers (m, d) of rules `weights` (k L, d), z[e] slowest, to samples with last tokens (m, k)."""
    m, k = part.last.shape
    d = weights.shape[1]
    rules = weights.reshape(k, -1, d).transpose(1, 0, 2).reshape(-1, k * d)
    return np.asarray(np.matmul(part.last[:, None, :], (part.memory @ rules).reshape(m, k, d))[:, 0])


def gathered(part: Samples, values: Floats) -> Floats:
    """H^T r: (k L, d) of `values` r (m, d), without a design matrix."""
    m, k = part.last.shape
    d = values.shape[1]
    each = (part.last[:, :, None] * values[:, None, :]).reshape(m, k * d)
    return np.asarray((part.memory.T @ each).reshape(-1, k, d).transpose(1, 0, 2).reshape(-1, d))
