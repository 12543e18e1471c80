"""The order of coordinates in which one set of rules is another: an isomorphism of coloured hypergraphs.

A coordinate is a vertex, a rule w * S[b, c] z[e] -> y[a] an edge of colour w on a, {b, c} and e. Colours of vertices
are refined by the edges that they are on, on both sides alike; where they do not tell all vertices apart, one vertex of
the left is singled out and each of its colour on the right is tried. The search is complete, within a bound on its
work. What it finds is right: once all colours differ, a refinement that stays equal on both sides has seen the same
edges on vertices of the same colour, and so all edges. Vertices are tried in their order, so where both sides are equal
already, every coordinate is found to be itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction
from typing import TypeAlias

from compiler.errors import TooLargeError
from compiler.rules import Form

MOST_WORK = 1_000_000
"""The most rules and coordinates that are looked at, each as often as colours are refined."""

Edges: TypeAlias = list[tuple[int, int, int, int, int]]
Colours: TypeAlias = list[int]


def order_of(left: tuple[Form, int], right: tuple[Form, int], seen: Sequence[Sequence[Hashable]]) -> list[int] | None:
    """For each coordinate of `left` the one of `right` that makes the rules equal; None if there is no such order.

    Parameters
    ----------
    left, right
        Integer rules, and the denominator that all of them have.
    seen
        Two lists of what is known of each coordinate, left and right: only those of which it is equal are matched.

    Raises
    ------
    TooLargeError
        Where the search is too long to be finished.
    """
    if len(left[0]) != len(right[0]):
        return None
    names: dict[Hashable, int] = {}
    edges = [_edges(*side, names) for side in (left, right)]
    first, second = ([names.setdefault(each, len(names)) for each in side] for side in seen)
    return _Search(*edges).match(first, second)


def _edges(form: Form, below: int, names: dict[Hashable, int]) -> Edges:
    """The rules, their weights numbered by `names`."""
    entries = zip(form.index.tolist(), form.weights.tolist(), strict=True)
    return [(e, b, c, a, names.setdefault(Fraction(weight, below), len(names))) for (e, b, c, a), weight in entries]


class _Search:
    """Refinement and trial over the rules of two sides, with the work that is left."""

    def __init__(self, left: Edges, right: Edges) -> None:
        self.sides = (left, right)
        self.work = MOST_WORK

    def match(self, first: Colours, second: Colours) -> list[int] | None:
        """The order that respects these colours; None if there is none. Raises TooLargeError."""
        refined = self._refined(first, second)
        if refined is None:
            return None
        first, second = refined
        classes: dict[int, list[int]] = {}
        for vertex, colour in enumerate(first):
            classes.setdefault(colour, []).append(vertex)
        open_classes = [vertices for vertices in classes.values() if len(vertices) > 1]
        if not open_classes:
            place = {colour: vertex for vertex, colour in enumerate(second)}
            return [place[colour] for colour in first]
        chosen = min(open_classes, key=len)[0]
        new = len(first)
        for vertex in (v for v, colour in enumerate(second) if colour == first[chosen]):
            found_below = self.match(_with(first, chosen, new), _with(second, vertex, new))
            if found_below is not None:
                return found_below
        return None

    def _refined(self, first: Colours, second: Colours) -> tuple[Colours, Colours] | None:
        """The coarsest colours, at least as fine, that tell apart what is on different edges; None if sides differ."""
        while True:
            self.work -= len(first) + sum(map(len, self.sides))
            if self.work < 0:
                raise TooLargeError("the search for an order of the coordinates was given up, for it takes too long")
            names: dict[Hashable, int] = {}
            left, right = (
                [names.setdefault(each, len(names)) for each in _seen(edges, colours)]
                for edges, colours in zip(self.sides, (first, second), strict=True)
            )
            if sorted(left) != sorted(right):
                return None
            if len(set(left)) == len(set(first)):
                return left, right
            first, second = left, right


def _with(colours: Colours, vertex: int, colour: int) -> Colours:
    return [colour if number == vertex else old for number, old in enumerate(colours)]


def _seen(edges: Edges, colours: Colours) -> list[Hashable]:
    """For each vertex its colour, and the edges on it as they look by colours."""
    found: list[list[tuple[int, ...]]] = [[] for _ in colours]
    for e, b, c, a, weight in edges:
        low, high = sorted((colours[b], colours[c]))
        seen = (weight, colours[a], low, high, colours[e])
        for role, vertex in enumerate((a, b, c, e)):
            found[vertex].append((min(role, 1) if role < 3 else 2, *seen))
    return [(colour, tuple(sorted(each))) for colour, each in zip(colours, found, strict=True)]
