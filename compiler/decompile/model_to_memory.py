"""Models to memories: the names are in the coordinates, what is stored in the prompt, and `write` is asked for.

What comes out are candidates, one for each way to write that has these coordinates; `verify.decompiled` proves one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from compiler.errors import DecompileError, ProgramError, WordError
from compiler.model import Model
from compiler.program.memory import ABSENT, Memory, Write
from compiler.program.words import parse_items
from compiler.program_to_rules.memory import held, key_name, memory_to_rules, value_name

WRITES: tuple[Write, ...] = ("latest", "first", "sum")


def model_to_memories(model: Model) -> Iterator[Memory]:
    """The memories that have the coordinates and the prompt of `model`. Raises DecompileError."""
    name = "decompiled" if model.program is None else model.program.name
    keys, values = _named(model, "key"), tuple(v for v in _named(model, "value") if value_name(v) in model.coordinates)
    values = tuple(value for value in values if value != ABSENT)
    stored = tuple((k, v) for k in keys for v in values if held(k, v) in model.vocabulary)
    for write in WRITES:
        try:
            memory = Memory(name, keys, values, write, stored)
        except ProgramError as problem:
            raise DecompileError(f"the coordinates are not those of a memory: {problem}") from None
        if set(memory_to_rules(memory).coordinates) == set(model.coordinates):
            yield memory


def claimed_dense_memory(model: Model) -> Memory | None:
    """The memory in few dimensions that `model` claims to be; None for a model over named keys.

    Its keys are nowhere in the weights: they are random vectors, which the seed draws, and names in the vocabulary. So
    the claim is what is proved. Raises DecompileError where there is none.
    """
    if "x[0]" not in model.coordinates or "ask[0]" not in model.coordinates:
        return None
    claim = model.program
    if not isinstance(claim, Memory) or claim.dimensions is None:
        raise DecompileError(
            "the model is a memory whose keys are vectors in few dimensions. The weights hold neither the names of "
            "the keys nor the seed that draws their vectors, and no search finds a seed, so the program cannot be "
            "read from them; a model that carries the program it claims to be is decompiled by proving the claim"
        )
    return claim


def _named(model: Model, role: str) -> tuple[str, ...]:
    """The names between the brackets of the coordinates of one role."""
    found = []
    for coordinate in model.coordinates:
        if match := re.fullmatch(rf"{role}\[(.*)\]", coordinate, re.DOTALL):
            try:
                items = parse_items(match[1])
            except WordError:
                items = ()
            if len(items) != 1 or coordinate not in (key_name(items[0]), value_name(items[0])):
                raise DecompileError(f"the coordinate {coordinate} does not spell one name between its brackets")
            found.append(items[0])
    return tuple(found)
