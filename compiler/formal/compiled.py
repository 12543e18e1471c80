"""Exact weights for the languages of the suite, where there are constructions, and how far they are run.

Regular languages are automata, compiled to any target that can express them. The others are counters with a finite
control (`compiler.fastweight.counters.languages`), compiled to any layer that counts, some of them as far as they can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from compiler.fastweight.automata.cascade_to_delta_rnn import delta_rnn_stack
from compiler.fastweight.automata.cascade_to_stack import cascade_to_stack
from compiler.fastweight.automata.holonomy_to_cascade import holonomy_cascade
from compiler.fastweight.automata.orbits import by_orbits
from compiler.fastweight.automata.transitions import Shown, transitions
from compiler.fastweight.counters.language_to_stack import COUNTERS, counter_stack
from compiler.fastweight.counters.languages import COUNTER_LANGUAGES
from compiler.fastweight.stack import Stack, halvings
from compiler.fastweight.target import Target
from compiler.fastweight.targets import NotExpressibleError, compile_to
from compiler.formal.tasks import TASKS
from compiler.formal.training import Key
from compiler.program.regular import from_regex

LENGTH = 10_000
"""How long the words are that compiled layers are run on, where they have room for them."""
WORDS = 4
"""And how many, beside the shortest."""

TARGETS: dict[str, Target] = {
    "linear": "linear",
    "deltanet": "delta",
    "deltaproduct": "deltaproduct",
    "recurrent-delta": "recurrent-delta",
    "srwm": "srwm",
}
REGULAR = {"parity": "(0|10*1)*", "(aa)*": "(aa)*", "(abab)*": "(abab)*"}


def exact_stack(layer: str, task: str) -> Stack[Shown] | None:
    """The exact stack of a layer for a language, by the names of the suite; None where there is no construction."""
    if task not in REGULAR:
        return counter_stack(COUNTER_LANGUAGES[task], layer) if layer in COUNTERS else None
    program = from_regex(REGULAR[task], tuple(TASKS[task].alphabet))
    if layer in ("delta-rnn", "deltanet-negative"):  # which have no target of their own; orbits here have two points
        cascade = holonomy_cascade(transitions(program))
        return delta_rnn_stack(cascade) if layer == "delta-rnn" else cascade_to_stack(by_orbits(cascade))
    if layer not in TARGETS:
        return None
    try:
        model = compile_to(program, TARGETS[layer])
    except NotExpressibleError:
        return None
    assert isinstance(model.core, Stack)
    return model.core


def compiled_cells(keys: Iterable[Key]) -> dict[Key, int]:
    """For each layer and language that is compiled the length up to which it was run without a mistake."""
    return {key: length for key in keys if (length := _right_up_to(*key))}


@cache
def _right_up_to(layer: str, task: str) -> int:
    """The length of the longest words; 0 if there is no stack. Raises ArithmeticError if it makes a mistake."""
    stack = exact_stack(layer, task)
    if stack is None:
        return 0
    longest = min(LENGTH, halvings("float32")) if any(stage.halves for stage in stack.stages) else LENGTH
    for word in _words(task, longest):
        said = [each.accepts for each in stack.run(word)][1:]
        if said != TASKS[task].labels(word).tolist():
            raise ArithmeticError(f"{layer} shows something else than {task}; this is a mistake of the compiler")
    return longest


def _words(task: str, longest: int) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    rng = np.random.default_rng(0)
    for length in (*range(1, 30), *[longest] * WORDS):
        yield TASKS[task].draw(rng, length)
