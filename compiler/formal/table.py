"""The table layer x language: what is proved of it, how far the compiled layer was run, what training found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from compiler.formal.expressible import EXPRESSIBLE
from compiler.formal.training import Key, Scores

Statement = tuple[bool | None, str]
"""Yes, no, or None for "not settled here"; and why."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A layer on a language.

    Attributes
    ----------
    layer, task
        Their names, in compiler/formal/layers.py and compiler/formal/tasks.py.
    expressible, reason
        Whether some weights of such layers recognise the language at every length; None where that is not settled here.
    compiled
        The length up to which exact weights were run without a mistake; None where there are none.
    trained
        The scores of the trained model, by the names of the tests; None where none was trained.
    """

    layer: str
    task: str
    expressible: bool | None
    reason: str
    compiled: int | None
    trained: Scores | None

    def record(self) -> dict[str, Any]:
        """The cell for JSON."""
        return asdict(self)


def table(
    keys: Iterable[Key],
    *,
    expressible: Mapping[Key, Statement] = EXPRESSIBLE,
    compiled: Mapping[Key, int],
    trained: Mapping[Key, Scores],
) -> list[Cell]:
    """The cells of these layers and languages; mappings leave out what they do not know."""
    cells = []
    for layer, task in keys:
        known, reason = expressible.get((layer, task), (None, "not settled here"))
        cells.append(Cell(layer, task, known, reason, compiled.get((layer, task)), trained.get((layer, task))))
    return cells
