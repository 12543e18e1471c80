"""Models to machines: by asking the model, run by run.

Weights do not say where runs begin, nor which symbol is the blank; the machine that the model claims to be says that,
and its coordinates name states, symbols and cells. What the machine *does* is read from the model: it is run from many
tapes, its exact answers fed back, and each answer away from the end of the tape says what is done in that state on that
symbol. What no run shows, the weights need not know; there the claim stands. What comes out is a candidate, which
`verify.decompiled` proves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.decompile.asking import Asker
from compiler.errors import DecompileError, ProgramError
from compiler.exact import plus
from compiler.heads_to_rules import exact_rules
from compiler.model import Model
from compiler.program.machine import Action, Machine
from compiler.program_to_rules.machine import LoweredMachine, machine_to_rules

RUNS, STEPS = 400, 200


class _Configuration(NamedTuple):
    """A state and a cell of the head, by number."""

    state: int
    cell: int


def model_to_machine(model: Model, claim: Machine) -> Machine:
    """The machine that `model`, over the coordinates of `claim`, runs. Raises DecompileError."""
    lowering = machine_to_rules(claim)
    asker = Asker(*exact_rules(model.heads, model.coordinates))
    read: dict[tuple[str, str], Action] = {}
    random = np.random.default_rng(0)
    given = np.flatnonzero(lowering.prompts[0] >= 0)
    total = len(claim.states) * len(claim.symbols)
    for _ in range(RUNS):
        tape = given[random.integers(0, len(given), size=claim.cells)].tolist()
        for move, action in _observed(lowering, asker, tape, int(random.integers(claim.cells))):
            if read.setdefault(move, action) != action:
                state, symbol = move
                raise DecompileError(
                    f"in state {state} on {symbol} the model does {action}, and elsewhere {read[move]}"
                )
        if len(read) == total:
            break
    try:
        return replace(
            claim, actions={move: read.get(move, action) for move, action in claim.actions.items()}, examples=()
        )
    except ProgramError as problem:
        raise DecompileError(f"what the model does is no legal program: {problem}") from None


def _observed(
    lowering: LoweredMachine, asker: Asker, tape: list[int], head: int
) -> Iterator[tuple[tuple[str, str], Action]]:
    """What the model does on the way from a tape and a cell of the head, as far as it tells an action."""
    layout = lowering.layout
    memory = np.zeros(len(asker.pairs), dtype=np.int64)
    for p, g in enumerate(tape):
        memory = plus(memory, asker.added(lowering.tokens.vector(int(lowering.prompts[p, g]))))
    token: NDArray[Any] = lowering.tokens.vector(int(lowering.starts[head]))
    here: _Configuration | None = _Configuration(layout.states.index(lowering.program.start), head)
    cells = list(tape)
    for _ in range(STEPS):
        if here is None:
            return
        memory = plus(memory, asker.added(token))
        answer = asker.answer(memory, token)
        symbol = cells[here.cell]
        action, here_next, written = _action(lowering, here, symbol, answer)
        if action is not None:
            yield (layout.states[here.state], layout.symbols[symbol]), action
        cells[here.cell] = written
        token = np.zeros(lowering.tokens.d, dtype=np.int64)
        token[list(answer or ())] = list((answer or {}).values())
        here = here_next


def _action(
    lowering: LoweredMachine, here: _Configuration, symbol: int, answer: dict[int, int] | None
) -> tuple[Action | None, _Configuration | None, int]:
    """The action that an answer says (None where the tape ends), where it goes, and what the cell holds then."""
    layout, program = lowering.layout, lowering.program
    base = here.cell * layout.width
    rest = dict(answer or {})
    what = f"the answer in state {layout.states[here.state]} on {layout.symbols[symbol]} at cell {here.cell}"
    written = symbol
    if base in rest:
        symbols = {
            place - base - 1: rest.pop(place) for place in list(rest) if base < place <= base + len(layout.symbols)
        }
        written = next((g for g, value in symbols.items() if value == 1), -1)
        if rest.pop(base) != 1 or symbols != {written: 1, symbol: -1}:
            raise DecompileError(f"{what} writes what no machine writes")
    if len(rest) != 1 or list(rest.values()) != [1]:
        raise DecompileError(f"{what} names no single configuration or outcome")
    (place,) = rest
    symbol_written = layout.symbols[written]
    if place >= layout.cells * layout.width:
        outcome = layout.outcomes[place - layout.cells * layout.width]
        if outcome == "overran":
            return None, None, written
        claimed = program.actions[layout.states[here.state], layout.symbols[symbol]]
        move = claimed.move if claimed.stop == outcome else 0  # a stop does not show a move
        return Action(symbol_written, move, None, outcome), None, written  # type: ignore[arg-type]
    cell, within = divmod(place, layout.width)
    state = within - 1 - len(layout.symbols)
    if state < 0 or abs(cell - here.cell) > 1:
        raise DecompileError(f"{what} goes where no machine goes")
    action = Action(symbol_written, cell - here.cell, layout.states[state])
    return action, _Configuration(state, cell), written
