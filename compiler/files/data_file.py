"""Data sets as ``.npz`` files of numpy arrays, without pickles. The format is defined in docs/files.md."""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from compiler.errors import DataError, FileError
from compiler.files.program_text import program_from_text
from compiler.files.weights import narrow
from compiler.files.writing import read_bytes, write_bytes
from compiler.program import Program
from compiler.traces.data_set import DataSet

MAX_BYTES = 4 * 2**30
"""The largest file that is read, packed or unpacked."""
ARRAYS = ("tokens", "offsets", "targets", "supervised", "program", "denominator")
BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The time that every array is said to be of: the first that zip knows."""


def data_to_bytes(data: DataSet) -> bytes:
    """The content of a data set's file: the same bytes for the same data. Integers are stored as narrow as they fit."""
    arrays: dict[str, NDArray[Any]] = {
        "tokens": _stored(data.tokens),
        "offsets": data.offsets.astype("<i8"),
        "targets": _stored(data.targets),
        "supervised": data.supervised,
    }
    if data.program is not None:
        arrays["program"] = np.array(str(data.program), dtype="<U")
    if data.denominator != 1:
        arrays["denominator"] = np.array(data.denominator, dtype="<i8")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", BEGINNING)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as file:
                npy.write_array(file, np.ascontiguousarray(array).reshape(array.shape), (1, 0), allow_pickle=False)
    return stream.getvalue()


def _stored(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype("<f8") if array.dtype.kind == "f" else narrow(array)


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
    packed = read_bytes(path, MAX_BYTES)
    try:
        arrays = _arrays(packed)
        return _data_set(arrays)
    except DataError as problem:
        raise DataError(f"{path}: {problem}") from None
    except FileError as problem:
        raise FileError(f"{path}: {problem}") from None
    except Exception as error:  # whatever the parsers of foreign bytes raise
        raise FileError(f"{path}: not a data set, or a damaged one: {error or type(error).__name__}") from None


def _arrays(packed: bytes) -> dict[str, NDArray[Any]]:
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        entries = archive.infolist()
        (listed,) = struct.unpack_from("<H", packed, packed.rfind(b"PK\5\6") + 10)
        if listed != len(entries):
            raise FileError(f"a damaged data set: it lists {len(entries)} arrays, but says that it has {listed}")
        size = sum(entry.file_size for entry in entries)
        if size > MAX_BYTES:
            raise FileError(f"unpacks to {size:,} bytes, more than the {MAX_BYTES:,} that are read")
        for entry in entries:
            name = entry.filename.removesuffix(".npy")
            if name not in ARRAYS or name in arrays:
                what = "twice an array" if name in arrays else "an array"
                raise FileError(f"not a data set: it has {what} {name!r}; expected {', '.join(ARRAYS)}")
            arrays[name] = _array(archive.read(entry), name)
    if missing := [name for name in ("tokens", "targets") if name not in arrays]:
        raise FileError(f"not a data set: it has no array {missing[0]!r}")
    return arrays


def _array(content: bytes, name: str) -> NDArray[Any]:
    """The array of an ``.npy`` file, without numpy's loader, so that no size that is only claimed is believed."""
    stream = io.BytesIO(content)
    version = npy.read_magic(stream)
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read_header is None:
        raise FileError(f"array {name!r} has .npy version {version[0]}.{version[1]}, expected 1.0 or 2.0")
    shape, by_columns, dtype = read_header(stream)
    if dtype.kind not in "iufbU" or dtype.hasobject or dtype.subdtype or (dtype.kind == "f" and dtype.itemsize > 8):
        raise FileError(f"array {name!r} holds {dtype}, expected numbers, booleans or text")
    values = content[stream.tell() :]
    count = 1
    for length in shape:
        count *= length
    if count * dtype.itemsize != len(values):
        raise FileError(f"array {name!r} has {len(values):,} bytes, expected {count:,} x {dtype.itemsize}")
    array: NDArray[Any] = np.ndarray(shape, dtype, values, order="F" if by_columns else "C")
    return array


def _data_set(arrays: dict[str, NDArray[Any]]) -> DataSet:
    tokens, targets = (_wide(arrays[name], name) for name in ("tokens", "targets"))
    program = _program(arrays["program"]) if "program" in arrays else None
    below = _denominator(arrays["denominator"]) if "denominator" in arrays else 1
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


def _denominator(array: NDArray[Any]) -> int:
    if array.dtype.kind not in "iu" or array.ndim or int(array[()]) < 1:
        shown = array[()] if not array.ndim else f"of shape {array.shape}"
        raise DataError(f"denominator ({array.dtype}) is {shown}, expected one whole number of at least 1")
    return int(array[()])


def _program(array: NDArray[Any]) -> Program:
    if array.dtype.kind != "U" or array.ndim:
        raise FileError(f"array 'program' is {array.dtype} {array.shape}, expected one text")
    return program_from_text(str(array[()]))


def _wide(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Integers as int64, floats as float64. Raises DataError."""
    if array.dtype.kind not in "iuf":
        raise DataError(f"{name} have dtype {array.dtype}, expected integers or floats")
    if array.dtype.kind == "u" and array.size and int(array.max()) >= 2**63:
        raise DataError(f"{name} hold {int(array.max())}, which does not fit into 64 bits with a sign")
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
