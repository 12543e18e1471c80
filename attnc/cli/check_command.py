"""``attnc check``."""

from __future__ import annotations

import click

from attnc.cli import NO
from attnc.cli.printing import json_option, note, print_json, print_table
from compiler.errors import UnknownProgramError
from compiler.language.diagnostics import Diagnostic
from compiler.language.families.examples import examples_of
from compiler.language.load import module_of
from compiler.language.syntax_to_program import Module
from compiler.program import Program
from compiler.program.machine import Machine
from compiler.program.run import Example, Run
from compiler.program.universal import UniversalAutomaton, UniversalMachine
from compiler.program.words import shorten

MAX_STEPS = 10_000_000
"""How many steps an example of a machine may take."""


@click.command("check")
@click.argument("program")
@json_option
@click.pass_context
def command(ctx: click.Context, program: str, as_json: bool) -> None:
    """Find mistakes in a file (or library program), warn of oddities, and run the examples."""
    module, name = module_of(program)
    programs = module.check_all()
    if not programs:
        raise UnknownProgramError(f"{module.source.name} holds no program")
    if name is not None:
        from compiler.language.load import pick

        programs = {name: pick(module, name)}
    warnings = [each for each in module.diagnostics if each.severity == "warning"]
    for warning in sorted(warnings, key=lambda each: each.span.start):
        note(warning.render())
    rows = []
    for each in programs.values():
        failed = _failures(module, each)
        for failure in failed:
            note(failure.render())
        rows.append({"program": each.name, "kind": each.kind, "examples": len(each.examples), "failed": len(failed)})
    if as_json:
        print_json({"programs": rows, "warnings": len(warnings)})
    else:
        print_table(("program", "kind", "examples", "failed"), (tuple(row.values()) for row in rows))
    if any(row["failed"] for row in rows):
        ctx.exit(NO)


def _failures(module: Module, program: Program) -> list[Diagnostic]:
    found = []
    for syntax, example in zip(examples_of(module.syntax[program.name]), program.examples, strict=True):
        run = run_example(program, example)
        if not example.holds(run):
            wanted = f"gives {', '.join(example.result) or 'nothing'}" if example.verb == "gives" else example.verb
            got = f"{run.outcome}, output {', '.join(run.output) or 'empty'}" if run.output else run.outcome
            message = f"this example fails: expected {shorten(wanted)}, got {shorten(got)}"
            found.append(Diagnostic(module.source, syntax.span, message))
    return found


def run_example(program: Program, example: Example) -> Run:
    """The run of an example by the reference interpreter, bounded in steps."""
    match program:
        case Machine():
            return program.run((str(item) for item in example.word), steps=MAX_STEPS)
        case UniversalMachine():
            return program.run((str(i) for i in example.word), given=program.check_fits(example.given), steps=MAX_STEPS)
        case UniversalAutomaton():
            return program.run((str(item) for item in example.word), given=program.check_fits(example.given))
        case _:
            return program.run(example.word)  # type: ignore[arg-type]
