"""Models to memories of real vectors: their coordinates say all that there is, and the weights are left to the proof.

The coordinates are key[0] .. key[n - 1] and value[0] .. value[p - 1], in any order, and there is no vocabulary. What
comes out is a candidate, which `verify.decompiled` proves. How a memory of vectors writes has no meaning; the claim's
word for it is kept, and its name.
"""

from __future__ import annotations

from compiler.model import Model
from compiler.program.memory import Memory


def is_real_memory(model: Model) -> bool:
    """Whether `model` has the coordinates of a real memory, and no tokens by name."""
    n, p = _sizes(model)
    named = {*(f"key[{i}]" for i in range(n)), *(f"value[{a}]" for a in range(p))}
    return bool(n and p) and not len(model.vocabulary) and set(model.coordinates) == named


def model_to_real_memory(model: Model) -> Memory:
    """The real memory that has the coordinates of `model`."""
    n, p = _sizes(model)
    claim = model.program
    if isinstance(claim, Memory) and claim.dimensions is None and (claim.keys, claim.values) == (n, p):
        return claim
    return Memory("decompiled" if claim is None else claim.name, n, p, "sum")


def _sizes(model: Model) -> tuple[int, int]:
    """How many coordinates are called after keys, and after values."""
    keys = sum(name.startswith("key[") for name in model.coordinates)
    return keys, sum(name.startswith("value[") for name in model.coordinates)
