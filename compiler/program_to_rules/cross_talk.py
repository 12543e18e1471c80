"""Cross talk: what keys in too few dimensions add to each other's answers, exactly, and how much of it is harmless.

Keys are sign vectors E_k in {-1, 1}^D. A register that is read with weight 1/D shows for key k

    w[u] = sum over stored pairs (j, u) of <E_k, E_j> / D  =  (times that u is stored under k) + cross talk,

and the answer is the token nearest to what is read. `margin` here is always: the least squared distance to a wrong
token, minus that to the right one. The right token is decoded exactly when it is positive; at 0 there is a tie. All
of it is integers over D, so margins are exact rationals.

Queries (latest, first). The tokens are e_v for each value v, and 0 for `absent`: squared distances, up to |w|^2, are
1 - 2 w[v] and 0.

Requests (latest). The answer that is decoded has the key, next and now exactly, and on the values e_v - w. A token of
another key is further than the same one of this key by |E_k - E_j|^2 >= 4, so it never wins. The tokens u -> v of
this v have squared distances |w - e_u|^2: as for queries. Tokens u' -> v' with v' != v are at
2 + |e_v - e_v' + e_u' - w|^2, which `_other_value` minimises over v' and u'.

Requests (first). With t the sum of w the answer is (1 - t) free + t taken: the margin is 2 - 4 t where nothing is
stored and 4 t - 2 where something is. Answers to requests that lie further off never win, as they have more
coordinates.

Queries (sum). The answer is rounded to counts: the margin is the least 1 - 2 |w[u] - count[u]|. Requests to write
with `sum`, and the second request with `first`, read nothing of the registers: they are exact.

Capacity. With at most m stored keys, over every choice of them and their values: a stored key k reads 1 plus cross
talk of m - 1 others. The worst that they do to e_v against e_u is the sum of the m - 1 greatest |<E_k, E_j>|
(negative ones under v, positive ones under u), against `absent` that of the negative ones alone; a key that is not
stored reads at most the sum of the m greatest positive ones, all under one value. So all queries are right exactly
when

    stored:   sum of the m - 1 greatest |<E_k, E_j>| < D  (if there are two values),  of the negative ones < D / 2,
    missing:  sum of the m greatest positive ones < D / 2,

for every k. Then requests are right as well. Where nothing is held, 2 w[v] < 1, 2 w[v'] > -3 and the absolute values
of all w sum to less than 2, so the four cases of `_other_value` are above 2, 0, 2 and 1, and the right token has 0.
Where u is held, the absolute values of the cross talk sum to less than 1 and w[u] is greatest; the four cases exceed
1 - 2 w[u] by at least 2, 1, 2 and 2. With `sum` it is writes that count, and the worst is one key written again and
again: 2 m max |<E_k, E_j>| < D.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from compiler.errors import UnsupportedError
from compiler.program.memory import Memory

ROWS = 1_024
"""The rows of the matrix of inner products that are held at once."""


def sign_vectors(program: Memory) -> NDArray[np.int64]:
    """The keys of a memory as different vectors of signs, (K, D), entries -1 and 1.

    The bits are those of ``numpy.random.default_rng(seed)``, 64 at a time, taken raw, so that every version of numpy
    gives the same vectors. A vector that an earlier key has is drawn again.

    Raises
    ------
    UnsupportedError
        For a memory without dimensions, and where there are more keys than vectors.
    """
    if program.dimensions is None or isinstance(program.keys, int):
        raise UnsupportedError(f"memory {program.name} has no named keys in fewer dimensions")
    count, d = len(program.keys), program.dimensions
    if d < 64 and 2**d < count:
        raise UnsupportedError(
            f"memory {program.name} has {count:,} keys, and there are only {2**d:,} vectors of {d} signs; "
            "give it more dimensions"
        )
    bits = np.random.default_rng(program.seed).bit_generator
    drawn: dict[bytes, NDArray[np.int64]] = {}
    while len(drawn) < count:
        raw = np.atleast_1d(bits.random_raw(-(-d // 64))).astype("<u8").view(np.uint8)
        signs = 2 * np.unpackbits(raw, bitorder="little")[:d].astype(np.int64) - 1
        drawn.setdefault(signs.tobytes(), signs)
    return np.stack(list(drawn.values()))


def capacity(program: Memory, *, missing: bool = True) -> int | None:
    """How many keys a dense memory can hold so that every answer is right, whichever they and their values are.

    The bound is tight: one more, and some set of keys and values makes some answer wrong, or a tie.

    Parameters
    ----------
    missing
        Whether keys that are not stored may be asked for and written. False promises only the queries of keys that
        are stored.

    Returns
    -------
    int or None
        A number of stored keys; with `write sum` a number of writes. None for no bound: with `write sum`, keys that
        happen to be orthogonal.

    Raises
    ------
    UnsupportedError
        For a memory without dimensions, whose keys are orthogonal: it has no bound.

    >>> capacity(Memory("m", ("a", "b", "c"), ("x", "y"), dimensions=64, seed=1))
    3
    """
    vectors = sign_vectors(program).astype(np.float64)
    count, d = vectors.shape
    values = len(program.values) if isinstance(program.values, tuple) else 0
    either, negative, positive = _greatest_sums(vectors)
    if program.write == "sum":
        greatest = int(either[1]) if count > 1 else 0
        return (d - 1) // (2 * greatest) if greatest else None
    stored = (values < 2) | (either < d)
    stored &= 2 * negative < d
    known = np.append(2 * positive[1:] < d, True) if missing else np.full(count, True)
    wrong = np.flatnonzero(~(stored & known))
    return int(wrong[0]) if len(wrong) else count


def _greatest_sums(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """For j = 0 .. K - 1 the greatest sum, over keys, of j inner products with others: (K,) each.

    By absolute value; of the negative ones, with the sign changed; of the positive ones. Float64 holds them exactly.
    """
    count = len(vectors)
    found = [np.zeros(count) for _ in range(3)]
    for begin in range(0, count, ROWS):
        products = vectors[begin : begin + ROWS] @ vectors.T
        products[np.arange(len(products)), begin + np.arange(len(products))] = 0
        for sums, part in zip(found, (np.abs(products), -products, products), strict=True):
            most = -np.sort(-np.maximum(part, 0), axis=1)[:, :-1]
            sums[1:] = np.maximum(sums[1:], np.cumsum(most, axis=1).max(axis=0))
    return tuple(found)


class Store:
    """What a dense memory holds at some time, and the exact margins of what can be asked of it.

    Attributes
    ----------
    program
        The memory.
    held
        (K, V): how often each value is stored under each key.
    """

    def __init__(self, program: Memory, stored: Sequence[tuple[int, int]]) -> None:
        self.program = program
        self.vectors = sign_vectors(program)
        self.values = len(program.values) if isinstance(program.values, tuple) else 0
        self.held = np.zeros((len(self.vectors), self.values), dtype=np.int64)
        self.register = np.zeros((self.vectors.shape[1], self.values), dtype=np.int64)
        for key, value in stored:
            self.add(key, value)

    @property
    def dimensions(self) -> int:
        """D."""
        return int(self.vectors.shape[1])

    @property
    def keys_stored(self) -> int:
        """The number of keys under which something is stored."""
        return int(self.held.any(axis=1).sum())

    @property
    def writes(self) -> int:
        """The number of values stored, with repetitions."""
        return int(self.held.sum())

    def add(self, key: int, value: int) -> None:
        """Store a value under a key; with `write latest` in the place of what is there."""
        before = np.flatnonzero(self.held[key]) if self.program.write == "latest" else ()
        for old in before:
            self.held[key, old] -= 1
            self.register[:, old] -= self.vectors[key]
        self.held[key, value] += 1
        self.register[:, value] += self.vectors[key]

    def query_margin(self, key: int) -> Fraction:
        """The margin of the right answer to a query."""
        read, d, held = self.vectors[key] @ self.register, self.dimensions, self.held[key]
        if self.program.write == "sum":
            return Fraction(d - 2 * int(np.abs(read - d * held).max()), d)
        return Fraction(_margin(read, d, held), d)

    def request_margin(self, key: int, value: int) -> Fraction | None:
        """The margin of the right answer to a request to write; None where it does not depend on the store."""
        read, d, held = self.vectors[key] @ self.register, self.dimensions, self.held[key]
        if self.program.write == "sum":
            return None
        if self.program.write == "first":
            taken = 4 * int(read.sum()) - 2 * d
            return Fraction(taken if held.any() else -taken, d)
        right = d - 2 * int(read[held.argmax()]) if held.any() else 0
        others = _other_value(read, d, value)
        within = _margin(read, d, held)
        return Fraction(within if others is None else min(within, others - right), d)


def _margin(read: NDArray[np.int64], d: int, held: NDArray[np.int64]) -> int:
    """D times the margin of the value held (or of none) against all others, for D w = `read`."""
    scores = np.append(d - 2 * read, 0)
    right = int(held.argmax()) if held.any() else len(read)
    return int(np.delete(scores, right).min()) - int(scores[right])


def _other_value(read: NDArray[np.int64], d: int, value: int) -> int | None:
    """D times the least squared distance, less |w|^2, of a token u' -> v' with v' other than `value`; None for none.

    In order: u' = v'; nothing before; u' = v; u' neither v nor v' (where there is no such u', it is above the first).
    """
    own, others = int(read[value]), np.delete(read, value)
    if not len(others):
        return None
    low, high = int(others.min()), int(others.max())
    return min(
        3 * d - 2 * own,
        4 * d - 2 * own + 2 * low,
        7 * d - 4 * own + 2 * low,
        5 * d - 2 * own + 2 * low - 2 * high,
    )
