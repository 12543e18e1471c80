"""The recurrent form: fast weights S += z z^T, then y = sum_h V_h S Q_h z.

The same function as `attention.attention` on every prefix, with a state of fixed size. Integers and rationals stay
exact: before anything is computed its largest possible intermediate value is bounded, and int64 gives way to Python's
integers where it could overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, mass
from compiler.exact import largest

Memory: TypeAlias = NDArray[Any]
"""The fast weights S, (d, d)."""


class Recurrence:
    """A layer as a recurrent network. With a float anywhere it runs in float64; otherwise it is exact."""

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads = heads
        self.kinds = {matrix.weights.dtype.kind for head in heads for matrix in (head.V, head.Q)}
        self.mass = mass(heads)

    def step(self, S: Memory | None, z: NDArray[Any]) -> tuple[Memory, NDArray[Any]]:
        """The fast weights after the token z (d,), and the answer (d,); S is None before the first token."""
        before = np.zeros((len(z), len(z)), dtype=np.int64) if S is None else S
        dtype = self._dtype(before, z)
        before, z = before.astype(dtype), z.astype(dtype)
        memory = before + np.outer(z, z)
        y: NDArray[Any] = np.zeros(len(z), dtype=dtype)
        for head in self.heads:
            key = head.Q.apply(z)
            read = np.flatnonzero(key)
            if len(read):
                y = y + head.V.apply(memory[:, read] @ key[read])
        return memory, y.astype(dtype)

    def _dtype(self, before: Memory, z: NDArray[Any]) -> type:
        """The arithmetic of one step: float64, int64 where nothing can pass 62 bits, else Python's numbers."""
        kinds = self.kinds | {before.dtype.kind, z.dtype.kind}
        if "f" in kinds:
            return np.float64
        if kinds & {"O", "u"}:
            return object
        peak = largest(z)
        return object if (largest(before) + peak * peak) * (peak + 1) * self.mass >= 2**62 else np.int64
