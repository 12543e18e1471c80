"""Turing machines to rules, the history: the whole tape anew for every step, copied cell by cell.

Statement
    Let M be a machine with states Q, tape symbols Gamma (the blank among them) and n cells, and T a bound on its steps
    (its own, if that is smaller). The rules below make one layer of linear attention that, fed with its own answers,
    runs M on every input that fits for at most T steps, n + 1 tokens a step; a stop is said by a coordinate of its own,
    and a run that reaches T without one is unfinished.

Coordinates
    For each time i and cell p: cell[p,i], symbol[p,g,i] for g in Gamma (i = 0 .. T); conf[q,p,i] for q in Q, the state
    and the head before step i + 1 (i = 0 .. T-1); next[q,p,i] and old[p,g,i] (i = 1 .. T-1); then one for each way of
    stopping that M has. d = n ((T + 1)(|Gamma| + 1) + T |Q| + (T - 1)(|Q| + |Gamma|)) + outcomes, about 2 n T (|Q| +
    |Gamma|).

Tokens
    i: p=g                      cell[p,i] + symbol[p,g,i]                                    for i = 0 the prompt
    i: q@p                      conf[q,p,i]                                                  for i = 0 the start
    i: p=w was g next q'@p'     cell[p,i] + symbol[p,w,i] + old[p,g,i] + next[q',p',i]       the write of a step
    i: p=w halt (accept, ...)   cell[p,i] + symbol[p,w,i] + halt                             the write of the last step

    Step i + 1, from state q at cell p: the last token is i: q@p. The answer is the write, at time i + 1. Then the
    layer copies the cells p+1, p+2, .., p-1 (modulo n) from time i to time i + 1, and answers (i+1): q'@p'. A write
    that stops is no question. Nor is a write at time T, which has neither old nor next.

Rules
    act     For q, g, p and i: if the last token has conf[q,p,i], then for every token that has cell[p,i] and
            symbol[p,g,i]: the entries of the write of (q, g) at p, at time i + 1.
    copy    If the last token has cell[p-1,i+1], then for every token that has cell[p,i] and symbol[p,g,i]:
            cell[p,i+1] += 1, symbol[p,g,i+1] += 1.
    return  If the last token has cell[p-1,i+1], then for every token that has cell[p,i+1] and old[p,g,i+1]:
            cell[p,i+1] -= 1, symbol[p,g,i+1] -= 1; for every token that has cell[p,i+1] and next[q',p',i+1]:
            conf[q',p',i+1] += 1.

Proof
    Of the tokens of a run with cell[p,i] there is never more than one for each p and i: at time 0 the prompt, later
    the write or a copy, and a token has just one cell. So S[cell[p,i], x] is 1 for the coordinates x of that token, and
    0 for others. Suppose that time i holds the tape before step i + 1, and the last token is i: q@p. Only act fires,
    for the symbol g of cell p at time i: the answer is the write. From then on the last token has cell[r-1,i+1], where
    the cells before r are written, cyclically from p. While r is not p, copy fires for the symbol of cell r at time i,
    and return does not, because only the write has old and next: the answer is the copy. When r is p, copy reads the
    symbol g that cell p had at time i, which is what the write has as old: return takes it back and gives conf, and the
    answer is (i+1): q'@p'. For n = 1 that is at once. Time i + 1 holds the tape after the step. Everything that is read
    is 0 or 1, and nothing is ever replaced: exact in any format.

Heads
    act: one for each state, V_q = sum over p, g, i of (write of q, g at p, i) e(symbol[p,g,i])^T,
    Q_q = sum E(cell[p,i], conf[q,p,i]). copy: one, V = sum (cell[p,i+1] + symbol[p,g,i+1]) e(symbol[p,g,i])^T,
    Q = sum E(cell[p,i], cell[p-1,i+1]). return: one, V = sum -(cell[p,i] + symbol[p,g,i]) e(old[p,g,i])^T +
    conf[q,p,i] e(next[q,p,i])^T, Q = sum E(cell[p,i], cell[p-1,i]). So |Q| + 2 (|Q| for T = 1), entries in {-1, 0, 1}.
    They also read pairs of different cells or times, which no token has: the same function as the rules on the domain;
    on all inputs they are not.

Source
    In the style of arXiv 2410.10101, section 4 and its appendix, where a universal machine copies the tape of the
    machine in its prompt at every step too, with d of the order n T |Gamma| max(|Gamma|, |Q|) and heads of the order
    n T |Gamma|. Taking a copy back by old, so that the last token need not say where the head is, is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head
from compiler.heads_to_rules import live_rules
from compiler.program.machine import Machine
from compiler.program.run import Outcome
from compiler.program.words import spell
from compiler.program_to_rules.history import check_size, checked_bound, head_of
from compiler.program_to_rules.history_tape import (
    Place,
    cell_at,
    cell_name,
    cell_token,
    conf_at,
    conf_name,
    coordinates_of,
    machine_width,
    next_at,
    old_at,
    stops_of,
    symbol_at,
    writes_of,
)
from compiler.program_to_rules.lowering import Asks, Lowering, Recall, Turn
from compiler.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class MachineHistory(Lowering):
    """A machine as a layer that keeps its history.

    Attributes
    ----------
    bound
        T, the most steps.
    outcomes
        The ways of stopping that the machine has.
    writes
        (state, symbol, cell, time) -> the token of the write that the step makes, at the next time.
    made
        The heads.
    """

    program: Machine
    bound: int
    outcomes: tuple[Outcome, ...]
    writes: Mapping[Place, str]
    made: tuple[Head, ...]

    @property
    def heads(self) -> tuple[Head, ...]:
        """One head a state, one to copy, one to return; the same function as the rules on the domain."""
        return self.made

    @property
    def most_answers(self) -> int:
        """All steps but the last with their copies, and one write."""
        return (self.bound - 1) * (self.program.cells + 1) + 1

    @property
    def longest(self) -> int:
        """The input is written from the head on."""
        return self.program.cells - self.program.head

    @property
    def speaks(self) -> bool:
        """The output is left on the tape."""
        return False

    @property
    def kept(self) -> NDArray[np.int64]:
        """The cells with their symbols, at every time."""
        place = {name: number for number, name in enumerate(self.coordinates)}
        times, cells = range(self.bound + 1), range(self.program.cells)
        pairs = [
            (place[cell_at(p, i)], place[symbol_at(p, g, i)]) for i, p, g in product(times, cells, self.program.symbols)
        ]
        return np.array(pairs, dtype=np.int64)

    def steps(self, items: int, answers: int, cut: bool) -> int:
        """The steps that so many answers make: each begins with its write, and n more answers end it."""
        del items, cut
        return -(-answers // (self.program.cells + 1))

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`."""
        return self.program.word(word)

    def items(self) -> Sequence[Any]:
        """The input alphabet."""
        return self.program.alphabet

    def inputs(self, word: Sequence[str]) -> list[str]:
        """The tape, cell by cell, then the start."""
        cells = [cell_name(p, symbol, 0) for p, symbol in enumerate(self.program.tape(word))]
        return [*cells, conf_name(self.program.start, self.program.head, 0)]

    def dialogue(self, word: Sequence[str], limit: int | None = None) -> Iterator[Turn]:
        """The prompt, then for each step its write, the copies and the configuration."""
        return islice(self._turns(word), limit)

    def _turns(self, word: Sequence[str]) -> Iterator[Turn]:
        *prompt, last = self.inputs(word)
        yield from ((name, None) for name in prompt)
        tape, n = self.program.tape(word), self.program.cells
        for i, (state, symbol, head) in enumerate(islice(self.program.configurations(word), self.bound)):
            action = self.program.actions[state, symbol]
            tape[head] = action.write
            answers = [self.writes[state, symbol, head, i]]
            if self.asks[self.tokens.numbers[answers[0]]]:
                answers += [cell_name(p % n, tape[p % n], i + 1) for p in range(head + 1, head + n)]
                answers.append(conf_name(str(action.target), head + action.move, i + 1))
            for answer in answers:
                yield last, answer
                last = answer
        yield last, None

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """Nothing: the output of a machine is left on its tape."""
        del question, answer
        return ()

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """The outcome whose coordinate is set; unfinished where none is."""
        base = len(self.coordinates) - len(self.outcomes)
        found = [outcome for number, outcome in enumerate(self.outcomes) if 2 * last[base + number] > 1]
        return found[0] if found else "unfinished"

    def tape(self, recall: Recall) -> list[str]:
        """What each cell held last: the symbol g with S[cell[p,i], symbol[p,g,i]] = 1 for the greatest such i."""
        place = {name: number for number, name in enumerate(self.coordinates)}
        symbols = self.program.symbols

        def held(p: int) -> str:
            for i in range(self.bound, -1, -1):
                weights = [recall(place[cell_at(p, i)], place[symbol_at(p, g, i)]) for g in symbols]
                if 2 * max(weights) > 1:
                    return symbols[weights.index(max(weights))]
            return self.program.blank

        return [held(p) for p in range(self.program.cells)]

    def left(self, recall: Recall, last: str) -> tuple[str, ...]:
        """The tape between its outermost symbols that are not blank."""
        del last
        return self.program.trimmed(self.tape(recall))


def machine_history(program: Machine, bound: int | None = None) -> MachineHistory:
    """The construction that the module's docstring states and proves, for at most `bound` steps.

    Raises
    ------
    UnsupportedError
        Where neither `bound` nor the program gives a bound of at least 1 step, and where coordinates or tokens would be
        too many.
    """
    given = program.steps if bound is None else checked_bound(program, bound, "its steps")
    least = given if given is None or program.steps is None else min(given, program.steps)
    most = checked_bound(program, least, "its steps")
    n, symbols, states = program.cells, len(program.symbols), len(program.states)
    tokens = n * (most * (symbols + states + symbols * states) + symbols)
    check_size(program, most, machine_width(program, most), tokens)
    outcomes = stops_of(program)
    coordinates = coordinates_of(program, most, outcomes)
    writes, vectors = writes_of(program, most)
    cells = product(range(most), range(n), program.symbols)
    copies = {cell_name(p, g, i): cell_token(p, g, i) for i, p, g in cells}
    confs = {conf_name(q, p, i): {conf_at(q, p, i): 1} for i in range(most) for q in program.states for p in range(n)}
    vocabulary = Vocabulary.named(copies | confs | vectors, coordinates)
    going = {name for name, vector in vectors.items() if len(vector) == 4}
    prompt = {cell_name(p, g, 0) for p, g in product(range(n), program.symbols)}
    asked = going | (copies.keys() - prompt) | confs.keys()
    asks = np.array([Asks(name in asked) for name in vocabulary], dtype=np.int8)
    replies = np.array([Asks(not name.startswith("0: ")) for name in vocabulary], dtype=np.int8)
    heads = _heads(program, most, writes, vectors, {name: number for number, name in enumerate(coordinates)})
    form = live_rules(heads, coordinates, vocabulary.pairs())
    return MachineHistory(program, form, vocabulary, asks, replies, most, outcomes, writes, heads)


def _heads(
    program: Machine,
    bound: int,
    writes: Mapping[Place, str],
    vectors: Mapping[str, Mapping[str, int]],
    place: Mapping[str, int],
) -> tuple[Head, ...]:
    """A head for each state, one to copy, one to return."""
    cells, symbols, n = range(program.cells), program.symbols, program.cells
    heads = []
    for q in program.states:
        value = {
            (entry, symbol_at(p, g, i)): weight
            for g, p, i in product(symbols, cells, range(bound))
            for entry, weight in vectors[writes[q, g, p, i]].items()
        }
        query = {(cell_at(p, i), conf_at(q, p, i)): 1 for p, i in product(cells, range(bound))}
        heads.append(head_of(f"in {spell(q)}", value, query, place))
    if bound == 1:
        return tuple(heads)
    later = range(1, bound)
    copied = {
        (entry, symbol_at(p, g, i - 1)): 1
        for i, p, g in product(later, cells, symbols)
        for entry in cell_token(p, g, i)
    }
    before = {(cell_at(p, i - 1), cell_at((p - 1) % n, i)): 1 for i, p in product(later, cells)}
    back = {(entry, old_at(p, g, i)): -1 for i, p, g in product(later, cells, symbols) for entry in cell_token(p, g, i)}
    on = {(conf_at(q, p, i), next_at(q, p, i)): 1 for i, p, q in product(later, cells, program.states)}
    written = {(cell_at(p, i), cell_at((p - 1) % n, i)): 1 for i, p in product(later, cells)}
    return (*heads, head_of("copy", copied, before, place), head_of("return", back | on, written, place))
