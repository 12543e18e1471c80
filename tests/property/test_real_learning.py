"""Real-valued data: every solver, every way of adding up, against explicit features and numpy."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import DataError
from compiler.learning.features import features
from compiler.learning.learn import learn
from compiler.learning.real import least_squares as solvers
from compiler.learning.real import tiles
from compiler.learning.real.conjugate_gradients import conjugate_gradients
from compiler.learning.real.least_squares import Factor, least_squares, moments_of_reals
from compiler.learning.real.moments import shapes_of
from compiler.learning.real.ridge import cross_validated_ridge
from compiler.learning.real.samples import live_pairs, samples_of
from compiler.random_model import random_model
from compiler.traces.data_set import DataSet

ROOM = 2**30


@st.composite
def ragged_data(draw):
    """Sequences of any lengths, asked anywhere, over a few coordinates of which some are often zero."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    d, lengths = draw(st.integers(1, 4)), draw(st.lists(st.integers(1, 7), min_size=1, max_size=12))
    total = sum(lengths)
    tokens = rng.normal(size=(total, d)) * (rng.random((total, d)) < draw(st.sampled_from([0.3, 0.8, 1.0])))
    supervised = rng.random(total) < 0.6
    ends = np.cumsum(lengths)
    if draw(st.booleans()):
        supervised[:] = False
        supervised[ends - 1] = True
    supervised[-1] = True
    return DataSet(tokens, np.concatenate([[0], ends]), rng.normal(size=(total, d)), supervised)


def explicit(data):
    """The design matrix and the targets, feature by feature."""
    rows = [features(data.tokens[r][: n + 1]) for r in data.sequences() for n in np.flatnonzero(data.supervised[r])]
    return np.array(rows), data.targets[data.supervised]


@given(ragged_data())
def test_moments_are_those_of_the_explicit_features(data):
    design, targets = explicit(data)
    place = {}
    low, high = np.triu_indices(data.d)
    for e in range(data.d):
        place |= {(e, b, c): e * len(low) + n for n, (b, c) in enumerate(zip(low.tolist(), high.tolist(), strict=True))}
    pairs = live_pairs(data.tokens)
    covered = np.zeros(design.shape[1], dtype=bool)
    for moments in moments_of_reals(data, shapes_of(data.tokens[data.supervised], pairs)) if len(pairs) else ():
        columns = [place[tuple(row)] for row in moments.shape.index.tolist()]
        covered[columns] = True
        mine = design[:, columns]
        gram = tiles.scaled_gram(moments, np.ones(len(columns)), 0.0)
        for i, row in enumerate(gram.tiles):
            for j, tile in enumerate(row):
                a, b = (slice(gram.bounds[n], gram.bounds[n + 1]) for n in (i, j))
                assert np.allclose(tile, (mine.T @ mine)[a, b], atol=1e-9)
        assert np.allclose(moments.peaks(), np.square(mine).sum(axis=0), atol=1e-9)
        asked = (mine != 0).any(axis=1)
        assert np.allclose(moments.cross, mine[asked].T @ targets[asked], atol=1e-9)
    assert not design[:, ~covered].any()


@given(ragged_data())
def test_what_is_learned_has_the_least_error_and_the_least_norm(data):
    design, targets = explicit(data)
    best = np.linalg.lstsq(design, targets, rcond=None)[0]
    report = learn(data).report
    wanted = np.square(design @ best - targets).sum()
    assert report.residual == pytest.approx(np.sqrt(wanted / len(design)), abs=1e-7)
    assert report.rank == np.linalg.matrix_rank(design)
    assert report.live == design.any(axis=0).sum()


@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 5), st.integers(1, 3))
def test_tiles_solve_and_multiply_as_the_whole_does(seed, n, size, columns):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n + 3))
    whole = root @ root.T
    bounds = [*range(0, n, size), n]
    made = tiles.Tiles(
        tuple(bounds),
        [[whole[a:b, c:d].copy() for c, d in pairwise(bounds[: i + 2])] for i, (a, b) in enumerate(pairwise(bounds))],
    )
    assert tiles.factored(made)
    x = rng.normal(size=(n, columns))
    assert np.allclose(tiles.applied(made, x), whole @ x)
    assert np.allclose(whole @ tiles.solved(made, x), x, atol=1e-6)


def test_a_matrix_that_is_not_positive_is_refused():
    whole = np.diag([1.0, 1.0, -1.0, 1.0])
    made = tiles.Tiles((0, 2, 4), [[whole[:2, :2].copy()], [whole[2:, :2].copy(), whole[2:, 2:].copy()]])
    assert not tiles.factored(made)


@pytest.mark.parametrize(("k", "pairs"), [(32, 528), (64, 2_080), (1, 8_192), (24, 300), (127, 8_128)])
def test_no_tile_is_of_a_size_at_which_openblas_crashes(k, pairs):
    ends = np.array(tiles.tile_coordinates(k, pairs)) * pairs
    assert ends[-1] == k * pairs
    assert np.diff(ends).max() <= tiles.LARGEST


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("ridge", [0.0, 3.0])
def test_the_solvers_agree(monkeypatch, noise, ridge):
    data = teacher_data(4, 120, noise)
    monkeypatch.setattr(tiles, "USUAL", 10)
    found = {}
    for small, memory in ((10**7, ROOM), (0, ROOM), (0, 2_000)):
        monkeypatch.setattr(solvers, "SMALL", small)
        [fitted] = least_squares(data, memory=memory, ridge=ridge)
        found[fitted.solver.split(" (")[0]] = fitted
    assert set(found) == {"singular values", "Cholesky", "conjugate gradients"}
    exact, tiled, iterated = found.values()
    assert np.abs(tiled.weights - exact.weights).max() < 1e-10
    assert np.abs(iterated.weights - exact.weights).max() < 1e-8
    assert tiled.squares == pytest.approx(exact.squares, rel=1e-9, abs=1e-12)
    assert iterated.squares == pytest.approx(exact.squares, rel=1e-9, abs=1e-12)
    assert tiled.spectrum.least == pytest.approx(exact.spectrum.least, rel=0.03)
    assert tiled.spectrum.greatest == pytest.approx(exact.spectrum.greatest, rel=0.03)
    assert tiled.rank == exact.rank == 40
    design, targets = explicit(data)
    normal = design.T @ design + ridge * np.eye(40)
    assert np.abs(np.linalg.solve(normal, design.T @ targets) - exact.weights).max() < 1e-9


def teacher_data(d, count, noise, seed=0):
    rng = np.random.default_rng(seed)
    teacher = random_model(d, 2, seed=1)
    Z = rng.normal(size=(count, 5, d))
    y = np.stack([teacher.answer(z) for z in Z])
    return DataSet.of_arrays(Z, y + noise * rng.normal(size=y.shape))


@pytest.mark.parametrize("memory", [ROOM, 2_000])
def test_singular_data_are_fitted_as_well_as_can_be(monkeypatch, memory):
    monkeypatch.setattr(solvers, "SMALL", 0)
    data = teacher_data(4, 120, 0.1)
    tokens = data.tokens.copy()
    tokens[:, 3] = tokens[:, 2]
    double = DataSet(tokens, data.offsets, data.targets, data.supervised)
    design, targets = explicit(double)
    [fitted] = least_squares(double, memory=memory)
    best = np.linalg.lstsq(design, targets, rcond=None)[0]
    assert fitted.squares == pytest.approx(np.square(design @ best - targets).sum())
    assert fitted.solver.startswith("singular" if memory == ROOM else "conjugate")


def test_cross_validation_takes_about_the_best_ridge():
    data = teacher_data(3, 21, 3.0)
    chosen = cross_validated_ridge(data, memory=ROOM)
    truth = teacher_data(3, 4_000, 0.0, seed=5)
    design, targets = explicit(truth)

    def error(ridge):
        [fitted] = least_squares(data, memory=ROOM, ridge=ridge)
        return np.square(design @ fitted.weights - targets).mean()

    assert error(chosen) <= error(0.0)
    assert error(chosen) < error(1e9)
    assert learn(data, ridge="cv").report.ridge == chosen


def test_moments_of_parts_add_to_those_of_the_whole():
    data = teacher_data(3, 50, 0.1)
    shapes = shapes_of(data.tokens[data.supervised], live_pairs(data.tokens))
    [whole] = moments_of_reals(data, shapes)
    parts = [moments_of_reals(data, shapes, range(n, 50, 3))[0] for n in range(3)]
    total = parts[0].plus(parts[1]).plus(parts[2])
    for name in ("products", "cross", "energy"):
        assert np.allclose(getattr(whole, name), getattr(total, name), rtol=1e-12, atol=1e-9)
    assert total.samples == whole.samples == 50
    assert np.allclose(total.plus(parts[1], -1).products, parts[0].plus(parts[2]).products)


def test_moments_alone_give_the_rules_and_the_error():
    data = teacher_data(3, 50, 0.1)
    shapes = shapes_of(data.tokens[data.supervised], live_pairs(data.tokens))
    [moments] = moments_of_reals(data, shapes)
    refined, alone = (solvers.solution(moments, each, 0.0) for each in (data, None))
    assert np.allclose(refined.weights, alone.weights)
    assert refined.squares == pytest.approx(alone.squares, rel=1e-6)
    assert Factor.of(moments, 0.0).ridge == 0.0


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_conjugate_gradients_stop_where_nothing_is_wanted(seed):
    data = teacher_data(2, 10, 0.0, seed)
    nothing = DataSet(data.tokens, data.offsets, np.zeros_like(data.targets), data.supervised)
    [shape] = shapes_of(nothing.tokens[nothing.supervised], live_pairs(nothing.tokens))
    found = conjugate_gradients(shape, lambda: samples_of(nothing, shape.pairs), 2)
    assert not found.weights.any()
    assert found.steps == 0


@pytest.mark.parametrize("ridge", [-1, float("nan"), float("inf"), "best", None, True])
def test_a_ridge_that_is_none_is_refused(ridge):
    with pytest.raises(DataError, match="ridge"):
        learn(teacher_data(2, 10, 0.0), ridge=ridge)


@pytest.mark.parametrize("memory", [0, 1.5, "4GB", None])
def test_memory_that_is_none_is_refused(memory):
    with pytest.raises(DataError, match="memory"):
        learn(teacher_data(2, 10, 0.0), memory=memory)


def test_cross_validation_says_what_it_lacks():
    with pytest.raises(DataError, match="5 folds"):
        cross_validated_ridge(teacher_data(2, 3, 0.0), memory=ROOM)
    with pytest.raises(DataError, match="bytes"):
        cross_validated_ridge(teacher_data(2, 30, 0.0), memory=100)


@pytest.mark.parametrize("small", [10**7, 0])
@pytest.mark.parametrize(("up", "across"), [(170, 0), (-90, -300), (-300, 500), (30, -30)])
def test_numbers_of_any_size_are_learned(monkeypatch, small, up, across):
    monkeypatch.setattr(solvers, "SMALL", small)
    data = teacher_data(2, 30, 0.1)
    far = DataSet(np.ldexp(data.tokens, up), data.offsets, np.ldexp(data.targets, across), data.supervised)
    if across - 3 * up > 1000:
        with pytest.raises(DataError, match="range of floats"):
            least_squares(far, memory=ROOM)
        return
    [near], [found] = least_squares(data, memory=ROOM), least_squares(far, memory=ROOM)
    assert np.allclose(np.ldexp(found.weights, 3 * up - across), near.weights, rtol=1e-9)
    assert np.ldexp(found.squares, -2 * across) == pytest.approx(near.squares)
    with_ridge = (
        least_squares(data, memory=ROOM, ridge=1.0),
        least_squares(far, memory=ROOM, ridge=np.ldexp(1.0, 6 * up)),
    )
    assert np.allclose(np.ldexp(with_ridge[1][0].weights, 3 * up - across), with_ridge[0][0].weights, rtol=1e-9)
