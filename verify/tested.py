"""Tested: hypothesis looks for a word on which a model's tokens differ from the program's, and shrinks it."""

from __future__ import annotations

from compiler.errors import ModelError
from compiler.model import Model
from compiler.program.automaton import Automaton
from compiler.program_to_rules.lower import lower

EXAMPLES = 300
LENGTH = 50
"""The longest words that are tried, unless a bound is given."""


def failing_word(program: Automaton, model: Model, *, up_to: int | None = None) -> tuple[str, ...] | None:
    """A word, shrunk, on which the run of `model` is not the run of `program`; None where none was found."""
    from hypothesis import HealthCheck, find, settings
    from hypothesis.errors import NoSuchExample
    from hypothesis.strategies import lists, sampled_from

    lowering = lower(program)

    def fails(word: list[str]) -> bool:
        try:
            run = model.run(word)
        except ModelError:
            return True
        return not run.agrees_with(program.run(word)) or list(run.tokens) != lowering.trace(word)

    words = lists(sampled_from(program.alphabet), max_size=LENGTH if up_to is None else up_to)
    quiet = settings(
        max_examples=EXAMPLES, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    try:
        return tuple(find(words, fails, settings=quiet))
    except NoSuchExample:
        return None
