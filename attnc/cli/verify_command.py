"""``attnc verify``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from attnc.cli import DONE, NO, UNDECIDED
from attnc.cli.printing import json_option, print_json
from attnc.cli.references import heads_option, model_or_program

if TYPE_CHECKING:
    from verify.verdict import Verdict

STATUS = {"proved": DONE, "refuted": NO, "undecided": UNDECIDED}


@click.command("verify")
@click.argument("a")
@click.argument("b")
@click.option(
    "--level", type=click.Choice(["everywhere", "domain", "decisions", "tested"]), help="Decide just this level."
)
@click.option(
    "--up-to", type=click.IntRange(min=1), metavar="N", help="Only words of up to N symbols count (decisions, tested)."
)
@heads_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, a: str, b: str, level: str | None, up_to: int | None, heads: int | None, as_json: bool
) -> None:
    """Decide whether A and B are the same: a program and a model, two models, or two programs.

    Without --level the strongest level that holds is found: the same function everywhere, the same on every
    configuration that the program can reach, or the same decisions (the nearest token), at every length or up to the
    horizon. A refutation shows the shortest counterexample. A model may be one that something else wrote, the weights
    of a layer in a .safetensors or .npz file.
    """
    from verify.verdict import LEVELS
    from verify.verify import verify

    if up_to is not None and level in ("everywhere", "domain"):
        raise click.UsageError(f"--up-to bounds lengths, and level {level} speaks of every length")
    left, right = (model_or_program(each, heads) for each in (a, b))
    found: Verdict = verify(left, right, level=level, up_to=up_to)  # type: ignore[arg-type]
    if as_json:
        print_json(asdict(found))
    else:
        words = {"proved": "", "refuted": "not ", "undecided": "no difference was found, which proves nothing: "}
        click.echo(f"{found.verdict} ({found.level}): {words[found.verdict]}{LEVELS[found.level]}{_lengths(found)}")
        if found.counterexample is not None:
            shown = found.counterexample
            click.echo(f"  counterexample  {', '.join(map(str, shown.input)) or 'the empty word'}")
            click.echo(
                f"  expected        {shown.expected}\n  got             {shown.got}\n  at              {shown.at}"
            )
        for line in found.witness:
            click.echo(f"  {line}")
        for assumption in found.assumptions:
            click.echo(f"  {assumption}")
        click.echo(f"  digests {found.program[:16]} {found.model[:16]}, {found.seconds:.2f} s")
    ctx.exit(STATUS[found.verdict])


def _lengths(found: Verdict) -> str:
    """For which lengths the claim is proved, where it speaks of decisions."""
    if found.level != "decisions":
        return ""
    if found.verdict == "proved":
        return ", at every length" if found.lengths == "all" else f", on words of up to {found.lengths:,} symbols"
    return f"; all words of up to {found.lengths:,} symbols are decided rightly"
