"""The Recurrent Delta network over a vocabulary, token by token, in a given precision."""

from __future__ import annotations

from math import tanh
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from compiler.fastweight.kernels.precision import BINARY, Precision, rounded
from compiler.fastweight.kernels.self_referential_kernel import add, rounded_sigmoid, rounded_softmax, times
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
    """Feed tokens, by number (n,); W (H, d_v, d_k) and `last` (H, d_v), the answers before, change.

    Answers are y (n, H d_v). `slow` is (W_q, W_k, W_v, w_beta), `recurrent` (R_q, R_k, R_v, r_beta), a matrix a head.
    """
    bits, least, greatest = kind
    heads, rows, columns = W.shape
    h, value, more_value = np.empty(rows), np.empty(rows), np.empty(rows)
    q, k, more = np.empty(columns), np.empty(columns), np.empty(columns)
    gate, more_gate, read = np.empty(1), np.empty(1), np.empty(rows)
    for t in range(len(tokens)):
        x = embeddings[tokens[t]]
        for n in range(heads):
            for r in range(rows):
                h[r] = rounded(tanh(last[n, r]), bits, least, greatest)
            projected(slow[0][n], recurrent[0][n], x, h, kind, q, more)
            rounded_softmax(q, kind)
            projected(slow[3][n], recurrent[3][n], x, h, kind, gate, more_gate)
            rate = rounded_sigmoid(gate[0], kind)
            if rate != 0.0:
                projected(slow[1][n], recurrent[1][n], x, h, kind, k, more)
                rounded_softmax(k, kind)
                projected(slow[2][n], recurrent[2][n], x, h, kind, value, more_value)
                times(W[n], k, kind, read)
                for r in range(rows):
                    error = rounded(value[r] - read[r], bits, least, greatest)
                    add(W[n, r], rounded(rate * error, bits, least, greatest), k, kind)
            times(W[n], q, kind, last[n])
            y[t, n * rows : (n + 1) * rows] = last[n]


class RecurrentDeltaRun:
    """A layer that is fed long words in pieces."""

    def __init__(self, layer: RecurrentDelta, embeddings: Floats | None, precision: Precision) -> None:
        self.embeddings = np.eye(layer.inputs) if embeddings is None else embeddings.astype(np.float64)
        self.kind, self.outputs = BINARY[precision], layer.outputs
        self.slow = _matrices(layer.W_q, layer.W_k, layer.W_v, layer.w_beta[:, None])
        self.recurrent = _matrices(layer.R_q, layer.R_k, layer.R_v, layer.r_beta[:, None])
        start = layer.start(1)
        self.W, self.y = start.W[0].astype(np.float64), start.y[0].astype(np.float64)

    def feed(self, tokens: NDArray[np.int64]) -> Floats:
        """The answers (n, outputs) to the next tokens, by number (n,)."""
        answers = np.empty((len(tokens), self.outputs))
        feed(tokens, self.embeddings, self.slow, self.recurrent, self.W, self.y, self.kind, answers)
        return answers


def _matrices(*each: Floats) -> tuple[Floats, ...]:
    return tuple(np.ascontiguousarray(matrices, dtype=np.float64) for matrices in each)
