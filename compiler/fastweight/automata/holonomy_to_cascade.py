"""The holonomy decomposition as a cascade: one level for each height, from above, with all that may come by.

A token of a level is a letter with the sets P of the old chain and P' of the new one there. What stands at the level
before it, a tile of P if P has the level's height, gives the next level's token. Tiles that no token leads to are left
out, and so are levels of one tile. Not every such token need be met in some run; but there are few, while the chains
that runs come by may be exponentially many. That P a lies in P' is checked for every token, so in the end, where P and
P' are single states, P' is where the letter leads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from compiler.errors import TooLargeError
from compiler.fastweight.automata.cascade import Action, Cascade, Component, Level, Permute, Reading, Reset, moved
from compiler.fastweight.automata.holonomy import Holonomy, holonomy
from compiler.fastweight.automata.transitions import Shown, Transitions

MOST_ENTRIES = 200_000
"""The most entries of the tables of all levels together."""


class _Token(NamedTuple):
    """A token of a level: the letter (None begins a run), and the sets of the old chain and of the new one there."""

    letter: int | None
    old: int
    new: int


def holonomy_cascade(given: Transitions) -> Cascade:
    """The cascade of `given`, which shows what it shows. Raises TooLargeError, with the size that was too large."""
    sets, letters = holonomy(given.moves), range(len(given.letters))
    levels: list[Level] = []
    tokens = [_Token(letter, sets.whole, sets.whole) for letter in (None, *letters)]
    for height in range(sets.heights[sets.whole], 0, -1):
        room = MOST_ENTRIES - sum(len(level.after) for level in levels)
        level, tokens = _level(given, sets, height, tokens, room)
        if level.components[0].points > 1:
            levels.append(level)
        elif levels:
            levels[-1] = _renamed(levels[-1], {token: after for (token, _), after in level.after.items()})
    shown = [_shown(given, token) for token in tokens]
    if not levels:
        return Cascade(given.letters, (), tuple(shown))
    numbers = {each: number for number, each in enumerate(dict.fromkeys(shown))}
    levels[-1] = _renamed(levels[-1], {after: numbers[each] for after, each in enumerate(shown)})
    return Cascade(given.letters, tuple(levels), tuple(numbers))


def _renamed(level: Level, names: dict[int, int]) -> Level:
    """The level with other numbers for what follows."""
    return replace(level, after={key: names[after] for key, after in level.after.items()})


def _level(
    given: Transitions, sets: Holonomy, height: int, tokens: list[_Token], room: int
) -> tuple[Level, list[_Token]]:
    """The level of a height that reads `tokens`, and the tokens of the next one; with room for so many entries."""
    actions = [_action(given, sets, height, token) for token in tokens]
    size = max(action.point + 1 if isinstance(action, Reset) else len(action.targets) for action in actions)
    after: dict[tuple[int, Reading], int] = {}
    following: dict[_Token, int] = {}
    for number, (token, action) in enumerate(zip(tokens, actions, strict=True)):
        active = sets.heights[token.old] == height
        points = range(min(size, len(sets.tiles(token.old))) if active else 1)
        for before in (None,) if token.letter is None else points:
            now = moved(action, before)
            old = sets.tiles(token.old)[before] if active and before is not None else token.old
            new = sets.tiles(token.new)[now] if sets.heights[token.new] == height else token.new
            there = _Token(token.letter, old, new)
            _check(given, sets, there)
            after[number, Reading((before,), (now,))] = following.setdefault(there, len(following))
        if len(after) > room:
            raise TooLargeError(f"the tables of its decomposition have more than {MOST_ENTRIES:,} entries")
    return Level((Component(size, tuple(_padded(action, size) for action in actions)),), after), list(following)


def _action(given: Transitions, sets: Holonomy, height: int, token: _Token) -> Action:
    """What a token does to the choice of a tile at some height; 0 is chosen where there is no choice."""
    letter, old, new = token
    if sets.heights[new] != height:
        return Permute((0,)) if letter is not None and sets.heights[old] != height else Reset(0)
    tiles = sets.tiles(new)
    if letter is None:
        return Reset(next(n for n, tile in enumerate(tiles) if tile >> given.start & 1))
    there = sets.moved(old, letter)
    if sets.heights[old] == height and there == new:
        return Permute(tuple(tiles.index(sets.moved(tile, letter)) for tile in sets.tiles(old)))
    return Reset(next(n for n, tile in enumerate(tiles) if there & ~tile == 0))


def _check(given: Transitions, sets: Holonomy, token: _Token) -> None:
    """Raise ArithmeticError unless the letter leads from the old set into the new one."""
    reached = 1 << given.start if token.letter is None else sets.moved(token.old, token.letter)
    if reached & ~token.new:
        raise ArithmeticError("a level goes astray; this is a mistake of the compiler")


def _shown(given: Transitions, token: _Token) -> Shown:
    return given.first if token.letter is None else given.shown[token.old.bit_length() - 1][token.letter]


def _padded(action: Action, points: int) -> Action:
    if isinstance(action, Reset):
        return action
    return Permute((*action.targets, *range(len(action.targets), points)))
