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
TERMS = 2**13 - 1
"""Products that are summed before they are reduced."""
BLOCK = 256
"""Vectors that are taken in at once: they are reduced among themselves first, then all others once."""
SINGLY = 8
"""Of so many vectors one is taken in after the other."""
CHUNK = 2**16
"""Numbers that are reduced at once: they stay in the cache."""


def reduced(values: NDArray[Any]) -> NDArray[Any]:
    """The residues, from 0 to `PRIME` - 1, of a float64 array of integers below 2^53; the array itself is changed.

    The quotient is rounded, so it is right or one too large; a remainder below zero says which (`np.mod` divides, and
    takes ten times as long).
    """
    flat = values.reshape(-1)
    for begin in range(0, len(flat), CHUNK):
        part = flat[begin : begin + CHUNK]
        part -= np.rint(part * (1 / PRIME)) * PRIME
        part += (part < 0) * float(PRIME)
    return values


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
        residue = _residues(vector)
        pivots = self.pivots[: self.size]
        hit = np.flatnonzero(residue[pivots])
        return np.asarray(_less(residue[None], residue[None, pivots[hit]], self.rows[hit])[0])

    def rests(self, vectors: NDArray[Any]) -> NDArray[Any]:
        """What of each of `vectors` (m, n) lies outside the span, as residues."""
        residues = _residues(vectors)
        hit = np.flatnonzero(residues[:, self.pivots[: self.size]].any(axis=0))
        return _less(residues, residues[:, self.pivots[hit]], self.rows[hit])

    def add(self, vector: NDArray[Any]) -> bool:
        """Take `vector` in; whether it was new."""
        return self._add(self.rest(vector))

    def _add(self, rest: NDArray[Any]) -> bool:
        """Take in residues that are 0 at the pivots."""
        places = np.flatnonzero(rest)
        if not len(places):
            return False
        pivot = int(places[0])
        unit = reduced(rest * pow(int(rest[pivot]), -1, PRIME))
        met = np.flatnonzero(self.rows[: self.size, pivot])
        self.rows[met] = reduced(self.rows[met] - np.outer(self.rows[met, pivot], unit))
        if self.size == len(self.rows):
            more = max(self.size, 16)
            self.rows = np.concatenate([self.rows, np.zeros((more, self.rows.shape[1]))])
            self.pivots = np.concatenate([self.pivots, np.zeros(more, dtype=np.int64)])
        self.rows[self.size], self.pivots[self.size] = unit, pivot
        self.size += 1
        return True

    def extend(self, vectors: NDArray[Any]) -> NDArray[np.int64]:
        """Take `vectors` (m, n) in; the numbers of those that were new, one after the other (`add`).

        Blocks are reduced by what there is, then among themselves, by halves; so nearly all work is matrix products.
        """
        if len(vectors) <= SINGLY:
            return np.array([at for at, vector in enumerate(vectors) if self.add(vector)], dtype=np.int64)
        size = BLOCK if len(vectors) > BLOCK else (len(vectors) + 1) // 2
        found = [np.zeros(0, dtype=np.int64)]
        for begin in range(0, len(vectors), size):
            rests = self.rests(vectors[begin : begin + size])
            outside, fresh = np.flatnonzero(rests.any(axis=1)), Span(rests.shape[1])
            found.append(begin + outside[fresh.extend(rests[outside])])
            self._join(fresh.rows[: fresh.size], fresh.pivots[: fresh.size])
        return np.concatenate(found)

    def _join(self, rows: NDArray[Any], pivots: NDArray[np.int64]) -> None:
        """Take in the basis of a subspace whose rows are 0 at the pivots of this one."""
        if not len(rows):
            return
        mine = self.rows[: self.size]
        met = np.flatnonzero(mine[:, pivots].any(axis=1))
        mine[met] = _less(mine[met], mine[np.ix_(met, pivots)], rows)
        self.rows = np.concatenate([mine, rows])
        self.pivots = np.concatenate([self.pivots[: self.size], pivots])
        self.size = len(self.rows)


def _residues(vectors: NDArray[Any]) -> NDArray[Any]:
    """Integers, or floats that are integers below 2^53, as residues in float64."""
    if vectors.dtype.kind == "f":
        return reduced(vectors.astype(np.float64))
    return np.asarray(np.mod(vectors, PRIME).astype(np.float64))


def _less(residues: NDArray[Any], factors: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """`residues` (m, n) - `factors` (m, k) @ `rows` (k, n), as residues."""
    for begin in range(0, len(rows), TERMS):
        part = slice(begin, begin + TERMS)
        residues = reduced(residues - factors[:, part] @ rows[part])
    return residues
