"""Universal programs as guarded systems: every program within the bounds, every input.

The domain of a universal automaton is every table (each entry names any state, accepting or not) and every word; that
of a universal machine every table, every tape, the start state, and every cell of the head. That an automaton accepts
in states, so that entries for one state agree, is no affine equation; entries that disagree are in the domain as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from compiler.program_to_rules.universal_layout import MOVES
from compiler.program_to_rules.universal_machine import LoweredPointerMachine
from compiler.program_to_rules.universal_machine_registers import LoweredRegistersMachine


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
    """The guarded system of a universal machine with pointers."""
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


def universal_machine_registers_system(lowering: LoweredRegistersMachine) -> System:
    """The guarded system of a universal machine with registers for position and state.

    A pointer to the table does not name the cell of the head; the token before it does, and so do its locations.
    """
    bounds, size, numbers = lowering.layout, len(lowering.tokens), lowering.tokens.numbers
    choices = [*lowering.prompts.tolist(), *(row for rows in lowering.entries.tolist() for row in rows)]
    initials = tuple(_initial(choices, start, start, size) for start in lowering.starts.tolist())
    cells, symbols, states = range(bounds.cells), range(bounds.symbols), range(bounds.states)
    place = {name: number for number, name in enumerate(lowering.coordinates)}
    registers = [(place[REGISTER], place[f"state[{q}]"]) for q in states]
    branches: list[Branch] = []
    situations: dict[tuple[int, int], int] = {}
    for p in cells:
        arriving = (f"0@{p}", *(f"{move} to {p}" for move in MOVES.values()))
        asking = [numbers[name] for name in arriving if name in numbers]
        held = [lowering.stored(p, g) for g in symbols]
        seen = lowering.seen[:, p].tolist()
        branches += [Branch(token, token, _one(held, g), seen[g], seen[g]) for token in asking for g in symbols]
        at = _one([lowering.position(other) for other in cells], p)
        for g in symbols:
            for q in states:
                pointer, location = int(lowering.pointers[q, g]), size + len(situations)
                situations[pointer, seen[g]] = location
                branches.append(Branch(seen[g], seen[g], _one(registers, q), pointer, location))
                branches += _looked_up(lowering, q, g, p, (location, at))
        for act, answer in zip(bounds.acts, lowering.answers[:, p].tolist(), strict=True):
            if act.target is not None:
                moved = int(lowering.moves[1 + act.move, p])
                branches.append(Branch(answer, answer, at, moved, moved if lowering.asks[moved] else None))
    return System(lowering, initials, (), tuple(branches), situations)


def _looked_up(
    lowering: LoweredRegistersMachine, q: int, g: int, p: int, situation: tuple[int, tuple[tuple[Pair, int], ...]]
) -> Iterator[Branch]:
    """The branches at ``at q,g`` with the head at p: the location, and the guards on the position, are given."""
    location, at = situation
    key = lowering.coordinates.index(key_name(q, g))
    entries = [set(lowering.tokens.listed(entry)) - {key} for entry in lowering.entries[q, g].tolist()]
    named = sorted(set().union(*entries))
    for entry, answer in zip(entries, lowering.answers[:, p].tolist(), strict=True):
        guards = tuple(((key, place), int(place in entry)) for place in named)
        target = answer if lowering.asks[answer] else None
        yield Branch(location, int(lowering.pointers[q, g]), (*at, *guards), answer, target)


def _one(pairs: Sequence[Pair], chosen: int) -> tuple[tuple[Pair, int], ...]:
    """One entry of S is 1, the others are 0."""
    return tuple((pair, int(number == chosen)) for number, pair in enumerate(pairs))


def _initial(choices: Sequence[Sequence[int]], start: int, location: int, size: int) -> Initial:
    """All prompts that have one of each of `choices`, then `start`."""
    base = of_tokens([*(each[0] for each in choices), start], size)
    identity: NDArray[np.int64] = np.eye(size, dtype=np.int64)
    swaps = [identity[other] - identity[each[0]] for each in choices for other in each[1:]]
    return Initial(location, base, np.array(swaps, dtype=np.int64).reshape(-1, size))
