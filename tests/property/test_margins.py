"""Scores and their roundings, by the definitions: distances in fractions, and quotients rounded down one by one."""

from fractions import Fraction

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from verify.answers import Answers
from verify.decisions import _distance
from verify.margins import Scores, allowances, floors, scores

numbers = st.integers(-6, 6)
rows = st.integers(1, 3).flatmap(lambda d: st.lists(st.lists(numbers, min_size=d, max_size=d), min_size=3, max_size=6))


@given(rows, st.integers(1, 4), st.integers(1, 3))
def test_scores_order_tokens_as_distances_do(drawn: list[list[int]], below: int, token_below: int) -> None:
    """|y|^2 - |y - x|^2 is the score of x for the answer y; tokens that are zero, and fractions, among them."""
    start, step, *tokens = (np.array(row, dtype=object) for row in drawn)
    vectors = np.array([[Fraction(int(n), token_below) for n in row] for row in tokens], dtype=object)
    vectors[0] *= 0
    found = scores(Answers(start, step[None], below), vectors)
    for n, x in enumerate(vectors):
        for steps in range(3):
            y = np.array([Fraction(int(n), below) for n in start + steps * step], dtype=object)
            wanted = (y * y).sum() - ((y - x) * (y - x)).sum()
            assert Fraction(int(found.start[n] + steps * found.edges[0, n]), found.below) == wanted


table = st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), min_size=4, max_size=4)
sizes = st.one_of(st.sampled_from([1, 2**30, 2**90]), st.integers(46, 62).map(lambda n: 2**n))


@settings(max_examples=300)
@given(table, sizes, table, st.sampled_from([0, 1, 3**20, 3**44]), st.integers(1, 70))
def test_differences_are_rounded_down_once(
    large: list[list[int]], size: int, small: list[list[int]], by: int, nodes: int
) -> None:
    every = np.array(large, dtype=object) * size + np.array(small, dtype=object) * by
    found = floors(Scores(every[-1], every[:-1], 1), np.zeros((3, 3), dtype=object), nodes)
    largest = max(abs(int(value)) for value in every.ravel())
    assert int(np.abs(found.whole).max()) * 4 * (nodes + 2) <= 2**61, "sums over walks stay far below 2^63"
    assert found.unit == 1 or 2 * largest * 4 * (nodes + 2) >= 2**60 * found.unit, "no more is rounded than must be"
    pairs = [(a, b) for a in range(3) for b in range(3)]
    for row, whole, rank in zip(every, found.whole.tolist(), found.rank.tolist(), strict=True):
        for a, b in pairs:
            assert whole[a] - whole[b] - (rank[a] < rank[b]) == (row[a] - row[b]) // found.unit
    rest = {int(value) % found.unit for value in every.ravel()}
    assert found.exact == (len(rest) == 1)


triples = st.integers(1, 4).flatmap(
    lambda d: st.tuples(*[st.lists(st.fractions(-3, 3, max_denominator=4), min_size=d, max_size=d) for _ in "ytw"])
)


@given(triples)
def test_the_distance_from_what_is_as_near_to_another_token(drawn) -> None:
    """By the foot of the perpendicular: the point y + s (w - t) that is as near to t as to w."""
    y, t, w = (np.array(each, dtype=object) for each in drawn)
    assume((t != w).any())

    def square(vector):
        return (vector * vector).sum()

    s = (square(y - w) - square(y - t)) / (2 * square(w - t))
    foot = y + s * (w - t)
    assert square(foot - t) == square(foot - w)
    assert _distance(y, t, w) == square(foot - y)


@given(
    st.integers(1, 3).flatmap(
        lambda d: st.lists(
            st.lists(st.fractions(-(2**70), 2**70, max_denominator=6), min_size=d, max_size=d), min_size=1, max_size=3
        )
    ),
    st.integers(1, 2**70),
    st.fractions(0, 3, max_denominator=5),
)
def test_allowances_are_integer_parts(drawn, below: int, tolerance: Fraction) -> None:
    """The most n with n <= 2 T |t - w| below, by squares."""
    found = allowances(np.array(drawn, dtype=object), below, tolerance)
    for a, t in enumerate(drawn):
        for b, w in enumerate(drawn):
            n, square = int(found[a, b]), sum((x - y) ** 2 for x, y in zip(t, w, strict=True))
            assert n**2 <= (2 * tolerance * below) ** 2 * square < (n + 1) ** 2
