"""Features to moments: for each block the second-moment matrix sum H H^T, the sum H y^T and the sum of y^2.

For integer data these are integers, exactly, and sums (the peaks maxima): any order and any partition of the data give
the same. The normal equations that they make have the same solutions as the regression (arXiv 2410.10101, section 3,
where the second-moment matrix is Lambda_D).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.exact import product, times
from compiler.learning.elimination import Elimination, Integers, eliminate
from compiler.learning.features import Block


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The exact moments of one block of integer data.

    Attributes
    ----------
    index
        (n, 3): the coordinates (e, b, c) of each feature.
    gram
        (n, n): sum over positions of H H^T.
    asked
        (k,): the coordinates of the answer that are not zero on the whole block.
    cross
        (n, k): sum over positions of H y^T, for these coordinates.
    energy
        The sum over positions of |y|^2.
    peak
        (n,): the largest absolute value of each feature.
    """

    index: NDArray[np.int64]
    gram: Integers
    asked: NDArray[np.int64]
    cross: Integers
    energy: int
    peak: Integers


class SolvedBlock(NamedTuple):
    """A block's moments and their elimination."""

    moments: Moments
    eliminated: Elimination


def moments_of(block: Block) -> Moments:
    """The moments of a block of integer features and targets."""
    transposed = np.ascontiguousarray(block.design.T)
    asked = np.flatnonzero((block.targets != 0).any(axis=0))
    wanted = block.targets[:, asked]
    energy = int(np.sum(times(wanted, wanted).astype(object)))
    peak = np.abs(block.design).max(axis=0)
    return Moments(block.index, product(transposed, block.design), asked, product(transposed, wanted), energy, peak)


def solved_block(moments: Moments) -> SolvedBlock:
    """The moments eliminated, from the quietest feature (least peak; then by coordinates) to the loudest."""
    order = np.argsort(moments.peak, kind="stable")
    return SolvedBlock(moments, eliminate(moments.gram, moments.cross, order))
