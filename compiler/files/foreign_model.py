"""Models that something else wrote: ``.safetensors`` or ``.npz`` files of weights, without anything of attnc in them.

Beside the weights (see `projections`) a file may hold ``heads``, a number; ``embeddings`` (T, d) with the names of the
``tokens``; and the names of the ``coordinates``. In safetensors these numbers and names may be JSON in the metadata.
Nothing is executed, and what is not understood is refused rather than left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import deserialize

from compiler.errors import AttncError, FileError
from compiler.files.arrays import read_arrays
from compiler.files.model_file import KEY, MAX_BYTES, MAX_HEADER, model_from_bytes
from compiler.files.projections import FACTS, fused
from compiler.files.writing import read_bytes
from compiler.model import Model

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "|b1"} | {
    f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)
}


def load_any_model(path: str | Path, *, heads: int | None = None) -> Model:
    """The model at `path`: of attnc, or weights that something else wrote.

    Without names for its coordinates they are x[0], x[1], ...; see `compiler.reading` for which they are.

    Parameters
    ----------
    heads
        How many heads projections are of, where the file does not say.

    Raises
    ------
    FileError
        For a file that cannot be read, is no model, or needs `heads`.
    """
    if str(path).endswith(".npz"):
        return read_arrays(path, "a model", None, lambda arrays: _model(dict(arrays), {}, heads))
    data = read_bytes(path, MAX_BYTES)
    metadata = _metadata(data)
    if metadata is None or KEY in metadata:
        model = model_from_bytes(data, name=str(path))
        if heads not in (None, len(model.heads)):
            raise FileError(f"{path}: the model has {len(model.heads)} heads, not {heads}")
        return model
    try:
        return _model(_tensors(data), metadata, heads)
    except FileError as problem:
        raise FileError(f"{path}: {problem}") from None
    except Exception as error:  # whatever the parsers of foreign bytes raise
        raise FileError(f"{path}: not a model, or a damaged one: {error or type(error).__name__}") from None


def _metadata(data: bytes) -> dict[str, Any] | None:
    """The metadata of a safetensors file, empty if it has none; None for what is no such file."""
    try:
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size]) if size <= MAX_HEADER else None
        return None if header is None else dict(header.get("__metadata__", {}))
    except Exception:  # whatever the parsers of foreign bytes raise
        return None


def _tensors(data: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a safetensors file, widened where numpy has no such type: a bfloat16 is the float it begins."""
    found = {}
    for name, entry in deserialize(data):  # type: ignore[no-untyped-call]
        dtype = entry["dtype"]
        if dtype not in DTYPES:
            raise FileError(f"array {name!r} holds {dtype}, expected integers, or floats of 16, 32 or 64 bits")
        array = np.frombuffer(entry["data"], dtype=DTYPES[dtype]).reshape(entry["shape"])
        found[name] = (array.astype("<u4") << 16).view("<f4") if dtype == "BF16" else array
    return found


def _model(arrays: dict[str, NDArray[Any]], metadata: Mapping[str, Any], heads: int | None) -> Model:
    for field in FACTS:
        if field in metadata:
            if field in arrays:
                raise FileError(f"it says {field} twice, in an array and in the metadata")
            arrays[field] = _parsed(field, metadata[field])
    count = _count(arrays.pop("heads", None), heads)
    names, coordinates = (_names(arrays.pop(field, None), field) for field in FACTS[1:])
    for name, array in arrays.items():
        _check_numbers(name, array)
    embeddings = arrays.pop("embeddings", None)
    V, Q = fused(arrays, count)
    tokens = _embedded(embeddings, names, V.shape[-1] if V.ndim else 0)
    try:
        return Model.from_arrays(V, Q, coordinates=coordinates, tokens=tokens)
    except AttncError as problem:
        raise FileError(str(problem)) from None


def _parsed(field: str, text: Any) -> NDArray[Any]:
    """A number, or a list of texts, as an array."""
    value = json.loads(text)
    listed = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if not listed and type(value) is not int:
        raise FileError(f"its metadata say {field} is {text[:60]}; expected a number of heads, or a list of names")
    return np.array(value, dtype="<U" if listed else np.int64)


def _count(array: NDArray[Any] | None, heads: int | None) -> int | None:
    """The number of heads that the file or its user gives."""
    if array is None:
        return heads
    if array.dtype.kind not in "iu" or array.size != 1 or array.item() < 1:
        raise FileError(f"heads is {array.dtype} {array.shape}, expected one whole number of at least 1")
    if heads is not None and heads != array.item():
        raise FileError(f"it says that it has {array.item()} heads, not {heads}")
    return int(array.item())


def _names(array: NDArray[Any] | None, field: str) -> tuple[str, ...] | None:
    if array is None:
        return None
    if array.dtype.kind != "U" or array.ndim != 1:
        raise FileError(f"{field} are {array.dtype} {array.shape}, expected a list of texts")
    names = tuple(array.tolist())
    if len(set(names)) != len(names):
        raise FileError(f"two of the {field} have the same name")
    return names


def _check_numbers(name: str, array: NDArray[Any]) -> None:
    if array.dtype.kind not in "iuf":
        raise FileError(f"array {name!r} holds {array.dtype}, expected numbers")
    if array.dtype.kind == "f" and not bool(np.all(np.isfinite(array))):
        raise FileError(f"array {name!r} has an entry that is NaN or infinite")


def _embedded(embeddings: NDArray[Any] | None, names: tuple[str, ...] | None, d: int) -> dict[str, NDArray[Any]]:
    """The rows of embeddings by name; none where the file has none."""
    if embeddings is None and names is None:
        return {}
    if embeddings is None or names is None:
        missing = "embeddings of its tokens" if embeddings is None else "names (tokens) for its embeddings"
        raise FileError(f"it has no {missing}")
    if embeddings.shape != (len(names), d):
        raise FileError(f"embeddings have shape {embeddings.shape}, expected ({len(names)}, {d}), a token a row")
    wide = embeddings.astype(np.float64) if embeddings.dtype.kind == "f" else embeddings
    return dict(zip(names, wide, strict=True))
