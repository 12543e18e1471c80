"""Counters with a finite control, in real time: the languages that a stack of layers recognises without being finite.

A letter adds an integer to each counter, or sets them all to zero. Of a counter only the sign is seen. The rest is a
finite automaton over letters and signs. `compiler.fastweight.counters.language_to_stack` compiles both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import product

from compiler.fastweight.automata.transitions import Shown, Transitions, least

Signs = tuple[int, ...]
"""-1, 0 or 1 for each counter."""


@dataclass(frozen=True)
class CounterLanguage:
    """A language of counters with a finite control.

    Attributes
    ----------
    letters
        The alphabet.
    adds
        What each letter adds to each counter; None sets all to zero.
    start
        The state of the control at the beginning.
    control
        The state after a letter, from the state before, the letter, and the signs after it.
    accepts
        Whether a word is in the language, from the state and the signs after it.
    """

    letters: tuple[str, ...]
    adds: dict[str, tuple[int, ...] | None]
    start: Hashable
    control: Callable[[Hashable, str, Signs], Hashable]
    accepts: Callable[[Hashable, Signs], bool]

    @property
    def counters(self) -> int:
        """How many there are."""
        return max(len(each) for each in self.adds.values() if each is not None)


def named(letter: str, signs: Signs) -> str:
    """A letter of the control."""
    return letter + "".join("-0+"[1 + sign] for sign in signs)


def control(language: CounterLanguage) -> Transitions:
    """The finite control as an automaton, over letters with signs: `named` has the names of its letters."""
    inputs = [(letter, signs) for letter in language.letters for signs in product((-1, 0, 1), repeat=language.counters)]
    states = {language.start: 0}
    moves: list[list[int]] = [[] for _ in inputs]
    shown: list[tuple[Shown, ...]] = []
    for state in (queue := [language.start]):
        row = []
        for n, (letter, signs) in enumerate(inputs):
            there = language.control(state, letter, signs)
            if there not in states:
                states[there] = len(states)
                queue.append(there)
            moves[n].append(states[there])
            row.append(Shown(language.accepts(there, signs), None))
        shown.append(tuple(row))
    names = tuple((str(state),) for state in states)
    first = Shown(language.accepts(language.start, (0,) * language.counters), None)
    letters = tuple(named(*each) for each in inputs)
    return least(Transitions(letters, names, 0, tuple(map(tuple, moves)), tuple(shown), first))


ALIVE, DEAD = "alive", "dead"


def _balanced(state: Hashable, _letter: str, signs: Signs) -> Hashable:
    return DEAD if state == DEAD or min(signs) < 0 else ALIVE


def _balanced_since_reset(state: Hashable, letter: str, signs: Signs) -> Hashable:
    return ALIVE if letter == "r" else _balanced(state, letter, signs)


def _in_order(state: Hashable, letter: str, _signs: Signs) -> Hashable:
    return letter if isinstance(state, str) and state != DEAD and state <= letter else DEAD


def _all_zero(state: Hashable, signs: Signs) -> bool:
    return state != DEAD and not any(signs)


COUNTER_LANGUAGES = {
    "a^n b^n": CounterLanguage(("a", "b"), {"a": (1,), "b": (-1,)}, "", _in_order, _all_zero),
    "a^n b^n c^n": CounterLanguage(
        ("a", "b", "c"), {"a": (1, 1), "b": (-1, 0), "c": (0, -1)}, "", _in_order, _all_zero
    ),
    "Shuffle-2": CounterLanguage(
        ("(", ")", "[", "]"), {"(": (1, 0), ")": (-1, 0), "[": (0, 1), "]": (0, -1)}, ALIVE, _balanced, _all_zero
    ),
    "Dyck-1": CounterLanguage(("(", ")"), {"(": (1,), ")": (-1,)}, ALIVE, _balanced, _all_zero),
    "reset Dyck-1": CounterLanguage(
        ("(", ")", "r"), {"(": (1,), ")": (-1,), "r": None}, ALIVE, _balanced_since_reset, _all_zero
    ),
}
"""Those of the formal-language suite, by name (compiler/formal/tasks.py)."""
