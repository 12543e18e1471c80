"""Decisions: the nearest token is right, at every length or up to the exact horizon, with the least word that fails."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from compiler.domain.token_graph import TokenGraph
from compiler.exact import scaled
from compiler.heads_to_rules import exact_heads
from compiler.model import Model
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.runtime.run import nearest_tokens
from verify.answers import ModelAnswers
from verify.blame import most_to_blame
from verify.horizon import Decisions, Horizon
from verify.margins import answer_tokens
from verify.same_on_domain import Word, word_order
from verify.verdict import EXACT, OWN, Counterexample, Verdict
from verify.vocabulary import least_misread, read_otherwise

FED_BACK = (
    "each answer is decoded to the nearest of the program's answer tokens, which is fed back; a tie decides nothing"
)
MARGINS = (
    "margins are linear in the steps of a walk: for each a bound by cycle means and potentials, checked on every edge"
)
AT_LEAST = "longer words were not decided: the bound is sound, and the search ends there"


def decisions_verdict(graph: TokenGraph, own: LoweredAutomaton, model: Model, up_to: int | None) -> Verdict:
    """Whether `model` decides as the program of `graph`, whose tokens are embedded as the model embeds them.

    `own` embeds them as the program does: outcome and output must be read alike as well. With `up_to` only words of up
    to this length count. Raises UnsupportedError where there are too many margins.
    """
    found = Decisions(graph, ModelAnswers(model.heads, graph).to).horizon()
    misread = least_misread(graph, own, graph.lowering)
    if misread is not None and _comes_first(graph, misread, found):
        found = Horizon(len(misread) - 1, misread)
        shown: Counterexample | None = read_otherwise(misread, own, graph.lowering)
    else:
        shown = None if found.word is None else _decided_otherwise(graph, found.word, model)
    rests = EXACT, FED_BACK, MARGINS, OWN
    if found.lengths is None:
        return Verdict("proved", "decisions", "all" if up_to is None else up_to, None, rests, "", "")
    if up_to is not None and up_to <= found.lengths:
        return Verdict("proved", "decisions", up_to, None, rests, "", "")
    if shown is None:
        return Verdict("undecided", "decisions", found.lengths, None, (*rests, AT_LEAST), "", "")
    return Verdict("refuted", "decisions", found.lengths if found.lengths >= 0 else None, shown, rests, "", "")


def _comes_first(graph: TokenGraph, misread: Word, found: Horizon) -> bool:
    """Whether the word is at most the least one that is decided otherwise."""
    order = word_order(graph)
    if found.word is not None:
        return order(misread) <= order(found.word)
    return found.lengths is None or len(misread) <= found.lengths


def _decided_otherwise(graph: TokenGraph, word: Word, model: Model) -> Counterexample:
    """The counterexample `word`, replayed by the definition of the layer. Raises ArithmeticError if it is none."""
    lowering = graph.lowering
    trace = lowering.trace(word)
    names, counts = np.unique(trace[:-1], return_counts=True)
    vectors, below = scaled(np.stack([lowering.tokens[name] for name in (*names.tolist(), trace[-2])]))
    tokens, last = vectors[:-1].astype(object), vectors[-1].astype(object)
    memory = tokens.T @ (tokens * counts.astype(object)[:, None])
    heads, denominator = exact_heads(model.heads)
    got = sum(head.V.apply(memory @ head.Q.apply(last)) for head in heads) + np.zeros(model.d, dtype=object)
    answer = np.array([Fraction(int(value), denominator * below**3) for value in got.tolist()], dtype=object)
    choices = answer_tokens(graph).tolist()
    near = [graph.names[choices[number]] for number in nearest_tokens(answer, graph.vectors[choices])]
    if near == [trace[-1]]:
        raise ArithmeticError("a counterexample does not replay; this is a mistake of the verifier")
    said = near[0] if len(near) == 1 else "a tie between " + " and ".join(near[:2])
    where = f"the answer to {lowering.letters[word[-1]]}, token {len(trace) - 1}"
    right, wrong = (lowering.tokens[name] for name in (trace[-1], next(name for name in near if name != trace[-1])))
    blame = most_to_blame(model, lowering.form, memory / below**2, last / below, right, wrong)
    return Counterexample(word, trace[-1], said, where, blame)
