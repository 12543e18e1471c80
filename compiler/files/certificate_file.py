"""Certificates as files of canonical JSON. The format, and what a checker is to check, are defined in docs/files.md."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compiler.errors import FileError
from compiler.files.canonical_json import canonical, load_json, object_of
from compiler.files.writing import write_bytes
from compiler.traces.data_set import DataSet

ENDING = ".json"
FORMAT = 1
KEYS = {"format", "program", "data", "premises", "proof"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A certificate as it is stored.

    Attributes
    ----------
    program, data
        The digests of the program's text and of the data.
    premises
        What is said of the program: how its runs are made.
    proof
        What follows from that and from the data, to be checked.
    """

    program: str
    data: str
    premises: dict[str, Any]
    proof: dict[str, Any]


def certificate_to_bytes(stored: Stored) -> bytes:
    """The content of a certificate's file: the same bytes for the same certificate."""
    parts = {"program": stored.program, "data": stored.data, "premises": stored.premises, "proof": stored.proof}
    return canonical({"format": FORMAT, **parts})


def certificate_from_bytes(content: bytes) -> Stored:
    """What `certificate_to_bytes` wrote. Raises FileError for anything else; its numbers are not looked at."""
    found = object_of(content, KEYS, "certificate")
    if found["format"] != FORMAT or not all(isinstance(found[key], str) for key in ("program", "data")):
        raise FileError(f"a certificate of format {found['format']!r}, expected {FORMAT}")
    if not all(isinstance(found[key], dict) for key in ("premises", "proof")):
        raise FileError("no certificate: its premises and its proof must be objects")
    return Stored(found["program"], found["data"], found["premises"], found["proof"])


def save_certificate(stored: Stored, path: str | Path) -> None:
    """Write `stored` to `path`, whole or not at all. Raises FileError."""
    write_bytes(path, certificate_to_bytes(stored))


def load_certificate(path: str | Path) -> Stored:
    """The certificate at `path`. Raises FileError."""
    return load_json(path, certificate_from_bytes)


def data_digest(data: DataSet) -> str:
    """SHA-256 of integer data, the same however they are stored."""
    body = hashlib.sha256()
    arrays = (("tokens", data.tokens), ("offsets", data.offsets), ("targets", data.targets))
    for name, array in (*arrays, ("supervised", data.supervised), ("denominator", np.array(data.denominator))):
        shape = ",".join(map(str, array.shape))
        body.update(f"{name}\0{shape}\0".encode() + np.ascontiguousarray(array).astype("<i8").tobytes())
    return body.hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of a program's text."""
    return hashlib.sha256(text.encode()).hexdigest()
