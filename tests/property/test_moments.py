"""Moments are sums: any partition, any order, the same bytes; and rules learned from them are those of the data."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.files.model_file import model_to_bytes
from compiler.files.moments_file import load_moments, save_moments
from compiler.language.load import load
from compiler.learning.features import features
from compiler.learning.learn import learn
from compiler.learning.reading import parts_by_reading
from compiler.learning.real.moments import shapes_of
from compiler.learning.real.samples import live_pairs
from compiler.learning.sums import plan
from compiler.learning.sums.collect import moments
from compiler.learning.sums.counts import CountFrame, CountMoments, frame_of_counts
from compiler.learning.sums.counts_to_pairs import counts_to_pairs
from compiler.learning.sums.data_moments import frame_of, reduce
from compiler.learning.sums.pairs import PairFrame, PairMoments
from compiler.program import Machine
from compiler.random_model import random_model
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate


@st.composite
def integer_data(draw, size=3):
    """Sequences of a few token types, or of any tokens, with some positions supervised."""
    d = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    types = rng.integers(-size, size + 1, size=(draw(st.integers(1, 6)), d))
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=12))
    total = sum(lengths)
    supervised = rng.random(total) < draw(st.sampled_from([0.3, 1.0]))
    supervised[rng.integers(total)] = True
    return DataSet(
        types[rng.integers(len(types), size=total)],
        np.cumsum([0, *lengths]),
        rng.integers(-size, size + 1, size=(total, d)),
        supervised,
    )


def file_of(folder, found):
    path = folder / "m.npz"
    save_moments(found, path)
    return path.read_bytes()


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(plan, "BLOCK", 7)
    monkeypatch.setattr("compiler.learning.sums.counts.ROWS", 4)


@pytest.fixture(params=["counts", "pairs"])
def frames(request, monkeypatch):
    """The moments of integers in one way, and in the other."""
    one = {"counts": lambda data: frame_of_counts(data)[0], "pairs": pairs_of_data}[request.param]
    monkeypatch.setattr("compiler.learning.sums.collect.frame_of", one)


def pairs_of_data(data):
    return PairFrame(data, shapes_of(data.tokens[data.supervised], live_pairs(data.tokens)))


@pytest.mark.usefixtures("frames")
@pytest.mark.parametrize("count", [1, 2, 7])
@settings(max_examples=30)
@given(data=integer_data(), seed=st.randoms())
def test_any_partition_in_any_order_gives_the_same_bytes(tmp_path_factory, count, data, seed):
    folder = tmp_path_factory.mktemp("moments")
    shards = [moments(data, shard=(i + 1, count)) for i in range(count)]
    seed.shuffle(shards)
    whole = file_of(folder, moments(data))
    assert file_of(folder, reduce(shards)) == whole
    assert file_of(folder, load_moments(folder / "m.npz")) == whole


def naive(data):
    """The sums of H H^T, H y^T and y^2, and the largest |H|, in Python's integers, sample by sample."""
    count = data.d**2 * (data.d + 1) // 2
    gram, cross = np.zeros((count, count), dtype=object), np.zeros((count, data.d), dtype=object)
    energy, peaks = 0, np.zeros(count, dtype=object)
    for rows in data.sequences():
        for end in range(rows.start, rows.stop):
            if data.supervised[end]:
                h = features(data.tokens[rows.start : end + 1].astype(object).astype(np.int64)).astype(object)
                y = data.targets[end].astype(object)
                gram, cross, energy = gram + np.outer(h, h), cross + np.outer(h, y), energy + (y * y).sum()
                peaks = np.maximum(peaks, np.abs(h))
    return gram, cross, energy, peaks


def explicit(sums: PairMoments):
    """The same from pair moments."""
    d = sums.d
    count = d**2 * (d + 1) // 2
    low, high = np.triu_indices(d)
    place = {
        (e, int(b), int(c)): e * len(low) + n for e in range(d) for n, (b, c) in enumerate(zip(low, high, strict=True))
    }
    gram, cross = np.zeros((count, count), dtype=object), np.zeros((count, d), dtype=object)
    energy, peaks = sums.unanswered, np.zeros(count, dtype=object)
    for each, sizes in zip(sums.classes, sums.peaks, strict=True):
        k, pairs = len(each.shape.coordinates), len(each.shape.pairs)
        at = np.array([place[tuple(row)] for row in each.shape.index.tolist()], dtype=int)
        first, second = (np.zeros((n, n), dtype=int) for n in (k, pairs))
        for square, n in ((first, k), (second, pairs)):
            square[np.triu_indices(n)] = np.arange(n * (n + 1) // 2)
            square.T[np.triu_indices(n)] = np.arange(n * (n + 1) // 2)
        full = each.products[first[:, None, :, None], second[None, :, None, :]].reshape(k * pairs, -1)
        gram[np.ix_(at, at)] += full
        cross[at] += each.cross
        energy += int(each.energy.astype(object).sum())
        peaks[at] = np.maximum(peaks[at], sizes)
    return gram, cross, energy, peaks


@pytest.mark.parametrize("size", [3, 2**16])
@settings(max_examples=40)
@given(data=st.data())
def test_moments_are_those_of_the_explicit_features(size, data):
    drawn = data.draw(integer_data(size))
    wanted = naive(drawn)
    everything = range(len(drawn))
    counts = frame_of_counts(drawn)[0]
    for sums in (pairs_of_data(drawn).block(everything), counts_to_pairs(counts.block(everything), 2**30)):
        assert all(np.array_equal(ours, theirs) for ours, theirs in zip(explicit(sums), wanted, strict=True))
        assert sums.samples == drawn.samples


@settings(max_examples=40)
@given(data=integer_data())
def test_the_two_layouts_and_the_data_give_the_same_model(data):
    counts = frame_of_counts(data)[0]
    models = [learn(data)]
    for frame in (counts, pairs_of_data(data)):
        found = replace(moments(data), sums=frame.block(range(len(data))))
        models.append(learn(found))
    first, by_counts, by_pairs = (learned.model.rules for learned in models)
    if models[0].report.exact:
        assert by_counts == first
        # Pairs do not know reading coordinates: they are taken where there are too many types of tokens to have such.
        assert by_pairs == first or parts_by_reading(data) is not None
    assert len({learned.report.exact for learned in models}) == 1
    assert all(learned.report.residual == pytest.approx(models[0].report.residual) for learned in models)


def floats(count=60, d=3):
    rng = np.random.default_rng(5)
    lengths = rng.integers(1, 7, size=count)
    Z, y = (rng.normal(size=(lengths.sum(), d)) for _ in range(2))
    supervised = rng.random(len(Z)) < 0.8
    return DataSet(Z, np.cumsum([0, *lengths]), y, supervised)


def test_floats_agree_across_partitions_and_are_the_same_for_the_same(tmp_path):
    data = floats()
    whole = moments(data).sums.classes[0]
    for count in (2, 7):
        shards = [moments(data, shard=(i + 1, count)) for i in range(count)]
        one, other = reduce(shards), reduce(reversed(shards))
        assert file_of(tmp_path, one) == file_of(tmp_path, other)
        [mine] = one.sums.classes
        for name in ("products", "cross", "energy"):
            ours, theirs = getattr(mine, name), getattr(whole, name)
            assert np.abs(ours - theirs).max() <= 1e-12 * np.abs(theirs).max()


def test_floats_learned_from_moments_answer_as_those_from_data():
    teacher = random_model(4, 2, seed=0)
    Z = np.random.default_rng(1).normal(size=(120, 5, 4))
    data = DataSet.of_arrays(Z, np.stack([teacher.answer(z) for z in Z]))
    learned = learn(reduce([moments(data, shard=(2, 2)), moments(data, shard=(1, 2))]))
    assert np.abs(learned.model.answer(Z[0]) - teacher.answer(Z[0])).max() < 1e-9
    assert learned.report.rank == 40
    assert learned.report.lambda_min == pytest.approx(learn(data).report.lambda_min, rel=0.02)
    ridged = learn(moments(data), ridge=1.0).model.answer(Z[0])
    assert np.abs(ridged - learn(data, ridge=1.0).model.answer(Z[0])).max() < 1e-9


def small(program):
    return (
        replace(program, cells=6, head=min(program.head, 5), examples=()) if isinstance(program, Machine) else program
    )


ZOO = [
    *("parity", "mod3", "a5", "shuffle_dyck", "divisible_by_7", "turnstile"),
    *("capitals", "increment", "busy_beaver_2", "busy_beaver_4", "palindrome"),
]


@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_is_learned_from_moments_as_from_data(name, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(plan, "BLOCK", 200)
    program = small(load(name))
    data = generate(program, certified=True)
    found = reduce([moments(data, shard=(i, 3)) for i in (3, 1, 2)])
    here, there = learn(found, program=program), learn(data, program=program)
    assert model_to_bytes(here.model) == model_to_bytes(there.model)
    assert replace(here.report, seconds=0) == replace(there.report, seconds=0)
    assert here.report.certified


@pytest.mark.parametrize("name", ["parity", "increment", "capitals"])
def test_moments_of_too_few_runs_are_not_certified(name):
    program = small(load(name))
    data = generate(program, count=2, lengths=(1, 1), seed=0)
    assert learn(moments(data), program=program).report.certified is False


def test_memories_have_count_moments_where_they_are_read():
    data = generate(small(load("increment")), certified=True)
    assert isinstance(moments(data).sums, CountMoments)
    rng = np.random.default_rng(0)
    many = DataSet.of_arrays(rng.integers(-9, 10, size=(50, 4, 3)), rng.integers(-9, 10, size=(50, 3)))
    assert isinstance(frame_of(many), PairFrame)
    assert isinstance(frame_of(data), CountFrame)


def test_answers_over_a_denominator_are_learned_from_moments():
    program = load("parity")
    data = replace(generate(program, certified=True), denominator=3)
    here, there = learn(moments(data)), learn(data)
    assert here.model.rules == there.model.rules
    assert Fraction(1, 3) in here.model.rules.weights.tolist()


def test_what_is_asked_of_zero_tokens_is_summed_over_all_blocks():
    tokens = np.zeros((9, 3, 2), dtype=np.int64)
    tokens[:4, -1, 0] = 1
    targets = np.arange(18).reshape(9, 2)
    wanted = int(np.square(targets[4:]).sum())
    for exact, kind in ((True, np.int64), (False, np.float64)):
        data = DataSet.of_arrays(tokens.astype(kind), targets.astype(kind))
        frame = pairs_of_data(data)
        blocks = plan.plan_of(data, (1, 1))
        assert len(blocks) > 2
        total = frame.zero()
        for block in blocks:
            total = total.plus(frame.block(block))
        assert (total.exact, total.unanswered, total.samples) == (exact, wanted, 9)


def test_samples_that_contradict_each_other_are_not_called_exact():
    """Their equations, sums over samples, have a solution; it is the mean, and fits neither."""
    data = generate(small(load("increment")), certified=True)
    targets = data.targets.copy()
    targets[np.flatnonzero(data.supervised)] += 1
    again = replace(
        data,
        tokens=np.concatenate([data.tokens, data.tokens]),
        offsets=np.concatenate([data.offsets, data.offsets[1:] + len(data.tokens)]),
        targets=np.concatenate([data.targets, targets]),
        supervised=np.concatenate([data.supervised, data.supervised]),
    )
    here, there = learn(moments(again)), learn(again)
    assert not here.report.exact
    assert here.report.residual == pytest.approx(there.report.residual)
    assert here.report.residual > 0


def test_the_digest_is_of_all_that_data_say():
    data = generate(load("parity"), certified=True)
    changed = [
        data,
        replace(data, denominator=2),
        replace(data, program=None),
        replace(data, targets=data.targets + 1),
        replace(data, tokens=data.tokens + 1),
        replace(data, supervised=~data.supervised),
        replace(data, offsets=np.array([0, 1, len(data.tokens)])),
    ]
    assert len({plan.digest_of(each) for each in changed}) == len(changed)
    stored = replace(data, tokens=data.tokens.astype(np.int8), targets=np.asfortranarray(data.targets))
    assert plan.digest_of(stored) == plan.digest_of(data)
