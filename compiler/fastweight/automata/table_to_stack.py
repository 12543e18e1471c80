"""Any automaton in one layer whose weights say what comes next: self-referential, or recurrent through its answers.

Both layers can look a column up by a softmax that is 0 or 1 in floats, so a table of what letters do fits in.

*Self-referential weights.* There is a column for the state, one for each letter, and one for each pair (p, a). With
state p the state's column says: the bits of p as y, and a query of L at all pairs (p, .). The column of letter a adds a
query of L at all pairs (., a), a key of L at the state's column, and rates of 1. Token a reads both columns. So y is p,
the query is the pair (p, a), with 2 L where others have L or 0, and the key is the state's column; the update W q - W k
with rate 1 puts the column of (p, a), which says what a state's column says for the next state, in its place. Nothing
else changes. L = 1024 is enough for exp(-L) to be 0 in every precision.

*Recurrent Delta network.* y is +-20 for each bit of the state, so h = tanh(y) is +-1. The query at (p, a) is L times
the sum of +-h over the bits of p, which is B L for B bits if p is the state and at most (B - 2) L if not, plus 2 L for
the letter: again a column, of W_0. It holds the bits of the next state, and of what is shown. Rates are 0: nothing is
written. (With W_0 = 0, as the paper has it, a prefix that writes the table would do the same.)
"""

from __future__ import annotations

import numpy as np

from compiler.errors import TooLargeError
from compiler.fastweight.automata.transitions import Shown, Transitions
from compiler.fastweight.layer import Floats
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.self_referential import SelfReferential
from compiler.fastweight.stack import Stack, Stage

LARGE = 1024.0
"""L: a difference of logits at which a softmax and a sigmoid are 0 or 1 in every precision."""
SATURATED = 20.0
"""The hyperbolic tangent of this is 1 in every precision."""
MOST_COLUMNS = 4_000
"""The most columns of a table."""


def self_referential_stack(given: Transitions) -> Stack[Shown]:
    """The stack of one layer of self-referential weights. Raises TooLargeError."""
    letters, states = len(given.letters), given.size
    columns, bits = _columns(given) + letters + 2, max(1, (states - 1).bit_length())
    pair = _pairs(given)
    state, begin, first = columns - 2, columns - 1, letters * states
    W = np.zeros((1, bits + 2 * columns + 4, columns))

    def says(p: int) -> Floats:
        column = np.zeros(W.shape[1])
        column[:bits] = _bits(p, bits)
        column[bits + pair[p]] = LARGE
        return column

    W[0, :, state] = says(given.start)
    W[0, -4:, begin] = -LARGE
    for a in range(letters):
        W[0, bits + pair[:, a], first + a] = LARGE
        W[0, bits + columns + state, first + a] = LARGE
        W[0, -4:, first + a] = LARGE
        for p in range(states):
            W[0, :, pair[p, a]] = says(given.moves[a][p])
    embeddings = np.zeros((1 + letters, columns))
    embeddings[0, begin] = 1
    embeddings[np.arange(1, 1 + letters), first + np.arange(letters)] = 1
    embeddings[1:, state] = 1
    shown, numbers = _all_shown(given)
    table = {(0, (0,) * bits): numbers[given.first]} | {
        (1 + a, tuple(_bits(p, bits))): numbers[given.shown[p][a]] for p in range(states) for a in range(letters)
    }
    masks = np.ones((1 + letters, bits), dtype=np.int64)
    return Stack(given.letters, (Stage(SelfReferential(W), ((0.5,),) * bits, masks, table, embeddings),), shown)


def recurrent_delta_stack(given: Transitions) -> Stack[Shown]:
    """The stack of one layer of the Recurrent Delta network. Raises TooLargeError."""
    letters, states = len(given.letters), given.size
    shown, numbers = _all_shown(given)
    columns, pair = _columns(given) + 1, _pairs(given)
    bits, more = max(1, (states - 1).bit_length()), max(1, (len(shown) - 1).bit_length())
    W_0, W_q = np.zeros((1, bits + more, columns)), np.zeros((1, columns, 1 + letters))
    R_q = np.zeros((1, columns, bits + more))

    def says(p: int, what: Shown) -> Floats:
        return SATURATED * (2 * np.array([*_bits(p, bits), *_bits(numbers[what], more)]) - 1.0)

    W_0[0, :, -1] = says(given.start, given.first)
    W_q[0, -1, 0] = LARGE
    for a in range(letters):
        W_q[0, pair[:, a], 1 + a] = 2 * LARGE
        for p in range(states):
            W_0[0, :, pair[p, a]] = says(given.moves[a][p], given.shown[p][a])
            R_q[0, pair[p, a], :bits] = LARGE * (2 * np.array(_bits(p, bits)) - 1)
    none, rates = np.zeros_like(W_0[:, :, :1]), np.full((1, 1 + letters), -LARGE)
    W_v, R_v, r_beta = np.repeat(none, 1 + letters, 2), np.repeat(none, bits + more, 2), np.zeros((1, bits + more))
    layer = RecurrentDelta(W_q, W_q, W_v, rates, R_q, R_q, R_v, r_beta, W_0)
    masks = np.tile([0] * bits + [1] * more, (1 + letters, 1))
    said = {0: {given.first}} | {1 + a: {given.shown[p][a] for p in range(states)} for a in range(letters)}
    table = {
        (token, (0,) * bits + tuple(_bits(numbers[what], more))): numbers[what]
        for token, each in said.items()
        for what in each
    }
    return Stack(given.letters, (Stage(layer, ((0.0,),) * (bits + more), masks, table),), shown)


def _columns(given: Transitions) -> int:
    """The pairs of a state and a letter. Raises TooLargeError."""
    columns = given.size * len(given.letters)
    if columns > MOST_COLUMNS:
        raise TooLargeError(f"its table has {columns:,} columns, and up to {MOST_COLUMNS:,} are compiled")
    return columns


def _pairs(given: Transitions) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """The column of each state and letter."""
    return np.arange(given.size * len(given.letters), dtype=np.int64).reshape(given.size, len(given.letters))


def _bits(number: int, width: int) -> list[int]:
    return [number >> bit & 1 for bit in range(width)]


def _all_shown(given: Transitions) -> tuple[tuple[Shown, ...], dict[Shown, int]]:
    """All that may be shown, and its numbers."""
    each = tuple(dict.fromkeys([given.first, *(what for row in given.shown for what in row)]))
    return each, {what: number for number, what in enumerate(each)}
