"""Canonical JSON: one way to write a value, so that equal values are equal bytes (docs/files.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from compiler.errors import FileError
from compiler.files.writing import read_bytes

MAX_BYTES = 2**30
"""The largest file that is read."""
T = TypeVar("T")


def canonical(value: Any) -> bytes:
    """The one text of a value, UTF-8: keys in order, no spaces. Raises ValueError for NaN and infinities."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def object_of(content: bytes, keys: Collection[str], what: str) -> dict[str, Any]:
    """The object with just these keys whose canonical text `content` is. Raises FileError, which says no `what`."""
    try:
        found = json.loads(content)
        same = canonical(found) == content
    except (ValueError, RecursionError) as error:  # NaN and half characters have no canonical text
        raise FileError(f"no {what}: {error}") from None
    if not isinstance(found, dict) or found.keys() != set(keys) or not same:
        raise FileError(f"no {what}: it is not canonical JSON with the keys of one")
    return found


def load_json(path: str | Path, read: Callable[[bytes], T]) -> T:
    """What `read` makes of the file at `path`, whose name stands before its complaints. Raises FileError."""
    try:
        return read(read_bytes(path, MAX_BYTES))
    except FileError as problem:
        text = str(problem)
        raise FileError(text if text.startswith(str(path)) else f"{path}: {text}") from None
