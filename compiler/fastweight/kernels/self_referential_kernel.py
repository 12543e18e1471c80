"""The self-referential weight matrix over a vocabulary, token by token, in a given precision."""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from compiler.fastweight.kernels.precision import BINARY, Precision, rounded
from compiler.fastweight.layer import Floats
from compiler.fastweight.self_referential import SelfReferential


@njit(nogil=True, cache=True)
def rounded_softmax(x: Any, kind: Any) -> None:
    """Put `x` (n,) through softmax, in place."""
    bits, least, greatest = kind
    top, total = x.max(), 0.0
    for n in range(len(x)):
        x[n] = rounded(exp(rounded(x[n] - top, bits, least, greatest)), bits, least, greatest)
        total = rounded(total + x[n], bits, least, greatest)
    for n in range(len(x)):
        x[n] = rounded(x[n] / total, bits, least, greatest)


@njit(nogil=True, cache=True)
def rounded_sigmoid(x: Any, kind: Any) -> Any:
    """1 / (1 + exp(-x))."""
    bits, least, greatest = kind
    small = rounded(exp(-abs(x)), bits, least, greatest)
    below = rounded(1.0 + small, bits, least, greatest)
    return rounded((1.0 if x >= 0 else small) / below, bits, least, greatest)


@njit(nogil=True, cache=True)
def times(W: Any, x: Any, kind: Any, said: Any) -> None:
    """The product W x (rows,), without what zeros of x would add, into `said`."""
    bits, least, greatest = kind
    said[:] = 0.0
    for c in range(W.shape[1]):
        if x[c] != 0.0:
            for r in range(W.shape[0]):
                if W[r, c] != 0.0:
                    said[r] = rounded(said[r] + rounded(W[r, c] * x[c], bits, least, greatest), bits, least, greatest)


@njit(nogil=True, cache=True)
def add(row: Any, step: Any, k: Any, kind: Any) -> None:
    """Add `step` k to a row (columns,) of fast weights."""
    bits, least, greatest = kind
    for c in range(len(row)):
        if k[c] != 0.0:
            row[c] = rounded(row[c] + rounded(step * k[c], bits, least, greatest), bits, least, greatest)


@njit(nogil=True, cache=True)
def change(W: Any, q: Any, k: Any, rates: Any, kind: Any, wanted: Any, there: Any) -> None:
    """Put W q in the place of W k, by the rates of the blocks; `wanted` and `there` are room (rows,)."""
    bits, least, greatest = kind
    rows, d = W.shape
    m = rows - 2 * d - 4
    rounded_softmax(q, kind)
    rounded_softmax(k, kind)
    times(W, q, kind, wanted)
    times(W, k, kind, there)
    for r in range(rows):
        block = 0 if r < m else 1 if r < m + d else 2 if r < m + 2 * d else 3
        step = rounded(rates[block] * rounded(wanted[r] - there[r], bits, least, greatest), bits, least, greatest)
        if step != 0.0:
            add(W[r], step, k, kind)


@njit(nogil=True, cache=True)
def feed(tokens: Any, embeddings: Any, W: Any, kind: Any, y: Any) -> None:
    """Feed tokens, by number (n,), to W (H, m + 2 d + 4, d), which changes; the answers are y (n, H m)."""
    heads, rows, d = W.shape
    m = rows - 2 * d - 4
    said, wanted, there, rates = np.empty(rows), np.empty(rows), np.empty(rows), np.empty(4)
    for t in range(len(tokens)):
        x = embeddings[tokens[t]]
        for h in range(heads):
            times(W[h], x[h * d : (h + 1) * d], kind, said)
            y[t, h * m : (h + 1) * m] = said[:m]
            for n in range(4):
                rates[n] = rounded_sigmoid(said[rows - 4 + n], kind)
            if rates.any():
                change(W[h], said[m : m + d].copy(), said[m + d : m + 2 * d].copy(), rates, kind, wanted, there)


class SelfReferentialRun:
    """A layer that is fed long words in pieces."""

    def __init__(self, layer: SelfReferential, embeddings: Floats | None, precision: Precision) -> None:
        self.embeddings = np.eye(layer.inputs) if embeddings is None else embeddings.astype(np.float64)
        self.kind, self.outputs = BINARY[precision], layer.outputs
        self.W = layer.start(1)[0].astype(np.float64)

    def feed(self, tokens: NDArray[np.int64]) -> Floats:
        """The answers (n, outputs) to the next tokens, by number (n,)."""
        y = np.empty((len(tokens), self.outputs))
        feed(tokens, self.embeddings, self.W, self.kind, y)
        return y
