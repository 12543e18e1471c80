"""Models as ``.safetensors`` files: the same bytes for the same model, integers as integers, rationals exact.

The format is defined in docs/files.md. One metadata key, ``attnc``, holds canonical JSON; the weights are tensors. A
digest covers all of it, and nothing else may be in the file, so a file that was changed anywhere is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from fractions import Fraction
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from compiler.errors import AttncError, FileError, ModelError
from compiler.files.canonical_json import canonical
from compiler.files.program_text import program_from_text
from compiler.files.weights import Tensors, heads_to_tensors, tensors_to_heads
from compiler.files.writing import read_bytes, write_bytes
from compiler.model import Model
from compiler.rules import Weights, exact_array
from compiler.vocabulary import Vocabulary

FORMAT = 1
"""The version of the file format."""
LANGUAGE = 1
"""The version of the language of the program text."""
DENSE_LIMIT = 64 * 2**20
"""V and Q are stored dense while each takes at most so many bytes; lists of their entries beyond."""
MAX_BYTES = 4 * 2**30
"""The largest file that is read."""
MAX_HEADER = 100_000_000
"""The largest header that safetensors reads."""
KEY = "attnc"
FIELDS = ("coordinates", "digest", "format", "heads", "language", "program", "program_digest", "tokens")


def model_to_bytes(model: Model) -> bytes:
    """The content of a model's file. Raises ModelError for a model that does not fit into the format."""
    dense = model.d**2 * len(model.heads) * 8 <= DENSE_LIMIT
    tensors = heads_to_tensors(model.heads, model.d, dense=dense)
    text = None if model.program is None else str(model.program)
    described = {
        "format": FORMAT,
        "language": LANGUAGE,
        "program": text,
        "program_digest": None if text is None else hashlib.sha256(text.encode()).hexdigest(),
        "coordinates": list(model.coordinates),
        "heads": [head.name for head in model.heads],
        "tokens": _tokens(model.vocabulary),
    }
    try:
        described["digest"] = _digest(described, tensors)
        content = bytes(save_tensors(tensors, metadata={KEY: canonical(described).decode()}))
    except UnicodeEncodeError as error:
        raise ModelError(f"a name is not text that a file can hold: {error.object!r}") from None
    if int.from_bytes(content[:8], "little") > MAX_HEADER:
        raise ModelError(f"names and vocabulary take more than the {MAX_HEADER:,} bytes that a file may give them")
    return content


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
        text = _metadata(data)
        described = None if text is None else json.loads(text)
    except Exception as error:  # whatever the parsers of foreign bytes raise
        raise FileError(f"{name}: not a model file, or a damaged one: {error or type(error).__name__}") from None
    if not isinstance(described, dict):
        raise FileError(f"{name}: a safetensors file without the one metadata key {KEY!r}, so not a model of attnc")
    if described.get("format") != FORMAT or described.get("language") != LANGUAGE:
        versions = f"format {described.get('format')!r}, language {described.get('language')!r}"
        raise FileError(f"{name}: {versions}; this version reads format {FORMAT}, language {LANGUAGE}")
    try:
        if canonical(described).decode() != text or described.get("digest") != _digest(described, tensors):
            raise FileError("its digest does not match its content: it was changed after it was written")
        return _model(described, tensors)
    except FileError as problem:
        raise FileError(f"{name}: {problem}") from None
    except (AttncError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise FileError(f"{name}: not a valid model: {error or type(error).__name__}") from None


def _metadata(data: bytes) -> str | None:
    """The text under the metadata key. Raises ValueError for a header that is not compact JSON padded with spaces."""
    written = data[8 : 8 + int.from_bytes(data[:8], "little")].decode().rstrip(" ")
    header = json.loads(written)
    if json.dumps(header, ensure_ascii=False, separators=(",", ":")) != written:
        raise ValueError("its header is not compact JSON")
    metadata = header.get("__metadata__")
    return metadata[KEY] if isinstance(metadata, dict) and list(metadata) == [KEY] else None


def _model(described: Mapping[str, Any], tensors: Tensors) -> Model:
    if tuple(sorted(described)) != FIELDS:
        raise ModelError(f"its fields are {', '.join(sorted(described))}; expected {', '.join(FIELDS)}")
    names, heads = (_texts(described[field], field) for field in ("coordinates", "heads"))
    text = described["program"]
    if text is not None and not isinstance(text, str):
        raise ModelError(f"program is {text!r}, expected a text")
    if text is not None and hashlib.sha256(text.encode()).hexdigest() != described["program_digest"]:
        raise ModelError("program_digest is not the digest of its program text")
    if text is None and described["program_digest"] is not None:
        raise ModelError("it has the digest of a program, but no program")
    program = None if text is None else program_from_text(text)
    listed = [token for token, _ in described["tokens"]]
    if len(set(_texts(listed, "tokens"))) != len(listed):
        raise ModelError("two tokens have the same name")
    tokens = Vocabulary.joined(listed, len(names), [_vector(entries, len(names)) for _, entries in described["tokens"]])
    return Model(names, tensors_to_heads(tensors, heads, len(names)), tokens, program)


def _texts(value: Any, field: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ModelError(f"{field} must be named by a list of texts")
    return tuple(value)


def _digest(described: Mapping[str, Any], tensors: Tensors) -> str:
    """SHA-256 over the metadata (with an empty digest) and every tensor with its name, dtype and shape."""
    body = hashlib.sha256(canonical({**described, "digest": ""}))
    for name in sorted(tensors):
        array = tensors[name]
        shape = ",".join(map(str, array.shape))
        body.update(f"\0{name}\0{array.dtype.kind}{array.dtype.itemsize}\0{shape}\0".encode())
        body.update(np.ascontiguousarray(array).tobytes())
    return body.hexdigest()


def _tokens(vocabulary: Vocabulary) -> list[list[Any]]:
    """Name and non-zero entries [place, value] of each token; a rational is a pair [numerator, denominator]."""
    found = []
    for number, name in enumerate(vocabulary.names):
        places, values = (array.tolist() for array in vocabulary.entries(number))
        found.append([name, [[place, _number(value)] for place, value in zip(places, values, strict=True)]])
    return found


def _number(value: Any) -> Any:
    if not isinstance(value, Fraction):
        return value
    return value.numerator if value.denominator == 1 else [value.numerator, value.denominator]


def _vector(entries: Any, d: int) -> tuple[NDArray[np.int64], Weights]:
    places: list[int] = []
    values: list[Any] = []
    last = -1
    for place, value in entries:
        if type(place) is not int or not last < place < d:
            raise ModelError(f"a token has an entry at {place!r}; expected ascending places from 0 to {d - 1}")
        places.append(place)
        values.append(_read_number(value))
        last = place
    return np.array(places, dtype=np.int64), exact_array(values)


def _read_number(value: Any) -> Any:
    if type(value) in (int, float) and value != 0:
        return value
    if isinstance(value, list) and len(value) == 2 and all(type(each) is int for each in value):
        above, below = value
        if below > 1 and gcd(above, below) == 1:
            return Fraction(above, below)
    raise ModelError(f"a token has the entry {value!r}; expected a number, or [numerator, denominator] in lowest terms")
