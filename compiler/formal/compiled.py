"""Exact weights for the languages of the suite, where there are constructions, and how far they are run.

Regular languages are automata, compiled to any target that can express them. The others are counters with a finite
control (`compiler.fastweight.counter_languages`), compiled to any layer that counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from compiler.fastweight.automata.transitions import Shown
from compiler.fastweight.counter_languages import COUNTER_LANGUAGES
from compiler.fastweight.counter_stack import COUNTERS, counter_stack
from compiler.fastweight.stack import Stack
from compiler.fastweight.target import Target
from compiler.fastweight.targets import NotExpressibleError, compile_to
from compiler.formal.tasks import TASKS
from compiler.formal.training import Key
from compiler.program.regular import from_regex

LENGTH = 10_000
"""How long the words are that compiled layers are run on."""
WORDS = 4
"""And how many, beside the shortest."""

TARGETS: dict[str, Target] = {
    "linear": "linear",
    "deltanet": "delta",
    "deltanet-negative": "deltaproduct",
    "deltaproduct": "deltaproduct",
    "recurrent-delta": "recurrent-delta",
    "srwm": "srwm",
}
REGULAR = {"parity": "(0|10*1)*", "(aa)*": "(aa)*", "(abab)*": "(abab)*"}


def exact_stack(layer: str, task: str) -> Stack[Shown] | None:
    """The exact stack of a layer for a language, by the names of the suite; None where there is no construction."""
    if layer not in TARGETS:
        return None
    if task in REGULAR:
        program = from_regex(REGULAR[task], tuple(TASKS[task].alphabet))
        try:
            model = compile_to(program, TARGETS[layer])
        except NotExpressibleError:
            return None
        assert isinstance(model.core, Stack)
        one = all(size.steps == 1 for size in model.sizes)
        return model.core if one or layer == "deltaproduct" else None
    return counter_stack(COUNTER_LANGUAGES[task], layer) if layer in COUNTERS else None


def compiled_cells(keys: Iterable[Key]) -> dict[Key, int]:
    """For each layer and language that is compiled the length up to which it was run without a mistake."""
    return {key: LENGTH for key in keys if _is_right(*key)}


@cache
def _is_right(layer: str, task: str) -> bool:
    """Whether there is a stack. Raises ArithmeticError if it makes a mistake."""
    stack = exact_stack(layer, task)
    if stack is None:
        return False
    for word in _words(task):
        said = [each.accepts for each in stack.run(word)][1:]
        if said != TASKS[task].labels(word).tolist():
            raise ArithmeticError(f"{layer} shows something else than {task}; this is a mistake of the compiler")
    return True


def _words(task: str) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    rng = np.random.default_rng(0)
    for length in (*range(1, 30), *[LENGTH] * WORDS):
        yield TASKS[task].draw(rng, length)
