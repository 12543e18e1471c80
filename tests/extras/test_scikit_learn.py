"""The estimator inside scikit-learn: pipelines, searches, clones, the same score."""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from attnc import LinearAttentionRegressor, features, random_model


def sample(count, noise):
    rng = np.random.default_rng(0)
    teacher = random_model(3, 2, seed=0)
    X = rng.normal(size=(count, 5, 3))
    y = np.stack([teacher.answer(Z) for Z in X])
    return X, y + noise * rng.normal(size=y.shape)


def test_it_fits_what_linear_regression_on_explicit_features_fits():
    X, y = sample(100, 0.5)
    design = np.stack([features(Z) for Z in X])
    theirs = LinearRegression(fit_intercept=False).fit(design, y)
    ours = LinearAttentionRegressor().fit(X, y)
    assert np.abs(ours.predict(X) - theirs.predict(design)).max() < 1e-10
    assert abs(ours.score(X, y) - r2_score(y, ours.predict(X))) < 1e-12


def test_pipelines_searches_and_clones():
    X, y = sample(60, 0.5)
    halved = make_pipeline(FunctionTransformer(lambda Z: Z / 2), LinearAttentionRegressor())
    assert cross_val_score(halved, X, y).min() > 0.9
    search = GridSearchCV(LinearAttentionRegressor(), {"ridge": [0.0, 10.0, 1e6]}).fit(X, y)
    assert search.best_params_["ridge"] < 1e6
    again = clone(search.best_estimator_)
    assert not hasattr(again, "model_")
    assert again.get_params() == search.best_estimator_.get_params()


def test_sequences_of_their_own_lengths():
    X, y = sample(60, 0.0)
    ragged = [Z[: 1 + number % 5] for number, Z in enumerate(X)]
    teacher = random_model(3, 2, seed=0)
    y = np.stack([teacher.answer(Z) for Z in ragged])
    assert cross_val_score(LinearAttentionRegressor(), ragged, y).min() > 1 - 1e-9
