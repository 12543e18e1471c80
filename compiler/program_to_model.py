"""The way down, in order: program -> rules -> heads -> model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from compiler.model import Model
from compiler.program import Automaton, Program
from compiler.program_to_rules.lower import Construction, Fewest, lower

if TYPE_CHECKING:
    from compiler.rules_to_few_heads import FewHeads


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
        Takes the construction (with registers) that has the fewest ``heads``, ``dimensions``, or ``tokens`` a step, and
        the default among equals. Universal automata have three and universal machines two; every other family has one,
        which has the fewest of all that there is. With ``heads`` its heads are then made fewer where the same function
        allows it (`few_heads`). It leaves the program as it is: to have fewer states, `minimise`.
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
        For a family of programs that this version has no construction for; for a history without a bound of at least
        1, or of more than 20,000 coordinates or 200,000 tokens; for `fewest` with a history, or another measure.
    """
    if minimise and isinstance(program, Automaton):
        program = program.minimised()
    return compiled(program, fewest, construction, bound).model


class Compiled(NamedTuple):
    """A model, and what is known of the fewest heads of its function where these were asked for."""

    model: Model
    heads: FewHeads | None


def compiled(
    program: Program,
    fewest: Fewest | None = None,
    construction: Construction = "registers",
    bound: int | None = None,
) -> Compiled:
    """See `compile`."""
    lowering = lower(program, construction, bound, fewest)
    model = Model(lowering.coordinates, lowering.heads, lowering.tokens, program)
    if fewest != "heads":
        return Compiled(model, None)
    from compiler.few_heads import few_heads

    found = few_heads(model)
    return Compiled(replace(model, heads=found.heads) if len(found.heads) < len(model.heads) else model, found)
