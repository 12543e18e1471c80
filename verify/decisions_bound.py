"""Decisions of memories and machines: a sound bound on the tokens of a run. The exact horizon is not searched for.

Claim and proof. On every configuration of the program's runs its rules answer just the token t that is wanted. A
model's answer is linear in the token counts, given the last token l, so it is t plus the sum over the tokens so far of
delta (j, l): what token j contributes by the model's weights less what it does by the program's rules. In a run of n
tokens this is no longer than n times the longest delta. An answer nearer to t than half the least distance of two
tokens that it can be decoded to is decoded to t, which is fed back; so all decisions in runs of n tokens are right if
n |delta| < distance / 2 for every question; with a tolerance T, by which an answer may be moved, if n |delta| + T is.
Squares of these are compared, over the integers.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, isqrt

import numpy as np
from numpy.typing import NDArray

from compiler.exact import plus, scaled, times
from compiler.heads_to_rules import exact_heads
from compiler.model import Model
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowering import Asks, Lowering
from compiler.program_to_rules.real_memory import LoweredRealMemory
from compiler.rules import Form
from verify.answers import Integers, contributions

MOST_NUMBERS = 300_000_000
"""The most numbers (questions x tokens x coordinates) that are looked at."""


def safe_tokens(lowering: Lowering, model: Model, tolerance: Fraction = Fraction(0)) -> int | None:
    """So many tokens may a run have for all of its decisions to be right, at least; None where no bound is known.

    The tokens are embedded as the program embeds them. Right means: however an answer is moved by up to `tolerance`.
    """
    if isinstance(lowering, LoweredRealMemory | LoweredDenseMemory) or lowering.reads_outside:
        return None
    questions = np.flatnonzero(lowering.asks != Asks.NOTHING)
    if len(questions) * len(lowering.tokens) * model.d > MOST_NUMBERS:
        return None
    tokens = lowering.tokens.dense()
    heads, below = exact_heads(model.heads)
    form = Form(lowering.form.coordinates, lowering.form.index, scaled(lowering.form.weights).numerators)
    least: int | None = None
    for kind in (Asks.APPENDED, Asks.READ):
        gap = _least_square(tokens[lowering.replies == kind])
        for question in questions[lowering.asks[questions] == kind].tolist():
            given = contributions(heads, tokens, tokens[question])
            delta = plus(given, -times(_by_rules(form, tokens, tokens[question]), below))
            worst = max((sum(x * x for x in row) for row in delta.tolist() if any(row)), default=0)
            if worst and gap is not None:  # the most n with n^2 worst < room^2 below^2
                most = (
                    isqrt((ceil(_room(gap, tolerance) * below * below) - 1) // worst) if steady(gap, tolerance) else 0
                )
                least = most if least is None else min(least, most)
    return least


def right_answers_are_steady(lowering: Lowering, tolerance: Fraction) -> bool:
    """Whether answers that are tokens stay nearest to them however they are moved by up to `tolerance`."""
    if isinstance(lowering, LoweredRealMemory | LoweredDenseMemory) or lowering.reads_outside:
        return not tolerance
    tokens = lowering.tokens.dense()
    gaps = (_least_square(tokens[lowering.replies == kind]) for kind in (Asks.APPENDED, Asks.READ))
    return all(gap is None or steady(gap, tolerance) for gap in gaps)


def steady(gap: int, tolerance: Fraction) -> bool:
    """Whether half the distance of which `gap` is the square is above `tolerance`."""
    return 4 * tolerance**2 < gap


def _room(gap: int, tolerance: Fraction) -> Fraction:
    """The square of half the distance of which `gap` is the square, less `tolerance`, from below."""
    if not tolerance:
        return Fraction(gap, 4)
    root = Fraction(isqrt(gap << 128), 1 << 64)
    return max(root / 2 - tolerance, Fraction(0)) ** 2


def _least_square(choices: Integers) -> int | None:
    """The least squared distance of two tokens; None where there is only one."""
    if len(choices) < 2:
        return None
    gram = choices.astype(np.float64) @ choices.T.astype(np.float64)  # exact: small integers
    square = np.diag(gram)[:, None] + np.diag(gram)[None] - 2 * gram
    return int(square[~np.eye(len(choices), dtype=np.bool_)].min())


def _by_rules(form: Form, tokens: Integers, last: NDArray[np.int64]) -> Integers:
    """What each token contributes by the rules, (T, d), with the token `last` (d,) last."""
    made = np.zeros(tokens.shape, dtype=np.int64)
    asked = np.flatnonzero(last[form.index[:, 0]])
    e, b, c, a = form.index[asked].T
    weights = times(form.weights[asked], last[e])
    for number, target in enumerate(a.tolist()):
        made[:, target] += tokens[:, b[number]] * tokens[:, c[number]] * int(weights[number])
    return made
