"""Where the symbols of a grammar can stand on the stack of its parser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from compiler.errors import UnsupportedError
from compiler.program.grammar import Grammar
from compiler.program.prediction import END

MOST_ANSWERS = 500_000
"""The most answers (topmost symbols at all heights, times next symbols) that are listed."""

Place: TypeAlias = tuple[int, str]
"""A height, from 1, and a symbol that can stand there."""


def placed(pushed: Sequence[str], height: int) -> list[Place]:
    """The places of symbols whose first is topmost, at `height`."""
    return [(height - number, symbol) for number, symbol in enumerate(pushed)]


def places_of(program: Grammar) -> tuple[list[Place], list[Place]]:
    """Where symbols can be topmost, and where they can stand below the top, by height. Raises UnsupportedError."""
    aheads = (*program.alphabet, END)
    order = {symbol: number for number, symbol in enumerate((*program.rules, *program.alphabet))}
    moves = {symbol: {move.pushed for ahead in aheads if (move := program.move(symbol, ahead))} for symbol in order}
    tops: dict[Place, None] = {(1, program.start): None}
    cells: dict[Place, None] = {}
    queue = list(tops)
    for h, symbol in queue:
        for pushed in moves[symbol]:
            height = h - 1 + len(pushed)
            if pushed and height <= program.depth:
                stack = placed(pushed, height)
                queue += [place for place in stack if place not in tops]
                tops.update(dict.fromkeys(stack))
                cells.update(dict.fromkeys(stack[1:]))
        if len(tops) * len(aheads) > MOST_ANSWERS:
            raise UnsupportedError(
                f"grammar {program.name} has more than {MOST_ANSWERS:,} answers: every symbol on top of the stack, at "
                f"each height up to {program.depth:,}, before each next symbol; give it less depth"
            )

    def by_height(place: Place) -> tuple[int, int]:
        return place[0], order[place[1]]

    return sorted(tops, key=by_height), sorted(cells, key=by_height)
