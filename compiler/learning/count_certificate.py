"""The certificate for memories and machines, in the space of token counts.

Data determine what is answered to a last token t on all configurations whose counts lie in the span of those that the
data show with t last: their features are S (x) t, and S is linear in the counts. So data are certified when, for each
question, this span contains all that the program can reach there. What it can reach is known exactly for machines of
few cells, whose runs are all taken; else it is bounded by hulls that are closed under the steps of the program, grown
from what the data show (`domain.hulls`). The condition is sufficient, and asks each question by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.domain.guarded import runs_of, starts_of, system_of
from compiler.domain.hulls import Hull, Rows
from compiler.domain.system import System
from compiler.errors import DataError
from compiler.program_to_rules.lowering import Asks, Lowering, Turn
from compiler.traces.data_set import DataSet
from compiler.traces.filling import Filled, filled, hulls_of, missing

TRIED = 2_000
"""The runs that are looked through for one that shows what the data leave open."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Whether data determine a program's answers on its whole domain.

    Attributes
    ----------
    certified
        The verdict.
    rank
        The rank of the data.
    span
        The dimension of the span of all configurations that the program can reach.
    undetermined
        A shortest input whose last answer the data leave open; None if certified. Of a real memory, its tokens.
    """

    certified: bool
    rank: int
    span: int
    undetermined: tuple[str, ...] | None


def certificate_of_counts(data: DataSet, lowering: Lowering) -> Certificate:
    """The certificate of runs of a memory or a machine. Raises DataError, UnsupportedError."""
    system = system_of(lowering)
    shown = Filled(system)
    shown.take(_turns(data, lowering))
    hulls = hulls_of(shown.shown)
    if starts_of(system) is not None:
        reached = filled(system)[0]
        by_question = _spans(system, hulls)
        left = {n: rows for n, rows in hulls_of(reached.shown).items() if _outside(by_question, system, n, rows.basis)}
        span = sum(len(rows) for rows in reached.shown.values())
    else:
        around, open_rows = missing(system, hulls)
        left = {n: around[n] for n in open_rows}
        span = sum(hull.dimension for n, hull in around.items() if n in system.asked_at)
    rank = sum(hull.dimension for hull in hulls.values())
    return Certificate(not left, rank, span, _undetermined(system, hulls) if left else None)


def _turns(data: DataSet, lowering: Lowering) -> list[list[Turn]]:
    """The sequences by the names of their tokens; a supervised question is answered by something."""
    vectors = lowering.tokens.dense().astype(np.int64)
    numbers = {row.tobytes(): number for number, row in enumerate(vectors)}
    names, asks = lowering.tokens.names, lowering.asks
    rows = np.ascontiguousarray(data.tokens.astype(np.int64))
    found = []
    for part in data.sequences():
        turns: list[Turn] = []
        for place in range(part.start, part.stop):
            token = numbers.get(rows[place].tobytes())
            if token is None:
                program = f"{lowering.program.kind} {lowering.program.name}"
                raise DataError(f"row {place} of the data is no token of {program}, so they are not its runs")
            asked = data.supervised[place] and asks[token] != Asks.NOTHING
            turns.append((names[token], "" if asked else None))
        found.append(turns)
    return found


def _spans(system: System, hulls: Mapping[int, Hull]) -> dict[int, Hull]:
    """What is shown at each question, whatever the location."""
    found: dict[int, list[Rows]] = {}
    for location, hull in hulls.items():
        found.setdefault(system.asked_at[location], []).append(hull.basis)
    return {question: Hull.of(np.concatenate(rows)) for question, rows in found.items()}


def _outside(spans: Mapping[int, Hull], system: System, location: int, rows: NDArray[np.int64]) -> bool:
    span = spans.get(system.asked_at[location])
    return span is None or bool(span.outside(rows).any())


def _undetermined(system: System, hulls: Mapping[int, Hull]) -> tuple[str, ...] | None:
    """What is given in a short run whose last question the data leave open, by the names of its tokens."""
    spans = _spans(system, hulls)
    best: list[Turn] | None = None
    for number, turns in enumerate(runs_of(system)):
        if number == TRIED:
            break
        for place, location, counts in system.counts(turns if best is None else turns[: len(best) - 1]):
            if _outside(spans, system, location, counts[None]):
                best = turns[: place + 1]
                break
    if best is None:
        return None
    answers = {place + 1 for place, (_, answer) in enumerate(best) if answer is not None}
    prompt = len(list(system.lowering.inputs(()))) if system.inputs else 0
    return tuple(name for place, (name, _) in enumerate(best) if place not in answers and place >= prompt)
