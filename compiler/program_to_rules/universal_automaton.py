"""Universal automata to rules: the transition table in the prompt, one set of weights for every automaton.

Statement
    Let Q states and A symbols be the bounds. The rules below make one layer of linear attention that, fed with its own
    answers, runs every acceptor within the bounds on words of any length: the acceptor is given in the prompt, and the
    weights depend on the bounds alone.

Coordinates
    reg; state[q] and value[q] for q < Q; symbol[s] for s < A; key[q,s]; accept.  d = 2 + 2 Q + A + Q A.

Tokens
    q,s -> r, q,s -> r accept     key[q,s] + value[r], and accept where r accepts     the prompt, one for each q and s
    state 0, state r accept ...   reg + state[r], and accept where r accepts          the start, and the answers
    symbol s                      symbol[s]                                           an input symbol
    at q,s                        key[q,s] + reg - state[q]                           between the two

Rules
    last has symbol[s]:  {reg, state[q]}: key[q,s] += 1, reg += 1, state[q] -= 1                  read, and empty
    last has key[q,s]:   {key[q,s], value[r]}: state[r] += 1, reg += 1;  {key[q,s], accept}: accept += 1      look up

Invariant
    When an input symbol is the last token, S[reg, state] is the one-hot current state q, and S[key q,s, value r] is the
    table: 1 where q goes to r on s. The prompt makes it so. The first answer is `at q,s`: of the pairs that are read it
    changes S[reg, state q] alone, by (1)(-1), to 0; it has neither value nor accept. It asks again, and since it alone
    names q and s, the second answer is the entry of the table, which writes r into the register by (1)(1). The pairs
    {key, value} and {key, accept} stand in the prompt only. So everything that is read is 0 or 1, at every length.

Cost
    H = A + 1 heads: one for each symbol, one that looks up; the same function as the rules on all inputs. Two answers
    a symbol. d is Q A - 1 less than with pointers at[q,s] that are coordinates of their own and no acceptance
    (1 + 2 Q + A + 2 Q A): a pointer may be its key, since no token of the prompt is a question.

    One answer a symbol is impossible. From the symbol alone the answer is linear in S, so the answers for two tables
    and two current states would satisfy y(M, q) + y(M', q') = y(M, q') + y(M', q); take Q = 2, M the identity on s and
    M' the exchange, q = 0 and q' = 1: both enter state 0 on the left, and both state 1 on the right.

Programs within the bounds
    States are numbered with the start state first, symbols in the order of the alphabet; a partial automaton gets its
    sink. What is left of the table is filled with q,s -> q: those states and symbols are never met.

Source
    Time-indexed rows, the style of arXiv 2410.10101 (section 4), need about L + Q heads for words of length L.
    Registers and the delta rule: arXiv 2310.16076, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.errors import UnsupportedError
from compiler.program import Program
from compiler.program.automaton import Automaton
from compiler.program.run import Outcome
from compiler.program.universal import UniversalAutomaton
from compiler.program_to_rules.automaton import ACCEPT, REGISTER
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
    return f"{q},{s} -> {target}{_suffix(accepts)}"


def state_token(q: int, accepts: bool) -> str:
    """The token that enters a state."""
    return f"state {q}{_suffix(accepts)}"


def at_token(q: int, s: int) -> str:
    """The token that points to the entry of the table for q and s."""
    return f"at {q},{s}"


def symbol_token(s: int) -> str:
    """The token of an input symbol."""
    return f"symbol {s}"


def _suffix(accepts: bool) -> str:
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

    @property
    def heads(self) -> tuple[Head, ...]:
        """One head for each symbol, and one that looks up: the rules, on all inputs."""
        bounds, place = self.program, {name: number for number, name in enumerate(self.coordinates)}

        def matrix(entries: Iterable[tuple[str, str, int]]) -> Sparse:
            rows, columns, weights = zip(*((place[a], place[b], w) for a, b, w in entries), strict=True)
            return Sparse(np.array(rows, dtype=np.int32), np.array(columns, dtype=np.int32), np.array(weights))

        states, symbols = range(bounds.states), range(bounds.symbols)
        heads = []
        for s in symbols:
            read = [(key_name(q, s), f"state[{q}]", 1) for q in states]
            kept = [(REGISTER, f"state[{q}]", 1) for q in states]
            emptied = [(f"state[{q}]", f"state[{q}]", -1) for q in states]
            query = matrix([(REGISTER, f"symbol[{s}]", 1)])
            heads.append(Head(f"read symbol {s}", matrix([*read, *kept, *emptied]), query))
        entered = [(row, f"value[{r}]", 1) for r in states for row in (f"state[{r}]", REGISTER)]
        keys = [(key_name(q, s), key_name(q, s), 1) for q in states for s in symbols]
        return (*heads, Head("look up", matrix([*entered, (ACCEPT, ACCEPT, 1)]), matrix(keys)))

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
            entered = state_token(target, table.accepts[target])
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


def universal_automaton_to_rules(program: UniversalAutomaton) -> LoweredUniversalAutomaton:
    """The construction that the module's docstring states and proves. Raises UnsupportedError where it is too large."""
    states, symbols = range(program.states), range(program.symbols)
    if 2 * program.states**2 * program.symbols > MOST_TOKENS:
        raise UnsupportedError(
            f"universal automaton {program.name} has bounds of {program.states} states and {program.symbols} symbols, "
            f"so its vocabulary would have over {MOST_TOKENS:,} tokens"
        )
    pairs = [(q, s) for q in states for s in symbols]
    coordinates = (
        REGISTER,
        *(f"state[{q}]" for q in states),
        *(f"value[{q}]" for q in states),
        *(f"symbol[{s}]" for s in symbols),
        *(key_name(q, s) for q, s in pairs),
        ACCEPT,
    )
    tokens: dict[str, dict[str, int]] = {}
    for accepts in (False, True):
        said = {ACCEPT: 1} if accepts else {}
        tokens |= {entry_token(*pair, r, accepts): {key_name(*pair): 1, f"value[{r}]": 1} | said
                   for pair in pairs for r in states}  # fmt: skip
        tokens |= {state_token(r, accepts): {REGISTER: 1, f"state[{r}]": 1} | said for r in states}
    asking = {symbol_token(s): {f"symbol[{s}]": 1} for s in symbols}
    asking |= {at_token(q, s): {key_name(q, s): 1, REGISTER: 1, f"state[{q}]": -1} for q, s in pairs}
    vocabulary = Vocabulary.named(tokens | asking, coordinates)
    answers = {at_token(*pair) for pair in pairs} | {state_token(r, a) for r in states for a in (False, True)}
    asks = np.array([Asks.APPENDED if name in asking else Asks.NOTHING for name in vocabulary], dtype=np.int8)
    replies = np.array([Asks.APPENDED if name in answers else Asks.NOTHING for name in vocabulary], dtype=np.int8)
    return LoweredUniversalAutomaton(program, Form.of(coordinates, _rules(program)), vocabulary, asks, replies)


def _rules(program: UniversalAutomaton) -> Iterator[tuple[str, str, str, str, int]]:
    """The rules (a, b, c, e, weight) by names."""
    for q in range(program.states):
        for s in range(program.symbols):
            key, read = key_name(q, s), (REGISTER, f"state[{q}]", f"symbol[{s}]")
            yield from ((key, *read, 1), (REGISTER, *read, 1), (f"state[{q}]", *read, -1))
            for r in range(program.states):
                found = (key, f"value[{r}]", key)
                yield from ((f"state[{r}]", *found, 1), (REGISTER, *found, 1))
            yield ACCEPT, key, ACCEPT, key, 1
