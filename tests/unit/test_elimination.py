"""Exact linear algebra: fast equals slow, and nothing is accepted that does not satisfy its equations."""

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import given
from hypothesis import strategies as st

from compiler import spans
from compiler.errors import ModelError
from compiler.exact import plus, product, scaled, times
from compiler.learning import elimination
from compiler.learning.elimination import PRIME, eliminate, in_row_space, null_space, rationals, solve, solve_slowly
from compiler.spans import Span


def matrices(rows=st.integers(1, 6), columns=st.integers(1, 6), entries=st.integers(-4, 4)):
    def filled(shape):
        return st.lists(entries, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
            lambda flat: np.array(flat, dtype=object).reshape(shape)
        )

    return st.tuples(rows, columns).flatmap(filled)


def eliminated(design, right):
    gram = product(design.T, design)
    return eliminate(gram, product(design.T, right), np.arange(len(gram)))


@given(matrices(), matrices(columns=st.just(2)))
def test_solution_satisfies_the_normal_equations(design, right):
    right = np.resize(right, (len(design), 2))
    found = eliminated(design, right)
    numerators, denominator = solve(found)
    assert np.array_equal(product(found.gram, numerators), times(found.right, denominator))
    assert not np.delete(numerators, found.pivots, axis=0).any()
    assert len(found.pivots) == fmpz_mat(design.tolist()).rank()


@given(matrices(entries=st.integers(-(2**40), 2**40)))
def test_large_entries_take_the_slow_way_and_are_as_exact(design):
    right = np.arange(len(design), dtype=object)[:, None] + 1
    found = eliminated(design, right)
    numerators, denominator = solve(found)
    assert np.array_equal(product(found.gram, numerators), times(found.right, denominator))


@given(matrices(), matrices())
def test_row_space_against_exact_ranks(design, rows):
    rows = np.resize(rows, (4, design.shape[1]))
    rows[0] = design.sum(axis=0)
    found = eliminated(design, np.zeros((len(design), 1), dtype=object))
    inside = in_row_space(found, rows)
    rank = fmpz_mat(design.tolist()).rank()
    for row, known in zip(rows, inside, strict=True):
        assert known == (fmpz_mat([*design.tolist(), row.tolist()]).rank() == rank)


@given(matrices(entries=st.integers(-(2**40), 2**40)), matrices(entries=st.integers(-(2**40), 2**40)))
def test_row_space_when_no_basis_can_be_written_down(design, rows):
    rows = np.resize(rows, (4, design.shape[1]))
    rows[0] = design.sum(axis=0)
    found = eliminated(design, np.zeros((len(design), 1), dtype=object))
    rank = fmpz_mat(design.tolist()).rank()
    exact = [fmpz_mat([*design.tolist(), row.tolist()]).rank() == rank for row in rows]
    assert in_row_space(found, rows).tolist() == exact


@given(matrices())
def test_null_space_is_annihilated_and_complete(design):
    found = eliminated(design, np.zeros((len(design), 1), dtype=object))
    basis = null_space(found)
    assert basis is not None
    assert not product(design, basis.T).any()
    assert len(basis) == design.shape[1] - fmpz_mat(design.tolist()).rank()


def test_a_wrong_reconstruction_is_not_accepted(monkeypatch):
    """The check over the integers, not the prime, decides: a reconstruction that lies falls back to the slow way."""
    design = np.array([[2, 1], [1, 3]], dtype=object)
    found = eliminated(design, np.array([[1], [2]], dtype=object))
    monkeypatch.setattr(elimination, "rationals", lambda residues: (np.ones(residues.shape, dtype=object), 1))
    numerators, denominator = solve(found)
    assert [Fraction(int(n), denominator) for n in numerators[:, 0]] == [Fraction(1, 5), Fraction(3, 5)]


@given(st.lists(st.fractions(max_denominator=2**14).filter(lambda f: abs(f.numerator) < 2**29), min_size=1))
def test_rationals_come_back_from_their_residues(values):
    residues = np.array([f.numerator * pow(f.denominator, -1, PRIME) % PRIME for f in values], dtype=object)
    found = rationals(residues)
    if found is not None:
        assert [Fraction(int(n), found[1]) for n in found[0]] == values
    else:
        assert np.lcm.reduce([f.denominator for f in values], dtype=object) > elimination.BOUND


def test_slow_solution_of_nothing():
    empty = np.zeros((0, 0), dtype=object)
    assert solve_slowly(empty, empty)[1] == 1


@pytest.mark.parametrize("size", [2**20, 2**26, 2**27, 2**31, 2**40, 2**61, 2**62, 2**70])
def test_products_are_exact_at_every_border(size):
    left = np.array([[size - 1, -size], [size, size + 1]], dtype=object)
    expected = [[sum(left[i, k] * left[k, j] for k in range(2)) for j in range(2)] for i in range(2)]
    given_as = left.astype(np.int64) if size <= 2**62 else left
    assert product(given_as, given_as).tolist() == expected
    assert times(given_as, given_as).tolist() == (left * left).tolist()
    assert times(given_as, size).tolist() == (left * size).tolist()
    assert plus(given_as, given_as).tolist() == (left + left).tolist()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_cross_the_border_without_loss(values):
    numerators, denominator = scaled(np.array(values))
    assert [Fraction(int(n), denominator) for n in numerators.tolist()] == [Fraction(v) for v in values]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nothing_that_is_no_number_enters_a_proof(bad):
    with pytest.raises(ModelError, match="NaN or infinite"):
        scaled(np.array([1.0, bad]))


@given(matrices(rows=st.integers(1, 60), columns=st.integers(1, 30)), st.sampled_from([1, 2, 8]), st.integers(3, 64))
def test_a_span_extended_at_once_is_that_extended_one_by_one(rows, singly, block):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spans, "SINGLY", singly)
        patched.setattr(spans, "BLOCK", block)
        _check_extended(rows)


def _check_extended(rows):
    one, other = Span(rows.shape[1]), Span(rows.shape[1])
    alone = [number for number, row in enumerate(rows.astype(np.int64)) if one.add(row)]
    cut = len(rows) // 3
    parts = rows[:cut].astype(np.int64), rows[cut:].astype(np.int64)
    together = [*other.extend(parts[0]).tolist(), *(cut + other.extend(parts[1])).tolist()]
    assert alone == together
    assert len(alone) == fmpz_mat(rows.tolist()).rank()
    for span in (one, other):
        order = np.argsort(span.pivots[: span.size])
        assert np.array_equal(span.rows[order], one.rows[np.argsort(one.pivots[: one.size])])
        assert np.array_equal(span.rows[:, span.pivots[: span.size]][: span.size], np.eye(span.size))


@given(st.lists(st.integers(-(2**53) + 2**40, 2**53 - 2**40), min_size=1, max_size=20))
def test_residues_of_floats_are_those_of_integers(values):
    found = spans.reduced(np.array(values, dtype=np.float64))
    assert found.tolist() == [value % spans.PRIME for value in values]
