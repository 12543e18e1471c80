"""Closed hulls: all that a guarded system can reach lies in them, exactly, at every length.

Hulls that contain the initial configurations and are closed under every branch (intersect with its guards, append its
answer) contain everything that is reachable: an inductive invariant, as in Karr's analysis (Karr 1976; Mueller-Olm and
Seidl 2004). They are found from below: from the spans of some runs, adding what a step leads to until nothing leads
out. So they are hardly larger than what runs show.

That is done modulo a small prime, each new row once; the hulls are reconstructed and proved: nothing is returned unless
one exact pass over all steps shows that it is closed (`escapes`). Where that fails, they are closed slowly, over the
integers, which is the specification.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.domain.forks import Parting, forks_of, split
from compiler.domain.hulls import Hull, Rows, shifted
from compiler.domain.system import IDLE, Branch, Initial, System
from compiler.exact import product
from compiler.learning.elimination import echelon
from compiler.spans import PRIME, Span


def closed(system: System, hulls: Mapping[int, Hull]) -> dict[int, Hull]:
    """Hulls (by location) around `hulls` that are closed under the steps of `system`; the least, but for bad luck."""
    found: dict[int, Hull] = {}
    for location, span in _grown(system, hulls).items():
        hull = Hull.spanned(span)
        if hull is None or (location in hulls and hull.outside(hulls[location].basis).any()):
            return closed_slowly(system, hulls)
        found[location] = hull
    return found if next(escapes(system, found), None) is None else closed_slowly(system, hulls)


def closed_slowly(system: System, hulls: Mapping[int, Hull]) -> dict[int, Hull]:
    """The least hulls (by location) around `hulls` that are closed under the steps of `system`."""
    found = dict(hulls)
    grown: Collection[int] | None = None
    while True:
        fresh: dict[int, list[Rows]] = {}
        for escape in escapes(system, found, grown):
            fresh.setdefault(escape.location, []).append(escape.rows)
        if not fresh:
            return found
        for location, rows in fresh.items():
            found[location] = _joined(found.get(location), np.unique(np.concatenate(rows), axis=0))
        grown = fresh.keys()


def _joined(hull: Hull | None, rows: Rows) -> Hull:
    """The span of a hull and some rows; of these only so many are eliminated as are independent outside of it."""
    if hull is None:
        return Hull.of(rows)
    pivots, _ = echelon(product(hull.equations, rows.T))
    joined = Hull.of(np.concatenate([hull.basis, rows[pivots]]))
    return joined if not joined.outside(rows).any() else Hull.of(np.concatenate([hull.basis, rows]))


class Escape(NamedTuple):
    """Rows that a step leads to, and that are not in the hull of its location."""

    location: int
    rows: Rows


def escapes(system: System, hulls: Mapping[int, Hull], grown: Collection[int] | None = None) -> Iterator[Escape]:
    """Where the hulls (by location) are not closed; nothing where they contain all that is reachable.

    Where only the hulls of some locations have `grown` since the others were found closed, only steps from these are
    looked at.
    """
    for initial in system.initials if grown is None else ():
        yield from _left(hulls, initial.location, _rows(initial))
    for token in system.inputs if IDLE in hulls and (grown is None or IDLE in grown) else ():
        yield from _left(hulls, token, shifted(hulls[IDLE].basis, token))
    for location, forks in forks_of(system).items():
        if location not in hulls or (grown is not None and location not in grown):
            continue
        for fork in forks:
            free, points = split(fork, hulls[location].basis)
            for number, point in points.items():
                branch = fork.branches[number]
                if branch.target is not None:
                    yield from _left(hulls, branch.target, np.vstack([free, _after(system, branch, point[None])]))


def _after(system: System, branch: Branch, rows: Rows) -> Rows:
    """Rows at which `branch` is taken, after its answer."""
    appended = system.appended(branch)
    return rows if appended is None else shifted(rows, appended)


def _rows(initial: Initial) -> NDArray[np.int64]:
    rows = np.zeros((len(initial.directions) + 1, len(initial.base) + 1), dtype=np.int64)
    rows[0, 0] = 1
    rows[0, 1:], rows[1:, 1:] = initial.base, initial.directions
    return rows


def _left(hulls: Mapping[int, Hull], location: int, rows: Rows) -> Iterator[Escape]:
    hull = hulls.get(location)
    outside = rows.any(axis=1) if hull is None else hull.outside(rows)
    if outside.any():
        yield Escape(location, rows[outside])


def _grown(system: System, hulls: Mapping[int, Hull]) -> dict[int, Span]:
    """The closed hulls around `hulls` modulo a prime: each row that is new somewhere is taken on along every branch."""
    partings = {location: [Parting(fork) for fork in forks] for location, forks in forks_of(system).items()}
    spans: dict[int, Span] = {}
    pending: dict[int, list[NDArray[Any]]] = {location: [hull.basis] for location, hull in hulls.items()}
    for initial in system.initials:
        pending.setdefault(initial.location, []).append(_rows(initial))
    while pending:
        location = next(iter(pending))
        rows = np.concatenate(pending.pop(location))
        span = spans.setdefault(location, Span(system.size + 1))
        fresh = np.mod(rows[span.extend(rows)], PRIME).astype(np.float64)
        if not len(fresh):
            continue
        for token in system.inputs if location == IDLE else ():
            pending.setdefault(token, []).append(shifted(fresh.astype(np.int64), token))
        for parting in partings.get(location, ()):
            for number, added in parting.take(fresh).items():
                branch = parting.fork.branches[number]
                if branch.target is not None:
                    pending.setdefault(branch.target, []).append(_after(system, branch, added.astype(np.int64)))
    return spans
