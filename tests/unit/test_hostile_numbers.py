"""Numbers at every border: what is called exact is exact, and what cannot be is said."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.attention import Head, Sparse
from compiler.errors import ModelError
from compiler.heads_to_rules import exact_rules
from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.features import features
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.rules import Form
from compiler.runtime.run import nearest_tokens
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate
from verify.verify import verify

BORDERS = [1, -1, 2, 3, 2**31, -(2**31), 2**32 + 1, 2**53 + 1, 2**61, -(2**62), 2**62 + 1]


def entry(row, column, weight) -> Sparse:
    kinds = {int: np.int64, float: np.float64, Fraction: object}
    one = np.array([row], dtype=np.int32), np.array([column], dtype=np.int32)
    return Sparse(*one, np.array([weight], dtype=kinds[type(weight)]))


def model_of(*heads) -> Model:
    return Model(("x", "y"), tuple(Head(f"h{n}", entry(*v), entry(*q)) for n, (v, q) in enumerate(heads)))


weights = st.sampled_from([*BORDERS, 0.5, 1e17, 2.0**-60, Fraction(1, 3), Fraction(-7, 2**40)])
entries = st.tuples(st.integers(0, 1), st.integers(0, 1), weights)
hostile = st.lists(st.tuples(entries, entries), min_size=1, max_size=4).map(lambda heads: model_of(*heads))


def by_hand(model: Model, Z) -> list[Fraction]:
    """The answer in Python's rationals, entry by entry."""
    rows = [[Fraction(value) for value in row] for row in Z]
    y = [Fraction(0)] * model.d
    for head in model.heads:
        for a, b, v in zip(head.V.rows, head.V.columns, head.V.weights.tolist(), strict=True):
            for c, e, q in zip(head.Q.rows, head.Q.columns, head.Q.weights.tolist(), strict=True):
                y[a] += Fraction(v) * sum(z[b] * z[c] for z in rows) * Fraction(q) * rows[-1][e]
    return y


tokens = st.lists(st.lists(st.sampled_from([0, 1, -1, 5, 2**20, 2**32, -(2**62)]), min_size=2, max_size=2), min_size=1)


@settings(max_examples=200)
@given(hostile, tokens)
def test_exact_models_answer_exactly_whatever_the_size(model: Model, Z) -> None:
    expected = by_hand(model, Z)
    if model.exact:
        assert [Fraction(value) for value in model.answer(Z).tolist()] == expected
        memory = None
        for z in Z:
            memory, answer = model.step(memory, z)
        assert [Fraction(value) for value in answer.tolist()] == expected
        assert [Fraction(value) for value in model.answers(Z)[-1].tolist()] == expected
    form, below = exact_rules(model.heads, model.coordinates)
    whole = np.array(Z, dtype=object)
    found = form.answer(whole.T @ whole, whole[-1])
    assert [Fraction(int(value), below) for value in found.tolist()] == expected


@settings(max_examples=200)
@given(hostile, hostile)
def test_verdicts_on_hostile_models_are_those_of_rational_arithmetic(left: Model, right: Model) -> None:
    def symmetric(model: Model) -> dict:
        total: dict = {}
        for head in model.heads:
            for a, b, v in zip(head.V.rows, head.V.columns, head.V.weights.tolist(), strict=True):
                for c, e, q in zip(head.Q.rows, head.Q.columns, head.Q.weights.tolist(), strict=True):
                    key = int(a), min(int(b), int(c)), max(int(b), int(c)), int(e)
                    total[key] = total.get(key, Fraction(0)) + Fraction(v) * Fraction(q)
        return {key: value for key, value in total.items() if value}

    verdict = verify(left, right)
    assert bool(verdict) == (symmetric(left) == symmetric(right))
    if not verdict:
        Z = verdict.counterexample.input
        assert by_hand(left, Z) != by_hand(right, Z)


def test_a_float_head_does_not_round_the_integers_of_another() -> None:
    tail = ((0, 0, 0.5), (0, 0, 1))
    assert not verify(model_of(((0, 0, 2**53), (0, 0, 1)), tail), model_of(((0, 0, 2**53 + 1), (0, 0, 1)), tail))


def test_a_proved_model_with_huge_cancelling_weights_runs_as_its_program() -> None:
    program = load("parity")
    model = compile(program)
    extra = (
        Head("up", entry(5, 5, Fraction(1, 2**60)), entry(5, 4, 2**60)),
        Head("down", entry(5, 5, Fraction(-1)), entry(5, 4, 1)),
    )
    heavy = replace(model, heads=model.heads + extra)
    assert verify(program, heavy).level == "everywhere"
    for n in range(12):
        assert heavy.run("1" * n).agrees_with(program.run("1" * n))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint64, np.bool_, np.int64])
def test_narrow_tokens_are_widened(dtype) -> None:
    identity = Model.from_arrays([[[1]]], [[[1]]])
    assert identity.answer(np.ones((300, 1), dtype=dtype)).tolist() == [300]
    assert features(np.ones((300, 1), dtype=dtype)).tolist() == [300]


def test_fast_weights_grow_past_63_bits_step_by_step() -> None:
    """Each token is small enough by itself; their sum is not."""
    identity = Model.from_arrays([[[1]]], [[[1]]])
    memory = None
    for _ in range(100):
        memory, answer = identity.step(memory, [2**19])
    assert answer.tolist() == [100 * 2**57]


@pytest.mark.parametrize("value", [2**21, 2**22, 2**31, 2**32, 2**40])
def test_features_do_not_wrap(value) -> None:
    assert [int(each) for each in features([[value]])] == [value**3]


def test_a_certificate_is_not_made_by_overflow() -> None:
    """Multiples of one sequence have rank one; wrapped products looked like full rank."""
    rng = np.random.default_rng(0)
    base = rng.integers(1, 100, size=(2, 6))
    data = DataSet.of_arrays(
        np.stack([k * base for k in rng.integers(2**20, 2**21, size=100)]), np.zeros((100, 6), dtype=np.int64)
    )
    found = certify(data, load("parity"))
    assert not found.certified
    assert found.rank == 1


def test_exact_is_not_said_of_what_wraps_or_is_left_out() -> None:
    z = -5620548075863805573  # z ** 3 is 3 modulo 2 ** 64
    report = learn(DataSet.of_arrays([[[z]]], [[3]])).report
    assert report.exact is False or learn(DataSet.of_arrays([[[z]]], [[3]])).model.rules.weights[0] == Fraction(3, z**3)
    left_out = learn(DataSet.of_arrays([[[1]], [[0]]], [[2**30], [1]])).report
    assert not left_out.exact
    assert left_out.residual > 0
    large = np.array([[2**40, 1], [1, 2**40], [3, 5]])
    data = DataSet(large, np.array([0, 1, 2, 3]), large, np.ones(3, dtype=bool))
    learned = learn(data)
    errors = [learned.model.answer(data.tokens[n : n + 1].astype(float)) - large[n] for n in range(3)]
    said = np.sqrt(np.square(np.array(errors)).sum() / 3)
    assert learned.report.residual == pytest.approx(said, rel=1e-3, abs=1e6)


def test_an_unlucky_prime_costs_time_only() -> None:
    """The moment is 2 ** 61 - 1 itself: the sum of sixth powers of these tokens."""
    values = [2**k for k in range(10) for _ in range(63)] + [2**10]
    Z = np.array(values)[:, None, None]
    learned = learn(DataSet.of_arrays(Z, Z[:, 0] ** 3))
    assert learned.report.exact
    assert learned.model.answer([[7]]).tolist() == [343]


def test_integers_in_floats_are_learned_as_integers() -> None:
    program = load("parity")
    data = generate(program, certified=True)
    floats = DataSet(data.tokens.astype(float), data.offsets, data.targets.astype(float), data.supervised)
    report = learn(floats, program=program).report
    assert report.exact
    assert report.certified


def test_rules_of_many_coordinates_are_not_mixed_up() -> None:
    names = tuple(f"x{n}" for n in range(70_000))
    places = np.array([[0, 50494, 51820, 55125], [53781, 22142, 30528, 46741]])
    form = Form.canonical(names, places, np.array([1, -1]))
    assert len(form) == 2
    assert form.index.tolist() == places.tolist()


def test_ties_and_large_answers_are_decoded_exactly() -> None:
    program = load("parity")
    model = compile(program)
    names = ["stay + accept", "even -> odd", "stay", "odd -> even + accept"]
    embedded = np.stack([model.tokens[name] for name in names])
    assert nearest_tokens(embedded[1], embedded) == [1]
    halfway = (embedded[0] + embedded[2]) / 2
    assert nearest_tokens(halfway, embedded) == [0, 2]
    assert nearest_tokens(halfway + 2.0**-40 * embedded[0], embedded) == [0]
    huge = embedded[0].copy()
    huge[5] = 3_037_000_500
    assert 0 in nearest_tokens(huge, embedded)
    assert 1 not in nearest_tokens(huge, embedded)
    with pytest.raises(ModelError, match="NaN or infinite"):
        nearest_tokens(np.array([np.nan] * 6), embedded)
    assert nearest_tokens(embedded[0], np.stack([embedded[0], embedded[0]])) == [0, 1], "one vector twice is a tie"


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (Sparse(np.array([0]), np.array([0, 1]), np.array([1])), "different lengths"),
        (Sparse(np.array([0, 0]), np.array([0, 0]), np.array([1, 2])), "twice"),
        (Sparse(np.array([2]), np.array([0]), np.array([1])), "outside 2 x 2"),
        (Sparse(np.array([0]), np.array([0]), np.array([np.nan])), "NaN"),
        (Sparse(np.array([0]), np.array([0]), np.array([float("nan")], dtype=object)), "no integer and no Fraction"),
        (Sparse(np.array([0]), np.array([0]), np.array([1], dtype=np.int8)), "dtype"),
    ],
)
def test_malformed_matrices_are_refused(matrix, message) -> None:
    with pytest.raises(ModelError, match=message):
        Model(("x", "y"), (Head("h", matrix, entry(0, 0, 1)),))
