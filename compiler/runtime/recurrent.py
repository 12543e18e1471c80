"""The recurrent form: fast weights S += z z^T, then y = sum_h V_h S Q_h z.

The same function as `attention.attention` on every prefix, with a state of fixed size. Integers stay exact: before an
answer is computed its largest possible intermediate value is bounded, and int64 gives way to Python's integers
where it could overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.exact import largest

Memory: TypeAlias = NDArray[Any]
"""The fast weights S, (d, d)."""


class Recurrence:
    """A layer as a recurrent network: its step function, and a bound on its weights computed once."""

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads = heads
        self.mass = sum(_mass(head.V) * _mass(head.Q) for head in heads) + 1

    def step(self, S: Memory | None, z: NDArray[Any]) -> tuple[Memory, NDArray[Any]]:
        """The fast weights after the token z (d,), and the answer (d,); S is None before the first token."""
        memory = np.outer(z, z) if S is None else S + np.outer(z, z)
        if memory.dtype == np.int64 and (largest(memory) + 1) * (largest(z) + 1) * self.mass >= 2**62:
            memory, z = memory.astype(object), z.astype(object)
        y = np.zeros(len(z), dtype=memory.dtype)
        for head in self.heads:
            key = head.Q.apply(z)
            read = np.flatnonzero(key)
            if len(read):
                y = y + head.V.apply(memory[:, read] @ key[read])
        return memory, y


def _mass(matrix: Sparse) -> int:
    """A bound on the sum of absolute weights; 0 for floats, which cannot overflow silently."""
    return largest(matrix.weights) * len(matrix.weights) if matrix.weights.dtype == np.int64 else 0
