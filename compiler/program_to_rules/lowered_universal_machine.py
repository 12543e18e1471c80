"""What every construction of a universal machine shares: tape and table in the prompt, and the dialogue.

A run is the prompt, a token for each cell and then one for each entry of the table; the start, at a cell of the head;
and from there on the layer's own answers, as many a step as the construction takes. The constructions differ in the
coordinates of all tokens, in their rules and heads, and in where the head and the state are kept.

Bound
    Of any layer (with any weights, not only integers) that is given tape, table and start in this way, n cells and G >=
    2 symbols: the start names the cell of the head alone; of what was given before, the first answer depends on the
    symbol there and on entries of the table for the state 0, and is different for different symbols.

    d >= n. Write M(S) for the linear map from the last token to the answer. It is linear in S, so of two prompts that
    differ in the symbol of the cell p alone the difference of the first answers is M(D), for the difference D of S, on
    the start. M(D) takes the start at p to what is not 0, and the start at every other cell to 0. So in a linear
    relation between the n starts none takes part.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.errors import UnsupportedError
from compiler.program import Program
from compiler.program.machine import Machine
from compiler.program.run import Outcome
from compiler.program.universal import UniversalMachine
from compiler.program_to_rules.lowering import Asks, Lowering, Recall, Turn
from compiler.program_to_rules.machine import OUTCOMES, drawn
from compiler.program_to_rules.universal_layout import Act, Bounds


class Size(NamedTuple):
    """What a construction needs, known before it is made."""

    dimensions: int
    heads: int


@dataclass(frozen=True, slots=True)
class Table:
    """A machine by numbers, filled up to the bounds, and what its symbols are called.

    Attributes
    ----------
    acts
        (states, symbols): the number of each action.
    symbols
        The names of the machine's own symbols, the blank first.
    """

    acts: tuple[tuple[int, ...], ...]
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoweredUniversalMachine(Lowering):
    """A universal machine as a layer; `given` is the machine that it runs, where one is named.

    Attributes
    ----------
    prompts, entries, starts, answers
        The numbers of the tokens, in this order: (cells, symbols) ``p=g``; (states, symbols, acts) ``q,g: a``;
        (cells,) ``0@p``; (acts, cells) the token by which an action acts.
    """

    program: UniversalMachine
    layout: Bounds
    prompts: NDArray[np.int64]
    entries: NDArray[np.int64]
    starts: NDArray[np.int64]
    answers: NDArray[np.int64]
    given: Machine | None = None

    @abstractmethod
    def step(self, q: int, g: int, a: int, p: int) -> tuple[int, ...]:
        """The answers, by number, of a step in the state q at the cell p, which holds g, by the action a."""

    @abstractmethod
    def stored(self, p: int, g: int) -> tuple[int, int]:
        """The pair of coordinates that holds whether the cell p holds g."""

    @abstractmethod
    def head(self, recall: Recall, last: int) -> tuple[int | None, int | None]:
        """The cell of the head when the token `last` is the last, and what was read there if that was taken out."""

    def running(self, given: Program) -> LoweredUniversalMachine:
        """See `Lowering.running`; on this machine's tape."""
        return replace(self, given=self.program.check_fits(given))

    @property
    def speaks(self) -> bool:
        """The output is left on the tape."""
        return False

    @property
    def longest(self) -> int | None:
        """The input is written from the head on."""
        return None if self.given is None else self.given.cells - self.given.head

    @property
    def kept(self) -> NDArray[np.int64]:
        """The cells with their symbols."""
        cells, symbols = range(self.layout.cells), range(self.layout.symbols)
        return np.array([self.stored(p, g) for g in symbols for p in cells], dtype=np.int64)

    def named(self) -> Machine:
        """The given machine. Raises UnsupportedError where none is."""
        if self.given is None:
            name = f"{self.program.kind} {self.program.name}"
            raise UnsupportedError(f"{name} runs another program; name it (given=..., or --given on the command line)")
        return self.given

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`."""
        return self.named().word(word)

    def items(self) -> Sequence[Any]:
        """The input alphabet of the given machine."""
        return self.named().alphabet

    def table(self) -> Table:
        """The given machine by numbers."""
        machine, layout = self.named(), self.layout
        names = (machine.start, *(q for q in machine.states if q != machine.start))
        states = {name: number for number, name in enumerate(names)}
        symbols = {name: number for number, name in enumerate(machine.symbols)}
        known = {act: number for number, act in enumerate(layout.acts)}
        rows = [[known[Act(g, 0, None, "halted")] for g in range(layout.symbols)] for _ in range(layout.states)]
        for (state, symbol), action in machine.actions.items():
            write = symbols[action.write]
            moving = None if action.target is None else Act(write, action.move, states[action.target])
            rows[states[state]][symbols[symbol]] = known[moving or Act(write, 0, None, action.stop)]
        return Table(tuple(map(tuple, rows)), machine.symbols)

    def inputs(self, word: Sequence[str]) -> list[str]:
        """The tape, the table, the start."""
        machine = self.named()
        place = {symbol: number for number, symbol in enumerate(machine.symbols)}
        return self.prompt(self.table(), [place[symbol] for symbol in machine.tape(word)], machine.head)

    def prompt(self, table: Table, tape: Sequence[int], head: int) -> list[str]:
        """The tape by the numbers of its symbols, the table, the start at `head`."""
        cells = [int(self.prompts[p, g]) for p, g in enumerate(tape)]
        entries = [int(self.entries[q, g, a]) for q, row in enumerate(table.acts) for g, a in enumerate(row)]
        return [self.tokens.names[token] for token in (*cells, *entries, int(self.starts[head]))]

    def dialogue(self, word: Sequence[str], limit: int | None = None) -> Iterator[Turn]:
        """The prompt, then the tokens of each step."""
        machine = self.named()
        place = {symbol: number for number, symbol in enumerate(machine.symbols)}
        tape = [place[symbol] for symbol in machine.tape(word)]
        return islice(self.turns(self.table(), tape, machine.head, machine.steps), limit)

    def turns(self, table: Table, tape: Sequence[int], head: int, most: int | None = None) -> Iterator[Turn]:
        """The run of a table on a tape of symbols by number; at most `most` steps."""
        names, acts = self.tokens.names, self.layout.acts
        *prompt, last = self.prompt(table, tape, head)
        yield from ((name, None) for name in prompt)
        cells, state, p, count = list(tape), 0, head, 0
        while count != most:
            number = table.acts[state][cells[p]]
            for answer in self.step(state, cells[p], number, p):
                yield last, names[answer]
                last = names[answer]
            act = acts[number]
            cells[p], p, count = act.write, p + act.move, count + 1
            if act.target is None or not 0 <= p < self.layout.cells:
                break
            state = act.target
        yield last, None

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """Nothing: the output is left on the tape."""
        del question, answer
        return ()

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """The outcome whose coordinate is set, of the last ones; unfinished where none is."""
        said = zip(OUTCOMES, last[-len(OUTCOMES) :].tolist(), strict=True)
        return next((outcome for outcome, value in said if 2 * value > 1), "unfinished")

    def tape(self, recall: Recall, last: str) -> list[str]:
        """What each cell holds, by the names of the given machine; a cell that is empty holds what was read there."""
        names = self.named().symbols
        found = []
        for p in range(self.layout.cells):
            weights = [recall(*self.stored(p, g)) for g in range(len(names))]
            found.append(weights.index(max(weights)))
        number = self.tokens.numbers.get(last)
        cell, symbol = (None, None) if number is None else self.head(recall, number)
        if symbol is not None and cell is not None:
            found[cell] = symbol
        return [names[g] for g in found]

    def left(self, recall: Recall, last: str) -> tuple[str, ...]:
        """The tape between its outermost symbols that are not blank."""
        return self.named().trimmed(self.tape(recall, last))

    def picture(self, recall: Recall, last: str) -> str | None:
        """The tape with its head; None while it is being given."""
        number = self.tokens.numbers[last]
        if self.replies[number] == self.asks[number] == Asks.NOTHING:
            return None
        return drawn(self.tape(recall, last), self.head(recall, number)[0])
