"""Tested: hypothesis looks for a word on which a model's tokens differ from the program's, and shrinks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compiler.errors import ModelError
from compiler.model import Model
from compiler.program import Program
from compiler.program.machine import Machine
from compiler.program.run import Run
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.lowering import Lowering
from verify.same_runs import described

EXAMPLES = 300
LENGTH = 50
"""The longest words that are tried, unless a bound is given."""
MOST_TOKENS = 2_000
"""The tokens of a run that are compared."""


def failing_word(program: Program, model: Model, *, up_to: int | None = None) -> tuple[Any, ...] | None:
    """A word, shrunk, on which the run of `model` is not the run of `program`; None where none was found."""
    from hypothesis import HealthCheck, find, settings
    from hypothesis.errors import NoSuchExample
    from hypothesis.strategies import lists, sampled_from

    lowering = lower(program)

    def fails(word: list[Any]) -> bool:
        try:
            return shown_by_model(model, word) != shown_by_program(lowering, word)
        except ModelError:
            return True

    longest = min(LENGTH if up_to is None else up_to, lowering.longest or 2**31)
    words = lists(sampled_from(list(dict.fromkeys(lowering.items()))), max_size=longest)
    quiet = settings(
        max_examples=EXAMPLES, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    try:
        return tuple(find(words, fails, settings=quiet))
    except NoSuchExample:
        return None


def shown_by_model(model: Model, word: Sequence[Any]) -> list[str]:
    """The tokens of the model's run, and how it ends unless it is cut. Raises ModelError."""
    run = model.run(word, max_tokens=MOST_TOKENS)
    return [*run.tokens, *_ended(run, len(run.tokens))]


def shown_by_program(lowering: Lowering, word: Sequence[Any]) -> list[str]:
    """The tokens of the program's run, and how it ends unless it is cut."""
    program: Any = lowering.program
    names = [name for name, _ in lowering.dialogue(word, MOST_TOKENS)]
    run = program.run(word, steps=MOST_TOKENS) if isinstance(program, Machine) else program.run(word)
    return [*names, *_ended(run, len(names))]


def _ended(run: Run, tokens: int) -> list[str]:
    return [described(run)] if tokens < MOST_TOKENS else []
