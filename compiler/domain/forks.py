"""Forks: the branches of a location that ask for the same entries of S, all intersected with a hull at once.

Let the entries be f_1 .. f_k, linear in the rows x = (1, counts), and x_0 the leading coordinate. Rows of a hull on
which f and x_0 all vanish satisfy the guards of every branch: they are *free*. The other rows of a suitable basis are
as many as (f, x_0) has ranks on the hull, so that at most one combination of them, up to a factor, has f = v x_0 with
x_0 not zero: the *point* of the branch whose guards ask for the values v. So free rows and point span the part of the
hull on which the guards hold; without a point the branch cannot be taken. `hulls.branch_rows` is the specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import lcm
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.domain.hulls import Rows, primitive
from compiler.domain.system import Branch, System
from compiler.exact import plus, product, times
from compiler.spans import PRIME


class Fork(NamedTuple):
    """Branches of one location with guards on the same entries.

    Attributes
    ----------
    functionals
        (k + 1, 1 + T): the entries, then the leading coordinate, as functions of rows.
    wanted
        (branches, k + 1): what these are on the configurations at which each branch is taken.
    """

    location: int
    branches: tuple[Branch, ...]
    functionals: NDArray[np.int64]
    wanted: NDArray[np.int64]


def forks_of(system: System) -> Mapping[int, list[Fork]]:
    """The forks of a system by location."""
    groups: dict[tuple[int, tuple[Any, ...]], list[Branch]] = {}
    for branch in system.branches:
        groups.setdefault((branch.location, tuple(pair for pair, _ in branch.guards)), []).append(branch)
    found: dict[int, list[Fork]] = {}
    for (location, pairs), branches in groups.items():
        functionals = np.zeros((len(pairs) + 1, system.size + 1), dtype=np.int64)
        functionals[-1, 0] = 1
        for row, pair in zip(functionals, pairs, strict=False):
            row[1:] = system.entry(pair)
        wanted = np.array([[*(value for _, value in branch.guards), 1] for branch in branches], dtype=np.int64)
        found.setdefault(location, []).append(Fork(location, tuple(branches), functionals, wanted))
    return found


class Split(NamedTuple):
    """Free rows (m, n), and the point (n,) of each branch that can be taken."""

    free: Rows
    points: dict[int, Rows]


def split(fork: Fork, rows: Rows) -> Split:
    """A hull's basis (r, n), split by a fork, over the integers."""
    width = len(fork.functionals)
    values = product(rows, fork.functionals.T)
    touched = values.any(axis=1)
    both = np.concatenate([values[touched], rows[touched]], axis=1)
    pivots: list[tuple[int, int]] = []
    waiting = np.ones(len(both), dtype=np.bool_)
    for column in range(width):
        found = np.flatnonzero(both[:, column])
        candidates = found[waiting[found]]
        if not len(candidates):
            continue
        pivot = int(candidates[np.argmin(np.abs(both[candidates, column]))])
        others = found[found != pivot]
        scaled = times(both[others], int(both[pivot, column]))
        cleared = primitive(plus(scaled, -times(both[others, column][:, None], both[pivot][None])))
        both = both if both.dtype == cleared.dtype else both.astype(object)
        both[others] = cleared
        waiting[pivot] = False
        pivots.append((pivot, column))
    free = np.concatenate([rows[~touched], both[waiting, width:]])
    points = {}
    whole = lcm(*(int(both[pivot, column]) for pivot, column in pivots))
    for number, wanted in enumerate(fork.wanted.tolist()):
        factors = np.array([wanted[c] * (whole // int(both[p, c])) for p, c in pivots], dtype=object)
        combined = product(factors[None], both[[pivot for pivot, _ in pivots]])[0]
        if pivots and np.array_equal(combined[:width], times(fork.wanted[number], whole)):
            points[number] = primitive(combined[None, width:])[0]
    return Split(free, points)


class Parting:
    """A fork that is split while the hull grows, modulo the prime of `compiler.spans`.

    Attributes
    ----------
    free
        The free rows so far, in batches.
    points
        The points so far.
    """

    def __init__(self, fork: Fork) -> None:
        self.fork = fork
        k, n = fork.functionals.shape
        self.functionals = np.mod(fork.functionals.T, PRIME).astype(np.float64)
        self.wanted = np.mod(fork.wanted, PRIME).astype(np.float64)
        self.values: NDArray[Any] = np.zeros((0, k))
        self.rows: NDArray[Any] = np.zeros((0, n))
        self.pivots: list[int] = []
        self.free: list[NDArray[Any]] = []
        self.points: dict[int, NDArray[Any]] = {}

    def take(self, rows: NDArray[Any]) -> dict[int, NDArray[Any]]:
        """What the hull's new rows (m, n), residues, add to what the branches are taken at, by branch."""
        before = len(self.pivots)
        fresh = self._freed(rows)
        if len(fresh):
            self.free.append(fresh)
        added = {number: [fresh] for number in self.points} if len(fresh) else {}
        if len(self.pivots) > before:
            for number in self._new_points():
                added[number] = [*self.free, self.points[number][None]]
        return {number: np.concatenate(parts) for number, parts in added.items()}

    def _freed(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Free rows from `rows`, of which some become pivots."""
        values = np.mod(rows @ self.functionals, PRIME)
        while True:
            met = values[:, self.pivots]
            values = np.mod(values - np.mod(met @ self.values, PRIME), PRIME)
            rows = np.mod(rows - np.mod(met @ self.rows, PRIME), PRIME)
            found = np.flatnonzero(values.any(axis=1))
            if not len(found):
                return rows
            self._pivot(values[found[0]], rows[found[0]])
            values, rows = np.delete(values, found[0], axis=0), np.delete(rows, found[0], axis=0)

    def _pivot(self, values: NDArray[Any], row: NDArray[Any]) -> None:
        column = int(np.flatnonzero(values)[0])
        inverse = pow(int(values[column]), -1, PRIME)
        values, row = np.mod(values * inverse, PRIME), np.mod(row * inverse, PRIME)
        met = self.values[:, column]
        self.values = np.vstack([np.mod(self.values - np.mod(np.outer(met, values), PRIME), PRIME), values])
        self.rows = np.vstack([np.mod(self.rows - np.mod(np.outer(met, row), PRIME), PRIME), row])
        self.pivots.append(column)

    def _new_points(self) -> list[int]:
        """The branches that can be taken now, and could not before."""
        factors = self.wanted[:, self.pivots]
        reached = (np.mod(factors @ self.values, PRIME) == self.wanted).all(axis=1)
        found = [number for number in np.flatnonzero(reached).tolist() if number not in self.points]
        self.points |= {number: np.mod(factors[number] @ self.rows, PRIME) for number in found}
        return found
