"""Turing's circle at scale: a universal machine generated, learned, certified, proved, and tried on unseen machines.

Usage: python benchmarks/universal.py [STATES SYMBOLS CELLS]. One process, BLAS on one thread. Default 3 states, 2
symbols, 8 cells: about three minutes and 2.5 GB. Every answer of the learned layer on 1,000 random machines and words
is compared with the simulator's, token by token, and so are outcome and output.
"""

from __future__ import annotations

import os
import sys

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import random
import resource
from collections.abc import Callable
from time import perf_counter, process_time
from typing import TypeVar

from rich.console import Console
from rich.table import Table

import attnc
from compiler.program_to_rules.lower import lower

MACHINES = 1_000
STEPS = 100
T = TypeVar("T")


def unseen(bounds: attnc.UniversalMachine, rng: random.Random) -> attnc.Machine:
    """A random machine within the bounds, of any size, its head anywhere; one in ten of its actions stops."""
    states = tuple(f"q{n}" for n in range(rng.randint(1, bounds.states)))
    symbols = ("_", *(f"s{n}" for n in range(1, bounds.symbols)))
    actions = {}
    for key in ((state, symbol) for state in states for symbol in symbols):
        stop = rng.choice(("accepted", "rejected", "halted")) if rng.random() < 0.1 else None
        target = None if stop else rng.choice(states)
        actions[key] = attnc.Action(rng.choice(symbols), 0 if stop else rng.choice((-1, 0, 1)), target, stop)
    return attnc.Machine(
        "unseen",
        "_",
        symbols,
        (),
        states,
        rng.choice(states),
        actions,
        bounds.cells,
        rng.randrange(bounds.cells),
        STEPS,
    )


def wrong_tokens(bounds: attnc.UniversalMachine, model: attnc.Model) -> tuple[int, int]:
    """The tokens that the model answers to the unseen machines, and how many of them, or outputs, are wrong."""
    stream, lowering, rng = attnc.Stream(model), lower(bounds), random.Random(1)
    tokens = wrong = 0
    for _ in range(MACHINES):
        given = unseen(bounds, rng)
        word = [rng.choice(given.alphabet) for _ in range(rng.randint(0, bounds.cells - given.head))]
        running = stream.start(word, given=given)
        said = [step.name for step in running.steps()]
        wanted = lowering.running(given).trace(tuple(word))
        tokens += len(wanted) - len(lowering.running(given).inputs(tuple(word)))
        wrong += abs(len(said) - len(wanted)) + sum(one != other for one, other in zip(said, wanted, strict=False))
        got, expected = running.result(), given.run(word)
        wrong += (got.outcome, got.output) != (expected.outcome, expected.output)
    return tokens, wrong


def main() -> None:
    """Print a table of seconds and figures."""
    states, symbols, cells = map(int, sys.argv[1:4]) if len(sys.argv) == 4 else (3, 2, 8)
    bounds = attnc.UniversalMachine("any", states=states, symbols=symbols, cells=cells)
    table = Table("step", "seconds", "of processor", "peak GB", "result")

    def timed(name: str, work: Callable[[], T], result: Callable[[T], str]) -> T:
        began, used = perf_counter(), process_time()
        value = work()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        table.add_row(
            name, f"{perf_counter() - began:.1f}", f"{process_time() - used:.1f}", f"{peak:.2f}", result(value)
        )
        return value

    began, used = perf_counter(), process_time()
    data = timed(
        "generate", lambda: attnc.generate(bounds, certified=True), lambda d: f"{len(d):,} runs, {d.samples:,} answers"
    )
    learned = timed(
        "learn",
        lambda: attnc.learn(data, program=bounds),
        lambda r: f"exact {r.report.exact}, certified {r.report.certified}",
    )
    timed("verify", lambda: attnc.verify(bounds, learned.model), lambda v: f"{v.verdict} at {v.lengths} lengths")
    timed(
        f"{MACHINES:,} unseen machines",
        lambda: wrong_tokens(bounds, learned.model),
        lambda n: f"{n[0]:,} tokens, {n[1]} wrong",
    )
    table.add_row(
        "all",
        f"{perf_counter() - began:.1f}",
        f"{process_time() - used:.1f}",
        "",
        f"{states} states, {symbols} symbols, {cells} cells",
    )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
