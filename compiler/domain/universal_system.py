"""Universal programs as guarded systems: every program within the bounds, every input.

The domain of a universal automaton is every table (each entry names any state, accepting or not) and every word; that
of a universal machine every table, every tape, the start state, and every cell of the head. That an automaton accepts
in states, so that entries for one state agree, is no affine equation; entries that disagree are in the domain as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from compiler.domain.system import IDLE, Branch, Initial, Pair, System, of_tokens
from compiler.program_to_rules.automaton import REGISTER
from compiler.program_to_rules.lowered_universal_automaton import (
    LoweredUniversalAutomaton,
    at_token,
    entry_token,
    key_name,
    state_token,
    symbol_token,
)
from compiler.program_to_rules.universal_machine import LoweredPointerMachine


def universal_automaton_system(lowering: LoweredUniversalAutomaton) -> System:
    """The guarded system of a universal automaton, whichever its construction.

    What the branch at a pointer answers may depend on the state that is left: the pointer names it.
    """
    numbers, bounds = lowering.tokens.numbers, lowering.program
    place = {name: number for number, name in enumerate(lowering.coordinates)}
    states, symbols = range(bounds.states), range(bounds.symbols)
    pairs = [(q, s) for q in states for s in symbols]
    ends = [(r, accepts) for r in states for accepts in (False, True)]
    entries = [[numbers[entry_token(*pair, *end)] for end in ends] for pair in pairs]
    registers = [(place[REGISTER], place[f"state[{q}]"]) for q in states]
    branches = []
    for q, s in pairs:
        asked, pointer = numbers[symbol_token(s)], numbers[at_token(q, s)]
        branches.append(Branch(asked, asked, _one(registers, q), pointer, pointer))
        key = place[key_name(q, s)]
        values = [(key, place[lowering.value(r)]) for r in states]
        accept = (key, place[lowering.accepting()])
        for r, accepts in ends:
            guards = (*_one(values, r), (accept, int(accepts)))
            branches.append(Branch(pointer, pointer, guards, numbers[lowering.entered(q, r, accepts)], IDLE))
    starts = [numbers[state_token(0, accepts)] for accepts in (False, True)]
    initials = tuple(_initial(entries, start, IDLE, len(numbers)) for start in starts)
    return System(lowering, initials, tuple(numbers[symbol_token(s)] for s in symbols), tuple(branches))


def universal_machine_system(lowering: LoweredPointerMachine) -> System:
    """The guarded system of a universal machine."""
    layout, size = lowering.layout, len(lowering.tokens)
    acts = range(len(layout.acts))
    choices = [*lowering.prompts.tolist(), *(row for rows in lowering.entries.tolist() for row in rows)]
    initials = tuple(_initial(choices, start, start, size) for start in lowering.starts.tolist())
    branches = []
    asking = np.flatnonzero(lowering.asks).tolist()
    for token in asking:
        q, g, p = lowering.pointed(lowering.tokens.names[token])
        assert q is not None
        assert p is not None
        if g is None:
            cells = [(p * layout.width, layout.symbol(h, p)) for h in range(layout.symbols)]
            pointers = lowering.pointers[q, :, p].tolist()
            branches += [Branch(token, token, _one(cells, h), pointers[h], pointers[h]) for h in range(layout.symbols)]
            continue
        keys = [(layout.key(q, g), layout.act(a)) for a in acts]
        for a in acts:
            answer = int(lowering.answers[a, p])
            branches.append(Branch(token, token, _one(keys, a), answer, answer if lowering.asks[answer] else None))
    return System(lowering, initials, (), tuple(branches))


def _one(pairs: Sequence[Pair], chosen: int) -> tuple[tuple[Pair, int], ...]:
    """One entry of S is 1, the others are 0."""
    return tuple((pair, int(number == chosen)) for number, pair in enumerate(pairs))


def _initial(choices: Sequence[Sequence[int]], start: int, location: int, size: int) -> Initial:
    """All prompts that have one of each of `choices`, then `start`."""
    base = of_tokens([*(each[0] for each in choices), start], size)
    identity: NDArray[np.int64] = np.eye(size, dtype=np.int64)
    swaps = [identity[other] - identity[each[0]] for each in choices for other in each[1:]]
    return Initial(location, base, np.array(swaps, dtype=np.int64).reshape(-1, size))
