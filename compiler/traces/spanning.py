"""Configurations of data, feature by feature, and the runs among many that already span what all of them show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compiler.program_to_rules.lowering import Turn
from compiler.spans import Span
from compiler.traces.data_set import DataSet


def configurations(data: DataSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The features z[e] S[b, c], b <= c, at every supervised position, (m, d^3), and the sequence of each, (m,).

    The column of a feature is e d^2 + b d + c; columns with b > c are zero. For small integer data.
    """
    rows, owners = [], []
    upper = np.triu(np.ones((data.d, data.d), dtype=np.int64))
    for number, part in enumerate(data.sequences()):
        z = data.tokens[part].astype(np.int64)
        memory = np.cumsum(z[:, :, None] * z[:, None, :], axis=0) * upper
        asked = np.flatnonzero(data.supervised[part])
        rows.append((z[asked][:, :, None, None] * memory[asked][:, None]).reshape(len(asked), -1))
        owners.append(np.full(len(asked), number))
    return np.concatenate(rows), np.concatenate(owners)


def thinned(runs: Sequence[list[Turn]], data: DataSet) -> list[list[Turn]]:
    """The runs, `data` as data, asked only where they show something new; those that show nothing new are left out."""
    rows, owners = configurations(data)
    rows = rows[:, (rows != 0).any(axis=0)]
    span = Span(rows.shape[1])
    kept: dict[int, list[Turn]] = {}
    new = [span.add(row) for row in rows]
    for owner in np.unique(owners[new]).tolist():
        wanted = iter(np.array(new)[owners == owner].tolist())
        kept[owner] = [(name, answer if answer is not None and next(wanted) else None) for name, answer in runs[owner]]
    return list(kept.values())
