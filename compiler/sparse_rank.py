"""The rank of large sparse integer matrices: what stands alone is counted, only the rest is eliminated.

A row with the only entry of some column is independent of all others, and so is a column with the only entry of some
row: either adds one to the rank and can be left out. On what walks show (docs/learning.md) little is left after that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from compiler.spans import Span


def sparse_rank(matrix: csr_array) -> int:
    """The rank of an integer matrix (m, n) modulo `compiler.spans.PRIME`: at most that over the rationals, exactly.

    >>> sparse_rank(csr_array(np.array([[1, 1, 0], [0, 1, 1], [1, 2, 1], [0, 0, 5]])))
    3
    """
    rank = 0
    entries = matrix.tocoo()
    kept = entries.data != 0
    rows, columns, values = entries.row[kept], entries.col[kept], entries.data[kept]
    while len(values):
        alone = _once(columns)
        lines = rows
        if not alone.any():
            alone, lines = _once(rows), columns
        if not alone.any():
            break
        counted = np.zeros(int(lines.max()) + 1, dtype=np.bool_)
        counted[lines[alone]] = True
        rank += int(counted.sum())
        left = ~counted[lines]
        rows, columns, values = rows[left], columns[left], values[left]
    return rank + _dense_rank(rows, columns, values)


def _once(places: NDArray[Any]) -> NDArray[np.bool_]:
    """Which entries have a row (a column) for themselves."""
    return np.asarray(np.bincount(places)[places] == 1)


def _dense_rank(rows: NDArray[Any], columns: NDArray[Any], values: NDArray[Any]) -> int:
    if not len(values):
        return 0
    (used, row), (spread, column) = (np.unique(places, return_inverse=True) for places in (rows, columns))
    dense = np.zeros((len(used), len(spread)), dtype=np.int64)
    dense[row, column] = values
    span = Span(len(spread))
    span.extend(dense)
    return span.size
