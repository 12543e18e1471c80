"""The Recurrent Delta network over a vocabulary, token by token, in a given precision."""

from __future__ import annotations

from math import tanh
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from compiler.fastweight.kernels.precision import BINARY, Precision, rounded
from compiler.fastweight.kernels.self_referential_kernel import rounded_sigmoid, rounded_softmax, times
from compiler.fastweight.layer import Floats
from compiler.fastweight.recurrent_delta import RecurrentDelta


@njit(nogil=True, cache=True)
def projected(slow: Any, recurrent: Any, x: Any, h: Any, kind: Any, said: Any, more: Any) -> None:
    """The sum of slow x and recurrent h, into `said`; `more` is room of the same shape."""
    times(slow, x, kind, said)
    times(recurrent, h, kind, more)
    for n in range(len(said)):
        said[n] = rounded(said[n] + more[n], kind[0], kind[1], kind[2])


@njit(nogil=True, cache=True)
def feed(tokens: Any, embeddings: Any, slow: Any, recurrent: Any, W: Any, last: Any, kind: Any, y: Any) -> None:
    """Feed tokens, by number (n,); W (d_v, d_k) and `last` (d_v,), the answer before, change. Answers are y (n, d_v).

    `slow` is (W_q, W_k, W_v, w_beta), `recurrent` (R_q, R_k, R_v, r_beta), as matrices.
    """
    bits, least, greatest = kind
    rows, columns = W.shape
    h, value, more_value = np.empty(rows), np.empty(rows), np.empty(rows)
    q, k, more = np.empty(columns), np.empty(columns), np.empty(columns)
    gate, more_gate, read = np.empty(1), np.empty(1), np.empty(rows)
    for t in range(len(tokens)):
        x = embeddings[tokens[t]]
        for r in range(rows):
            h[r] = rounded(tanh(last[r]), bits, least, greatest)
        projected(slow[0], recurrent[0], x, h, kind, q, more)
        rounded_softmax(q, kind)
        projected(slow[3], recurrent[3], x, h, kind, gate, more_gate)
        rate = rounded_sigmoid(gate[0], kind)
        if rate != 0.0:
            projected(slow[1], recurrent[1], x, h, kind, k, more)
            rounded_softmax(k, kind)
            projected(slow[2], recurrent[2], x, h, kind, value, more_value)
            times(W, k, kind, read)
            for r in range(rows):
                step = rounded(rate * rounded(value[r] - read[r], bits, least, greatest), bits, least, greatest)
                for c in range(columns):
                    if k[c] != 0.0:
                        W[r, c] = rounded(W[r, c] + rounded(step * k[c], bits, least, greatest), bits, least, greatest)
        times(W, q, kind, last)
        y[t] = last


class RecurrentDeltaRun:
    """A layer of one head that is fed long words in pieces."""

    def __init__(self, layer: RecurrentDelta, embeddings: Floats, precision: Precision) -> None:
        if layer.W_q.shape[0] != 1:
            raise TypeError("the compiled form has one head")
        self.embeddings, self.kind, self.outputs = embeddings.astype(np.float64), BINARY[precision], layer.outputs
        self.slow = _matrices(layer.W_q[0], layer.W_k[0], layer.W_v[0], layer.w_beta)
        self.recurrent = _matrices(layer.R_q[0], layer.R_k[0], layer.R_v[0], layer.r_beta)
        start = layer.start(1)
        self.W, self.y = start.W[0, 0].astype(np.float64), start.y[0, 0].astype(np.float64)

    def feed(self, tokens: NDArray[np.int64]) -> Floats:
        """The answers (n, outputs) to the next tokens, by number (n,)."""
        answers = np.empty((len(tokens), self.outputs))
        feed(tokens, self.embeddings, self.slow, self.recurrent, self.W, self.y, self.kind, answers)
        return answers


def _matrices(*each: Floats) -> tuple[Floats, ...]:
    return tuple(np.ascontiguousarray(matrix, dtype=np.float64) for matrix in each)
