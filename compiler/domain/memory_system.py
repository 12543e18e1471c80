"""Memories as guarded systems: any sequence of requests.

With `write first` the tokens free and taken do not say what is being written: each pair of one of them with the
request before it is a location of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compiler.domain.system import COUNT, IDLE, Branch, Initial, Pair, System, of_tokens
from compiler.program.memory import ABSENT
from compiler.program_to_rules.memory import (
    FREE,
    TAKEN,
    LoweredMemory,
    added,
    answer_name,
    changed,
    ignored,
    key_name,
    names_of,
    request,
    value_name,
)

Guards = tuple[tuple[Pair, int], ...]


def memory_system(lowering: LoweredMemory) -> System:
    """The guarded system of a memory over named keys and values."""
    keys, values = names_of(lowering.program)
    numbers = lowering.tokens.numbers
    size = len(numbers)
    start = of_tokens([numbers[name] for name in lowering.inputs(())], size)
    initial = Initial(IDLE, start, np.zeros((0, size), dtype=np.int64))
    asked = [*(request((k, v)) for k in keys for v in values), *map(request, keys)]
    inputs = tuple(numbers[name] for name in asked)
    gates = [(numbers[gate], token) for gate in (FREE, TAKEN) if gate in numbers for token in inputs]
    situations = {pair: size + number for number, pair in enumerate(gates)}
    branches = [branch for k in keys for branch in (*_writes(lowering, k, situations), *_queries(lowering, k))]
    return System(lowering, (initial,), inputs, tuple(branches), situations)


def _holds(lowering: LoweredMemory, key: str, value: str) -> Guards:
    """`key` holds `value`, and nothing else; with `sum` only whether it holds anything can be said."""
    place = {name: number for number, name in enumerate(lowering.coordinates)}
    values = (*names_of(lowering.program)[1], ABSENT)
    return tuple(((place[key_name(key)], place[value_name(u)]), int(u == value)) for u in values)


def _absent(lowering: LoweredMemory, key: str, whether: bool) -> Guards:
    """Nothing was written under `key` yet, or something was.

    If nothing was, then no answer to a request for the key stands among the tokens, ignored ones included: that is the
    invariant of the construction said in counts, and it keeps the hulls from mixing the two cases.
    """
    place = {name: number for number, name in enumerate(lowering.coordinates)}
    held: tuple[Pair, int] = ((place[key_name(key)], place[value_name(ABSENT)]), int(whether))
    names = [name for v in names_of(lowering.program)[1] for name in (ignored(key, v), added(key, v))]
    names += [changed(key, ABSENT, v) for v in names_of(lowering.program)[1]]
    numbers = lowering.tokens.numbers
    never = [((COUNT, numbers[name]), 0) for name in names if name in numbers]
    return (held, *never) if whether else (held,)


def _writes(lowering: LoweredMemory, key: str, situations: Mapping[Pair, int]) -> list[Branch]:
    values = names_of(lowering.program)[1]
    numbers, write = lowering.tokens.numbers, lowering.program.write
    found = []
    for value in values:
        asked = numbers[request((key, value))]
        if write == "latest":
            olds = [(_holds(lowering, key, u), numbers[changed(key, u, value)]) for u in (*values, ABSENT)]
            found += [Branch(asked, asked, guards, done, IDLE) for guards, done in olds]
            continue
        for absent in (True, False):
            guards = _absent(lowering, key, absent)
            if write == "sum":
                done = changed(key, ABSENT, value) if absent else added(key, value)
                found.append(Branch(asked, asked, guards, numbers[done], IDLE))
                continue
            gate = numbers[FREE if absent else TAKEN]
            there = situations[gate, asked]
            done = changed(key, ABSENT, value) if absent else ignored(key, value)
            found.append(Branch(asked, asked, guards, gate, there))
            found.append(Branch(there, gate, (), numbers[done], IDLE))
    return found


def _queries(lowering: LoweredMemory, key: str) -> list[Branch]:
    numbers = lowering.tokens.numbers
    values = (*names_of(lowering.program)[1], ABSENT)
    asked = numbers[request(key)]
    if lowering.program.write == "sum":
        reads = tuple((*pair, pair[1]) for pair, _ in _holds(lowering, key, ABSENT))
        return [Branch(asked, asked, (), None, IDLE, reads)]
    return [Branch(asked, asked, _holds(lowering, key, u), numbers[answer_name(u)], IDLE) for u in values]
