"""The holonomy decomposition as a cascade: one level for each height, with its tables filled in along the runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from compiler.errors import TooLargeError
from compiler.fastweight.automata.cascade import Action, Cascade, Component, Level, Permute, Reading, Reset
from compiler.fastweight.automata.holonomy import Holonomy, holonomy
from compiler.fastweight.automata.transitions import Shown, Transitions

MOST_CHAINS = 50_000
"""The most chains of sets that runs may come by."""


class _Token(NamedTuple):
    """A token of a level: the letter (None begins a run), and the sets of the old chain and of the new one there."""

    letter: int | None
    old: int
    new: int


def holonomy_cascade(given: Transitions) -> Cascade:
    """The cascade of `given`, which shows what it shows. Raises TooLargeError, with the size that was too large."""
    letters = range(len(given.letters))
    levels = _Levels(given, holonomy(given.moves))
    if not levels.heights:
        return Cascade(given.letters, (), (given.first, *(given.shown[0][letter] for letter in letters)))
    for letter in (None, *letters):  # tokens of the first level, in the order that a cascade has
        levels.number(0, _Token(letter, levels.sets.whole, levels.sets.whole))
    chains = [levels.step(None, None)]
    known = set(chains)
    for chain in chains:
        for letter in letters:
            there = levels.step(chain, letter)
            if there not in known:
                if len(known) == MOST_CHAINS:
                    raise TooLargeError(
                        f"a cascade of {len(levels.heights)} levels has more than {MOST_CHAINS:,} states"
                    )
                known.add(there)
                chains.append(there)
    return Cascade(given.letters, tuple(levels.made()), tuple(levels.shown))


class _Levels:
    """What is known of the levels, while runs are followed."""

    def __init__(self, given: Transitions, sets: Holonomy) -> None:
        self.given, self.sets = given, sets
        self.heights = range(sets.heights[sets.whole], 0, -1)
        self.numbers: list[dict[_Token, int]] = [{} for _ in self.heights]
        self.actions: list[list[Action]] = [[] for _ in self.heights]
        self.after: list[dict[tuple[int, Reading], int]] = [{} for _ in self.heights]
        self.shown: dict[Shown, int] = {}

    def number(self, n: int, token: _Token) -> int:
        """The number of a token of level n."""
        known = self.numbers[n]
        if token not in known:
            known[token] = len(known)
            self.actions[n].append(self._action(token, self.heights[n]))
        return known[token]

    def _action(self, token: _Token, height: int) -> Action:
        """What a token does to the choice of a tile at some height."""
        letter, old, new = token
        heights = self.sets.heights
        if heights[new] != height:
            return Permute((0,)) if letter is not None and heights[old] != height else Reset(0)
        tiles = self.sets.tiles(new)
        if letter is None:
            return Reset(next(n for n, tile in enumerate(tiles) if tile >> self.given.start & 1))
        there = self.sets.moved(old, letter)
        if heights[old] == height and there == new:
            return Permute(tuple(tiles.index(self.sets.moved(tile, letter)) for tile in self.sets.tiles(old)))
        return Reset(next(n for n, tile in enumerate(tiles) if there & ~tile == 0))

    def step(self, chain: tuple[int, ...] | None, letter: int | None) -> tuple[int, ...]:
        """The points of the chain after a letter, with what is met on the way noted."""
        old = new = self.sets.whole
        points: list[int] = []
        met: list[tuple[int, Reading]] = []
        for n, height in enumerate(self.heights):
            number = self.number(n, _Token(letter, old, new))
            action, before = self.actions[n][number], None if chain is None else chain[n]
            points.append(action.point if isinstance(action, Reset) else action.targets[before or 0])
            met.append((number, Reading((before,), (points[n],))))
            if before is not None and self.sets.heights[old] == height:
                old = self.sets.tiles(old)[before]
            if self.sets.heights[new] == height:
                new = self.sets.tiles(new)[points[n]]
        before = old.bit_length() - 1
        shown = self.given.first if letter is None else self.given.shown[before][letter]
        following = [*(number for number, _ in met[1:]), self.shown.setdefault(shown, len(self.shown))]
        for n, ((number, reading), after) in enumerate(zip(met, following, strict=True)):
            self.after[n][number, reading] = after
        return tuple(points)

    def made(self) -> Iterator[Level]:
        """The levels, with permutations of as many points as there are."""
        for actions, after in zip(self.actions, self.after, strict=True):
            sizes = [a.point + 1 if isinstance(a, Reset) else len(a.targets) for a in actions]
            points = max(sizes)
            yield Level((Component(points, tuple(_padded(action, points) for action in actions)),), after)


def _padded(action: Action, points: int) -> Action:
    if isinstance(action, Reset):
        return action
    return Permute((*action.targets, *range(len(action.targets), points)))
