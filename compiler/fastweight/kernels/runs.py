"""The compiled form of each layer that has one."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.delta_rnn import DeltaRNN
from compiler.fastweight.kernels.delta_product_kernel import DeltaProductRun
from compiler.fastweight.kernels.delta_rnn_kernel import DeltaRNNRun
from compiler.fastweight.kernels.linear_transformer_kernel import LinearTransformerRun
from compiler.fastweight.kernels.precision import Precision
from compiler.fastweight.kernels.recurrent_delta_kernel import RecurrentDeltaRun
from compiler.fastweight.kernels.self_referential_kernel import SelfReferentialRun
from compiler.fastweight.layer import Floats, Layer
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.self_referential import SelfReferential


class Running(Protocol):
    """A layer in the middle of a run."""

    def feed(self, tokens: NDArray[np.int64]) -> Floats:
        """The answers (n, outputs) to the next tokens, by number (n,)."""
        ...


def started(layer: Layer[Any], embeddings: Floats | None, precision: Precision) -> Running:
    """The run of a layer before its first token, with embeddings (V, d), None for unit vectors.

    Raises TypeError where there is none.
    """
    if isinstance(layer, DeltaProduct):
        return DeltaProductRun(layer, embeddings, precision)
    if isinstance(layer, LinearTransformer):
        return LinearTransformerRun(layer, embeddings, precision)
    if isinstance(layer, SelfReferential):
        return SelfReferentialRun(layer, embeddings, precision)
    if isinstance(layer, RecurrentDelta):
        return RecurrentDeltaRun(layer, embeddings, precision)
    if isinstance(layer, DeltaRNN):
        return DeltaRNNRun(layer, embeddings, precision)
    raise TypeError(f"{type(layer).__name__} has no compiled form")
