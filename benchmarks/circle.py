"""The circle on random automata: compile, verify, teach, learn, verify, decompile, run; medians of several runs.

Usage: python benchmarks/circle.py [REPEATS]. One process, BLAS on one thread; beside our times, in the same run, those
of automata-lib reading the same words (one dictionary look-up a symbol; ours is the naive recurrent form of the layer).
"""

from __future__ import annotations

import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import TypeVar

import numpy as np
from automata.fa.dfa import DFA
from rich.console import Console
from rich.table import Table

import attnc
from compiler.program_to_rules.lower import lower

SIZES = ((10, 2), (50, 4), (120, 2), (200, 4))
T = TypeVar("T")


def random_automaton(states: int, letters: int, seed: int) -> attnc.Automaton:
    """A random total automaton; every state is accepting with probability a half."""
    rng = np.random.default_rng(seed)
    names = tuple(f"q{number}" for number in range(states))
    alphabet = tuple(f"s{number}" for number in range(letters))
    moves = {(q, s): names[rng.integers(states)] for q in names for s in alphabet}
    accept = frozenset(q for q in names if rng.random() < 0.5)
    return attnc.Automaton("random", alphabet, names, names[0], moves, accept)


def timed(times: dict[str, list[float]], name: str, work: Callable[[], T]) -> T:
    """The result of `work`, its time noted."""
    began = perf_counter()
    result = work()
    times.setdefault(name, []).append(perf_counter() - began)
    return result


def measured(states: int, letters: int, seed: int, times: dict[str, list[float]]) -> tuple[int, int, int]:
    """One automaton through the circle: rank, supervised positions, wrong tokens on 10 words of length 1,000."""
    program = random_automaton(states, letters, seed)
    model = timed(times, "compile", lambda: attnc.compile(program))
    assert timed(times, "verify", lambda: attnc.verify(program, model))
    data = timed(times, "teach", lambda: attnc.generate(program, certified=True))
    learned = timed(times, "learn", lambda: attnc.learn(data, program=program))
    assert learned.report.exact
    assert learned.report.certified
    assert timed(times, "verify learned", lambda: attnc.verify(program, learned.model))
    timed(times, "decompile", lambda: attnc.decompile(learned.model))
    rng = np.random.default_rng(seed)
    words = [[program.alphabet[n] for n in rng.integers(0, letters, size=1_000)] for _ in range(10)]
    runs = timed(times, "run 10^4", lambda: [learned.model.run(word) for word in words])
    oracle = DFA(
        states=set(program.states),
        input_symbols=set(program.alphabet),
        transitions={q: {s: program.transitions[q, s] for s in program.alphabet} for q in program.states},
        initial_state=program.start,
        final_states=set(program.accept or ()),
    )
    said = timed(times, "automata-lib 10^4", lambda: [oracle.accepts_input(word) for word in words])
    lowering = lower(program)
    wrong = sum(
        a != b
        for run, word in zip(runs, words, strict=True)
        for a, b in zip(run.tokens, lowering.trace(word), strict=True)
    )
    wrong += sum((run.outcome == "accepted") != answer for run, answer in zip(runs, said, strict=True))
    return learned.report.rank, data.samples, wrong


def main() -> None:
    """Print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    table = Table(title=f"seconds, medians of {repeats} random automata", box=None, padding=(0, 1))
    for states, letters in SIZES:
        times: dict[str, list[float]] = {}
        facts = [measured(states, letters, seed, times) for seed in range(repeats)]
        if not table.columns:
            for name in ("states", "letters", "rank", "samples", "wrong", *times):
                table.add_column(name, justify="right")
        rank, samples, _ = facts[0]
        shown = [states, letters, rank, samples, sum(wrong for _, _, wrong in facts)]
        table.add_row(*map(str, shown), *(f"{median(each):.3f}" for each in times.values()))
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
