"""The coordinates and tokens of the history of a Turing machine, by name; `history_machine` says what they are for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from compiler.program.machine import Machine
from compiler.program.run import Outcome
from compiler.program.words import spell
from compiler.program_to_rules.machine import OUTCOMES

Place = tuple[str, str, int, int]
"""State, symbol under the head, cell of the head, time."""


def cell_at(p: int, i: int) -> str:
    """The coordinate of a cell at a time."""
    return f"cell[{p},{i}]"


def symbol_at(p: int, g: str, i: int) -> str:
    """The coordinate of a symbol in a cell at a time."""
    return f"symbol[{p},{spell(g)},{i}]"


def conf_at(q: str, p: int, i: int) -> str:
    """The coordinate of a state and the cell of the head at a time."""
    return f"conf[{spell(q)},{p},{i}]"


def next_at(q: str, p: int, i: int) -> str:
    """The coordinate of the state and the cell of the head to which a write leads."""
    return f"next[{spell(q)},{p},{i}]"


def old_at(p: int, g: str, i: int) -> str:
    """The coordinate of the symbol that a write replaced."""
    return f"old[{p},{spell(g)},{i}]"


def machine_width(program: Machine, bound: int) -> int:
    """The number d of coordinates of the history of `program` over `bound` steps."""
    symbols, states = len(program.symbols), len(program.states)
    tape, confs, info = (bound + 1) * (symbols + 1), bound * states, (bound - 1) * (states + symbols)
    return program.cells * (tape + confs + info) + len(stops_of(program))


def stops_of(program: Machine) -> tuple[Outcome, ...]:
    """The ways of stopping that the machine has."""
    actions = program.actions.values()
    stops = {action.stop for action in actions} | ({"overran"} if any(a.move and a.target for a in actions) else set())
    return tuple(outcome for outcome in OUTCOMES if outcome in stops)


def cell_name(p: int, g: str, i: int) -> str:
    """The token that says what a cell holds at a time."""
    return f"{i}: {p}={spell(g)}"


def conf_name(q: str, p: int, i: int) -> str:
    """The token of a configuration at a time."""
    return f"{i}: {spell(q)}@{p}"


def cell_token(p: int, g: str, i: int) -> dict[str, int]:
    """The vector of `cell_name`."""
    return {cell_at(p, i): 1, symbol_at(p, g, i): 1}


def coordinates_of(program: Machine, bound: int, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """The names of all coordinates, time by time and cell by cell."""
    names: list[str] = []
    for i, p in product(range(bound + 1), range(program.cells)):
        names += [cell_at(p, i), *(symbol_at(p, g, i) for g in program.symbols)]
        names += [conf_at(q, p, i) for q in program.states if i < bound]
        names += [next_at(q, p, i) for q in program.states if 0 < i < bound]
        names += [old_at(p, g, i) for g in program.symbols if 0 < i < bound]
    return (*names, *(OUTCOMES[outcome] for outcome in outcomes))


def writes_of(program: Machine, bound: int) -> tuple[dict[Place, str], dict[str, dict[str, int]]]:
    """The token of the write for every state, symbol, cell and time; and the vectors of these tokens."""
    writes: dict[Place, str] = {}
    vectors: dict[str, dict[str, int]] = {}
    for (q, g), p, i in product(program.actions, range(program.cells), range(bound)):
        action = program.actions[q, g]
        to, time, w = p + action.move, i + 1, action.write
        name, vector = cell_name(p, w, time), cell_token(p, w, time)
        stop: Outcome | None = action.stop or (None if 0 <= to < program.cells else "overran")
        if stop is not None:
            name, vector = f"{name} {OUTCOMES[stop]}", vector | {OUTCOMES[stop]: 1}
        elif time < bound:
            target = str(action.target)
            name = f"{name} was {spell(g)} next {spell(target)}@{to}"
            vector |= {old_at(p, g, time): 1, next_at(target, to, time): 1}
        writes[q, g, p, i] = name
        vectors[name] = vector
    return writes, vectors
