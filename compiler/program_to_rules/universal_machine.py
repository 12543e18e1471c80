"""Universal machines to rules: the machine's table in the prompt, one set of weights for every machine.

Statement
    Let Q states, G symbols and n cells be the bounds. The rules below make one layer of linear attention that, fed with
    its own answers, runs every Turing machine within the bounds on every input that fits, with no bound on the number
    of steps: machine and tape are given in the prompt, and the weights depend on the bounds alone.

Coordinates
    For each cell p: cell[p]; symbol[p,g]; conf[q,p] (state and head position); at[q,g,p]. Then key[q,g]; act[a] for
    each action a; the outcomes accept, reject, halt, overran. An action writes a symbol w and either moves (left,
    right, stay) into a state, or stops with an outcome: there are J = G (3 Q + 3).
    d = n (1 + G + Q + Q G) + Q G + J + 4.

Tokens
    p=g              cell[p] + symbol[p,g]                                   the prompt: the tape,
    q,g: a           key[q,g] + act[a]                                       the table, one for each q and g,
    q@p              conf[q,p]                                               and the start, with q = 0
    at q,g@p         at[q,g,p] + cell[p] - symbol[p,g]                       a step reads: and empties the cell,
    q@p+m w@p        conf[q,p+m] + cell[p] + symbol[p,w]                     and acts: and fills it
    halt w@p, overran w@p ...     the outcome in the place of conf

Rules
    last has conf[q,p]:   {cell[p], symbol[p,g]}: at[q,g,p] += 1, cell[p] += 1, symbol[p,g] -= 1
    last has at[q,g,p]:   {key[q,g], act[a]}: the coordinates of the token by which a acts at p

Invariant
    When a token with conf[q,p] is last, S[cell p', symbol p',g] is 1 for the symbol that cell p' holds and 0 for the
    others, for every p', and S[key q,g, act a] is the table. The prompt makes it so. The first answer is `at q,g@p` for
    the symbol g under the head; of the pairs that are read it changes {cell p, symbol p,g} alone, by (1)(-1), to 0. It
    asks again, and since it alone names q, g and p, its answer is the action of the table at p, which writes w into the
    empty cell by (1)(1). The pairs {key, act} stand in the prompt only. So everything that is read is 0 or 1, however
    long it runs. Off the tape is the outcome overran, with the write done.

Cost
    H = Q + n heads: in state q, V_q = sum_p,g (at[q,g,p] + cell[p] - symbol[p,g]) e(symbol p,g)^T, Q_q = sum_p E(cell
    p, conf q,p); at cell p, V_p = sum_a (token of a at p) e(act a)^T, Q_p = sum_q,g E(key q,g, at q,g,p). The former
    also read S[symbol p',g, cell p] for p' != p, which no token has: the heads are the rules on the domain. Two tokens
    a step; one is impossible, by the argument of `universal_automaton` on a tape of one cell.

    Of d, n Q G are the pointers at[q,g,p]. With n >= 2 and Q >= 2 a pointer cannot be a sum u[q,g] + w[g,p], such as
    key[q,g] + position[p] + cell[p] - symbol[p,g], in two tokens with the same answers. Let M be the part of the map
    from the last token to the answer that comes from the change of one entry (q,g) of the prompt, q > 0, from a to b.
    The pointers for (0,g) come without that entry, as the first answer: M (u[0,g] + w[g,p]) = 0 for every p, so M
    w[g,p] is the same for all p, and so is M (u[q,g] + w[g,p]). But that is the token by which a acts at p, less that
    by which b does, and these differ with p where a stays and b halts. What is the least d is open; so is what can be
    saved with more tokens a step, the position in a register of its own.

Machines within the bounds
    States are numbered with the start state first, symbols with the blank first; a tape that is shorter stands in the
    middle. What is left of the table says halt: it is never met.

Source
    arXiv 2410.10101, section 4, whose universal machine keeps its history in time-indexed rows: d and H grow with the
    number of steps. The printed pseudo-code has slips (a duplicated branch, no default copy, no edge of the tape).
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
from compiler.program.machine import Machine
from compiler.program.run import Outcome
from compiler.program.universal import UniversalMachine
from compiler.program_to_rules.lowering import Asks, Lowering, Recall, Turn
from compiler.program_to_rules.machine import OUTCOMES, drawn
from compiler.program_to_rules.universal_layout import Act, Layout
from compiler.rules import Form
from compiler.vocabulary import Vocabulary

MOST_RULES = 20_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """A machine by numbers, filled up to the bounds, and what its symbols are called.

    Attributes
    ----------
    acts
        (states, symbols): the number of each action.
    symbols
        The names of the machine's own symbols, the blank first.
    """

    acts: tuple[tuple[int, ...], ...]
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoweredUniversalMachine(Lowering):
    """A universal machine as a layer; `given` is the machine that it runs, where one is named.

    Attributes
    ----------
    prompts, entries, starts, pointers, answers
        The numbers of the tokens: (cells, symbols) ``p=g``; (states, symbols, acts) ``q,g: a``; (cells,) ``0@p``;
        (states, symbols, cells) ``at q,g@p``; (acts, cells) the token by which an action acts.
    """

    program: UniversalMachine
    layout: Layout
    prompts: NDArray[np.int64]
    entries: NDArray[np.int64]
    starts: NDArray[np.int64]
    pointers: NDArray[np.int64]
    answers: NDArray[np.int64]
    given: Machine | None = None

    def running(self, given: Program) -> LoweredUniversalMachine:
        """See `Lowering.running`; on this machine's tape."""
        return replace(self, given=self.program.check_fits(given))

    @property
    def heads(self) -> tuple[Head, ...]:
        """One head a state and one a cell; the rules, on the domain."""
        layout, p = self.layout, np.arange(self.layout.cells)
        one, heads = np.ones_like(p), []
        for q in range(layout.states):
            rows, columns, weights = [], [], []
            for g in range(layout.symbols):
                read = layout.symbol(g, p)
                rows += [layout.at(q, g, p), p * layout.width, read]
                columns += [read] * 3
                weights += [one, one, -one]
            query = _sparse([p * layout.width], [layout.conf(q, p)], [one])
            heads.append(Head(f"in state {q}", _sparse(rows, columns, weights), query))
        pairs = [(q, g) for q in range(layout.states) for g in range(layout.symbols)]
        keys = np.array([layout.key(*pair) for pair in pairs])
        for cell in range(layout.cells):
            places = [self.tokens.entries(int(token))[0] for token in self.answers[:, cell]]
            acts = [np.full(len(each), layout.act(a)) for a, each in enumerate(places)]
            value = _sparse(places, acts, [np.ones(len(each), dtype=np.int64) for each in places])
            pointed = np.array([layout.at(*pair, cell) for pair in pairs])
            heads.append(Head(f"at cell {cell}", value, _sparse([keys], [pointed], [np.ones_like(keys)])))
        return tuple(heads)

    @property
    def speaks(self) -> bool:
        """The output is left on the tape."""
        return False

    @property
    def most_answers(self) -> int | None:
        """Two for each step of the given machine's bound, if it has one."""
        return None if self.given is None or self.given.steps is None else 2 * self.given.steps

    @property
    def longest(self) -> int | None:
        """The input is written from the head on."""
        return None if self.given is None else self.given.cells - self.given.head

    @property
    def kept(self) -> NDArray[np.int64]:
        """The cells with their symbols."""
        p = np.arange(self.layout.cells)
        return np.concatenate([
            np.column_stack([p * self.layout.width, self.layout.symbol(g, p)]) for g in range(self.layout.symbols)
        ])  # fmt: skip

    def steps(self, items: int, answers: int, cut: bool) -> int:
        """A step takes two answers."""
        del items, cut
        return answers // 2

    def named(self) -> Machine:
        """The given machine. Raises UnsupportedError where none is."""
        if self.given is None:
            name = f"{self.program.kind} {self.program.name}"
            raise UnsupportedError(f"{name} runs another program; name it (given=..., or --given on the command line)")
        return self.given

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`."""
        return self.named().word(word)

    def items(self) -> Sequence[Any]:
        """The input alphabet of the given machine."""
        return self.named().alphabet

    def table(self) -> Table:
        """The given machine by numbers."""
        machine, layout = self.named(), self.layout
        names = (machine.start, *(q for q in machine.states if q != machine.start))
        states = {name: number for number, name in enumerate(names)}
        symbols = {name: number for number, name in enumerate(machine.symbols)}
        known = {act: number for number, act in enumerate(layout.acts)}
        rows = [[known[Act(g, 0, None, "halted")] for g in range(layout.symbols)] for _ in range(layout.states)]
        for (state, symbol), action in machine.actions.items():
            write = symbols[action.write]
            moving = None if action.target is None else Act(write, action.move, states[action.target])
            rows[states[state]][symbols[symbol]] = known[moving or Act(write, 0, None, action.stop)]
        return Table(tuple(map(tuple, rows)), machine.symbols)

    def inputs(self, word: Sequence[str]) -> list[str]:
        """The tape, the table, the start."""
        machine = self.named()
        place = {symbol: number for number, symbol in enumerate(machine.symbols)}
        return self.prompt(self.table(), [place[symbol] for symbol in machine.tape(word)], machine.head)

    def prompt(self, table: Table, tape: Sequence[int], head: int) -> list[str]:
        """The tape by the numbers of its symbols, the table, the start at `head`."""
        cells = [int(self.prompts[p, g]) for p, g in enumerate(tape)]
        entries = [int(self.entries[q, g, a]) for q, row in enumerate(table.acts) for g, a in enumerate(row)]
        return [self.tokens.names[token] for token in (*cells, *entries, int(self.starts[head]))]

    def dialogue(self, word: Sequence[str], limit: int | None = None) -> Iterator[Turn]:
        """The prompt, then two tokens a step."""
        machine = self.named()
        place = {symbol: number for number, symbol in enumerate(machine.symbols)}
        tape = [place[symbol] for symbol in machine.tape(word)]
        return islice(self.turns(self.table(), tape, machine.head, machine.steps), limit)

    def turns(self, table: Table, tape: Sequence[int], head: int, most: int | None = None) -> Iterator[Turn]:
        """The run of a table on a tape of symbols by number; at most `most` steps."""
        names, acts = self.tokens.names, self.layout.acts
        *prompt, last = self.prompt(table, tape, head)
        yield from ((name, None) for name in prompt)
        cells, state, p, count = list(tape), 0, head, 0
        while count != most:
            pointer = names[self.pointers[state, cells[p], p]]
            number = table.acts[state][cells[p]]
            answer, act = names[self.answers[number, p]], acts[number]
            yield last, pointer
            yield pointer, answer
            cells[p], p, last, count = act.write, p + act.move, answer, count + 1
            if act.target is None or not 0 <= p < self.layout.cells:
                break
            state = act.target
        yield last, None

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """Nothing: the output is left on the tape."""
        del question, answer
        return ()

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """The outcome whose coordinate is set; unfinished where none is."""
        found = [outcome for outcome in OUTCOMES if 2 * last[self.layout.outcome(outcome)] > 1]
        return found[0] if found else "unfinished"

    def tape(self, recall: Recall, last: str) -> list[str]:
        """What each cell holds, by the names of the given machine; the cell that is being read holds what was read."""
        layout, names = self.layout, self.named().symbols
        found = []
        for p in range(layout.cells):
            weights = [recall(p * layout.width, layout.symbol(g, p)) for g in range(len(names))]
            found.append(weights.index(max(weights)))
        _, symbol, cell = self.pointed(last)
        if symbol is not None and cell is not None:
            found[cell] = symbol
        return [names[g] for g in found]

    def pointed(self, name: str) -> tuple[int | None, int | None, int | None]:
        """The state, the symbol (of a pointer only) and the cell of the head that a token names; None for nothing."""
        places, _ = self.tokens.entries(self.tokens.numbers[name]) if name in self.tokens.numbers else ((), None)
        width, states, symbols = self.layout.width, self.layout.states, self.layout.symbols
        for place in places:
            cell, within = divmod(int(place), width)
            if cell < self.layout.cells and within > symbols:
                number = within - 1 - symbols
                pair = (number, None) if number < states else divmod(number - states, symbols)
                return (*pair, cell)
        return None, None, None

    def left(self, recall: Recall, last: str) -> tuple[str, ...]:
        """The tape between its outermost symbols that are not blank."""
        return self.named().trimmed(self.tape(recall, last))

    def picture(self, recall: Recall, last: str) -> str | None:
        """The tape with its head; None while it is being given."""
        if self.replies[self.tokens.numbers[last]] == Asks.NOTHING and self.pointed(last)[2] is None:
            return None
        return drawn(self.tape(recall, last), self.pointed(last)[2])


def universal_machine_to_rules(program: UniversalMachine) -> LoweredUniversalMachine:
    """The construction that the module's docstring states and proves. Raises UnsupportedError where it is too large."""
    layout = Layout(program.states, program.symbols, program.cells)
    size = layout.states * layout.symbols * len(layout.acts) * 3 * layout.cells
    if size > MOST_RULES:
        raise UnsupportedError(
            f"universal machine {program.name} has bounds of {layout.states} states, {layout.symbols} symbols and "
            f"{layout.cells} cells, so it would have some {size:,} rules; this construction has up to {MOST_RULES:,}"
        )
    words = _Words(layout)
    cells, states, symbols, acts = range(layout.cells), range(layout.states), range(layout.symbols), layout.acts
    prompts = [[words.add(f"{p}={g}", {p * layout.width: 1, layout.symbol(g, p): 1}) for g in symbols] for p in cells]
    entries = [
        [
            [words.add(f"{q},{g}: {act.name}", {layout.key(q, g): 1, layout.act(a): 1}) for a, act in enumerate(acts)]
            for g in symbols
        ]
        for q in states
    ]
    asked = len(words.names)
    starts = [words.add(f"0@{p}", {layout.conf(0, p): 1}) for p in cells]
    begun = len(words.names)
    pointers = [[[words.pointer(q, g, p) for p in cells] for g in symbols] for q in states]
    answers = [[words.answer(act, p) for p in cells] for act in acts]
    vocabulary = words.vocabulary()
    asks, replies = np.zeros((2, len(vocabulary)), dtype=np.int8)
    asks[asked:] = Asks.APPENDED
    replies[begun:] = Asks.APPENDED
    asks[words.ends] = Asks.NOTHING
    acting = np.array(answers)
    form = _form(layout, vocabulary, acting)
    tables = np.array(prompts), np.array(entries), np.array(starts), np.array(pointers), acting
    return LoweredUniversalMachine(program, form, vocabulary, asks, replies, layout, *tables)


class _Words:
    """The vocabulary as it grows."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.names: list[str] = []
        self.tokens: list[dict[int, int]] = []
        self.ends: list[int] = []
        self.known: dict[str, int] = {}

    def add(self, name: str, token: dict[int, int]) -> int:
        """The number of a token, new or known by its name."""
        if name not in self.known:
            self.known[name] = len(self.names)
            self.names.append(name)
            self.tokens.append(token)
        return self.known[name]

    def pointer(self, q: int, g: int, p: int) -> int:
        """``at q,g@p``."""
        layout = self.layout
        token = {p * layout.width: 1, layout.symbol(g, p): -1, layout.at(q, g, p): 1}
        return self.add(f"at {q},{g}@{p}", token)

    def answer(self, act: Act, p: int) -> int:
        """The token by which an action acts at p."""
        layout, to = self.layout, p + act.move
        written = {p * layout.width: 1, layout.symbol(act.write, p): 1}
        if act.target is not None and 0 <= to < layout.cells:
            return self.add(f"{act.target}@{to} {act.write}@{p}", written | {layout.conf(act.target, to): 1})
        outcome: Outcome = act.stop or "overran"
        number = self.add(f"{OUTCOMES[outcome]} {act.write}@{p}", written | {layout.outcome(outcome): 1})
        self.ends.append(number)
        return number

    def vocabulary(self) -> Vocabulary:
        """The tokens so far."""
        sizes = [len(token) for token in self.tokens]
        ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        listed = [entry for token in self.tokens for entry in sorted(token.items())]
        places, values = np.array(listed, dtype=np.int64).T
        d = self.layout.outcome("overran") + 1
        return Vocabulary(self.names, d, ends, places.astype(np.int32), values)


def _form(layout: Layout, vocabulary: Vocabulary, answers: NDArray[np.int64]) -> Form:
    """The rules that read and those that act."""
    p = np.arange(layout.cells)
    parts, weights = [], []
    for q in range(layout.states):
        for g in range(layout.symbols):
            read = layout.symbol(g, p)
            for place, weight in ((layout.at(q, g, p), 1), (p * layout.width, 1), (read, -1)):
                parts.append(np.column_stack([layout.conf(q, p), p * layout.width, read, place]))
                weights.append(np.full(len(p), weight))
    sizes = np.diff(vocabulary.ends)[answers]
    a, cell = np.indices(answers.shape)
    begins = np.repeat(vocabulary.ends[answers].ravel() - np.cumsum(sizes) + sizes.ravel(), sizes.ravel())
    gather = begins + np.arange(sizes.sum())
    acts, cells = np.repeat(layout.act(0) + a.ravel(), sizes.ravel()), np.repeat(cell.ravel(), sizes.ravel())
    for q in range(layout.states):
        for g in range(layout.symbols):
            key = np.full(len(gather), layout.key(q, g))
            parts.append(np.column_stack([layout.at(q, g, cells), key, acts, vocabulary.places[gather]]))
            weights.append(vocabulary.values_of_entries[gather])
    return Form.canonical(layout.names(), np.concatenate(parts), np.concatenate(weights).astype(np.int64))


def _sparse(rows: Sequence[Any], columns: Sequence[Any], weights: Sequence[Any]) -> Sparse:
    return Sparse(
        np.concatenate(rows).astype(np.int32), np.concatenate(columns).astype(np.int32), np.concatenate(weights)
    )
