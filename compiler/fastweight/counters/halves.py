"""Counters where no weight can grow, in DeltaNet with rates up to 1 and in the Delta RNN: weights that are halved.

A counter is two heads with one key each, whose weights are 1 after the first token (rate 1, value 1). A letter that
adds 1 halves the first one (rate 1/2, value 0), and one that takes 1 away the second; other letters have rate 0. After
p letters of the first kind and m of the second, in any order, the weights are 2^-p and 2^-m, and their difference 2^-m
- 2^-p has the sign of the counter, p - m, and is zero where that is. A letter that sets the counter to zero makes both
1 again. In the Delta RNN these are weights W; nothing is written to R, which is zero at the start.

So both recognise what a finite control over the signs of counters does, if they can follow the control. No answer keeps
away from the threshold 0: in exact arithmetic this holds for words of every length, in floats as long as 2^-n is a
number, which for float32 is 149 letters. Signs are right so far, as the difference of two floats is rounded to zero
only if they are equal. Longer words are refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.fastweight.automata.table_to_stack import LARGE
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.delta_rnn import DeltaRNN
from compiler.fastweight.layer import Floats

THRESHOLDS = (-(2.0**-1074), 0.0)
"""What is above the first is not negative, and what is above the second is positive."""


def counters(adds: Sequence[tuple[int, ...] | None], *, recurrent: bool = False) -> DeltaProduct | DeltaRNN:
    """The layer of counters to which letters add -1, 0 or 1 each, None setting all to zero: DeltaNet, or a Delta RNN.

    Its tokens are the beginning, and the letters.
    """
    columns = [None, *adds]
    heads, tokens = 2 * max(len(added or ()) for added in columns), len(columns)
    values, rates = np.zeros((heads, 1, tokens)), np.full((heads, tokens), -LARGE)
    for token, added in enumerate(columns):
        if added is None:
            values[:, 0, token], rates[:, token] = 1, LARGE
        for counter, one in enumerate(added or ()):
            if one:
                rates[2 * counter + (one < 0), token] = 0
    ones, nothing = np.ones((heads, 1, tokens)), np.zeros((heads, 1, tokens))
    if recurrent:
        return DeltaRNN(ones, ones, values, rates, nothing, nothing, np.full((heads, tokens), -LARGE))
    return DeltaProduct(ones, ones[None], values[None], rates[None])


def differences(counters: int) -> Floats:
    """(counters, heads): what of the answers is compared with the thresholds."""
    return np.kron(np.eye(counters), [[-1.0, 1.0]])
