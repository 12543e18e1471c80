"""Universal programs: one program that runs every automaton, or every machine, within its bounds.

The program to run is given with the input. A given program fits when it has no more states and symbols than the
bounds allow (the symbols of a machine count its blank); it runs on the tape of the universal machine.

>>> from compiler.program.automaton import Automaton
>>> ones = Automaton("ones", ("1",), ("q",), "q", {("q", "1"): "q"}, frozenset({"q"}))
>>> UniversalAutomaton("any", states=2, symbols=2).run("11", given=ones).outcome
'accepted'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from compiler.errors import ProgramError, UnsupportedError
from compiler.program.automaton import Automaton
from compiler.program.machine import Machine
from compiler.program.run import Example, Run
from compiler.program.words import unspeakable


@dataclass(frozen=True, slots=True)
class UniversalAutomaton:
    """Runs every acceptor of at most `states` states (the sink of a partial one included) and `symbols` symbols."""

    name: str
    states: int
    symbols: int
    examples: tuple[Example, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if problems := unspeakable(self.name):
            raise ProgramError(f"universal automaton: {problems[0]}")
        if self.states < 1 or self.symbols < 1:
            raise ProgramError(f"universal automaton {self.name}: needs at least one state and one symbol")

    @property
    def kind(self) -> str:
        """The keywords of the language: ``universal automaton``."""
        return "universal automaton"

    def check_fits(self, given: object) -> Automaton:
        """`given`, if it is an acceptor within the bounds. Raises UnsupportedError with the bound that it breaks."""
        if not isinstance(given, Automaton):
            raise UnsupportedError(f"universal automaton {self.name} runs automata, not {_described(given)}")
        if given.is_transducer:
            raise UnsupportedError(f"universal automaton {self.name} runs acceptors, and {given.name} emits outputs")
        sink = len(given.transitions) < len(given.states) * len(given.alphabet)
        states = "states (one is the sink of its missing rules)" if sink else "states"
        _check_bounds(
            f"automaton {given.name}",
            self.name,
            [(states, len(given.states) + sink, self.states), ("symbols", len(given.alphabet), self.symbols)],
        )
        return given

    def run(self, word: str | Iterable[str], *, given: Automaton) -> Run:
        """Run `given` on `word`. Raises UnsupportedError, WordError."""
        return self.check_fits(given).run(word)

    def __str__(self) -> str:
        from compiler.program.program_to_text import universal_to_text

        return universal_to_text(self)


@dataclass(frozen=True, slots=True)
class UniversalMachine:
    """Runs every machine of at most `states` states and `symbols` symbols, on a tape of `cells` cells."""

    name: str
    states: int
    symbols: int
    cells: int
    examples: tuple[Example, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if problems := unspeakable(self.name):
            raise ProgramError(f"universal machine: {problems[0]}")
        if self.states < 1 or self.symbols < 1 or self.cells < 1:
            raise ProgramError(f"universal machine {self.name}: needs at least one state, one symbol and one cell")

    @property
    def kind(self) -> str:
        """The keywords of the language: ``universal machine``."""
        return "universal machine"

    def check_fits(self, given: object) -> Machine:
        """`given` on this machine's tape, if within the bounds. Raises UnsupportedError with the bound it breaks.

        The given machine's tape is centred on this one's.
        """
        if not isinstance(given, Machine):
            raise UnsupportedError(f"universal machine {self.name} runs machines, not {_described(given)}")
        _check_bounds(
            f"machine {given.name}",
            self.name,
            [
                ("states", len(given.states), self.states),
                ("symbols (the blank is one)", len(given.symbols), self.symbols),
                ("cells", given.cells, self.cells),
            ],
        )
        return replace(given, cells=self.cells, head=given.head + (self.cells - given.cells) // 2)

    def run(self, word: str | Iterable[str], *, given: Machine, steps: int | None = None) -> Run:
        """Run `given` on `word`, for at most `steps`. Raises UnsupportedError, WordError."""
        return self.check_fits(given).run(word, steps=steps)

    def __str__(self) -> str:
        from compiler.program.program_to_text import universal_to_text

        return universal_to_text(self)


def _check_bounds(given: str, name: str, bounds: list[tuple[str, int, int]]) -> None:
    """Raise UnsupportedError with every bound (of what, size, most) that is broken, and no other."""
    if broken := [(what, size, most) for what, size, most in bounds if size > most]:
        sizes = " and ".join(f"{size:,} {what}" for what, size, _ in broken)
        allowed = " and ".join(f"{most:,} {what.partition(' ')[0]}" for what, _, most in broken)
        raise UnsupportedError(f"{given} has {sizes}; {name} runs at most {allowed}")


def _described(given: object) -> str:
    kind, name = getattr(given, "kind", None), getattr(given, "name", None)
    return f"{kind} {name}" if kind else type(given).__name__
