"""Proofs of verdicts as files of canonical JSON. The format, and what is to be checked: docs/files.md."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compiler.errors import FileError
from compiler.files.canonical_json import canonical, load_json, object_of
from compiler.files.writing import write_bytes

ENDING = ".json"
FORMAT = 1


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
    return canonical({"format": FORMAT} | asdict(stored))


def proof_from_bytes(content: bytes) -> StoredProof:
    """What `proof_to_bytes` wrote. Raises FileError for anything else; its numbers are not looked at."""
    found = object_of(content, KEYS, "proof")
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
    return load_json(path, proof_from_bytes)
