"""Small programs: automata, memories, machines and grammars.

They shrink towards few states, keys and cells, and machines towards stopping at once.

>>> from hypothesis import find, settings
>>> fixed = settings(derandomize=True, database=None)
>>> print(find(machines(), lambda machine: "overran" == machine.run("").outcome, settings=fixed))
machine drawn {
  blank _
  cells 1
  head 0
  steps 1
  start state q0 { _ -> right }
}
<BLANKLINE>
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

from hypothesis import strategies as st

from compiler.program.automaton import Automaton
from compiler.program.grammar import Grammar
from compiler.program.machine import Action, Machine, Stop
from compiler.program.memory import Memory, Write
from compiler.program.prediction import Body, conflicts

Kind = Literal["acceptor", "moore", "mealy"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WRITES: tuple[Write, ...] = get_args(Write)
STOPS: tuple[Stop, ...] = get_args(Stop)
OUTPUTS = ("x", "y", "z")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@st.composite
def automata(
    draw: st.DrawFn, *, max_states: int = 5, max_letters: int = 3, kinds: Sequence[Kind] = KINDS, partial: bool = True
) -> Automaton:
    """Deterministic automata: acceptors, Moore and Mealy machines; with `partial`, transitions may be missing."""
    states = _numbered("q", draw(st.integers(1, max_states)))
    letters = tuple(LETTERS[: draw(st.integers(1, max_letters))])
    targets = st.sampled_from([*states, None]) if partial and draw(st.booleans()) else st.sampled_from(states)
    drawn = {(q, s): draw(targets) for q in states for s in letters}
    moves = {move: target for move, target in drawn.items() if target is not None}
    kind = draw(st.sampled_from(list(kinds)))
    start = draw(st.sampled_from(states))
    if kind == "mealy":
        moves.setdefault((start, letters[0]), start)
    accepting = frozenset(q for q in states if draw(st.booleans()))
    judges = kind == "acceptor" or draw(st.booleans())
    outputs = st.sampled_from(OUTPUTS)
    return Automaton(
        "drawn",
        letters,
        states,
        start,
        moves,
        accepting if judges else None,
        {q: draw(outputs) for q in states} if kind == "moore" else None,
        {move: draw(outputs) for move in moves} if kind == "mealy" else None,
    )


@st.composite
def memories(
    draw: st.DrawFn,
    *,
    max_keys: int = 3,
    max_values: int = 3,
    max_stored: int = 3,
    writes: Sequence[Write] = WRITES,
) -> Memory:
    """Memories of named keys and values, written in one of the ways `writes`; pairs may be stored from the start."""
    keys = _numbered("k", draw(st.integers(1, max_keys)))
    values = _numbered("v", draw(st.integers(1, max_values)))
    pairs = st.tuples(st.sampled_from(keys), st.sampled_from(values))
    stored = draw(st.lists(pairs, max_size=max_stored))
    return Memory("drawn", keys, values, draw(st.sampled_from(list(writes))), tuple(stored))


@st.composite
def machines(
    draw: st.DrawFn, *, max_states: int = 3, max_symbols: int = 3, max_cells: int = 5, max_steps: int | None = 20
) -> Machine:
    """Turing machines; of the symbols, some are in the alphabet, perhaps the blank or none, the others are marks.

    All have a bound on their steps, at most `max_steps`, so that their runs end. With None they have no bound, and
    may never stop.
    """
    symbols = ("_", *_numbered("", draw(st.integers(0, max_symbols - 1))))
    alphabet = tuple(symbol for symbol in symbols if draw(st.booleans()))
    row = st.tuples(*[_actions(symbols, max_states)] * len(symbols))
    rows = draw(st.lists(row, min_size=1, max_size=max_states))
    states = _numbered("q", len(rows))
    cells = draw(st.integers(1, max_cells))
    return Machine(
        "drawn",
        "_",
        alphabet,
        tuple(symbol for symbol in symbols[1:] if symbol not in alphabet),
        states,
        draw(st.sampled_from(states)),
        {
            (q, g): made(states)
            for q, row in zip(states, rows, strict=True)
            for g, made in zip(symbols, row, strict=True)
        },
        cells,
        draw(st.integers(0, cells - 1)),
        None if max_steps is None else draw(st.integers(0, max_steps)),
    )


@st.composite
def _actions(draw: st.DrawFn, symbols: Sequence[str], max_states: int) -> Callable[[Sequence[str]], Action]:
    """Actions of a machine whose states are still to be known, so that a row of it can be left out; a third stop."""
    write, move = draw(st.sampled_from(symbols)), draw(st.sampled_from([0, 1, -1]))
    if draw(st.integers(0, 2)) == 0:
        stop = draw(st.sampled_from(STOPS))
        return lambda _: Action(write, move, None, stop)
    target = draw(st.integers(0, max_states - 1))
    return lambda states: Action(write, move, states[target % len(states)])


@st.composite
def grammars(
    draw: st.DrawFn, *, max_nonterminals: int = 3, max_letters: int = 3, max_symbols: int = 4, max_depth: int = 6
) -> Grammar:
    """LL(1) grammars: drawn alternatives of up to `max_symbols` symbols, less those by which they are not LL(1).

    The first alternative of each nonterminal is of terminals alone, so each derives a word.
    """
    letters = tuple(LETTERS[: draw(st.integers(1, max_letters))])
    nonterminals = tuple("SABCDEFGH"[: draw(st.integers(1, max_nonterminals))])
    ends = st.just(()) | st.lists(st.sampled_from(letters), max_size=2).map(tuple)
    behind = st.lists(st.sampled_from([*nonterminals, *letters]), max_size=max_symbols - 1).map(tuple)
    bodies = st.tuples(st.sampled_from([*letters, *letters, *nonterminals]), behind).map(
        lambda body: (body[0], *body[1])
    )
    drawn = {left: [draw(ends), *draw(st.lists(bodies, min_size=1, max_size=3))] for left in nonterminals}
    while found := next(conflicts(letters, "S", rules := _rules(drawn)), None):
        del drawn[found.nonterminal][found.second]
    return Grammar("drawn", letters, "S", rules, draw(st.integers(1, max_depth)))


def _rules(alternatives: Mapping[str, Sequence[Body]]) -> dict[str, tuple[Body, ...]]:
    return {left: tuple(bodies) for left, bodies in alternatives.items()}


def programs() -> st.SearchStrategy[Automaton | Memory | Machine | Grammar]:
    """Programs of every family that reads words: automata, memories, machines and grammars, small ones."""
    return automata() | memories() | machines() | grammars()


def _numbered(letter: str, count: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number}" for number in range(count))
