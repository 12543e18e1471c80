"""The holonomy decomposition: an automaton as a cascade of levels that only permute a few points, or reset them.

Source: Eilenberg, "Automata, Languages, and Machines", volume B (1976), chapter II, after Krohn and Rhodes (1965); the
presentation is that of Egri-Nagy and Nehaniv, "Computational Holonomy Decomposition of Transformation Semigroups"
(arXiv 1508.06345).

The *images* are the sets X w of states that words w make of the set X of all states, and all sets of one state. P is
*subduced* by Q if it lies in some Q w; sets that subduce each other are equivalent (each is the other's image, so they
are equally large). The *height* of sets of one state is 0, and of others one more than the greatest of what they
subduce without being equivalent. The *tiles* of P are the greatest images within it, without P itself.

A state x is spelled by a chain X = P_0 > P_1 > ... > {x}, each a tile of the one before, of falling heights. Level h is
the choice of a tile where the chain has a set of height h. What a letter a does to a chain is found from above: with P
of the old chain and P' of the new one at level h, P a lies in P' (so it is for X). Where P' has height h:

    if P has too, and P a = P'    a is a bijection of P onto P', and these are equivalent, so tiles go to tiles: the
                                  choice is permuted. Tiles of equivalent sets have the numbers that fixed words from a
                                  representative give them. (Such a word has an inverse on the set: some power of it
                                  with the way back is the identity.)
    else                          P a is smaller than P', hence in some tile of P', whatever the choice was: a reset.

Either way the tile chosen in P, moved by a, lies in the one chosen in P', and the next level can go on. What is chosen
at a level where P' has another height does not matter. If some permutation is not the identity, a word takes a set of
states to itself in cycles, so the transition monoid is not aperiodic; and conversely (Eilenberg, chapter II, 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import networkx

from compiler.errors import TooLargeError

MOST_IMAGES = 20_000
"""The most sets of states that are looked at."""


class Place(NamedTuple):
    """An image in its class: a bijection from the representative onto it, as pairs of states, and the word of that."""

    representative: int
    bijection: dict[int, int]
    word: tuple[int, ...]


@dataclass(frozen=True)
class Holonomy:
    """The images of an automaton, as sets of bits, with heights and tiles.

    Attributes
    ----------
    moves
        For each letter where the states go.
    heights
        Of each image.
    places
        For each image how it is made from the representative of its class.
    by_size
        The images, larger ones first.
    """

    moves: tuple[tuple[int, ...], ...]
    heights: dict[int, int]
    places: dict[int, Place]
    by_size: tuple[int, ...]

    @cached_property
    def whole(self) -> int:
        """The set of all states."""
        return (1 << len(self.moves[0])) - 1

    @cached_property
    def _tiles(self) -> dict[int, tuple[int, ...]]:
        return {}

    def tiles(self, image: int) -> tuple[int, ...]:
        """The tiles of an image, as they are numbered in its class."""
        if image not in self._tiles:
            representative, bijection, _ = self.places[image]
            if representative == image:
                self._tiles[image] = _greatest_within(image, self.by_size)
            else:
                self._tiles[image] = tuple(_mapped(tile, bijection) for tile in self.tiles(representative))
        return self._tiles[image]

    def moved(self, image: int, letter: int) -> int:
        """Where a letter takes a set."""
        return _moved(image, self.moves[letter])


def holonomy(moves: tuple[tuple[int, ...], ...]) -> Holonomy:
    """The images of complete transitions, for each letter where the states go. Raises TooLargeError."""
    graph = _images(moves)
    order = networkx.condensation(graph)
    last_first = reversed(list(networkx.topological_sort(order)))
    classes = [sorted(order.nodes[number]["members"]) for number in last_first]
    heights: dict[int, int] = {}
    places: dict[int, Place] = {}
    by_size = sorted(graph, key=int.bit_count, reverse=True)
    for members in sorted(classes, key=lambda each: each[0].bit_count()):
        below = {there for image in members for there in graph[image]}.difference(members)
        below.update(_greatest_within(members[0], by_size))
        height = 0 if members[0].bit_count() == 1 else 1 + max(heights[image] for image in below)
        heights |= dict.fromkeys(members, height)
        places |= _bijections(graph, set(members), members[0], moves)
    return Holonomy(moves, heights, places, tuple(by_size))


def _images(moves: Sequence[tuple[int, ...]]) -> networkx.DiGraph[int]:
    """The images and all sets of one state, with an edge from P to P a for each letter, which it carries."""
    states = len(moves[0])
    queue = [(1 << states) - 1, *(1 << state for state in range(states) if states > 1)]
    graph: networkx.DiGraph[int] = networkx.DiGraph()
    graph.add_nodes_from(queue)
    for image in queue:
        for letter, move in enumerate(moves):
            there = _moved(image, move)
            if there not in graph:
                if len(graph) >= MOST_IMAGES:
                    raise TooLargeError(f"its words make more than {MOST_IMAGES:,} different sets of all states")
                queue.append(there)
            if not graph.has_edge(image, there):
                graph.add_edge(image, there, letter=letter)
    return graph


def _moved(image: int, move: Sequence[int]) -> int:
    moved = 0
    while image:
        lowest = image & -image
        moved |= 1 << move[lowest.bit_length() - 1]
        image ^= lowest
    return moved


def _greatest_within(image: int, by_size: Iterable[int]) -> tuple[int, ...]:
    """The greatest of some sets, given larger ones first, that lie in `image` and are smaller."""
    found: list[int] = []
    for other in by_size:
        if other & ~image == 0 and other != image and all(other & ~tile for tile in found):
            found.append(other)
    return tuple(sorted(found))


def _bijections(
    graph: networkx.DiGraph[int], members: set[int], first: int, moves: Sequence[tuple[int, ...]]
) -> dict[int, Place]:
    """For each member of a class the bijection from the first one, by some word."""
    found = {first: Place(first, {state: state for state in _states(first)}, ())}
    queue = [first]
    for image in queue:
        for there, edge in graph[image].items():
            if there in members and there not in found:
                move, place = moves[edge["letter"]], found[image]
                bijection = {begin: move[end] for begin, end in place.bijection.items()}
                found[there] = Place(first, bijection, (*place.word, edge["letter"]))
                queue.append(there)
    return found


def _mapped(image: int, bijection: Mapping[int, int]) -> int:
    return sum(1 << bijection[state] for state in _states(image))


def _states(image: int) -> list[int]:
    return [number for number in range(image.bit_length()) if image >> number & 1]
