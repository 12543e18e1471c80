"""Runs of universal machines whose tape and table are chosen as they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine, Table
from compiler.program_to_rules.lowering import Asks, Turn
from compiler.program_to_rules.universal_machine import LoweredPointerMachine
from compiler.program_to_rules.universal_machine_registers import LoweredRegistersMachine
from verify.lazy_runs import UNREAD, LazyRun, LazyRuns, Near, options, with_value


class Head(NamedTuple):
    """Where a machine stands: the tape with `UNREAD` cells, the state, the cell of the head."""

    tape: tuple[int, ...]
    state: int
    cell: int


class MachineRuns(LazyRuns[Head]):
    """The runs of a universal machine: the places are its cells, then the entries of the table."""

    def __init__(self, lowering: LoweredUniversalMachine) -> None:
        self.lowering = lowering
        self.layout = lowering.layout
        self.acts = lowering.layout.acts
        self.answers = lowering.answers.tolist()
        self.places = [*lowering.prompts.tolist(), *(entry for row in lowering.entries.tolist() for entry in row)]
        self.questions = np.flatnonzero(lowering.asks).tolist()
        self.free = [range(len(place)) for place in self.places]

    def entry(self, here: Head) -> int:
        """The place of the entry that is read there."""
        return self.layout.cells + here.state * self.layout.symbols + here.tape[here.cell]

    def acted(self, here: Head, number: int) -> Head | None:
        """Where the action takes it; None where the run stops there."""
        act = self.acts[number]
        if act.target is None or not 0 <= here.cell + act.move < self.layout.cells:
            return None
        return Head(with_value(here.tape, here.cell, act.write), act.target, here.cell + act.move)

    def begins(self) -> Iterator[LazyRun[Head]]:
        """The head stands at any cell."""
        blank = (UNREAD,) * self.layout.cells
        for cell, start in enumerate(self.lowering.starts.tolist()):
            yield LazyRun((UNREAD,) * len(self.places), (start,), Head(blank, 0, cell))

    def allowed(self, run: LazyRun[Head]) -> Iterator[Sequence[Sequence[int]]]:
        """Anything, anywhere."""
        del run
        yield self.free

    def given(self, run: LazyRun[Head]) -> tuple[int, ...]:
        """The start."""
        return run.after[:1]

    def turns(self, run: LazyRun[Head], choices: Sequence[int]) -> Iterator[Turn]:
        """See `LazyRuns.turns`."""
        cells, symbols = self.layout.cells, self.layout.symbols
        rows = tuple(tuple(choices[n : n + symbols]) for n in range(cells, len(choices), symbols))
        head = self.lowering.starts.tolist().index(run.after[0])
        return self.lowering.turns(Table(rows, ()), choices[:cells], head)


class PointerRuns(MachineRuns):
    """Those of the construction with pointers: a configuration, then a pointer."""

    def __init__(self, lowering: LoweredPointerMachine) -> None:
        super().__init__(lowering)
        self.pointers, self.pointed, self.names = lowering.pointers.tolist(), lowering.pointed, lowering.tokens.names

    def longer(self, run: LazyRun[Head], near: Near) -> Iterator[LazyRun[Head]]:
        """A configuration reads its cell, a pointer its entry."""
        tape, state, cell = run.here
        if len(run.after) % 2:
            for symbol in options(tape[cell], self.layout.symbols):
                if near(pointer := self.pointers[state][symbol][cell]):
                    choices = run.choices if tape[cell] >= 0 else with_value(run.choices, cell, symbol)
                    yield LazyRun(choices, (*run.after, pointer), Head(with_value(tape, cell, symbol), state, cell))
            return
        place = self.entry(run.here)
        for number in options(run.choices[place], len(self.acts)):
            answer, here = self.answers[number][cell], self.acted(run.here, number)
            if here is not None and near(answer):
                yield LazyRun(with_value(run.choices, place, number), (*run.after, answer), here)

    def followers(self, question: int) -> Iterator[int]:
        """A configuration points, a pointer acts."""
        state, symbol, cell = self.pointed(self.names[question])
        assert state is not None
        assert cell is not None
        if symbol is None:
            yield from (row[cell] for row in self.pointers[state])
            return
        for act, answers in zip(self.acts, self.answers, strict=True):
            if act.target is not None and 0 <= cell + act.move < self.layout.cells:
                yield answers[cell]


class RegistersRuns(MachineRuns):
    """Those of the construction with registers: a cell, what was seen there, a pointer, an action."""

    def __init__(self, lowering: LoweredRegistersMachine) -> None:
        super().__init__(lowering)
        self.seen, self.pointers, self.moves = (
            kind.tolist() for kind in (lowering.seen, lowering.pointers, lowering.moves)
        )
        self.next = dict(self._following(lowering))

    def _following(self, lowering: LoweredRegistersMachine) -> Iterator[tuple[int, list[int]]]:
        """Each question, and those that may come next."""
        for p, start in enumerate(lowering.starts.tolist()):
            yield start, [row[p] for row in self.seen]
        for g, row in enumerate(self.seen):
            yield from ((seen, [pointers[g] for pointers in self.pointers]) for seen in row)
        acting = [answer for row in self.answers for answer in row if lowering.asks[answer] != Asks.NOTHING]
        yield from ((pointer, acting) for row in self.pointers for pointer in row)
        for act, row in zip(self.acts, self.answers, strict=True):
            for p, answer in enumerate(row):
                if act.target is not None and 0 <= p + act.move < self.layout.cells:
                    moved = self.moves[1 + act.move][p]
                    yield answer, [moved]
                    yield moved, [seen[p + act.move] for seen in self.seen]

    def longer(self, run: LazyRun[Head], near: Near) -> Iterator[LazyRun[Head]]:
        """A cell is read, then the state, then the entry; then the head moves."""
        tape, state, cell = run.here
        stage = (len(run.after) - 1) % 4
        if stage == 0:
            for symbol in options(tape[cell], self.layout.symbols):
                if near(seen := self.seen[symbol][cell]):
                    choices = run.choices if tape[cell] >= 0 else with_value(run.choices, cell, symbol)
                    yield LazyRun(choices, (*run.after, seen), Head(with_value(tape, cell, symbol), state, cell))
        elif stage == 1:
            if near(pointer := self.pointers[state][tape[cell]]):
                yield LazyRun(run.choices, (*run.after, pointer), run.here)
        elif stage == 2:
            place = self.entry(run.here)
            for number in options(run.choices[place], len(self.acts)):
                answer = self.answers[number][cell]
                if self.acts[number].target is not None and near(answer):
                    yield LazyRun(with_value(run.choices, place, number), (*run.after, answer), run.here)
        else:
            number = run.choices[self.entry(run.here)]
            here, moved = self.acted(run.here, number), self.moves[1 + self.acts[number].move][cell]
            if here is not None and near(moved):
                yield LazyRun(run.choices, (*run.after, moved), here)

    def followers(self, question: int) -> Iterator[int]:
        """See `LazyRuns.followers`."""
        yield from self.next.get(question, ())
