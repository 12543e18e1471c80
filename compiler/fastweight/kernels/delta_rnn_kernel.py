"""The Delta RNN over a vocabulary, token by token, in a given precision: `delta_rnn` compiled, for long words."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from compiler.fastweight.delta_rnn import DeltaRNN, share
from compiler.fastweight.kernels.precision import BINARY, Precision, all_rounded, rounded
from compiler.fastweight.kernels.self_referential_kernel import add, rounded_softmax, times
from compiler.fastweight.kernels.vocabulary import over_vocabulary
from compiler.fastweight.layer import Floats, sigmoid, softmax


class Writes(NamedTuple):
    """What the tokens of a vocabulary write to a matrix: keys (V, H, d_k), values (V, H, d_v), rates (V, H)."""

    keys: Floats
    values: Floats
    rates: Floats


@njit(nogil=True, cache=True)
def write(W: Any, key: Any, value: Any, rate: Any, kind: Any, read: Any) -> None:
    """W <- W + rate (value - W key) key^T; `read` is room for W key."""
    bits, least, greatest = kind
    if rate == 0.0:
        return
    times(W, key, kind, read)
    for r in range(W.shape[0]):
        error = rounded(value[r] - read[r], bits, least, greatest)
        add(W[r], rounded(rate * error, bits, least, greatest), key, kind)


@njit(nogil=True, cache=True)
def feed(tokens: Any, W: Any, R: Any, last: Any, writes: Any, more: Any, queries: Any, kind: Any, y: Any) -> None:
    """Feed tokens, by number (n,); W (H, d_v, d_k), R (H, d_v, d_v) and `last` (H, d_v), the answer before, change.

    `writes` and `more` are those of W and of R; answers are y (n, H d_v).
    """
    bits, least, greatest = kind
    heads, rows = last.shape
    read, said = np.empty(rows), np.empty(rows)
    for t in range(len(tokens)):
        x = tokens[t]
        for h in range(heads):
            write(W[h], writes[0][x, h], writes[1][x, h], writes[2][x, h], kind, read)
            write(R[h], more[0][x, h], more[1][x, h], more[2][x, h], kind, read)
            rounded_softmax(last[h], kind)
            times(W[h], queries[x, h], kind, said)
            times(R[h], last[h], kind, read)
            for r in range(rows):
                last[h, r] = rounded(said[r] + read[r], bits, least, greatest)
                y[t, h * rows + r] = last[h, r]


class DeltaRNNRun:
    """A layer that is fed long words in pieces."""

    def __init__(self, layer: DeltaRNN, embeddings: Floats | None, precision: Precision) -> None:
        def said(weights: Floats) -> Floats:
            return over_vocabulary(weights, embeddings)

        def gated(keys: Floats, values: Floats, rates: Floats) -> Writes:
            return Writes(*(all_rounded(each, precision) for each in (keys, said(values), sigmoid(said(rates)))))

        self.writes = gated(share(said(layer.W_k)), layer.W_v, layer.w_beta)
        self.more = gated(softmax(said(layer.R_k)), layer.R_v, layer.r_beta)
        self.queries = all_rounded(share(said(layer.W_q)), precision)
        self.kind, self.outputs = BINARY[precision], layer.outputs
        self.W, self.R, self.y = (each[0].astype(np.float64) for each in layer.start(1))

    def feed(self, tokens: NDArray[np.int64]) -> Floats:
        """The answers (n, outputs) to the next tokens, by number (n,)."""
        y = np.empty((len(tokens), self.outputs))
        feed(tokens, self.W, self.R, self.y, self.writes, self.more, self.queries, self.kind, y)
        return y
