"""Domain of real memories: a model answers as the program on any tokens [k; v] followed by a query [q; 0].

The query has no value, so of the features S[b, c] z[e] only those with e a coordinate of the key are live, and all of
these are independent on the domain (`domain.real_memory_span`). So the model is the program on the domain if and only
if the rules of both that read such an e agree; and where they do not, one token and a query show it, or a query alone.
"""

from __future__ import annotations

import numpy as np

from compiler.domain.real_memory_span import keys_of, queries
from compiler.heads_to_rules import MOST_RULES, exact_heads, exact_rules, products
from compiler.model import Model
from compiler.program_to_rules.real_memory import LoweredRealMemory
from compiler.rules import Form
from compiler.runtime.recurrent import Recurrent
from verify.same_function import difference, exact_form, separating_input
from verify.same_on_domain import parted
from verify.verdict import EXACT, RULES, Counterexample, Judged

ASKED = "the rules that a query brings to bear are those that the program compiles to; a query carries no value"


def vectors_verdict(lowering: LoweredRealMemory, model: Model) -> Judged:
    """Whether `model`, over the coordinates of `lowering`, is its program, at the strongest level that holds."""
    made = products(model.heads)
    if made > MOST_RULES:
        why = f"the heads have {made:,} products of weights, and up to {MOST_RULES:,} are listed as rules"
        return Judged("undecided", "domain", None, (EXACT, why))
    rest = difference(exact_form(lowering.form), exact_rules(model.heads, model.coordinates))
    if not len(rest):
        return Judged("proved", "everywhere", None, (EXACT, RULES))
    asked = rest.index[:, 0] < keys_of(lowering)
    if not asked.any():
        return Judged("proved", "domain", None, (EXACT, ASKED))
    live = Form(rest.coordinates, rest.index[asked], rest.weights[asked])
    return Judged("refuted", "domain", _replayed(lowering, model, separating_input(live, queries(lowering))), (EXACT,))


def _replayed(lowering: LoweredRealMemory, model: Model, tokens: np.ndarray) -> Counterexample:
    """The counterexample `tokens` (m, d), fed to the model; expected is what the memory means, sum_j <q, k_j> v_j."""
    n = keys_of(lowering)
    keys, values = tokens[:-1, :n].astype(object), tokens[:-1, n:].astype(object)
    expected = np.zeros(model.d, dtype=object)
    if len(keys):
        expected[n:] = (keys @ tokens[-1, :n].astype(object)) @ values
    heads, below = exact_heads(model.heads)
    layer = Recurrent(heads, np.zeros((model.d, model.d), dtype=np.int64))
    got = [layer.feed(token) for token in tokens][-1]
    shown = parted(expected, 1, got.astype(object), below, model)
    rows = tuple(tuple(int(value) for value in row) for row in tokens.tolist())
    return Counterexample(rows, *shown, f"the answer to token {len(rows) - 1}, which asks")
