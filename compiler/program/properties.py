"""Properties: languages that the runs of an automaton stay in, or out of, decided by the product construction.

A property reads what a run emits, symbol by symbol: n + 1 outputs of a Moore machine for n symbols, n of a Mealy
machine; ``always P`` says that P accepts the outputs of every run, ``never P`` that it accepts those of none. An
acceptor emits nothing; there the property reads the input, and speaks of the words that are accepted.

>>> from compiler.language.load import parse
>>> light = parse('''automaton light {
...     alphabet tick; start state red emits stop { tick -> green }; state green emits go { tick -> red }
...     never /.* go go .*/; always /stop*/ }''')
>>> [least_violation(light, claim) for claim in light.properties]
[None, ('tick',)]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from compiler.program.algebra import accepting
from compiler.program.automaton import Automaton
from compiler.program.run import Run

Kind: TypeAlias = Literal["always", "never"]
Pair: TypeAlias = tuple[str, str | None]
"""A state of the program and one of the property (None: off it, by a missing transition)."""


@dataclass(frozen=True, slots=True)
class Property:
    """``always`` or ``never`` a word of `language`, whose name is what the clause calls it.

    Raises
    ------
    ProgramError
        At construction, for a transducer that judges nothing: it has no language.
    """

    kind: Kind
    language: Automaton

    def __post_init__(self) -> None:
        accepting(self.language)

    def __str__(self) -> str:
        return f"{self.kind} {self.language.name}"

    def over(self, symbols: tuple[str, ...]) -> Property:
        """The same property of words over `symbols`, where others do not occur; its language without outputs."""
        language = self.language
        moves = {(q, s): t for (q, s), t in language.transitions.items() if s in symbols}
        states = language.states, language.start
        return Property(self.kind, Automaton(language.name, symbols, *states, moves, accepting(language)))

    def allows(self, state: str | None) -> bool:
        """Whether what was read so far, which led to `state` of the language, is as the property says."""
        return (state in accepting(self.language)) == (self.kind == "always")

    def holds(self, program: Automaton, run: Run) -> bool:
        """Whether `run`, of `program` or of a model of it, is as the property says."""
        if not program.is_transducer and run.outcome != "accepted":
            return True
        read = run.output if program.is_transducer else [str(symbol) for symbol in run.input]
        return self.allows(self.language.path(read)[-1])


def least_violation(program: Automaton, claim: Property, *, up_to: int | None = None) -> tuple[str, ...] | None:
    """The least word on whose run `claim` fails, by length and then in the order of the alphabet; None without one.

    With `up_to` only words of up to this length are looked at. A run that falls off the program emits nothing more and
    is not accepted, so it violates what a shorter one did, or nothing.
    """
    level = [_begin(program, claim)]
    came: dict[Pair, tuple[Pair, str] | None] = {level[0]: None}
    length = 0
    while level and (up_to is None or length <= up_to):
        for here in level:
            if _is_judged(program, here[0]) and not claim.allows(here[1]):
                return _word(came, here)
        entered = []
        for here in level:
            for symbol in program.alphabet:
                there = _step(program, claim, here, symbol)
                if there is not None and there not in came:
                    came[there] = here, symbol
                    entered.append(there)
        level, length = entered, length + 1
    return None


def _begin(program: Automaton, claim: Property) -> Pair:
    emitted = program.emitted(None, None, program.start)
    start = claim.language.start
    return program.start, start if emitted is None else claim.language.step(start, emitted)


def _step(program: Automaton, claim: Property, here: Pair, symbol: str) -> Pair | None:
    """The pair after `symbol`; None where the program falls off."""
    target = program.step(here[0], symbol)
    if target is None:
        return None
    read = program.emitted(here[0], symbol, target) if program.is_transducer else symbol
    assert read is not None
    return target, claim.language.step(here[1], read)


def _is_judged(program: Automaton, state: str) -> bool:
    return program.is_transducer or state in accepting(program)


def _word(came: dict[Pair, tuple[Pair, str] | None], here: Pair) -> tuple[str, ...]:
    word: list[str] = []
    while (before := came[here]) is not None:
        here, symbol = before
        word.append(symbol)
    return tuple(reversed(word))
