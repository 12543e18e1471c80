"""The least run of a universal program at whose last token a model answers otherwise: of all programs, tapes, words.

Runs are compared by their number of tokens up to the difference, then by the tokens that are given (the table, the
tape, the start, the word), one after the other in the order of the vocabulary.

There are too many tables to try them all, and a run reads few of their entries. So a cell, or an entry of the table,
is chosen when it is read, as busy beavers are enumerated. What is never read stands in the prompt all the same, and a
wrong model may read it. But at a fixed last token, what the model answers beyond the program is a sum over the tokens
so far, sum_j D[j], where D comes from the difference of their rules. Let what was not read have its least choices.

* If the sum is not zero, this is the least way to fill what was not read.
* If it is, a way to fill it has another sum only if some place has a choice with another D than its least one has. The
  least of these ways changes one place, the last that has such a choice, to the first such choice: before it every
  place has its least choice, and what stands behind it makes no difference.

So no choice is lost, none is tried in vain, and the search by length is complete: what it finds is the least of all,
unless it ends at its bound on the runs that it looks at. A run that cannot come in time to a token at which the rules
differ is not followed: how far that is, is known from the tokens alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowering import Lowering
from compiler.program_to_rules.universal_machine import LoweredPointerMachine
from compiler.program_to_rules.universal_machine_registers import LoweredRegistersMachine
from compiler.rules import Form
from compiler.vocabulary import Vocabulary
from verify.lazy_machine_runs import PointerRuns, RegistersRuns
from verify.lazy_runs import UNREAD, AutomatonRuns, LazyRun, LazyRuns
from verify.same_on_hulls import Differs

MOST_RUNS = 300_000
"""The most beginnings of runs that are looked at."""

MOST_QUESTIONS = 100
"""The most questions of such a run."""

Row: TypeAlias = dict[int, int]
"""What one token adds to an answer: coordinate -> number, without zeros."""


class Least(NamedTuple):
    """The least run with a difference that was found, and whether it is the least of all."""

    differs: Differs | None
    complete: bool


class _Enough(Exception):  # noqa: N818 - no error: the bound on what is looked at
    pass


def least_run(
    lowering: LoweredUniversalAutomaton | LoweredUniversalMachine, rest: Form, most: int | None = None
) -> Least:
    """The least run, of at most `most` questions, at whose last one `rest` (program minus model) is not zero."""
    runs = _runs(lowering)
    best, complete = _Search(runs, Excess(rest, lowering.tokens)).shortest(most)
    if best is None:
        return Least(None, complete)
    turns = islice(runs.turns(best.run, best.choices), len(runs.places) + len(best.run.after))
    given = tuple(lowering.tokens.names[token] for token in best.given)
    return Least(Differs(given, tuple(turns)), complete)


def _runs(lowering: Lowering) -> AutomatonRuns | PointerRuns | RegistersRuns:
    if isinstance(lowering, LoweredUniversalAutomaton):
        return AutomatonRuns(lowering)
    if isinstance(lowering, LoweredPointerMachine):
        return PointerRuns(lowering)
    assert isinstance(lowering, LoweredRegistersMachine)
    return RegistersRuns(lowering)


class Excess:
    """By how much the answers of a program and a model differ, by the last token and the tokens so far."""

    def __init__(self, rest: Form, tokens: Vocabulary) -> None:
        self.rest = rest
        self.tokens = tokens
        self.having: dict[int, dict[int, int]] = {}
        self.rows: dict[int, dict[int, Row]] = {}

    def asked(self) -> set[int]:
        """The tokens at which the rules may differ."""
        places = np.unique(self.rest.index[:, 0])
        entries = np.flatnonzero(np.isin(self.tokens.places, places))
        return set(np.unique(np.searchsorted(self.tokens.ends, entries, side="right") - 1).tolist())

    def at(self, last: int) -> Mapping[int, Row]:
        """D by token, where `last` is the last one; tokens that add nothing are left out."""
        if last not in self.rows:
            found: dict[int, Row] = {}
            for e, z in self.tokens.listed(last).items():
                begin, end = np.searchsorted(self.rest.index[:, 0], [e, e + 1]).tolist()
                rules = zip(self.rest.index[begin:end].tolist(), self.rest.weights[begin:end].tolist(), strict=True)
                for (_, b, c, a), weight in rules:
                    left, right = self._having(b), self._having(c)
                    for token in left.keys() & right.keys():
                        row = found.setdefault(token, {})
                        row[a] = row.get(a, 0) + weight * z * left[token] * right[token]
            kept = {token: {a: value for a, value in row.items() if value} for token, row in found.items()}
            self.rows[last] = {token: row for token, row in kept.items() if row}
        return self.rows[last]

    def _having(self, place: int) -> dict[int, int]:
        """The tokens that have a coordinate, with their values."""
        if place not in self.having:
            entries = np.flatnonzero(self.tokens.places == place)
            numbers = np.searchsorted(self.tokens.ends, entries, side="right") - 1
            values = self.tokens.values_of_entries[entries]
            self.having[place] = dict(zip(numbers.tolist(), map(int, values.tolist()), strict=True))
        return self.having[place]


class _Found(NamedTuple):
    """A run, how its prompt is filled, and all tokens that are given, by which runs of one length are ordered."""

    given: tuple[int, ...]
    choices: tuple[int, ...]
    run: LazyRun[Any]


class _Search:
    """All runs of one length after the other, by depth."""

    def __init__(self, runs: LazyRuns[Any], excess: Excess) -> None:
        self.runs = runs
        self.excess = excess
        self.far = _distances(runs, excess.asked())
        self.looked = 0

    def shortest(self, most: int | None) -> tuple[_Found | None, bool]:
        """The least run, of at most `most` questions; and whether none was left out."""
        begins = [run for run in self.runs.begins() if run.after[-1] in self.far]
        best: _Found | None = None
        left = 0
        try:
            while begins and best is None and left != most:
                if left == MOST_QUESTIONS:
                    raise _Enough
                for begin in (run for run in begins if self.far[run.after[-1]] <= left):
                    for run in self._runs(begin, left):
                        best = min(filter(None, (best, self._least(run))), default=None)
                left += 1
        except _Enough:
            return best, False
        return best, True

    def _runs(self, run: LazyRun[Any], left: int) -> Iterator[LazyRun[Any]]:
        """The runs with `left` more questions than `run` that end where the rules differ."""
        self.looked += 1
        if self.looked > MOST_RUNS:
            raise _Enough
        if left == 0:
            yield run
            return
        for longer in self.runs.longer(run, lambda question: self.far.get(question, left) < left):
            yield from self._runs(longer, left - 1)

    def _least(self, run: LazyRun[Any]) -> _Found | None:
        """The least way to fill the prompt of `run` that makes the answers to its last token differ."""
        rows = self.excess.at(run.after[-1])
        ways = [way for allowed in self.runs.allowed(run) if (way := self._filled(run, rows, allowed))]
        return min((self._found(run, way) for way in ways), default=None)

    def _found(self, run: LazyRun[Any], choices: tuple[int, ...]) -> _Found:
        prompt = (place[choice] for place, choice in zip(self.runs.places, choices, strict=True))
        return _Found((*prompt, *self.runs.given(run)), choices, run)

    def _filled(
        self, run: LazyRun[Any], rows: Mapping[int, Row], allowed: Sequence[Sequence[int]]
    ) -> tuple[int, ...] | None:
        """The argument of the module's docstring."""
        places = self.runs.places
        filled = [some[0] if choice == UNREAD else choice for choice, some in zip(run.choices, allowed, strict=True)]
        total: Counter[int] = Counter()
        for token in (*(place[choice] for place, choice in zip(places, filled, strict=True)), *run.after):
            for coordinate, value in rows.get(token, {}).items():
                total[coordinate] += value
        if any(total.values()):
            return tuple(filled)
        for n in reversed(range(len(filled))):
            least = rows.get(places[n][filled[n]], {})
            for choice in allowed[n] if run.choices[n] == UNREAD else ():
                if rows.get(places[n][choice], {}) != least:
                    return (*filled[:n], choice, *filled[n + 1 :])
        return None


def _distances(runs: LazyRuns[Any], ends: set[int]) -> dict[int, int]:
    """How many questions lie between a question and the nearest of `ends`, whatever is read."""
    before: dict[int, list[int]] = defaultdict(list)
    for question in runs.questions:
        for follower in runs.followers(question):
            before[follower].append(question)
    queue = [question for question in runs.questions if question in ends]
    far = dict.fromkeys(queue, 0)
    for question in queue:
        for earlier in before[question]:
            if earlier not in far:
                far[earlier] = far[question] + 1
                queue.append(earlier)
    return far
