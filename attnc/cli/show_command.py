"""``attnc show``."""

from __future__ import annotations

import click
import numpy as np
from numpy.typing import NDArray

from attnc.cli.printing import json_option, note, print_facts, print_json, print_table
from attnc.cli.references import model_or_program
from compiler.attention import Head
from compiler.errors import UnsupportedError
from compiler.heads_to_rules import heads_to_rules, live_rules
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.rules import Form


@click.command("show")
@click.argument("program")
@json_option
def command(program: str, as_json: bool) -> None:
    """Show the coordinates in order, the tokens, each rule as a sentence, and the rules that each head carries.

    PROGRAM may be a model's file too.
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
    heads = [(head.name, _rules((head,), model, pairs)) for head in model.heads]
    rules = _rules(model.heads, model, pairs)
    if as_json:
        print_json(
            {
                "program": None if model.program is None else str(model.program),
                "coordinates": list(model.coordinates),
                "tokens": {name: described(vector, model.coordinates) for name, vector in model.tokens.items()},
                "rules": [str(rule) for rule in rules],
                "heads": [{"head": name, "rules": [str(rule) for rule in form]} for name, form in heads],
            }
        )
        return
    click.echo()
    print_facts({"dimension": model.d, "heads": len(model.heads), "rules": len(rules)})
    click.echo("\nCoordinates")
    print_table(("place", "name"), enumerate(model.coordinates))
    click.echo("\nTokens")
    print_table(("token", "vector"), ((n, described(v, model.coordinates)) for n, v in model.tokens.items()))
    for name, form in heads:
        click.echo(f"\nHead: {name}")
        for rule in form:
            click.echo(f"  {rule}")


def _rules(heads: tuple[Head, ...], model: Model, pairs: NDArray[np.int64]) -> Form:
    """The rules that the model's own tokens can bring to bear; all, for a model without tokens."""
    return live_rules(heads, model.coordinates, pairs) if len(pairs) else heads_to_rules(heads, model.coordinates)


def described(vector: NDArray[np.generic], coordinates: tuple[str, ...]) -> str:
    """A vector as a sum of coordinates: ``reg + state[even]``."""
    text = ""
    for place in np.flatnonzero(vector).tolist():
        value = vector[place].item() if hasattr(vector[place], "item") else vector[place]
        size = "" if abs(value) == 1 else f"{abs(value)} "
        text += (" - " if value < 0 else " + " if text else "") + size + coordinates[place]
    return text.strip() or "0"
