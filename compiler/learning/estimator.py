"""The learner with scikit-learn's conventions, for its pipelines and searches; it does not import scikit-learn.

>>> import numpy as np
>>> from compiler.random_model import random_model
>>> teacher = random_model(3, 2, seed=0)
>>> X = np.random.default_rng(0).normal(size=(60, 5, 3))
>>> y = np.stack([teacher.answer(Z) for Z in X])
>>> found = LinearAttentionRegressor().fit(X[:40], y[:40])
>>> round(found.score(X[40:], y[40:]), 6)
1.0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from compiler.errors import DataError, ModelError
from compiler.learning.learn import MEMORY, Report, learn
from compiler.learning.real.moments import Shape
from compiler.learning.real.samples import Floats, predicted, samples_of
from compiler.model import Model
from compiler.traces.data_set import DataSet


class LinearAttentionRegressor:
    """One layer of linear attention, fitted by least squares to answers at the last token (arXiv 2410.10101).

    X is an array (N, n, d), or N sequences (n_i, d) of their own lengths; y is (N, d). Tokens are rows. There is no
    intercept: a coordinate that is 1 in every token makes one.

    Parameters
    ----------
    ridge
        See `learn`.
    memory
        See `learn`.

    Attributes
    ----------
    model_
        The fitted model, after `fit`.
    report_
        Its `Report`, after `fit`.
    n_features_in_
        d, after `fit`.
    """

    model_: Model
    report_: Report
    n_features_in_: int

    def __init__(self, *, ridge: float | Literal["cv"] = 0.0, memory: int = MEMORY) -> None:
        self.ridge = ridge
        self.memory = memory

    def fit(self, X: ArrayLike | Sequence[ArrayLike], y: ArrayLike) -> LinearAttentionRegressor:
        """Fit to sequences X and answers y (N, d). Raises DataError."""
        data = _data(X, y)
        self.model_, report = learn(data, ridge=self.ridge, memory=self.memory)
        self.report_ = replace(report, search=None)  # a fitted estimator is stored without its data
        self.n_features_in_ = data.d
        return self

    def predict(self, X: ArrayLike | Sequence[ArrayLike]) -> Floats:
        """The answers (N, d) at the last tokens of X. Raises DataError, and ModelError before `fit`."""
        if not hasattr(self, "model_"):
            raise ModelError("this estimator is not fitted yet; call fit(X, y) first")
        data = _data(X, None)
        if data.d != self.n_features_in_:
            raise DataError(f"tokens have {data.d} coordinates, and the model was fitted to {self.n_features_in_}")
        d, form = data.d, self.model_.rules
        low, high = np.triu_indices(d)
        shape = Shape(np.arange(d), np.column_stack([low, high]))
        place = np.zeros((d, d), dtype=np.int64)
        place[low, high] = np.arange(len(low))
        e, b, c, a = form.index.T
        weights = np.zeros((shape.features, d))
        weights[e * len(low) + place[b, c], a] = form.weights.astype(np.float64)
        return np.concatenate([predicted(part, weights) for part in samples_of(data, shape.pairs)])

    def score(self, X: ArrayLike | Sequence[ArrayLike], y: ArrayLike) -> float:
        """The coefficient of determination R^2, the mean over the outputs, as scikit-learn's regressors give it.

        An output that is constant counts as 1 where it is met exactly, and as 0 elsewhere. Raises DataError.
        """
        wanted, given = np.asarray(y, dtype=np.float64), self.predict(X)
        if wanted.shape != given.shape:
            raise DataError(f"y has shape {wanted.shape}, expected {given.shape}")
        errors = np.square(wanted - given).sum(axis=0)
        spread = np.square(wanted - wanted.mean(axis=0)).sum(axis=0)
        constant = np.where(errors == 0, 1.0, 0.0)
        return float(np.where(spread > 0, 1 - errors / np.where(spread > 0, spread, 1), constant).mean())

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name; `deep` has no effect, since none is an estimator."""
        del deep
        return {"ridge": self.ridge, "memory": self.memory}

    def set_params(self, **params: Any) -> LinearAttentionRegressor:
        """Change parameters by name. Raises ValueError for a name that is none."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"there is no parameter {name!r}; there are {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        return f"LinearAttentionRegressor(ridge={self.ridge!r}, memory={self.memory!r})"

    def __sklearn_is_fitted__(self) -> bool:
        """Asked by scikit-learn."""
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        """Asked by scikit-learn, which is there when it asks."""
        from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type="regressor",
            target_tags=TargetTags(required=True, multi_output=True, single_output=False),
            regressor_tags=RegressorTags(),
            input_tags=InputTags(two_d_array=False, three_d_array=True),
        )


def _data(X: ArrayLike | Sequence[ArrayLike], y: ArrayLike | None) -> DataSet:
    """Sequences (n_i, d), asked at their ends, with answers y (N, d), or zeros. Raises DataError."""
    parts = _sequences(X)
    d = parts[0].shape[1]
    count = len(parts)
    wanted = np.zeros((count, d)) if y is None else np.asarray(y)
    if wanted.shape != (count, d) or wanted.dtype.kind not in "biuf":
        raise DataError(f"y is {wanted.dtype} {wanted.shape}, expected numbers ({count}, {d}), an answer a sequence")
    tokens = np.concatenate(parts)
    if tokens.dtype.kind in "bu" and tokens.size and int(tokens.max()) < 2**63:
        tokens = tokens.astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    targets = np.zeros(tokens.shape, dtype=np.int64 if wanted.dtype.kind in "biu" else np.float64)
    supervised = np.zeros(len(tokens), dtype=np.bool_)
    targets[offsets[1:] - 1] = wanted
    supervised[offsets[1:] - 1] = True
    return DataSet(tokens, offsets, targets, supervised)


def _sequences(X: ArrayLike | Sequence[ArrayLike]) -> list[NDArray[Any]]:
    """The sequences of X, each (n_i, d) with n_i >= 1. Raises DataError."""
    try:
        parts = [np.asarray(part) for part in X]  # type: ignore[union-attr]
    except (TypeError, ValueError) as problem:
        raise DataError(f"X holds no sequences of tokens: {problem}") from None
    if not parts:
        raise DataError("X is empty, so there is nothing to learn from")
    for number, part in enumerate(parts):
        if part.ndim != 2 or not part.size or part.dtype.kind not in "biuf" or part.shape[1] != parts[0].shape[-1]:
            raise DataError(
                f"sequence {number} of X is {part.dtype} {part.shape}, expected numbers (n, {parts[0].shape[-1]}) "
                "with n >= 1, a token a row"
                if part.ndim == 2
                else f"sequence {number} of X is {part.dtype} {part.shape}, expected numbers (n, d) with n >= 1"
            )
    return parts
