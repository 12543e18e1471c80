"""The table of formal languages in a file: canonical JSON, from which training goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from compiler.errors import FileError
from compiler.files.canonical_json import canonical, load_json, object_of
from compiler.files.writing import write_bytes
from compiler.formal.table import Cell
from compiler.formal.training import Key, Scores


def save_table(path: str | Path, cells: Iterable[Cell], recipe: Mapping[str, Any]) -> None:
    """Write cells and the recipe of their training, whole or not at all. Raises FileError."""
    write_bytes(path, canonical({"cells": [cell.record() for cell in cells], "recipe": recipe}))


def trained_in(path: str | Path) -> tuple[dict[Key, Scores], Any]:
    """What was trained according to a file, and its recipe. Raises FileError for a file that is no table."""
    found = load_json(path, lambda content: object_of(content, {"cells", "recipe"}, "table of formal languages"))
    try:
        cells = [Cell(**each) for each in found["cells"]]
        scores = {(cell.layer, cell.task): dict(cell.trained) for cell in cells if cell.trained is not None}
    except (TypeError, ValueError):
        raise FileError(f"{path}: no table of formal languages: its cells are of another kind") from None
    return scores, found["recipe"]
