"""Counters in the Recurrent Delta network: the bits of a number, and a softmax that finds where a carry ends.

A head is a counter of L bits, in two's complement. Its answers y are beyond +-20 for each bit, so h = tanh(y) is +-1:
the number is in the answer, and so comes back at the next token.

**Columns.** Column 0 is overwritten at each token: rate 1, key 1 there and 0 elsewhere. Its new value is c h, c = 40.
The others do not change. There is one for each way in which a carry can end: (up, i) for a number whose bits below i
are on and bit i off, which 1 more turns round, and (up, L) for one whose bits are all on; and (down, i) and (down, L)
for 1 less, with on and off exchanged. Column (up, i) is -2 c for bits below i, 2 c for bit i, and 0 above.

**Query.** The logit of (up, i) is L' (sum of h below i - h at i - number of these bits), L' = 1024: 0 if the bits are
as said, and else -2 L' or less. (down, i) has it with -h. A token that adds 1 leaves that to the columns (up, .), and
takes 2 L' more from the others; column 0 has the logit 0. Of the columns (up, .) one fits exactly, so q is 1/2 on it
and on column 0, and y is

    (c - 2 c) / 2 = -c / 2 for the bits below i, which were on, (-c + 2 c) / 2 = c / 2 for bit i, and c h / 2 above:

the number with 1 more, beyond +-20. A token that adds nothing has its query at column 0 alone, y = c h. A reset has it
at a column of -c, by a logit of 2 L'. At the beginning h = 0, and the token writes -c.

**Signs.** Column 0 has rows for the question whether the number will be 0 after a is added: was it -a? With s = +-1 the
bits of -a that is the sum of s h minus L - 1, which is 1 or at most -1; halved or not, it is compared with 0. It goes
by the token's a which row counts. The top bit is the sign.

**Room.** The two top bits are both signs. They differ as soon as a count comes to 2^(L-2), or below -2^(L-2), and that
is looked at after each token: such a run is refused. With L = 25 counters are below 2^23, in every precision, which is
where float32 ends for layers that count by adding. Logits are multiples of 1024 up to 52 x 1024: exact in 8 bits, and
in the range of float16.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compiler.fastweight.automata.table_to_stack import LARGE, SATURATED
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.stack import UndecodedError

BITS = 25
"""L: the bits of a counter, of which two are signs."""
HIGH = 2 * SATURATED
"""c: half of it has the hyperbolic tangent 1."""
QUESTIONS = (-1, 0, 1)
"""What may be added: for each a row of answers says whether that makes 0."""


def tallies(keys: int, values: int, bits: int = BITS) -> RecurrentDelta:
    """A layer that counts the writes of each value to each key, a head for each, by key, then value.

    Tokens are unit vectors: the beginning, the writes in the same order, and a question for each key, which changes
    nothing. y has the bits of all counts, the least first.
    """
    moves = np.zeros((keys * values, 1 + keys * values + keys), dtype=np.int64)
    moves[:, 1 : 1 + keys * values] = np.eye(keys * values)
    return _layer(moves.tolist(), bits, ())


def counters(adds: Sequence[tuple[int, ...] | None], bits: int = BITS) -> RecurrentDelta:
    """A layer with a head for each counter: a letter for each entry, which says what it adds, -1, 0 or 1; None resets.

    Tokens are unit vectors: the beginning, then the letters. y has the bits of each counter, the least first, and after
    those whether it is 0 if the letter adds -1, 0 or 1: above 0 says yes.
    """
    counts = max(len(added) for added in adds if added is not None)
    moves = [[0, *(None if added is None else added[n] for added in adds)] for n in range(counts)]
    return _layer(moves, bits, QUESTIONS)


def check_room(numbers: NDArray[np.bool_]) -> None:
    """Raise UndecodedError where the two signs of a number (..., bits), its last bits, differ."""
    if (numbers[..., -1] != numbers[..., -2]).any():
        raise UndecodedError(f"a count has no room in {numbers.shape[-1] - 2} bits; take a shorter word")


def _layer(moves: Sequence[Sequence[int | None]], bits: int, questions: Sequence[int]) -> RecurrentDelta:
    """The layer in which token t adds moves[n][t] to counter n."""
    directions = [d for d in (1, -1) if any(d in move for move in moves)]
    ends = [(d, place) for d in directions for place in range(bits + 1)]
    heads, tokens, rows, columns = len(moves), len(moves[0]), bits + len(questions), 1 + len(ends) + 1
    W_0, R_q, R_v = np.zeros((rows, columns)), np.zeros((columns, rows)), np.zeros((rows, rows))
    W_q, W_v = np.zeros((heads, columns, tokens)), np.zeros((rows, tokens))
    for column, (d, place) in enumerate(ends, start=1):
        carried = d * np.where(np.arange(bits) < place, 1, np.where(np.arange(bits) == place, -1, 0))
        W_0[:bits, column] = -2 * HIGH * carried
        R_q[column, :bits] = LARGE * carried
        fits = np.array([[move == d for move in each] for each in moves])
        W_q[:, column] = -LARGE * np.abs(carried).sum() - 2 * LARGE * ~fits
    W_0[:bits, -1] = -HIGH
    W_q[:, -1] = 2 * LARGE * np.array([[1 if move is None else -1 for move in each] for each in moves])
    R_v[:bits, :bits] = HIGH * np.eye(bits)
    W_v[:bits, 0] = -HIGH
    for row, added in enumerate(questions, start=bits):
        R_v[row, :bits] = [1 if -added >> place & 1 else -1 for place in range(bits)]
        W_v[row] = 1 - bits
    W_k, rates = np.zeros((columns, tokens)), np.full((heads, tokens), LARGE)
    W_k[0] = LARGE
    every = (np.repeat(each[None], heads, axis=0) for each in (W_k, W_v, R_q, np.zeros_like(R_q), R_v, W_0))
    key, value, query_back, key_back, value_back, first = every
    back = query_back, key_back, value_back, np.zeros((heads, rows))
    return RecurrentDelta(W_q, key, value, rates, *back, first)
