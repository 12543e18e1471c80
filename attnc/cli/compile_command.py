"""``attnc compile``."""

from __future__ import annotations

import click

from attnc.cli.printing import json_option, print_facts, print_json
from compiler.language.load import load


@click.command("compile")
@click.argument("program")
@click.option("-o", "output", required=True, metavar="M.safetensors", help="The model's file.")
@click.option("--minimise", is_flag=True, help="First take the automaton with the fewest states.")
@json_option
def command(program: str, output: str, minimise: bool, as_json: bool) -> None:
    """Compile PROGRAM to the weights of one layer of linear attention, exactly."""
    from attnc.storage import MODEL, save
    from compiler.files.writing import check_target
    from compiler.program_to_model import compile

    check_target(output, MODEL)
    source = load(program)
    model = compile(source, minimise=minimise)
    save(model, output)
    facts = {
        "program": source.name,
        "kind": source.kind,
        "dimension": model.d,
        "heads": len(model.heads),
        "rules": len(model.rules),
        "entries": sum(len(matrix.rows) for head in model.heads for matrix in (head.V, head.Q)),
    }
    if as_json:
        print_json(facts)
    else:
        weights = ", ".join(str(value) for value in model.entries().tolist())
        print_facts(facts | {"weights in": f"{{{weights}}}", "written": output})
