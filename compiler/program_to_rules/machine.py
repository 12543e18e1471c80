"""Turing machines to rules: one fast-weight register a cell, one token a step.

Statement
    Let M be a machine with states Q, tape symbols Gamma (the blank among them) and n cells. The rules below make one
    layer of linear attention that, fed with its own answers, runs M on every input that fits, with no bound on the
    number of steps: the k-th answer is the k-th configuration's token, and a stop is an answer of its own.

Coordinates
    For each cell p: cell[p]; symbol[p,g] for g in Gamma; conf[q,p] for q in Q (state and head position jointly). Then
    one for each way of stopping that M has: accept, reject, halt, overran. d = n (|Q| + |Gamma| + 1) + outcomes.

Tokens
    p=g             cell[p] + symbol[p,g]                                       the prompt, one for each cell
    q@p             conf[q,p]                                                   the start, and steps that write nothing
    q@p+m g>w@p     conf[q,p+m] + cell[p] + symbol[p,w] - symbol[p,g]           a step that writes w over g at p
    halt, halt g>w@p, overran ...     the outcome in the place of conf

Rules
    For q in Q, g in Gamma and every cell p: if the last token has conf[q,p], then for every token that has cell[p] and
    symbol[p,g]: the entries of the token that answers (q, g) at p, each with its sign.

Invariant
    Whenever the last token has conf[q,p], S[cell p, symbol p,g] = 1 for the symbol g that cell p holds, for every p,
    and 0 for the others. The prompt makes it so. A step appends one token; of the pairs {cell p', symbol p',g'} it
    has only those of the cell that it writes, where it adds (1)(+1) for w and (1)(-1) for g: the content is *replaced*.
    By the invariant exactly the rules of the symbol under the head fire, with S = 1 and z[e] = 1, so the answer is the
    token above; where it has conf, it is the next question. Everything that is read is 0 or 1, at every step, so the
    arithmetic is exact in any format. Other entries of S, such as S[cell p, cell p], count and are never read.

Heads
    One for each state: V_q = sum over p, g of (answer to q, g at p) e(symbol p,g)^T, Q_q = sum_p E(cell p, conf q,p).
    Their product also reads S[symbol p',g, cell p] for p' != p, which no token of the vocabulary has: it is zero on
    the domain, where the heads are therefore the same function as the rules; on all inputs they are not. However many
    cells there are, |Q| heads with entries in {-1, 0, 1}.

Source
    The published construction (arXiv 2410.10101, section 4 and its appendix) keeps the whole history in time-indexed
    rows and needs up to n + t tokens for step t; `history` is in that style. Registers are the delta rule of fast
    weights (arXiv 2310.16076, section 2) with the difference written into the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.program.machine import Machine
from compiler.program.run import Outcome
from compiler.program.words import spell
from compiler.program_to_rules.lowering import Asks, Lowering, Recall, Turn
from compiler.rules import Form
from compiler.vocabulary import Vocabulary

OUTCOMES: dict[Outcome, str] = {"accepted": "accept", "rejected": "reject", "halted": "halt", "overran": "overran"}
"""The coordinate of each way of stopping."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the coordinates of a machine stand: cell by cell, so that what a step touches lies together."""

    states: tuple[str, ...]
    symbols: tuple[str, ...]
    cells: int
    outcomes: tuple[Outcome, ...]

    @property
    def width(self) -> int:
        """The number of coordinates of a cell."""
        return 1 + len(self.symbols) + len(self.states)

    def cell(self, p: NDArray[Any]) -> NDArray[Any]:
        """The places of cell[p]."""
        return p * self.width

    def symbol(self, p: NDArray[Any], g: int) -> NDArray[Any]:
        """The places of symbol[p,g]."""
        return p * self.width + 1 + g

    def conf(self, q: int, p: NDArray[Any]) -> NDArray[Any]:
        """The places of conf[q,p]."""
        return p * self.width + 1 + len(self.symbols) + q

    def outcome(self, outcome: Outcome, p: NDArray[Any]) -> NDArray[Any]:
        """The place of an outcome, once for each cell."""
        return np.full_like(p, self.cells * self.width + self.outcomes.index(outcome))

    def names(self) -> tuple[str, ...]:
        """The names of all coordinates, in order."""
        symbols, states = [spell(g) for g in self.symbols], [spell(q) for q in self.states]
        found = []
        for p in range(self.cells):
            found.append(f"cell[{p}]")
            found += [f"symbol[{p},{g}]" for g in symbols]
            found += [f"conf[{q},{p}]" for q in states]
        return (*found, *(OUTCOMES[outcome] for outcome in self.outcomes))


@dataclass(frozen=True, slots=True)
class LoweredMachine(Lowering):
    """A machine as a layer.

    Attributes
    ----------
    layout
        Where its coordinates stand.
    prompts
        (n, symbols): the number of the token that says "cell p holds g"; -1 for marks, which no prompt has.
    starts
        (n,): the number of the token "in the start state at p".
    answers
        (states, symbols, n): the number of the token that answers (q, g) at p.
    """

    program: Machine
    layout: Layout
    prompts: NDArray[np.int64]
    starts: NDArray[np.int64]
    answers: NDArray[np.int64]

    @property
    def heads(self) -> tuple[Head, ...]:
        """One head a state; the same function as the rules on the domain."""
        layout, p = self.layout, np.arange(self.layout.cells)
        heads = []
        for q, state in enumerate(layout.states):
            index, weights = _entries(self.tokens, self.answers[q], layout)
            one = np.ones(layout.cells, dtype=np.int64)
            value = Sparse(index[:, 2].astype(np.int32), index[:, 1].astype(np.int32), weights)
            query = Sparse(layout.cell(p).astype(np.int32), layout.conf(q, p).astype(np.int32), one)
            heads.append(Head(f"in {spell(state)}", value, query))
        return tuple(heads)

    @property
    def most_answers(self) -> int | None:
        """The bound on the steps, if the program has one."""
        return self.program.steps

    @property
    def longest(self) -> int:
        """The input is written from the head on."""
        return self.program.cells - self.program.head

    @property
    def kept(self) -> NDArray[np.int64]:
        """The cells with their symbols."""
        p = np.arange(self.layout.cells)
        sides = [
            np.column_stack([self.layout.cell(p), self.layout.symbol(p, g)]) for g in range(len(self.layout.symbols))
        ]
        return np.concatenate(sides)

    @property
    def speaks(self) -> bool:
        """The output is left on the tape."""
        return False

    def steps(self, items: int, answers: int, cut: bool) -> int:
        """A step is an answer."""
        del items, cut
        return answers

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`."""
        return self.program.word(word)

    def items(self) -> Sequence[Any]:
        """The input alphabet."""
        return self.program.alphabet

    def inputs(self, word: Sequence[str]) -> list[str]:
        """The tape, cell by cell, then the start."""
        tape = self.program.tape(word)
        place = {symbol: number for number, symbol in enumerate(self.layout.symbols)}
        names = self.tokens.names
        cells = [names[self.prompts[p, place[symbol]]] for p, symbol in enumerate(tape)]
        return [*cells, names[self.starts[self.program.head]]]

    def dialogue(self, word: Sequence[str], limit: int | None = None) -> Iterator[Turn]:
        """The prompt, then a token a step."""
        return islice(self._turns(word), limit)

    def _turns(self, word: Sequence[str]) -> Iterator[Turn]:
        *prompt, last = self.inputs(word)
        yield from ((name, None) for name in prompt)
        states, symbols = ({x: n for n, x in enumerate(names)} for names in (self.layout.states, self.layout.symbols))
        for state, symbol, head in self.program.configurations(word):
            answer = self.tokens.names[self.answers[states[state], symbols[symbol], head]]
            yield last, answer
            last = answer
        yield last, None

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """Nothing: the output of a machine is left on its tape."""
        del question, answer
        return ()

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """The outcome whose coordinate is set; unfinished where none is."""
        base = self.layout.cells * self.layout.width
        found = [outcome for n, outcome in enumerate(self.layout.outcomes) if 2 * last[base + n] > 1]
        return found[0] if found else "unfinished"

    def tape(self, recall: Recall) -> list[str]:
        """What each cell holds: the symbol g with the greatest S[cell p, symbol p,g]; it is 1, the others are 0."""
        layout = self.layout
        found = []
        for p in range(layout.cells):
            base = p * layout.width
            weights = [recall(base, base + 1 + g) for g in range(len(layout.symbols))]
            found.append(layout.symbols[weights.index(max(weights))])
        return found

    def configuration(self, token: int) -> tuple[int, int]:
        """The numbers of the state and of the cell that a token which asks names."""
        places, _ = self.tokens.entries(token)
        width, symbols = self.layout.width, len(self.layout.symbols)
        conf = next(place for place in places.tolist() if place % width > symbols)
        return conf % width - 1 - symbols, conf // width

    def picture(self, recall: Recall, last: str) -> str | None:
        """The tape, its head in brackets; no more than 30 cells on each side. None while it is being given."""
        if self.replies[self.tokens.numbers[last]] == Asks.NOTHING:
            return None
        width, (places, _) = self.layout.width, self.tokens.entries(self.tokens.numbers[last])
        at = [place // width for place in places.tolist() if place % width > len(self.layout.symbols)]
        return drawn(self.tape(recall), at[0] if at else None)

    def left(self, recall: Recall, last: str) -> tuple[str, ...]:
        """The tape between its outermost symbols that are not blank."""
        del last
        return self.program.trimmed(self.tape(recall))


def drawn(tape: Sequence[str], head: int | None) -> str:
    """A tape for people, its head in brackets; no more than 30 cells on each side."""
    shown = [spell(symbol) if len(symbol) > 1 else symbol for symbol in tape]
    joint = "" if all(len(symbol) == 1 for symbol in shown) else " "
    if head is not None and head < len(shown):
        shown[head] = f"[{shown[head]}]"
    begin = max(0, (head or 0) - 30)
    part = shown[begin : (head or 0) + 31]
    return "..." * (begin > 0) + joint.join(part) + "..." * (begin + len(part) < len(shown))


class _Tokens:
    """The vocabulary as it grows: blocks of tokens of one shape, one for each of some cells."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.blocks: dict[tuple[object, ...], NDArray[np.int64]] = {}
        self.names: list[str] = []
        self.cells: list[NDArray[np.int64]] = []
        self.entries: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []

    def block(self, p: NDArray[np.int64], parts: Sequence[tuple[NDArray[Any], int]], names: Sequence[str]) -> Any:
        """The numbers (n,) of new tokens at cells `p`, whose entries are `parts`; -1 at other cells."""
        places = np.column_stack([place for place, _ in parts])
        values = np.tile([value for _, value in parts], (len(p), 1))
        order = np.argsort(places, axis=1)
        numbers = np.full(self.layout.cells, -1, dtype=np.int64)
        numbers[p] = np.arange(len(p)) + len(self.names)
        self.names += names
        self.cells.append(p)
        self.entries.append((np.take_along_axis(places, order, axis=1), np.take_along_axis(values, order, axis=1)))
        return numbers

    def prompt(self, g: int) -> NDArray[np.int64]:
        """``p=g`` at every cell."""
        p = np.arange(self.layout.cells)
        name = spell(self.layout.symbols[g])
        parts = [(self.layout.cell(p), 1), (self.layout.symbol(p, g), 1)]
        return self.block(p, parts, [f"{cell}={name}" for cell in p.tolist()])  # type: ignore[no-any-return]

    def moved(self, q: int) -> NDArray[np.int64]:
        """``q@p`` at every cell."""
        if ("moved", q) not in self.blocks:
            p = np.arange(self.layout.cells)
            state = spell(self.layout.states[q])
            names = [f"{state}@{cell}" for cell in p.tolist()]
            self.blocks["moved", q] = self.block(p, [(self.layout.conf(q, p), 1)], names)
        return self.blocks["moved", q]

    def wrote(self, target: int | Outcome, move: int, g: int, w: int, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """The tokens that write w over g at each p of `cells` and go to a state at p + move, or to an outcome."""
        key = ("wrote", target, move if isinstance(target, int) else 0, g, w, *cells[:1].tolist())
        if key not in self.blocks:
            layout, p = self.layout, cells
            written = f"{spell(layout.symbols[g])}>{spell(layout.symbols[w])}"
            if isinstance(target, int):
                state = spell(layout.states[target])
                names = [f"{state}@{cell + move} {written}@{cell}" for cell in p.tolist()]
                last = layout.conf(target, p + move)
            else:
                names = [f"{OUTCOMES[target]} {written}@{cell}" for cell in p.tolist()]
                last = layout.outcome(target, p)
            parts = [(layout.cell(p), 1), (layout.symbol(p, w), 1), (layout.symbol(p, g), -1), (last, 1)]
            self.blocks[key] = self.block(p, parts, names)
        return self.blocks[key]

    def stopped(self, outcome: Outcome) -> NDArray[np.int64]:
        """The token of an outcome without a write: one, the same at every cell."""
        if ("stopped", outcome) not in self.blocks:
            zero = np.zeros(1, dtype=np.int64)
            made = self.block(zero, [(self.layout.outcome(outcome, zero), 1)], [OUTCOMES[outcome]])
            self.blocks["stopped", outcome] = np.full(self.layout.cells, made[0])
        return self.blocks["stopped", outcome]

    def vocabulary(self) -> tuple[Vocabulary, NDArray[np.int64]]:
        """The tokens cell by cell, and the new number of each old one."""
        cells = np.concatenate(self.cells)
        order = np.argsort(cells, kind="stable")
        sizes = np.concatenate([np.full(len(places), places.shape[1]) for places, _ in self.entries])
        begins = np.concatenate([[0], np.cumsum(sizes)])
        ends = np.concatenate([[0], np.cumsum(sizes[order])])
        gather = np.repeat(begins[:-1][order] - ends[:-1], sizes[order]) + np.arange(ends[-1])
        places = np.concatenate([places.ravel() for places, _ in self.entries])[gather]
        values = np.concatenate([values.ravel() for _, values in self.entries])[gather]
        names = [self.names[number] for number in order.tolist()]
        d = self.layout.cells * self.layout.width + len(self.layout.outcomes)
        return Vocabulary(names, d, ends, places.astype(np.int32), values), np.argsort(order)


def machine_to_rules(program: Machine) -> LoweredMachine:
    """The construction that the module's docstring states and proves."""
    actions = program.actions.values()
    stops = {action.stop for action in actions} | ({"overran"} if any(a.move and a.target for a in actions) else set())
    layout = Layout(program.states, program.symbols, program.cells, tuple(o for o in OUTCOMES if o in stops))
    made = _Tokens(layout)
    given = {program.blank, *program.alphabet}
    absent = np.full(program.cells, -1, dtype=np.int64)
    prompts = np.column_stack([made.prompt(g) if s in given else absent for g, s in enumerate(layout.symbols)])
    starts = made.moved(layout.states.index(program.start))
    answers = np.array([[_answers(program, made, q, g) for g in layout.symbols] for q in layout.states])
    vocabulary, moved = made.vocabulary()
    moved = np.append(moved, -1)  # so that -1 stays -1
    prompts, starts, answers = moved[prompts], moved[starts], moved[answers]
    form = _form(layout, vocabulary, answers)
    replies = np.ones(len(vocabulary), dtype=np.int8) * Asks.APPENDED
    replies[prompts[prompts >= 0]] = Asks.NOTHING
    asks = np.zeros(len(vocabulary), dtype=np.int8)
    end = layout.cells * layout.width
    local = vocabulary.places % layout.width > len(layout.symbols)
    asks[vocabulary.owners[local & (vocabulary.places < end)]] = Asks.APPENDED
    return LoweredMachine(program, form, vocabulary, asks, replies, layout, prompts, starts, answers)


def _answers(program: Machine, made: _Tokens, state: str, symbol: str) -> NDArray[np.int64]:
    """The numbers (n,) of the tokens that answer (state, symbol) at each cell."""
    layout, action = made.layout, program.actions[state, symbol]
    g, w = layout.symbols.index(symbol), layout.symbols.index(action.write)
    p = np.arange(layout.cells)
    if action.stop is not None:
        return made.stopped(action.stop) if g == w else made.wrote(action.stop, 0, g, w, p)
    assert action.target is not None
    target, to = layout.states.index(action.target), p + action.move
    inside = (to >= 0) & (to < layout.cells)
    if g == w:
        went = made.moved(target)[np.clip(to, 0, layout.cells - 1)]
        return went if inside.all() else np.where(inside, went, made.stopped("overran"))
    went = made.wrote(target, action.move, g, w, p[inside])
    return went if inside.all() else np.where(inside, went, made.wrote("overran", 0, g, w, p[~inside]))


def _form(layout: Layout, vocabulary: Vocabulary, answers: NDArray[np.int64]) -> Form:
    """The rules: at conf[q,p] with cell[p] and symbol[p,g], the entries of the answer to (q, g) at p."""
    parts, weights = [], []
    for q in range(len(layout.states)):
        index, values = _entries(vocabulary, answers[q], layout)
        p = index[:, 0]
        parts.append(np.column_stack([layout.conf(q, p), layout.cell(p), index[:, 1:]]))
        weights.append(values)
    return Form.canonical(layout.names(), np.concatenate(parts), np.concatenate(weights))


def _entries(
    vocabulary: Vocabulary, answers: NDArray[np.int64], layout: Layout
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The entries of the answers (symbols, n) of one state: rows (p, place of symbol[p,g], coordinate), and values."""
    cells = np.arange(layout.cells)
    chosen = answers.ravel()
    begins, sizes = vocabulary.ends[chosen], np.diff(vocabulary.ends)[chosen]
    before = np.cumsum(sizes) - sizes
    gather = np.repeat(begins - before, sizes) + np.arange(sizes.sum())
    read = np.concatenate([layout.symbol(cells, g) for g in range(len(layout.symbols))])
    p = np.tile(cells, len(layout.symbols))
    index = np.column_stack([np.repeat(p, sizes), np.repeat(read, sizes), vocabulary.places[gather]])
    return index.astype(np.int64), vocabulary.values_of_entries[gather].astype(np.int64)
