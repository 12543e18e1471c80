"""Data sets as ``.npz`` files of numpy arrays, without pickles. The format is defined in docs/files.md."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.errors import AttncError, DataError, FileError
from compiler.files.writing import read_bytes, write_bytes
from compiler.traces.data_set import DataSet

MAX_BYTES = 4 * 2**30
"""The largest file that is read, packed or unpacked."""


def data_to_bytes(data: DataSet) -> bytes:
    """The content of a data set's file: the same bytes for the same data. Integers are stored as narrow as they fit."""
    arrays: dict[str, NDArray[Any]] = {
        "tokens": _narrow(data.tokens),
        "offsets": data.offsets,
        "targets": _narrow(data.targets),
        "supervised": data.supervised,
    }
    if data.program is not None:
        arrays["program"] = np.array(str(data.program))
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def _narrow(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind != "i" or not array.size:
        return array
    return array.astype(np.min_scalar_type(-max(int(abs(array.min())), int(abs(array.max())) + 1)))


def save_data(data: DataSet, path: str | Path) -> None:
    """Write `data` to `path`, whole or not at all. Raises FileError."""
    write_bytes(path, data_to_bytes(data))


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
    arrays = _arrays(read_bytes(path, MAX_BYTES), str(path))
    missing = [name for name in ("tokens", "targets") if name not in arrays]
    if missing:
        raise FileError(f"{path}: not a data set: it has no array {missing[0]!r}")
    try:
        if arrays["tokens"].ndim == 3 and "offsets" not in arrays:
            return DataSet.of_arrays(arrays["tokens"], arrays["targets"])
        return _data_set(arrays)
    except DataError as problem:
        raise DataError(f"{path}: {problem}") from None
    except AttncError as problem:
        raise FileError(f"{path}: its program text does not parse: {problem}") from None


def _arrays(packed: bytes, name: str) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise FileError(f"{name}: unpacks to {size:,} bytes, more than the {MAX_BYTES:,} that are read")
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, KeyError, RuntimeError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{name}: not a data set, or a damaged one: {error}") from None


def _data_set(arrays: dict[str, NDArray[Any]]) -> DataSet:
    from compiler.language.load import parse

    tokens, targets = (_wide(arrays[name]) for name in ("tokens", "targets"))
    total = len(tokens) if tokens.ndim else 0
    offsets = arrays.get("offsets", np.array([0, total]))
    supervised = arrays.get("supervised", np.ones(total, dtype=np.bool_))
    if offsets.dtype.kind not in "iu":
        raise DataError(f"offsets have dtype {offsets.dtype}, expected integers")
    text = arrays.get("program")
    program = None if text is None else parse(str(text[()]))
    return DataSet(tokens, offsets.astype(np.int64), targets, supervised, program)


def _wide(array: NDArray[Any]) -> NDArray[Any]:
    """Integers as int64, floats as float64; anything else is left for `DataSet` to refuse."""
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    return array.astype(np.float64) if array.dtype.kind == "f" else array
