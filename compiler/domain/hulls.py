"""Affine hulls of configurations, exactly.

A set of count vectors is kept as the linear span of its vectors (1, counts) in Q^(1 + T). From rows modulo a prime a
basis and the equations that cut the span out are reconstructed over the integers, and proved: the equations hold on
every row, and there are as many as the rank leaves, so both describe the span of the rows over the rationals exactly.

`domain.closing` finds hulls that contain all that is reachable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.domain.system import Branch, System
from compiler.errors import DataError
from compiler.exact import largest, plus, product, times
from compiler.learning.elimination import PRIME, Integers, echelon, rationals
from compiler.spans import PRIME as SPANS_PRIME
from compiler.spans import Span

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
        pivots, reduced = echelon(rows)
        found = cls._reduced(np.array(pivots, dtype=np.int64), reduced, PRIME)
        if found is None:
            raise DataError("the span of these configurations has no basis of small integers")
        if found.outside(rows).any():
            raise DataError("the span of these configurations is not what it is modulo a prime")
        return found

    @classmethod
    def spanned(cls, span: Span) -> Hull | None:
        """A hull that is `span` modulo its prime; None where it has no small integer basis."""
        order = np.argsort(span.pivots[: span.size])
        return cls._reduced(span.pivots[order], span.rows[order].astype(np.int64), SPANS_PRIME)

    @classmethod
    def _reduced(cls, pivots: NDArray[np.int64], reduced: Integers, prime: int) -> Hull | None:
        """The hull whose basis in reduced row echelon form is `reduced` modulo a prime; None where it is not small."""
        values = rationals(reduced, prime)
        if values is None:
            return None
        numerators, denominator = values[0].astype(np.int64), values[1]
        n = reduced.shape[1]
        free = np.setdiff1d(np.arange(n), pivots)
        equations = np.zeros((len(free), n), dtype=np.int64)
        equations[np.arange(len(free)), free] = denominator
        equations[:, pivots] = -numerators[:, free].T
        return cls(primitive(numerators), equations)

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
            combined = primitive(plus(scaled, -times(values[others, None], rows[pivot][None])))
            rows = np.concatenate([np.delete(rows, found, axis=0), combined])
        return rows


def primitive(rows: Rows) -> Rows:
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


def branch_rows(system: System, hulls: Mapping[int, Hull], branch: Branch) -> Rows:
    """What spans the configurations of a hull at which `branch` is taken; none where it cannot be."""
    if branch.location not in hulls:
        return np.zeros((0, system.size + 1), dtype=np.int64)
    rows = hulls[branch.location].meet(guard_rows(system, branch))
    return rows if np.any(rows[:, 0] != 0) else rows[:0]
