"""Counters of self-referential weights and of the Recurrent Delta network, against sums of integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import UnsupportedError
from compiler.fastweight.counters import bits as in_bits
from compiler.fastweight.counters import columns
from compiler.fastweight.counters.language_to_stack import counter_stack
from compiler.fastweight.counters.languages import COUNTER_LANGUAGES, CounterLanguage
from compiler.fastweight.counters.memory_to_counts import Counts, counting
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.kernels.runs import started
from compiler.fastweight.layer import run
from compiler.fastweight.memory_to_stack import spelled
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.stack import UndecodedError
from compiler.formal.tasks import TASKS
from compiler.language.load import load

PRECISIONS = ("float64", "float32", "float16", "bfloat16")
Adds = list[tuple[int, ...] | None]


@st.composite
def letters(draw) -> Adds:
    """What one to four letters add to one to three counters; None resets."""
    counters = draw(st.integers(1, 3))
    adds = st.tuples(*[st.integers(-1, 1)] * counters)
    return [draw(adds), *draw(st.lists(st.none() | adds, max_size=3))]


def drawn(adds: Adds, seed: int, length: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, len(adds), length)


def counts_of(adds: Adds, word: np.ndarray) -> np.ndarray:
    """The counters (n + 1, counters) before the first letter and after each."""
    counts = [[0] * len(next(each for each in adds if each is not None))]
    for letter in word:
        added = adds[letter]
        counts.append([0 if added is None else count + added[n] for n, count in enumerate(counts[-1])])
    return np.array(counts)


@settings(max_examples=150)
@given(letters(), st.integers(0, 2**32 - 1), st.sampled_from(PRECISIONS))
def test_self_referential_answers_are_the_counts(adds: Adds, seed: int, precision) -> None:
    word = drawn(adds, seed, 120)
    layer, embeddings = columns.counters(adds)
    tokens = np.concatenate([[0], 1 + word])
    expected = counts_of(adds, word)
    if None in adds:
        in_all = [(0,) * expected.shape[1] if each is None else each for each in adds]
        expected = np.hstack([expected, counts_of(in_all, word)])
    assert np.array_equal(started(layer, embeddings, precision).feed(tokens), expected)
    assert np.array_equal(run(layer, embeddings[tokens][None])[0], expected)


@settings(max_examples=150)
@given(letters(), st.integers(0, 2**32 - 1), st.sampled_from(PRECISIONS), st.sampled_from([3, 4, 7, 25]))
def test_recurrent_delta_answers_are_the_bits(adds: Adds, seed: int, precision, bits: int) -> None:
    word = drawn(adds, seed, 120)
    layer, tokens = in_bits.counters(adds, bits), np.concatenate([[0], 1 + word])
    after = counts_of(adds, word)
    for answers in (
        started(layer, np.eye(layer.inputs), precision).feed(tokens),
        run(layer, np.eye(layer.inputs)[tokens][None])[0],
    ):
        each = answers.reshape(len(tokens), after.shape[1], bits + 3)
        assert np.abs(each[..., :bits]).min() >= 20
        assert np.array_equal(each[..., :bits] > 0, after[..., None] >> np.arange(bits) & 1)
        for t, letter in enumerate(word, start=1):
            for n, added in enumerate(adds[letter] or ()):
                zero = each[t, n, bits + 1 + added]
                assert abs(zero) >= 0.5
                assert (zero > 0) == (after[t, n] % 2**bits == 0)


@pytest.mark.parametrize("bits", [3, 4, 5])
@pytest.mark.parametrize("name", COUNTER_LANGUAGES)
def test_counts_beyond_the_bits_are_refused_and_no_others(name: str, bits: int) -> None:
    language, task, rng = COUNTER_LANGUAGES[name], TASKS[name], np.random.default_rng(0)
    adds, refused = [language.adds[letter] for letter in language.letters], 0
    stack = counter_stack(language, "recurrent-delta", bits=bits)
    assert stack is not None
    for length in range(60):
        word = task.draw(rng, length) if length % 2 else rng.integers(0, len(adds), length)
        counts = counts_of(adds, word)
        if (counts >= 2 ** (bits - 2)).any() or (counts < -(2 ** (bits - 2))).any():
            refused += 1
            with pytest.raises(UndecodedError, match="no room"):
                list(stack.run(word))
        else:
            assert [each.accepts for each in stack.run(word)][1:] == task.labels(word).tolist()
    assert 0 < refused < 60


@pytest.mark.parametrize("precision", PRECISIONS)
def test_tallies_beyond_the_bits_are_refused(precision) -> None:
    memory = load("votes")
    layer = in_bits.tallies(3, 3, bits=5)
    core = Counts(spelled(memory), memory.values, layer, counting(memory, "linear").stored)
    ask = len(core.letters) - 1
    assert list(core.run([8] * 7 + [ask], precision=precision))[-1] == "+".join(["abstention"] * 7)
    for more in (8, 16, 40):
        with pytest.raises(UndecodedError, match="no room in 3 bits"):
            list(core.run([8] * more + [ask], precision=precision))


@pytest.mark.parametrize(("precision", "most"), [("bfloat16", 127), ("float16", 1023)])
@pytest.mark.parametrize("layer", ["linear", "deltanet-negative", "deltaproduct", "srwm"])
def test_counts_are_exact_up_to_the_last_that_has_room(layer, precision, most: int) -> None:
    stack = counter_stack(COUNTER_LANGUAGES["Dyck-1"], layer)
    assert stack is not None
    shown = [each.accepts for each in stack.run([0] * most + [1] * most, precision=precision)]
    assert shown == [True, *[False] * (2 * most - 1), True]
    with pytest.raises(UndecodedError, match=f"a count of {most + 1} has no room in {precision}"):
        list(stack.run([0] * (most + 1), precision=precision))


def test_a_self_referential_counter_that_resets_is_refused_by_the_count_of_all() -> None:
    stack = counter_stack(COUNTER_LANGUAGES["reset Dyck-1"], "srwm")
    assert stack is not None
    word = np.array(([0] * 60 + [2]) * 3)
    shown = [each.accepts for each in stack.run(word[:122], precision="bfloat16")]
    assert shown[1:] == TASKS["reset Dyck-1"].labels(word[:122]).tolist()
    with pytest.raises(UndecodedError, match=r"a count of 1\d\d has no room in bfloat16"):
        list(stack.run(word, precision="bfloat16"))
    assert [each.accepts for each in stack.run(word)][1:] == TASKS["reset Dyck-1"].labels(word).tolist()


@pytest.mark.parametrize("layer", ["srwm", "recurrent-delta"])
def test_counters_go_in_steps_of_one(layer) -> None:
    language = CounterLanguage(("a",), {"a": (2,)}, "", lambda *_: "", lambda *_: True)
    with pytest.raises(UnsupportedError, match="steps of 1"):
        counter_stack(language, layer)
    assert counter_stack(language, "deltanet-negative") is not None


@pytest.mark.parametrize("name", COUNTER_LANGUAGES)
def test_deltanet_counts_with_one_step_a_token_and_no_decay(name: str) -> None:
    stack = counter_stack(COUNTER_LANGUAGES[name], "deltanet-negative")
    assert stack is not None
    for stage in stack.stages:
        assert isinstance(stage.layer, DeltaProduct)
        assert (len(stage.layer.W_k), stage.layer.w_alpha) == (1, None)


@given(st.lists(st.sampled_from("abr"), max_size=60))
def test_halves_compare_counts(word: list[str]) -> None:
    """The statement of compiler/formal/expressible.py on the Recurrent Delta network, exact in float64 for 2^-60."""
    tokens = np.array(["^abr".index(each) for each in ["^", *word]])
    rates = np.array([[1024.0, 0, -1024, 1024], [1024, -1024, 0, 1024]])
    values = np.array([[[1.0, 0, 0, 1]]] * 2)
    nothing, ones = np.zeros((2, 1, 1)), np.ones((2, 1, 4))
    layer = RecurrentDelta(ones, ones, values, rates, nothing, nothing, nothing, nothing[:, 0])
    answers = run(layer, np.eye(4)[tokens][None])[0]
    counts = counts_of([(1,), (-1,), None], tokens[1:] - 1)[:, 0]
    assert np.array_equal(np.sign(answers[:, 1] - answers[:, 0]), np.sign(counts))
