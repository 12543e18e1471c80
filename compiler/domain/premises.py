"""What a stored certificate says of a program: how its runs are made, in plain numbers (docs/files.md).

This, with the constructions that it reads, is all of the compiler that a checked certificate rests on: `attnc certify
--check` makes it anew from the program and compares.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.domain.guarded import system_of
from compiler.domain.real_memory_span import keys_of
from compiler.domain.system import System
from compiler.domain.token_graph import token_graph
from compiler.errors import UnsupportedError
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowering import Lowering
from compiler.program_to_rules.real_memory import LoweredRealMemory


def premises_of(lowering: Lowering) -> dict[str, Any]:
    """The premises of certificates for a lowered program. Raises UnsupportedError for a memory in few dimensions."""
    if isinstance(lowering, LoweredRealMemory):
        return {"kind": "any", "dimension": lowering.form.d, "last": keys_of(lowering)}
    if isinstance(lowering, LoweredDenseMemory):
        raise UnsupportedError("certificates of memories in few dimensions cannot be stored in this version")
    tokens = {"dimension": lowering.form.d, "tokens": sparse(lowering.tokens.dense())}
    if isinstance(lowering, LoweredAutomaton):
        graph = token_graph(lowering)
        steps = [list(step) for step in dict.fromkeys(edge.tokens for edge in graph.edges)]
        asked = [[token] for token in graph.lasts.values()]
        return {"kind": "walks", **tokens, "start": list(graph.start_tokens), "steps": steps, "asked": asked}
    return {"kind": "guarded", **tokens, **steps_of(system_of(lowering))}


def steps_of(system: System) -> dict[str, Any]:
    """How the runs of a guarded system are made: where they begin, what may be given, and its branches."""
    initials = [
        [initial.location, sparse(initial.base[None])[0], sparse(initial.directions)] for initial in system.initials
    ]
    branches = [
        [branch.location, branch.question, [[*pair, value] for pair, value in branch.guards],
         system.appended(branch), branch.target]
        for branch in system.branches
    ]  # fmt: skip
    return {"initials": initials, "inputs": list(system.inputs), "branches": branches}


def sparse(rows: NDArray[Any]) -> list[list[list[int]]]:
    """The entries [place, value] of each row that are not zero."""
    return [[[int(place), int(row[place])] for place in np.flatnonzero(row)] for row in rows]
