"""Reference layers of the fast-weight family against their equations, written out for one sequence and one head."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import DataError, ModelError
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.delta_rnn import DeltaRNN
from compiler.fastweight.layer import Floats, Layer, run
from compiler.fastweight.linear_recurrent import continued, fit
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.looped import gradient_descent
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.self_referential import SelfReferential

seeds, small = st.integers(0, 2**32 - 1), st.integers(1, 3)
H, D, K, V = 2, 3, 4, 5


def soft(a: Floats) -> Floats:
    return np.exp(a) / np.exp(a).sum()


def sigma(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


def drawn(seed: int, *shapes: tuple[int, ...]) -> list[Floats]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def recurrent_delta(seed: int, first: bool = False) -> RecurrentDelta:
    tokens = drawn(seed, (H, K, D), (H, K, D), (H, V, D), (H, D))
    *answers, W_0 = drawn(seed + 1, (H, K, V), (H, K, V), (H, V, V), (H, V), (H, V, K))
    return RecurrentDelta(*tokens, *answers, W_0=W_0 if first else None)


def delta_rnn(seed: int) -> DeltaRNN:
    return DeltaRNN(*drawn(seed, (H, K, D), (H, K, D), (H, V, D), (H, D), (H, V, D), (H, V, D), (H, D)))


def self_referential(seed: int) -> SelfReferential:
    return SelfReferential(drawn(seed, (H, V + 2 * D + 4, D))[0])


def delta_product(seed: int) -> DeltaProduct:
    return DeltaProduct(*drawn(seed, (H, K, D), (2, H, K, D), (2, H, V, D), (2, H, D), (H, D)), beta_max=2)


def linear_transformer(seed: int) -> LinearTransformer:
    return LinearTransformer(*drawn(seed, (H, K, D), (H, K, D), (H, V, D)), normalise=True)


@given(seeds, small, st.integers(0, 12), st.booleans())
def test_recurrent_delta(seed: int, batch: int, n: int, first: bool) -> None:
    layer, (X,) = recurrent_delta(seed, first), drawn(seed + 2, (batch, n, D))
    wanted = np.empty((batch, n, H * V))
    for b in range(batch):
        for h in range(H):
            W, y = np.zeros((V, K)) if layer.W_0 is None else layer.W_0[h], np.zeros(V)
            for t, x in enumerate(X[b]):
                hidden = np.tanh(y)
                q = soft(layer.W_q[h] @ x + layer.R_q[h] @ hidden)
                k = soft(layer.W_k[h] @ x + layer.R_k[h] @ hidden)
                v = layer.W_v[h] @ x + layer.R_v[h] @ hidden
                rate = sigma(layer.w_beta[h] @ x + layer.r_beta[h] @ hidden)
                W = W @ (np.eye(K) - rate * np.outer(k, k)) + rate * np.outer(v, k)
                y = W @ q
                wanted[b, t, h * V : (h + 1) * V] = y
    np.testing.assert_allclose(run(layer, X), wanted, rtol=1e-11, atol=1e-12)


@given(seeds, small, st.integers(0, 12))
def test_delta_rnn(seed: int, batch: int, n: int) -> None:
    layer, (X,) = delta_rnn(seed), drawn(seed + 2, (batch, n, D))
    wanted = np.empty((batch, n, H * V))
    for b in range(batch):
        for h in range(H):
            W, R, y = np.zeros((V, K)), np.zeros((V, V)), np.zeros(V)
            for t, x in enumerate(X[b]):
                q, k = (np.where(a > 0, a + 1, np.exp(a)) for a in (layer.W_q[h] @ x, layer.W_k[h] @ x))
                q, k, back = q / q.sum(), k / k.sum(), soft(layer.R_k[h] @ x)
                rate, r_rate = sigma(layer.w_beta[h] @ x), sigma(layer.r_beta[h] @ x)
                W = W @ (np.eye(K) - rate * np.outer(k, k)) + rate * np.outer(layer.W_v[h] @ x, k)
                R = R @ (np.eye(V) - r_rate * np.outer(back, back)) + r_rate * np.outer(layer.R_v[h] @ x, back)
                y = W @ q + R @ soft(y)
                wanted[b, t, h * V : (h + 1) * V] = y
    np.testing.assert_allclose(run(layer, X), wanted, rtol=1e-11, atol=1e-12)


@given(seeds, small, st.integers(0, 12))
def test_self_referential(seed: int, batch: int, n: int) -> None:
    layer, (X,) = self_referential(seed), drawn(seed + 2, (batch, n, H * D))
    wanted = np.empty((batch, n, H * V))
    for b in range(batch):
        for h in range(H):
            W_y, W_q, W_k, W_b = np.split(layer.W_0[h], [V, V + D, V + 2 * D])
            for t, token in enumerate(X[b]):
                x = token[h * D : (h + 1) * D]
                q, k, rates = soft(W_q @ x), soft(W_k @ x), sigma(W_b @ x)
                wanted[b, t, h * V : (h + 1) * V] = W_y @ x
                W_y, W_q, W_k, W_b = (
                    W + rate * np.outer(W @ (q - k), k) for W, rate in zip((W_y, W_q, W_k, W_b), rates, strict=True)
                )
    np.testing.assert_allclose(run(layer, X), wanted, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("shape", [(2, 10, 3), (1, 3), (1, 0, 1)])
def test_self_referential_weights_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="is wanted"):
        SelfReferential(np.zeros(shape))


LAYERS = [linear_transformer, delta_product, recurrent_delta, delta_rnn, self_referential]


@pytest.mark.parametrize("made", LAYERS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_layers_compute_in_the_dtype_of_their_weights(made: Any, dtype: type[np.floating[Any]]) -> None:
    exact: Layer[Any] = made(1)
    weights = {each: getattr(exact, each) for each in type(exact).__slots__}
    cast = {each: w.astype(dtype) if isinstance(w, np.ndarray) else w for each, w in weights.items()}
    layer: Layer[Any] = type(exact)(**cast)
    X = drawn(2, (2, 6, layer.inputs))[0] / 2
    state = layer.start(2)
    state, y = layer.step(state, X[:, 0].astype(dtype))
    assert {each.dtype for each in (y, *(state if isinstance(state, tuple) else (state,)))} == {np.dtype(dtype)}
    bound = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(run(layer, X), run(exact, X), rtol=bound, atol=bound)


@pytest.mark.parametrize("made", LAYERS)
def test_steps_leave_the_given_state_alone(made: Any) -> None:
    layer: Layer[Any] = made(3)
    x = drawn(4, (2, layer.inputs))[0]
    state, first = layer.step(layer.start(2), x)
    _, second = layer.step(state, x)
    _, again = layer.step(state, x)
    assert (second == again).all()
    assert first.shape == (2, layer.outputs)


def sinusoids(seed: int, k: int, n: int, batch: int) -> Floats:
    """Sums of k sinusoids whose frequencies are apart, each with amplitudes of its own."""
    rng = np.random.default_rng(seed)
    w = (np.arange(k) + rng.uniform(0.25, 0.75, k)) * np.pi / k
    size, phase = rng.uniform(0.5, 2, (batch, k, 1)), rng.uniform(0, 2 * np.pi, (batch, k, 1))
    return np.asarray((size * np.cos(w[:, None] * np.arange(n) + phase)).sum(axis=1))


@given(seeds, st.integers(1, 5), small, st.integers(0, 30))
def test_linear_recurrent_networks_continue_sums_of_sinusoids(seed: int, k: int, batch: int, more: int) -> None:
    given_, steps = 8 * k + more, 500
    series = sinusoids(seed, k, given_ + steps, batch)
    layer = fit(series[:, :given_], k)
    assert layer.A.shape == (2 * k, 2 * k)
    np.testing.assert_allclose(continued(layer, series[:, :given_], steps), series[:, given_:], atol=1e-10)


@settings(max_examples=25)
@given(seeds, st.integers(1, 4))
def test_fitted_roots_lie_on_the_circle_so_errors_grow_linearly(seed: int, k: int) -> None:
    series = sinusoids(seed, k, 20_050, 1)
    layer = fit(series[:, :50], k)
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(layer.A + layer.B @ layer.C)), 1, atol=1e-11)
    error = np.abs(continued(layer, series[:, :50], 20_000) - series[:, 50:])
    assert error.max() <= 1e-9


def test_a_constant_and_integers_are_continued() -> None:
    series = np.array([[3, 5, 3, 1] * 5])
    assert np.abs(continued(fit(series, 2), series, 200) - np.tile([3, 5, 3, 1], 50)).max() < 1e-9


def test_series_that_do_not_determine_the_layer_are_refused() -> None:
    with pytest.raises(DataError, match="at least 12 are needed"):
        fit(np.zeros((1, 11)), 3)
    with pytest.raises(DataError, match="a sum of 1 sinusoids, not of 2"):
        fit(np.cos(np.arange(20))[None], 2)


@given(seeds, small, small, st.integers(1, 6), st.integers(0, 8), st.integers(1, 3))
def test_loops_are_steps_of_gradient_descent(
    seed: int, inputs: int, outputs: int, context: int, loops: int, questions: int
) -> None:
    a, b, asked = drawn(seed, (2, context, inputs), (2, context, outputs), (2, questions, inputs))
    rate = 0.9 / max(float(np.linalg.norm(each, 2) ** 2) for each in a)
    zero = np.zeros((2, questions, outputs))
    X = np.concatenate([np.concatenate([a, b], axis=2), np.concatenate([asked, zero], axis=2)], axis=1)
    answers = -gradient_descent(inputs, outputs, rate).looped(X, context, loops)[:, context:, inputs:]
    for one in range(2):
        M = np.zeros((outputs, inputs))
        for _ in range(loops):
            gradient = (M @ a[one].T - b[one].T) @ a[one]
            M = M - rate * gradient
        wanted = asked[one] @ M.T
        assert np.abs(answers[one] - wanted).max() <= 1e-12 * max(1, np.abs(wanted).max())
