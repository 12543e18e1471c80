"""Affine hulls of configurations: all that a guarded system can reach lies in them, exactly.

A set of count vectors is kept as the linear span of its vectors (1, counts) in Q^(1 + T). From rows modulo a prime a
basis and the equations that cut the span out are reconstructed over the integers, and proved: the equations hold on
every row, and there are as many as the rank leaves, so both describe the span of the rows over the rationals exactly.

Hulls that contain the initial configurations and are closed under every branch (intersect with its guards, append its
answer) contain everything that is reachable, at every length: an inductive invariant, as in Karr's analysis (Karr 1976;
Mueller-Olm and Seidl 2004). They are found from below: from the spans of some runs, adding what a step leads to until
nothing leads out. So they are hardly larger than what runs show.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.domain.system import IDLE, Branch, System
from compiler.errors import DataError
from compiler.exact import largest, plus, product, times
from compiler.learning.elimination import echelon, rationals

Rows = NDArray[Any]
"""Integer rows (m, 1 + T): a leading coordinate that is 1 for configurations and 0 for directions, then counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Hull:
    """The span of some rows.

    Attributes
    ----------
    basis
        (r, 1 + T) integers that span it.
    equations
        (1 + T - r, 1 + T) integers: x is in the span exactly when all of equations @ x vanish.
    """

    basis: Rows
    equations: Rows

    @classmethod
    def of(cls, rows: Rows) -> Hull:
        """The span of integer rows (m, n). Raises DataError where it has no small integer basis."""
        n = rows.shape[1]
        pivots, reduced = echelon(rows)
        values = rationals(reduced)
        if values is None:
            raise DataError("the span of these configurations has no basis of small integers")
        numerators, denominator = values
        free = np.setdiff1d(np.arange(n), pivots)
        equations = np.zeros((len(free), n), dtype=np.int64)
        equations[np.arange(len(free)), free] = denominator
        equations[:, pivots] = -numerators[:, free].T
        if np.any(product(equations, rows.T)):
            raise DataError("the span of these configurations is not what it is modulo a prime")
        return cls(_primitive(numerators.astype(np.int64)), equations)

    @property
    def dimension(self) -> int:
        """The dimension of the span."""
        return len(self.basis)

    def outside(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of `rows` are not in the span."""
        return np.asarray(np.any(product(self.equations, rows.T) != 0, axis=0))

    def meet(self, functionals: Rows) -> Rows:
        """Rows that span the part of the hull on which `functionals` (k, n) vanish."""
        rows = self.basis
        for functional in functionals:
            values = product(rows, functional[:, None])[:, 0]
            found = np.flatnonzero(values)
            if not len(found):
                continue
            pivot = found[np.argmin(np.abs(values[found]))]
            others = found[found != pivot]
            scaled = times(rows[others], int(values[pivot]))
            combined = _primitive(plus(scaled, -times(values[others, None], rows[pivot][None])))
            rows = np.concatenate([np.delete(rows, found, axis=0), combined])
        return rows


def _primitive(rows: Rows) -> Rows:
    """Each row divided by the greatest common divisor of its entries."""
    if not rows.size:
        return rows
    divisors = np.gcd.reduce(rows, axis=1)
    rows = rows // np.where(divisors == 0, 1, divisors)[:, None]
    return rows.astype(np.int64) if rows.dtype == object and largest(rows) < 2**62 else rows


def guard_rows(system: System, branch: Branch) -> Rows:
    """The functionals (k, 1 + T) that vanish exactly where the guards of `branch` hold."""
    rows = np.zeros((len(branch.guards), system.size + 1), dtype=np.int64)
    for row, (pair, value) in zip(rows, branch.guards, strict=True):
        row[1:] = system.entry(pair)
        row[0] = -value
    return rows


def shifted(rows: Rows, token: int, by: int = 1) -> Rows:
    """The rows when `token` was appended to each configuration (or taken away, `by` -1)."""
    added = np.zeros(rows.shape, dtype=rows.dtype)
    added[:, 1 + token] = by * rows[:, 0]
    return plus(rows, added)


def closed(system: System, hulls: Mapping[int, Hull]) -> dict[int, Hull]:
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
            known = [found[location].basis] if location in found else []
            found[location] = Hull.of(np.concatenate([*known, np.unique(np.concatenate(rows), axis=0)]))
        grown = fresh.keys()


class Escape(NamedTuple):
    """Rows that a step leads to, and that are not in the hull of its location."""

    location: int
    rows: Rows


def escapes(system: System, hulls: Mapping[int, Hull], grown: Collection[int] | None = None) -> Iterator[Escape]:
    """Where the hulls (by location) are not closed; nothing where they contain all that is reachable.

    Where only the hulls of some locations have `grown` since the others were found closed, only steps from these are
    looked at.
    """
    nothing = Hull(np.zeros((0, system.size + 1), dtype=np.int64), np.eye(system.size + 1, dtype=np.int64))
    for initial in system.initials if grown is None else ():
        yield from _left(hulls, initial.location, _initial(initial.base, initial.directions), nothing)
    for token in system.inputs if IDLE in hulls and (grown is None or IDLE in grown) else ():
        yield from _left(hulls, token, shifted(hulls[IDLE].basis, token), nothing)
    for branch in system.branches:
        if grown is not None and branch.location not in grown:
            continue
        appended = system.appended(branch)
        rows = branch_rows(system, hulls, branch)
        if branch.target is not None and len(rows):
            yield from _left(hulls, branch.target, rows if appended is None else shifted(rows, appended), nothing)


def branch_rows(system: System, hulls: Mapping[int, Hull], branch: Branch) -> Rows:
    """What spans the configurations of a hull at which `branch` is taken; none where it cannot be."""
    if branch.location not in hulls:
        return np.zeros((0, system.size + 1), dtype=np.int64)
    rows = hulls[branch.location].meet(guard_rows(system, branch))
    return rows if np.any(rows[:, 0] != 0) else rows[:0]


def _initial(base: NDArray[np.int64], directions: NDArray[np.int64]) -> Rows:
    rows = np.zeros((len(directions) + 1, len(base) + 1), dtype=np.int64)
    rows[0, 0] = 1
    rows[0, 1:], rows[1:, 1:] = base, directions
    return rows


def _left(hulls: Mapping[int, Hull], location: int, rows: Rows, nothing: Hull) -> Iterator[Escape]:
    outside = hulls.get(location, nothing).outside(rows)
    if outside.any():
        yield Escape(location, rows[outside])
