"""``attnc run``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
import numpy as np

from attnc.cli import UNDECIDED
from attnc.cli.printing import json_option, note, print_json, print_table
from attnc.cli.references import load_model_file
from compiler.errors import UnsupportedError
from compiler.language.load import load
from compiler.model import Decode, Model
from compiler.model_for_program import model_for_program
from compiler.program import Automaton, Machine, Program, UniversalAutomaton, UniversalMachine
from compiler.program.run import Run
from compiler.program.words import shorten, spell_word
from compiler.program_to_model import compile
from compiler.rules import Form
from compiler.runtime.run import events

DEFAULT_TOKENS = 10_000_000


@click.command("run")
@click.argument("program")
@click.argument("word", nargs=-1, required=True)
@click.option("--model", "model_file", metavar="M", help="Run this model instead of compiling the program.")
@click.option("--given", metavar="PROGRAM", help="The program that a universal program is to run.")
@click.option("--decode", type=click.Choice(["nearest", "raw"]), default="nearest", show_default=True)
@click.option("--cells", type=click.IntRange(min=1), help="The length of a machine's tape.")
@click.option("--trace", is_flag=True, help="Print each token by name, and what the layer read.")
@click.option("--max-tokens", type=click.IntRange(min=1), default=DEFAULT_TOKENS, show_default=True)
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    program: str,
    word: tuple[str, ...],
    model_file: str | None,
    given: str | None,
    decode: Decode,
    cells: int | None,
    trace: bool,
    max_tokens: int,
    as_json: bool,
) -> None:
    """Run PROGRAM on each WORD: automata through their compiled layer, other programs by the interpreter.

    A WORD is a list of symbols separated by commas, run together where each is one character; "" is the empty word.
    Words that begin with - stand behind -- at the end.
    """
    source = load(program)
    if cells is not None:
        if not isinstance(source, Machine):
            raise UnsupportedError(f"--cells sets the tape of a machine; {source.kind} {source.name} has none")
        source = replace(source, cells=cells)
    if given is not None and not isinstance(source, UniversalAutomaton | UniversalMachine):
        raise UnsupportedError(f"--given names what a universal program runs; {source.kind} {source.name} runs words")
    if isinstance(source, Automaton):
        model = model_for_program(load_model_file(model_file), source) if model_file else compile(source)
        runs = [_run_model(source, model, each, decode, max_tokens, trace, as_json) for each in word]
    else:
        if model_file or trace or decode == "raw":
            raise UnsupportedError(
                f"{source.kind} {source.name} has no model in this version; leave out --model, --trace, --decode"
            )
        runs = [_interpret(source, each, given, max_tokens) for each in word]
    _print(source, runs, as_json)
    if any(run.outcome == "unfinished" for run in runs):
        ctx.exit(UNDECIDED)


def _run_model(
    program: Automaton, model: Model, text: str, decode: Decode, max_tokens: int, trace: bool, as_json: bool
) -> Run:
    symbols = program.word(text)
    kept = symbols[: max(0, (max_tokens - 1) // 2)]
    if trace:
        _print_trace(model, kept, decode, aside=as_json)
    run = model.run(kept, decode=decode)
    expected = program.run(kept)
    if not run.agrees_with(expected):
        note(f"the model differs from the program on {shorten(text)}: the program's outcome is {expected.outcome}")
    return run if kept == symbols else replace(run, outcome="unfinished", input=symbols)


def _interpret(program: Program, text: str, given: str | None, max_tokens: int) -> Run:
    if isinstance(program, UniversalAutomaton | UniversalMachine):
        if given is None:
            raise UnsupportedError(f"{program.kind} {program.name} runs another program; name it with --given")
        inner: Any = load(given)
        if isinstance(program, UniversalAutomaton):
            return program.run(text, given=inner)
        return program.run(text, given=inner, steps=max_tokens)
    if isinstance(program, Machine):
        return program.run(text, steps=max_tokens)
    return program.run(text)


def _print(program: Program, runs: list[Run], as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "input": _items(run.input),
            "outcome": run.outcome,
            "output": list(run.output),
            "steps": run.steps,
            "tokens": len(run.tokens) or None,
        }
        for run in runs
    ]
    if as_json:
        print_json({"program": program.name, "kind": program.kind, "runs": rows})
        return
    shown: list[dict[str, Any]] = [
        {
            **row,
            "input": shorten(_spelled(row["input"]), 50),
            "output": shorten(_spelled(row["output"]), 70) if row["output"] else "",
        }
        for row in rows
    ]
    print_table(("input", "outcome", "output", "steps", "tokens"), (tuple(row.values()) for row in shown))


def _spelled(items: list[str]) -> str:
    """A word as it would be given again: requests as they are, symbols by the rule of words."""
    return ", ".join(items) if any(" = " in item for item in items) else spell_word(items, items)


def _items(word: tuple[Any, ...]) -> list[str]:
    return [item if isinstance(item, str) else f"{item[0]} = {item[1]}" for item in word]


def _print_trace(model: Model, symbols: tuple[str, ...], decode: Decode, *, aside: bool) -> None:
    """Each token by name; for an answer, the entries of the fast weights that were read to make it.

    Printed `aside`, on stderr, where stdout is kept for JSON.
    """
    rules = model.rules
    read = ""
    for place, event in enumerate(events(model, symbols, decode=decode)):
        kind, shown = ("input ", "") if event.answer is None else ("answer", f"read {read}")
        click.echo(f"{place:>5}  {kind}  {event.name:<32}  {shown}".rstrip(), err=aside)
        read = _read(rules, event.memory, event.vector)


def _read(rules: Form, memory: Any, token: Any) -> str:
    chosen = np.flatnonzero(token[rules.index[:, 0]] != 0)
    pairs = dict.fromkeys(map(tuple, rules.index[chosen][:, 1:3].tolist()))
    names = rules.coordinates
    found = [f"S[{names[b]}, {names[c]}] = {memory[b, c]}" for b, c in pairs if memory[b, c] != 0]
    return ", ".join(found[:6]) + (", ..." if len(found) > 6 else "") or "nothing"
