"""``attnc explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from attnc.cli import DONE, NO, UNDECIDED
from attnc.cli.printing import json_option, print_json
from compiler.fastweight.target import TARGETS
from compiler.language.load import load

if TYPE_CHECKING:
    from compiler.fastweight.target import Target
    from compiler.fastweight.targets import Explanation

STATUS = {True: DONE, False: NO, None: UNDECIDED}
SAID = {True: "yes", False: "no", None: "not known"}


@click.command("explain")
@click.argument("program")
@click.option(
    "--target",
    type=click.Choice(TARGETS),
    help="Of this one; the exit status says whether it can (0), cannot (1), or neither is known (3).",
)
@json_option
@click.pass_context
def command(ctx: click.Context, program: str, target: Target | None, as_json: bool) -> None:
    """Say whether stacks of fast-weight layers can run PROGRAM in real time, and why; without --target, which.

    One token for each symbol, any number of layers, position-wise decoding between them, nothing fed back.
    """
    from compiler.fastweight.targets import explain

    source = load(program)
    found = {each: explain(source, each) for each in ((target,) if target else TARGETS)}
    about = {"program": source.name, "kind": source.kind}
    if as_json:
        rows = [_row(each, explanation) for each, explanation in found.items()]
        print_json(about | (rows[0] if target else {"targets": rows}))
    else:
        for each, explanation in found.items():
            click.echo(f"{each}: {SAID[explanation.expressible]}; {explanation.reason}")
    if target is not None:
        ctx.exit(STATUS[found[target].expressible])


def _row(target: Target, found: Explanation) -> dict[str, object]:
    word = None if found.word is None else list(found.word)
    return {"target": target, "expressible": found.expressible, "reason": found.reason, "word": word}
