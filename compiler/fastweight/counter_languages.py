"""Counters with a finite control, in real time: the languages that a stack of layers recognises without being finite.

The first layer keeps a counter in each head. A letter adds an integer to each, or sets them all to zero. A linear
Transformer adds with v = c and the key 1; it has no way to zero. A DeltaProduct layer adds in two steps of rate 2, as
W -> -W and then -W -> c + W (v = c / 2), and its decay 0 sets to zero. What is read is only the sign of each counter.
The rest is a finite automaton over letters and signs, compiled like any other to layers above.

Counters are below 2^23 in float32; a run that comes to more is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import product

import numpy as np

from compiler.fastweight.automata.additive import additive_stack
from compiler.fastweight.automata.cascade_to_stack import cascade_to_stack
from compiler.fastweight.automata.holonomy_to_cascade import holonomy_cascade
from compiler.fastweight.automata.table_to_stack import LARGE
from compiler.fastweight.automata.transitions import Shown, Transitions, least
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.stack import Stack, Stage

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


def counter_stack(language: CounterLanguage, *, linear: bool = False) -> Stack[Shown] | None:
    """The stack of DeltaProduct layers, or of linear Transformers, that shows whether prefixes are in the language.

    None where linear Transformers have no such stack.
    """
    if linear and None in language.adds.values():
        return None
    over = _control(language)
    above = additive_stack(over) if linear else cascade_to_stack(holonomy_cascade(over))
    if above is None:
        return None
    tokens = {name: 1 + n for n, name in enumerate(over.letters)}
    table = {(0, (1,) * language.counters): 0}
    for n, letter in enumerate(language.letters):
        for signs in product((-1, 0, 1), repeat=language.counters):
            table[1 + n, tuple(1 + sign for sign in signs)] = tokens[_name(letter, signs)]
    layer = _added(language) if linear else _reflected(language)
    masks = np.full((1 + len(language.letters), language.counters), 3)
    below = Stage(layer, ((-0.5, 0.5),) * language.counters, masks, table, counts=True)
    return Stack(language.letters, (below, *above.stages), above.shown)


def _name(letter: str, signs: Signs) -> str:
    return letter + "".join("-0+"[1 + sign] for sign in signs)


def _control(language: CounterLanguage) -> Transitions:
    """The automaton over letters with signs."""
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
    letters = tuple(_name(*each) for each in inputs)
    return least(Transitions(letters, names, 0, tuple(map(tuple, moves)), tuple(shown), first))


def _added(language: CounterLanguage) -> LinearTransformer:
    values = [(0,) * language.counters, *(language.adds[letter] or () for letter in language.letters)]
    ones = np.ones((language.counters, 1, len(values)))
    return LinearTransformer(ones, ones, np.array(values, dtype=np.float64).T[:, None], "identity")


def _reflected(language: CounterLanguage) -> DeltaProduct:
    heads, tokens = language.counters, 1 + len(language.letters)
    values, rates = np.zeros((2, heads, 1, tokens)), np.full((2, heads, tokens), -LARGE)
    decays = np.full((heads, tokens), LARGE)
    for n, letter in enumerate(language.letters):
        added = language.adds[letter]
        if added is None:
            decays[:, 1 + n] = -LARGE
        else:
            values[1, :, 0, 1 + n] = np.array(added) / 2
            rates[:, np.flatnonzero(added), 1 + n] = LARGE
    ones = np.ones((heads, 1, tokens))
    gated = decays if None in language.adds.values() else None
    return DeltaProduct(ones, np.stack([ones, ones]), values, rates, gated, beta_max=2)


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
