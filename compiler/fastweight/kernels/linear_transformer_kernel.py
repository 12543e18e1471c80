"""The linear Transformer without a normaliser over a vocabulary, token by token, in a given precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from compiler.fastweight.kernels.precision import BINARY, Precision, rounded
from compiler.fastweight.kernels.vocabulary import over_vocabulary
from compiler.fastweight.layer import Floats
from compiler.fastweight.linear_transformer import FEATURES, LinearTransformer


@njit(nogil=True, cache=True)
def feed(tokens: Any, W: Any, keys: Any, values: Any, queries: Any, kind: Any, y: Any) -> None:
    """Feed tokens, by number (n,), to the fast weights W (H, d_v, d_k), which change; the answers are y (n, H d_v)."""
    bits, least, greatest = kind
    heads, rows, columns = W.shape
    for t in range(len(tokens)):
        x = tokens[t]
        for h in range(heads):
            for a in range(rows):
                read = 0.0
                for b in range(columns):
                    if values[x, h, a] != 0.0 and keys[x, h, b] != 0.0:
                        product = rounded(values[x, h, a] * keys[x, h, b], bits, least, greatest)
                        W[h, a, b] = rounded(W[h, a, b] + product, bits, least, greatest)
                    if queries[x, h, b] != 0.0:
                        product = rounded(W[h, a, b] * queries[x, h, b], bits, least, greatest)
                        read = rounded(read + product, bits, least, greatest)
                y[t, h * rows + a] = read


class LinearTransformerRun:
    """A layer that is fed long words in pieces."""

    def __init__(self, layer: LinearTransformer, embeddings: Floats | None, precision: Precision) -> None:
        if layer.normalise:
            raise TypeError("the compiled form has no normaliser")
        phi = FEATURES[layer.feature]
        each = (over_vocabulary(weights, embeddings) for weights in (layer.W_k, layer.W_v, layer.W_q))
        keys, values, queries = (np.ascontiguousarray(one, dtype=np.float64) for one in each)
        self.gates, self.kind, self.outputs = (phi(keys), values, phi(queries)), BINARY[precision], layer.outputs
        self.W = layer.start(1).W[0].astype(np.float64)

    def feed(self, tokens: NDArray[np.int64]) -> Floats:
        """The answers (n, outputs) to the next tokens, by number (n,)."""
        y = np.empty((len(tokens), self.outputs))
        feed(tokens, self.W, *self.gates, self.kind, y)
        return y
