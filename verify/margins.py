"""By how much a model's answers prefer the program's tokens, exactly: linear in the steps of a walk.

An answer y is decoded to the nearest of the program's answer tokens x. |x|^2 - 2 x.y orders them as |x - y|^2 does, so
with *scores* 2 x.y - |x|^2 the token t is taken if its score is above that of every other w; a tie decides nothing.
With the last letter fixed y is a start value plus a value for each edge of the walk (`verify.answers`), and so are
scores. They are integers over one denominator: only their order counts.

With a tolerance T a decision for t is to stay right however y is moved by up to T. The points as near to w as to t are
at distance margin / (2 |t - w|) from y, so the margin has to be above 2 T |t - w|, or, being an integer over the
denominator, above the integer part of that: the *allowance* of t against w.

For searches they are rounded down to 62 bits and less, with the ranks of the remainders: with F = whole + r,
floor(F_t - F_w) is whole_t - whole_w, less 1 if r_t < r_w. So differences are rounded once, downwards, and those that
are zero are zero.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import isqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.domain.token_graph import TokenGraph
from compiler.exact import largest, scaled
from compiler.program_to_rules.lowering import Asks
from verify.answers import Answers, Integers


class Scores(NamedTuple):
    """The scores of all answer tokens after one letter: of the start (A,), and what each edge adds (E, A).

    They are integers, to be divided by `below`.
    """

    start: Integers
    edges: Integers
    below: int


class Floors(NamedTuple):
    """Scores rounded down, the last row the start's: whole (E + 1, A), and the ranks of the remainders.

    They are in units of `unit`, and so are the allowances (A, A), rounded up; `exact` where nothing was rounded.
    """

    whole: NDArray[np.int64]
    rank: NDArray[np.int64]
    allowances: NDArray[np.int64]
    unit: int
    exact: bool


def answer_tokens(graph: TokenGraph) -> NDArray[np.int64]:
    """The numbers of the tokens that an answer can be decoded to."""
    lowering = graph.lowering
    replies = np.flatnonzero(lowering.replies == Asks.APPENDED)
    return np.array([graph.numbers[lowering.tokens.names[number]] for number in replies.tolist()], dtype=np.int64)


def scores(answers: Answers, tokens: NDArray[Any]) -> Scores:
    """The scores of `tokens` (A, d) for answers y = numerators / denominator."""
    vectors, below = scaled(tokens)
    start = np.zeros(len(vectors), dtype=object)
    edges = np.zeros((len(answers.edges), len(vectors)), dtype=object)
    for number, vector in enumerate(vectors):
        places = np.flatnonzero(vector)
        x = vector[places].astype(object)
        doubled = 2 * below * x
        start[number] = int((answers.start[places].astype(object) * doubled).sum()) - answers.denominator * int(
            (x * x).sum()
        )
        edges[:, number] = answers.edges[:, places].astype(object) @ doubled
    return Scores(start, edges, answers.denominator * below**2)


def allowances(tokens: NDArray[Any], below: int, tolerance: Fraction) -> Integers:
    """The integer parts of 2 `tolerance` |t - w| `below` for `tokens` (A, d), as integers (A, A)."""
    vectors, denominator = scaled(tokens)
    rows = vectors.astype(object)
    found = np.zeros((len(rows), len(rows)), dtype=object)
    factor = (2 * tolerance * below / denominator) ** 2
    for t, w in combinations(range(len(rows)), 2) if tolerance else ():
        square = int(((rows[t] - rows[w]) ** 2).sum())
        found[t, w] = found[w, t] = isqrt(square * factor.numerator // factor.denominator)
    return found


def floors(exact: Scores, allowed: Integers, nodes: int) -> Floors:
    """The scores rounded so that sums over walks without repeated nodes stay far below 2^63."""
    every = np.concatenate([exact.edges, exact.start[None]])
    most = max(largest(every), largest(allowed))
    unit = 1 << max(0, most.bit_length() + (4 * (nodes + 2)).bit_length() - 61)
    whole, up = ((each // unit).astype(np.int64) for each in (every, allowed + unit - 1))
    if unit == 1:
        return Floors(whole, np.zeros(whole.shape, dtype=np.int64), up, unit, exact=True)
    rest = every % unit
    ranks = {value: rank for rank, value in enumerate(sorted(set(rest.ravel().tolist())))}
    rank = np.array([ranks[value] for value in rest.ravel().tolist()], dtype=np.int64).reshape(rest.shape)
    return Floors(whole, rank, up, unit, exact=len(ranks) == 1 and not (allowed % unit).any())
