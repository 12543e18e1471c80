"""The certificate for memories in few dimensions: their spanning configurations lie in the row space of the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from compiler.domain.dense_memory_span import spanning_runs
from compiler.learning.count_certificate import Certificate, Inputs, input_of
from compiler.learning.elimination import in_row_space, rank
from compiler.learning.moments import SolvedBlock
from compiler.learning.witness import Input
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowering import Turn
from compiler.traces.program_to_traces import turns_to_data
from compiler.traces.spanning import configurations


def certificate_of_dense(solved: Sequence[SolvedBlock], lowering: LoweredDenseMemory) -> tuple[Certificate, Inputs]:
    """The certificate of integer data, given the eliminated moments of their blocks, and what is open.

    Each spanning configuration (`domain.dense_memory_span`) is asked for; every "yes" is proved over the integers.
    Raises UnsupportedError.
    """
    words, runs = zip(*spanning_runs(lowering), strict=True)
    shown = configurations(turns_to_data(lowering, runs))
    rows, owners = shown
    d = lowering.form.d
    inside: NDArray[np.bool_] = np.ones(len(rows), dtype=np.bool_)
    seen = np.zeros(rows.shape[1], dtype=np.bool_)
    for block in solved:
        e, b, c = block.moments.index.T
        columns = e * (d * d) + b * d + c
        seen[columns] = True
        inside &= in_row_space(block.eliminated, rows[:, columns])
    inside &= ~(rows[:, ~seen] != 0).any(axis=1)
    left = sorted(np.flatnonzero(~inside).tolist(), key=lambda row: len(words[owners[row]]))
    spelled = [
        tuple(item if isinstance(item, str) else " = ".join(item) for item in words[owners[row]]) for row in left
    ]
    data_rank = sum(len(block.eliminated.pivots) for block in solved)
    found = Certificate(not left, data_rank, rank(rows[:, (rows != 0).any(axis=0)]), spelled[0] if left else None)
    return found, partial(_inputs, lowering, runs, spelled, [(row, int(owners[row])) for row in left], owners)


def _inputs(
    lowering: LoweredDenseMemory,
    runs: Sequence[list[Turn]],
    spelled: Sequence[tuple[str, ...]],
    left: Sequence[tuple[int, int]],
    owners: NDArray[np.int64],
) -> Iterator[Input]:
    """The runs, by (row, owner) in `left`, each up to the question whose configuration is open."""
    for names, (row, owner) in zip(spelled, left, strict=True):
        asked = [place for place, (_, answer) in enumerate(runs[owner]) if answer is not None]
        place = asked[row - int(np.searchsorted(owners, owner))]
        yield input_of(lowering, names, runs[owner][: place + 1])
