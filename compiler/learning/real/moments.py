r"""Samples to moments: the second-moment matrix of real features, by the products of its two factors.

With features z[e] s[p], s = S on the pairs p, the second-moment matrix (Lambda_D in arXiv 2410.10101, section 3) is

    G[(e, p), (f, q)] = sum over samples of (z[e] z[f]) (s[p] s[q]),

which is the same when e and f change places, or p and q. So the distinct entries are a matrix product of the
k (k + 1) / 2 products z[e] z[f], e <= f, with the L (L + 1) / 2 products s[p] s[q], p <= q: a quarter of the numbers of
G, and half of the work of its lower triangle, all in wide `dgemm`. The design matrix is never made.

Moments are sums: those of the parts of a data set add to those of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.learning.features import components
from compiler.learning.real.samples import REAL, Floats, Samples, gathered, live_pairs

WIDE = 1_000
"""The least columns of a matrix product, below which it is slower for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Which features a class of last tokens has: z[e] S[b, c], e slowest.

    Attributes
    ----------
    coordinates
        (k,): the coordinates e, ascending. Last tokens of different classes share no coordinate.
    pairs
        (L, 2): the pairs (b, c), b <= c.
    """

    coordinates: NDArray[np.int64]
    pairs: NDArray[np.int64]

    @property
    def features(self) -> int:
        """The number of features, k L."""
        return len(self.coordinates) * len(self.pairs)

    @property
    def index(self) -> NDArray[np.int64]:
        """(k L, 3): the coordinates (e, b, c) of each feature."""
        e = np.repeat(self.coordinates, len(self.pairs))
        return np.column_stack([e, np.tile(self.pairs, (len(self.coordinates), 1))])

    def part(self, samples: Samples) -> Samples:
        """The samples of this class, their last tokens (m, k) on its coordinates."""
        last = samples.last[:, self.coordinates]
        mine = (last != 0).any(axis=1)
        return samples._replace(last=last) if mine.all() else Samples(*(each[mine] for each in (last, *samples[1:])))


@dataclass(frozen=True, slots=True, eq=False)
class RealMoments:
    """The moments of one class.

    Attributes
    ----------
    shape
        Its features.
    products
        (k (k + 1) / 2, L (L + 1) / 2): sum of (z[e] z[f]) (s[p] s[q]), e <= f and p <= q, each in the order of
        `numpy.triu_indices`.
    cross
        (k L, d): sum of H y^T.
    energy
        (d,): sum of y^2.
    samples
        The number of samples.
    """

    shape: Shape
    products: Floats
    cross: Floats
    energy: Floats
    samples: int

    @classmethod
    def zero(cls, shape: Shape, d: int, dtype: np.dtype[Any] = REAL) -> RealMoments:
        """The moments of no samples."""
        k, pairs = len(shape.coordinates), len(shape.pairs)
        products = np.zeros((k * (k + 1) // 2, pairs * (pairs + 1) // 2), dtype=dtype)
        return cls(shape, products, np.zeros((k * pairs, d), dtype=dtype), np.zeros(d, dtype=dtype), 0)

    def added(self, blocks: Iterable[Samples]) -> RealMoments:
        """These moments and those of `blocks`; the arrays of these are changed in place."""
        low, high = np.triu_indices(len(self.shape.coordinates))
        samples = self.samples
        for block in blocks:
            last, memory, targets = self.shape.part(block)
            if not len(last):
                continue
            weights, columns = np.ascontiguousarray((last[:, low] * last[:, high]).T), np.ascontiguousarray(memory.T)
            for begin, squares in _squares(columns):
                self.products[:, begin : begin + len(squares)] += weights @ squares.T
            self.cross[:] += gathered(Samples(last, memory, targets), targets)
            np.add(self.energy, np.square(targets).sum(axis=0), out=self.energy)
            samples += len(last)
        return RealMoments(self.shape, self.products, self.cross, self.energy, samples)

    def plus(self, other: RealMoments, sign: int = 1) -> RealMoments:
        """The moments of both, or (`sign` -1) of what these have beyond the others."""
        return RealMoments(
            self.shape,
            self.products + sign * other.products,
            self.cross + sign * other.cross,
            self.energy + sign * other.energy,
            self.samples + sign * other.samples,
        )

    def peaks(self) -> Floats:
        """(k L,): the diagonal of G, sum of H^2."""
        k, pairs = len(self.shape.coordinates), len(self.shape.pairs)
        return self.products[np.ix_(diagonal(k), diagonal(pairs))].ravel()


def _squares(columns: Floats) -> Iterator[tuple[int, Floats]]:
    """The products s[p] s[q], p <= q, of the rows s (L, m), some `WIDE` or more at a time, and where they begin."""
    pairs, m = columns.shape
    buffer = np.empty((WIDE + pairs, m), dtype=columns.dtype)
    begin = filled = 0
    for number, column in enumerate(columns):
        end = filled + pairs - number
        np.multiply(column, columns[number:], out=buffer[filled:end])
        filled = end
        if filled >= WIDE or number == pairs - 1:
            yield begin, buffer[:filled]
            begin, filled = begin + filled, 0


def diagonal(n: int) -> NDArray[np.int64]:
    """The places of the n diagonal entries in the order of `numpy.triu_indices`."""
    rows = np.arange(n)
    return rows * n - rows * (rows - 1) // 2


def shapes_of(lasts: NDArray[Any], pairs: NDArray[np.int64]) -> list[Shape]:
    """The classes of last tokens (m, d): those that share no coordinate are regressions of their own."""
    together = np.zeros((lasts.shape[1], lasts.shape[1]), dtype=np.bool_)
    low, high = live_pairs(lasts).T
    together[low, high] = together[high, low] = True
    return [Shape(columns, pairs) for _, columns in components(together)]


def bytes_of(shape: Shape, d: int) -> int:
    """The memory that moments of this shape take."""
    k, pairs = len(shape.coordinates), len(shape.pairs)
    return 8 * (k * (k + 1) // 2 * (pairs * (pairs + 1) // 2) + k * pairs * d)
