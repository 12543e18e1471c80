"""What the layers of the fast-weight family have in common: a state, a step, and the loop that runs it.

A layer reads a token x_t (its *slow* weights project it), updates its state (the *fast* weights W, and what else it
keeps), and answers y_t. `run` is the loop over tokens: the specification of every other form. Arrays hold tokens as
rows, batches first: X is (B, n, inputs), answers are (B, n, outputs), with the heads' answers side by side. Layers
compute in the dtype of their weights: float64, float32 or float16. Papers write columns, and leave out B.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from compiler.errors import ModelError

Floats = NDArray[np.floating[Any]]
State = TypeVar("State")


class Layer(Protocol[State]):
    """A layer of the family.

    Attributes
    ----------
    inputs, outputs
        The dimensions of tokens and of answers.
    dtype
        In which it computes.
    """

    @property
    def inputs(self) -> int: ...  # noqa: D102 - described above

    @property
    def outputs(self) -> int: ...  # noqa: D102 - described above

    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102 - described above

    def start(self, batch: int) -> State:
        """The state before the first token."""
        ...

    def step(self, state: State, x: Floats) -> tuple[State, Floats]:
        """The state after tokens x (B, inputs), and the answers (B, outputs). The given state is left alone."""
        ...


class Projecting:
    """What layers with slow weights W_q (H, d_k, d) and W_v (H, d_v, d) have in common."""

    __slots__ = ()
    W_q: Floats
    W_v: Floats

    @property
    def inputs(self) -> int:
        """The dimension of tokens."""
        return int(self.W_q.shape[2])

    @property
    def outputs(self) -> int:
        """The dimension of answers: H d_v."""
        return int(self.W_v.shape[0] * self.W_v.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """In which it computes."""
        return self.W_v.dtype


def run(layer: Layer[Any], X: Floats) -> Floats:
    """The answers (B, n, outputs) to the tokens X (B, n, inputs), one after the other."""
    state = layer.start(len(X))
    answers = np.empty((*X.shape[:2], layer.outputs), dtype=layer.dtype)
    for t in range(X.shape[1]):
        state, answers[:, t] = layer.step(state, X[:, t].astype(layer.dtype))
    return answers


def projected(weights: Floats, x: Floats) -> Floats:
    """Every head's projection of tokens: weights (H, m, d) and x (B, d) give (B, H, m)."""
    return np.asarray(np.einsum("hmd,bd->bhm", weights, x))


def unit(keys: Floats) -> Floats:
    """Vectors (..., m) divided by their Euclidean length; zero stays zero."""
    length = np.sqrt((keys * keys).sum(axis=-1, keepdims=True))
    return np.asarray(np.divide(keys, length, out=np.zeros_like(keys), where=length > 0))


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)


def softmax(x: Floats) -> Floats:
    """exp(x) / sum(exp(x)) over the last axis, without overflow."""
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def elu_plus_one(x: Floats) -> Floats:
    """The map to x + 1 for x > 0, else exp(x), which is positive: Katharopoulos et al. 2020 (arXiv 2006.16236)."""
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0))).astype(x.dtype)


def relu(x: Floats) -> Floats:
    """The map to x where it is positive, else 0."""
    return np.maximum(x, 0)


def identity(x: Floats) -> Floats:
    """The map to x itself."""
    return x


def check_shapes(layer: object, wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ModelError unless the weights of these names, where there are such, have these shapes."""
    for name, shape in wanted.items():
        weights = getattr(layer, name)
        if weights is not None and weights.shape != shape:
            raise ModelError(f"{name} has the shape {weights.shape}: {shape} is wanted")
