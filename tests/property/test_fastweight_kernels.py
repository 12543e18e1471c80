"""The compiled forms of layers against the layers, and rounding against numpy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.delta_rnn import DeltaRNN
from compiler.fastweight.kernels.precision import BINARY, all_rounded, rounded
from compiler.fastweight.kernels.runs import started
from compiler.fastweight.layer import run
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.self_referential import SelfReferential

floats = st.floats(allow_nan=False, width=64)


@settings(max_examples=500)
@given(floats, st.sampled_from([("float32", np.float32), ("float16", np.float16)]))
def test_rounding_is_that_of_numpy(x: float, kind) -> None:
    name, dtype = kind
    with np.errstate(over="ignore"):
        expected = float(dtype(x))
    assert rounded(x, *BINARY[name]) == expected
    assert rounded(x, *BINARY["float64"]) == x


@settings(max_examples=500)
@given(st.floats(allow_nan=False, width=32))
def test_rounding_to_bfloat16_is_that_of_its_bits(x: float) -> None:
    number = np.float32(x)
    bits = int(number.view(np.uint32))
    even = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    expected = x if np.isinf(x) else float(np.uint32(even).view(np.float32))
    assert rounded(x, *BINARY["bfloat16"]) == expected


def layers(rng: np.random.Generator, inputs: int):
    """Each kind with random weights, with one head or two."""

    def drawn(*shape: int):
        return rng.normal(size=shape)

    yield LinearTransformer(drawn(2, 3, inputs), drawn(2, 3, inputs), drawn(2, 4, inputs), "elu+1")
    yield LinearTransformer(drawn(1, 3, inputs), drawn(1, 3, inputs), drawn(1, 4, inputs), "identity")
    delta = drawn(2, 3, inputs), drawn(3, 2, 3, inputs), drawn(3, 2, 4, inputs), drawn(3, 2, inputs)
    yield DeltaProduct(*delta, drawn(2, inputs), drawn(2, 4, 3), beta_max=2)
    yield DeltaProduct(*delta)
    written = drawn(2, 3, inputs), drawn(2, 3, inputs), drawn(2, 4, inputs), drawn(2, inputs)
    yield DeltaRNN(*written, drawn(2, 4, inputs), drawn(2, 4, inputs), drawn(2, inputs))
    for heads in (1, 2) if inputs % 2 == 0 else (1,):
        d = inputs // heads
        yield SelfReferential(drawn(heads, 3 + 2 * d + 4, d))
    for heads in (1, 2):
        slow = drawn(heads, 3, inputs), drawn(heads, 3, inputs), drawn(heads, 4, inputs), drawn(heads, inputs)
        back = drawn(heads, 3, 4), drawn(heads, 3, 4), drawn(heads, 4, 4), drawn(heads, 4)
        yield RecurrentDelta(*slow, *back, drawn(heads, 4, 3))


@pytest.mark.parametrize("seed", range(10))
def test_compiled_forms_are_the_layers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs, vocabulary = int(rng.integers(2, 6)), int(rng.integers(2, 6))
    embeddings, tokens = rng.normal(size=(vocabulary, inputs)), rng.integers(0, vocabulary, 50)
    for layer in layers(rng, inputs):
        expected = run(layer, embeddings[tokens][None])[0]
        running = started(layer, embeddings, "float64")
        got = np.concatenate([running.feed(tokens[:20]), running.feed(tokens[20:])])
        assert np.abs(got - expected).max() < 1e-9 * (1 + np.abs(expected).max()), type(layer).__name__
        near = started(layer, embeddings, "float32").feed(tokens[:10])
        assert np.abs(near - expected[:10]).max() < 1e-3 * (1 + np.abs(expected).max()), type(layer).__name__
        assert (near == near.astype(np.float32)).all()
        assert not np.array_equal(near, expected[:10])


def test_unit_vectors_need_no_table() -> None:
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 4, 30)
    for layer in layers(rng, 4):
        expected = started(layer, np.eye(4), "float16").feed(tokens)
        assert np.array_equal(started(layer, None, "float16").feed(tokens), expected)


@given(st.lists(floats, max_size=20), st.sampled_from(list(BINARY)))
def test_arrays_are_rounded_number_by_number(numbers: list[float], precision) -> None:
    values = np.array(numbers)
    expected = [rounded(x, *BINARY[precision]) for x in numbers]
    assert all_rounded(values, precision).tolist() == expected
    assert values.tolist() == numbers


def test_what_has_no_compiled_form_is_refused() -> None:
    ones = np.ones((2, 3, 3))
    for layer in (LinearTransformer(ones, ones, ones, normalise=True), object()):
        with pytest.raises(TypeError):
            started(layer, np.eye(3), "float32")
