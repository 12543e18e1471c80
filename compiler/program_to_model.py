"""The way down, in order: program -> rules -> heads -> model."""

from __future__ import annotations

from typing import Literal

from compiler.errors import UnsupportedError
from compiler.model import Model
from compiler.program import Automaton, Program
from compiler.program_to_rules.lower import Construction, lower

Fewest = Literal["heads", "dimensions", "tokens"]


def compile(
    program: Program,
    *,
    fewest: Fewest | None = None,
    minimise: bool = False,
    construction: Construction = "registers",
    bound: int | None = None,
) -> Model:
    """The layer of linear attention that runs `program`, exactly, on words of every length (a history: up to a bound).

    Parameters
    ----------
    fewest
        What to minimise beyond the default; no construction of this version offers a choice.
    minimise
        First take the automaton with the fewest states that has the same runs.
    construction
        ``registers`` keep the state in the fast weights, at every length. ``history`` is in the style of arXiv
        2410.10101: every step at coordinates of its own time, which needs a bound and grows with it; for automata and
        machines.
    bound
        For a history: the most symbols of a word, or the most steps of a machine, beyond which its runs are
        ``unfinished``; may be left out where the machine's program has a bound on its steps.

    Raises
    ------
    UnsupportedError
        For a family of programs, or a choice, that this version has no construction for; for a history without a bound
        of at least 1, or of more than 20,000 coordinates or 200,000 tokens.
    """
    if fewest is not None:
        raise UnsupportedError(f"fewest={fewest!r}: every family has one construction in this version; leave it out")
    if minimise and isinstance(program, Automaton):
        program = program.minimised()
    lowering = lower(program, construction, bound)
    return Model(lowering.coordinates, lowering.heads, lowering.tokens, program)
