"""Decisions: the nearest token is right, at every length or up to the exact horizon, with the least word that fails."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from verify.verdict import EXACT, Counterexample, Verdict
from verify.vocabulary import embedded_as, least_misread, read_otherwise

FED_BACK = (
    "each answer is decoded to the nearest of the program's answer tokens, which is fed back; a tie decides nothing"
)
MARGINS = (
    "margins are linear in the steps of a walk: for each a bound by cycle means and potentials, checked on every edge"
)
AT_LEAST = "longer words were not decided: the bound is sound, and the search ends there"
ONE_OF_THE_LEAST = "the word is of the least length, though maybe not the first of these in the order of the alphabet"


def disturbed(tolerance: Fraction) -> tuple[str, ...]:
    """What is asked of a decision beside being right."""
    return (f"a decision has to stay right however the answer is moved by up to {tolerance}",) if tolerance else ()


def decisions_verdict(
    graph: TokenGraph, own: LoweredAutomaton, model: Model, up_to: int | None, tolerance: Fraction = Fraction(0)
) -> Verdict:
    """Whether `model` decides as the program of `graph`, whose tokens are embedded as the model embeds them.

    `own` embeds them as the program does: outcome and output must be read alike as well, unless by name. With `up_to`
    only words of up to this length count; with a `tolerance` decisions must stay right if answers are moved by so
    much. Raises UnsupportedError where there are too many margins.
    """
    found = Decisions(graph, ModelAnswers(model.heads, graph).to, tolerance).horizon()
    misread = least_misread(graph, own, graph.lowering)
    if misread is not None and _comes_first(graph, misread, found):
        found = Horizon(len(misread) - 1, misread)
        shown: Counterexample | None = read_otherwise(misread, own, graph.lowering)
    else:
        shown = None if found.word is None else _decided_otherwise(graph, found, model, tolerance)
    rests = EXACT, FED_BACK, *disturbed(tolerance), MARGINS, *embedded_as(graph, own)
    if found.lengths is None:
        return Verdict("proved", "decisions", "all" if up_to is None else up_to, None, rests, "", "")
    if up_to is not None and up_to <= found.lengths:
        return Verdict("proved", "decisions", up_to, None, rests, "", "")
    if shown is None:
        return Verdict("undecided", "decisions", found.lengths, None, (*rests, AT_LEAST), "", "")
    which = () if found.repeated is None else (ONE_OF_THE_LEAST,)
    return Verdict(
        "refuted", "decisions", found.lengths if found.lengths >= 0 else None, shown, (*rests, *which), "", ""
    )


def _comes_first(graph: TokenGraph, misread: Word, found: Horizon) -> bool:
    """Whether the word is at most the least one that is decided otherwise."""
    order = word_order(graph)
    if found.word is not None and found.repeated is None:
        return order(misread) <= order(found.word)
    return found.lengths is None or len(misread) <= found.lengths


def _decided_otherwise(graph: TokenGraph, found: Horizon, model: Model, tolerance: Fraction) -> Counterexample:
    """The counterexample, replayed by the definition of the layer. Raises ArithmeticError if it is none.

    In coordinates in which the program's rules are not known no rule is blamed.
    """
    assert found.word is not None
    lowering, (expected, asked, counts) = graph.lowering, _run(graph.lowering, found)
    vectors, below = scaled(np.stack([lowering.tokens[name] for name in (*counts, asked)]))
    tokens, last = vectors[:-1].astype(object), vectors[-1].astype(object)
    memory = tokens.T @ (tokens * np.array(list(counts.values()), dtype=object)[:, None])
    heads, denominator = exact_heads(model.heads)
    got = sum(head.V.apply(memory @ head.Q.apply(last)) for head in heads) + np.zeros(model.d, dtype=object)
    answer = np.array([Fraction(int(value), denominator * below**3) for value in got.tolist()], dtype=object)
    choices = {graph.names[number]: graph.vectors[number] for number in answer_tokens(graph).tolist()}
    said, wrong = _said(expected, answer, choices, tolerance)
    where = f"the answer to {lowering.letters[found.word[-1]]}, token {counts.total()}"
    blame = None
    if len(lowering.form):
        configuration = memory / below**2, last / below
        blame = most_to_blame(model, lowering.form, *configuration, choices[expected], choices[wrong])
    return Counterexample(found.word, expected, said, where, blame, found.repeated)


def _run(lowering: LoweredAutomaton, found: Horizon) -> tuple[str, str, Counter[str]]:
    """The right answer to the last token, that token, and how often each token is there by then."""
    assert found.word is not None
    *seen, expected = lowering.trace(found.word)
    counts = Counter(seen)
    if found.repeated is not None:
        begin, end, times = found.repeated
        once_more = Counter(lowering.trace((*found.word[:end], *found.word[begin:]))[:-1])
        once_more.subtract(counts)
        counts.update({name: (times - 1) * count for name, count in once_more.items()})
    return expected, seen[-1], counts


def _said(
    expected: str, answer: NDArray[Any], choices: dict[str, NDArray[Any]], tolerance: Fraction
) -> tuple[str, str]:
    """What is wrong with an answer, and the token that it is taken for or may be. Raises ArithmeticError if none is."""
    names = list(choices)
    near = [names[number] for number in nearest_tokens(answer, np.stack(list(choices.values())))]
    if near != [expected]:
        said = near[0] if len(near) == 1 else "a tie between " + " and ".join(near[:2])
        return said, next(name for name in near if name != expected)
    for name in names:
        if name != expected and tolerance and _distance(answer, choices[expected], choices[name]) <= tolerance**2:
            return f"{expected}, but {name} where it is moved by {tolerance}", name
    raise ArithmeticError("a counterexample does not replay; this is a mistake of the verifier")


def _distance(answer: NDArray[Any], right: NDArray[Any], wrong: NDArray[Any]) -> Fraction:
    """The squared distance of an answer from what is as near to `wrong` as to `right`."""
    y, t, w = ([Fraction(x) for x in each.tolist()] for each in (answer, right, wrong))
    margin = sum(((b - c) * (2 * a - b - c) for a, b, c in zip(y, t, w, strict=True)), Fraction(0))
    return margin**2 / (4 * sum(((b - c) ** 2 for b, c in zip(t, w, strict=True)), Fraction(0)))
