"""Where the coordinates of a universal machine stand, and the actions that they name; see `universal_machine`.

>>> layout = Layout(states=2, symbols=2, cells=3)
>>> layout.names()[layout.conf(1, 2)], [act.name for act in layout.acts][-2:]
('conf[1,2]', ['write 0, halt', 'write 1, halt'])
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from compiler.program.run import Outcome
from compiler.program_to_rules.machine import OUTCOMES

MOVES = {-1: "left", 0: "stay", 1: "right"}
STOPS: tuple[Outcome, ...] = ("accepted", "rejected", "halted")


class Act(NamedTuple):
    """An action by numbers: what is written, and a move into a state, or a stop (by its place in `OUTCOMES`)."""

    write: int
    move: int
    target: int | None
    stop: Outcome | None = None

    @property
    def name(self) -> str:
        """``write 1, left, 2``, ``write 0, halt``."""
        if self.stop is not None:
            return f"write {self.write}, {OUTCOMES[self.stop]}"
        return f"write {self.write}, {MOVES[self.move]}, {self.target}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of a universal machine, and the actions that they allow."""

    states: int
    symbols: int
    cells: int

    @property
    def acts(self) -> tuple[Act, ...]:
        """All actions, in order."""
        return _acts(self.states, self.symbols)


@dataclass(frozen=True, slots=True)
class Layout(Bounds):
    """Where the coordinates of a universal machine stand: cell by cell, then the table, then the outcomes."""

    @property
    def width(self) -> int:
        """The number of coordinates of a cell."""
        return 1 + self.symbols + self.states + self.states * self.symbols

    def symbol(self, g: int, p: Any) -> Any:
        """The place of symbol[p,g]."""
        return p * self.width + 1 + g

    def conf(self, q: int, p: Any) -> Any:
        """The place of conf[q,p]."""
        return p * self.width + 1 + self.symbols + q

    def at(self, q: int, g: int, p: Any) -> Any:
        """The place of at[q,g,p]."""
        return p * self.width + 1 + self.symbols + self.states + q * self.symbols + g

    def key(self, q: int, g: int) -> int:
        """The place of key[q,g]."""
        return self.cells * self.width + q * self.symbols + g

    def act(self, a: int) -> int:
        """The place of act[a]."""
        return self.cells * self.width + self.states * self.symbols + a

    def outcome(self, outcome: Outcome) -> int:
        """The place of an outcome."""
        return self.act(len(self.acts)) + tuple(OUTCOMES).index(outcome)

    def names(self) -> tuple[str, ...]:
        """The names of all coordinates, in order."""
        pairs = [(q, g) for q in range(self.states) for g in range(self.symbols)]
        found = []
        for p in range(self.cells):
            found.append(f"cell[{p}]")
            found += [f"symbol[{p},{g}]" for g in range(self.symbols)]
            found += [f"conf[{q},{p}]" for q in range(self.states)]
            found += [f"at[{q},{g},{p}]" for q, g in pairs]
        found += [f"key[{q},{g}]" for q, g in pairs]
        return (*found, *(f"act[{act.name}]" for act in self.acts), *OUTCOMES.values())


@cache
def _acts(states: int, symbols: int) -> tuple[Act, ...]:
    moving = [Act(w, m, r) for r in range(states) for m in MOVES for w in range(symbols)]
    return (*moving, *(Act(w, 0, None, stop) for stop in STOPS for w in range(symbols)))
