"""Memories and machines against models: everywhere, by the rules; on the domain, by rules, hulls or runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.attention import Head
from compiler.errors import DataError, UnsupportedError
from compiler.exact import scaled
from compiler.heads_to_rules import MOST_RULES, exact_heads, exact_rules, live_rules, products
from compiler.model import Model
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowering import Lowering, Turn
from compiler.program_to_rules.real_memory import LoweredRealMemory
from compiler.runtime.recurrent import Recurrent
from compiler.runtime.run import LARGEST_D
from compiler.runtime.sparse_recurrent import SparseRecurrent
from compiler.vocabulary import Vocabulary
from verify.answers import Integers
from verify.same_function import difference, exact_form
from verify.same_on_dense import dense_verdict
from verify.same_on_domain import parted
from verify.same_on_hulls import FEW_ANSWERS, Differs, least_difference, proved
from verify.same_on_vectors import vectors_verdict
from verify.verdict import EXACT, INDUCTION, RULES, Counterexample, Judged, Verdict
from verify.vocabulary import different_tokens

LIVE = "the rules that its own tokens can bring to bear are those that the program compiles to"
SPANNED = "model and program answer alike on what spans all that the program can reach"
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
    if not len(difference(own, (live, below))):
        return Judged("proved", "domain", None, (EXACT, LIVE, INDUCTION))
    if isinstance(lowering, LoweredDenseMemory):
        return dense_verdict(lowering, model)
    differs, _ = least_difference(model, lowering, FEW_ANSWERS)
    return _refuted(lowering, model, differs) if differs is not None else _analysed(lowering, model)


def _refuted(lowering: Lowering, model: Model, differs: Differs) -> Judged:
    return Judged("refuted", "domain", replayed(lowering, model, differs.word, differs.turns), (EXACT, INDUCTION))


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


def replayed(lowering: Lowering, model: Model, word: tuple[object, ...], turns: tuple[Turn, ...]) -> Counterexample:
    """The counterexample at the last of `turns`, replayed token by token. Raises ArithmeticError if it is none."""
    question, name = turns[-1]
    assert name is not None
    expected, below = scaled(lowering.answer_vector(name))
    heads, denominator = exact_heads(model.heads)
    got = (_fed if model.d <= LARGEST_D else _fed_sparsely)(heads, lowering.tokens, [token for token, _ in turns])
    shown = parted(expected.astype(object), below, got.astype(object), denominator, model)
    items = tuple(item if isinstance(item, str) else f"{item[0]} = {item[1]}" for item in word)  # type: ignore[index]
    return Counterexample(items, name, shown[1], f"the answer to {question}, token {len(turns) - 1}")


def _fed(heads: Sequence[Head], tokens: Vocabulary, names: Sequence[str]) -> Integers:
    """The answer (d,) to the last of these tokens, by the recurrent form."""
    layer = Recurrent(heads, np.zeros((tokens.d, tokens.d), dtype=np.int64))
    return [layer.feed(tokens[name].astype(np.int64)) for name in names][-1]


def _fed_sparsely(heads: Sequence[Head], tokens: Vocabulary, names: Sequence[str]) -> Integers:
    """The same where all of S would be too large."""
    layer = SparseRecurrent(heads)
    for name in names:
        layer.feed(tokens.listed(tokens.numbers[name]))
    answer = layer.answer(tokens.listed(tokens.numbers[names[-1]]))
    made: Integers = np.zeros(tokens.d, dtype=object)
    made[list(answer)] = list(answer.values())
    return made


def as_verdict(judged: Judged) -> Verdict:
    """The verdict, without the digests."""
    lengths = "all" if judged.verdict == "proved" else None
    return Verdict(judged.verdict, judged.level, lengths, judged.counterexample, judged.assumptions, "", "")  # type: ignore[arg-type]
