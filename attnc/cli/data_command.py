"""``attnc data``."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from attnc.cli import NO
from attnc.cli.printing import json_option, note, print_facts, print_json
from compiler.language.load import load

if TYPE_CHECKING:
    from compiler.learning.count_certificate import Certificate
    from compiler.traces.data_set import DataSet


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
    with _progress():
        data = generate(source, count=count, lengths=lengths, seed=seed, certified=certified)
    facts: dict[str, Any] = {
        "program": source.name,
        "sequences": len(data),
        "tokens": len(data.tokens),
        "samples": data.samples,
    }
    if certified:
        found = certify(data, source)
        facts |= {"rank": found.rank, "span": found.span, "certified": found.certified} | _shown(data, found)
    save(data, output)
    if as_json:
        print_json(facts)
    else:
        print_facts({name.replace("_", " "): value for name, value in facts.items()} | {"written": output})
    if certified and not facts["certified"]:
        ctx.exit(NO)


def _shown(data: DataSet, found: Certificate) -> dict[str, int | float]:
    """What a certified set shows: its types of tokens, the points where it asks, the hull there, the traces kept.

    A point is a token to which an answer is wanted; the hull is the dimension of all that can be reached, summed over
    the points. A sample adds at most one to the rank, so `least_samples` is the rank; `ratio` is how many times that
    the set has.
    """
    import numpy as np

    types, places = data.types()
    points = len(np.unique(places[data.supervised]))
    shown = {"token_types": len(types), "points": points, "hull": found.span, "traces_kept": len(data)}
    return shown | {"least_samples": found.rank, "ratio": data.samples / found.rank}


@contextmanager
def _progress() -> Iterator[None]:
    """What the generator says about its progress goes to stderr, meanwhile."""
    logger = logging.getLogger("compiler.traces")
    handler = logging.Handler()
    handler.emit = lambda record: note(record.getMessage())  # type: ignore[method-assign]
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
