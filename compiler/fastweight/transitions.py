"""An automaton as complete transitions between numbered states, with what it shows at each position of a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from compiler.program.automaton import Automaton
from compiler.program.minimise import minimise


class Shown(NamedTuple):
    """What an automaton shows after a prefix: whether it accepts (None: it does not judge), and what it emits."""

    accepts: bool | None
    output: str | None


@dataclass(frozen=True, slots=True)
class Transitions:
    """The least complete automaton with the runs of a program.

    Attributes
    ----------
    letters
        The alphabet.
    states
        The names of the states, which are numbered; None is the sink of missing transitions, if words lead there.
    start
        The number of the start state.
    moves
        For each letter where the states go.
    shown
        For (state before, letter) what is shown after it.
    first
        What is shown of the empty word.
    """

    letters: tuple[str, ...]
    states: tuple[str | None, ...]
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

    def spelled(self, word: tuple[int, ...]) -> tuple[str, ...]:
        """A word of letters, by name."""
        return tuple(self.letters[letter] for letter in word)


def transitions(program: Automaton) -> Transitions:
    """The transitions of the least automaton with the runs of `program`."""
    least = minimise(program)
    names: list[str | None] = list(least.reachable())
    if any((q, s) not in least.transitions for q in names if q is not None for s in least.alphabet):
        names.append(None)
    numbers = {name: number for number, name in enumerate(names)}
    moves = tuple(tuple(numbers[least.step(q, s)] for q in names) for s in least.alphabet)
    shown = tuple(tuple(_shown(least, q, s, least.step(q, s)) for s in least.alphabet) for q in names)
    return Transitions(least.alphabet, tuple(names), 0, moves, shown, _shown(least, None, None, least.start))


def _shown(program: Automaton, state: str | None, symbol: str | None, target: str | None) -> Shown:
    outcome = program.outcome(target)
    judged = None if program.accept is None and target is not None else outcome == "accepted"
    return Shown(judged, program.emitted(state, symbol, target))
