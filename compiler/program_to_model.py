"""The way down, in order: program -> rules -> heads -> model."""

from __future__ import annotations

from typing import Literal

from compiler.errors import UnsupportedError
from compiler.model import Model
from compiler.program import Automaton, Program
from compiler.program_to_rules.lower import lower
from compiler.rules_to_heads import rules_to_heads

Fewest = Literal["heads", "dimensions", "tokens"]


def compile(program: Program, *, fewest: Fewest | None = None, minimise: bool = False) -> Model:
    """The layer of linear attention that runs `program`, exactly, on words of every length.

    Parameters
    ----------
    fewest
        What to minimise beyond the default; no construction of this version offers a choice.
    minimise
        First take the automaton with the fewest states that has the same runs.

    Raises
    ------
    UnsupportedError
        For a family of programs, or a choice, that this version has no construction for.
    """
    if fewest is not None:
        raise UnsupportedError(f"fewest={fewest!r}: automata have one construction in this version; leave it out")
    if minimise and isinstance(program, Automaton):
        program = program.minimised()
    lowering = lower(program)
    return Model(lowering.coordinates, rules_to_heads(lowering.form), lowering.tokens, program)
