"""Universal machines to rules, in few dimensions and heads: the head's cell and the state in registers of their own.

Statement
    That of `universal_machine`, at four tokens a step, with n Q G pointers and n Q configurations less.

Coordinates
    For each cell p: cell[p]; here[p]. For each symbol g: symbol[g]; saw[g]. For each state q: state[q]; value[q]. Then
    pos; reg; key[q,g]; go[m] for each move m (left, stay, right); the outcomes accept, reject, halt, overran.
    d = 2 n + 2 G + 2 Q + Q G + 9.

Tokens
    p=g                 cell[p] + symbol[g]                                      the prompt: the tape,
    q,g: a              key[q,g] + symbol[w] + go[m] + value[r]                  the table, where a moves into r,
                        key[q,g] + symbol[w] + the outcome                       or stops,
    0@p                 pos + cell[p] + here[p] + reg + state[0]                 and the start
    saw g@p             saw[g] + cell[p] - symbol[g]                             a step reads: and empties the cell,
    at q,g              key[q,g] + reg - state[q]                                points: and empties the state,
    w@p, m, r           cell[p] + symbol[w] + go[m] + reg + state[r]             acts: and fills both, or
    halt w@p, ...       cell[p] + symbol[w] + the outcome                        fills the cell and stops,
    m to p              pos + cell[p] - cell[p-m] + here[p]                      and moves; pos + here[p] where m stays
    overran p           pos - cell[p] + overran                                  off the tape

Rules
    last has here[p]:    {cell[p], symbol[g]}: saw[g] += 1, symbol[g] -= 1
    last has pos:        {pos, cell[p]}: cell[p] += 1
    last has saw[g]:     {reg, state[q]}: key[q,g] += 1, reg += 1, state[q] -= 1
    last has key[q,g]:   {key[q,g], symbol[w]}: symbol[w] += 1;  {key[q,g], go[m]}: go[m] += 1;
                         {key[q,g], value[r]}: state[r] += 1, reg += 1;  {key[q,g], outcome}: outcome += 1;
                         {pos, cell[p]}: cell[p] += 1
    last has go[m]:      {pos, cell[p]}: pos += 1, cell[p] -= 1, cell[p+m] += 1, here[p+m] += 1; off the tape overran
                         += 1 for the last two

Invariant
    Call S[pos, cell p] the position, S[cell p, symbol g] the tape, S[reg, state q] the state. When a token with here[p]
    is last, the position is the one-hot p, the tape holds at each cell the one-hot of its symbol, the state is one-hot,
    and S[key q,g, .] is the table. Prompt and start make it so. Of the pairs that are read, a step changes these:
    1. the answer to here[p] and pos is `saw g@p` for the g at p: it takes the tape at p to 0, by (1)(-1);
    2. that to saw[g] is `at q,g`: it takes the state to 0; it has no symbol, go, value or outcome, so the table stays;
    3. that to key[q,g] is the action in the table, at p by the position: it writes w at p, and r into the state, by
       (1)(1), into what is empty;
    4. that to go[m] moves the position: it adds (1)(-1) at p and (1)(1) at p+m, together nothing where it stays.
    In each the self term is in S, and does no harm: 1. `0@p` and `m to p` bring the position to the one that is read,
    and they have no symbol; 2. `saw g@p` has neither reg nor pos, and changes the tape, which saw[g] does not read; 3.
    `at q,g` changes the state, which key[q,g] does not read; 4. `w@p, m, r` has no pos. Of the tokens that ask, none
    has the last coordinates of two kinds of rules but those with here[p] and pos, and there the answers are meant to
    add up. So every entry that is read is 0 or 1 at each token of a run, however long. A stop does not ask, nor does a
    move off the tape, and both come when w is written.

Cost
    H = G + 6 heads, whatever n and Q, the same function as the rules on all inputs: "read the cell" has V = sum_g
    (saw[g] - symbol[g]) e(symbol g)^T, Q = sum_p E(cell p, here p); "keep the cell" V = sum_p E(cell p, cell p), Q =
    E(pos, pos) + sum_q,g E(pos, key q,g); one for each symbol that is seen, with Q = E(reg, saw g); "look up" with Q =
    sum_q,g E(key q,g, key q,g); one for each move, with Q = E(pos, go m).

    Four answers a step, three in one that stops, where `universal_machine` has two; and no more than n (2 G + J + 4) +
    Q G (J + 1) tokens in the vocabulary, for the J = G (3 Q + 3) actions.

    Where G >= 2, d is at most n + 2 G + 2 Q + Q G + 9 more than the least (`lowered_universal_machine`). A token that
    moves the position has cell[p-m] as well as cell[p], so the question is here[p], n more: asked by its cells, it
    would read both. Whether these can be saved, or a token a step, is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head
from compiler.errors import UnsupportedError
from compiler.program.universal import UniversalMachine
from compiler.program_to_rules.lowered_universal_automaton import key_name, sparse
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine, Size
from compiler.program_to_rules.lowering import Asks, Recall
from compiler.program_to_rules.machine import OUTCOMES
from compiler.program_to_rules.universal_layout import MOVES, STOPS, Act, Bounds
from compiler.rules import Form
from compiler.vocabulary import Vocabulary

MOST_TOKENS = 1_000_000
"""The most tokens of a vocabulary."""
POSITION, REGISTER = "pos", "reg"
OVERRAN = OUTCOMES["overran"]

Token: TypeAlias = dict[str, int]
Entry: TypeAlias = tuple[str, str, int]
"""An entry of a matrix: row, column, weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredRegistersMachine(LoweredUniversalMachine):
    """A universal machine by the construction of this module.

    Attributes
    ----------
    seen, pointers, moves
        The numbers of the tokens: (symbols, cells) ``saw g@p``; (states, symbols) ``at q,g``; (moves, cells) the one
        that leaves the cell p by a move, the first of which is to the left.
    """

    seen: NDArray[np.int64]
    pointers: NDArray[np.int64]
    moves: NDArray[np.int64]

    @property
    def heads(self) -> tuple[Head, ...]:
        """Six heads and one for each symbol: the rules, on all inputs."""
        bounds = self.layout
        cells, symbols, states = range(bounds.cells), range(bounds.symbols), range(bounds.states)
        keys = [key_name(q, g) for q in states for g in symbols]
        read = [(f"saw[{g}]", f"symbol[{g}]", 1) for g in symbols]
        emptied = [(f"symbol[{g}]", f"symbol[{g}]", -1) for g in symbols]
        position = [(POSITION, asking, 1) for asking in (POSITION, *keys)]
        heads = [
            self._head("read the cell", [*read, *emptied], [(f"cell[{p}]", f"here[{p}]", 1) for p in cells]),
            self._head("keep the cell", [(f"cell[{p}]", f"cell[{p}]", 1) for p in cells], position),
        ]
        for g in symbols:
            pointed = [(a, f"state[{q}]", weight) for q in states for a, weight in _pointer(q, g).items()]
            heads.append(self._head(f"saw symbol {g}", pointed, [(REGISTER, f"saw[{g}]", 1)]))
        found = [(a, b, 1) for b, added in _found(bounds).items() for a in added]
        heads.append(self._head("look up", found, [(key, key, 1) for key in keys]))
        for m in MOVES:
            moved = [(a, f"cell[{p}]", weight) for p in cells for a, weight in _moved(bounds, p, m).items()]
            heads.append(self._head(f"move {MOVES[m]}", moved, [(POSITION, f"go[{MOVES[m]}]", 1)]))
        return tuple(heads)

    def _head(self, name: str, value: list[Entry], query: list[Entry]) -> Head:
        return Head(name, sparse(self.coordinates, value), sparse(self.coordinates, query))

    @property
    def most_answers(self) -> int | None:
        """Four for each step of the given machine's bound, if it has one."""
        return None if self.given is None or self.given.steps is None else 4 * self.given.steps

    def steps(self, items: int, answers: int, cut: bool) -> int:
        """A step is done with its third answer; the fourth moves on."""
        del items, cut
        return (answers + 1) // 4

    def step(self, q: int, g: int, a: int, p: int) -> tuple[int, ...]:
        """See `LoweredUniversalMachine.step`."""
        act = self.layout.acts[a]
        said = int(self.seen[g, p]), int(self.pointers[q, g]), int(self.answers[a, p])
        return said if act.target is None else (*said, int(self.moves[1 + act.move, p]))

    def stored(self, p: int, g: int) -> tuple[int, int]:
        """See `LoweredUniversalMachine.stored`."""
        return p, 2 * self.layout.cells + g

    def position(self, p: int) -> tuple[int, int]:
        """The pair of coordinates that holds whether the head is at p."""
        return p, 2 * self.layout.cells + 2 * self.layout.symbols

    def head(self, recall: Recall, last: int) -> tuple[int | None, int | None]:
        """See `LoweredUniversalMachine.head`; by the position, while the run goes on."""
        if self.asks[last] == Asks.NOTHING:
            return None, None
        weights = [recall(*self.position(p)) for p in range(self.layout.cells)]
        read = np.argwhere(self.seen == last)[:, 0].tolist() or np.argwhere(self.pointers == last)[:, 1].tolist()
        return weights.index(max(weights)), read[0] if read else None


def universal_machine_registers(program: UniversalMachine) -> LoweredRegistersMachine:
    """The construction that the module's docstring states and proves. Raises UnsupportedError where it is too large."""
    bounds = Bounds(program.states, program.symbols, program.cells)
    acts = len(bounds.acts)
    size = bounds.cells * (2 * bounds.symbols + acts + 4) + bounds.states * bounds.symbols * (acts + 1)
    if size > MOST_TOKENS:
        raise UnsupportedError(
            f"universal machine {program.name} has bounds of {bounds.states} states, {bounds.symbols} symbols and "
            f"{bounds.cells} cells, so its vocabulary would have some {size:,} tokens; this construction has up to "
            f"{MOST_TOKENS:,}"
        )
    tokens, numbers = _tokens(bounds)
    vocabulary = Vocabulary.named(tokens, registers_coordinates(program))
    started, answered = int(numbers["starts"][0]), int(numbers["seen"][0, 0])
    ends = [n for n, token in enumerate(tokens.values()) if not token.keys().isdisjoint(OUTCOMES.values())]
    asks, replies = np.zeros((2, len(vocabulary)), dtype=np.int8)
    asks[started:] = Asks.APPENDED
    asks[ends] = Asks.NOTHING
    replies[answered:] = Asks.APPENDED
    form = Form.of(registers_coordinates(program), _rules(bounds))
    return LoweredRegistersMachine(
        program,
        form,
        vocabulary,
        asks,
        replies,
        layout=bounds,
        prompts=numbers["prompts"],
        entries=numbers["entries"],
        starts=numbers["starts"],
        answers=numbers["answers"],
        seen=numbers["seen"],
        pointers=numbers["pointers"],
        moves=numbers["moves"],
    )


def registers_coordinates(program: UniversalMachine) -> tuple[str, ...]:
    """The names of the coordinates, in order."""
    cells, symbols, states = range(program.cells), range(program.symbols), range(program.states)
    return (
        *(f"cell[{p}]" for p in cells),
        *(f"here[{p}]" for p in cells),
        *(f"symbol[{g}]" for g in symbols),
        *(f"saw[{g}]" for g in symbols),
        POSITION,
        REGISTER,
        *(f"state[{q}]" for q in states),
        *(f"value[{q}]" for q in states),
        *(key_name(q, g) for q in states for g in symbols),
        *(f"go[{move}]" for move in MOVES.values()),
        *OUTCOMES.values(),
    )


def registers_size(program: UniversalMachine) -> Size:
    """What it needs; see the module's docstring."""
    n, symbols, states = program.cells, program.symbols, program.states
    return Size(2 * (n + symbols + states) + states * symbols + 9, symbols + 6)


def _pointer(q: int, g: int) -> Token:
    """``at q,g``."""
    return {key_name(q, g): 1, REGISTER: 1, f"state[{q}]": -1}


def _moved(bounds: Bounds, p: int, m: int) -> Token:
    """The token that leaves p by a move."""
    to = p + m
    if not 0 <= to < bounds.cells:
        return {POSITION: 1, f"cell[{p}]": -1, OVERRAN: 1}
    return {POSITION: 1, f"here[{to}]": 1} | ({f"cell[{to}]": 1, f"cell[{p}]": -1} if m else {})


def _found(bounds: Bounds) -> dict[str, tuple[str, ...]]:
    """What each coordinate of an entry of the table adds where it is looked up."""
    kept = [f"symbol[{w}]" for w in range(bounds.symbols)]
    kept += [*(f"go[{move}]" for move in MOVES.values()), *(OUTCOMES[stop] for stop in STOPS)]
    return {name: (name,) for name in kept} | {f"value[{r}]": (f"state[{r}]", REGISTER) for r in range(bounds.states)}


def _entry(act: Act) -> tuple[str, ...]:
    """The coordinates by which the table names an action."""
    if act.stop is not None:
        return f"symbol[{act.write}]", OUTCOMES[act.stop]
    return f"symbol[{act.write}]", f"go[{MOVES[act.move]}]", f"value[{act.target}]"


def _acting(bounds: Bounds, act: Act, p: int) -> tuple[str, Token]:
    """The name and the token by which an action acts at p."""
    found = _found(bounds)
    token = {f"cell[{p}]": 1} | {a: 1 for b in _entry(act) for a in found[b]}
    if act.stop is not None:
        return f"{OUTCOMES[act.stop]} {act.write}@{p}", token
    return f"{act.write}@{p}, {MOVES[act.move]}, {act.target}", token


def _leaving(bounds: Bounds, p: int, m: int) -> tuple[str, Token]:
    """The name and the token that leaves p by a move."""
    inside = 0 <= p + m < bounds.cells
    return f"{MOVES[m]} to {p + m}" if inside else f"{OVERRAN} {p}", _moved(bounds, p, m)


def _tokens(bounds: Bounds) -> tuple[dict[str, Token], dict[str, NDArray[np.int64]]]:
    """The vocabulary, and the numbers of its tokens by kind."""
    cells, symbols, states, acts = range(bounds.cells), range(bounds.symbols), range(bounds.states), bounds.acts
    tokens: dict[str, Token] = {}
    numbers: dict[str, int] = {}

    def add(name: str, token: Token) -> int:
        tokens[name] = token
        return numbers.setdefault(name, len(numbers))

    def entry(q: int, g: int, act: Act) -> int:
        return add(f"{q},{g}: {act.name}", {key_name(q, g): 1} | dict.fromkeys(_entry(act), 1))

    def start(p: int) -> int:
        return add(f"0@{p}", {POSITION: 1, f"cell[{p}]": 1, f"here[{p}]": 1, REGISTER: 1, "state[0]": 1})

    def seen(g: int, p: int) -> int:
        return add(f"saw {g}@{p}", {f"saw[{g}]": 1, f"cell[{p}]": 1, f"symbol[{g}]": -1})

    rows: dict[str, list[Any]] = {
        "prompts": [[add(f"{p}={g}", {f"cell[{p}]": 1, f"symbol[{g}]": 1}) for g in symbols] for p in cells],
        "entries": [[[entry(q, g, act) for act in acts] for g in symbols] for q in states],
        "starts": [start(p) for p in cells],
        "seen": [[seen(g, p) for p in cells] for g in symbols],
        "pointers": [[add(f"at {q},{g}", _pointer(q, g)) for g in symbols] for q in states],
        "answers": [[add(*_acting(bounds, act, p)) for p in cells] for act in acts],
        "moves": [[add(*_leaving(bounds, p, m)) for p in cells] for m in MOVES],
    }
    return tokens, {kind: np.array(row, dtype=np.int64) for kind, row in rows.items()}


def _rules(bounds: Bounds) -> Iterator[tuple[str, str, str, str, int]]:
    """The rules (a, b, c, e, weight) by names."""
    cells, symbols, states = range(bounds.cells), range(bounds.symbols), range(bounds.states)
    keys = [key_name(q, g) for q in states for g in symbols]
    for p in cells:
        cell = f"cell[{p}]"
        for g in symbols:
            yield f"saw[{g}]", cell, f"symbol[{g}]", f"here[{p}]", 1
            yield f"symbol[{g}]", cell, f"symbol[{g}]", f"here[{p}]", -1
        yield from ((cell, POSITION, cell, asking, 1) for asking in (POSITION, *keys))
        for m in MOVES:
            asking = f"go[{MOVES[m]}]"
            yield from ((a, POSITION, cell, asking, weight) for a, weight in _moved(bounds, p, m).items())
    for q in states:
        for g in symbols:
            key = key_name(q, g)
            read = (REGISTER, f"state[{q}]", f"saw[{g}]")
            yield from ((a, *read, weight) for a, weight in _pointer(q, g).items())
            yield from ((a, key, b, key, 1) for b, added in _found(bounds).items() for a in added)
