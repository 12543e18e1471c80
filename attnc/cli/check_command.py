"""``attnc check``."""

from __future__ import annotations

import click

from attnc.cli import NO
from attnc.cli.printing import json_option, note, print_json, print_table
from compiler.errors import UnknownProgramError
from compiler.language.diagnostics import Diagnostic
from compiler.language.families.examples import examples_of
from compiler.language.families.properties import properties_of
from compiler.language.load import module_of
from compiler.language.syntax_to_program import Module
from compiler.program import Automaton, Program
from compiler.program.machine import Machine
from compiler.program.properties import Property, least_violation
from compiler.program.run import Example, Run
from compiler.program.universal import UniversalAutomaton, UniversalMachine
from compiler.program.words import shorten, spell_word

MAX_STEPS = 10_000_000
"""How many steps an example of a machine may take."""


@click.command("check")
@click.argument("program")
@json_option
@click.pass_context
def command(ctx: click.Context, program: str, as_json: bool) -> None:
    """Find mistakes in a file (or library program), warn of oddities, run the examples and decide the properties."""
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
        failed = _failures(module, each) + _violations(module, each)
        for failure in failed:
            note(failure.render())
        counts = {"examples": len(each.examples), "properties": len(_properties(each)), "failed": len(failed)}
        rows.append({"program": each.name, "kind": each.kind} | counts)
    if as_json:
        print_json({"programs": rows, "warnings": len(warnings)})
    else:
        shown = [name for name in rows[0] if name != "properties" or any(row["properties"] for row in rows)]
        print_table(shown, ([row[name] for name in shown] for row in rows))
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


def _properties(program: Program) -> tuple[Property, ...]:
    return program.properties if isinstance(program, Automaton) else ()


def _violations(module: Module, program: Program) -> list[Diagnostic]:
    """The properties that do not hold, each with the least word on which it does not."""
    found = []
    for syntax, claim in zip(properties_of(module.syntax[program.name]), _properties(program), strict=True):
        assert isinstance(program, Automaton)
        word = least_violation(program, claim)
        if word is not None:
            run = program.run(word)
            got = f"the output is {', '.join(run.output) or 'empty'}" if program.is_transducer else run.outcome
            message = f"this property fails on {shorten(spell_word(word, program.alphabet))}: {shorten(got)}"
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
