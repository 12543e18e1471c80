"""``attnc bench``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attnc.cli.printing import json_option, note, print_json, print_table, shown
from compiler.formal.layers import LAYERS
from compiler.formal.tasks import TASKS

if TYPE_CHECKING:
    from compiler.formal.table import Cell
    from compiler.formal.training import Key, Scores

LEGEND = """Above: expressible / compiled, and right up to this length.
Below: trained, % of words that are right at every position, of lengths {}."""


@click.group("bench")
def command() -> None:
    """Measure. Long work that was stopped goes on where it was."""


@command.command("formal")
@click.option("--layer", "layers", multiple=True, type=click.Choice(list(LAYERS)), help="Only this one; repeatable.")
@click.option("--task", "tasks", multiple=True, type=click.Choice(list(TASKS)), help="Only this language; repeatable.")
@click.option("-o", "output", metavar="FILE.json", help="Save the table; what is trained there is not trained again.")
@json_option
def formal(layers: tuple[str, ...], tasks: tuple[str, ...], output: str | None, as_json: bool) -> None:
    """Layers on formal languages: can they express them, compiled exactly, and trained.

    Training needs torch (pip install 'attnc[torch]'). The whole table takes a quarter of an hour on two processors.
    """
    from compiler.formal.compiled import compiled_cells
    from compiler.formal.recipe import recipe
    from compiler.formal.table import table

    keys = [(layer, task) for layer in layers or LAYERS for task in tasks or TASKS]
    cells = table(keys, compiled=compiled_cells(keys), trained=_trained(keys, output))
    if as_json:
        print_json({"cells": [cell.record() for cell in cells], "recipe": recipe()})
    else:
        _print(cells, tuple(tasks or TASKS))


def _trained(keys: Sequence[Key], output: str | None) -> dict[Key, Scores]:
    """The scores of the cells: those that the file has, and, with torch, those that are trained now and put there."""
    from attnc.cli.progress import progress_bar
    from compiler.formal.recipe import has_torch
    from compiler.formal.training import train_cells

    known, keep = _kept(output)
    missing = [key for key in keys if key not in known]
    if missing and not has_torch():
        note("the trained column needs torch: pip install 'attnc[torch]'")
        missing = []
    with progress_bar("cells") as told:
        for key, scores in train_cells(missing):
            known[key] = scores
            keep(known)
            told(sum(each in known for each in missing), len(missing))
    keep(known)
    return known


def _kept(output: str | None) -> tuple[dict[Key, Scores], Callable[[dict[Key, Scores]], None]]:
    """What the output file has, and what saves the whole table there with more. Raises FileError."""
    from compiler.errors import FileError
    from compiler.files.formal_file import save_table, trained_in
    from compiler.files.writing import check_target
    from compiler.formal.compiled import compiled_cells
    from compiler.formal.recipe import recipe
    from compiler.formal.table import table

    if output is None:
        return {}, lambda _: None
    check_target(output, ".json")
    known: dict[Key, Scores] = {}
    made_by: Any = recipe()
    if Path(output).exists():
        known, made_by = trained_in(output)
        if known and made_by != recipe():
            raise FileError(f"{output}: was made by another recipe or another torch; save to another file")
    everything = [(layer, task) for layer in LAYERS for task in TASKS]
    compiled = compiled_cells(everything)
    return known, lambda more: save_table(output, table(everything, compiled=compiled, trained=more), recipe())


def _print(cells: Sequence[Cell], tasks: Sequence[str]) -> None:
    """A row for each layer, a column for each language."""
    from compiler.formal.recipe import TESTS

    rows: dict[str, list[str]] = {}
    for cell in cells:
        rows.setdefault(cell.layer, [cell.layer]).append(_shown(cell))
    print_table(["layer", *tasks], rows.values())
    click.echo(LEGEND.format(", ".join(TESTS)))


def _shown(cell: Cell) -> str:
    from compiler.formal.recipe import TESTS

    scores = "-" if cell.trained is None else " ".join(f"{100 * cell.trained[name]:.0f}" for name in TESTS)
    return f"{shown(cell.expressible)} / {shown(cell.compiled)}\n{scores}"
