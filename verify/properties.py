"""Properties of a program, decided on a model: by the product with an automaton that the model is proved to run.

That automaton is the program, where the model is proved to be it at every length; else the one that can be read from
the model's weights, with a proof. Where the model is near to the program alone (level decisions), its runs are the
program's up to the horizon, and so far the product decides.
"""

from __future__ import annotations

from compiler.errors import DecompileError
from compiler.heads_to_rules import products
from compiler.model import Model
from compiler.program import Automaton
from compiler.program.properties import Property, least_violation
from verify.decompiled import decompile
from verify.verdict import PropertyVerdict, Verdict

MOST_PRODUCTS = 1_000_000
"""Heads with more products are not read: those of compiled automata have few, and trained weights are no automaton."""
SAME = "the model's runs are the program's"
READ = "the model's runs are those of the automaton that was read from it, with a proof"


def decided_properties(program: Automaton, model: Model, runs: Verdict) -> tuple[PropertyVerdict, ...]:
    """What holds of the runs of `model`, over the coordinates of `program`, for each property of the program.

    `runs` is the verdict on program and model that climbed to the strongest level.
    """
    if runs.verdict == "proved" and runs.lengths == "all":
        return tuple(_decided(program, claim, SAME) for claim in program.properties)
    try:
        read = _read(model)
    except DecompileError as problem:
        if runs.level == "decisions" and isinstance(runs.lengths, int):
            return tuple(_up_to(program, claim, runs.lengths) for claim in program.properties)
        why = f"the model is not the program, and nothing was read from it: {problem}"
        return tuple(PropertyVerdict(str(claim), "undecided", None, None, why) for claim in program.properties)
    return tuple(_decided(read, claim, READ) for claim in program.properties)


def _read(model: Model) -> Automaton:
    """The automaton that the model runs. Raises DecompileError where none can be read."""
    if (most := products(model.heads)) > MOST_PRODUCTS:
        raise DecompileError(f"its heads have {most:,} products, and up to {MOST_PRODUCTS:,} are read")
    read = decompile(model)
    assert isinstance(read, Automaton)
    return read


def _decided(automaton: Automaton, claim: Property, why: str) -> PropertyVerdict:
    word = least_violation(automaton, claim)
    if word is None:
        return PropertyVerdict(str(claim), "proved", "all", None, why)
    return PropertyVerdict(str(claim), "refuted", None, word, why)


def _up_to(program: Automaton, claim: Property, length: int) -> PropertyVerdict:
    """What the program says of the model on the words on which it decides alike."""
    why = f"{SAME} on words of up to {length:,} symbols"
    word = least_violation(program, claim, up_to=length)
    if word is None:
        return PropertyVerdict(str(claim), "proved", length, None, why)
    return PropertyVerdict(str(claim), "refuted", None, word, why)
