"""The least automaton with the same outcomes and outputs.

Hopcroft's partition refinement (1971), O(k n log n): states start in one class where their outcomes and outputs agree,
and classes split until all members of a class move, letter by letter, into the same classes. The missing state, None,
takes part: a class that holds it accepts and emits nothing, and transitions into it are left out. Unreachable states
go first.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from compiler.program.automaton import Automaton


def minimise(automaton: Automaton) -> Automaton:
    """The automaton of least states with the same runs as `automaton`; each class goes by its first member.

    A Mealy machine that never emits becomes an acceptor, and its properties, which read outputs, go; if it does not
    judge its input it has no such form and is returned as it is.
    """
    states: list[str | None] = [*automaton.reachable(), None]
    classes = _stable_classes(automaton, states)
    dead = classes[None]
    first: dict[int, str] = {}
    for state in states:
        if state is not None:
            first.setdefault(classes[state], state)

    def target(state: str, symbol: str) -> str | None:
        there = automaton.transitions.get((state, symbol))
        if there is None:
            return None
        emitted = automaton.mealy is not None
        return None if classes[there] == dead and not emitted else first[classes[there]]

    moves = {(q, s): t for q in first.values() for s in automaton.alphabet if (t := target(q, s)) is not None}
    kept = {first[classes[automaton.start]], *moves.values()}
    order = tuple(q for q in automaton.states if q in kept)
    moves = {(q, s): t for (q, s), t in moves.items() if q in kept}
    if automaton.mealy is not None and not moves and automaton.accept is None:
        return automaton
    made = Automaton(
        automaton.name,
        automaton.alphabet,
        order,
        first[classes[automaton.start]],
        moves,
        None if automaton.accept is None else automaton.accept & kept,
        None if automaton.moore is None else {q: automaton.moore[q] for q in order},
        None if automaton.mealy is None or not moves else {move: automaton.mealy[move] for move in moves},
        automaton.examples,
    )
    kept_claims = automaton.properties if made.is_transducer == automaton.is_transducer else ()
    return replace(made, properties=tuple(claim.over(made.shown) for claim in kept_claims))


def _stable_classes(automaton: Automaton, states: list[str | None]) -> dict[str | None, int]:
    def shown(state: str | None) -> Hashable:
        letters = automaton.alphabet if automaton.mealy is not None and state is not None else ()
        emitted = tuple((automaton.mealy or {}).get((state or "", symbol)) for symbol in letters)
        moore = automaton.moore[state] if automaton.moore is not None and state is not None else None
        return automaton.outcome(state), moore, emitted if any(each is not None for each in emitted) else ()

    classes = _numbered({state: shown(state) for state in states})
    _refine(automaton, states, classes)
    return classes


def _refine(automaton: Automaton, states: list[str | None], classes: dict[str | None, int]) -> None:
    """Split `classes` until it is stable; of two parts of a class only the smaller one splits others in turn."""
    before: dict[tuple[str | None, str], list[str | None]] = {}
    for state in states:
        for symbol in automaton.alphabet:
            before.setdefault((automaton.step(state, symbol), symbol), []).append(state)
    members: list[set[str | None]] = [set() for _ in set(classes.values())]
    for state, number in classes.items():
        members[number].add(state)
    pending = list(range(len(members)))
    while pending:
        splitter = list(members[pending.pop()])
        for symbol in automaton.alphabet:
            moving: dict[int, set[str | None]] = {}
            for state in (q for there in splitter for q in before.get((there, symbol), ())):
                moving.setdefault(classes[state], set()).add(state)
            for number, part in moving.items():
                rest = members[number] - part if 2 * len(part) > len(members[number]) else part
                if not rest:
                    continue
                members[number] -= rest
                classes.update(dict.fromkeys(rest, len(members)))
                pending.append(len(members))
                members.append(rest)


def _numbered(keys: dict[str | None, Hashable]) -> dict[str | None, int]:
    numbers: dict[Hashable, int] = {}
    return {state: numbers.setdefault(key, len(numbers)) for state, key in keys.items()}
