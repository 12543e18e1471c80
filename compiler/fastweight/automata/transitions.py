"""An automaton as complete transitions between numbered states, with what it shows at each position of a word.

What is shown after a letter is a function of the state before it and the letter, as for a Mealy machine. So states are
told apart by what letters show from there on, not by what was shown on the way in: "the last letter was a" has one
state. These are the least transitions that show what the program shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from compiler.program.automaton import Automaton


class Shown(NamedTuple):
    """What an automaton shows after a prefix: whether it accepts (None: it does not judge), and what it emits."""

    accepts: bool | None
    output: str | None


@dataclass(frozen=True, slots=True)
class Transitions:
    """The least complete transitions that show what a program shows.

    Attributes
    ----------
    letters
        The alphabet.
    states
        For each state, by number, the names of those of the program that it stands for; None is off the automaton.
    start
        The number of the start state: 0.
    moves
        For each letter where the states go.
    shown
        For (state before, letter) what is shown after it.
    first
        What is shown of the empty word.
    """

    letters: tuple[str, ...]
    states: tuple[tuple[str | None, ...], ...]
    start: int
    moves: tuple[tuple[int, ...], ...]
    shown: tuple[tuple[Shown, ...], ...]
    first: Shown

    @property
    def size(self) -> int:
        """The number of states."""
        return len(self.states)

    def after(self, state: int, word: tuple[int, ...]) -> int:
        """Where a word of letters, by number, leads."""
        for letter in word:
            state = self.moves[letter][state]
        return state

    def spelled(self, word: tuple[int, ...]) -> str:
        """A word of letters, by name."""
        return ", ".join(self.letters[letter] for letter in word) or "the empty word"


def transitions(program: Automaton) -> Transitions:
    """The least transitions of `program`."""
    names: list[str | None] = list(program.reachable())
    if any((q, s) not in program.transitions for q in names if q is not None for s in program.alphabet):
        names.append(None)
    numbers = {name: number for number, name in enumerate(names)}
    moves = tuple(tuple(numbers[program.step(q, s)] for q in names) for s in program.alphabet)
    shown = tuple(tuple(_shown(program, q, s, program.step(q, s)) for s in program.alphabet) for q in names)
    first = _shown(program, None, None, program.start)
    return least(Transitions(program.alphabet, tuple((name,) for name in names), 0, moves, shown, first))


def least(given: Transitions) -> Transitions:
    """The least transitions that show the same: partition refinement (Moore 1956). All states are to be reachable."""
    classes = _numbered(given.shown)
    while True:
        rows = zip(*given.moves, strict=True)
        finer = _numbered([(classes[q], *(classes[there] for there in row)) for q, row in enumerate(rows)])
        if max(finer) == max(classes):
            break
        classes = finer
    members = [[q for q in range(given.size) if classes[q] == number] for number in range(max(classes) + 1)]
    return Transitions(
        given.letters,
        tuple(tuple(name for q in mine for name in given.states[q]) for mine in members),
        classes[given.start],
        tuple(tuple(classes[move[mine[0]]] for mine in members) for move in given.moves),
        tuple(given.shown[mine[0]] for mine in members),
        given.first,
    )


def _numbered(values: Sequence[object]) -> list[int]:
    """The same number for the same value, in the order in which they come."""
    order: dict[object, int] = {}
    return [order.setdefault(value, len(order)) for value in values]


def _shown(program: Automaton, state: str | None, symbol: str | None, target: str | None) -> Shown:
    outcome = program.outcome(target)
    judged = None if program.accept is None and target is not None else outcome == "accepted"
    return Shown(judged, program.emitted(state, symbol, target))
