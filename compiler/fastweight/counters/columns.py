"""Counters in self-referential weights: a write whose query and key leave what they read alone, so that it adds.

One update is W <- W + b (W u) w^T, u = q - w, with softmaxes q and w and a rate b for each block of rows.

**Counting.** A counter has two columns. Logits of L at both and 0 elsewhere give w = 1/2 on both, and one of L at the
first alone gives q = 1 there: u = 1/2 on the first, -1/2 on the second. So u . w = 0, and W u, half the difference of
the two columns, is what it was before: the same constant is added each time. In a row of y where the first column is 4
above the second it is 2, hence both columns gain 1. A query at the second column takes 1 from both. The rates of q, k
and b are 0, so nothing else of W ever changes.

**Reading.** A token reads its own column, which says its query, key and rates, and beside it columns of counters, which
say 0 there. y is read before the write, so the column of a letter that adds a says a: y is the count after it.

**Reset.** A third column, the base, is subtracted from the first when a counter is read. A reset has its query at the
first column and its key at the base: rate 1 copies the one over the other, and the counter reads 0. Differences between
the first two columns are as they were. The columns themselves go on from where they are, so that a second head counts
without resets: it stands among the answers so that a run in which it has no room is noticed.

**Exact.** All entries of y are integers up to n, their halves and the sums of two halves; with p bits counts below
2^(p-1) leave room for that, and in exact arithmetic they are right at every length. A tally that is never lowered stays
above that once it is, and counters of letters are read at each token: no count without room is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from compiler.fastweight.automata.table_to_stack import LARGE
from compiler.fastweight.layer import Floats
from compiler.fastweight.self_referential import RATES, SelfReferential

APART = 4.0
"""How far the second column of a counter is below the first: u halves it, and the key halves it again."""


class Columns(NamedTuple):
    """The columns of a counter."""

    first: int
    second: int
    base: int


def tallies(keys: int, values: int) -> tuple[SelfReferential, Floats]:
    """A layer of one head that counts the writes of each value to each key, and the embeddings of its tokens.

    Tokens are the beginning, the writes by key, then value, and a question for each key; y then has its values' counts.
    Columns are one that does nothing, one for each write, and two for each counter.
    """
    writes = keys * values
    d = 1 + 3 * writes
    W, embeddings = _resting(values, d, 1 + writes), np.zeros((1 + writes + keys, d))
    embeddings[: 1 + writes, : 1 + writes] = np.eye(1 + writes)
    embeddings[1 + writes :, 0] = 1
    for n in range(writes):
        first = 1 + writes + 2 * n
        W[n % values, first + 1] = -APART
        _write(W, 1 + n, first, (first, first + 1))
        embeddings[1 + writes + n // values, first] = 1
    return SelfReferential(W[None]), embeddings


def counters(adds: Sequence[tuple[int, ...] | None]) -> tuple[SelfReferential, Floats]:
    """A layer with a head for each counter, with resets one more for each, and the embeddings of its tokens.

    Tokens are the beginning and a letter for each entry, which says what it adds, -1, 0 or 1; None resets all. y has
    the counts after the letter; what the heads beyond the counters answer matters only in that it has room.
    """
    counts = max(len(added) for added in adds if added is not None)
    heads = [(n, resets) for resets in ([True, False] if None in adds else [False]) for n in range(counts)]
    made = [_counter([None if added is None else added[n] for added in adds], resets) for n, resets in heads]
    return SelfReferential(np.stack([W for W, _ in made])), np.hstack([embeddings for _, embeddings in made])


def _counter(adds: Sequence[int | None], resets: bool) -> tuple[Floats, Floats]:
    """The weights of a head, and its part of embeddings. Without `resets` it counts on where others reset."""
    own = 1 + len(adds)
    columns = Columns(own, own + 1, own + 2)
    d = own + (3 if None in adds else 2)
    W, embeddings = _resting(1, d, own), np.eye(own, d)
    W[0, columns.second] = -APART
    for token, added in enumerate(adds, start=1):
        if added is None and resets:
            _write(W, token, columns.first, (columns.base,))
            continue
        embeddings[token, columns.first] = 1
        if resets:
            embeddings[token, columns.base] = -1
        if added:
            W[0, token] = added
            _write(W, token, columns.first if added > 0 else columns.second, (columns.first, columns.second))
    return W, embeddings


def _resting(answers: int, columns: int, own: int) -> Floats:
    """Weights whose `own` first columns, those of tokens, say rates of 0."""
    W = np.zeros((answers + 2 * columns + RATES, columns))
    W[-RATES:, :own] = -LARGE
    return W


def _write(W: Floats, token: int, query: int, keys: Sequence[int]) -> None:
    """Let a token's column ask for a write to the rows of y."""
    rows, d = W.shape
    answers = rows - 2 * d - RATES
    W[answers + query, token] = LARGE
    W[[answers + d + key for key in keys], token] = LARGE
    W[-RATES, token] = LARGE
