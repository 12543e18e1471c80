"""Attention, block-recurrent and scan forms against the loop over tokens, with the extremes of rates and decays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.forms import chunkwise, parallel, prefix_scan
from compiler.fastweight.forms.triangular import decays, solved
from compiler.fastweight.layer import Floats, run
from compiler.fastweight.linear_transformer import Feature, LinearTransformer

CASES = settings(max_examples=1_000)
seeds, sizes = st.integers(0, 2**32 - 1), st.integers(1, 4)
lengths, chunks = st.integers(0, 40), st.integers(1, 50)
GATES = np.array([-1_000.0, 0.0, 1_000.0])  # sigmoids of exactly 0 and 1


def near(found: Floats, wanted: Floats, bound: float = 1e-12) -> None:
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    assert np.isfinite(wanted).all()
    assert np.abs(found - wanted).max(initial=0) <= bound * np.abs(wanted).max(initial=1e-300)


@st.composite
def linear_transformers(draw: st.DrawFn, features: st.SearchStrategy[Feature]) -> tuple[LinearTransformer, Floats]:
    """A layer and tokens for it."""
    rng, (heads, d, keys, values) = np.random.default_rng(draw(seeds)), (draw(sizes) for _ in range(4))
    shapes = (heads, keys, d), (heads, keys, d), (heads, values, d)
    layer = LinearTransformer(*(rng.normal(size=each) for each in shapes), draw(features), draw(st.booleans()))
    return layer, rng.normal(size=(draw(sizes), draw(lengths), d))


@st.composite
def delta_products(draw: st.DrawFn) -> tuple[DeltaProduct, Floats]:
    """A layer and tokens that have coordinates for gates: rates of 0, 1 and 2, decays of 0 and 1, and between."""
    rng, (heads, d, keys, values, steps) = np.random.default_rng(draw(seeds)), (draw(sizes) for _ in range(5))
    gates = steps + 1
    select = np.concatenate([np.zeros((gates, d)), np.eye(gates)], axis=1)[:, None].repeat(heads, axis=1)
    layer = DeltaProduct(
        rng.normal(size=(heads, keys, d + gates)) * ([1] * d + [0] * gates),
        rng.normal(size=(steps, heads, keys, d + gates)) * ([1] * d + [0] * gates),
        rng.normal(size=(steps, heads, values, d + gates)) * ([1] * d + [0] * gates),
        select[1:],
        select[0] if draw(st.booleans()) else None,
        rng.normal(size=(heads, values, keys)) if draw(st.booleans()) else None,
        draw(st.sampled_from([1, 2])),
    )
    shape = draw(sizes), draw(lengths), gates
    extreme = rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    said = np.where(extreme, rng.choice(GATES, size=shape), 2 * rng.normal(size=shape))
    return layer, np.concatenate([rng.normal(size=(*shape[:2], d)), said], axis=2)


positive = st.sampled_from(["elu+1", "relu"])


@CASES
@given(linear_transformers(positive), chunks)
def test_linear_transformers(case: tuple[LinearTransformer, Floats], chunk: int) -> None:
    wanted = run(*case)
    near(parallel.linear_transformer(*case), wanted)
    near(chunkwise.linear_transformer(*case, chunk), wanted)


@given(linear_transformers(st.just("identity")), chunks)
def test_signed_features_agree_up_to_the_condition_of_the_normaliser(
    case: tuple[LinearTransformer, Floats], chunk: int
) -> None:
    layer, X = case
    scores = np.einsum("hkd,bnd,hke,bme->bhnm", layer.W_q, X, layer.W_k, X) * np.tri(X.shape[1])
    condition = 1.0
    if layer.normalise:
        assume((scores.sum(axis=3) != 0).all())
        condition = (np.abs(scores).sum(axis=3) / np.abs(scores.sum(axis=3))).max(initial=1) ** 2
    wanted = run(layer, X)
    near(parallel.linear_transformer(layer, X), wanted, 1e-12 * condition)
    near(chunkwise.linear_transformer(layer, X, chunk), wanted, 1e-12 * condition)


@CASES
@given(delta_products(), chunks)
def test_delta_products(case: tuple[DeltaProduct, Floats], chunk: int) -> None:
    wanted = run(*case)
    near(parallel.delta_product(*case), wanted)
    near(chunkwise.delta_product(*case, chunk), wanted)


@pytest.mark.parametrize("n", [300, 1_000])
def test_long_runs_of_reflections(n: int) -> None:
    rng = np.random.default_rng(n)
    weights = rng.normal(size=(2, 6, 7)), rng.normal(size=(2, 2, 6, 7)), rng.normal(size=(2, 2, 5, 7))
    layer = DeltaProduct(*weights, np.full((2, 2, 7), 1_000.0), beta_max=2)
    X = np.abs(rng.normal(size=(1, n, 7)))
    wanted = run(layer, X)
    near(parallel.delta_product(layer, X), wanted)
    near(chunkwise.delta_product(layer, X, 64), wanted)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_forms_answer_in_the_dtype_of_the_layer(dtype: type[np.floating[Any]]) -> None:
    rng = np.random.default_rng(1)
    q, k, v, w = (rng.normal(size=shape) / 2 for shape in ((2, 3, 4), (1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 4)))
    delta = DeltaProduct(*(each.astype(dtype) for each in (q, k, v, w, w[0])), beta_max=2)
    linear = LinearTransformer(*(each.astype(dtype) for each in (q, k[0], v[0])), normalise=True)
    X, bound = rng.normal(size=(2, 20, 4)).astype(dtype), 50 * float(np.finfo(dtype).eps)
    near(parallel.linear_transformer(linear, X), run(linear, X), bound)
    near(chunkwise.linear_transformer(linear, X, 8), run(linear, X), bound)
    near(parallel.delta_product(delta, X), run(delta, X), bound)
    near(chunkwise.delta_product(delta, X, 8), run(delta, X), bound)


def test_chunks_of_no_tokens_are_refused() -> None:
    layer = LinearTransformer(*np.ones((3, 1, 1, 1)))
    with pytest.raises(ValueError, match="chunks of 0 tokens"):
        chunkwise.linear_transformer(layer, np.ones((1, 3, 1)), 0)


def prefix_averages(scores: Floats, values: Floats) -> Floats:
    """Softmax attention as it is defined, for each prefix."""
    answers = np.empty_like(values)
    for t in range(scores.shape[-1]):
        weights = np.exp(scores[..., : t + 1] - scores[..., : t + 1].max(axis=-1, keepdims=True))
        sums = (weights[..., None] * values[..., : t + 1, :]).sum(axis=-2)
        answers[..., t, :] = sums / weights.sum(axis=-1, keepdims=True)
    return answers


@CASES
@given(seeds, sizes, lengths, sizes, st.sampled_from([1.0, 30.0, 1e4]))
def test_prefix_scans(seed: int, heads: int, n: int, d: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    scores, values = scale * rng.uniform(-1, 1, (2, heads, n)), rng.normal(size=(2, heads, n, d))
    wanted = prefix_averages(scores, values)
    near(prefix_scan.sequential(scores, values), wanted)
    near(prefix_scan.parallel(scores, values), wanted)


@given(seeds, st.sampled_from([1.0, 1e4]))
def test_the_operator_of_the_scan_is_associative(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = (
        prefix_scan.Summary(scale * rng.normal(size=3), rng.uniform(1, 5, 3), rng.normal(size=(3, 2))) for _ in range(3)
    )
    left = prefix_scan.combined(prefix_scan.combined(a, b), c)
    right = prefix_scan.combined(a, prefix_scan.combined(b, c))
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13)


@given(seeds, st.integers(1, 12))
def test_decays_are_products(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    alpha = rng.random((2, n)) * (rng.random((2, n)) < 0.8)
    wanted = [[[np.prod(a[s + 1 : t + 1]) if s <= t else 0 for s in range(n)] for t in range(n)] for a in alpha]
    np.testing.assert_allclose(decays(alpha), np.array(wanted), rtol=1e-14)


@given(seeds, st.integers(0, 100))
def test_triangular_systems(seed: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    N, U = rng.normal(size=(3, m, m)) / max(m, 1), rng.normal(size=(3, m, 2))
    np.testing.assert_allclose(solved(N, U + np.tril(N, -1) @ U), U, atol=1e-12)
