"""Count moments to the second moments of all features: of a last token l they are (l l^T) (x) (B^T gram_l B).

B are the types' products on pairs of coordinates: S[b, c] = sum_j c_j B[j, {b, c}].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compiler.errors import DataError
from compiler.exact import product, times
from compiler.learning.elimination import Integers
from compiler.learning.real.moments import RealMoments, Shape, bytes_of, shapes_of
from compiler.learning.sums.counts import CountMoments, pairs_of
from compiler.learning.sums.pairs import PairMoments


def counts_to_pairs(moments: CountMoments, memory: int) -> PairMoments:
    """The moments of all features. Raises DataError where they do not fit into `memory` bytes."""
    lasts = moments.types[moments.lasts]
    pairs = pairs_of(moments.types)
    shapes = shapes_of(lasts, pairs)
    needed = sum(bytes_of(shape, moments.d) for shape in shapes)
    if needed > memory:
        raise DataError(f"the moments of all features need {needed:,} bytes, and {memory:,} are allowed")
    squares = times(moments.types[:, pairs[:, 0]], moments.types[:, pairs[:, 1]])
    classes, peaks = [], []
    for shape in shapes:
        last = lasts[:, shape.coordinates]
        numbers = np.flatnonzero((last != 0).any(axis=1))
        classes.append(_class(moments, shape, squares, numbers))
        sizes = np.abs(last[numbers])[:, :, None] * moments.peaks[numbers][:, None, :]
        peaks.append(sizes.max(axis=0, initial=0).reshape(-1))
    silent = moments.energy[~(lasts != 0).any(axis=1)]
    unanswered = int(silent.astype(object).sum())
    return PairMoments(moments.d, tuple(classes), tuple(peaks), moments.samples, unanswered, True)


def _class(moments: CountMoments, shape: Shape, squares: Integers, numbers: NDArray[np.int64]) -> RealMoments:
    """The moments of the last tokens of these numbers, which are those of a class."""
    last = moments.types[moments.lasts[numbers]][:, shape.coordinates]
    low, high = np.triu_indices(len(shape.coordinates))
    upper = np.triu_indices(len(shape.pairs))
    grams = [product(product(squares.T, moments.gram_of(n)[1:, 1:]), squares)[upper] for n in numbers.tolist()]
    crosses = [product(squares.T, moments.cross[n, 1:]).reshape(-1) for n in numbers.tolist()]
    return RealMoments(
        shape,
        product(times(last[:, low], last[:, high]).T, np.stack(grams)),
        product(last.T, np.stack(crosses)).reshape(shape.features, -1),
        moments.energy[numbers].astype(object).sum(axis=0),
        int(moments.gram[numbers, 0].sum()),
    )
