"""``attnc demo``: the whole circle, in plain words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import click

from attnc.cli import NO
from attnc.cli.printing import note
from attnc.cli.show_command import described
from attnc.storage import load, save
from compiler.learning.certificate import certify
from compiler.learning.learn import Report, learn
from compiler.model import Model
from compiler.program import Automaton, Machine, UniversalMachine
from compiler.program.run import Run
from compiler.program.words import shorten
from compiler.program_to_model import compile
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate
from verify.decompiled import decompile
from verify.verdict import LEVELS, Verdict
from verify.verify import verify

WIDTH = 100
AUTOMATA = (("parity", "0110"), ("s5", "tctct"))
BOUNDS = UniversalMachine("any", states=2, symbols=2, cells=4)
CHAMPION = "busy_beaver_2"


@click.command("demo")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Take parity, the word problem of S5 (120 states), and a universal machine through the whole circle.

    The universal machine is learned from runs of random small machines, and then runs the two-state busy beaver.
    """
    began = perf_counter()
    good = True
    with TemporaryDirectory() as folder:
        for name, word in AUTOMATA:
            good &= circle(load(name), word, Path(folder))
        champion = replace(load(CHAMPION), cells=BOUNDS.cells, head=BOUNDS.cells // 2, examples=())
        good &= circle(BOUNDS, "", Path(folder), given=champion)
    click.echo(f"\nAll of this took {perf_counter() - began:.1f} s.")
    if not good:
        ctx.exit(NO)


def circle(program: Automaton | UniversalMachine, word: str, folder: Path, given: Machine | None = None) -> bool:
    """One program: source, rules, heads, run, data, learned model, certificate, verdict, source. Whether all held.

    A universal program runs the `given` one, also when it was learned.
    """
    introduced(program)
    model = compile(program)
    compiled(model, folder / f"{program.name}.safetensors")
    run = model.run(word, given=given)
    shown(run, given)
    if given is not None:
        note("     ... drawing runs of random machines until they show all that machines within the bounds can do")
    data = generate(program, certified=True)
    taught(program, data)
    learned = learn(data, program=program)
    told(learned.report)
    if given is not None:
        note("     ... proving")
    verdict = verify(program, learned.model)
    stage("6. Verify", f"Is the learned model the program? {verdict.verdict}: {LEVELS[verdict.level]}.")
    again = learned.model.run(word, given=given)
    click.echo(f"     Its own run{f' of {given.name}' if given else ''} ends with: {ended(again)}.")
    refused = verify(program, mutated(learned.model), level="domain")
    objected(refused)
    read = decompile(replace(learned.model, program=None))
    stage("7. Decompile", "The program text, read back from the learned weights and the names of their coordinates:")
    excerpt(str(read))
    same = verify(program, replace(read, name=program.name))
    click.echo(f"     The same program as the source, on every word of every length: {same.verdict}.")
    report = learned.report
    right = run.tokens == again.tokens and report.exact and report.certified is True
    return bool(verdict) and bool(same) and not refused and right


def introduced(program: Automaton | UniversalMachine) -> None:
    """What the program is, and its source."""
    if isinstance(program, Automaton):
        stage(f"The program {program.name}", f"{len(program.states)} states, {len(program.alphabet)} letters:")
    else:
        bounds = f"{program.states} states, {program.symbols} symbols and {program.cells} cells"
        stage("Turing's circle", f"One layer for every Turing machine of up to {bounds}; it is given in the prompt:")
    excerpt(str(program))


def shown(run: Run, given: Machine | None) -> None:
    """How a run of the compiled layer ends, and its tokens; those that `given` stands in are left out."""
    what = f"Given {given.name}" if given else f"On {''.join(map(str, run.input))}"
    stage("3. Run", f"{what} the layer, fed with its own answers, ends with: {ended(run)}. Its tokens:")
    of_run = run.tokens[-2 * run.steps - 1 :] if given else run.tokens  # without the prompt
    click.echo("     " + shorten(" | ".join(of_run), WIDTH))


def ended(run: Run) -> str:
    """The outcome; of a machine also the steps and the tape."""
    return f"{run.outcome} after {run.steps} steps, tape {''.join(run.output)}" if run.output else run.outcome


def stage(title: str, text: str) -> None:
    """A heading and what happened."""
    click.echo("\n" + click.style(title, bold=True))
    click.echo(f"     {text}")


def excerpt(text: str, lines: int = 10) -> None:
    """The beginning of a text."""
    every = text.splitlines()
    for line in every[:lines]:
        click.echo(f"       {line}")
    if len(every) > lines:
        click.echo(f"       ... {len(every) - lines} more lines")


def compiled(model: Model, path: Path) -> None:
    """What the compiler made."""
    rules = list(model.rules)
    stage("1. Compile", f"{len(rules)} rules on {model.d} coordinates. The first of them:")
    for rule in rules[:3]:
        click.echo(f"       {rule}")
    first = next(name for name, vector in model.tokens.items() if (vector < 0).any())
    click.echo(f"     The token '{first}' is the vector {described(model.tokens[first], model.coordinates)}.")
    save(model, path)
    weights = ", ".join(map(str, model.entries().tolist()))
    stage(
        "2. Weights",
        f"{len(model.heads)} heads of {model.d} x {model.d}, weights in {{0, {weights}}}, "
        f"a file of {path.stat().st_size:,} bytes.",
    )


def taught(program: Automaton | UniversalMachine, data: DataSet) -> None:
    """What the teaching set is."""
    found = certify(data, program)
    stage(
        "4. Data",
        f"{len(data)} run(s) with {data.samples} supervised positions. They show {found.rank} of the {found.span} "
        f"dimensions that the program can reach at any length: {'' if found.certified else 'not '}certified.",
    )


def told(report: Report) -> None:
    """What the learner found."""
    stage(
        "5. Learn",
        f"{report.features:,} features, {report.live} of them live, in {report.blocks} blocks of rank {report.rank} "
        f"together; solved exactly, over the rationals, in {report.seconds:.2f} s.",
    )


def mutated(model: Model) -> Model:
    """The model with the sign of one weight changed."""
    V = model.V
    head, row, column = (int(place[0]) for place in V.nonzero())
    V[head, row, column] *= -1
    return Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens)


def objected(refused: Verdict) -> None:
    """What the verifier says of a mutant."""
    found = refused.counterexample
    assert found is not None
    word = shorten(" | ".join(map(str, found.input)), WIDTH)
    click.echo(
        f"     And with the sign of one weight changed? {refused.verdict}. A shortest counterexample is\n"
        f"     {word}\n     expected '{found.expected}', got '{found.got}'."
    )
