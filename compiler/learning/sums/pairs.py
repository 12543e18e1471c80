"""Any data as sums over samples: the second moments of features, by the products of their two factors.

The layout is that of `learning.real.moments`. Floats are added as they are. Integers are exact: float64 where no sum
can pass 2^53, Python's integers otherwise; and for the order in which unknowns are tried the largest absolute value
of each feature is kept beside them, whose merge is a maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.exact import largest, plus
from compiler.learning.elimination import Integers
from compiler.learning.real.least_squares import moments_of_reals
from compiler.learning.real.moments import RealMoments, Shape, bytes_of
from compiler.learning.real.samples import ROWS, Samples, samples_of
from compiler.traces.data_set import DataSet


@dataclass(frozen=True, slots=True, eq=False)
class PairMoments:
    """Sums over samples, by class of last tokens.

    Attributes
    ----------
    d
        The dimension of the tokens.
    classes
        The moments of each class, integers (int64 or object) or float64.
    peaks
        Of integers the largest absolute value of each feature, (k L,), class by class; of floats empty.
    samples
        The number of supervised positions.
    unanswered
        The sum of |y|^2 over those whose last token is zero: no feature is live there.
    """

    d: int
    classes: tuple[RealMoments, ...]
    peaks: tuple[Integers, ...]
    samples: int
    unanswered: int | float
    exact: bool

    @property
    def size(self) -> int:
        """The bytes that these take."""
        return sum(each.products.nbytes + each.cross.nbytes for each in self.classes)

    def plus(self, other: PairMoments) -> PairMoments:
        """The moments of both; they must have the same classes."""
        add = _plus if self.exact else RealMoments.plus
        return PairMoments(
            self.d,
            tuple(add(mine, theirs) for mine, theirs in zip(self.classes, other.classes, strict=True)),
            tuple(np.maximum(mine, theirs) for mine, theirs in zip(self.peaks, other.peaks, strict=True)),
            self.samples + other.samples,
            self.unanswered + other.unanswered,
            self.exact,
        )

    def frame(self) -> tuple[Any, ...]:
        """What two moments must have in common to be added, as something that can be compared."""
        shapes = [(each.shape.coordinates.tolist(), each.shape.pairs.tolist()) for each in self.classes]
        return "pairs", self.exact, self.d, shapes

    def violations(self) -> list[str]:
        """Everything that is wrong with these moments beyond the shapes of arrays; empty for legal ones."""
        found = []
        kinds = "iO" if self.exact else "f"
        for each in self.classes:
            arrays = (each.products, each.cross, each.energy)
            if any(array.dtype.kind not in kinds for array in arrays):
                found.append("integers and floats stand side by side")
            elif not self.exact and not all(bool(np.isfinite(array).all()) for array in arrays):
                found.append("moments hold NaN or an infinity")
            elif each.samples < 0 or (each.peaks() < 0).any() or (each.energy < 0).any():
                found.append("a number that counts or is a sum of squares is negative")
        if any(each.dtype.kind not in kinds or (each < 0).any() for each in self.peaks):
            found.append("peaks are no sizes of integers")
        if not all(isinstance(each, int) for each in (self.samples, *(part.samples for part in self.classes))):
            found.append("numbers of samples are no integers")
        elif not isinstance(self.unanswered, int if self.exact else float) or not 0 <= self.unanswered < inf:
            found.append(f"unanswered is {self.unanswered!r}, expected a sum of squares")
        elif self.samples < sum(each.samples for each in self.classes):
            found.append("the numbers of samples of the classes are more than there are")
        return found


@dataclass(frozen=True)
class PairFrame:
    """Data and the classes of their last tokens."""

    data: DataSet
    shapes: Sequence[Shape]

    @property
    def size(self) -> int:
        """The bytes that moments take."""
        return sum(bytes_of(shape, self.data.d) for shape in self.shapes)

    def zero(self) -> PairMoments:
        """The moments of no samples."""
        dtype = np.dtype(np.int64 if self.data.exact else np.float64)
        classes = tuple(RealMoments.zero(shape, self.data.d, dtype) for shape in self.shapes)
        peaks = tuple(np.zeros(shape.features, dtype=dtype) for shape in self.shapes if self.data.exact)
        return PairMoments(self.data.d, classes, peaks, 0, 0 if self.data.exact else 0.0, self.data.exact)

    def block(self, sequences: range) -> PairMoments:
        """The moments of some sequences."""
        rows = slice(self.data.offsets[sequences.start], self.data.offsets[sequences.stop])
        asked = self.data.supervised[rows]
        silent = self.data.targets[rows][asked & ~(self.data.tokens[rows] != 0).any(axis=1)]
        count = int(asked.sum())
        if not self.data.exact:
            found = tuple(moments_of_reals(self.data, self.shapes, sequences))
            return PairMoments(self.data.d, found, (), count, float(np.square(silent).sum()), False)
        squares = int(np.square(silent.astype(object)).sum())
        dtype = np.dtype(np.float64 if self._bound(sequences) < 2**53 else object)
        total = self.zero()
        for part in samples_of(self.data, self.shapes[0].pairs, sequences, dtype) if self.shapes else ():
            total = total.plus(self._exactly(part, dtype))
        return replace(total, samples=count, unanswered=squares)

    def _exactly(self, part: Samples, dtype: np.dtype[Any]) -> PairMoments:
        """The moments of some samples of integers."""
        found, peaks = [], []
        for shape in self.shapes:
            moments = RealMoments.zero(shape, self.data.d, dtype).added([part])
            mine = shape.part(part)
            sizes = [np.abs(z[:, None] * mine.memory).max(axis=0, initial=0) for z in mine.last.T]
            found.append(_as_integers(moments))
            peaks.append(_integers(np.concatenate(sizes)))
        return PairMoments(self.data.d, tuple(found), tuple(peaks), 0, 0, True)

    def _bound(self, sequences: range) -> int:
        """What no sum over a block of samples can pass."""
        longest = int(np.diff(self.data.offsets[sequences.start : sequences.stop + 1]).max(initial=0))
        token, target = largest(self.data.tokens), largest(self.data.targets)
        feature = token**3 * longest
        return 2 * ROWS * max(feature, target, 1) ** 2


def _as_integers(moments: RealMoments) -> RealMoments:
    products, cross, energy = map(_integers, (moments.products, moments.cross, moments.energy))
    return RealMoments(moments.shape, products, cross, energy, moments.samples)


def _integers(array: NDArray[Any]) -> Integers:
    """Whole numbers of float64 or object as int64 where they fit."""
    if array.dtype.kind == "f":
        return array.astype(np.int64)
    return array.astype(np.int64) if largest(array) < 2**62 else array


def _plus(left: RealMoments, right: RealMoments) -> RealMoments:
    return RealMoments(
        left.shape,
        plus(left.products, right.products),
        plus(left.cross, right.cross),
        plus(left.energy, right.energy),
        left.samples + right.samples,
    )
