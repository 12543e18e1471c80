"""Growing subspaces modulo a small prime, where float64 multiplies exactly: what is new among many integer vectors.

Vectors that are independent modulo a prime are independent over the rationals. An unlucky prime could only make a
vector look old that is new; whoever needs the span itself proves it over the integers (`domain.hulls`).

>>> span = Span(3)
>>> span.extend(np.array([[1, 2, 0], [2, 4, 0], [0, 0, -1]])).tolist(), span.size
([0, 2], 2)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PRIME = 1_048_573
"""Below 2^20, so that sums of up to 2^13 products of residues stay below 2^53."""
BLOCK = 64
"""Vectors that are taken in at once: they are reduced among themselves first, then all others once."""


class Span:
    """A growing subspace of F_p^n with its reduced row echelon basis; cheap for vectors with few non-zero entries.

    Attributes
    ----------
    size
        The dimension.
    rows, pivots
        The first `size` rows are the basis, residues; each has a 1 at its pivot, its first entry that is not zero, and
        the others have a 0 there.
    """

    def __init__(self, n: int) -> None:
        self.size = 0
        self.rows: NDArray[Any] = np.zeros((min(n, 16), n))
        self.pivots: NDArray[np.int64] = np.zeros(min(n, 16), dtype=np.int64)

    def rest(self, vector: NDArray[Any]) -> NDArray[Any]:
        """What of `vector` (integers) lies outside the span, as residues; zero exactly for its members."""
        residue: NDArray[Any] = np.mod(vector, PRIME).astype(np.float64)
        pivots = self.pivots[: self.size]
        hit = np.flatnonzero(residue[pivots])
        if not len(hit):
            return residue
        return np.asarray(np.mod(residue - np.mod(residue[pivots[hit]] @ self.rows[hit], PRIME), PRIME))

    def rests(self, vectors: NDArray[Any]) -> NDArray[Any]:
        """What of each of `vectors` (m, n) lies outside the span, as residues."""
        residues: NDArray[Any] = np.mod(vectors, PRIME).astype(np.float64)
        met = np.mod(residues[:, self.pivots[: self.size]] @ self.rows[: self.size], PRIME)
        return np.asarray(np.mod(residues - met, PRIME))

    def add(self, vector: NDArray[Any]) -> bool:
        """Take `vector` in; whether it was new."""
        rest = self.rest(vector)
        places = np.flatnonzero(rest)
        if not len(places):
            return False
        pivot = int(places[0])
        unit = np.mod(rest * pow(int(rest[pivot]), -1, PRIME), PRIME)
        met = np.flatnonzero(self.rows[: self.size, pivot])
        self.rows[met] = np.mod(self.rows[met] - np.mod(np.outer(self.rows[met, pivot], unit), PRIME), PRIME)
        if self.size == len(self.rows):
            more = max(self.size, 16)
            self.rows = np.concatenate([self.rows, np.zeros((more, self.rows.shape[1]))])
            self.pivots = np.concatenate([self.pivots, np.zeros(more, dtype=np.int64)])
        self.rows[self.size], self.pivots[self.size] = unit, pivot
        self.size += 1
        return True

    def extend(self, vectors: NDArray[Any]) -> NDArray[np.int64]:
        """Take `vectors` (m, n) in; the numbers of those that were new, one after the other (`add`)."""
        found: list[int] = []
        for begin in range(0, len(vectors), BLOCK):
            rests = self.rests(vectors[begin : begin + BLOCK])
            fresh = Span(rests.shape[1])
            found += [begin + at for at in np.flatnonzero(rests.any(axis=1)).tolist() if fresh.add(rests[at])]
            if fresh.size:
                self._join(fresh.rows[: fresh.size], fresh.pivots[: fresh.size])
        return np.array(found, dtype=np.int64)

    def _join(self, rows: NDArray[Any], pivots: NDArray[np.int64]) -> None:
        """Take in the basis of a subspace whose rows are 0 at the pivots of this one."""
        mine = self.rows[: self.size]
        mine = np.mod(mine - np.mod(mine[:, pivots] @ rows, PRIME), PRIME)
        self.rows = np.concatenate([mine, rows])
        self.pivots = np.concatenate([self.pivots[: self.size], pivots])
        self.size = len(self.rows)
