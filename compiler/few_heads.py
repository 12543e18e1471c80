"""The fewest heads found for rules or a model: exact weights stay exact, floats stay within a tolerance.

>>> from compiler.language.load import load
>>> from compiler.program_to_model import compile
>>> model = compile(load("flip_flop"))
>>> found = few_heads(model)
>>> len(model.heads), len(found.heads), found.bound, found.minimal
(3, 2, 2, 'proved')
>>> Model(model.coordinates, found.heads).rules == model.rules
True
"""

from __future__ import annotations

from compiler.model import Model
from compiler.real_rules_to_few_heads import TOLERANCE, real_rules_to_few_heads
from compiler.rules import Form
from compiler.rules_to_few_heads import FewHeads, heads_to_few_heads, rules_to_few_heads


def few_heads(source: Form | Model, *, tolerance: float = TOLERANCE) -> FewHeads:
    """The fewest heads found that are the same function as `source` on all inputs, and a lower bound.

    Never more heads than `source` has; of a form, than `rules_to_heads` gives.

    Parameters
    ----------
    source
        A model, or rules. The heads of a compiled machine are more than its rules (they are equal on its domain): of a
        model the function of its heads is kept.
    tolerance
        For floats: the rules of the heads are within `tolerance` |p|, and the bound holds for all heads that are (see
        `real_rules_to_few_heads`). Exact weights are kept exactly.

    Raises
    ------
    ModelError
        For a model of floats with more rules than can be listed.
    UnsupportedError
        For floats over too many coordinates.
    """
    if isinstance(source, Form):
        return rules_to_few_heads(source) if source.exact else real_rules_to_few_heads(source, tolerance=tolerance)
    if source.exact:
        return heads_to_few_heads(source.heads, source.coordinates)
    found = real_rules_to_few_heads(source.rules, tolerance=tolerance)
    return found if len(found.heads) <= len(source.heads) else FewHeads(source.heads, found.bound)
