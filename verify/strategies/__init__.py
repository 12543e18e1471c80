"""Hypothesis strategies for users' own tests: programs of every family, their words, models and changes of them.

All that they draw is legal: programs compile, and their runs end on the words that are drawn for them.

>>> from hypothesis import given
>>> from compiler.program_to_model import compile
>>> @given(runs_of(programs()))
... def test_the_layer_runs_the_program(run):
...     program, word = run
...     assert compile(program).run(word).agrees_with(program.run(word))
>>> test_the_layer_runs_the_program()
"""

from __future__ import annotations

from verify.strategies.inputs import inputs, requests, runs_of, words
from verify.strategies.models import disguises, exchanged, models, mutants, rescaled, sheared
from verify.strategies.programs import automata, grammars, machines, memories, programs

__all__ = [
    "automata",
    "disguises",
    "exchanged",
    "grammars",
    "inputs",
    "machines",
    "memories",
    "models",
    "mutants",
    "programs",
    "requests",
    "rescaled",
    "runs_of",
    "sheared",
    "words",
]
