"""Domain of memories in few dimensions: a model's exact answers against those of the construction, cross talk included.

The program's answer at a question is here the raw answer of its construction, since that is what a run decodes. Where
the rules differ, inputs are tried, the shortest first, on the difference of the rules; one that differs is replayed
through the heads. Where all of the spanning runs (`domain.dense_memory_span`) agree, it is proved; they are listed for
few keys and values, and else the question is left undecided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from compiler.domain.dense_memory_span import spanning_runs
from compiler.errors import UnsupportedError
from compiler.exact import product, times
from compiler.heads_to_rules import MOST_RULES, exact_heads, exact_rules, products
from compiler.model import Model
from compiler.program.run import Item
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowering import Turn
from compiler.rules import Form
from compiler.runtime.recurrent import Recurrent
from verify.same_function import difference, exact_form
from verify.same_on_domain import parted
from verify.same_on_hulls import MOST_WORDS, words_of
from verify.verdict import EXACT, INDUCTION, Counterexample, Judged

RAW = (
    "the program's answers are the exact ones of its construction, cross talk included; a run decodes the nearest token"
)
SPANNED = "model and construction answer alike on runs that span all that the program can reach"


def dense_verdict(lowering: LoweredDenseMemory, model: Model) -> Judged:
    """Whether `model`, whose rules are not those of `lowering`, is its program all the same on the domain."""
    made = products(model.heads)
    if made > MOST_RULES:
        why = f"the heads have {made:,} products of weights, and up to {MOST_RULES:,} are listed as rules"
        return Judged("undecided", "domain", None, (EXACT, RAW, why))
    rest = difference(exact_form(lowering.form), exact_rules(model.heads, model.coordinates))
    tried = ((tuple(word), list(lowering.dialogue(word))) for word in islice(words_of(lowering), MOST_WORDS))
    found = _differing(lowering, rest, tried)
    if found is not None:
        return Judged("refuted", "domain", _replayed(lowering, model, *found), (EXACT, RAW, INDUCTION))
    try:
        found = _differing(lowering, rest, spanning_runs(lowering))
    except UnsupportedError as problem:
        return Judged("undecided", "domain", None, (EXACT, RAW, f"no run that was tried differs; {problem}"))
    if found is not None:
        return Judged("refuted", "domain", _replayed(lowering, model, *found), (EXACT, RAW, INDUCTION))
    return Judged("proved", "domain", None, (EXACT, RAW, SPANNED, INDUCTION))


def _differing(
    lowering: LoweredDenseMemory, rest: Form, runs: Iterator[tuple[tuple[Item, ...], list[Turn]]]
) -> tuple[tuple[Item, ...], list[Turn]] | None:
    """The first word, and its run up to the first question, at which the rules `rest` answer anything but zero."""
    pairs, place = np.unique(rest.index[:, 1:3], axis=0, return_inverse=True)
    outputs, output = np.unique(rest.index[:, 3], return_inverse=True)
    spread = np.zeros((len(rest), len(outputs)), dtype=np.int64)
    spread[np.arange(len(rest)), output.reshape(-1)] = 1
    numbers = lowering.tokens.numbers
    for word, turns in runs:
        z = lowering.tokens.dense(numbers[name] for name, _ in turns).astype(np.int64)
        asked = [at for at, (_, answer) in enumerate(turns) if answer is not None]
        memory = np.cumsum(z[:, pairs[:, 0]] * z[:, pairs[:, 1]], axis=0)[asked][:, place.reshape(-1)]
        answers = product(times(times(memory, z[asked][:, rest.index[:, 0]]), rest.weights[None]), spread)
        wrong = np.flatnonzero((answers != 0).any(axis=1))
        if len(wrong):
            return word, turns[: asked[int(wrong[0])] + 1]
    return None


def _replayed(
    lowering: LoweredDenseMemory, model: Model, word: tuple[Item, ...], turns: Sequence[Turn]
) -> Counterexample:
    """The counterexample at the last of `turns`, replayed through the heads of both. Raises ArithmeticError."""
    shown = []
    for heads, below in map(exact_heads, (lowering.heads, model.heads)):
        layer = Recurrent(heads, np.zeros((model.d, model.d), dtype=np.int64))
        got = [layer.feed(lowering.tokens[name].astype(np.int64)) for name, _ in turns][-1]
        shown.append((got.astype(object), below))
    texts = parted(*shown[0], *shown[1], model)
    items = tuple(item if isinstance(item, str) else f"{item[0]} = {item[1]}" for item in word)
    return Counterexample(items, *texts, f"the answer to {turns[-1][0]}, token {len(turns) - 1}")
