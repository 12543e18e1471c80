"""The certificate for memories in few dimensions: their spanning configurations lie in the row space of the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compiler.domain.dense_memory_span import spanning_runs
from compiler.learning.count_certificate import Certificate
from compiler.learning.elimination import in_row_space, rank
from compiler.learning.moments import SolvedBlock
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.traces.program_to_traces import turns_to_data
from compiler.traces.spanning import configurations


def certificate_of_dense(solved: Sequence[SolvedBlock], lowering: LoweredDenseMemory) -> Certificate:
    """The certificate of integer data, given the eliminated moments of their blocks. Raises UnsupportedError.

    Each spanning configuration (`domain.dense_memory_span`) is asked for; every "yes" is proved over the integers.
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
    open_words = [words[owner] for owner in owners[~inside].tolist()]
    worst = min(open_words, key=len, default=None)
    spelled = None if worst is None else tuple(item if isinstance(item, str) else " = ".join(item) for item in worst)
    data_rank = sum(len(block.eliminated.pivots) for block in solved)
    return Certificate(worst is None, data_rank, rank(rows[:, (rows != 0).any(axis=0)]), spelled)
