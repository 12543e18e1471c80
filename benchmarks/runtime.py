"""Runs through the compiled layer beside plain programs: machines, universal ones, automata, memories, floats; medians.

Usage: python benchmarks/runtime.py [REPEATS]. One process; what is compared is measured side by side, in turns. The
plain programs are a Turing machine loop in numba on the same tables, DFA.accepts_input of automata-lib, and a Python
loop over a dict.
"""

from __future__ import annotations

import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
from automata.fa.dfa import DFA
from numba import njit
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

import attnc
import programs
from compiler.attention import Head, Sparse
from compiler.program.machine import Action
from compiler.runtime.stream import Stream

STEPS, ONES = 47_176_870, 4_098
SYMBOLS = 1_000_000
Rows = list[tuple[str, str, str, str, bool | None]]


@njit(cache=False)
def machine_loop(  # type: ignore[no-untyped-def]
    write: Any, move: Any, target: Any, tape: Any, head: int, state: int
):
    """A Turing machine on an int8 tape, states by number, below 0 a halt: the steps; -1 off the tape."""
    steps = 0
    while state >= 0:
        if head < 0 or head >= len(tape):
            return -1
        read = tape[head]
        tape[head] = write[state, read]
        head += move[state, read]
        state = target[state, read]
        steps += 1
    return steps


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes, once."""
    began = perf_counter()
    work()
    return perf_counter() - began


def side_by_side(repeats: int, *works: Callable[[], object]) -> list[float]:
    """The median seconds of each, measured in turns, after one turn that is not counted."""
    times = [[seconds(work) for work in works] for _ in range(repeats + 1)][1:]
    return [median(each) for each in zip(*times, strict=True)]


def random_automaton(states: int, seed: int) -> attnc.Automaton:
    """A random total automaton over a and b; every state is accepting with probability a half."""
    rng = np.random.default_rng(seed)
    names = tuple(f"q{number}" for number in range(states))
    moves = {(q, s): names[rng.integers(states)] for q in names for s in "ab"}
    accept = frozenset(q for q in names if rng.random() < 0.5)
    return attnc.Automaton("random", ("a", "b"), names, names[0], moves, accept)


def random_word(size: int) -> str:
    """A random word over a and b."""
    letters: NDArray[np.uint8] = np.random.default_rng(size).integers(ord("a"), ord("c"), size=size, dtype=np.uint8)
    return letters.tobytes().decode()


def machines(repeats: int) -> Rows:
    """The five-state champion on 13,000 cells."""
    program = attnc.load("busy_beaver_5")
    tables = np.zeros((3, len(program.states), len(program.symbols)), dtype=np.int64)
    for (q, g), action in program.actions.items():
        target = program.states.index(action.target) if action.target else -1
        place = program.states.index(q), program.symbols.index(g)
        tables[(slice(None), *place)] = program.symbols.index(action.write), action.move, target

    def plain() -> None:
        tape = np.zeros(program.cells, dtype=np.int8)
        assert machine_loop(tables[0].astype(np.int8), *tables[1:], tape, program.head, 0) == STEPS
        assert tape.sum() == ONES

    stream = Stream(attnc.compile(program))

    def layer() -> None:
        run = stream.run("")
        assert (run.outcome, run.steps, run.output.count("1")) == ("halted", STEPS, ONES)

    ours, theirs = side_by_side(repeats, layer, plain)
    compiling, preparing = side_by_side(repeats, lambda: attnc.compile(program), lambda: Stream(attnc.compile(program)))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "champion.safetensors"
        attnc.save(attnc.compile(program), file)
        size = file.stat().st_size
    speed = f"{STEPS / ours / 1e6:,.0f} million steps a second"
    return [
        ("champion: layer", f"{ours:.3f} s", speed, "", None),
        (
            "champion: plain numba loop",
            f"{theirs:.3f} s",
            f"{STEPS / theirs / 1e6:,.0f} million steps a second",
            "",
            None,
        ),
        ("champion: layer / plain loop", f"{ours / theirs:.2f}", "", "<= 3", ours / theirs <= 3),
        ("champion: compile", f"{compiling:.2f} s", f"with tables to run {preparing:.2f} s", "< 2 s", compiling < 2),
        ("champion: file", f"{size / 1e6:.1f} MB", "", "< 20 MB", size < 20_000_000),
    ]


def flipping() -> attnc.Machine:
    """A machine that turns the cell under its head and one beside it, for 10^6 steps, and stays on every tape."""
    there = {("r", g): Action(w, 1, "l") for g, w in ("01", "10")}
    back = {("l", g): Action(w, -1, "r") for g, w in ("01", "10")}
    return attnc.Machine("flipping", "0", ("0", "1"), (), ("r", "l"), "r", there | back, 1024, 5, 1_000_000)


def universal(repeats: int) -> Rows:
    """One layer for all machines of 5 states and 2 symbols on 1,024 cells, beside each one as a layer of its own."""
    rows: Rows = []
    program = attnc.load("any_champion")
    stream = Stream(attnc.compile(program))
    compiling, preparing = side_by_side(repeats, lambda: attnc.compile(program), lambda: Stream(attnc.compile(program)))
    rows.append(("universal: compile", f"{compiling:.2f} s", f"with tables to run {preparing:.2f} s", "", None))
    champion = attnc.load(f"{programs.source('any_champion')}::five_states")  # its head stays on the tape longest
    for given, wanted in (
        (attnc.load("busy_beaver_4"), ("halted", 107, 13)),
        (champion, ("overran", 288_184, 464)),
        (flipping(), ("unfinished", 1_000_000, 0)),
    ):
        own = Stream(attnc.compile(program.check_fits(given)))
        run, alone = stream.run("", given=given), own.run("")
        assert (run.outcome, run.steps, run.output.count("1")) == wanted
        assert (run.outcome, run.steps, run.output) == (alone.outcome, alone.steps, alone.output)
        works = (lambda given=given: stream.run("", given=given)), (lambda own=own: own.run(""))
        ours, special = side_by_side(repeats, *works)
        shown = f"{ours / run.steps * 1e9:,.0f} against {special / run.steps * 1e9:,.0f} ns a step of {run.steps:,}"
        limit = ("", None) if run.steps < 1_000 else (">= 1/3", special / ours >= 1 / 3)
        rows.append((f"{given.name}: own layer / universal", f"{special / ours:.2f}", shown, *limit))
    return rows


def automata(repeats: int) -> Rows:
    """Random automata of 5, 50 and 500 states against automata-lib, and words of 10^3 to 10^7 symbols."""
    rows: Rows = []
    streams = {states: Stream(attnc.compile(random_automaton(states, states))) for states in (5, 50, 500)}
    word = random_word(SYMBOLS)
    for states, stream in streams.items():
        program = stream.lowering.program
        oracle = DFA(
            states=set(program.states),
            input_symbols={"a", "b"},
            transitions={q: {s: program.transitions[q, s] for s in "ab"} for q in program.states},
            initial_state=program.start,
            final_states=set(program.accept),
        )
        assert (stream.run(word).outcome == "accepted") == oracle.accepts_input(word)
        works = (lambda stream=stream: stream.run(word)), (lambda oracle=oracle: oracle.accepts_input(word))
        ours, theirs = side_by_side(repeats, *works)
        shown = f"{ours / SYMBOLS * 1e9:.1f} against {theirs / SYMBOLS * 1e9:.1f} ns a symbol"
        rows.append(
            (f"{states} states: automata-lib / layer", f"{theirs / ours:.1f}", shown, ">= 8", theirs / ours >= 8)
        )
    few, many = side_by_side(repeats, lambda: streams[5].run(word), lambda: streams[500].run(word))
    rows.append(("500 states / 5 states", f"{many / few:.2f}", "", "<= 2", many / few <= 2))
    for size in (10**3, 10**6, 10**7):
        given, times = random_word(size), max(1, 10**5 // size)
        (each,) = side_by_side(repeats, lambda given=given, times=times: [streams[50].run(given) for _ in range(times)])
        rows.append((f"50 states, {size:,} symbols", f"{each / times / size * 1e9:.1f} ns a symbol", "", "", None))
    return rows


def requests(program: attnc.Memory, size: int) -> list[Any]:
    """Random requests, half of them queries."""
    rng = np.random.default_rng(size)
    keys, values, asked = rng.integers(16, size=size), rng.integers(16, size=size), rng.random(size) < 0.5
    return [
        program.keys[k] if ask else (program.keys[k], program.values[v])
        for k, v, ask in zip(keys.tolist(), values.tolist(), asked.tolist(), strict=True)
    ]


def memories(repeats: int) -> Rows:
    """16 keys and 16 values, 10^6 requests, with the time to read the word and without."""
    rows: Rows = []
    for write in ("latest", "first", "sum"):
        names = (tuple(f"{letter}{number}" for number in range(16)) for letter in "kv")
        program = attnc.Memory("random", *names, write=write)
        word = requests(program, SYMBOLS if write != "sum" else 2_000)
        stream = Stream(attnc.compile(program))

        def plain(word: Sequence[Any] = word, write: str = write) -> tuple[str, ...]:
            table: dict[str, str] = {}
            answers = []
            for item in word:
                if item.__class__ is str:
                    answers.append(table.get(item, "absent"))
                elif write == "latest":
                    table[item[0]] = item[1]
                else:
                    table.setdefault(item[0], item[1])
            return tuple(answers)

        running = [stream.start(word) for _ in range(repeats + 1)]

        def only_layer(running: list[Any] = running) -> None:
            one = running.pop()
            while one.advance():
                pass

        ours, alone, theirs = side_by_side(repeats, lambda s=stream, w=word: s.run(w), only_layer, plain)
        if write != "sum":
            assert stream.run(word).output == plain()
        name = f"memory, {write}, {len(word):,} requests"
        each = f"{ours / len(word) * 1e9:,.0f} ns a request"
        beside = f"without reading the word {alone / len(word) * 1e9:,.0f} ns"
        rows.append((name, each, beside, "", None))
        if write != "sum":
            rows.append(
                (
                    f"memory, {write}: layer / dict loop",
                    f"{ours / theirs:.1f}",
                    f"dict {theirs / len(word) * 1e9:,.0f} ns",
                    "",
                    None,
                )
            )
    return rows


def floats(repeats: int) -> Rows:
    """A model of 50 states with noise on its weights, and the same one without, in each format."""
    model, rng = attnc.compile(random_automaton(50, 50)), np.random.default_rng(0)

    def noisy(matrix: Sparse) -> Sparse:
        return Sparse(matrix.rows, matrix.columns, matrix.weights + rng.normal(scale=0.01, size=len(matrix.weights)))

    other = replace(model, heads=tuple(Head(head.name, noisy(head.V), noisy(head.Q)) for head in model.heads))
    word = random_word(20_000)
    streams = Stream(model), Stream(other), Stream(other, dtype=np.float32)
    runs = [stream.run(word) for stream in streams]
    assert runs[0] == runs[1] == runs[2]
    times = side_by_side(repeats, *(lambda stream=stream: stream.run(word) for stream in streams))
    names = ("exact, int64", "with noise, float64", "with noise, float32")
    return [
        (f"50 states, {name}", f"{each / len(word) * 1e9:,.0f} ns a symbol", "", "", None)
        for name, each in zip(names, times, strict=True)
    ]


def threads(repeats: int) -> Rows:
    """Eight words of 10^6 symbols one by one, and on all cores."""
    stream = Stream(attnc.compile(random_automaton(50, 50)))
    several = [random_word(SYMBOLS + number) for number in range(8)]
    together, alone = side_by_side(
        repeats, lambda: stream.run_many(several), lambda: [stream.run(word) for word in several]
    )
    return [("8 words: one by one / run_many", f"{alone / together:.2f}", f"{os.cpu_count()} cores", "", None)]


def main() -> None:
    """Print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    table = Table(title=f"runs through the layer, medians of {repeats}", box=None, padding=(0, 1))
    for name in ("what", "measured", "beside", "wanted", "holds"):
        table.add_column(name)
    for part in (machines, universal, automata, memories, floats, threads):
        for *shown, holds in part(repeats):
            table.add_row(*shown, "" if holds is None else "yes" if holds else "NO")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
