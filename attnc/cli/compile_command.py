"""``attnc compile``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from attnc.cli.printing import json_option, print_facts, print_json, print_table
from compiler.errors import UnsupportedError
from compiler.fastweight.target import TARGETS
from compiler.language.load import load
from compiler.program import Automaton, Machine, Memory

if TYPE_CHECKING:
    from compiler.fastweight.target import Target
    from compiler.program import Program
    from compiler.program_to_rules.lower import Construction, Fewest


@click.command("compile")
@click.argument("program")
@click.option("-o", "output", required=True, metavar="M.safetensors", help="The model's file.")
@click.option("--minimise", is_flag=True, help="First take the automaton with the fewest states.")
@click.option(
    "--cells", type=click.IntRange(min=1), help="Another length of a machine's tape; its examples are left out."
)
@click.option(
    "--fewest",
    type=click.Choice(["heads", "dimensions", "tokens"]),
    help="Take the construction with the fewest of these; with heads, look for fewer still, with a lower bound.",
)
@click.option(
    "--construction",
    type=click.Choice(["registers", "history"]),
    default="registers",
    show_default=True,
    help="Fast-weight registers, or every step at a time of its own, which needs a bound.",
)
@click.option(
    "--bound", type=click.IntRange(min=1), help="The most symbols of a word, or steps of a machine, of a history."
)
@click.option(
    "--target",
    type=click.Choice(TARGETS),
    help="Compile to a stack of recurrent layers of the fast-weight family instead.",
)
@json_option
def command(
    program: str,
    output: str,
    minimise: bool,
    cells: int | None,
    fewest: Fewest | None,
    construction: Construction,
    bound: int | None,
    target: Target | None,
    as_json: bool,
) -> None:
    """Compile PROGRAM to the weights of one layer of linear attention, exactly; or to the layers of a --target."""
    from attnc.storage import MODEL, save
    from compiler.files.writing import check_target
    from compiler.program_to_model import compiled

    check_target(output, MODEL)
    source = load(program)
    if cells is not None:
        if not isinstance(source, Machine):
            raise UnsupportedError(f"--cells sets the tape of a machine; {source.kind} {source.name} has none")
        source = replace(source, cells=cells, examples=source.examples if cells == source.cells else ())
    if minimise and isinstance(source, Automaton):
        source = source.minimised()
    if target is not None:
        if (fewest, construction, bound, cells) != (None, "registers", None, None):
            raise click.UsageError("with --target the only other choice is --minimise")
        _to_target(source, target, output, as_json=as_json)
        return
    model, found = compiled(source, fewest, construction, bound)
    save(model, output)
    facts = {
        "program": source.name,
        "kind": source.kind,
        "dimension": model.d,
        "heads": len(model.heads),
        "rules": len(model.live_rules),
        "entries": sum(len(matrix.rows) for head in model.heads for matrix in (head.V, head.Q)),
    }
    if found is not None:
        facts |= {"fewest_bound": found.bound, "minimal": found.minimal}
    if isinstance(source, Memory) and source.dimensions is not None:
        from compiler.program_to_rules.cross_talk import capacity

        facts |= {"capacity": capacity(source), "capacity_of_stored_keys": capacity(source, missing=False)}
    if as_json:
        print_json(facts)
    else:
        weights = ", ".join(str(value) for value in model.entries().tolist())
        print_facts(facts | {"weights in": f"{{{weights}}}", "written": output})


def _to_target(program: Program, target: Target, output: str, *, as_json: bool) -> None:
    """Compile to a member of the fast-weight family, write it and say how large it is."""
    from compiler.fastweight.targets import compile_to
    from compiler.files.recurrent_file import save_recurrent

    made = compile_to(program, target)
    save_recurrent(made, output)
    if as_json:
        layers = [size._asdict() for size in made.sizes]
        print_json({"program": program.name, "kind": program.kind, "target": target, "layers": layers})
    else:
        print_facts({"program": program.name, "kind": program.kind, "target": target, "written": output})
        print_table(("layer", "tokens", "heads", "keys", "values", "steps"), made.sizes)
