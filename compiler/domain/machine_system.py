"""Machines as guarded systems: any tape over the input symbols, the head on any cell, in the start state.

That is more than the program's own inputs, which begin at its head: the domain on which data are certified is the
relaxed one, since from single words a machine shows too little of what it does (DESIGN: with a structured input
language the affine hull is larger than the span of the runs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from compiler.domain.system import Branch, Initial, Pair, System, of_tokens
from compiler.program_to_rules.lowering import Turn
from compiler.program_to_rules.machine import LoweredMachine


def machine_system(lowering: LoweredMachine) -> System:
    """The guarded system of a machine: a branch for every state, symbol and cell, at each token that leads there."""
    layout, tokens = lowering.layout, lowering.tokens
    size, symbols = len(tokens), range(len(layout.symbols))
    given = [g for g in symbols if lowering.prompts[0, g] >= 0]
    blank = lowering.prompts[:, 0]
    identity = np.eye(size, dtype=np.int64)
    swaps = [identity[lowering.prompts[p, g]] - identity[blank[p]] for p in range(layout.cells) for g in given[1:]]
    directions = np.array(swaps, dtype=np.int64).reshape(-1, size)
    initials = tuple(
        Initial(start, of_tokens([*blank.tolist(), start], size), directions) for start in lowering.starts.tolist()
    )
    reached = _reached(lowering)
    branches = []
    for token in np.flatnonzero(lowering.asks).tolist():
        if token in reached:
            q, p = lowering.configuration(token)
            pairs = [_holds(lowering, p, g) for g in symbols]
            for g in symbols:
                guards = tuple((pair, int(g == other)) for other, pair in enumerate(pairs))
                answer = int(lowering.answers[q, g, p])
                branches.append(Branch(token, token, guards, answer, answer if lowering.asks[answer] else None))
    return System(lowering, initials, (), tuple(branches))


def own_inputs(lowering: LoweredMachine) -> tuple[Initial, ...]:
    """Where runs on the program's own inputs begin: for each length, symbols of the alphabet from the head on."""
    program, size = lowering.program, len(lowering.tokens)
    numbers = {symbol: number for number, symbol in enumerate(lowering.layout.symbols)}
    letters = [numbers[symbol] for symbol in program.alphabet]
    identity = np.eye(size, dtype=np.int64)
    found = []
    for length in range(lowering.longest + 1 if letters else 1):
        cells = range(program.head, program.head + length)
        tape = [letters[0] if p in cells else 0 for p in range(lowering.layout.cells)]
        base = [int(lowering.prompts[p, g]) for p, g in enumerate(tape)]
        swaps = [identity[lowering.prompts[p, g]] - identity[base[p]] for p in cells for g in letters[1:]]
        start = int(lowering.starts[program.head])
        directions = np.array(swaps, dtype=np.int64).reshape(-1, size)
        found.append(Initial(start, of_tokens([*base, start], size), directions))
    return tuple(found)


def _holds(lowering: LoweredMachine, p: int, g: int) -> Pair:
    base = p * lowering.layout.width
    return base, base + 1 + g


def _reached(lowering: LoweredMachine) -> frozenset[int]:
    """The tokens that some chain of answers leads to, whatever the tape holds."""
    found = set(lowering.starts.tolist())
    queue = list(found)
    for token in queue:
        if lowering.asks[token]:
            q, p = lowering.configuration(token)
            fresh = set(lowering.answers[q, :, p].tolist()) - found
            found |= fresh
            queue += fresh
    return frozenset(found)


def turns_from(lowering: LoweredMachine, tape: Sequence[int], head: int, most: int) -> Iterator[Turn]:
    """The run from the tape with these symbols (numbers) and the head at `head`, of at most `most` steps.

    A run ends at the question at which it comes back to a configuration for the second time: a loop may be entered by
    one token and re-entered by another, so the second round is the first whose tokens are those of all later ones, and
    from there on what is added to the counts repeats.
    """
    names = lowering.tokens.names
    for p, g in enumerate(tape):
        yield names[lowering.prompts[p, g]], None
    last = int(lowering.starts[head])
    for q, g, p in _configurations(lowering, tape, head, most):
        answer = int(lowering.answers[q, g, p])
        yield names[last], names[answer]
        last = answer
    yield names[last], None


def cells_read(lowering: LoweredMachine, tape: Sequence[int], head: int, most: int) -> Iterator[tuple[int, int]]:
    """The cells that the run from there reads, with what they hold; a cell that holds -1 ends it."""
    for _, g, p in _configurations(lowering, tape, head, most):
        yield p, g


def _configurations(
    lowering: LoweredMachine, tape: Sequence[int], head: int, most: int
) -> Iterator[tuple[int, int, int]]:
    """State, symbol (-1 where that is unknown) and cell before each step, until a stop or a second return."""
    layout, actions = lowering.layout, lowering.program.actions
    numbers = {symbol: number for number, symbol in enumerate(layout.symbols)}
    states = {state: number for number, state in enumerate(layout.states)}
    cells = list(tape)
    state: str | None = lowering.program.start
    seen: dict[tuple[str, int, tuple[int, ...]], int] = {}
    for _ in range(most):
        if state is None or not 0 <= head < layout.cells:
            return
        here = (state, head, tuple(cells))
        seen[here] = seen.get(here, 0) + 1
        yield states[state], cells[head], head
        if cells[head] < 0 or seen[here] > 2:
            return
        action = actions[state, layout.symbols[cells[head]]]
        cells[head], head, state = numbers[action.write], head + action.move, action.target
