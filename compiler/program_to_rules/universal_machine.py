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
    by which b does, and these differ with p where a stays and b halts. What is the least d in two tokens is open. At
    four tokens a step `universal_machine_registers` has neither pointers nor configurations for each cell.

Machines within the bounds
    States are numbered with the start state first, symbols with the blank first; a tape that is shorter stands in the
    middle. What is left of the table says halt: it is never met.

Source
    arXiv 2410.10101, section 4, whose universal machine keeps its history in time-indexed rows: d and H grow with the
    number of steps. The printed pseudo-code has slips (a duplicated branch, no default copy, no edge of the tape).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.errors import UnsupportedError
from compiler.program.run import Outcome
from compiler.program.universal import UniversalMachine
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine, Size
from compiler.program_to_rules.lowering import Asks, Recall
from compiler.program_to_rules.machine import OUTCOMES
from compiler.program_to_rules.universal_layout import Act, Layout
from compiler.rules import Form
from compiler.vocabulary import Vocabulary

MOST_RULES = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredPointerMachine(LoweredUniversalMachine):
    """A universal machine by the construction of this module.

    Attributes
    ----------
    pointers
        (states, symbols, cells): the numbers of the tokens ``at q,g@p``.
    """

    layout: Layout
    pointers: NDArray[np.int64]

    def step(self, q: int, g: int, a: int, p: int) -> tuple[int, ...]:
        """See `LoweredUniversalMachine.step`."""
        return int(self.pointers[q, g, p]), int(self.answers[a, p])

    def stored(self, p: int, g: int) -> tuple[int, int]:
        """See `LoweredUniversalMachine.stored`."""
        return p * self.layout.width, self.layout.symbol(g, p)

    def head(self, recall: Recall, last: int) -> tuple[int | None, int | None]:
        """See `LoweredUniversalMachine.head`; by the last token alone."""
        del recall
        _, symbol, cell = self.pointed(self.tokens.names[last])
        return cell, symbol

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
    def most_answers(self) -> int | None:
        """Two for each step of the given machine's bound, if it has one."""
        return None if self.given is None or self.given.steps is None else 2 * self.given.steps

    def steps(self, items: int, answers: int, cut: bool) -> int:
        """A step takes two answers."""
        del items, cut
        return answers // 2

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


def universal_machine_to_rules(program: UniversalMachine) -> LoweredPointerMachine:
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
    return LoweredPointerMachine(
        program,
        form,
        vocabulary,
        asks,
        replies,
        layout=layout,
        prompts=np.array(prompts),
        entries=np.array(entries),
        starts=np.array(starts),
        answers=acting,
        pointers=np.array(pointers),
    )


def universal_machine_size(program: UniversalMachine) -> Size:
    """What it needs; see the module's docstring."""
    bounds = Layout(program.states, program.symbols, program.cells)
    return Size(bounds.outcome("overran") + 1, program.states + program.cells)


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
