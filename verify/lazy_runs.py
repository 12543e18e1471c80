"""Runs of universal programs whose prompt is chosen as it is read: a cell, or an entry of the table, when it is met."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from compiler.program_to_rules.lowered_universal_automaton import (
    LoweredUniversalAutomaton,
    at_token,
    entry_token,
    state_token,
    symbol_token,
)
from compiler.program_to_rules.lowered_universal_automaton import Table as AutomatonTable
from compiler.program_to_rules.lowering import Turn

UNREAD = -1
Here = TypeVar("Here")
Near: TypeAlias = Callable[[int], bool]
"""Whether a run may go on to this question."""


class LazyRun(NamedTuple, Generic[Here]):
    """The beginning of a run, up to a question.

    Attributes
    ----------
    choices
        For each place of the prompt the number of its choice, or `UNREAD`.
    after
        The tokens behind these places, from the start on; the last is the question.
    here
        Where the run stands.
    """

    choices: tuple[int, ...]
    after: tuple[int, ...]
    here: Here


class LazyRuns(ABC, Generic[Here]):
    """All runs of a universal program.

    Attributes
    ----------
    places
        The tokens that may stand at each place of the prompt before the start, ascending: choice c is the c-th.
    questions
        All tokens that are asked.
    """

    places: Sequence[Sequence[int]]
    questions: Sequence[int]

    @abstractmethod
    def begins(self) -> Iterator[LazyRun[Here]]:
        """The runs up to their first question."""

    @abstractmethod
    def longer(self, run: LazyRun[Here], near: Near) -> Iterator[LazyRun[Here]]:
        """`run`, and one more question, for each choice of what is read now."""

    @abstractmethod
    def followers(self, question: int) -> Iterator[int]:
        """The questions that may come next after `question` in some run."""

    @abstractmethod
    def allowed(self, run: LazyRun[Here]) -> Iterator[Sequence[Sequence[int]]]:
        """What may stand at the places that `run` has not read, in one or several cases that cover all.

        In a case, the choices of a place are ascending, and the least of one place goes with any of the others.
        """

    @abstractmethod
    def given(self, run: LazyRun[Here]) -> tuple[int, ...]:
        """Those tokens of `run` behind the places that are given and not answered."""

    @abstractmethod
    def turns(self, run: LazyRun[Here], choices: Sequence[int]) -> Iterator[Turn]:
        """The program's own run on the prompt that `choices` fill, as far as `run` goes and perhaps further."""


class Entered(NamedTuple):
    """Where an automaton stands: its state, and for each state whether it accepts, None if it was never entered."""

    state: int
    accepts: tuple[bool | None, ...]


class AutomatonRuns(LazyRuns[Entered]):
    """The runs of a universal automaton: the places are the entries; choice c enters state c % Q, accepting if c >= Q.

    Entries that enter the same state agree on whether it accepts.
    """

    def __init__(self, lowering: LoweredUniversalAutomaton) -> None:
        self.lowering = lowering
        numbers = lowering.tokens.numbers
        self.states, self.symbols = lowering.program.states, lowering.program.symbols
        pairs = [(q, s) for q in range(self.states) for s in range(self.symbols)]
        self.ends = [(r, accepts) for accepts in (False, True) for r in range(self.states)]
        self.places = [[numbers[entry_token(*pair, *end)] for end in self.ends] for pair in pairs]
        self.letters = [numbers[symbol_token(s)] for s in range(self.symbols)]
        self.pointers = [numbers[at_token(*pair)] for pair in pairs]
        self.starts = [numbers[state_token(0, accepts)] for accepts in (False, True)]
        self.questions = [*self.letters, *self.pointers]

    def begins(self) -> Iterator[LazyRun[Entered]]:
        """The start state accepts or not; any symbol is the first."""
        for accepts in (False, True):
            here = Entered(0, (accepts, *(None,) * (self.states - 1)))
            for letter in self.letters:
                yield LazyRun((UNREAD,) * len(self.places), (self.starts[accepts], letter), here)

    def longer(self, run: LazyRun[Entered], near: Near) -> Iterator[LazyRun[Entered]]:
        """A symbol points to an entry, which is read; any symbol is next."""
        state, accepts = run.here
        if len(run.after) % 3 == 2:
            pointer = self.pointers[state * self.symbols + self.letters.index(run.after[-1])]
            if near(pointer):
                yield LazyRun(run.choices, (*run.after, pointer), run.here)
            return
        place = self.pointers.index(run.after[-1])
        known = run.choices[place]
        letters = [letter for letter in self.letters if near(letter)]
        for choice in self._agreeing(accepts) if known == UNREAD else (known,):
            target, ends = self.ends[choice]
            here = Entered(target, with_value(accepts, target, ends))
            choices = with_value(run.choices, place, choice)
            entered = self.lowering.tokens.numbers[self.lowering.entered(state, target, ends)]
            for letter in letters:
                yield LazyRun(choices, (*run.after, entered, letter), here)

    def _agreeing(self, accepts: tuple[bool | None, ...]) -> list[int]:
        """The choices that enter states as `accepts` has them."""
        return [choice for choice, (r, ends) in enumerate(self.ends) if accepts[r] in (None, ends)]

    def followers(self, question: int) -> Iterator[int]:
        """A symbol is read in any state; after an entry any symbol comes."""
        if question in self.letters:
            yield from self.pointers[self.letters.index(question) :: self.symbols]
        else:
            yield from self.letters

    def allowed(self, run: LazyRun[Entered]) -> Iterator[Sequence[Sequence[int]]]:
        """What agrees with the states that were entered; for each acceptance of the state that the least one enters."""
        for accepts in self._settled(run.here.accepts):
            yield [self._agreeing(accepts)] * len(self.places)

    def _settled(self, accepts: tuple[bool | None, ...]) -> Iterator[tuple[bool | None, ...]]:
        least, _ = self.ends[self._agreeing(accepts)[0]]
        if accepts[least] is not None:
            yield accepts
            return
        for ends in (False, True):
            yield from self._settled(with_value(accepts, least, ends))

    def given(self, run: LazyRun[Entered]) -> tuple[int, ...]:
        """The start and the word."""
        return (run.after[0], *run.after[1::3])

    def turns(self, run: LazyRun[Entered], choices: Sequence[int]) -> Iterator[Turn]:
        """See `LazyRuns.turns`."""
        targets = [self.ends[choice][0] for choice in choices]
        accepts = [bool(known) for known in run.here.accepts]
        for choice in choices:
            target, ends = self.ends[choice]
            accepts[target] = ends
        rows = tuple(tuple(targets[n : n + self.symbols]) for n in range(0, len(targets), self.symbols))
        word = [self.letters.index(letter) for letter in run.after[1::3]]
        return self.lowering.turns(AutomatonTable(rows, tuple(accepts)), word)


def options(known: int, size: int) -> Sequence[int]:
    """What was read before; all where it was not."""
    return range(size) if known == UNREAD else (known,)


Value = TypeVar("Value")


def with_value(values: tuple[Value, ...], place: int, value: Value) -> tuple[Value, ...]:
    """`values` with another one at `place`."""
    return (*values[:place], value, *values[place + 1 :])
