"""Features that are zero or multiples of others: against explicit features, compared pair by pair."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import attnc
from compiler.errors import DataError, UnsupportedError
from compiler.language.load import load
from compiler.learning import proportional as module
from compiler.learning import redundant as naming
from compiler.learning.features import features
from compiler.learning.redundant import redundant
from compiler.learning.sums.collect import moments
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate


@st.composite
def ragged_data(draw):
    """Integers, huge integers or eighths, of any lengths, asked anywhere; coordinates may repeat or be constant."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    d, lengths = draw(st.integers(1, 4)), draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    total = sum(lengths)
    tokens = rng.integers(-2, 3, size=(total, d)) * (rng.random((total, d)) < draw(st.sampled_from([0.3, 0.8, 1.0])))
    for _ in range(draw(st.integers(0, 2))):
        tokens[:, draw(st.integers(0, d - 1))] = tokens[:, draw(st.integers(0, d - 1))] * draw(st.integers(-3, 3))
    if draw(st.booleans()):
        tokens[:, draw(st.integers(0, d - 1))] = draw(st.sampled_from([1, 2, 6, 1_048_573, 1_048_573 * 1_048_571]))
    supervised = rng.random(total) < draw(st.sampled_from([0.3, 1.0]))
    supervised[draw(st.integers(0, total - 1))] = True
    kind = draw(st.sampled_from(["small", "eighths", "huge"]))
    tokens = {"small": tokens, "eighths": tokens / 8, "huge": tokens * 3**12}[kind]
    return DataSet(tokens, np.concatenate([[0], np.cumsum(lengths)]), np.zeros_like(tokens), supervised)


def rational(tokens):
    """The tokens as whole numbers, which `features` multiplies exactly."""
    return tokens if tokens.dtype.kind == "i" else (tokens * 8).astype(np.int64)


def by_pairs(data):
    """The zero features, and the classes with their factors, by the definition."""
    tokens = rational(data.tokens)
    columns = zip(
        *(
            map(int, features(tokens[rows][: place + 1]))
            for rows in data.sequences()
            for place in np.flatnonzero(data.supervised[rows])
        ),
        strict=True,
    )
    pairs = list(combinations_with_replacement(range(data.d), 2))
    index = [(e, b, c) for e in range(data.d) for b, c in pairs]
    zero, classes = set(), []
    for name, column in zip(index, columns, strict=True):
        if not any(column):
            zero.add(name)
            continue
        for first, known in classes:
            n = next(n for n, value in enumerate(first) if value)
            factor = Fraction(column[n], first[n])
            if all(value == factor * other for value, other in zip(column, first, strict=True)):
                known.append((name, factor))
                break
        else:
            classes.append((column, [(name, Fraction(1))]))
    return zero, tuple(tuple(known) for _, known in classes if len(known) > 1)


def check(data):
    """That what is found is what is so, each feature in its place."""
    found = redundant(data, range(data.d))
    zero, classes = by_pairs(data)
    pairs = list(combinations_with_replacement(range(data.d), 2))
    unset = [(e, *pair) for e in found.unset for pair in pairs]
    apart = [(e, *pair) for e in range(data.d) for pair in found.apart if e not in found.unset]
    told = [*unset, *apart, *found.silent]
    assert (set(told), len(told)) == (zero, len(zero))
    assert (found.features, found.zero) == (data.d * len(pairs), len(zero))
    assert found.duplicates == classes
    assert found.repeated == sum(len(each) - 1 for each in classes)
    assert set(found.unset) == set(np.flatnonzero(~(data.tokens[data.supervised] != 0).any(axis=0)))
    assert set(found.apart) == {(b, c) for b, c in pairs if not np.any(data.tokens[:, b] * data.tokens[:, c])}
    return found


@given(ragged_data(), st.sampled_from([1, 2, 1_024]), st.sampled_from([1, 3, 4_096]))
def test_agrees_with_every_pair_compared(data, rows, columns):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", rows)
        patch.setattr(module, "COLUMNS", columns)
        check(data)


@given(ragged_data())
def test_unlucky_primes_are_passed_over(data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PRIMES", (2, 3, 5, *module.PRIMES))
        check(data)


def test_without_a_lucky_prime_it_says_so(monkeypatch):
    monkeypatch.setattr(module, "PRIMES", (2, 3))
    with pytest.raises(DataError, match="too many primes"):
        redundant(DataSet.of_arrays([[[6, 1]], [[6, 5]]], [[0, 0]] * 2), "ab")


@pytest.mark.parametrize("shown", [[1, 2], [0, 1], [1, 0], [2, 1]])
@pytest.mark.parametrize("swapped", [False, True])
def test_columns_that_collide_are_no_class(monkeypatch, shown, swapped):
    """Powers of (1, 1) and of another column, all of whose hashes are said to be alike: no prime helps."""
    tokens = np.array([[1, shown[0]], [1, shown[1]]])[:, :: -1 if swapped else 1]
    found = []

    def collide(hashes, prime):
        found.append(prime)
        return [np.flatnonzero(hashes.any(axis=0))]

    monkeypatch.setattr(module, "ROWS", 1)
    monkeypatch.setattr(module, "_candidates", collide)
    with pytest.raises(DataError, match="too many primes"):
        redundant(DataSet.of_arrays(tokens[:, None], np.zeros((2, 2))), "ab")
    assert tuple(found) == module.PRIMES


def test_a_constant_coordinate_of_reals():
    X = np.random.default_rng(0).integers(-9, 10, size=(40, 3, 2)) / 8 + 0.125
    X[:, :, 1] = 0.5
    found = check(DataSet.of_arrays(X, np.zeros((40, 2))))
    assert (found.zero, found.duplicates) == (0, ())
    same_length = check(DataSet.of_arrays(X[:, :1], np.zeros((40, 2))))
    assert same_length.duplicates == ((((0, 0, 1), 1), ((1, 0, 0), 1)), (((0, 1, 1), 1), ((1, 0, 1), 1)))


def test_two_equal_coordinates_of_reals_and_no_others():
    X = np.random.default_rng(1).normal(size=(30, 4, 3))
    X[:, :, 2] = -X[:, :, 0]
    found = redundant(DataSet.of_arrays(X, np.zeros((30, 3))), "abc")
    shown = {name: (each[0][0], factor) for each in found.duplicates for name, factor in each}
    assert found.zero == 0
    assert shown["a", "a", "c"] == (("a", "a", "a"), -1)
    assert shown["c", "b", "c"] == (("a", "a", "b"), 1)
    assert len(shown) - len(found.duplicates) == found.repeated == 18 - 6  # those of two coordinates are left
    X[0, -1, 2] = np.nextafter(X[0, -1, 2], 9.0)
    assert redundant(DataSet.of_arrays(X, np.zeros((30, 3))), "abc").repeated == 0


def test_one_token_makes_the_order_of_factors_vanish():
    tokens = np.random.default_rng(2).integers(1, 99, size=(30, 1, 4))
    found = check(DataSet.of_arrays(tokens, np.zeros((30, 4), dtype=np.int64)))
    assert found.features - found.repeated == 20  # z[a] z[b] z[c], a <= b <= c


def test_an_automaton_by_the_names_of_its_coordinates():
    parity = load("parity")
    data = generate(parity, certified=True)
    report = attnc.learn(data, program=parity).report
    found = report.redundant
    assert report.redundant is found
    assert found.unset == ("reg", "state[even]", "state[odd]", "accept")
    assert ("reg", "symbol[0]") in found.apart
    assert found.silent == ()
    shown = dict(pair for each in found.duplicates for pair in each)
    assert shown["symbol[0]", "state[odd]", "state[odd]"] == -1  # of symbol[0] {state[even], state[odd]}
    assert check(data).zero == found.zero
    assert report.live <= found.features - found.zero


def test_moments_and_estimators_say_that_they_keep_no_data():
    data = generate(load("parity"), count=5, lengths=(1, 4), seed=0)
    with pytest.raises(UnsupportedError, match="learn from the data"):
        _ = attnc.learn(moments(data)).report.redundant
    X = np.random.default_rng(0).normal(size=(20, 3, 2))
    fitted = attnc.LinearAttentionRegressor().fit(X, X[:, -1])
    with pytest.raises(UnsupportedError, match="estimators"):
        _ = fitted.report_.redundant


def test_too_many_features_are_refused(monkeypatch):
    data = generate(load("parity"), certified=True)
    monkeypatch.setattr(naming, "MOST_FEATURES", 23)
    with pytest.raises(DataError, match="24 features, of 2 coordinates and 12 pairs"):
        redundant(data, "abcdef")
    wide = replace(data, tokens=np.zeros((21, 2_001), dtype=np.int64), targets=np.zeros((21, 2_001), dtype=np.int64))
    with pytest.raises(DataError, match="2,001 coordinates"):
        redundant(wide, range(2_001))


def test_what_a_prime_divides_is_seen_in_any_block(monkeypatch):
    """All values are multiples of the first prime, and only the first block shows any that is not zero."""
    monkeypatch.setattr(module, "ROWS", 2)
    tokens = np.zeros((4, 1, 1), dtype=np.int64)
    tokens[0] = module.PRIMES[0]
    found = redundant(DataSet.of_arrays(tokens, tokens[:, 0]), ("x",))
    assert (found.zero, found.silent, found.duplicates) == (0, (), ())
