"""Counterexamples are replayed by the recurrent form of the layer, token by token, before anyone sees them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.attention import Head
from compiler.exact import scaled
from compiler.heads_to_rules import exact_heads
from compiler.model import Model
from compiler.program_to_rules.lowering import Lowering, Turn
from compiler.runtime.recurrent import Recurrent
from compiler.runtime.run import LARGEST_D
from compiler.runtime.sparse_recurrent import SparseRecurrent
from compiler.vocabulary import Vocabulary
from verify.answers import Integers
from verify.same_on_domain import parted
from verify.verdict import Counterexample


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
