"""Proofs of verdicts as files of canonical JSON. The format, and what is to be checked: docs/files.md."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compiler.errors import FileError
from compiler.files.writing import read_bytes, write_bytes

ENDING = ".json"
FORMAT = 1
MAX_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class StoredProof:
    """A proof as it is stored.

    Attributes
    ----------
    program, model
        The digests of the program's text and of the model.
    claim
        The verdict, its level, and for which lengths it is claimed.
    premises
        What is said of the program: its rules, or how its runs are made, with the tokens as the model embeds them.
    proof
        What follows from that and from the weights, to be checked.
    """

    program: str
    model: str
    claim: dict[str, Any]
    premises: dict[str, Any]
    proof: dict[str, Any]


KEYS = {"format", *StoredProof.__annotations__}


def proof_to_bytes(stored: StoredProof) -> bytes:
    """The content of a proof's file: the same bytes for the same proof."""
    return _canonical({"format": FORMAT} | asdict(stored))


def proof_from_bytes(content: bytes) -> StoredProof:
    """What `proof_to_bytes` wrote. Raises FileError for anything else; its numbers are not looked at."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FileError(f"no proof: {error}") from None
    if not isinstance(found, dict) or found.keys() != KEYS or _canonical(found) != content:
        raise FileError("no proof: it is not canonical JSON with the keys of one")
    if found.pop("format") != FORMAT or not all(isinstance(found[key], str) for key in ("program", "model")):
        raise FileError(f"a proof of another format than {FORMAT}")
    if not all(isinstance(found[key], dict) for key in ("claim", "premises", "proof")):
        raise FileError("no proof: claim, premises and proof must be objects")
    return StoredProof(**found)


def save_proof(stored: StoredProof, path: str | Path) -> None:
    """Write `stored` to `path`, whole or not at all. Raises FileError."""
    write_bytes(path, proof_to_bytes(stored))


def load_proof(path: str | Path) -> StoredProof:
    """The proof at `path`. Raises FileError."""
    try:
        return proof_from_bytes(read_bytes(path, MAX_BYTES))
    except FileError as problem:
        text = str(problem)
        raise FileError(text if text.startswith(str(path)) else f"{path}: {text}") from None


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
