"""A cascade: levels, each a few points that every token of its own leaves alone, permutes or resets.

A level reads tokens, and so a position-wise function of all that stands at one position: the letter, and where the
levels above were before it and after it. So levels can be layers of a network, one above the other, and what is between
them are tables. (`compiler.fastweight.automata.holonomy` has the mathematics.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from compiler.fastweight.automata.transitions import Shown, Transitions


class Reset(NamedTuple):
    """Afterwards it is this point."""

    point: int


class Permute(NamedTuple):
    """The point p goes to targets[p]."""

    targets: tuple[int, ...]

    @property
    def moves(self) -> bool:
        """Whether some point goes elsewhere."""
        return any(place != target for place, target in enumerate(self.targets))


Action: TypeAlias = Reset | Permute


class Reading(NamedTuple):
    """Where the components of a level were before a token, and are after it; before the first token they are None."""

    before: tuple[int | None, ...]
    after: tuple[int, ...]


Points: TypeAlias = tuple[tuple[int, ...], ...]
"""Where the components of each level are."""


@dataclass(frozen=True, slots=True)
class Component:
    """Some points, and what each token does to them; the first token of a run resets them."""

    points: int
    actions: tuple[Action, ...]

    @property
    def permutes(self) -> bool:
        """Whether some token permutes points."""
        return any(isinstance(action, Permute) and action.moves for action in self.actions)


@dataclass(frozen=True, slots=True)
class Level:
    """Components side by side that read the same tokens.

    Attributes
    ----------
    components
        Of each what the tokens do.
    after
        For each token and reading the token of the next level; of the last one the number of what is shown.
    """

    components: tuple[Component, ...]
    after: dict[tuple[int, Reading], int]

    @property
    def tokens(self) -> int:
        """How many tokens it reads."""
        return len(self.components[0].actions)


@dataclass(frozen=True, slots=True)
class Cascade:
    """Levels, from above. The first one's token 0 begins a run, and token 1 + n is letter n.

    Attributes
    ----------
    levels
        In order; none where what is shown follows from the letter.
    shown
        What may be shown.
    """

    letters: tuple[str, ...]
    levels: tuple[Level, ...]
    shown: tuple[Shown, ...]

    def step(self, points: Points | None, token: int) -> tuple[Points, Shown]:
        """The points of all levels after a token of the first level, and what is shown; by the tables."""
        after = []
        for n, level in enumerate(self.levels):
            before = (None,) * len(level.components) if points is None else points[n]
            now = tuple(moved(each.actions[token], old) for each, old in zip(level.components, before, strict=True))
            after.append(now)
            token = level.after[token, Reading(before, now)]
        return tuple(after), self.shown[token]

    def run(self, word: Iterable[int]) -> Iterator[Shown]:
        """What is shown before a word of letters, by number, and after each."""
        points: Points | None = None
        for token in (0, *(1 + letter for letter in word)):
            points, shown = self.step(points, token)
            yield shown


def moved(action: Action, point: int | None) -> int:
    """Where an action takes a point; the first one only resets."""
    return action.point if isinstance(action, Reset) else action.targets[point or 0]


def check_cascade(cascade: Cascade, given: Transitions) -> None:
    """Raise ArithmeticError unless it shows what `given` shows on every word: all pairs of states are visited."""
    if not cascade.levels:
        return
    begin = cascade.step(None, 0)
    queue = [(given.start, begin[0])]
    known, wrong = set(queue), begin[1] != given.first
    for state, points in queue:
        for letter, move in enumerate(given.moves):
            after, shown = cascade.step(points, 1 + letter)
            wrong |= shown != given.shown[state][letter]
            if (pair := (move[state], after)) not in known:
                known.add(pair)
                queue.append(pair)
    if wrong:
        raise ArithmeticError("a cascade shows something else; this is a mistake of the compiler")
