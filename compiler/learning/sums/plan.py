"""The plan of a long sum: blocks of sequences that depend on the data alone, and shards of them."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import numpy as np

from compiler.errors import DataError
from compiler.traces.data_set import DataSet

BLOCK = 2**16
"""The sequences that begin within so many tokens are a block."""

Shard = tuple[int, int]
"""The i-th of N parts, from 1."""


def plan_of(data: DataSet, shard: Shard) -> list[range]:
    """The blocks of a shard: sequences in order, contiguous parts of as nearly as possible as many blocks.

    Raises DataError for a shard that is none.
    """
    if not (isinstance(shard, tuple) and len(shard) == 2 and all(isinstance(each, int) for each in shard)):
        raise DataError(f"shard is {shard!r}, expected (i, N), two whole numbers")
    i, n = shard
    if not 1 <= i <= n:
        raise DataError(f"there is no shard {i} of {n}; they are numbered from 1")
    stretches = data.offsets[:-1] // BLOCK
    ends = [0, *(np.flatnonzero(np.diff(stretches)) + 1).tolist(), len(data)]
    blocks = [range(begin, end) for begin, end in pairwise(ends) if begin < end]
    mine = blocks[len(blocks) * (i - 1) // n : len(blocks) * i // n]
    at = ends[len(blocks) * i // n]
    return mine or [range(at, at)]


def digest_of(data: DataSet) -> str:
    """SHA-256 of what a data set says, however its numbers are stored."""
    found = sha256()
    for array in (data.tokens, data.offsets, data.targets, data.supervised):
        stored = array if array.dtype == np.bool_ else array.astype("<f8" if array.dtype.kind == "f" else "<i8")
        found.update(f"{stored.dtype.str} {stored.shape}\0".encode())
        found.update(np.ascontiguousarray(stored).data)
    found.update(f"{data.denominator}\0{data.program or ''}".encode())
    return found.hexdigest()
