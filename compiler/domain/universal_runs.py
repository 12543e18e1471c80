"""Runs of universal programs: random tables on random inputs, and changes of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_automaton import Table as AutomatonTable
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowered_universal_machine import Table as MachineTable
from compiler.program_to_rules.lowering import Turn
from compiler.program_to_rules.universal_layout import Act
from compiler.program_to_rules.universal_machine import LoweredPointerMachine

LETTERS = 400
"""The symbols of a random word."""
STEPS = (10, 30, 60)
"""The most steps of a run, one of these."""
STOPPING = (0.0, 0.1, 0.3)
"""The share of a table's actions that stop, one of these: a table of which many do shows little."""

LEADING = 0.8
"""The share of a table's actions that lead onward, where it is to lead somewhere."""


@dataclass(frozen=True, slots=True)
class MachineStart:
    """Where a run of a universal machine begins: the numbers of the actions, of the symbols on the tape, the head."""

    acts: tuple[tuple[int, ...], ...]
    tape: tuple[int, ...]
    head: int
    most: int

    def run(self, lowering: LoweredUniversalMachine) -> list[Turn]:
        """The run, of at most `most` steps."""
        return list(lowering.turns(MachineTable(self.acts, ()), self.tape, self.head, self.most))


def drawn_start(lowering: LoweredUniversalMachine, random: Generator) -> MachineStart:
    """A random table, of which some share stops, on a random tape, the head anywhere."""
    layout = lowering.layout
    moving = sum(act.stop is None for act in layout.acts)
    size = (layout.states, layout.symbols)
    stops = random.random(size) < random.choice(STOPPING)
    acts = np.where(stops, random.integers(moving, len(layout.acts), size=size), random.integers(moving, size=size))
    tape = random.integers(layout.symbols, size=layout.cells).tolist()
    head, most = int(random.integers(layout.cells)), int(random.choice(STEPS))
    return MachineStart(tuple(map(tuple, acts.tolist())), tuple(tape), head, most)


def changed(
    lowering: LoweredPointerMachine, start: MachineStart, random: Generator, tokens: Sequence[int]
) -> MachineStart:
    """`start` with up to two changes, and then so that `tokens` can come.

    One of a prompt is put there; where one is an answer, some entry of the table (or none) becomes its action.
    """
    layout = lowering.layout
    acts, tape, head = [list(row) for row in start.acts], list(start.tape), start.head
    for _ in range(random.integers(3)):
        kind = random.random()
        if kind < 0.4:
            row = acts[random.integers(layout.states)]
            row[random.integers(layout.symbols)] = int(random.integers(len(layout.acts)))
        elif kind < 0.8:
            tape[random.integers(layout.cells)] = int(random.integers(layout.symbols))
        else:
            head = int(random.integers(layout.cells))
    for token in tokens:
        if not _given(lowering, acts, tape, token) and random.random() < 0.5 and (made := _maker(lowering, token)):
            acts[random.integers(layout.states)][random.integers(layout.symbols)] = made[0]
    return replace(start, acts=tuple(map(tuple, acts)), tape=tuple(tape), head=head)


def led(
    lowering: LoweredPointerMachine, start: MachineStart, random: Generator, token: int, location: int
) -> MachineStart:
    """`start` with a table that makes `token` come first, and then leads to where `location` may come.

    The start state's action, on the cell where the head begins, is the one that makes `token` come; the other entries
    of the table mostly move on to the cell where an action makes `location` come, and one of them is that action.
    """
    layout = lowering.layout
    moves = np.array([act.move if act.stop is None else 2 for act in layout.acts])
    act, cell = _maker(lowering, token) or (int(random.integers(len(moves))), start.head)
    last, end = _maker(lowering, location) or (act, cell)
    size = (layout.states, layout.symbols)
    onward = np.flatnonzero(moves == np.sign(end - cell - layout.acts[act].move))
    leads = random.random(size) < LEADING
    acts = np.where(leads, random.choice(onward, size=size), random.integers(len(moves), size=size)).tolist()
    acts[random.integers(layout.states)][random.integers(layout.symbols)] = last
    tape = list(start.tape)
    acts[0][tape[cell]] = act
    _given(lowering, acts, tape, token)
    return replace(start, acts=tuple(map(tuple, acts)), tape=tuple(tape), head=cell)


def _given(lowering: LoweredPointerMachine, acts: list[list[int]], tape: list[int], token: int) -> bool:
    """Put a token of the prompt into the table or on the tape; whether it is one."""
    entry = token - lowering.prompts.size
    if 0 <= token < lowering.prompts.size:
        p, g = divmod(token, lowering.layout.symbols)
        tape[p] = g
    elif 0 <= entry < lowering.entries.size:
        pair, act = divmod(entry, len(lowering.layout.acts))
        q, g = divmod(pair, lowering.layout.symbols)
        acts[q][g] = act
    else:
        return False
    return True


def _maker(lowering: LoweredPointerMachine, token: int) -> tuple[int, int] | None:
    """An action, and the cell where it makes `token` come: as its answer, or as the pointer that is read next."""
    for a, p in np.argwhere(lowering.answers == token).tolist():
        return a, p
    for q, g, p in np.argwhere(lowering.pointers == token).tolist():
        return lowering.layout.acts.index(Act(g, 0, q)), p
    return None


def universal_runs(
    lowering: LoweredUniversalAutomaton | LoweredUniversalMachine,
    random: Generator,
    lengths: tuple[int, int] | None = None,
) -> Iterator[list[Turn]]:
    """Runs of random programs within the bounds on random inputs, without end; `lengths` are of words, or in steps."""
    if isinstance(lowering, LoweredUniversalMachine):
        while True:
            start = drawn_start(lowering, random)
            most = start.most if lengths is None else int(random.integers(lengths[0], lengths[1] + 1))
            yield replace(start, most=most).run(lowering)
    states, symbols = lowering.program.states, lowering.program.symbols
    while True:
        targets = random.integers(states, size=(states, symbols)).tolist()
        accepts = (random.random(states) < 0.5).tolist()
        table = AutomatonTable(tuple(map(tuple, targets)), tuple(accepts))
        length = LETTERS if lengths is None else int(random.integers(lengths[0], lengths[1] + 1))
        yield list(lowering.turns(table, random.integers(symbols, size=length).tolist()))
