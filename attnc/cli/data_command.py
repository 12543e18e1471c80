"""``attnc data``."""

from __future__ import annotations

import re

import click

from attnc.cli import NO
from attnc.cli.printing import json_option, print_facts, print_json
from compiler.language.load import load


class Lengths(click.ParamType[tuple[int, int]]):
    """A range of lengths, ``A:B``, both ends included."""

    name = "A:B"

    def convert(  # noqa: D102 - click's interface
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        match = re.fullmatch(r"(\d{1,9})(?::(\d{1,9}))?", str(value))
        if match is None:
            self.fail(f"{value!r} is no range of lengths; expected A:B, such as 1:20", param, ctx)
        return int(match[1]), int(match[2] or match[1])


@click.command("data")
@click.argument("program")
@click.option("-o", "output", required=True, metavar="D.npz", help="The data set's file.")
@click.option("--certified", is_flag=True, help="A small set that determines the program's model at every length.")
@click.option("-n", "count", type=click.IntRange(min=1), help="So many words (default 100).")
@click.option("--lengths", type=Lengths(), help="Their lengths, both ends included (default 1:20).")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    program: str,
    output: str,
    certified: bool,
    count: int | None,
    lengths: tuple[int, int] | None,
    seed: int,
    as_json: bool,
) -> None:
    """Generate training data: runs of PROGRAM, supervised at every input symbol."""
    from attnc.storage import DATA, save
    from compiler.files.writing import check_target
    from compiler.learning.certificate import certify
    from compiler.traces.program_to_traces import generate

    if certified and (count is not None or lengths is not None):
        raise click.UsageError("a certified set has the size that it needs; leave out -n and --lengths")
    check_target(output, DATA)
    source = load(program)
    data = generate(source, count=count, lengths=lengths, seed=seed, certified=certified)
    facts = {"program": source.name, "sequences": len(data), "tokens": len(data.tokens), "samples": data.samples}
    if certified:
        found = certify(data, source)
        facts |= {"rank": found.rank, "span": found.span, "certified": found.certified}
    save(data, output)
    if as_json:
        print_json(facts)
    else:
        print_facts(facts | {"written": output})
    if certified and not facts["certified"]:
        ctx.exit(NO)
