"""An automaton as a stack of linear Transformer layers, which only add: the other half of `potentials`.

A run visits components of the automaton one after the other. For the j-th of them there are these layers, each with one
key and one value, W <- W + v, y = W. A position is *settled* once what is shown there is known; it is *open* while all
that is known is its letter and that the run has come to the j-th component or further.

    which       where the component is entered, by a jump that is known, the state e that is entered is added. Later
                positions read e. (Not needed if only one state can be.)
    one layer for each potential of the component
                each open letter adds its weight, given the class of the state before that is known so far. The height
                of e, and the sum, less what the letter itself added, is the height of the state before: its class
                under this potential.
    first       now the state before is known, as long as the run has not left the component. Letters that lead out
                of it add 1. Open positions that read 0 are settled, and so is the one that reads 1 and added it: the
                jump into the next component. All others stay open. What they read in this component meant nothing.

Sums are integers; those that matter stay as small as the heights, and "first" counts beyond 1 without meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from compiler.errors import TooLargeError
from compiler.fastweight.automata.potentials import components, refined
from compiler.fastweight.automata.transitions import Shown, Transitions
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.stack import Stack, Stage

MOST_ENTRIES = 1_000_000
"""The most entries of one stage's table."""


class Settled(NamedTuple):
    """What is shown is known."""

    shown: Shown


class Enters(NamedTuple):
    """A jump into a component, at this state."""

    state: int
    shown: Shown


class Open(NamedTuple):
    """A letter, after the last jump that is known."""

    letter: int


class Within(NamedTuple):
    """A letter in the component that was entered at a state, unless it has been left; the class of the state before.

    The class is None where the run must have left the component.
    """

    letter: int
    entered: int
    before: int | None


class Tentative(NamedTuple):
    """What a letter shows, and where it leads if that is out of the component, had that not been left before."""

    letter: int
    shown: Shown
    leaves_to: int | None


Token = Settled | Enters | Open | Within | Tentative


def additive_stack(given: Transitions) -> Stack[Shown] | None:
    """The stack that shows what `given` shows; None where there is none. Raises TooLargeError."""
    build = _Builder(given)
    if any(len(set(build.classes(members).values())) < len(members) for members in build.members.values()):
        return None
    entered = [given.start]
    while any(isinstance(token, Open) for token in build.tokens):
        if len(entered) > 1:
            build.which(entered)
        else:
            build.rename(partial(_within, state=entered[0]))
        for number in range(max(len(build.potentials[state]) for state in entered)):
            build.potential(number, entered)
        build.rename(build.tentative)
        entered = sorted({t.leaves_to for t in build.tokens if isinstance(t, Tentative) and t.leaves_to is not None})
        if entered:
            build.first()
        else:
            build.rename(_settled)
    return build.stack()


def _within(token: Token, state: int) -> Token:
    return Within(token.letter, state, 0) if isinstance(token, Open) else _settled(token)


def _settled(token: Token) -> Token:
    return Settled(token.shown) if isinstance(token, Enters | Tentative) else token


class _Builder:
    """Stages, from below, and the tokens that the last of them ends with."""

    def __init__(self, given: Transitions) -> None:
        self.given = given
        self.members = {min(each): each for each in components(given)}
        found = {first: refined(given, each) for first, each in self.members.items()}
        self.component = {state: first for first, each in self.members.items() for state in each}
        self.potentials = {state: found[first] for state, first in self.component.items()}
        self.tokens: list[Token] = [Settled(given.first), *(Open(letter) for letter in range(len(given.letters)))]
        self.stages: list[Stage] = []

    def classes(self, members: Sequence[int]) -> dict[int, int]:
        """The last partition of a component."""
        potentials = self.potentials[members[0]]
        return potentials[-1].classes if potentials else dict.fromkeys(members, 0)

    def rename(self, name: Callable[[Token], Token]) -> None:
        """Call tokens something else, which is up to the table before them."""
        self.tokens = [name(token) for token in self.tokens]

    def stage(
        self, added: Callable[[Token], int], levels: range, follows: Callable[[Token, int], Token | None]
    ) -> None:
        """Add integers, and tell sums apart within `levels`; any other sum is read as the nearest of these.

        Where nothing follows the sum does not occur.
        """
        entries = len(self.tokens) * len(levels)
        if entries > MOST_ENTRIES:
            raise TooLargeError(f"a layer's table has {entries:,} entries, and up to {MOST_ENTRIES:,} are compiled")
        table: dict[tuple[int, tuple[int, ...]], int] = {}
        following: dict[Token, int] = {}
        for (n, token), (digit, level) in product(enumerate(self.tokens), enumerate(levels)):
            if (there := follows(token, level)) is not None:
                table[n, (digit,)] = following.setdefault(there, len(following))
        ones, values = np.ones((1, 1, len(self.tokens))), np.array([[[float(added(token)) for token in self.tokens]]])
        layer = LinearTransformer(ones, ones, values, "identity")
        thresholds = (tuple(level + 0.5 for level in levels[:-1]),)
        self.stages.append(Stage(layer, thresholds, np.full((len(self.tokens), 1), -1), table))
        self.tokens = list(following)

    def which(self, entered: Sequence[int]) -> None:
        """Tell all positions from a jump on which state was entered."""

        def follows(token: Token, level: int) -> Token | None:
            if isinstance(token, Open):
                return Within(token.letter, entered[level - 1], 0) if level else None
            return _settled(token)

        numbers = {state: 1 + n for n, state in enumerate(entered)}
        self.stage(
            lambda token: numbers[token.state] if isinstance(token, Enters) else 0, range(len(entered) + 1), follows
        )

    def potential(self, number: int, entered: Sequence[int]) -> None:
        """Tell positions the class of the state before, by one more potential of the component."""

        def added(token: Token) -> int:
            if not isinstance(token, Within) or token.before is None:
                return 0
            mine = self.potentials[token.entered][number : number + 1]
            return mine[0].weights.get((token.letter, token.before), 0) if mine else 0

        def follows(token: Token, level: int) -> Token | None:
            if not isinstance(token, Within) or token.before is None or number >= len(self.potentials[token.entered]):
                return token
            potential = self.potentials[token.entered][number]
            height = potential.heights[token.entered] + level - added(token)
            return token._replace(before=potential.at.get(height))

        reached = [0]
        for state in entered:
            for potential in self.potentials[state][number : number + 1]:
                rises = [height - potential.heights[state] for height in potential.heights.values()]
                steps = [0, *potential.weights.values()]
                reached += [min(rises) + min(steps), max(rises) + max(steps)]
        self.stage(added, range(min(reached), max(reached) + 1), follows)

    def tentative(self, token: Token) -> Token:
        """What a letter shows and where it leads, by the class of the state before."""
        if not isinstance(token, Within):
            return token
        if token.before is None:
            return Open(token.letter)
        members = self.members[self.component[token.entered]]
        classes = self.classes(members)
        before = next(state for state in members if classes[state] == token.before)
        there = self.given.moves[token.letter][before]
        return Tentative(token.letter, self.given.shown[before][token.letter], None if there in classes else there)

    def first(self) -> None:
        """Find the first letter that leads out of the component; what comes after it stays open."""

        def follows(token: Token, level: int) -> Token | None:
            if isinstance(token, Tentative) and token.leaves_to is not None and level < 2:
                return Enters(token.leaves_to, token.shown) if level else None
            if isinstance(token, Tentative | Open):
                return Open(token.letter) if level else _settled(token) if isinstance(token, Tentative) else None
            return token

        self.stage(lambda token: int(isinstance(token, Tentative) and token.leaves_to is not None), range(3), follows)

    def stack(self) -> Stack[Shown]:
        """The stages, the last of which says what is shown."""
        said = [token.shown for token in map(_settled, self.tokens) if isinstance(token, Settled)]
        shown = tuple(dict.fromkeys(said))
        if not self.stages:
            return Stack(self.given.letters, (), tuple(said))
        last = self.stages[-1]
        table = {key: shown.index(said[number]) for key, number in last.table.items()}
        return Stack(self.given.letters, (*self.stages[:-1], replace(last, table=table)), shown)
