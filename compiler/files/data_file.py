"""Data sets as ``.npz`` files of numpy arrays, without pickles. The format is defined in docs/files.md."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.errors import DataError, FileError
from compiler.files.arrays import Arrays, about, denominator_of, pack, program_of, read_arrays, stored, write_arrays
from compiler.traces.data_set import DataSet

ARRAYS = ("tokens", "offsets", "targets", "supervised", "program", "denominator")


def data_to_bytes(data: DataSet) -> bytes:
    """The content of a data set's file: the same bytes for the same data. Integers are stored as narrow as they fit."""
    stream = io.BytesIO()
    pack(stream, _arrays(data))
    return stream.getvalue()


def _arrays(data: DataSet) -> dict[str, NDArray[Any]]:
    return {
        "tokens": stored(data.tokens),
        "offsets": data.offsets.astype("<i8"),
        "targets": stored(data.targets),
        "supervised": data.supervised,
    } | about(data.program, data.denominator)


def save_data(data: DataSet, path: str | Path) -> None:
    """Write `data` to `path`, whole or not at all. Raises FileError."""
    write_arrays(path, _arrays(data))


def load_data(path: str | Path) -> DataSet:
    """The data set at `path`; nothing in the file is executed.

    Dense data may come as ``tokens`` (N, n, d) with ``targets`` (N, d) or (N, n, d), without offsets.

    Raises
    ------
    FileError
        For a file that cannot be read or is not in the format.
    DataError
        For arrays that do not fit together.
    """
    return read_arrays(path, "a data set", ARRAYS, _data_set)


def _data_set(arrays: Arrays) -> DataSet:
    if missing := [name for name in ("tokens", "targets") if name not in arrays]:
        raise FileError(f"not a data set: it has no array {missing[0]!r}")
    tokens, targets = (_wide(arrays[name], name) for name in ("tokens", "targets"))
    program = program_of(arrays["program"]) if "program" in arrays else None
    below = denominator_of(arrays["denominator"]) if "denominator" in arrays else 1
    if tokens.ndim == 3:
        if extra := [name for name in ("offsets", "supervised") if name in arrays]:
            raise DataError(f"dense tokens {tokens.shape} leave no room for {extra[0]}")
        return replace(DataSet.of_arrays(tokens, targets), program=program, denominator=below)
    total = len(tokens) if tokens.ndim else 0
    offsets = arrays.get("offsets", np.array([0, total]))
    supervised = arrays.get("supervised", np.ones(total, dtype=np.bool_))
    if offsets.dtype.kind not in "iu" or (offsets.size and (offsets.min() < 0 or offsets.max() > total)):
        raise DataError(f"offsets ({offsets.dtype}) must be integers from 0 to {total}")
    if supervised.dtype.kind != "b":
        raise DataError(f"supervised has dtype {supervised.dtype}, expected booleans")
    return DataSet(tokens, offsets.astype(np.int64), targets, supervised.view(np.uint8) != 0, program, below)


def _wide(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Integers as int64, floats as float64. Raises DataError."""
    if array.dtype.kind not in "iuf":
        raise DataError(f"{name} have dtype {array.dtype}, expected integers or floats")
    if array.dtype.kind == "u" and array.size and int(array.max()) >= 2**63:
        raise DataError(f"{name} hold {int(array.max())}, which does not fit into 64 bits with a sign")
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
