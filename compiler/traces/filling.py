"""Certified data for guarded systems: runs are kept while they show something new, until they show all there is.

What a question shows is the vector of token counts there; one span for each question (a token, whatever the location).
A run is kept up to the last question at which it shows something that is not in the span yet, and asked only at such
questions. The set is certified when
the spans contain the closed hulls around them (`domain.hulls`), and with them every configuration that can be reached.
Whether they do is asked only when runs have shown nothing new for a while; until then it could not be. Some machines
have runs that never fill their hulls; then the set is made of free runs (`domain.free_runs`), whose spans are known.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.domain.closing import closed
from compiler.domain.free_runs import free_hulls
from compiler.domain.guarded import STEPS, runs_of, starts_of
from compiler.domain.hulls import Hull, Rows
from compiler.domain.system import IDLE, System
from compiler.errors import DataError
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowering import Turn
from compiler.program_to_rules.machine import LoweredMachine
from compiler.spans import Span

PATIENCE = 20
"""Runs without anything new before closure is asked for, doubled each time that it does not hold."""
MOST_RUNS = 5_000
"""The most runs that are drawn: by then nearly all that runs show was shown, and what is missing will not come."""
ONCE = 200
"""The same for machines, which have free runs where it does not hold."""
BATCH = 20
LARGE_BATCH = 500
"""The same for universal machines, which need many runs."""

Place: TypeAlias = tuple[int, int, NDArray[np.int64]]
"""A question: the number of its run, its place there, the counts (1 + T,)."""


class Filled:
    """Runs and what they show.

    Attributes
    ----------
    runs
        The runs that are kept, each asked only where it shows something new.
    shown
        Location -> the counts (1 + T,) that were new there, in order: independent rows.
    questions
        Question -> what it shows, where it is asked in several locations.
    cut, taken
        Whether a run was cut before it stopped or repeated; the runs that were looked at.
    """

    def __init__(self, system: System, most: Mapping[int, int] | None = None) -> None:
        """`most` are dimensions by location beyond which nothing is new, where they are known."""
        self.system = system
        self.most: Mapping[int, int] = {} if most is None else most
        self.runs: list[list[Turn]] = []
        self.shown: dict[int, list[NDArray[np.int64]]] = {}
        self.spans: dict[int, Span] = {}
        self.questions: dict[int, Span] = {}
        self.cut = False
        self.taken = 0

    def take(self, runs: Sequence[list[Turn]]) -> int:
        """Keep the runs as far as they show anything new in some location; how many do."""
        self.taken += len(runs)
        self.cut |= any(len(turns) > STEPS for turns in runs)
        new: dict[int, list[int]] = {}
        wanted: set[tuple[int, int]] = set()
        full = {location for location, span in self.spans.items() if span.size == self.most.get(location)}
        for location, seen in _by_location(self.system, runs, full).items():
            span = self.spans.setdefault(location, Span(self.system.size + 1))
            fresh = [seen[at] for at in span.extend(np.stack([counts for _, _, counts in seen])).tolist()]
            for number, place, counts in fresh:
                self.shown.setdefault(location, []).append(counts)
                new.setdefault(number, []).append(place)
            wanted |= {(number, place) for number, place, _ in self._new_to_question(location, fresh)}
        for number, places in sorted(new.items()):
            asked = {place for place in places if (number, place) in wanted}
            self.runs.append(_asked(runs[number][: max(places) + 1], asked))
        return len(new)

    def _new_to_question(self, location: int, fresh: list[Place]) -> list[Place]:
        """Those of what is new in a location that its question shows in no other location."""
        if not self.system.situations or not fresh:
            return fresh
        span = self.questions.setdefault(self.system.asked_at[location], Span(self.system.size + 1))
        return [fresh[at] for at in span.extend(np.stack([counts for _, _, counts in fresh])).tolist()]

    def show(self, location: int, rows: Sequence[NDArray[np.int64]]) -> None:
        """Take in counts (1 + T,) that are shown in a location, or sums of such, as far as they are new there."""
        span = self.spans.setdefault(location, Span(self.system.size + 1))
        self.shown.setdefault(location, []).extend(row for row in rows if span.add(row))


def _asked(turns: list[Turn], places: set[int]) -> list[Turn]:
    """A run that is asked only at `places`."""
    return [(name, answer if place in places else None) for place, (name, answer) in enumerate(turns)]


def hulls_of(found: Filled) -> dict[int, Hull]:
    """The span of what is shown in each location, exactly. Raises DataError where it has no small integer basis."""
    hulls = {}
    for location, shown in found.shown.items():
        rows = np.stack(shown)
        hull = Hull.spanned(found.spans[location])
        hulls[location] = Hull.of(rows) if hull is None or hull.outside(rows).any() else hull
    return hulls


def missing(system: System, hulls: Mapping[int, Hull]) -> tuple[dict[int, Hull], dict[int, Rows]]:
    """The closed hulls around `hulls`, and by location what of them is shown at no question of the same token."""
    around = closed(system, hulls)
    by_question: dict[int, list[Rows]] = {}
    for location, hull in hulls.items():
        by_question.setdefault(system.asked_at[location], []).append(hull.basis)
    shown = {
        q: hulls[q] if len(rows) == 1 and q in hulls else Hull.of(np.concatenate(rows))
        for q, rows in by_question.items()
    }
    found = {}
    for location, hull in around.items():
        if location != IDLE:
            known = shown.get(system.asked_at[location])
            outside = np.ones(hull.dimension, dtype=np.bool_) if known is None else known.outside(hull.basis)
            if outside.any():
                found[location] = hull.basis[outside]
    return around, found


def filled(system: System, seed: int = 0) -> tuple[Filled, bool]:
    """Runs whose configurations span all that the system can reach, and whether they are proved to.

    They are where the closed hulls say so, and where every run there is was taken, each until it stops or comes back
    to a configuration: what it adds to the counts then repeats, so the span grows no more. The second is exact, and
    possible for machines of few cells; the hulls are a superset, which runs of some machines do not fill.

    Raises DataError where spans have no small integer basis.
    """
    found = Filled(system)
    runs = runs_of(system, seed)
    if isinstance(system.lowering, LoweredUniversalMachine):  # drawn at random, its runs fill the hulls never
        for _ in range(0, MOST_RUNS, LARGE_BATCH):
            found.take(list(islice(runs, LARGE_BATCH)))
        return found, False
    if starts_of(system) is None:
        return found, _filled_by(runs, found)
    for batch in iter(lambda: list(islice(runs, BATCH)), []):
        found.take(batch)
    return found, not found.cut or _closed(found)


def spans_of_runs(system: System) -> tuple[dict[int, Hull], bool]:
    """By location the span of what runs show, exactly, and whether it is that of all runs.

    Which rows are new is decided modulo a prime; where all runs are taken, every row is looked at once more, exactly.
    Raises DataError where a span has no small integer basis, or the prime has hidden a row.
    """
    found, complete = filled(system)
    hulls = hulls_of(found)
    complete &= starts_of(system) is not None
    runs = runs_of(system) if complete else iter(())
    for batch in iter(lambda: list(islice(runs, BATCH)), []):
        for location, seen in _by_location(system, batch).items():
            if hulls[location].outside(np.stack([counts for _, _, counts in seen])).any():
                raise DataError("a span is larger than it is modulo a prime")
    return hulls, complete


def _by_location(system: System, runs: Sequence[list[Turn]], but: Container[int] = ()) -> dict[int, list[Place]]:
    """The questions of runs by location, but for some of these."""
    found: dict[int, list[Place]] = {}
    for number, turns in enumerate(runs):
        for place, location, counts in system.counts(turns, but):
            found.setdefault(location, []).append((number, place, counts))
    return found


def fills_freely(system: System, shown: Mapping[int, Sequence[NDArray[np.int64]]]) -> bool:
    """Whether independent rows (modulo a prime, so over the rationals too) span all that free runs can."""
    return all(
        len(rows := shown.get(location, ())) == hull.dimension and not hull.outside(np.stack(rows)).any()
        for location, hull in free_hulls(system).items()
    )


def _filled_by(runs: Iterator[list[Turn]], found: Filled) -> bool:
    """Take `runs` until the hulls around what they show are closed; of machines, closure is asked for only once."""
    patience, idle = (ONCE if isinstance(found.system.lowering, LoweredMachine) else PATIENCE), 0
    for _ in range(0, MOST_RUNS, BATCH):
        idle = 0 if found.take(list(islice(runs, BATCH))) else idle + BATCH
        if idle >= patience:
            closed = _closed(found)
            if closed or patience == ONCE:
                return closed
            patience, idle = 4 * patience, 0
    return _closed(found)


def _closed(found: Filled) -> bool:
    """Whether all that the hulls allow was shown."""
    return not missing(found.system, hulls_of(found))[1]
