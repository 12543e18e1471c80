"""Counters in DeltaNet with rates up to 1: weights that are halved, though none of them can grow.

A counter is a head with two keys and W_0 = (-1, 1). A letter that adds 1 to the counter has the key (1, 0), one that
takes 1 away the key (0, 1), and another one the key 0, all with the value 0 and the rate 1/2. So the entry at the
letter's key is halved: after p letters of the first kind and m of the second, in any order, W is (-2^-p, 2^-m), and
with the query (1, 1) the answer 2^-m - 2^-p has the sign of the counter, p - m, and is zero where that is. A letter
that sets the counter to zero has the key (1, 1) / sqrt 2, the value 0 and the rate 1: W loses what it has along (1, 1)
and becomes (-c, c), with which counting goes on as with (-1, 1).

So DeltaNet recognises what a finite control over the signs of counters does, if the control is aperiodic (the layers
above are those of holonomy). No answer keeps away from the threshold 0: in exact arithmetic this holds for words of
every length, in floats as long as 2^-n is a number, which for float32 is 149 letters. Signs are right so far, as the
difference of two floats is rounded to zero only if they are equal. Longer words are refused. (1, 1) / sqrt 2 is no
float, so languages with a reset have no stack here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.fastweight.delta_product import DeltaProduct

THRESHOLDS = (-(2.0**-1074), 0.0)
"""What is above the first is not negative, and what is above the second is positive."""


def counters(adds: Sequence[tuple[int, ...] | None]) -> DeltaProduct:
    """The layer of counters to which letters add -1, 0 or 1 each; its tokens are the beginning, and the letters."""
    columns = [(), *adds]
    heads, tokens = max(len(added or ()) for added in columns), len(columns)
    keys = np.zeros((1, heads, 2, tokens))
    for token, added in enumerate(columns):
        for head, one in enumerate(added or ()):
            keys[0, head, :, token] = (one > 0, one < 0)
    queries, first = np.ones((heads, 2, tokens)), np.tile([-1.0, 1.0], (heads, 1, 1))
    return DeltaProduct(queries, keys, np.zeros((1, heads, 1, tokens)), np.zeros((1, heads, tokens)), W_0=first)
