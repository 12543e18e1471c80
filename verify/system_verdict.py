"""Memories and machines against models: everywhere, by the rules; on the domain, by rules, hulls or runs."""

from __future__ import annotations

from compiler.errors import DataError, UnsupportedError
from compiler.heads_to_rules import MOST_RULES, exact_heads, exact_rules, live_rules, products
from compiler.model import Model
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowering import Lowering
from compiler.program_to_rules.real_memory import LoweredRealMemory
from verify.replay import replayed
from verify.same_function import difference, exact_form
from verify.same_on_dense import dense_verdict
from verify.same_on_hulls import FEW_ANSWERS, Differs, least_difference, proved
from verify.same_on_vectors import vectors_verdict
from verify.universal_verdict import universal_verdict
from verify.verdict import EXACT, INDUCTION, RULES, SPANNED, Judged, Verdict
from verify.vocabulary import different_tokens

LIVE = "the rules that its own tokens can bring to bear are those that the program compiles to"
ALL_TRIED = "every input that fits was tried"


def system_verdict(lowering: Lowering, model: Model) -> Judged:
    """Whether `model`, over the coordinates of `lowering`, is its program, at the strongest level that holds."""
    if isinstance(lowering, LoweredRealMemory):
        return vectors_verdict(lowering, model)
    own = exact_form(lowering.form)
    odd = different_tokens(lowering.tokens, model.vocabulary)
    if odd:
        why = f"the model embeds {odd[0]!r} otherwise than the program, and this version decides only equal embeddings"
        return Judged("undecided", "domain", None, (EXACT, why))
    listed = products(model.heads) <= MOST_RULES
    if listed and not len(difference(own, exact_rules(model.heads, model.coordinates))):
        return Judged("proved", "everywhere", None, (EXACT, RULES))
    heads, below = exact_heads(model.heads)
    live = live_rules(heads, model.coordinates, lowering.tokens.pairs())
    rest = difference(own, (live, below))
    if not len(rest):
        return Judged("proved", "domain", None, (EXACT, LIVE, INDUCTION))
    if isinstance(lowering, LoweredDenseMemory):
        return dense_verdict(lowering, model)
    if isinstance(lowering, LoweredUniversalAutomaton | LoweredUniversalMachine):
        return universal_verdict(lowering, model, rest)
    differs, _ = least_difference(model, lowering, FEW_ANSWERS)
    return _refuted(lowering, model, differs) if differs is not None else _analysed(lowering, model)


def _refuted(lowering: Lowering, model: Model, differs: Differs) -> Judged:
    shown = replayed(lowering, model, differs.word, differs.turns)
    return Judged("refuted", "domain", shown, (EXACT, INDUCTION), len(differs.turns))


def _analysed(lowering: Lowering, model: Model) -> Judged:
    """The verdict on other rules than the program's: by what spans all that is reachable, else by all inputs."""
    try:
        if proved(model, lowering):
            return Judged("proved", "domain", None, (EXACT, SPANNED, INDUCTION))
        why = "they differ on a superset of what can be reached, and no run that was tried shows it"
    except (UnsupportedError, DataError) as problem:
        why = str(problem)
    differs, complete = least_difference(model, lowering)
    if differs is not None:
        return _refuted(lowering, model, differs)
    if complete:
        return Judged("proved", "domain", None, (EXACT, ALL_TRIED, INDUCTION))
    return Judged("undecided", "domain", None, (EXACT, why))


def as_verdict(judged: Judged) -> Verdict:
    """The verdict, without the digests."""
    lengths = "all" if judged.verdict == "proved" else None
    return Verdict(judged.verdict, judged.level, lengths, judged.counterexample, judged.assumptions, "", "")  # type: ignore[arg-type]
