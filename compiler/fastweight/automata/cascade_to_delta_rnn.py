"""A cascade as a stack of Delta RNN layers, where no orbit has more than two points.

A head keeps one bit of a point: its answer y is (L, -L, before) for 1 and (-L, L, before) for 0, so that softmax(y) is
the unit vector e_1 or e_2, and `before` is the bit before this token. A Delta RNN can only write one column of R at a
time, but that is enough: each token x writes r_x as the first column, and the second one stays zero, as R is at the
start; it writes w_x as the only column of W. The answer is

    y = w_x + R softmax(y) = w_x + r_x if the bit was 1, and w_x if it was 0,

and so any function of the bit and the token: a constant for resets, the bit itself where it is left alone, the other
one where two points are exchanged. Points of components without exchanges are numbered in bits. The first token of a
run finds y = 0, whose softmax is uniform; it resets, with r_x = 0.

So the Delta RNN, which starts from zero, follows all automata whose levels permute points in orbits of two at most:
parity among them, not counting modulo 3. Softmax and rates reach 0 and 1 as they do in floats (L = 1024).
"""

from __future__ import annotations

import numpy as np

from compiler.fastweight.automata.cascade import Action, Cascade, Level, Permute, Reset
from compiler.fastweight.automata.orbits import by_orbits
from compiler.fastweight.automata.table_to_stack import LARGE
from compiler.fastweight.automata.transitions import Shown
from compiler.fastweight.delta_rnn import DeltaRNN
from compiler.fastweight.layer import Floats
from compiler.fastweight.stack import Stack, Stage

ROWS = 3
"""Of the answer of a head: the bit, as L and as -L, and what it was before."""


def delta_rnn_stack(cascade: Cascade) -> Stack[Shown] | None:
    """The stack that shows what `cascade` shows; None where three points or more are permuted."""
    cascade = by_orbits(cascade)
    components = [component for level in cascade.levels for component in level.components]
    if any(component.permutes and component.points > 2 for component in components):
        return None
    return Stack(cascade.letters, tuple(map(_stage, cascade.levels)), cascade.shown)


def _stage(level: Level) -> Stage:
    widths = [(component.points - 1).bit_length() for component in level.components]
    bits = [(n, bit) for n, width in enumerate(widths) for bit in range(width)]
    W, R = (np.zeros((len(bits), ROWS, level.tokens)) for _ in "WR")
    for head, (n, bit) in enumerate(bits):
        for token, action in enumerate(level.components[n].actions):
            if_zero, if_one = (_answer(action, before, bit) for before in (0, 1))
            W[head, :, token] = if_zero
            R[head, :, token] = if_one - if_zero if token else 0
    masks = np.tile([1, 0, 1], (level.tokens, len(bits)))
    masks[0, ROWS - 1 :: ROWS] = 0
    table: dict[tuple[int, tuple[int, ...]], int] = {}
    for (token, (before, after)), follows in level.after.items():
        digits = [(after[n] >> bit & 1, 0, (before[n] or 0) >> bit & 1) for n, bit in bits]
        table[token, tuple(digit for each in digits for digit in each)] = follows
    one, always = np.ones((len(bits), 1, level.tokens)), np.full((len(bits), level.tokens), LARGE)
    first = np.tile(np.array([LARGE, -LARGE, -LARGE])[:, None], (len(bits), 1, level.tokens))
    layer = DeltaRNN(one, one, W, always, first, R, always)
    return Stage(layer, ((0.0,), (0.0,), (0.5,)) * len(bits), masks, table)


def _answer(action: Action, before: int, bit: int) -> Floats:
    """What a head answers to a token, from the bit before."""
    turned = 1 - before if isinstance(action, Permute) and action.moves else before
    now = action.point >> bit & 1 if isinstance(action, Reset) else turned
    return np.array([LARGE, -LARGE, before] if now else [-LARGE, LARGE, before], dtype=np.float64)
