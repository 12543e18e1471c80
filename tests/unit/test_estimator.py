"""The estimator by itself; inside scikit-learn it is tested in tests/extras."""

import numpy as np
import pytest

from compiler.errors import DataError, ModelError
from compiler.learning.estimator import LinearAttentionRegressor
from compiler.random_model import random_model


def sample(count=40, d=3):
    teacher = random_model(d, 2, seed=0)
    X = np.random.default_rng(0).normal(size=(count, 5, d))
    return X, np.stack([teacher.answer(Z) for Z in X])


def test_it_predicts_what_its_model_answers():
    X, y = sample()
    fitted = LinearAttentionRegressor().fit(X, y)
    answers = np.stack([fitted.model_.answer(Z) for Z in X])
    assert np.abs(fitted.predict(X) - answers).max() < 1e-12
    assert fitted.score(X, y) == pytest.approx(1.0)
    assert fitted.report_.samples == 40
    assert fitted.n_features_in_ == 3


def test_integers_are_learned_exactly():
    X = np.random.default_rng(0).integers(-2, 3, size=(60, 4, 2))
    y = np.stack([random_model(2, 1, seed=0).answer(Z) > 0 for Z in X]).astype(int)
    assert LinearAttentionRegressor().fit(X, X[:, -1] * 0).report_.exact
    assert LinearAttentionRegressor().fit(X, y).report_.solver == "exact"


def test_ridge_shrinks():
    X, y = sample()
    assert LinearAttentionRegressor(ridge=1e9).fit(X, y).score(X, y) < 0.9
    assert LinearAttentionRegressor(ridge="cv").fit(X, y).score(X, y) > 1 - 1e-9


def test_constant_outputs_score_as_in_scikit_learn():
    X, y = sample()
    y[:, 0] = 0
    assert LinearAttentionRegressor().fit(X, y).score(X, y) == pytest.approx(1.0)
    fitted = LinearAttentionRegressor().fit(X, y)
    y[:, 0] = 1
    assert fitted.score(X, y) == pytest.approx(2 / 3)


def test_parameters():
    estimator = LinearAttentionRegressor(ridge=2.0)
    assert estimator.get_params() == {"ridge": 2.0, "memory": 4 * 2**30}
    assert estimator.set_params(ridge=3.0) is estimator
    assert repr(estimator) == "LinearAttentionRegressor(ridge=3.0, memory=4294967296)"
    with pytest.raises(ValueError, match="no parameter 'alpha'"):
        estimator.set_params(alpha=1)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "empty"),
        (3, "no sequences"),
        (np.zeros((4, 3)), r"sequence 0 of X is float64 \(3,\)"),
        ([np.zeros((2, 3)), np.zeros((2, 4)), np.zeros((1, 3)), np.zeros((1, 3))], "sequence 1"),
        ([np.zeros((2, 3)), np.zeros((0, 3)), np.zeros((1, 3)), np.zeros((1, 3))], "sequence 1"),
        ([[["a"]]] * 4, "sequence 0"),
        (np.full((4, 2, 3), np.nan), "NaN"),
        (np.zeros((5, 2, 3)), r"y is float64 \(4, 3\)"),
        (np.zeros((4, 2, 2)), r"y is float64 \(4, 3\)"),
    ],
)
def test_what_is_no_data_is_refused_with_the_reason(X, message):
    with pytest.raises(DataError, match=message):
        LinearAttentionRegressor().fit(X, np.zeros((4, 3)))


def test_predictions_need_a_fit_and_the_same_coordinates():
    X, y = sample()
    with pytest.raises(ModelError, match="not fitted"):
        LinearAttentionRegressor().predict(X)
    fitted = LinearAttentionRegressor().fit(X, y)
    with pytest.raises(DataError, match="2 coordinates"):
        fitted.predict(X[:, :, :2])
    with pytest.raises(DataError, match="expected"):
        fitted.score(X, y[:, :2])
