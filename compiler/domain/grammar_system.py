"""Grammars as guarded systems: any symbols in any order, then the end.

The domain is a relaxed one: symbols may stand before the start, where no rule reads what they add to S. Else the hulls
would be larger than what runs show: once a word is rejected the same token answers every symbol, so that in the hull
of all that comes before a symbol the numbers of symbols and of their answers are not tied to each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from compiler.domain.system import COUNT, IDLE, Branch, Initial, Pair, System, of_tokens
from compiler.program.prediction import END
from compiler.program_to_rules.grammar_places import Place
from compiler.program_to_rules.lowered_grammar import (
    EMPTY,
    FAILED,
    FULL,
    POPPED,
    REG,
    START,
    LoweredGrammar,
    cell,
    fetch,
    fetched,
    letter,
    look,
    top,
)
from compiler.program_to_rules.lowering import Asks

Guards: TypeAlias = tuple[tuple[Pair, int], ...]
Value: TypeAlias = Place | str
"""What the top register holds: a place, or empty, failed, full or popped."""


def grammar_system(lowering: LoweredGrammar) -> System:
    """The guarded system of a grammar.

    A symbol branches by the top register, an answer that fetches by the cell; an answer that asks with a top register
    that it has set itself has one branch.
    """
    program, numbers, size = lowering.program, lowering.tokens.numbers, len(lowering.tokens)
    aheads = (*program.alphabet, END)
    directions = np.eye(size, dtype=np.int64)[[numbers[letter(ahead)] for ahead in program.alphabet]]
    initial = Initial(IDLE, of_tokens([numbers[START]], size), directions)
    branches = tuple(_Branches(lowering).all())
    return System(lowering, (initial,), tuple(numbers[letter(ahead)] for ahead in aheads), branches)


class _Branches:
    """The branches of a grammar, with what is known of the tokens that may stand before each.

    Attributes
    ----------
    values
        Answer (or start) -> what the top register can hold once it was appended; nothing while it is popped.
    before
        Answer -> the answers (or start) that it can follow, no other answer between them.
    """

    def __init__(self, lowering: LoweredGrammar) -> None:
        self.lowering = lowering
        self.aheads = (*lowering.program.alphabet, END)
        coordinates = lowering.coordinates
        self.vectors: Mapping[str, Mapping[str, int]] = {
            name: {coordinates[place]: value for place, value in lowering.tokens.listed(number).items()}
            for number, name in enumerate(lowering.tokens.names)
        }
        self.values = self._values()
        self.before: dict[str, set[str]] = {}
        for name in self.values:
            for answer in self._following(name):
                self.before.setdefault(answer, set()).add(name)

    def _values(self) -> dict[str, set[Value]]:
        held = {top(place): place for place in self.lowering.tops} | {each: each for each in (EMPTY, FAILED, FULL)}
        found: dict[str, set[Value]] = {START: {(1, self.lowering.program.start)}}
        for (value, _), name in self.lowering.answers.items():
            put = [held[each] for each, sign in self.vectors[name].items() if sign > 0 and each in held]
            gone = POPPED in self.vectors[name]
            found.setdefault(name, set()).update(put or ([] if gone else [value]))
        for place in self.lowering.cells:
            for ahead in (None, *self.aheads):
                if fetched(place, ahead) in self.vectors:
                    found[fetched(place, ahead)] = {place}
        return found

    def _ahead(self, name: str) -> str | None:
        """The symbol that an answer has still to read."""
        return next((each for each in self.aheads if look(each) in self.vectors[name]), None)

    def _fetching(self, name: str) -> list[Place]:
        """The places of which an answer asks what stands there."""
        return [place for place in self.lowering.cells if fetch(place[0]) in self.vectors[name]]

    def _following(self, name: str) -> Iterator[str]:
        ahead = self._ahead(name)
        yield from (fetched(place, ahead) for place in self._fetching(name))
        for value in self.values[name]:
            yield from (self.lowering.answers[value, each] for each in self.aheads if ahead in (None, each))

    def all(self) -> Iterator[Branch]:
        """Those of symbols, then those of answers that ask."""
        numbers, resting = self.lowering.tokens.numbers, [name for name in self.values if not self._asks(name)]
        for ahead in self.aheads:
            for value in dict.fromkeys(value for value, _ in self.lowering.answers):
                last = [name for name in resting if value in self.values[name]]
                yield self._branch(letter(ahead), self._top_is(value) + self._never(last), value, ahead)
        for name in self.values:
            left = self._ahead(name)
            for place in self._fetching(name):
                guards = self._holds(self._cell_is(place)) + self._top_is(POPPED) + self._never([name])
                yield self._answered(numbers[name], guards, fetched(place, left), left)
            for value in self.values[name] if left is not None else ():
                yield self._branch(name, self._top_is(value) + self._never([name]), value, left or END)

    def _asks(self, name: str) -> bool:
        return bool(self.lowering.asks[self.lowering.tokens.numbers[name]])

    def _branch(self, question: str, guards: Guards, value: Value, ahead: str) -> Branch:
        number = self.lowering.tokens.numbers[question]
        return self._answered(number, guards, self.lowering.answers[value, ahead], ahead)

    def _answered(self, question: int, guards: Guards, answer: str, ahead: str | None) -> Branch:
        """Where the answer does not ask again, the next symbol is given; behind the end there is none."""
        number = self.lowering.tokens.numbers[answer]
        idle = None if ahead == END else IDLE
        asks = self.lowering.asks[number] == Asks.APPENDED
        return Branch(question, question, guards, number, number if asks else idle)

    def _holds(self, entries: Iterable[tuple[str, int]]) -> Guards:
        place = {name: number for number, name in enumerate(self.lowering.coordinates)}
        return tuple(((place[REG], place[name]), value) for name, value in entries if name in place)

    def _cell_is(self, place: Place) -> list[tuple[str, int]]:
        """The cell holds the symbol of `place` and nothing else; those above it hold nothing."""
        return [(cell(each), int(each == place)) for each in self.lowering.cells if each[0] >= place[0]]

    def _top_is(self, value: Value) -> Guards:
        """The top register holds `value` and nothing else; the cells from there on hold nothing."""
        values: tuple[Value, ...] = (*self.lowering.tops, EMPTY, FAILED, POPPED, FULL)
        held = [(each if isinstance(each, str) else top(each), int(each == value)) for each in values]
        height = value[0] if not isinstance(value, str) else 0 if value == EMPTY else self.lowering.program.depth
        return self._holds([*held, *((cell(place), 0) for place in self.lowering.cells if place[0] >= height)])

    def _never(self, last: Iterable[str]) -> Guards:
        """Answers that lead to none of `last` do not stand among the tokens so far.

        That is said in counts, and keeps the hulls from mixing what comes before a step with what comes after it.
        """
        found = set(last)
        queue = list(found)
        for name in queue:
            fresh = self.before.get(name, set()) - found
            found |= fresh
            queue += fresh
        numbers = self.lowering.tokens.numbers
        return tuple(((COUNT, numbers[name]), 0) for name in self.values if name not in found and name != START)
