"""The exact algebra of the checker of certificates, by the definitions."""

from itertools import product

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import given
from hypothesis import strategies as st

from compiler.traces.data_set import DataSet
from verify import check_certificate as checker

small = st.sampled_from([0, 0, 0, 1, -1, 2, -3])


@given(
    st.lists(st.lists(small, min_size=4, max_size=4), min_size=1, max_size=4),
    st.lists(st.lists(small, min_size=5, max_size=5), min_size=1, max_size=3),
    st.sampled_from([0, 70]),
)
def test_the_part_of_an_affine_set_on_which_guards_hold(rows, guards, size) -> None:
    """Its configuration is in it, its directions are, and no other direction is lost: by exact ranks."""
    rows = np.array(
        [[int(n == 0), *(x * 2**size + (x > 0) * (size > 0) for x in row)] for n, row in enumerate(rows)], dtype=object
    )
    guards = np.array(guards, dtype=np.int64)
    rows = rows if size else rows.astype(np.int64)
    part = checker._split(rows, guards)
    values = fmpz_mat((guards @ rows.T).tolist())
    solutions = len(rows) - values.rank()
    without_base = len(rows) - 1 - fmpz_mat((guards @ rows[1:].T).tolist()).rank() if len(rows) > 1 else 0
    if solutions == without_base:
        assert len(part) == 0, "no combination with the configuration itself satisfies the guards"
        return
    assert part[0, 0] != 0
    assert not part[1:, 0].any()
    assert not (guards.astype(object) @ part.T.astype(object)).any()
    every = fmpz_mat([*rows.tolist(), *part.tolist()])
    assert every.rank() == fmpz_mat(rows.tolist()).rank(), "nothing is outside of the set"
    lost = len(rows) - fmpz_mat(rows.tolist()).rank()
    assert fmpz_mat(part.tolist()).rank() == solutions - lost


@given(st.data())
def test_features_are_those_of_the_definition(drawn) -> None:
    """z[e] S[b, c] at every sample that shows no other than the columns, in order."""
    d = drawn.draw(st.integers(1, 3))
    listed = drawn.draw(st.lists(st.lists(small, min_size=d, max_size=d), min_size=1, max_size=7))
    cuts = sorted(drawn.draw(st.sets(st.integers(1, max(1, len(listed) - 1)), max_size=2)) & set(range(len(listed))))
    supervised = drawn.draw(st.lists(st.booleans(), min_size=len(listed), max_size=len(listed)))
    tokens = np.array(listed, dtype=np.int64)
    data = DataSet(tokens, np.array(sorted({0, *cuts, len(listed)})), tokens, np.array(supervised))
    every = [(e, b, c) for e in range(d) for b in range(d) for c in range(b, d)]
    columns = drawn.draw(st.lists(st.sampled_from(every), min_size=1, max_size=len(every), unique=True))
    wanted = []
    for begin, end in zip(data.offsets[:-1].tolist(), data.offsets[1:].tolist(), strict=True):
        for place in range(begin, end):
            memory = tokens[begin : place + 1].T @ tokens[begin : place + 1]
            shown = {(e, b, c): int(tokens[place, e] * memory[b, c]) for e, b, c in every}
            if supervised[place] and all(feature in columns for feature, value in shown.items() if value):
                wanted.append([shown[feature] for feature in columns])
    assert checker._features(data, np.array(columns)).tolist() == wanted


def test_tokens_whose_products_could_overflow_are_refused():
    for tokens, fits in ((3, True), (4, False)):
        data = DataSet.of_arrays(np.full((1, tokens, 1), 2**20), np.zeros((1, 1), dtype=np.int64))
        if fits:
            assert checker._features(data, np.array([[0, 0, 0]])).tolist() == [[tokens * 2**60]]
        else:
            with pytest.raises(checker._Rejected, match="too large for this checker"):
                checker._features(data, np.array([[0, 0, 0]]))


def test_guards_vanish_where_an_entry_or_a_count_has_its_value():
    listed = [[[0, 1], [1, 2]], [[1, 1]], []]
    premises = {"tokens": listed, "dimension": 2, "inputs": [], "branches": [], "initials": []}
    system = checker._System(premises)
    tokens = np.array([[1, 2], [0, 1], [0, 0]])
    for counts in product(range(3), repeat=3):
        memory = sum(n * np.outer(token, token) for n, token in zip(counts, tokens, strict=True))
        for value in range(-1, 4):
            for b, c in product(range(2), repeat=2):
                assert system._guard(b, c, value) @ (1, *counts) == memory[b, c] - value
            for c in range(3):
                assert system._guard(checker.COUNT, c, value) @ (1, *counts) == counts[c] - value


def test_rows_are_read_exactly_or_refused():
    assert checker._rows([[[0, 2**70], [2, -1]], []], 3).tolist() == [[2**70, 0, -1], [0, 0, 0]]
    for entry in ([-1, 1], [3, 1], [True, 1], [0, True], [0, 1.0], [1.0, 1], ["0", 1]):
        with pytest.raises(checker._Rejected, match="out of range"):
            checker._rows([[entry]], 3)


def test_products_just_beyond_what_floats_hold_are_exact():
    """Three products of 2^26 + 1 with itself: an odd sum above 2^53."""
    left = np.full((1, 3), 2**26 + 1, dtype=np.int64)
    assert checker._times(left, left.T).tolist() == [[3 * (2**26 + 1) ** 2]]


@given(st.integers(0, 70), st.lists(st.integers(-9, 9), min_size=12, max_size=12))
def test_products_are_exact_at_every_size(size, numbers) -> None:
    left, right = (np.array(part, dtype=object).reshape(2, 3) * 2**size + 1 for part in (numbers[:6], numbers[6:]))
    wanted = [[sum(x * y for x, y in zip(a, b, strict=True)) for b in right.tolist()] for a in left.tolist()]
    given_rows = left if size > 55 else left.astype(np.int64)
    assert checker._times(given_rows, right.T).tolist() == wanted
