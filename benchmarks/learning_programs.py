"""Learning programs back from certified sets: every program of the library, and automata of growing size.

Usage: python benchmarks/learning_programs.py [library|states]

library   Every program of the library (machines at 6 cells; the five-state busy beaver at 16): seconds of processor
          time for its certified set, and for learning and certifying; exact, certified, proved to be the program.
states    Random automata of 50 to 1,000 states and 4 letters: the same, the live features, and the fitted exponents of
          the time against them.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
from dataclasses import replace
from time import process_time

import numpy as np
from circle import random_automaton
from rich.console import Console
from rich.table import Table

import attnc
import programs

CELLS = 6
MANY_CELLS = {"busy_beaver_5": 16}
LARGE = ("any_champion", "any_small", "any_tiny")
"""Universal programs beyond what is learned: compiled only. `benchmarks/universal.py` has those that are."""


def row(program: attnc.Program) -> tuple[str, ...]:
    """One program: name, samples, live features, seconds for data and for learning, and what came of it."""
    began = process_time()
    data = attnc.generate(program, certified=True)
    made = process_time()
    learned = attnc.learn(data, program=program)
    done = process_time()
    report = learned.report
    said = "exact" if report.exact else "not exact", "certified" if report.certified else "not certified"
    proved = attnc.verify(program, learned.model)
    times = f"{made - began:.2f}", f"{done - made:.2f}"
    return program.name, f"{report.samples:,}", f"{report.live:,}", *times, ", ".join(said), proved.verdict


def table() -> Table:
    """An empty table for `row`."""
    shown = Table("program", "samples", "live", "data, s", "learning, s", "", "verdict", box=None)
    for column in shown.columns[1:5]:
        column.justify = "right"
    return shown


def library(console: Console) -> None:
    """Every program of the library."""
    shown = table()
    for name in programs.names():
        program = attnc.load(name)
        if isinstance(program, attnc.Machine):
            cells = MANY_CELLS.get(name, CELLS)
            program = replace(program, cells=cells, head=min(program.head, cells - 1))
        if name not in LARGE:
            shown.add_row(*row(program))
    console.print(shown)


def states(console: Console) -> None:
    """Automata of growing size."""
    shown, points = table(), []
    for size in (50, 100, 200, 400, 700, 1_000):
        found = row(random_automaton(size, 4, 0))
        shown.add_row(f"{size} states", *found[1:])
        points.append([float(text.replace(",", "")) for text in found[2:5]])
    console.print(shown)
    live, made, learned = np.log(np.array(points).T)
    for name, seconds in (("data", made), ("learning", learned)):
        console.print(
            f"{name}: exponent {np.polyfit(live[2:], seconds[2:], 1)[0]:.2f} in the live features, from 200 states on"
        )


def main() -> None:
    """Run what is asked for, or both."""
    parser = argparse.ArgumentParser(description="learning programs back")
    parser.add_argument("what", nargs="?", choices=("library", "states"))
    what = parser.parse_args().what
    console = Console(width=120)
    for each in (library, states):
        if what in (None, each.__name__):
            each(console)


if __name__ == "__main__":
    main()
