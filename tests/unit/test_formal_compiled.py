"""Exact weights for the formal languages, at every position of long words."""

import numpy as np
import pytest

from compiler.fastweight.counters.languages import COUNTER_LANGUAGES
from compiler.fastweight.stack import Stack
from compiler.formal import compiled
from compiler.formal.compiled import compiled_cells, exact_stack
from compiler.formal.expressible import EXPRESSIBLE
from compiler.formal.layers import LAYERS
from compiler.formal.tasks import TASKS

ALL = [(layer, task) for layer in LAYERS for task in TASKS]


def test_every_language_is_compiled_and_only_where_it_can_be() -> None:
    cells = compiled_cells(ALL)
    for layer in ("deltaproduct", "recurrent-delta", "srwm"):
        assert {task for name, task in cells if name == layer} == set(TASKS)
    assert all(EXPRESSIBLE[key][0] for key in cells)
    halved = {key for key, length in cells.items() if length < 10_000}
    assert halved == {(layer, task) for layer in ("deltanet", "delta-rnn") for task in COUNTER_LANGUAGES}
    assert len(cells) == 49
    proved = {key for key, (known, _) in EXPRESSIBLE.items() if known}
    assert {layer for layer, _ in proved - cells.keys()} == {"linear-normalised", "softmax", "lstm"}
    assert set(cells.values()) == {149, 10_000}


def test_rates_up_to_2_need_one_step() -> None:
    for task in TASKS:
        stack = exact_stack("deltanet-negative", task)
        assert stack is not None
        assert all(len(stage.layer.W_k) == 1 and stage.layer.w_alpha is None for stage in stack.stages)


@pytest.mark.parametrize("key", [key for key in ALL if exact_stack(*key) is not None], ids=" ".join)
def test_words_that_no_generator_draws(key: tuple[str, str]) -> None:
    stack, task = exact_stack(*key), TASKS[key[1]]
    assert stack is not None
    rng = np.random.default_rng(0)
    for length in (*range(1, 12), 100):
        for _ in range(10):
            word = rng.integers(0, len(task.alphabet), length)
            assert [each.accepts for each in stack.run(word)][1:] == task.labels(word).tolist()
        assert next(iter(stack.run(word))).accepts == task.contains("")


def test_a_mistake_of_the_compiler_is_noticed(monkeypatch) -> None:
    def wrong(layer: str, task: str) -> Stack | None:
        return exact_stack(layer, "Dyck-1" if task == "a^n b^n" else task)

    monkeypatch.setattr(compiled, "exact_stack", wrong)
    compiled._right_up_to.cache_clear()
    with pytest.raises(ArithmeticError, match="mistake of the compiler"):
        compiled_cells([("linear", "a^n b^n")])
    compiled._right_up_to.cache_clear()
