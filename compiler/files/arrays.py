"""Files of named arrays, ``.npz`` without pickles: reproducible bytes out, nothing believed or executed in."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from compiler.errors import AttncError, DataError, FileError
from compiler.exact import largest
from compiler.files.program_text import program_from_text
from compiler.files.weights import narrow
from compiler.files.writing import read_bytes, write_stream
from compiler.program import Program

MAX_BYTES = 4 * 2**30
"""The largest file that is read, packed or unpacked."""
BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The time that every array is said to be of: the first that zip knows."""

Arrays = Mapping[str, NDArray[Any]]
T = TypeVar("T")


def write_arrays(path: str | Path, arrays: Arrays, *, plain: Collection[str] = ()) -> None:
    """Write arrays in their order, deflated but for those that are `plain`. Raises FileError."""
    write_stream(path, lambda stream: pack(stream, arrays, plain))


def pack(stream: Any, arrays: Arrays, plain: Collection[str] = ()) -> None:
    """The bytes of arrays, the same for the same ones, into a binary stream."""
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", BEGINNING)
            entry.compress_type = zipfile.ZIP_STORED if name in plain else zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as file:
                npy.write_array(file, np.ascontiguousarray(array).reshape(array.shape), (1, 0), allow_pickle=False)


def stored(array: NDArray[Any]) -> NDArray[Any]:
    """Numbers as files hold them: float64, the narrowest signed integers, or beyond 64 bits decimal text."""
    if array.dtype.kind == "f":
        return array.astype("<f8")
    if array.dtype.kind == "i" or largest(array) < 2**63:
        return narrow(array.astype(np.int64))
    return np.array([str(value) for value in array.ravel().tolist()], dtype="<U").reshape(array.shape)


def names_in(path: str | Path) -> set[str]:
    """The names of the arrays in a file; none where it is no such file, or cannot be read."""
    try:
        if not Path(path).is_file():  # to open a pipe would wait for somebody to write into it
            return set()
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except Exception:  # whatever the parsers of foreign bytes raise
        return set()


def read_arrays(path: str | Path, what: str, names: Collection[str] | None, made: Callable[[Arrays], T]) -> T:
    """What `made` makes of the arrays in a file, of which each must have one of the `names` (None: any).

    Raises FileError and DataError, which name the file; a mistake in what foreign bytes say is one of these, always.
    """
    packed = read_bytes(path, MAX_BYTES)
    try:
        return made(_unpacked(packed, what, names))
    except DataError as problem:
        raise DataError(f"{path}: {problem}") from None
    except FileError as problem:
        raise FileError(f"{path}: {problem}") from None
    except AttncError:
        raise
    except Exception as error:  # whatever the parsers of foreign bytes raise
        raise FileError(f"{path}: not {what}, or a damaged one: {error or type(error).__name__}") from None


def _unpacked(packed: bytes, what: str, names: Collection[str] | None) -> dict[str, NDArray[Any]]:
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        entries = archive.infolist()
        (listed,) = struct.unpack_from("<H", packed, packed.rfind(b"PK\5\6") + 10)
        if listed != len(entries):
            raise FileError(f"a damaged file: it lists {len(entries)} arrays, but says that it has {listed}")
        size = sum(entry.file_size for entry in entries)
        if size > MAX_BYTES:
            raise FileError(f"unpacks to {size:,} bytes, more than the {MAX_BYTES:,} that are read")
        for entry in entries:
            name = entry.filename.removesuffix(".npy")
            if name in arrays:
                raise FileError(f"not {what}: it has twice an array {name!r}")
            if names is not None and name not in names:
                raise FileError(f"not {what}: it has an array {name!r}; expected {', '.join(names)}")
            arrays[name] = _array(archive.read(entry), name)
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


def program_of(array: NDArray[Any]) -> Program:
    """The program of the array ``program``. Raises FileError."""
    return program_from_text(text_of(array, "program"))


def text_of(array: NDArray[Any], name: str) -> str:
    """The one text of an array. Raises FileError."""
    if array.dtype.kind != "U" or array.ndim:
        raise FileError(f"array {name!r} is {array.dtype} {array.shape}, expected one text")
    return str(array[()])


def denominator_of(array: NDArray[Any]) -> int:
    """The number of the array ``denominator``. Raises DataError."""
    if array.dtype.kind not in "iu" or array.ndim or int(array[()]) < 1:
        shown = array[()] if not array.ndim else f"of shape {array.shape}"
        raise DataError(f"denominator ({array.dtype}) is {shown}, expected one whole number of at least 1")
    return int(array[()])


def about(program: Program | None, denominator: int) -> dict[str, NDArray[Any]]:
    """The arrays ``program`` and ``denominator``, where they say something."""
    found: dict[str, NDArray[Any]] = {}
    if program is not None:
        found["program"] = np.array(str(program), dtype="<U")
    if denominator != 1:
        found["denominator"] = np.array(denominator, dtype="<i8")
    return found
