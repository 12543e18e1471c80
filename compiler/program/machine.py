"""Turing machines on a tape of n cells, with every way of stopping said.

The input is written from the head's first cell on, the rest of the tape is blank; cells count from 0. An action
writes, then moves, then enters a state or stops. Leaving the tape is the outcome ``overran``; reaching the bound on
steps, ``unfinished``. The output is the tape between its outermost symbols that are not blank.

>>> flip = Machine("flip", blank="_", alphabet=("0", "1"), marks=(), states=("s",), start="s", cells=4, head=0,
...     actions={("s", "0"): Action("1", 1, "s"), ("s", "1"): Action("0", 1, "s"),
...              ("s", "_"): Action("_", 0, None, "halted")})
>>> flip.run("01").output
('1', '0')
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from typing import Literal, TypeAlias, get_args

from compiler.errors import ProgramError, WordError
from compiler.program.run import Example, Outcome, Run
from compiler.program.words import check_word, parse_word, unspeakable

Stop: TypeAlias = Literal["accepted", "rejected", "halted"]


@dataclass(frozen=True, slots=True)
class Action:
    """What a machine does on one symbol in one state: write, move (-1, 0 or 1), then a state or a stop."""

    write: str
    move: int
    target: str | None
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """A deterministic one-tape Turing machine on `cells` cells.

    Attributes
    ----------
    blank, alphabet, marks
        The blank, the input alphabet (it may hold the blank) and the symbols that only the machine writes.
    states, start
        Q without the stops, and q0.
    actions
        delta, total on states x symbols.
    cells, head
        n, and the cell (from 0) where the head starts and the input begins.
    steps
        A bound on the history, or None.

    Raises
    ------
    ProgramError
        At construction, with every violation.
    """

    name: str
    blank: str
    alphabet: tuple[str, ...]
    marks: tuple[str, ...]
    states: tuple[str, ...]
    start: str
    actions: Mapping[tuple[str, str], Action]
    cells: int
    head: int = 0
    steps: int | None = None
    examples: tuple[Example, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        problems = self.violations()
        if problems:
            raise ProgramError(f"machine {self.name}: " + "; ".join(problems))

    def violations(self) -> list[str]:
        """Everything that is wrong with this value; empty for a legal machine."""
        states, symbols = frozenset(self.states), frozenset(self.symbols)
        found = unspeakable(self.name)
        found += [
            f"its {what} {value!r}, expected a whole number"
            for what, value in (("cells are", self.cells), ("head is", self.head), ("steps are", self.steps))
            if not (value is None and what == "steps are")
            and (isinstance(value, bool) or not isinstance(value, Integral))
        ]
        if found:
            return found
        if not self.states or len(states) != len(self.states):
            found.append("its states are missing or declared twice")
        listed = (*self.alphabet, *self.marks, *({self.blank} - {*self.alphabet}))
        if len(set(listed)) != len(listed) or "" in listed:
            found.append("a symbol is empty or declared twice, or a mark is in the alphabet")
        if self.start not in states:
            found.append(f"its start state {self.start!r} is not a state")
        if self.cells < 1 or not 0 <= self.head < self.cells:
            found.append(f"its head starts at cell {self.head} of {self.cells}")
        if self.steps is not None and self.steps < 0:
            found.append(f"its bound on steps is {self.steps}")
        for (state, symbol), action in self.actions.items():
            known = state in states and symbol in symbols and action.write in symbols
            goes_on = action.stop is None and action.target in states
            stops = action.stop in get_args(Stop) and action.target is None
            if not known or not (goes_on or stops) or action.move not in (-1, 0, 1):
                found.append(f"the action on {state!r}, {symbol!r} is malformed: {action}")
        missing = [(q, g) for q in self.states for g in self.symbols if (q, g) not in self.actions]
        if missing:
            found.append("it has no action for " + ", ".join(f"({q}, {g})" for q, g in missing[:5]))
        return found

    @property
    def kind(self) -> str:
        """The keyword of the language: ``machine``."""
        return "machine"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Gamma: the blank, the alphabet and the marks, each once."""
        return tuple(dict.fromkeys((self.blank, *self.alphabet, *self.marks)))

    def word(self, word: str | Iterable[str]) -> tuple[str, ...]:
        """`word` as symbols of the input alphabet that fit on the tape. Raises WordError."""
        symbols = parse_word(word, self.alphabet) if isinstance(word, str) else check_word(word, self.alphabet)
        room = self.cells - self.head
        if len(symbols) > room:
            raise WordError(
                f"the input has {len(symbols)} symbols, but from cell {self.head} of {self.cells} only {room} fit; "
                "give the machine more cells"
            )
        return symbols

    def run(self, word: str | Iterable[str], *, steps: int | None = None) -> Run:
        """Run the machine on `word`, for at most `steps` (and its own bound): the reference interpreter.

        Raises WordError. Without a bound a machine that never stops runs for ever.
        """
        symbols = self.word(word)
        tape = self.tape(symbols)
        bounds = [bound for bound in (steps, self.steps) if bound is not None]
        limit = min(bounds) if bounds else None
        state: str | None = self.start
        head, count = self.head, 0
        outcome: Outcome = "unfinished"
        while state is not None and (limit is None or count < limit):
            action = self.actions[state, tape[head]]
            tape[head] = action.write
            head += action.move
            count += 1
            if action.stop is not None:
                outcome, state = action.stop, None
            elif not 0 <= head < self.cells:
                outcome, state = "overran", None
            else:
                state = action.target
        return Run(symbols, outcome, self.trimmed(tape), count)

    def tape(self, word: Iterable[str]) -> list[str]:
        """The tape at the start of a run on `word`: blank but for the word, which begins at the head."""
        symbols = tuple(word)
        tape = [self.blank] * self.cells
        tape[self.head : self.head + len(symbols)] = symbols
        return tape

    def configurations(self, word: Iterable[str]) -> Iterator[tuple[str, str, int]]:
        """The state, the symbol under the head and the cell of the head before each step of the run on `word`."""
        tape = self.tape(self.word(word))
        state: str | None = self.start
        head, count = self.head, 0
        while state is not None and 0 <= head < self.cells and count != self.steps:
            yield state, tape[head], head
            action = self.actions[state, tape[head]]
            tape[head] = action.write
            head += action.move
            state = action.target
            count += 1

    def trimmed(self, tape: list[str]) -> tuple[str, ...]:
        """The tape between its outermost symbols that are not blank."""
        written = [place for place, symbol in enumerate(tape) if symbol != self.blank]
        return tuple(tape[written[0] : written[-1] + 1]) if written else ()

    @classmethod
    def from_table(cls, table: str, *, cells: int = 64, head: int | None = None, name: str = "machine") -> Machine:
        """A machine in the standard notation, such as ``1RB1LB_1LA1RH`` (the two-state busy beaver).

        States are A, B, ... in the order of the blocks, symbols 0 (the blank), 1, ... in the order within them; a
        state that has no block, usually H or Z, halts, and ``---`` is an undefined action, which halts too.

        Raises
        ------
        ProgramError
            Where the text is not in this notation.
        """
        if not isinstance(table, str):
            raise ProgramError(f"{table!r} is no table: expected a text of blocks such as 1RB1LB_1LA1RH")
        blocks = table.strip().split("_")
        width = len(blocks[0]) // 3
        if not 1 <= width <= 10 or len(blocks) > 25 or any(len(block) != 3 * width for block in blocks):
            raise ProgramError(f"{table[:60]!r} is no table: expected blocks of equal length such as 1RB1LB_1LA1RH")
        states = tuple(chr(ord("A") + number) for number in range(len(blocks)))
        symbols = tuple(str(number) for number in range(width))
        actions = {}
        for state, block in zip(states, blocks, strict=True):
            for symbol in symbols:
                text = block[3 * int(symbol) : 3 * int(symbol) + 3]
                actions[state, symbol] = _entry(text, symbol, states, symbols)
        middle = cells // 2 if isinstance(cells, Integral) else 0  # what else it is, the machine refuses
        return cls(name, "0", symbols, (), states, "A", actions, cells, middle if head is None else head)

    def __str__(self) -> str:
        from compiler.program.program_to_text import machine_to_text

        return machine_to_text(self)


def _entry(text: str, read: str, states: tuple[str, ...], symbols: tuple[str, ...]) -> Action:
    if text == "---":
        return Action(read, 0, None, "halted")
    write, move, target = text[0], text[1], text[2]
    if write not in symbols or move not in "LR" or not ("A" <= target <= "Z"):
        raise ProgramError(f"{text!r} is no entry of a table: expected a symbol, L or R, and a state, such as 1RB")
    step = 1 if move == "R" else -1
    return Action(write, step, target) if target in states else Action(write, step, None, "halted")
