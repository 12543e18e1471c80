"""What every construction of a universal automaton shares: the table in the prompt, its tokens, and the dialogue.

A run is the prompt, an entry of the table for each state and symbol and then the start; then for each symbol of the
word a *pointer* to an entry of the table, and what stands there, which *enters* a state. The constructions differ in
the coordinates of these tokens, in the names of the tokens that enter, and in their rules and heads.

Bounds
    Of any layer (with any weights, not only integers) that runs in this way, on Q >= 2 states and A >= 2 symbols: the
    prompt has one token for each entry, which depends on q, s, r and on whether r accepts, then a start token; symbols
    have tokens of their own; two answers a symbol; the first is z[q,s], and the second depends on q, r and on whether
    r accepts, and is different for different r. Write M(S) for the linear map from the last token to the answer. It is
    linear in S, so of two configurations with the same last token the difference of the answers is M of the difference
    of S, on that token. D(k; r, r') is the difference of S between two tables that differ in the entry k = (q,s) only,
    r against r', before it is used.

    d >= Q A + A. M(D(k; r, r')) takes z[k] to the difference of two answers that enter different states, which is not
    0, and it takes z[j], for j != k, and every symbol to 0: some run reaches them without the entry k (from state 0 by
    another symbol, in at most one step). So in a linear relation between all z and all symbols no z takes part. As
    for symbols: the words t and t, s on the tables with r or 0 for the entry (0,t) give, once the difference of the
    prompts is taken off, which answers 0 to s, the difference X[r] = x[r] x[r]^T - x[0] x[0]^T, where x[r] enters r
    from 0, and M(X[r]) symbol[s] = z[r,s] - z[0,s]. These are independent for different s, so symbols are.

    H >= A (Q - 1) / Q, so H >= A where A < Q. The (Q - 1) A vectors z[r,s] - z[0,s], r > 0, are independent, and each
    is sum_h V_h X[r] Q_h symbol[s], a combination of the H Q vectors V_h x[r].

    Tokens: one answer a symbol is not enough; see `universal_automaton`.

    So no layer of this kind has fewer heads than `universal_automaton_few_heads` where 2 <= A < Q, and none has more
    than Q + 2 dimensions less than `universal_automaton_narrow`. What is least beyond that is open.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Sparse
from compiler.errors import UnsupportedError
from compiler.program import Program
from compiler.program.automaton import Automaton
from compiler.program.run import Outcome
from compiler.program.universal import UniversalAutomaton
from compiler.program_to_rules.automaton import ACCEPT
from compiler.program_to_rules.lowering import Asks, Lowering, Turn
from compiler.rules import Form
from compiler.vocabulary import Vocabulary

MOST_TOKENS = 1_000_000
"""The most tokens of a vocabulary; there are 2 Q^2 A entries of tables."""


def key_name(q: int, s: int) -> str:
    """The coordinate that points to the entry of a table."""
    return f"key[{q},{s}]"


def entry_token(q: int, s: int, target: int, accepts: bool) -> str:
    """The token of the prompt that says where q goes on s."""
    return f"{q},{s} -> {target}{suffix(accepts)}"


def state_token(q: int, accepts: bool) -> str:
    """The token that enters a state."""
    return f"state {q}{suffix(accepts)}"


def at_token(q: int, s: int) -> str:
    """The token that points to the entry of the table for q and s."""
    return f"at {q},{s}"


def symbol_token(s: int) -> str:
    """The token of an input symbol."""
    return f"symbol {s}"


def suffix(accepts: bool) -> str:
    """The end of the name of a token that may accept."""
    return " accept" if accepts else ""


@dataclass(frozen=True, slots=True)
class Table:
    """An acceptor by numbers, filled up to the bounds: (states, symbols) targets, and which states accept."""

    targets: tuple[tuple[int, ...], ...]
    accepts: tuple[bool, ...]

    @classmethod
    def of(cls, program: Automaton, states: int, symbols: int) -> Table:
        """The table of `program`, its start state first, its sink (if it is partial) last."""
        names = (program.start, *(q for q in program.states if q != program.start))
        place = {name: number for number, name in enumerate(names)}
        sink = len(names)
        rows = [[q] * symbols for q in range(states)]
        for q, name in enumerate(names):
            for s, symbol in enumerate(program.alphabet):
                target = program.transitions.get((name, symbol))
                rows[q][s] = sink if target is None else place[target]
        accepting = [name in (program.accept or ()) for name in names]
        return cls(tuple(map(tuple, rows)), tuple(accepting + [False] * (states - len(names))))


@dataclass(frozen=True, slots=True)
class LoweredUniversalAutomaton(Lowering):
    """A universal automaton as a layer; `given` is the automaton that it runs, where one is named."""

    program: UniversalAutomaton
    given: Automaton | None = None

    @staticmethod
    @abstractmethod
    def value(r: int) -> str:
        """The coordinate by which an entry of the table names the state r."""

    @staticmethod
    @abstractmethod
    def accepting() -> str:
        """The coordinate by which an entry of the table says that its state accepts."""

    @staticmethod
    @abstractmethod
    def entered(q: int, r: int, accepts: bool) -> str:
        """The token, by name, that enters r from q."""

    def running(self, given: Program) -> LoweredUniversalAutomaton:
        """See `Lowering.running`."""
        return replace(self, given=self.program.check_fits(given))

    @property
    def speaks(self) -> bool:
        """It judges, and says nothing."""
        return False

    @property
    def opening(self) -> int:
        """The start is given after the table."""
        return self.program.states * self.program.symbols

    def steps(self, items: int, answers: int, cut: bool) -> int:
        """A step takes two answers."""
        return answers // 2 if cut else items

    def _named(self) -> Automaton:
        if self.given is None:
            name = f"{self.program.kind} {self.program.name}"
            raise UnsupportedError(f"{name} runs another program; name it (given=..., or --given on the command line)")
        return self.given

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`."""
        return self._named().word(word)

    def items(self) -> Sequence[Any]:
        """The alphabet of the given automaton."""
        return self._named().alphabet

    def table(self) -> Table:
        """The table of the given automaton."""
        return Table.of(self._named(), self.program.states, self.program.symbols)

    def inputs(self, word: Sequence[str]) -> list[str]:
        """The table, the start, then a token a symbol."""
        place = {symbol: number for number, symbol in enumerate(self._named().alphabet)}
        return [*self._prompt(self.table()), *(symbol_token(place[symbol]) for symbol in word)]

    def _prompt(self, table: Table) -> list[str]:
        entries = [
            entry_token(q, s, target, table.accepts[target])
            for q, row in enumerate(table.targets)
            for s, target in enumerate(row)
        ]
        return [*entries, state_token(0, table.accepts[0])]

    def dialogue(self, word: Sequence[str], limit: int | None = None) -> Iterator[Turn]:
        """The prompt, then for each symbol the pointer to the table and the state that is entered."""
        place = {symbol: number for number, symbol in enumerate(self._named().alphabet)}
        return islice(self.turns(self.table(), [place[symbol] for symbol in word]), limit)

    def turns(self, table: Table, word: Iterable[int]) -> Iterator[Turn]:
        """The run of a table on symbols by number."""
        yield from ((name, None) for name in self._prompt(table))
        q = 0
        for s in word:
            target = table.targets[q][s]
            entered = self.entered(q, target, table.accepts[target])
            yield symbol_token(s), at_token(q, s)
            yield at_token(q, s), entered
            yield entered, None
            q = target

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """Nothing."""
        del question, answer
        return ()

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """Read from accept."""
        return "accepted" if 2 * last[self.coordinates.index(ACCEPT)] > 1 else "rejected"


Lowered = TypeVar("Lowered", bound=LoweredUniversalAutomaton)
Tokens: TypeAlias = dict[str, dict[str, int]]


def assembled(
    kind: type[Lowered],
    program: UniversalAutomaton,
    form: Form,
    ends: Callable[[dict[str, int], bool], Tokens],
    pointer: Callable[[int, int], dict[str, int]],
) -> Lowered:
    """A construction from its rules and what is its own of its tokens.

    Parameters
    ----------
    ends
        (what a token that accepts has, whether it does) -> the start, and the tokens that enter states.
    pointer
        (q, s) -> the pointer.
    """
    states, symbols = range(program.states), range(program.symbols)
    pairs = [(q, s) for q in states for s in symbols]
    tokens: Tokens = {}
    for accepts in (False, True):
        told, said = ({kind.accepting(): 1}, {ACCEPT: 1}) if accepts else ({}, {})
        tokens |= {entry_token(*pair, r, accepts): {key_name(*pair): 1, kind.value(r): 1} | told
                   for pair in pairs for r in states}  # fmt: skip
        tokens |= ends(said, accepts)
    asking = {symbol_token(s): {f"symbol[{s}]": 1} for s in symbols}
    asking |= {at_token(*pair): pointer(*pair) for pair in pairs}
    vocabulary = Vocabulary.named(tokens | asking, form.coordinates)
    answers = {at_token(*pair) for pair in pairs}
    answers |= {kind.entered(q, r, accepts) for q in states for r in states for accepts in (False, True)}
    asks = np.array([Asks.APPENDED if name in asking else Asks.NOTHING for name in vocabulary], dtype=np.int8)
    replies = np.array([Asks.APPENDED if name in answers else Asks.NOTHING for name in vocabulary], dtype=np.int8)
    return kind(program, form, vocabulary, asks, replies)


def check_size(program: UniversalAutomaton) -> None:
    """Raises UnsupportedError where the vocabulary would be too large."""
    if 2 * program.states**2 * program.symbols > MOST_TOKENS:
        raise UnsupportedError(
            f"universal automaton {program.name} has bounds of {program.states} states and {program.symbols} symbols, "
            f"so its vocabulary would have over {MOST_TOKENS:,} tokens"
        )


def sparse(coordinates: Sequence[str], entries: Iterable[tuple[str, str, int]]) -> Sparse:
    """The matrix of these entries (row, column, weight), by names."""
    place = {name: number for number, name in enumerate(coordinates)}
    rows, columns, weights = zip(*((place[a], place[b], w) for a, b, w in entries), strict=True)
    return Sparse(np.array(rows, dtype=np.int32), np.array(columns, dtype=np.int32), np.array(weights))
