"""Memories and counters as fast-weight layers, against the interpreter and direct definitions."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import UnsupportedError
from compiler.fastweight.counters.language_to_stack import COUNTERS, counter_stack
from compiler.fastweight.counters.languages import COUNTER_LANGUAGES
from compiler.fastweight.counters.memory_to_counts import counting, real_memory_layer
from compiler.fastweight.layer import run
from compiler.fastweight.memory_to_stack import spelled
from compiler.fastweight.stack import UndecodedError
from compiler.fastweight.target import TARGETS
from compiler.fastweight.targets import NotExpressibleError, compile_to, explain
from compiler.language.load import load
from compiler.program.memory import Memory

PRECISIONS = ("float64", "float32", "float16", "bfloat16")


@st.composite
def memories(draw) -> Memory:
    keys = tuple(f"k{n}" for n in range(draw(st.integers(1, 4))))
    values = tuple(f"v{n}" for n in range(draw(st.integers(1, 5))))
    stored = draw(
        st.lists(st.tuples(st.sampled_from(keys), st.sampled_from(values)), max_size=3, unique_by=lambda x: x[0])
    )
    return Memory("drawn", keys, values, draw(st.sampled_from(["latest", "first", "sum"])), tuple(stored))


@settings(max_examples=150)
@given(memories(), st.integers(0, 2**32 - 1), st.sampled_from(TARGETS), st.sampled_from(PRECISIONS))
def test_memories_answer_as_the_interpreter(memory: Memory, seed: int, target, precision) -> None:
    said = explain(memory, target)
    if not said.expressible:
        with pytest.raises(NotExpressibleError):
            compile_to(memory, target)
        return
    model = compile_to(memory, target)
    requests = [tuple(each.split(" = ")) if " = " in each else each for each in spelled(memory)]
    numbers = np.random.default_rng(seed).integers(0, len(requests), 60)
    word = [requests[number] for number in numbers]
    assert model.run(word, precision=precision) == memory.run(word)
    shown = [answer for answer in model.core.run_by_definition(numbers.tolist()) if answer is not None]
    assert tuple(shown) == memory.run(word).output


def test_which_memories_a_target_can_express() -> None:
    by_write = {write: replace(Memory("m", ("a",), ("x", "y")), write=write) for write in ("latest", "first", "sum")}
    found = {target: [explain(memory, target).expressible for memory in by_write.values()] for target in TARGETS}
    assert found == {
        "linear": [False, True, True],
        "delta": [True, True, False],
        "deltaproduct": [True, True, True],
        "recurrent-delta": [True, True, True],
        "srwm": [True, True, True],
    }
    assert explain(Memory("m", ("a",), ("x",)), "linear").expressible


@pytest.mark.parametrize("target", ["linear", "deltaproduct", "srwm"])
def test_counts_that_have_no_room_are_noticed(target) -> None:
    model = counting(load("votes"), target)
    with pytest.raises(UndecodedError, match="no room"):
        list(model.run([0] * 300 + [len(model.letters) - 3], precision="bfloat16"))
    assert list(model.run([0] * 300 + [len(model.letters) - 3], precision="float16"))[-1].count("yes") >= 300


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(0, 20))
def test_real_memories_are_the_layer(seed: int, pairs: int) -> None:
    memory, rng = load("vectors"), np.random.default_rng(seed)
    keys, values, query = (rng.integers(-5, 6, shape) for shape in ((pairs, 16), (pairs, 16), (16,)))
    model = compile_to(memory, "linear")
    assert np.array_equal(model.recall(keys, values, query), memory.recall(keys, values, query))
    with pytest.raises(UnsupportedError, match="recall"):
        model.run([])
    assert real_memory_layer(memory).inputs == 48
    assert "which reads 48 numbers" in explain(memory, "linear").reason
    for target, why in (("delta", "faster than t"), ("srwm", "three times"), ("recurrent-delta", "length 1")):
        assert explain(memory, target).expressible is False
        assert why in explain(memory, target).reason


def is_balanced(text: str) -> bool:
    while "()" in text:
        text = text.replace("()", "")
    return not text


CONTAINS: dict[str, Callable[[str], bool]] = {
    "a^n b^n": lambda text: text == "a" * text.count("a") + "b" * text.count("a"),
    "a^n b^n c^n": lambda text: text == "".join(letter * text.count("a") for letter in "abc"),
    "Shuffle-2": lambda text: (
        is_balanced(text.replace("[", "").replace("]", ""))
        and is_balanced(text.replace("(", "").replace(")", "").replace("[", "(").replace("]", ")"))
    ),
    "Dyck-1": is_balanced,
    "reset Dyck-1": lambda text: is_balanced(text.rpartition("r")[2]),
}


@pytest.mark.parametrize("layer", COUNTERS)
@pytest.mark.parametrize("name", COUNTER_LANGUAGES)
def test_counter_languages_by_definition(name: str, layer) -> None:
    language = COUNTER_LANGUAGES[name]
    stack = counter_stack(language, layer)
    if name == "reset Dyck-1" and layer == "linear":
        assert stack is None
        return
    assert stack is not None
    rng, members = np.random.default_rng(0), 0
    words = [rng.integers(0, len(language.letters), rng.integers(0, 12)).tolist() for _ in range(400)]
    words += [sorted(word) for word in words] + [
        [0] * n + [1] * n + [2] * n for n in range(5) if len(language.letters) > 2
    ]
    for word in words:
        text = "".join(language.letters[letter] for letter in word)
        expected = [CONTAINS[name](text[:length]) for length in range(len(text) + 1)]
        members += sum(expected[1:])
        for precision in PRECISIONS:
            assert [each.accepts for each in stack.run(word, precision=precision)] == expected
        assert [each.accepts for each in stack.run_by_definition(word)] == expected
    assert members > 10


def test_a_layer_of_float32_is_run_in_float32() -> None:
    layer = real_memory_layer(load("vectors"))
    narrow = replace(layer, W_q=layer.W_q.astype("f4"), W_k=layer.W_k.astype("f4"), W_v=layer.W_v.astype("f4"))
    assert run(narrow, np.ones((1, 2, 48))).dtype == np.float32
