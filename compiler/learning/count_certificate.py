"""The certificate for memories and machines, in the space of token counts.

Data determine what is answered to a last token t on all configurations whose counts lie in the span of those that the
data show with t last: their features are S (x) t, and S is linear in the counts. So data are certified when, for each
question, this span contains all that the program can reach there. What it can reach is known exactly for machines of
few cells, whose runs are all taken; else it is bounded by hulls that are closed under the steps of the program, grown
from what the data show (`domain.hulls`). The condition is sufficient, and asks each question by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.domain.closing import closed
from compiler.domain.free_runs import free_hulls
from compiler.domain.guarded import runs_of, starts_of, system_of
from compiler.domain.hulls import Hull, Rows
from compiler.domain.system import System
from compiler.errors import DataError
from compiler.learning.elimination import rank as rank_of
from compiler.learning.witness import Input, Witness
from compiler.program_to_rules.lowering import Asks, Lowering, Turn
from compiler.program_to_rules.machine import LoweredMachine
from compiler.program_to_rules.memory import LoweredMemory
from compiler.spans import Span
from compiler.traces.data_set import DataSet
from compiler.traces.filling import Filled, fills_freely, hulls_of, spans_of_runs

TRIED = 2_000
"""The runs that are looked through for one that shows what the data leave open."""

MOST_INPUTS = 30
"""The inputs on which a witness is looked for."""


@dataclass(frozen=True)
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
        A short input whose last answer the data leave open; None if certified, or if none was found. Of a real memory,
        its tokens. Of memories and machines it is one whose counts of tokens the data do not show; whether its answer
        is open, `witness` says.
    """

    certified: bool
    rank: int
    span: int
    undetermined: tuple[str, ...] | None
    search: Callable[[], Witness | None] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def witness(self) -> Witness | None:
        """Two models that fit the data alike, and an input that tells them apart; None if certified, or not found.

        It is looked for at the first access, which learns a model.
        """
        return None if self.search is None else self.search()


Inputs: TypeAlias = Callable[[], Iterator[Input]]
"""What may be left open, the best first."""


def certificate_of_counts(data: DataSet, lowering: Lowering) -> tuple[Certificate, Inputs]:
    """The certificate of runs of a memory or a machine, and what may be open. Raises DataError, UnsupportedError."""
    system = system_of(lowering)
    return certificate_of_shown(shown_by(data, lowering, system))


def certificate_of_shown(shown: Filled) -> tuple[Certificate, Inputs]:
    """The certificate for what is shown in each location of a memory or a machine, and what may be open.

    Raises DataError.
    """
    system, lowering = shown.system, shown.system.lowering
    rank = _dimension(system, {location: np.stack(rows) for location, rows in shown.shown.items() if rows})
    if isinstance(lowering, LoweredMachine) and fills_freely(system, shown.shown):
        return Certificate(True, rank, rank, None), lambda: iter(())
    try:
        left, span = _left_open(system, questions_shown(system, shown))
    except DataError:  # what is shown has no small basis, so it is not all that can be reached, which has one
        hulls = free_hulls(system) if isinstance(lowering, LoweredMachine) else closed(system, {})
        left, span = True, _dimension(system, _bases({n: hull for n, hull in hulls.items() if n in system.asked_at}))
    best = _undetermined(system, shown) if left else None
    named = None if best is None else _given(system, best)
    return Certificate(not left, rank, span, named), partial(_inputs, system, shown, best)


def shown_by(data: DataSet, lowering: Lowering, system: System) -> Filled:
    """What runs of a program show at its questions. Raises DataError for data that are not its runs."""
    shown = Filled(system)
    shown.take(_turns(data, lowering))
    return shown


def questions_shown(system: System, shown: Filled) -> dict[int, Hull]:
    """By question, the span of what is shown there. Raises DataError where one has no small integer basis."""
    if not system.situations:
        return hulls_of(shown)
    found: dict[int, list[Rows]] = {}
    for location, rows in shown.shown.items():
        found.setdefault(system.asked_at[location], []).append(np.stack(rows))
    return {question: Hull.of(np.concatenate(rows)) for question, rows in found.items()}


def hulls_around(system: System, spans: Mapping[int, Hull]) -> dict[int, Hull]:
    """Closed hulls by location: grown from what questions show where these are the locations, else from nothing."""
    return closed(system, {} if system.situations else spans)


def _left_open(system: System, spans: Mapping[int, Hull]) -> tuple[bool, int]:
    """Whether something that the program may reach is in none of `spans`, and the dimension of all that it may."""
    reached = hulls_around(system, spans) if starts_of(system) is None else spans_of_runs(system)[0]
    asked = {location: hull for location, hull in reached.items() if location in system.asked_at}
    left = any(_outside(spans, system, location, hull.basis) for location, hull in asked.items())
    return left, _dimension(system, _bases(asked))


def _bases(hulls: Mapping[int, Hull]) -> dict[int, Rows]:
    return {location: hull.basis for location, hull in hulls.items()}


def _dimension(system: System, independent: Mapping[int, Rows]) -> int:
    """The dimensions of what independent rows (by location) span at each question, summed."""
    found: dict[int, list[Rows]] = {}
    for location, rows in independent.items():
        found.setdefault(system.asked_at[location], []).append(rows)
    return sum(len(rows[0]) if len(rows) == 1 else rank_of(np.concatenate(rows)) for rows in found.values())


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


def _outside(spans: Mapping[int, Hull], system: System, location: int, rows: NDArray[np.int64]) -> bool:
    span = spans.get(system.asked_at[location])
    return span is None or bool(span.outside(rows).any())


def _spans_by_question(system: System, shown: Filled) -> dict[int, Span]:
    spans: dict[int, Span] = {}
    for location, rows in shown.shown.items():
        span = spans.setdefault(system.asked_at[location], Span(system.size + 1))
        span.extend(np.stack(rows))
    return spans


def _undetermined(system: System, shown: Filled) -> list[Turn] | None:
    """A short run, up to a question at which the data do not show its counts.

    Modulo a prime, as the rank is; None where no run that was tried is such.
    """
    spans = _spans_by_question(system, shown)
    best: list[Turn] | None = None
    for number, turns in enumerate(runs_of(system)):
        if number == TRIED:
            break
        for place, location, counts in system.counts(turns if best is None else turns[: len(best) - 1]):
            known = spans.get(system.asked_at[location])
            if known is None or known.rest(counts).any():
                best = turns[: place + 1]
                break
    return best


def _given(system: System, turns: list[Turn]) -> tuple[str, ...]:
    """What a run is given, by the names of its tokens; of a memory without what it holds at the start."""
    answers = {place + 1 for place, (_, answer) in enumerate(turns) if answer is not None}
    lowering = system.lowering
    prompt = len(list(lowering.inputs(()))) if isinstance(lowering, LoweredMemory) else 0
    return tuple(name for place, (name, _) in enumerate(turns) if place not in answers and place >= prompt)


def _inputs(system: System, shown: Filled, best: list[Turn] | None) -> Iterator[Input]:
    """The run `best`, then the first run that shows more counts than the data at each of some other questions."""
    if best is None:
        return
    yield input_of(system.lowering, _given(system, best), best)
    spans = _spans_by_question(system, shown)
    met: set[int] = set()
    for turns in islice(runs_of(system), TRIED):
        for place, location, counts in system.counts(turns):
            question = system.asked_at[location]
            known = spans.get(question)
            if question not in met and (known is None or known.rest(counts).any()):
                met.add(question)
                yield input_of(system.lowering, _given(system, turns[: place + 1]), turns[: place + 1])
        if len(met) >= MOST_INPUTS:
            return


def input_of(lowering: Lowering, names: tuple[str, ...], turns: Sequence[Turn]) -> Input:
    """An input, by name, whose run are `turns`; the answer to the last of them is looked at."""
    vectors = np.stack([lowering.tokens[name] for name, _ in turns])
    return Input(names, vectors.astype(np.int64))
