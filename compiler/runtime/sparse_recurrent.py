"""The recurrent form on live entries alone: S as columns of its non-zero entries, in Python's integers.

The same function as `runtime.recurrent`, for heads and tokens of integers, at a cost that depends on what a token and
the weights at it have, and not on d: a machine on 13,000 cells has 104,002 coordinates, and S would have 10^10 entries.
For asking a layer exactly, a token at a time; `runtime.stream` is for long runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from compiler.attention import Head, Sparse

Entries: TypeAlias = Mapping[int, int]
"""The non-zero entries of a vector, by place."""


class SparseRecurrent:
    """A layer of integer weights with its fast weights.

    Attributes
    ----------
    memory
        S by columns: c -> {b: S[b, c]}. A column that is not there yet is made by the mapping, and empty by default.

    >>> layer = SparseRecurrent([Head("h", Sparse.of(np.array([[0, 0], [1, 0]])), Sparse.of(np.eye(2, dtype=int)))])
    >>> layer.feed({0: 3})
    >>> layer.answer({0: 3})
    {1: 27}
    """

    def __init__(self, heads: Sequence[Head]) -> None:
        self.sides = [(_Columns(head.V), _Columns(head.Q)) for head in heads]
        self.memory: dict[int, dict[int, int]] = defaultdict(dict)

    def feed(self, token: Entries) -> None:
        """S += z z^T."""
        for c, right in token.items():
            column = self.memory[c]
            for b, left in token.items():
                column[b] = column.get(b, 0) + left * right

    def answer(self, token: Entries) -> dict[int, int]:
        """The non-zero entries of the answer to `token`, which was fed already."""
        total: dict[int, int] = {}
        for value, query in self.sides:
            key: dict[int, int] = {}
            for e, z in token.items():
                for c, weight in query[e]:
                    key[c] = key.get(c, 0) + weight * z
            for c, asked in key.items():
                for b, held in self.memory[c].items():
                    for a, weight in value[b]:
                        total[a] = total.get(a, 0) + weight * held * asked
        return {a: entry for a, entry in total.items() if entry}


class _Columns(dict[int, list[tuple[int, int]]]):
    """A matrix by columns: (row, weight) for the non-zero entries; a column is listed when it is first asked for."""

    def __init__(self, matrix: Sparse) -> None:
        super().__init__()
        self.order = np.argsort(matrix.columns, kind="stable")
        self.columns = matrix.columns[self.order]
        self.matrix = matrix

    def __missing__(self, column: int) -> list[tuple[int, int]]:
        begin, end = np.searchsorted(self.columns, [column, column + 1]).tolist()
        some = self.order[begin:end]
        self[column] = list(zip(self.matrix.rows[some].tolist(), self.matrix.weights[some].tolist(), strict=True))
        return self[column]
