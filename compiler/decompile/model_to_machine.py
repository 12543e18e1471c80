"""Models to machines: by asking the model, run by run.

Weights do not say where runs begin, nor which symbol is the blank; the machine that the model claims to be says that,
and its coordinates name states, symbols and cells. What the machine *does* is read from the model: it is run from many
tapes, its exact answers fed back, and each answer away from the end of the tape says what is done in that state on that
symbol. What no run shows, the weights need not know; there the claim stands. What comes out is a candidate, which
`verify.decompiled` proves.

The prompt of a cell adds to the fast weights only at the cell's own coordinates, and S is a sum, so its order does not
matter: a column of S is given its prompt when it is first touched. What a run costs does not depend on the length of
the tape, and no rules are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from compiler.errors import DecompileError, ProgramError
from compiler.heads_to_rules import exact_heads
from compiler.model import Model
from compiler.program.machine import Action, Machine
from compiler.program_to_rules.machine import LoweredMachine, machine_to_rules
from compiler.runtime.sparse_recurrent import SparseRecurrent

RUNS, STEPS = 400, 200


class _Configuration(NamedTuple):
    """A state and a cell of the head, by number."""

    state: int
    cell: int


def model_to_machine(model: Model, claim: Machine) -> Machine:
    """The machine that `model`, over the coordinates of `claim`, runs. Raises DecompileError."""
    lowering = machine_to_rules(claim)
    heads, below = exact_heads(model.heads)
    layer = SparseRecurrent(heads)
    read: dict[tuple[str, str], Action] = {}
    random = np.random.default_rng(0)
    given = np.flatnonzero(lowering.prompts[0] >= 0)
    total = len(claim.states) * len(claim.symbols)
    for _ in range(RUNS):
        tape = given[random.integers(0, len(given), size=claim.cells)].tolist()
        for move, action in _observed(lowering, layer, below, tape, int(random.integers(claim.cells))):
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


class _Prompted(dict[int, dict[int, int]]):
    """The fast weights, by columns, of a tape that was given; a column is made when it is first touched."""

    def __init__(self, lowering: LoweredMachine, tape: Sequence[int]) -> None:
        super().__init__()
        self.lowering = lowering
        self.tape = tape

    def __missing__(self, c: int) -> dict[int, int]:
        p = c // self.lowering.layout.width
        prompt = {}
        if p < len(self.tape):
            prompt = self.lowering.tokens.listed(int(self.lowering.prompts[p, self.tape[p]]))
        self[c] = {b: value * prompt[c] for b, value in prompt.items()} if c in prompt else {}
        return self[c]


def _observed(
    lowering: LoweredMachine, layer: SparseRecurrent, below: int, tape: list[int], head: int
) -> Iterator[tuple[tuple[str, str], Action]]:
    """What the model does on the way from a tape and a cell of the head, as far as it tells an action.

    `below` is the denominator of the layer's answers.
    """
    layout = lowering.layout
    layer.memory = _Prompted(lowering, tape)
    token = lowering.tokens.listed(int(lowering.starts[head]))
    here: _Configuration | None = _Configuration(layout.states.index(lowering.program.start), head)
    cells = list(tape)
    for _ in range(STEPS):
        if here is None:
            return
        layer.feed(token)
        answer = layer.answer(token)
        whole = not any(value % below for value in answer.values())
        token = {place: value // below for place, value in answer.items()} if whole else {}
        symbol = cells[here.cell]
        action, here_next, written = _action(lowering, here, symbol, token)
        if action is not None:
            yield (layout.states[here.state], layout.symbols[symbol]), action
        cells[here.cell] = written
        here = here_next


def _action(
    lowering: LoweredMachine, here: _Configuration, symbol: int, answer: dict[int, int]
) -> tuple[Action | None, _Configuration | None, int]:
    """The action that an answer says (None where the tape ends), where it goes, and what the cell holds then."""
    layout, program = lowering.layout, lowering.program
    base = here.cell * layout.width
    rest = dict(answer)
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
