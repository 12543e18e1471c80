"""Learning from data that are not runs of a program, and from bad ones."""

import numpy as np
import pytest

from compiler.errors import DataError
from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.features import features
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.random_model import random_model
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate
from verify.verify import verify


def teacher_data(model: Model, count: int, n: int, *, seed: int = 0, integers: bool = False) -> DataSet:
    rng = np.random.default_rng(seed)
    shape = (count, n, model.d)
    Z = rng.integers(-2, 3, size=shape) if integers else rng.normal(size=shape)
    return DataSet.of_arrays(Z, np.stack([model.answer(z) for z in Z]))


@pytest.mark.parametrize(("d", "heads"), [(2, 1), (4, 2), (6, 3)])
def test_real_valued_teachers_are_learned(d, heads):
    teacher = random_model(d, heads, seed=1)
    learned = learn(teacher_data(teacher, d * d * (d + 1), 5))
    Z = np.random.default_rng(9).normal(size=(7, d))
    assert np.abs(learned.model.answer(Z) - teacher.answer(Z)).max() < 1e-10
    assert learned.report.rank == learned.report.live == learned.report.features == d * d * (d + 1) // 2
    assert not learned.report.exact
    assert learned.report.certified is None


def test_integer_teachers_are_learned_exactly_and_proved():
    rng = np.random.default_rng(3)
    teacher = Model.from_arrays(rng.integers(-2, 3, size=(2, 4, 4)), rng.integers(-2, 3, size=(2, 4, 4)))
    learned = learn(teacher_data(teacher, 200, 4, integers=True))
    assert learned.report.exact
    assert learned.report.residual == 0
    assert verify(teacher, learned.model).level == "everywhere"


def test_noise_is_said_and_answered_by_least_squares():
    teacher = random_model(3, 1, seed=0)
    data = teacher_data(teacher, 100, 4, integers=True)
    noisy = DataSet(data.tokens, data.offsets, np.rint(5 * data.targets).astype(np.int64), data.supervised)
    report = learn(noisy).report
    assert not report.exact
    design = np.stack([features(noisy.tokens[rows]) for rows in noisy.sequences()]).astype(float)
    targets = noisy.targets[noisy.supervised]
    best = np.linalg.lstsq(design, targets, rcond=None)[0]
    expected = np.sqrt(np.square(design @ best - targets).sum() / 100)
    assert report.residual == pytest.approx(expected)


def test_a_mislabelled_answer_is_not_called_exact():
    data = generate(load("parity"), certified=True)
    targets = data.targets.copy()
    targets[np.flatnonzero(data.supervised)[3]] += 1
    again = DataSet(
        np.vstack([data.tokens, data.tokens]),
        np.array([0, len(data.tokens), 2 * len(data.tokens)]),
        np.vstack([data.targets, targets]),
        np.concatenate([data.supervised, data.supervised]),
    )
    report = learn(again, program=load("parity")).report
    assert not report.exact
    assert report.residual > 0
    assert report.certified, "what is seen, not what is said there, makes a certificate"


def test_fewer_samples_than_features_interpolate():
    learned = learn(teacher_data(random_model(4, 1, seed=0), 5, 3))
    assert learned.report.rank == 5
    assert learned.report.residual < 1e-10


def test_one_token_sequences_and_constant_data():
    tokens = np.ones((6, 1, 2), dtype=np.int64)
    learned = learn(DataSet.of_arrays(tokens, np.full((6, 2), 3)))
    assert learned.report.exact
    assert learned.report.rank == 1
    assert learned.model.answer([[1, 1]]).tolist() == [3, 3]


def test_zero_tokens_answer_zero_and_the_rest_is_residual():
    learned = learn(DataSet.of_arrays(np.zeros((2, 1, 2), dtype=np.int64), np.array([[3, 0], [0, 4]])))
    assert learned.report.live == 0
    assert not learned.report.exact
    assert learned.report.residual == pytest.approx(np.sqrt(25 / 2))


def test_the_same_seed_gives_the_same_data():
    one, two, other = (generate(load("mod3"), count=5, lengths=(2, 9), seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(one.tokens, two.tokens)
    assert not np.array_equal(one.offsets, other.offsets) or not np.array_equal(one.tokens, other.tokens)
    lengths = (np.diff(one.offsets) - 1) // 2
    assert lengths.min() >= 2
    assert lengths.max() <= 9


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"tokens": np.array([[np.nan]])}, "NaN"),
        ({"targets": np.array([[np.inf]])}, "infinity"),
        ({"offsets": np.array([0, 0, 1])}, "no sequence is empty"),
        ({"offsets": np.array([0])}, "offsets must rise"),
        ({"offsets": np.array([], dtype=np.int64)}, "offsets must rise"),
        ({"supervised": np.array([1])}, "booleans"),
        ({"targets": np.zeros((2, 1))}, "must both have shape"),
        ({"tokens": np.array([["a"]])}, "dtype"),
    ],
)
def test_bad_arrays_are_refused_with_the_reason(arrays, message):
    good = {
        "tokens": np.zeros((1, 1)),
        "offsets": np.array([0, 1]),
        "targets": np.zeros((1, 1)),
        "supervised": np.array([True]),
    }
    with pytest.raises(DataError, match=message):
        DataSet(**(good | arrays))


def test_what_cannot_be_learned_or_certified_says_why():
    data = generate(load("parity"), certified=True)
    with pytest.raises(DataError, match="6 coordinates, automaton mod3 has 7"):
        learn(data, program=load("mod3"))
    with pytest.raises(DataError, match="whose coordinates are not those of"):
        certify(data, load("parity").renamed({"even": "e", "odd": "o"}))
    nothing = DataSet(data.tokens, data.offsets, data.targets, np.zeros(len(data.tokens), dtype=bool))
    with pytest.raises(DataError, match="no position is supervised"):
        learn(nothing)
    floats = DataSet(data.tokens / 2, data.offsets, data.targets / 2, data.supervised)
    with pytest.raises(DataError, match="integer tokens"):
        certify(floats, load("parity"))


@pytest.mark.parametrize(("count", "lengths"), [(0, (1, 2)), (3, (5, 2)), (3, (0, 0)), (10**9, (1, 10**6))])
def test_sizes_out_of_range_are_refused(count, lengths):
    with pytest.raises(DataError):
        generate(load("parity"), count=count, lengths=lengths)
