"""Certified data of universal machines: runs of random machines, then runs that aim at what is missing.

Runs of machines drawn uniformly show nearly everything soon and the rest hardly ever: what is missing at a question is
that it was never asked with a certain entry in the table, or after a certain token. So the hulls of all that can be
reached are computed first; then, for a question whose span is not full, a row of its hull that lies outside is taken,
and one of the tokens in what it has outside. Either a run known to come to the question (or to the token) is changed in
a few places, and so that the token can come: it stands in the prompt, or some entry of the table is the action that it
is. Or a table is made that leads from the token to the question.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from compiler.domain.closing import closed
from compiler.domain.hulls import Hull
from compiler.domain.universal_runs import MachineStart, changed, drawn_start, led
from compiler.program_to_rules.lowering import Turn
from compiler.program_to_rules.universal_machine import LoweredPointerMachine
from compiler.traces.filling import LARGE_BATCH, Filled

LOGGER = logging.getLogger(__name__)
TOLD = 10_000
"""The runs after which progress is told."""
MOST = 1_000_000
"""The most runs that aim."""
REMEMBERED = 40
"""The last runs that came to each question."""
FRESH, LED = 0.05, 0.5
"""The shares of runs that are drawn anew, and that are led from token to question."""


@dataclass
class Aim:
    """What is wanted, the runs that came to each question, and the rows that are outside of what is shown there."""

    found: Filled
    lowering: LoweredPointerMachine
    random: Generator
    hulls: Mapping[int, Hull]
    known: dict[int, deque[MachineStart]]
    outside: dict[int, tuple[int, NDArray[np.bool_]]]

    def batch(self, wanting: list[int]) -> list[list[Turn]]:
        """Runs aimed at questions that are `wanting`."""
        places = self.random.choice(wanting, size=LARGE_BATCH).tolist()
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
        pool = [*self.known.get(location, ()), *self.known.get(token, ())]
        way = self.random.random()
        if way < LED:
            return led(self.lowering, drawn_start(self.lowering, self.random), self.random, token, location)
        if way < LED + FRESH or not pool:
            return drawn_start(self.lowering, self.random)
        start = pool[self.random.integers(len(pool))]
        return changed(self.lowering, start, self.random, (token, location))

    def _run(self, start: MachineStart) -> list[Turn]:
        turns = start.run(self.lowering)
        numbers = self.lowering.tokens.numbers
        for location in {numbers[name] for name, answer in turns if answer is not None}:
            self.known.setdefault(location, deque(maxlen=REMEMBERED)).append(start)
        return turns


def aimed(found: Filled, lowering: LoweredPointerMachine, random: Generator) -> bool:
    """Take runs until all that can be reached is shown; whether it is. Raises DataError."""
    questions = found.system.asked_at
    while len(found.shown) < len(questions):
        found.take([drawn_start(lowering, random).run(lowering) for _ in range(LARGE_BATCH)])
    hulls = closed(found.system, {})
    found.most = {location: hull.dimension for location, hull in hulls.items()}
    aim = Aim(found, lowering, random, hulls, {}, {})
    total, told = sum(found.most.values()), found.taken
    while wanting := [n for n in questions if len(found.shown[n]) < found.most[n]]:
        if found.taken >= MOST:
            return False
        if found.taken >= told:
            shown = sum(len(rows) for rows in found.shown.values())
            LOGGER.info("%s runs show %s of %s dimensions", f"{found.taken:,}", f"{shown:,}", f"{total:,}")
            told += TOLD
        found.take(aim.batch(wanting))
    return True
