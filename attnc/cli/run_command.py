"""``attnc run``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

import click

from attnc.cli import INTERRUPTED, STOPPED, UNDECIDED
from attnc.cli.printing import json_option, note, print_json, print_table
from attnc.cli.references import heads_option, load_model_file
from compiler.errors import UnsupportedError
from compiler.fastweight.target import TARGETS
from compiler.language.load import load
from compiler.model import Decode, Model
from compiler.program import Automaton, Grammar, Machine, Memory, Program, UniversalAutomaton, UniversalMachine
from compiler.program.run import Run
from compiler.program.words import shorten, spell_word
from compiler.program_to_model import compile
from compiler.reading import read_as

if TYPE_CHECKING:
    from compiler.fastweight.kernels.precision import Precision
    from compiler.fastweight.recurrent_model import RecurrentModel
    from compiler.fastweight.target import Target
    from compiler.runtime.running import Running
    from compiler.runtime.stream import Stream

DEFAULT_TOKENS = 1_000_000_000
DEFAULT_RAW_TOKENS = 100_000
FIRST_RAW_TOKENS = 1_000
MOST_RAW_ENTRIES = 2**26
MOST_COMPARED = 1_000_000
"""The most steps of a machine's interpreter that a given model is compared with."""


class Row(TypedDict):
    """What is printed of a run."""

    input: list[str]
    outcome: str
    output: list[str]
    steps: int
    tokens: int | None


@click.command("run")
@click.argument("program")
@click.argument("word", nargs=-1, required=True)
@click.option("--model", "model_file", metavar="M", help="Run this model instead of compiling the program.")
@click.option("--given", metavar="PROGRAM", help="The program that a universal program is to run.")
@click.option("--decode", type=click.Choice(["nearest", "raw"]), default="nearest", show_default=True)
@click.option("--cells", type=click.IntRange(min=1), help="The length of a machine's tape.")
@click.option(
    "--target",
    type=click.Choice(TARGETS),
    help="Run a stack of recurrent layers of the fast-weight family.",
)
@click.option(
    "--precision",
    type=click.Choice(["float64", "float32", "float16", "bfloat16"]),
    help="The arithmetic of recurrent layers; float32 without it.",
)
@click.option("--trace", is_flag=True, help="Print each token by name, and what the layer read.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    show_default=f"{DEFAULT_TOKENS:,}; raw, where every answer is kept, at most {DEFAULT_RAW_TOKENS:,}",
)
@heads_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    program: str,
    word: tuple[str, ...],
    model_file: str | None,
    heads: int | None,
    given: str | None,
    decode: Decode,
    cells: int | None,
    target: Target | None,
    precision: Precision | None,
    trace: bool,
    max_tokens: int | None,
    as_json: bool,
) -> None:
    """Run PROGRAM on each WORD through its compiled layer; a universal program runs the one that --given names.

    A WORD is a list of symbols separated by commas, run together where each is one character; "" is the empty word.
    Words that begin with - stand behind -- at the end.
    """
    source = load(program)
    if cells is not None:
        if not isinstance(source, Machine):
            raise UnsupportedError(f"--cells sets the tape of a machine; {source.kind} {source.name} has none")
        source = replace(source, cells=cells)
    rows: list[Row]
    recurrent = _recurrent(source, target, model_file)
    if recurrent is not None:
        if (given, cells, max_tokens, heads) != (None, None, None, None) or trace or decode == "raw":
            raise click.UsageError("recurrent layers take --precision and --json alone")
        rows = [_row(recurrent.run(each, precision=precision or "float32")) for each in word]
        if model_file:
            for each, row in zip(word, rows, strict=True):
                _compare(source, each, row)
        _print(source, rows, as_json)
        return
    if precision is not None:
        raise click.UsageError("--precision is that of recurrent layers; give a --target, or a model of one")
    inner = _given(source, given)
    rows = []
    try:
        model = _model_in(model_file, heads, source) if model_file else compile(source)
        stream = None if decode == "raw" else _stream(model)
        for each in word:
            if stream is None:
                _raw(model, each, inner, max_tokens, rows)
            else:
                _run(stream, each, inner, max_tokens or DEFAULT_TOKENS, trace=trace, aside=as_json, rows=rows)
            if model_file:
                _compare(inner or source, each, rows[-1])
    except KeyboardInterrupt:
        _print(source, rows, as_json)
        note(STOPPED)
        ctx.exit(INTERRUPTED)
    _print(source, rows, as_json)
    if any(row["outcome"] == "unfinished" for row in rows):
        ctx.exit(UNDECIDED)


def _recurrent(program: Program, target: Target | None, model_file: str | None) -> RecurrentModel | None:
    """The recurrent layers that are asked for, by target or by file; None where one layer of attention is."""
    found = None
    if model_file is not None and model_file.endswith(".safetensors"):
        from compiler.files.recurrent_file import load_recurrent

        found = load_recurrent(model_file)
    if target is not None and model_file is not None:
        raise click.UsageError("give a --target, or a --model")
    if target is not None:
        from compiler.fastweight.targets import compile_to

        return compile_to(program, target)
    if found is not None and not _same(found.program, program):
        raise UnsupportedError(f"{model_file} runs {found.program.kind} {found.program.name}, not this {program.name}")
    return found


def _same(one: Program, other: Program) -> bool:
    """Whether they are the same program, or automata with the same least one (--minimise)."""
    if isinstance(one, Automaton) and isinstance(other, Automaton):
        return one.minimised() == other.minimised()
    return one == other


def _model_in(reference: str, heads: int | None, program: Program) -> Model:
    """The model in a file, as one of `program`; how it was read is said where it does not name its coordinates."""
    model, how = read_as(load_model_file(reference, heads), program)
    for line in how[:1]:
        note(line)
    return model


def _given(program: Program, given: str | None) -> Program | None:
    """What a universal program is to run, as it runs there; None for any other program. Raises UnsupportedError."""
    if not isinstance(program, UniversalAutomaton | UniversalMachine):
        if given is None:
            return None
        raise UnsupportedError(f"--given names what a universal program runs; {program.kind} {program.name} runs words")
    if given is None:
        wanted = "an automaton" if isinstance(program, UniversalAutomaton) else "a machine"
        raise UnsupportedError(
            f"{program.kind} {program.name} runs another program; name {wanted} with --given PROGRAM"
        )
    return program.check_fits(load(given))


def _stream(model: Model) -> Stream:
    from compiler.runtime.stream import Stream

    return Stream(model)


def _run(
    stream: Stream, text: str, given: Program | None, max_tokens: int, *, trace: bool, aside: bool, rows: list[Row]
) -> None:
    """Run a word, and add its row to `rows`: also when it is interrupted, with what it has come to."""
    running = stream.start(text, given=given, max_tokens=max_tokens)
    try:
        if trace:
            _print_trace(running, aside=aside)
        else:
            while running.advance():
                pass
    finally:
        ended = running.result()
        items = _items(running.lowering.word(text))
        rows.append(
            Row(input=items, outcome=ended.outcome, output=list(ended.output), steps=ended.steps, tokens=ended.tokens)
        )


def _raw(model: Model, text: str, given: Program | None, max_tokens: int | None, rows: list[Row]) -> None:
    """Run a word with its raw answers, and add its row to `rows`.

    The run begins anew with twice the tokens as long as it does not come to its end, so that an interrupted one leaves
    the row of the last that did. All answers are kept, so without a bound there is one on their entries.
    """
    max_tokens = max_tokens or min(DEFAULT_RAW_TOKENS, max(FIRST_RAW_TOKENS, MOST_RAW_ENTRIES // model.d))
    most = min(FIRST_RAW_TOKENS, max_tokens)
    run = model.run(text, given=given, decode="raw", max_tokens=most)
    try:
        while len(run.tokens) == most < max_tokens:
            most = min(2 * most, max_tokens)
            run = model.run(text, given=given, decode="raw", max_tokens=most)
    finally:
        rows.append(_row(run))


def _compare(program: Program, text: str, row: Row) -> None:
    """Say so where a given model's run is not the program's."""
    if isinstance(program, Machine):
        expected = program.run(text, steps=min(row["steps"] + 1, MOST_COMPARED))
    else:
        assert isinstance(program, Automaton | Memory | Grammar)
        expected = program.run(text)
    unknown = row["outcome"] == "unfinished" or (expected.outcome == "unfinished" and row["steps"] >= MOST_COMPARED)
    if not unknown and (expected.outcome, list(expected.output)) != (row["outcome"], row["output"]):
        note(f"the model differs from the program on {shorten(text)}: the program's outcome is {expected.outcome}")


def _row(run: Run) -> Row:
    return Row(
        input=_items(run.input),
        outcome=run.outcome,
        output=list(run.output),
        steps=run.steps,
        tokens=len(run.tokens) or None,
    )


def _print(program: Program, rows: list[Row], as_json: bool) -> None:
    if as_json:
        print_json({"program": program.name, "kind": program.kind, "runs": rows})
        return
    shown = [
        (
            shorten(_spelled(row["input"]), 50),
            row["outcome"],
            shorten(_spelled(row["output"]), 70) if row["output"] else "",
            row["steps"],
            row["tokens"],
        )
        for row in rows
    ]
    print_table(("input", "outcome", "output", "steps", "tokens"), shown)


def _spelled(items: list[str]) -> str:
    """A word as it would be given again: requests as they are, symbols by the rule of words."""
    return ", ".join(items) if any(" = " in item for item in items) else spell_word(items, items)


def _items(word: tuple[Any, ...]) -> list[str]:
    return [item if isinstance(item, str) else f"{item[0]} = {item[1]}" for item in word]


def _print_trace(running: Running, *, aside: bool) -> None:
    """Each token by name; for an answer, the entries of the fast weights that were read to make it; a machine's tape.

    Printed `aside`, on stderr, where stdout is kept for JSON.
    """
    lowering = running.lowering
    names = lowering.coordinates
    read = ""
    place = 0
    for step in running.steps():
        kind = "input " if step.question is None else "answer" if step.fed else "said  "
        shown = f"read {read}" if step.question else ""
        if step.fed:
            entries = [f"S[{names[b]}, {names[c]}] = {value}" for b, c, value in running.read()]
            read = ", ".join(entries[:6]) + (", ..." if len(entries) > 6 else "") or "nothing"
        if step.fed and (picture := lowering.picture(running.recall, step.name)) is not None:
            shown = f"{picture}  {shown}"
        click.echo(f"{place if step.fed else '':>5}  {kind}  {step.name:<24}  {shown}".rstrip(), err=aside)
        place += step.fed
