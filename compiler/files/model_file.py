"""Models as ``.safetensors`` files: the same bytes for the same model, integers as integers, rationals exact.

The format is defined in docs/files.md. One metadata key, ``attnc``, holds canonical JSON; the weights are tensors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from compiler.attention import Head, Sparse
from compiler.errors import FileError, ModelError, SourceError
from compiler.files.writing import read_bytes, write_bytes
from compiler.model import Model
from compiler.program import Program
from compiler.rules import exact_array

FORMAT = 1
DENSE_LIMIT = 64 * 2**20
"""V and Q are stored dense while each takes at most so many bytes; coordinate lists of their entries beyond."""
MAX_BYTES = 4 * 2**30
KEY = "attnc"
SIDES = ("V", "Q")

Tensors = dict[str, NDArray[Any]]


def model_to_bytes(model: Model) -> bytes:
    """The content of a model's file. Raises ModelError where a rational does not fit into int64 / int64."""
    dense = model.d**2 * max(1, len(model.heads)) * 8 <= DENSE_LIMIT
    tensors: Tensors = {}
    for side in SIDES:
        tensors |= _dense(model, side) if dense else _listed(model, side)
    described = {
        "format": FORMAT,
        "program": None if model.program is None else str(model.program),
        "coordinates": list(model.coordinates),
        "heads": [head.name for head in model.heads],
        "tokens": {name: _sparse(vector) for name, vector in model.tokens.items()},
    }
    described["digest"] = _digest(described, tensors)
    return bytes(save_tensors(tensors, metadata={KEY: _canonical(described)}))


def save_model(model: Model, path: str | Path) -> None:
    """Write `model` to `path`, whole or not at all. Raises FileError, ModelError."""
    write_bytes(path, model_to_bytes(model))


def load_model(path: str | Path) -> Model:
    """The model at `path`; nothing in the file is executed.

    Raises
    ------
    FileError
        For a file that cannot be read, is not in the format, or was changed after it was written.
    """
    return model_from_bytes(read_bytes(path, MAX_BYTES), name=str(path))


def model_from_bytes(data: bytes, *, name: str = "<bytes>") -> Model:
    """The model that `data` holds; see `load_model`."""
    try:
        tensors: Tensors = load_tensors(data)
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size]).get("__metadata__") or {}
        described = json.loads(metadata[KEY]) if KEY in metadata else None
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileError(f"{name}: not a model file, or a damaged one: {error}") from None
    if not isinstance(described, dict):
        raise FileError(f"{name}: a safetensors file without the metadata key {KEY!r}, so not a model of attnc")
    if described.get("format") != FORMAT:
        raise FileError(f"{name}: format {described.get('format')!r}, this version reads format {FORMAT}")
    digest = described.pop("digest", None)
    try:
        if digest != _digest(described, tensors):
            raise FileError(f"{name}: its digest does not match its content: it was changed after it was written")
        return _model(described, tensors)
    except (ModelError, SourceError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise FileError(f"{name}: not a valid model: {error or type(error).__name__}") from None


def _model(described: Mapping[str, Any], tensors: Tensors) -> Model:
    from compiler.language.load import parse

    names = tuple(str(each) for each in described["coordinates"])
    text = described["program"]
    program: Program | None = None if text is None else parse(str(text))
    sides = [_read_side(tensors, side, len(names), len(described["heads"])) for side in SIDES]
    heads = tuple(Head(str(label), v, q) for label, v, q in zip(described["heads"], sides[0], sides[1], strict=True))
    tokens = {str(token): _vector(entries, len(names)) for token, entries in described["tokens"].items()}
    return Model(names, heads, tokens, program)


def _digest(described: Mapping[str, Any], tensors: Tensors) -> str:
    """SHA-256 over the metadata (without the digest) and every tensor with its name, dtype and shape."""
    body = hashlib.sha256(_canonical({k: v for k, v in described.items() if k != "digest"}).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        body.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        body.update(array.tobytes())
    return body.hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _sparse(vector: NDArray[Any]) -> list[list[Any]]:
    """The non-zero entries [place, value] of an embedding; a rational is a pair [numerator, denominator]."""
    return [[place, _number(value)] for place, value in enumerate(vector.tolist()) if value != 0]


def _number(value: Any) -> Any:
    return [value.numerator, value.denominator] if isinstance(value, Fraction) else value


def _vector(entries: Any, d: int) -> NDArray[Any]:
    values: list[Any] = [0] * d
    for place, value in entries:
        values[_place(place, d)] = Fraction(*value) if isinstance(value, list) else value
    return exact_array(values)


def _place(value: Any, d: int) -> int:
    if not isinstance(value, int) or not 0 <= value < d:
        raise ModelError(f"a token has an entry at {value!r}, expected a coordinate from 0 to {d - 1}")
    return value


def _dense(model: Model, side: str) -> Tensors:
    return _with_rationals(side, model.V if side == "V" else model.Q)


def _listed(model: Model, side: str) -> Tensors:
    """The entries of all heads' matrices: ``V.index`` (n, 3) of head, row, column, and ``V``, the weights (n,)."""
    matrices = [head.V if side == "V" else head.Q for head in model.heads]
    index = np.concatenate(
        [np.stack([np.full(len(m.rows), n), m.rows, m.columns], axis=1) for n, m in enumerate(matrices)]
    )
    weights = np.concatenate([m.weights for m in matrices])
    return {f"{side}.index": index.astype(np.int32)} | _with_rationals(side, weights)


def _with_rationals(name: str, array: NDArray[Any]) -> Tensors:
    """An array as tensors: itself, or for rationals float64 with exact numerators and denominators beside it."""
    if array.dtype.kind != "O":
        return {name: np.ascontiguousarray(array)}
    values = [Fraction(value) for value in array.ravel().tolist()]
    if any(abs(value.numerator) >= 2**63 or value.denominator >= 2**63 for value in values):
        raise ModelError("a weight is a rational whose numerator or denominator does not fit into 64 bits")
    parts = {
        name: np.array([float(value) for value in values]),
        f"{name}.numerator": np.array([value.numerator for value in values], dtype=np.int64),
        f"{name}.denominator": np.array([value.denominator for value in values], dtype=np.int64),
    }
    return {key: part.reshape(array.shape) for key, part in parts.items()}


def _read_side(tensors: Tensors, side: str, d: int, heads: int) -> list[Sparse]:
    values = _read_weights(tensors, side)
    if f"{side}.index" not in tensors:
        if values.shape != (heads, d, d):
            raise ModelError(f"{side} has shape {values.shape}, expected ({heads}, {d}, {d})")
        return [Sparse.of(values[n]) for n in range(heads)]
    index = tensors[f"{side}.index"]
    if index.shape != (len(values), 3) or values.ndim != 1:
        raise ModelError(f"{side}.index has shape {index.shape}, expected ({len(values)}, 3)")
    if len(index) and (index.min() < 0 or index[:, 0].max() >= heads or index[:, 1:].max() >= d):
        raise ModelError(f"{side}.index has an entry outside {heads} heads and {d} coordinates")
    return [
        Sparse(index[at, 1].astype(np.int32), index[at, 2].astype(np.int32), values[at])
        for at in (np.flatnonzero(index[:, 0] == n) for n in range(heads))
    ]


def _read_weights(tensors: Tensors, name: str) -> NDArray[Any]:
    values = tensors[name]
    if f"{name}.numerator" in tensors:
        above, below = tensors[f"{name}.numerator"].ravel().tolist(), tensors[f"{name}.denominator"].ravel().tolist()
        rationals = np.empty(len(above), dtype=object)
        rationals[:] = [Fraction(n, m) for n, m in zip(above, below, strict=True)]
        return rationals.reshape(values.shape)
    if values.dtype not in (np.int64, np.float64):
        raise ModelError(f"{name} has dtype {values.dtype}, expected int64 or float64")
    return values
