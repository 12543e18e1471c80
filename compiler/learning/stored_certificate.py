"""Certificates to files: what was found out, as equalities that a small checker can check without finding anything.

For each question the data span exactly what some integer equalities cut out, and these equalities hold on all that the
program can reach. Which proof shows the second depends on the family: for automata each step of a walk satisfies
them; for memories and universal programs there are equalities for every location that hold at the start and are kept
by every step; for machines whose runs can all be taken, they are taken. (`verify.check_certificate` checks them.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from compiler.domain.guarded import starts_of, system_of
from compiler.domain.hulls import Hull
from compiler.domain.premises import premises_of, sparse
from compiler.domain.token_graph import token_graph
from compiler.errors import DataError, UnsupportedError
from compiler.files.certificate_file import Stored, data_digest, text_digest
from compiler.learning.certificate import certify
from compiler.learning.count_certificate import hulls_around, questions_shown, shown_by
from compiler.program import Program
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.lowering import Lowering
from compiler.program_to_rules.machine import LoweredMachine
from compiler.program_to_rules.real_memory import LoweredRealMemory
from compiler.traces.data_set import DataSet
from compiler.traces.filling import fills_freely
from compiler.traces.fitting import fitting


def stored_certificate(data: DataSet, program: Program) -> Stored:
    """The certificate of `data` for `program` with all that a checker needs.

    Raises
    ------
    DataError
        For data that are not certified, or as `certify` does.
    UnsupportedError
        Where the certificate rests on free runs, or is one of a memory in few dimensions.
    """
    if not certify(data, program).certified:
        raise DataError("the data are not certified, so there is no certificate to store")
    data = data.integral()
    lowering = fitting(data, program)
    premises = premises_of(lowering)
    return Stored(text_digest(str(program)), data_digest(data), premises, _proof(data, lowering))


def _proof(data: DataSet, lowering: Lowering) -> dict[str, Any]:
    if isinstance(lowering, LoweredRealMemory):
        d, keys = lowering.form.d, premises_of(lowering)["last"]
        return {"kind": "features", "rank": keys * d * (d + 1) // 2}
    if isinstance(lowering, LoweredAutomaton):
        return _walks(lowering)
    system = system_of(lowering)
    shown = shown_by(data, lowering, system)
    listed = starts_of(system) is not None
    if not listed and isinstance(lowering, LoweredMachine) and fills_freely(system, shown.shown):
        raise UnsupportedError("the data are certified by free runs, and that cannot be stored in this version")
    spans = questions_shown(system, shown)
    questions = [[q, sparse(hull.equations), hull.dimension] for q, hull in sorted(spans.items())]
    if listed:
        return {"kind": "paths", "questions": questions}
    around = hulls_around(system, spans)
    locations = [[n, sparse(hull.basis), sparse(hull.equations)] for n, hull in sorted(around.items())]
    return {"kind": "inductive", "locations": locations, "questions": questions}


def _walks(lowering: LoweredAutomaton) -> dict[str, Any]:
    """The features that walks show, and the equalities between them."""
    graph = token_graph(lowering)
    low, high = np.triu_indices(lowering.form.d)
    squares = graph.vectors[:, low] * graph.vectors[:, high]
    features: list[list[int]] = []
    equalities: list[Any] = []
    rank = 0
    for symbol, last in graph.lasts.items():
        rows = np.vstack([graph.base(symbol)[None], graph.steps]) @ squares
        met = np.flatnonzero(rows.any(axis=0))
        hull = Hull.of(rows[:, met])
        (e,) = np.flatnonzero(graph.vectors[last]).tolist()
        equalities += [[[len(features) + p, v] for p, v in row] for row in sparse(hull.equations)]
        features += [[e, int(b), int(c)] for b, c in zip(low[met], high[met], strict=True)]
        rank += hull.dimension
    return {"kind": "features", "features": features, "equalities": equalities, "rank": rank}
