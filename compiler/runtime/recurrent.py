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


class Recurrent:
    """A layer with its fast weights, fed token by token. With a float anywhere it runs in float64; else it is exact.

    Attributes
    ----------
    memory
        S, (d, d), changed in place by `feed`; only what a token has is touched.
    """

    def __init__(self, heads: Sequence[Head], memory: Memory) -> None:
        self.heads = heads
        self.kinds = {matrix.weights.dtype.kind for head in heads for matrix in (head.V, head.Q)}
        self.mass = mass(heads)
        self.memory = memory
        self.peak = 0 if memory.dtype.kind == "f" else largest(memory)

    def feed(self, z: NDArray[Any]) -> NDArray[Any]:
        """The answer (d,) to the token z (d,), which is added to the fast weights first."""
        dtype = self._dtype(z)
        z = z.astype(dtype)
        if self.memory.dtype != dtype:
            self.memory = self.memory.astype(dtype)
        has = np.flatnonzero(z)
        self.memory[np.ix_(has, has)] += np.outer(z[has], z[has])
        y: NDArray[Any] = np.zeros(len(z), dtype=dtype)
        for head in self.heads:
            key = head.Q.apply(z)
            read = np.flatnonzero(key)
            if len(read):
                y = y + head.V.apply(self.memory[:, read] @ key[read])
        return y.astype(dtype)

    def _dtype(self, z: NDArray[Any]) -> type:
        """The arithmetic of one step: float64, int64 where nothing can pass 62 bits, else Python's numbers."""
        kinds = self.kinds | {self.memory.dtype.kind, z.dtype.kind}
        if "f" in kinds:
            return np.float64
        if kinds & {"O", "u"}:
            return object
        token = largest(z)
        self.peak += token * token
        return object if self.peak * (token + 1) * self.mass >= 2**62 else np.int64
