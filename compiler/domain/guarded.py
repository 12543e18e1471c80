"""Which families of programs are guarded systems, and the runs by which their configurations are found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from compiler.domain.grammar_runs import random_runs
from compiler.domain.grammar_system import grammar_system
from compiler.domain.machine_system import cells_read, machine_system, turns_from
from compiler.domain.memory_system import memory_system
from compiler.domain.system import System
from compiler.domain.universal_runs import universal_runs
from compiler.domain.universal_system import (
    universal_automaton_system,
    universal_machine_registers_system,
    universal_machine_system,
)
from compiler.errors import UnsupportedError
from compiler.program_to_rules.lowered_grammar import LoweredGrammar
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowering import Lowering, Turn
from compiler.program_to_rules.machine import LoweredMachine
from compiler.program_to_rules.memory import LoweredMemory
from compiler.program_to_rules.universal_machine import LoweredPointerMachine
from compiler.program_to_rules.universal_machine_registers import LoweredRegistersMachine

MOST_TOKENS = 1_500
"""The most token types of a system whose configurations are analysed."""
MOST_STARTS = 50_000
"""The most tapes, times cells of the head, that are run one after the other rather than drawn."""
STEPS = 100_000
"""The most steps of one run."""
REQUESTS = 100
_SMALLER = {"machine": "on fewer cells", "memory": "with fewer keys or values", "grammar": "with less depth"}

Start: TypeAlias = tuple[tuple[int, ...], int]
"""The numbers of the symbols on a tape, and the cell of the head."""


def system_of(lowering: Lowering) -> System:
    """The guarded system of a memory, a machine, a grammar or a universal program.

    Raises UnsupportedError for others, and where it is too large.
    """
    program = lowering.program
    if len(lowering.tokens) > MOST_TOKENS:
        smaller = _SMALLER.get(program.kind, "with smaller bounds")
        raise UnsupportedError(
            f"{program.kind} {program.name} has {len(lowering.tokens):,} tokens, and its configurations are analysed "
            f"up to {MOST_TOKENS:,}; take it {smaller}"
        )
    if isinstance(lowering, LoweredMachine):
        return machine_system(lowering)
    if isinstance(lowering, LoweredGrammar):
        return grammar_system(lowering)
    if isinstance(lowering, LoweredUniversalAutomaton):
        return universal_automaton_system(lowering)
    if isinstance(lowering, LoweredPointerMachine):
        return universal_machine_system(lowering)
    if isinstance(lowering, LoweredRegistersMachine):
        return universal_machine_registers_system(lowering)
    if type(lowering) is LoweredMemory:
        return memory_system(lowering)
    raise UnsupportedError(f"this version does not analyse the configurations of this {program.kind}")


def starts_of(system: System) -> list[Start] | None:
    """Tapes and cells of the head whose runs show all that there is; None where they are too many, or for memories.

    A run depends only on the cells that it reads, so all contents of these are tried; of the other cells, which add
    only their prompts to the counts, it is enough to change one at a time: the counts are affine in each of them.
    """
    lowering = system.lowering
    if not isinstance(lowering, LoweredMachine):
        return None
    cells, given = lowering.layout.cells, _given(lowering)
    found: dict[Start, None] = {}
    for head in range(cells):
        for read in _readings(lowering, given, head):
            tape = tuple(read.get(p, 0) for p in range(cells))
            found[tape, head] = None
            for p in range(cells):
                if p not in read:
                    found.update({((*tape[:p], g, *tape[p + 1 :]), head): None for g in given[1:]})
            if len(found) > MOST_STARTS:
                return None
    return list(found)


def _given(lowering: LoweredMachine) -> list[int]:
    """The symbols that a tape may hold at the start; the blank, which is number 0, first."""
    return np.flatnonzero(lowering.prompts[0] >= 0).tolist()


def _readings(lowering: LoweredMachine, given: list[int], head: int) -> Iterator[dict[int, int]]:
    """For every run from `head`, what the cells that it reads hold at the start."""
    waiting: list[dict[int, int]] = [{}]
    while waiting:
        known = waiting.pop()
        tape = [known.get(p, -1) for p in range(lowering.layout.cells)]
        unknown = next((p for p, read in cells_read(lowering, tape, head, STEPS) if read < 0), None)
        if unknown is None:
            yield known
        else:
            waiting += [known | {unknown: g} for g in given]


def runs_of(system: System, seed: int = 0) -> Iterator[list[Turn]]:
    """Runs that show the system's configurations: of a machine all of them where they are few, in a random order."""
    random = np.random.default_rng(seed)
    lowering = system.lowering
    if isinstance(lowering, LoweredUniversalAutomaton | LoweredUniversalMachine):
        yield from universal_runs(lowering, random)
    if isinstance(lowering, LoweredGrammar):
        yield from random_runs(lowering, random, REQUESTS)
    if not isinstance(lowering, LoweredMachine):
        items = lowering.items()
        while True:
            word = [items[n] for n in random.integers(0, len(items), size=REQUESTS).tolist()]
            yield list(lowering.dialogue(word))
    starts = starts_of(system)
    if starts is not None:
        for n in random.permutation(len(starts)).tolist():
            tape, head = starts[n]
            yield list(turns_from(lowering, tape, head, STEPS))
        return
    cells, given = lowering.layout.cells, _given(lowering)
    while True:
        drawn = [given[n] for n in random.integers(0, len(given), size=cells).tolist()]
        yield list(turns_from(lowering, drawn, int(random.integers(cells)), STEPS))
