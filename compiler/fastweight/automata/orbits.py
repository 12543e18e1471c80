"""Levels whose permutations move points within orbits, as two levels: which orbit it is, and where in the orbit.

Permutations do not leave an orbit, so the level of orbits is only reset. The level below it knows from its token which
orbit it is before and after, so it needs no more points than the largest orbit has: a permutation acts there as it acts
on that orbit, whose points are numbered in order, and a reset as a reset.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import networkx

from compiler.fastweight.automata.cascade import Action, Cascade, Component, Level, Permute, Reading, Reset


class _Place(NamedTuple):
    """Which orbit a point is in, and where there."""

    orbit: int
    within: int


def by_orbits(cascade: Cascade) -> Cascade:
    """The cascade with such levels taken apart; it shows the same."""
    return replace(cascade, levels=tuple(part for level in cascade.levels for part in _parts(level)))


def _parts(level: Level) -> tuple[Level, ...]:
    if len(level.components) > 1:
        return (level,)
    (component,) = level.components
    orbits = _orbits(component)
    if len(orbits) == 1 or max(map(len, orbits)) == 1:
        return (level,)
    places = {point: _Place(n, m) for n, orbit in enumerate(orbits) for m, point in enumerate(orbit)}
    size = max(map(len, orbits))
    above: dict[tuple[int, Reading], int] = {}
    after: dict[tuple[int, Reading], int] = {}
    actions: list[Action] = []
    for (token, reading), follows in level.after.items():
        (before,), (now,) = reading
        old = None if before is None else places[before]
        new = places[now]
        key = token, Reading((old.orbit if old else None,), (new.orbit,))
        if key not in above:
            above[key] = len(above)
            actions.append(_within(component.actions[token], orbits, places, new.orbit, size))
        after[above[key], Reading((old.within if old else None,), (new.within,))] = follows
    whole = Component(len(orbits), tuple(_between(action, places, len(orbits)) for action in component.actions))
    return Level((whole,), above), Level((Component(size, tuple(actions)),), after)


def _orbits(component: Component) -> list[list[int]]:
    graph = networkx.Graph()
    graph.add_nodes_from(range(component.points))
    for action in component.actions:
        if isinstance(action, Permute):
            graph.add_edges_from(enumerate(action.targets))
    return [sorted(orbit) for orbit in networkx.connected_components(graph)]


def _between(action: Action, places: dict[int, _Place], orbits: int) -> Action:
    return Reset(places[action.point].orbit) if isinstance(action, Reset) else Permute(tuple(range(orbits)))


def _within(action: Action, orbits: list[list[int]], places: dict[int, _Place], orbit: int, size: int) -> Action:
    """What an action does within the orbit that it leads to, filled up to `size` points."""
    if isinstance(action, Reset):
        return Reset(places[action.point].within)
    moved = [places[action.targets[point]].within for point in orbits[orbit]]
    return Permute((*moved, *range(len(moved), size)))
