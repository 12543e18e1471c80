"""``attnc learn``."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Literal

import click

from attnc.cli import NO
from attnc.cli.parameters import Bytes, Ridge
from attnc.cli.printing import json_option, note, print_facts, print_json
from compiler.language.load import load


@click.command("learn")
@click.argument("data")
@click.option("-o", "output", required=True, metavar="M.safetensors", help="The learned model's file.")
@click.option("--for", "program", metavar="PROGRAM", help="Certify the data for this program.")
@click.option("--require", type=click.Choice(["exact", "certified"]), help="Exit with 1 if it is not.")
@click.option("--ridge", type=Ridge(), default=0.0, help="Ridge of real-valued data: a number, or cv to choose one.")
@click.option("--memory", type=Bytes(), default="4GB", show_default=True, help="What the solver may use.")
@click.option("--fewest", type=click.Choice(["heads"]), help="Look for the fewest heads, with a lower bound.")
@click.option("--features", is_flag=True, help="Name the features that are zero, or duplicates, on the data.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    data: str,
    output: str,
    program: str | None,
    require: str | None,
    ridge: float | Literal["cv"],
    memory: int,
    fewest: Literal["heads"] | None,
    features: bool,
    as_json: bool,
) -> None:
    """Learn the model that fits DATA, or the data that are summed up in moments, best; integers exactly."""
    from attnc.cli.redundant_features import as_facts, lines
    from attnc.storage import MODEL, load_npz, save
    from compiler.files.writing import check_target
    from compiler.learning.learn import learn

    if require == "certified" and program is None:
        raise click.UsageError("--require certified needs --for PROGRAM: data are certified for a program")
    check_target(output, MODEL)
    named = None if program is None else load(program)
    learned = learn(load_npz(data), program=named, ridge=ridge, memory=memory, fewest=fewest)
    redundant = learned.report.redundant if features else None
    save(learned.model, output)
    facts = asdict(replace(learned.report, search=None))
    del facts["search"]
    if as_json:
        print_json(facts | {"redundant": None if redundant is None else as_facts(redundant)})
    else:
        print_facts(facts | {"rules": len(learned.model.rules), "written": output})
        for line in () if redundant is None else lines(redundant):
            click.echo(line)
    if require is not None and not facts[require]:
        reason = "`attnc certify` names what the data leave open" if require == "certified" else "see the residual"
        note(f"the result is not {require}: {reason}")
        ctx.exit(NO)
