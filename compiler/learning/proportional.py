"""Data to features that are zero, or multiples of each other, on all samples: exactly, and without comparing pairs.

Statement
    Feature j is a column x_j of integers (floats are integers over one denominator; a common scale changes no factor).
    Let h(x) be a few random linear combinations of a column modulo a prime p. If h(x) != 0 for every column that is not
    zero, then two such columns are proportional only if h(x) and h(y) are, modulo p.
Proof
    Let b x = a y, gcd(a, b) = 1. If p divided a, then a would divide every entry of x (it divides b x and is prime to
    b), so x = 0 modulo p and h(x) = 0. So p divides neither a nor, likewise, b, and b h(x) = a h(y) modulo p.

So columns are sorted by h(x), divided by its first entry that is not zero; what stands together is checked over the
integers, on every sample, and so is every column with h(x) = 0. Where either check fails (p divides a whole column, or
by bad luck) the next prime is taken. So no class is wrong, and none is missing, whatever the luck.

Features are never held all at once: z[e] S[b, c] has two factors, so h is a sum over blocks of products of matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.errors import DataError
from compiler.exact import largest

Numbers = NDArray[np.int64]

PRIMES = (1_048_573, 1_048_571, 1_048_559, 1_048_549, 1_048_517, 1_048_507, 1_048_447, 1_048_433)
"""Below 2^20, so that sums of `ROWS` products of residues stay below 2^53."""
COMBINATIONS = 4
ROWS = 1_024
"""Positions that are taken at once."""
COLUMNS = 4_096
"""Pairs, or features, that are taken at once."""


class Columns(NamedTuple):
    """The features z[e] S[b, c] at the supervised positions: number n L + m has the n-th e and the m-th {b, c}.

    Attributes
    ----------
    tokens
        (total, d): integers, int64 or object.
    first, supervised
        (total,) booleans: the first positions of sequences, and the samples.
    coordinates
        (E,): the coordinates e.
    pairs
        (L, 2): the pairs {b, c}, b <= c.
    """

    tokens: NDArray[Any]
    first: NDArray[np.bool_]
    supervised: NDArray[np.bool_]
    coordinates: Numbers
    pairs: Numbers

    def samples(self, chosen: Numbers, prime: int | None = None) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Block by block z (m, E) and S (m, k) on the pairs `chosen` (k,); the tokens are residues if `prime` is given.

        S is the difference of two sums along the block: up to here, and up to where the sequence begins.
        """
        b, c = self.pairs[chosen].T
        before = np.zeros(len(chosen), dtype=self.tokens.dtype)
        for begin in range(0, len(self.tokens), ROWS):
            z, first, asked = (each[begin : begin + ROWS] for each in (self.tokens, self.first, self.supervised))
            sums = np.concatenate([before[None], np.cumsum(z[:, b] * z[:, c], axis=0) + before])
            begins = np.concatenate([np.zeros_like(before)[None], sums[:-1][first]])
            owner = np.cumsum(first)
            before = sums[-1] - begins[owner[-1]]
            memory = sums[1:][asked] - begins[owner[asked]]
            if prime is not None:
                before, memory = before % prime, memory % prime
            yield z[asked][:, self.coordinates], memory


class Classes(NamedTuple):
    """What the data show of some columns, by their numbers.

    Attributes
    ----------
    zero
        (E, L): which are zero on all samples.
    classes
        The classes of two or more columns that are multiples of each other, ascending, and what times the first of
        its class each is.
    """

    zero: NDArray[np.bool_]
    classes: list[tuple[Numbers, tuple[Fraction, ...]]]


def proportional(columns: Columns) -> Classes:
    """Which columns are zero, and which multiples of each other. Raises DataError where all primes fail (never yet)."""
    size = (largest(columns.tokens) + 1) ** 3 * (len(columns.tokens) + 1)
    exact = columns._replace(tokens=columns.tokens.astype(np.int64 if size < 2**31 else object, copy=False))
    for prime in PRIMES:
        hashes = _hashes(columns, prime)
        zero = (hashes == 0).all(axis=0)
        pairs = np.flatnonzero(zero.any(axis=0))
        if not np.any(_shown(exact, pairs) & zero[:, pairs]):
            candidates = _candidates(hashes.reshape(COMBINATIONS, -1), prime)
            factors = _factors(exact, candidates)
            if factors is not None:
                return Classes(zero, list(zip(candidates, factors, strict=True)))
    raise DataError("the numbers in the data are multiples of too many primes to tell which features are multiples")


def _hashes(columns: Columns, prime: int) -> Numbers:
    """(COMBINATIONS, E, L): random combinations of all columns modulo `prime`."""
    residues = columns._replace(tokens=np.mod(columns.tokens, prime).astype(np.int64, copy=False))
    pairs = len(columns.pairs)
    found = np.zeros((COMBINATIONS, len(columns.coordinates), pairs), dtype=np.int64)
    for begin in range(0, pairs, COLUMNS):
        rng = np.random.default_rng(0)  # the same combinations for all pairs
        part = found[:, :, begin : begin + COLUMNS]
        for last, memory in residues.samples(np.arange(begin, min(begin + COLUMNS, pairs)), prime):
            weights = rng.integers(1, prime, size=(COMBINATIONS, len(last), 1))
            weighted = (weights * last % prime).transpose(0, 2, 1).astype(np.float64)
            part += (weighted @ memory.astype(np.float64)).astype(np.int64)
            part %= prime
    return found


def _shown(exact: Columns, pairs: Numbers) -> NDArray[np.bool_]:
    """(E, k): which columns with one of `pairs` (k,) some sample shows."""
    found = np.zeros((len(exact.coordinates), len(pairs)), dtype=np.bool_)
    for begin in range(0, len(pairs), COLUMNS):
        for last, memory in exact.samples(pairs[begin : begin + COLUMNS]):
            together = (last != 0).T.astype(np.float32) @ (memory != 0).astype(np.float32)
            found[:, begin : begin + COLUMNS] |= together > 0
    return found


def _candidates(hashes: Numbers, prime: int) -> list[Numbers]:
    """The classes of two or more columns whose hashes (COMBINATIONS, n) are proportional modulo `prime`."""
    live = np.flatnonzero(hashes.any(axis=0))
    mine = hashes[:, live]
    heads = mine[(mine != 0).argmax(axis=0), np.arange(len(live))]
    keys = mine * _inverses(heads, prime) % prime
    order = np.lexsort(keys)
    new = np.flatnonzero((np.diff(keys[:, order], axis=1) != 0).any(axis=0)) + 1
    classes = [live[each] for each in np.split(order, new) if len(each) > 1]
    return sorted(classes, key=lambda each: int(each[0]))


def _inverses(values: Numbers, prime: int) -> Numbers:
    """values^(prime - 2), which is 1 / values modulo `prime`, by repeated squaring."""
    found, power, exponent = np.ones_like(values), values, prime - 2
    while exponent:
        if exponent % 2:
            found = found * power % prime
        power, exponent = power * power % prime, exponent // 2
    return found


def _factors(exact: Columns, classes: list[Numbers]) -> list[tuple[Fraction, ...]] | None:
    """What times the first of its class each column is; None where one is no multiple of it."""
    if not classes:
        return []
    members = np.concatenate(classes)
    leaders = np.repeat([each[0] for each in classes], [len(each) for each in classes])
    order = np.argsort(members, kind="stable")  # by last coordinate: then other samples can be passed over
    found = np.empty(len(members), dtype=object)
    for begin in range(0, len(order), COLUMNS):
        part = order[begin : begin + COLUMNS]
        quotients = _quotients(exact, members[part], leaders[part])
        if quotients is None:
            return None
        found[part] = quotients
    ends = np.cumsum([len(each) for each in classes])
    return [tuple(each) for each in np.split(found, ends[:-1])]


def _quotients(exact: Columns, members: Numbers, leaders: Numbers) -> list[Fraction] | None:
    """What members / leaders are, of non-zero columns by their numbers (k,); None where one is no multiple."""
    (e, place), (f, into) = (np.divmod(each, len(exact.pairs)) for each in (members, leaders))
    pairs, where = np.unique(np.concatenate([place, into]), return_inverse=True)
    place, into = np.split(where, 2)
    used = np.unique([e, f])
    above, below = (np.zeros(len(members), dtype=exact.tokens.dtype) for _ in range(2))
    for last, memory in exact.samples(pairs):
        rows = (last[:, used] != 0).any(axis=1)  # elsewhere both are zero
        if not rows.any():
            continue
        x, y = last[rows][:, e] * memory[rows][:, place], last[rows][:, f] * memory[rows][:, into]
        fresh = np.flatnonzero((y != 0).any(axis=0) & (below == 0))
        at = (y[:, fresh] != 0).argmax(axis=0)
        above[fresh], below[fresh] = x[at, fresh], y[at, fresh]
        if np.any(x * below != y * above) or np.any(x[:, below == 0]):
            return None
    return [Fraction(int(a), int(b)) for a, b in zip(above, below, strict=True)]
