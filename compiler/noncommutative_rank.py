"""The noncommutative rank of a space of matrices: a shrunk subspace and a lower bound that meet.

Statement
    Let M_1 .. M_C be A x E matrices, and for a subspace K of Q^E let M(K) be the sum of the M_c K. The noncommutative
    rank is

        ncrk(M) = min over K of  E - dim K + dim M(K).

    Any K gives an upper bound. For any k x k matrices T_c the *blow-up* sum_c T_c (x) M_c gives a lower one:

        rank(sum_c T_c (x) M_c) <= k * ncrk(M).

Proof of the lower bound
    Let P be a projection along K, X_c = M_c (1 - P) and Y_c = M_c P, so M_c = X_c + Y_c. The columns of sum T_c (x) X_c
    lie in Q^k (x) M(K), so its rank is at most k dim M(K); sum T_c (x) Y_c vanishes on Q^k (x) K, so its rank is at
    most k (E - dim K).

Finding K
    The second Wong sequence of N = sum_c T_c (x) M_c: U = 0; K = the span of the k slices of all x with N x in
    Q^k (x) U; U = M(K); until nothing grows. If N has rank k ncrk(M), then N is injective beyond what each optimal K
    forces into its kernel, so every optimal K contains the limit, and the limit is optimal too: it is the least optimal
    K, whatever the T_c. Random T_c have that rank for k large enough (k = 1 mostly; the 3 x 3 skew matrices need 2).

All of this is done modulo a prime with random T_c. A rank modulo a prime is at most the rank over the rationals, so the
bound is proved; K is reconstructed over the rationals, and whoever uses it counts dim M(K) over the rationals again.

Source
    Ivanyos, Qiao, Subrahmanyam, arXiv 1512.03531 (blow-ups, Wong sequences); Garg, Gurvits, Oliveira, Wigderson, arXiv
    1511.03730 (shrunk subspaces).

>>> x, y, z = np.zeros((3, 3, 3), dtype=np.int64)
>>> x[1, 2] = y[2, 0] = z[0, 1] = 1
>>> skew = np.stack([matrix - matrix.T for matrix in (x, y, z)])
>>> noncommutative_rank(skew).bound                          # each combination has rank 2
3
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.learning.elimination import PRIME, Integers, echelon, null_rows, rank, rationals

LARGEST_BLOW_UP = 4
"""The largest k that is tried. A larger one is a matter of time, and has not been seen to be needed."""


class Shrunk(NamedTuple):
    """A proved lower bound, and a subspace that is meant to meet it.

    Attributes
    ----------
    bound
        At most the noncommutative rank.
    kernel
        (dim K, E) of Fractions: the reduced row echelon basis of K. None where its entries are too large.
    """

    bound: int
    kernel: NDArray[Any] | None


def noncommutative_rank(matrices: Integers) -> Shrunk:
    """The best bound and the best subspace K found for integer `matrices` (C, A, E), as the module states."""
    count, _, width = matrices.shape
    residues = np.mod(matrices.astype(object), PRIME)
    random = np.random.default_rng(0)
    bound, cost, kernel = 0, width, np.zeros((0, width), dtype=object)
    for k in range(1, LARGEST_BLOW_UP + 1):
        mixing = random.integers(1, PRIME, size=(count, k, k)).astype(object)
        bound = max(bound, -(-rank(_blow_up(mixing, residues)) // k))
        image, limit = _wong(mixing, residues)
        if len(image) + width - len(limit) < cost:
            cost, kernel = len(image) + width - len(limit), limit
        if cost == bound:
            break
    return Shrunk(bound, _over_rationals(kernel))


def _wong(mixing: Integers, matrices: Integers) -> tuple[Integers, Integers]:
    """The limits (U, K) of the second Wong sequence, as reduced rows modulo the prime."""
    _, height, width = matrices.shape
    image = np.zeros((0, height), dtype=object)
    while True:
        outside = null_rows(image)
        found = null_rows(_blow_up(mixing, np.mod(outside @ matrices, PRIME)))
        _, kernel = echelon(found.reshape(-1, width))
        before, (_, image) = (
            len(image),
            echelon(np.mod(kernel @ matrices.transpose(0, 2, 1), PRIME).reshape(-1, height)),
        )
        if len(image) == before:
            return image, kernel


def _blow_up(mixing: Integers, matrices: Integers) -> Integers:
    """sum_c T_c (x) M_c modulo the prime, (k A, k E)."""
    (count, k, _), (_, height, width) = mixing.shape, matrices.shape
    sums = mixing.reshape(count, k * k).T @ matrices.reshape(count, height * width)
    blocks = np.mod(sums, PRIME).reshape(k, k, height, width)
    return np.asarray(blocks.transpose(0, 2, 1, 3).reshape(k * height, k * width))


def _over_rationals(rows: Integers) -> NDArray[Any] | None:
    found = rationals(rows) if rows.size else (rows, 1)
    if found is None:
        return None
    return np.array([Fraction(value, found[1]) for value in found[0].ravel()], dtype=object).reshape(rows.shape)
