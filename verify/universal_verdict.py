"""Universal programs against models whose rules are not theirs: short runs, hulls, random runs, then the least run."""

from __future__ import annotations

from compiler.errors import DataError, UnsupportedError
from compiler.model import Model
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.rules import Form
from verify.least_run import MOST_RUNS, least_run
from verify.replay import replayed
from verify.same_on_hulls import Differs, least_difference, proved
from verify.verdict import EXACT, INDUCTION, SPANNED, Judged

FEW_QUESTIONS = 4
"""The questions of the runs that are looked at before anything is analysed: two steps of a machine, two symbols."""
MANY_ANSWERS = 50_000
"""The answers of random runs that are compared before anything is analysed."""
LEAST = "the counterexample is the least: of fewest tokens, then first in the order of the vocabulary"
NOT_LEAST = f"the counterexample is the shortest found in {MOST_RUNS:,} beginnings of runs, and perhaps not the least"


def universal_verdict(
    lowering: LoweredUniversalAutomaton | LoweredUniversalMachine, model: Model, rest: Form
) -> Judged:
    """Whether `model` is the universal program; `rest`, not empty, are the program's rules minus the model's.

    The counterexample is the least of all programs and inputs, where the search comes to its end; the assumptions say
    whether it did. Else it is the shortest of those found, by the search or in random runs.
    """
    least = least_run(lowering, rest, FEW_QUESTIONS)
    if least.differs is not None:
        return _refuted(lowering, model, least.differs, least.complete)
    differs, _ = least_difference(model, lowering, MANY_ANSWERS)
    why = "they differ on a superset of what can be reached, and no run that was tried shows it"
    if differs is None:
        try:
            if proved(model, lowering):
                return Judged("proved", "domain", None, (EXACT, SPANNED, INDUCTION))
        except (UnsupportedError, DataError) as problem:
            why = str(problem)
    least = least_run(lowering, rest, None if differs is None else _questions(differs))
    found = least.differs or differs
    if found is None:
        return Judged("undecided", "domain", None, (EXACT, why))
    return _refuted(lowering, model, found, least.complete)


def _questions(differs: Differs) -> int:
    return sum(answer is not None for _, answer in differs.turns)


def _refuted(
    lowering: LoweredUniversalAutomaton | LoweredUniversalMachine, model: Model, differs: Differs, complete: bool
) -> Judged:
    shown = replayed(lowering, model, differs.word, differs.turns)
    return Judged("refuted", "domain", shown, (EXACT, INDUCTION, LEAST if complete else NOT_LEAST))
