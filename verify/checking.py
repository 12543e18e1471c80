"""What checkers of stored proofs share: exact numbers, sparse vectors, and what weights do. (`verify.check_proof`)

Like the checkers it finds nothing out, uses only Python's integers, and imports nothing of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple, TypeAlias

MOST_LENGTHS = 1_000_000
"""Up to so many lengths are looked at one by one."""

Entry: TypeAlias = tuple[int, int, Fraction]
"""Row, column, weight."""
Vector: TypeAlias = dict[int, int]
"""Entries that are not zero, over a common denominator."""


class Rejected(Exception):  # noqa: N818 - an answer, not an error
    """Why a proof is none."""


class Weights(NamedTuple):
    """The heads (V, Q) of a layer over `d` coordinates, entry by entry."""

    d: int
    heads: Sequence[tuple[Sequence[Entry], Sequence[Entry]]]


def must(holds: bool, reason: str) -> None:
    """Raises Rejected with the reason unless this holds."""
    if not holds:
        raise Rejected(reason)


def number_of(value: Any) -> Fraction:
    """A stored number: an integer, or the text of a fraction. Raises Rejected for anything else."""
    exact = type(value) is int or (type(value) is str and re.fullmatch(r"-?[0-9]+/[0-9]+", value))
    must(bool(exact), f"{value!r} is no exact number")
    return Fraction(value)


def rules_of(weights: Weights, live: set[tuple[int, int]] | None) -> dict[tuple[int, ...], Fraction]:
    """p[a; {b, c}; e] by (e, b, c, a), b <= c, of the pairs that are `live`."""
    found: dict[tuple[int, ...], Fraction] = {}
    beside: dict[int, list[int]] = {}
    for b, c in live or ():
        beside.setdefault(b, []).append(c)
        beside.setdefault(c, []).append(b)
    for v, q in weights.heads:
        by_row: dict[int, list[tuple[int, Fraction]]] = {}
        for c, e, right in q:
            by_row.setdefault(c, []).append((e, right))
        for a, b, left in v:
            for c in by_row if live is None else set(beside.get(b, ())):
                for e, right in by_row.get(c, ()):
                    key = (e, min(b, c), max(b, c), a)
                    found[key] = found.get(key, Fraction(0)) + left * right
    return {key: value for key, value in found.items() if value}


class Heads:
    """Heads as integers: what tokens contribute to an answer, over `below` (and three denominators of tokens)."""

    def __init__(self, weights: Weights) -> None:
        scales = [lcm(1, *(x.denominator for head in weights.heads for _, _, x in head[side])) for side in (0, 1)]
        self.below = scales[0] * scales[1]
        self.heads = [tuple(map(_by_column, head, scales)) for head in weights.heads]

    def queries(self, last: Vector) -> list[Vector]:
        """Q z for each head, z the last token."""
        return [_times(q, last) for _, q in self.heads]

    def adds(self, token: Vector, queries: Sequence[Vector]) -> Vector:
        """What a token adds to the answer: the sum of V t (t . Q z) over the heads."""
        total: Vector = {}
        for (v, _), query in zip(self.heads, queries, strict=True):
            score = sum(x * query[n] for n, x in token.items() if n in query)
            if score:
                add(total, _times(v, token), score)
        return total


def _by_column(entries: Iterable[Entry], scale: int) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for row, column, value in entries:
        found.setdefault(column, []).append((row, int(value * scale)))
    return found


def _times(matrix: Mapping[int, list[tuple[int, int]]], vector: Vector) -> Vector:
    found: Vector = {}
    for n, x in vector.items():
        for row, value in matrix.get(n, ()):
            found[row] = found.get(row, 0) + value * x
    return found


def exact_tokens(listed: Iterable[Iterable[tuple[int, Any]]], d: int) -> tuple[list[Vector], int]:
    """Tokens of exact numbers as integers over one denominator."""
    exact = [{int(place): number_of(value) for place, value in token} for token in listed]
    below = lcm(1, *(value.denominator for token in exact for value in token.values()))
    must(all(0 <= place < d for token in exact for place in token), "a token leaves the layer")
    return [{place: int(value * below) for place, value in token.items()} for token in exact], below


def add(total: Vector, vector: Vector, factor: int = 1) -> None:
    """Add `factor` times a vector to `total`; what becomes zero may stay in it."""
    for n, x in vector.items():
        total[n] = total.get(n, 0) + factor * x


def sum_of(vectors: Iterable[Vector]) -> Vector:
    """The sum of vectors."""
    total: Vector = {}
    for vector in vectors:
        add(total, vector)
    return total


def same(left: Vector, right: Vector) -> bool:
    """Whether two vectors are the same, zeros or not."""
    return all(left.get(n, 0) == right.get(n, 0) for n in left.keys() | right.keys())
