"""The compiled form of each layer that has one."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.delta_product_kernel import DeltaProductRun
from compiler.fastweight.layer import Floats, Layer
from compiler.fastweight.precision import Precision


class Running(Protocol):
    """A layer in the middle of a run."""

    def feed(self, tokens: NDArray[np.int64]) -> Floats:
        """The answers (n, outputs) to the next tokens, by number (n,)."""
        ...


def started(layer: Layer[Any], precision: Precision) -> Running:
    """The run of a layer over unit vectors, before its first token. Raises TypeError for layers without a kernel."""
    if isinstance(layer, DeltaProduct):
        return DeltaProductRun(layer, precision)
    raise TypeError(f"{type(layer).__name__} has no compiled form")
