"""Certified data of universal machines: runs of random machines, then runs that aim at what is missing.

Runs of machines drawn uniformly show nearly everything soon and the rest hardly ever: what is missing at a question is
that it was never asked with a certain entry in the table, or after a certain token. So the hulls of all that can be
reached are computed first; then, for a question whose span is not full, a row of its hull that lies outside is taken,
and one of the tokens in what it has outside: a run known to come to the question (or to the token) is changed in a few
places, and so that the token can come: it stands in the prompt, or some entry of the table is the action that it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from compiler.domain.hulls import Hull, closed
from compiler.domain.universal_runs import MachineStart, changed, drawn_start
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowering import Turn
from compiler.traces.filling import Filled

BATCH = 100
MOST = 1_000_000
"""The most runs that aim."""
REMEMBERED = 40
"""The runs that are remembered for each question."""
FRESH = 0.1
"""The share of runs that are drawn anew."""


@dataclass
class Aim:
    """What is wanted, the runs that came to each question, and the rows that are outside of what is shown there."""

    found: Filled
    lowering: LoweredUniversalMachine
    random: Generator
    hulls: Mapping[int, Hull]
    known: dict[int, list[MachineStart]]
    outside: dict[int, tuple[int, NDArray[np.bool_]]]

    def batch(self, wanting: list[int]) -> list[list[Turn]]:
        """Runs aimed at questions that are `wanting`."""
        places = self.random.choice(wanting, size=BATCH).tolist()
        return [self._run(self._start(location, self._missing(location))) for location in places]

    def _missing(self, location: int) -> list[int]:
        """The tokens in what some row of the hull of `location` has outside of what is shown there."""
        span = self.found.spans[location]
        known, rows = self.outside.get(location, (-1, np.zeros((0, 0), dtype=np.bool_)))
        if known != span.size:
            rests = span.rests(self.hulls[location].basis)[:, 1:] != 0
            rows = rests[rests.any(axis=1)]
            self.outside[location] = span.size, rows
        return np.flatnonzero(rows[self.random.integers(len(rows))]).tolist() if len(rows) else []

    def _start(self, location: int, tokens: list[int]) -> MachineStart:
        """A start that may show one of `tokens` at `location`."""
        token = int(self.random.choice(tokens)) if tokens else -1
        pool = self.known.get(location, []) + self.known.get(token, [])
        if not pool or self.random.random() < FRESH:
            return drawn_start(self.lowering, self.random)
        start = pool[self.random.integers(len(pool))]
        return changed(self.lowering, start, self.random, (token, location))

    def _run(self, start: MachineStart) -> list[Turn]:
        turns = start.run(self.lowering)
        numbers = self.lowering.tokens.numbers
        for location in {numbers[name] for name, answer in turns if answer is not None}:
            pool = self.known.setdefault(location, [])
            if len(pool) < REMEMBERED:
                pool.append(start)
            else:
                pool[self.random.integers(REMEMBERED)] = start
        return turns


def aimed(found: Filled, lowering: LoweredUniversalMachine, random: Generator) -> bool:
    """Take runs until all that can be reached is shown; whether it is. Raises DataError."""
    questions = found.system.asked_at
    while len(found.shown) < len(questions):
        found.take([drawn_start(lowering, random).run(lowering) for _ in range(BATCH)])
    hulls = closed(found.system, {})
    found.most = {location: hull.dimension for location, hull in hulls.items()}
    aim = Aim(found, lowering, random, hulls, {}, {})
    while wanting := [n for n in questions if len(found.shown[n]) < found.most[n]]:
        if found.taken >= MOST:
            return False
        found.take(aim.batch(wanting))
    return True
