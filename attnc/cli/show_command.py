"""``attnc show``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from attnc.cli.printing import json_option, note, print_facts, print_json
from attnc.cli.references import model_or_program
from compiler.attention import Head
from compiler.errors import UnsupportedError
from compiler.heads_to_rules import heads_to_rules, live_rules
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.rules import Form

MOST_LINES = 1_000
"""How many lines of each listing are printed, unless all are asked for."""


@click.command("show")
@click.argument("program")
@click.option(
    "--all", "all_of_it", is_flag=True, help=f"Print every listing whole, not its first {MOST_LINES:,} lines."
)
@json_option
def command(program: str, all_of_it: bool, as_json: bool) -> None:
    """Show the coordinates in order, the tokens, each rule as a sentence, and the rules that each head carries.

    PROGRAM may be a model's file too. Long listings are cut; --all and --json print them whole.
    """
    thing = model_or_program(program)
    if isinstance(thing, Model):
        model = thing
    else:
        if not as_json:
            click.echo(str(thing), nl=False)
        try:
            model = compile(thing)
        except UnsupportedError as problem:
            note(str(problem))
            if as_json:
                print_json({"program": str(thing), **dict.fromkeys(("coordinates", "tokens", "rules", "heads"))})
            return
    pairs = model.vocabulary.pairs()
    rules = _rules(model.heads, model, pairs)
    tokens = ((name, _token(model, number)) for number, name in enumerate(model.vocabulary.names))
    if as_json:
        heads = [(head.name, _rules((head,), model, pairs)) for head in model.heads]
        print_json(
            {
                "program": None if model.program is None else str(model.program),
                "coordinates": list(model.coordinates),
                "tokens": dict(tokens),
                "rules": [str(rule) for rule in rules],
                "heads": [{"head": name, "rules": [str(rule) for rule in form]} for name, form in heads],
            }
        )
        return
    click.echo()
    print_facts({"dimension": model.d, "heads": len(model.heads), "rules": len(rules)})
    most = None if all_of_it else MOST_LINES
    _print_columns("Coordinates", ("place", "name"), enumerate(model.coordinates), model.d, most)
    _print_columns("Tokens", ("token", "vector"), tokens, len(model.vocabulary), most)
    _print_heads(model, pairs, most)


def _print_columns(
    title: str, header: tuple[str, str], rows: Iterable[tuple[object, str]], size: int, most: int | None
) -> None:
    """A listing of two columns, of `size` rows, at most `most` of them."""
    listed = [header, *((str(left), right) for left, right in islice(rows, most))]
    width = max(len(left) for left, _ in listed)
    click.echo(f"\n{title}\n" + "\n".join(f"{left:<{width}}  {right}".rstrip() for left, right in listed))
    _print_rest(size - len(listed) + 1, "lines")


def _print_heads(model: Model, pairs: NDArray[np.int64], most: int | None) -> None:
    """The rules of each head, at most `most` lines of them."""
    left = most
    for number, head in enumerate(model.heads):
        if left == 0:
            _print_rest(len(model.heads) - number, "heads")
            return
        form = _rules((head,), model, pairs)
        lines = [f"  {rule}" for rule in islice(form, left)]
        click.echo("\n".join([f"\nHead: {head.name}", *lines]))
        _print_rest(len(form) - len(lines), "rules")
        left = None if left is None else left - len(lines)


def _print_rest(count: int, what: str) -> None:
    if count:
        click.echo(f"... {count:,} more {what}; --all prints them")


def _rules(heads: tuple[Head, ...], model: Model, pairs: NDArray[np.int64]) -> Form:
    """The rules that the model's own tokens can bring to bear; all, for a model without tokens."""
    return live_rules(heads, model.coordinates, pairs) if len(pairs) else heads_to_rules(heads, model.coordinates)


def described(vector: NDArray[np.generic], coordinates: tuple[str, ...]) -> str:
    """A vector as a sum of coordinates: ``reg + state[even]``."""
    places = np.flatnonzero(vector)
    return _sum(places.tolist(), vector[places].tolist(), coordinates)


def _token(model: Model, number: int) -> str:
    places, values = model.vocabulary.entries(number)
    return _sum(places.tolist(), values.tolist(), model.coordinates)


def _sum(places: Sequence[int], values: Sequence[Any], coordinates: tuple[str, ...]) -> str:
    text = ""
    for place, value in zip(places, values, strict=True):
        size = "" if abs(value) == 1 else f"{abs(value)} "
        text += (" - " if value < 0 else " + " if text else "") + size + coordinates[place]
    return text.strip() or "0"
