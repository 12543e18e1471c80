"""What rates do: up to 1 weights come to rest, in exact arithmetic; and digits of levels do not feel rounding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.fastweight.automata.cascade import Cascade, Component, Level, Permute, Reset
from compiler.fastweight.automata.cascade_to_stack import cascade_to_stack
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.kernels.runs import started
from compiler.fastweight.layer import Layer, run
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.self_referential import SelfReferential

PRECISIONS = ("float64", "float32", "float16", "bfloat16")


def factors(keys: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """The product of I - b k k^T, for unit keys as rows."""
    unit = keys / np.linalg.norm(keys, axis=1, keepdims=True)
    return np.linalg.multi_dot(
        [np.eye(len(unit[0])), *(np.eye(len(k)) - b * np.outer(k, k) for k, b in zip(unit, rates, strict=True))]
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5))
def test_factors_of_rates_up_to_1(seed: int, dimension: int, letters: int) -> None:
    """They have no eigenvalue of length 1 but 1, and two of them none that is negative or not real."""
    rng = np.random.default_rng(seed)
    keys, rates = rng.normal(size=(letters, dimension)), rng.choice([0, 0.3, 1], letters)
    values = np.linalg.eigvals(factors(keys, rates))
    assert all(abs(value) < 1 - 1e-9 or abs(value - 1) < 1e-6 for value in values)
    if letters <= 2:
        assert all(value.real > -1e-6 and abs(value.imag) < 1e-6 for value in values)


def test_three_factors_change_sides() -> None:
    angles = np.array([0, np.pi / 3, 2 * np.pi / 3])
    values = np.linalg.eigvals(factors(np.stack([np.cos(angles), np.sin(angles)], axis=1), np.ones(3)))
    assert np.isclose(values.real.min(), -1 / 8)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from([1, 2]))
def test_answers_grow_no_faster_than_one_write(seed: int, steps: int, beta_max: int) -> None:
    """So no layer whose keys have at most length 1 is a memory of real vectors, whose answers grow with the square."""
    rng = np.random.default_rng(seed)
    wrote, asked = rng.normal(size=6), rng.normal(size=6)

    def drawn(*shape: int) -> np.ndarray:
        return rng.normal(size=shape)

    def largest(*weights: np.ndarray) -> float:
        return float(sum(np.linalg.norm(each, 2, axis=(-2, -1)).sum() for each in weights))

    def answer(layer: Layer, t: float) -> float:
        return float(np.linalg.norm(run(layer, np.stack([t * wrote, asked])[None])[0, 1]))

    q, k, v, first = drawn(1, 4, 6), drawn(steps, 1, 4, 6), drawn(steps, 1, 5, 6), drawn(1, 5, 4)
    product = DeltaProduct(q, k, v, drawn(steps, 1, 6), drawn(1, 6), first, beta_max)
    back = drawn(1, 4, 5), drawn(1, 4, 5), drawn(1, 5, 5)
    recurrent = RecurrentDelta(q, k[0], v[0], drawn(1, 6), *back, drawn(1, 5), first)
    itself = SelfReferential(drawn(1, 3 + 2 * 6 + 4, 6))
    length, other = np.linalg.norm(wrote), np.linalg.norm(asked)
    for t in (1.0, 10.0, 1e3, 1e6):
        written = largest(first) + 2 * largest(v) * (t * length + other)
        assert answer(product, t) <= written * largest(q) * other
        assert answer(recurrent, t) <= written + 2 * largest(back[2]) * np.sqrt(5)
        assert answer(itself, t) <= 3 * largest(itself.W_0) * other


@pytest.mark.parametrize(("precision", "least"), [("float32", -149), ("float16", -24), ("bfloat16", -133)])
def test_rounding_is_no_linear_map(precision, least: int) -> None:
    """The example in docs/fastweight.md: parity, with rate 1, of subnormal numbers."""
    key = np.array([[[[0, 1], [0, 1]]]]) / np.sqrt(2)
    first, rates = np.array([[[2.0**least, 0]]]), np.array([[[-1000.0, 1000.0]]])
    layer = DeltaProduct(np.array([[[1.0, 1.0], [0, 0]]]), key, np.zeros((1, 1, 1, 2)), rates, W_0=first)
    word = np.random.default_rng(0).integers(0, 2, 10_000)
    answers = started(layer, np.eye(2), precision).feed(word)[:, 0]
    assert np.array_equal(answers < 2.0 ** (least - 1), np.cumsum(word) % 2 == 1)


@settings(max_examples=60)
@given(st.integers(2, 20), st.integers(0, 2**32 - 1), st.sampled_from(PRECISIONS), st.sampled_from([0.02, 0.3, 0.7]))
def test_levels_keep_away_from_thresholds_in_every_precision(points: int, seed: int, precision, resets: float) -> None:
    """Random permutations, exchanges and resets: by 1/32 at least, so no errors of rounding add up."""
    rng = np.random.default_rng(seed)
    exchanged = np.arange(points)
    exchanged[[0, points - 1]] = exchanged[[points - 1, 0]]
    permutes = [Permute(tuple(exchanged.tolist())), *(Permute(tuple(rng.permutation(points).tolist())) for _ in "ab")]
    wanted = [Reset(int(point)) for point in rng.integers(0, points, 4)]
    component = Component(points, (*wanted, *permutes))
    stage = cascade_to_stack(Cascade(("",) * 6, (Level((component,), {}),), ())).stages[0]
    kinds = rng.random(3_000) < resets
    word = np.where(kinds, rng.integers(1, 4, 3_000), rng.integers(4, 7, 3_000))
    answers = started(stage.layer, stage.embedded, precision).feed(np.array([0, *word]))
    assert np.abs(answers[:, :, None] - np.array(stage.thresholds[0])).min() > 1 / 32
    point, first = wanted[0].point, int(points > 2)
    for token, answer in zip(word.tolist(), answers[1:], strict=True):
        action = component.actions[token]
        point = action.point if isinstance(action, Reset) else action.targets[point]
        bits = answer > stage.thresholds[0][1]
        assert sum(int(bit) << n for n, bit in enumerate(bits)) == point + first
