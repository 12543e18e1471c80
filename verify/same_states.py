"""How two automata with the same runs are the same: a renaming of their states, or a merging.

States of both that one word leads to stand for each other, and so do those that this links in turn: classes. Where
every class has one state of each, breadth-first search from the start has found an isomorphism: a renaming. Else both
are the same automaton once the states of a class are merged. Either is checked as it stands: the starts are in one
class, and members of a class show the same at every letter and step into one class. By induction over words, that
alone proves that the runs are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.program.automaton import Automaton
from compiler.program.words import shorten, spell
from verify.same_runs import Pair, shown

MOST_LINES = 20
"""The most states, or classes, that are listed."""

State = tuple[int, str | None]
"""A state of the first automaton (0) or the second (1); None stands for the place behind a missing transition."""


def same_states(left: Automaton, right: Automaton, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """In words, which states stand for each other; `pairs` are all that the same words lead to.

    Raises ArithmeticError where this does not show that the runs are the same.
    """
    classes = _classes(pairs)
    _check((left, right), classes)
    sides = [[[state for side, state in members if side == n] for n in (0, 1)] for members in classes]
    whose = (left.name, right.name) if left.name != right.name else ("the first", "the second")
    if all(len(a) == len(b) == 1 for a, b in sides):
        if all(a == b for a, b in sides):
            return (f"the states that words lead to have the same names in {whose[0]} and {whose[1]}",)
        lines = [line for a, b in sides if (line := _renamed(a[0], b[0], whose))]
        return ("the states that words lead to are the same but for their names:", *_few(lines))
    sizes = [sum(len(side[n]) for side in sides) for n in (0, 1)]
    lines = [f"  {_listed(a, whose[0])} ~ {_listed(b, whose[1])}" for a, b in sides if len(a) + len(b) > 2]
    missing = any(None in side for both in sides for side in both)
    head = (
        f"merging the states that run alike makes them the same: {sizes[0]} of {whose[0]} and {sizes[1]} of "
        f"{whose[1]} become {len(classes)}" + (", with one for missing transitions:" if missing else ":")
    )
    return (head, *_few(lines))


def _classes(pairs: Sequence[Pair]) -> list[list[State]]:
    """The states that the pairs link, in the order in which they are first met."""
    parent: dict[State, State] = {}

    def root(state: State) -> State:
        parent.setdefault(state, state)
        while parent[state] != state:
            parent[state] = parent[parent[state]]
            state = parent[state]
        return state

    for p, q in pairs:
        parent[root((1, q))] = root((0, p))
    members: dict[State, list[State]] = {}
    for state in parent:
        members.setdefault(root(state), []).append(state)
    return list(members.values())


def _check(automata: Sequence[Automaton], classes: Sequence[Sequence[State]]) -> None:
    """Raises ArithmeticError unless the starts are in one class, and its members show the same and step alike."""
    number = {state: n for n, members in enumerate(classes) for state in members}
    starts = [(side, automaton.start) for side, automaton in enumerate(automata)]
    same = len({number[state] for state in starts}) == 1
    same &= len({shown(automata[side], None, None, state) for side, state in starts}) == 1
    for symbol in automata[0].alphabet:
        for members in classes:
            seen = set()
            for side, state in members:
                target = automata[side].step(state, symbol)
                seen.add((number[side, target], shown(automata[side], state, symbol, target)))
            same &= len(seen) == 1
    if not same:
        raise ArithmeticError("states that are said to run alike do not; this is a mistake of the verifier")


def _renamed(p: str | None, q: str | None, whose: tuple[str, str]) -> str | None:
    """A line of a renaming; None where both have no transition."""
    if p is None and q is None:
        return None
    if p is None or q is None:
        without, other = whose if p is None else whose[::-1]
        return f"  where {without} has no transition, {other} is in state {spell(p or q or '')}"
    return f"  state {spell(p)} of {whose[0]} is state {spell(q)} of {whose[1]}"


def _listed(states: Sequence[str | None], name: str) -> str:
    spelled = ", ".join("no transition" if state is None else spell(state) for state in states)
    return f"{shorten(spelled)} of {name}"


def _few(lines: Sequence[str]) -> list[str]:
    """The lines, or the first of them and how many there are more."""
    if len(lines) <= MOST_LINES:
        return list(lines)
    return [*lines[: MOST_LINES - 1], f"  and {len(lines) - MOST_LINES + 1:,} more"]
