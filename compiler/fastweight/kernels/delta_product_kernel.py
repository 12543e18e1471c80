"""DeltaProduct over a vocabulary, token by token, in a given precision: `delta_product` compiled, for long words."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.kernels.precision import BINARY, Precision, all_rounded, rounded
from compiler.fastweight.kernels.vocabulary import over_vocabulary
from compiler.fastweight.layer import Floats, sigmoid, unit


class Gates(NamedTuple):
    """What the tokens of a vocabulary are projected to, rounded.

    Decays (V, H); keys (V, n_h, H, d_k), values (V, n_h, H, d_v) and rates (V, n_h, H); queries (V, H, d_k).
    """

    decays: Floats
    keys: Floats
    values: Floats
    rates: Floats
    queries: Floats


def gates(layer: DeltaProduct, embeddings: Floats | None, precision: Precision) -> Gates:
    """The gates of tokens with these embeddings (V, d); None for unit vectors."""

    def said(weights: Floats) -> Floats:
        return over_vocabulary(weights, embeddings)

    queries = said(layer.W_q)
    decays = np.ones(queries.shape[:2]) if layer.w_alpha is None else sigmoid(said(layer.w_alpha))
    keys, rates = unit(said(layer.W_k)), layer.beta_max * sigmoid(said(layer.w_beta))
    return Gates(*(all_rounded(each, precision) for each in (decays, keys, said(layer.W_v), rates, queries)))


@njit(nogil=True, cache=True)
def feed(tokens: Any, W: Any, decays: Any, keys: Any, values: Any, rates: Any, queries: Any, kind: Any, y: Any) -> None:
    """Feed tokens, by number (n,), to the fast weights W (H, d_v, d_k), which change; the answers are y (n, H d_v).

    A decay of 1 and a rate of 0 leave W as it is, and products with zero add nothing, so they are left out.
    """
    bits, least, greatest = kind
    heads, rows, columns = W.shape
    for t in range(len(tokens)):
        x = tokens[t]
        for h in range(heads):
            if decays[x, h] != 1.0:
                for a in range(rows):
                    for b in range(columns):
                        W[h, a, b] = rounded(decays[x, h] * W[h, a, b], bits, least, greatest)
            for i in range(keys.shape[1]):
                if rates[x, i, h] == 0.0:
                    continue
                for a in range(rows):
                    read = 0.0
                    for b in range(columns):
                        if keys[x, i, h, b] != 0.0:
                            product = rounded(W[h, a, b] * keys[x, i, h, b], bits, least, greatest)
                            read = rounded(read + product, bits, least, greatest)
                    error = rounded(values[x, i, h, a] - read, bits, least, greatest)
                    step = rounded(rates[x, i, h] * error, bits, least, greatest)
                    for b in range(columns):
                        if keys[x, i, h, b] != 0.0:
                            product = rounded(step * keys[x, i, h, b], bits, least, greatest)
                            W[h, a, b] = rounded(W[h, a, b] + product, bits, least, greatest)
            for a in range(rows):
                read = 0.0
                for b in range(columns):
                    if queries[x, h, b] != 0.0:
                        product = rounded(W[h, a, b] * queries[x, h, b], bits, least, greatest)
                        read = rounded(read + product, bits, least, greatest)
                y[t, h * rows + a] = read


class DeltaProductRun:
    """A layer that is fed long words in pieces."""

    def __init__(self, layer: DeltaProduct, embeddings: Floats | None, precision: Precision) -> None:
        self.gates, self.kind = gates(layer, embeddings, precision), BINARY[precision]
        self.outputs = layer.outputs
        self.W = layer.start(1)[0].astype(np.float64)

    def feed(self, tokens: NDArray[np.int64]) -> Floats:
        """The answers (n, outputs) to the next tokens, by number (n,)."""
        y = np.empty((len(tokens), self.outputs))
        feed(tokens, self.W, *self.gates, self.kind, y)
        return y
