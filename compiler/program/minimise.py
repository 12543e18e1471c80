"""The least automaton with the same outcomes and outputs.

Moore's partition refinement (1956): states start in one class where their outcomes and outputs agree, and classes
split until all members of a class move, letter by letter, into the same classes. The missing state, None, takes part:
a class that holds it accepts and emits nothing, and transitions into it are left out. Unreachable states go first.
"""

from __future__ import annotations

from collections.abc import Hashable

from compiler.program.automaton import Automaton


def minimise(automaton: Automaton) -> Automaton:
    """The automaton of least states with the same runs as `automaton`; each class goes by its first member."""
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
    return Automaton(
        automaton.name,
        automaton.alphabet,
        order,
        first[classes[automaton.start]],
        moves,
        None if automaton.accept is None else automaton.accept & kept,
        None if automaton.moore is None else {q: automaton.moore[q] for q in order},
        None if automaton.mealy is None else {move: automaton.mealy[move] for move in moves},
        automaton.examples,
    )


def _stable_classes(automaton: Automaton, states: list[str | None]) -> dict[str | None, int]:
    def shown(state: str | None) -> Hashable:
        letters = automaton.alphabet if automaton.mealy is not None and state is not None else ()
        emitted = tuple((automaton.mealy or {}).get((state or "", symbol)) for symbol in letters)
        moore = automaton.moore[state] if automaton.moore is not None and state is not None else None
        return automaton.outcome(state), moore, emitted if any(emitted) else ()

    classes = _numbered({state: shown(state) for state in states})
    while True:
        finer = _numbered(
            {
                state: (
                    classes[state],
                    *(classes[_target(automaton, state, symbol)] for symbol in automaton.alphabet),
                )
                for state in states
            }
        )
        if len(set(finer.values())) == len(set(classes.values())):
            return finer
        classes = finer


def _target(automaton: Automaton, state: str | None, symbol: str) -> str | None:
    return None if state is None else automaton.transitions.get((state, symbol))


def _numbered(keys: dict[str | None, Hashable]) -> dict[str | None, int]:
    numbers: dict[Hashable, int] = {}
    return {state: numbers.setdefault(key, len(numbers)) for state, key in keys.items()}
