"""All runs of a machine on few cells, as a guarded system whose locations tell apart what cells are known to hold.

A location is a token that asks, with what each cell is known to hold there: what every input of the initial set has
there, else nothing before the cell is read, then what was read, then what was written. The tokens, and so the runs, are
the same. At a location whose cell under the head is known one branch is left, and its guards hold of all configurations
there; where it is not known, the cell still holds what its prompt gave, any symbol of the input. So the hulls that are
closed under these steps are spanned by runs: no intersection takes in more than the runs that take this branch, which
is not so where runs with different tapes share a location.

Locations from which all that follows is the same, step by step, are one location: the coarsest partition that is stable
under the branches (Moore 1956), as for states of automata. Of cells that are not read again it does not matter what
they hold; a guard holds of all or of none of what runs bring to a location, or splits all of it alike, by the prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from compiler.domain.free_runs import edge_of
from compiler.domain.histories import read_at
from compiler.domain.system import Branch, Initial, System
from compiler.errors import UnsupportedError
from compiler.program_to_rules.machine import LoweredMachine

MOST_LOCATIONS = 20_000
"""The most tokens with what is known of the tape that are told apart."""
UNKNOWN = -1


def unfolded(system: System) -> System:
    """The system of a machine on few cells, by what is known of its tape. Raises UnsupportedError for too many."""
    lowering = system.lowering
    assert isinstance(lowering, LoweredMachine)
    at: dict[int, list[Branch]] = {}
    for branch in system.branches:
        at.setdefault(branch.location, []).append(branch)
    numbers: dict[tuple[int, tuple[int, ...]], int] = {}
    queue: list[tuple[int, tuple[int, ...]]] = []

    def number(token: int, known: tuple[int, ...]) -> int:
        place = token, known
        if place not in numbers:
            if len(numbers) == MOST_LOCATIONS:
                raise UnsupportedError(
                    f"the runs of machine {lowering.program.name} pass more than {MOST_LOCATIONS:,} tokens and tapes, "
                    "and no more are told apart; take it on fewer cells"
                )
            numbers[place] = system.size + len(numbers)
            queue.append(place)
        return numbers[place]

    held = [_held(lowering, initial) for initial in system.initials]
    options = [{g for cells in held for g in cells[p]} for p in range(lowering.layout.cells)]
    initials = []
    for initial, cells in zip(system.initials, held, strict=True):
        known = tuple(symbols[0] if len(symbols) == 1 else UNKNOWN for symbols in cells)
        initials.append(initial._replace(location=number(initial.location, known)))
    branches = []
    for token, tape in queue:
        for branch in at[token]:
            cell, symbol = read_at(lowering, branch)
            if symbol not in (options[cell] if tape[cell] == UNKNOWN else (tape[cell],)):
                continue
            target = branch.target
            if target is not None:
                edge = edge_of(lowering, target)
                after = symbol if edge is None else edge.after
                target = number(target, (*tape[:cell], after, *tape[cell + 1 :]))
            branches.append(branch._replace(location=numbers[token, tape], target=target))
    return _merged(replace(system, initials=tuple(initials), branches=tuple(branches)))


def _held(lowering: LoweredMachine, initial: Initial) -> list[list[int]]:
    """The symbols that each cell may hold at the start, one after the other."""
    counted = (initial.base != 0) | (initial.directions != 0).any(axis=0)
    return [np.flatnonzero((row >= 0) & counted[row]).tolist() for row in lowering.prompts]


def _merged(system: System) -> System:
    """The system with one location for all from which the same follows."""
    steps: dict[int, list[Branch]] = {}
    for branch in system.branches:
        steps.setdefault(branch.location, []).append(branch)
    part, parts, before = dict.fromkeys(steps, 0), 1, 0
    while parts != before:
        told: dict[object, int] = {}
        seen = {location: (part[location], *(_seen(b, part) for b in branches)) for location, branches in steps.items()}
        part = {location: told.setdefault(what, len(told)) for location, what in seen.items()}
        parts, before = len(told), parts
    first = {number: location for location, number in reversed(part.items())}

    def merged(branch: Branch) -> Branch:
        target = None if branch.target is None else first[part[branch.target]]
        return branch._replace(target=target)

    kept = (branch for branch in system.branches if first[part[branch.location]] == branch.location)
    initials = (initial._replace(location=first[part[initial.location]]) for initial in system.initials)
    return replace(system, initials=tuple(initials), branches=tuple(map(merged, kept)))


def _seen(branch: Branch, part: Mapping[int, int]) -> tuple[object, ...]:
    """What of a branch tells locations apart, while the parts of locations are known."""
    target = None if branch.target is None else part[branch.target]
    return branch.question, branch.guards, branch.answer, target
