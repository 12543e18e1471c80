"""``attnc decompile``."""

from __future__ import annotations

import click

from attnc.cli.printing import json_option, print_json
from attnc.cli.references import load_model_file


@click.command("decompile")
@click.argument("model")
@json_option
def command(model: str, as_json: bool) -> None:
    """Read the program back from MODEL, prove on all words that the model is it, and print its text."""
    from verify.decompiled import decompile

    program = decompile(load_model_file(model))
    if as_json:
        print_json({"program": program.name, "kind": program.kind, "text": str(program)})
    else:
        click.echo(str(program), nl=False)
