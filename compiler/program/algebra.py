"""The algebra of regular languages: operations on automata, each as a lazily explored deterministic automaton.

Every operation is described by a start configuration, a step and a test; `explored` walks what is reachable. A
configuration of None is dead: nothing is accepted from there. Results are minimal, with states q0, q1, ... in
breadth-first order. The configurations are those of the textbook constructions (Hopcroft and Ullman, chapters 2
and 3; Yu, "Regular languages", 1997): pairs for Boolean operations, subsets for reversal, star and
nondeterminism, a state and a subset for concatenation, sets of pairs for the shuffle.

>>> from compiler.program.regular import from_regex
>>> ones = from_regex("1*", ("0", "1"))
>>> complement(ones, ("0", "1")).run("110").outcome
'accepted'
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from compiler.errors import ProgramError, TooLargeError
from compiler.program.automaton import Automaton, fresh
from compiler.program.minimise import minimise

LIMIT = 20_000
"""The most configurations that one construction may visit."""

Configuration = TypeVar("Configuration", bound=Hashable)
Pair = tuple[str | None, str | None]


def explored(
    alphabet: Sequence[str],
    start: Configuration,
    step: Callable[[Configuration, str], Configuration | None],
    accepts: Callable[[Configuration], bool],
    *,
    label: Callable[[int, Configuration], str] = lambda number, _: f"q{number}",
    name: str = "this language",
) -> Automaton:
    """The reachable part of a deterministic automaton that is given by its step function.

    Raises
    ------
    TooLargeError
        When more than `LIMIT` configurations are reachable.
    """
    numbers = {start: 0}
    queue = [start]
    moves: dict[tuple[int, str], int] = {}
    for here in queue:
        for symbol in alphabet:
            there = step(here, symbol)
            if there is None:
                continue
            if there not in numbers:
                if len(numbers) == LIMIT:
                    raise TooLargeError(
                        f"{name} takes more than {LIMIT:,} states to make deterministic; write it with fewer "
                        "nondeterministic choices, or split it"
                    )
                numbers[there] = len(numbers)
                queue.append(there)
            moves[numbers[here], symbol] = numbers[there]
    names = [label(number, configuration) for configuration, number in numbers.items()]
    return Automaton(
        name,
        tuple(alphabet),
        tuple(names),
        names[0],
        {(names[q], s): names[t] for (q, s), t in moves.items()},
        frozenset(names[number] for configuration, number in numbers.items() if accepts(configuration)),
    )


def _least(automaton: Automaton) -> Automaton:
    small = minimise(automaton)
    return small.renamed({state: f"q{number}" for number, state in enumerate(small.reachable())})


def _language(
    alphabet: Sequence[str],
    start: Configuration,
    step: Callable[[Configuration, str], Configuration | None],
    accepts: Callable[[Configuration], bool],
) -> Automaton:
    return _least(explored(alphabet, start, step, accepts))


def accepting(automaton: Automaton) -> frozenset[str]:
    """The accepting states. Raises ProgramError for a transducer that judges nothing: it is no language."""
    if automaton.accept is None:
        raise ProgramError(f"{automaton.name} emits outputs and accepts nothing, so it has no language to combine")
    return automaton.accept


def determinise(
    alphabet: Sequence[str],
    start: Iterable[str],
    moves: Mapping[tuple[str, str | None], Iterable[str]],
    accept: frozenset[str],
    *,
    name: str,
) -> Automaton:
    """The subset construction, with epsilon moves under the symbol None; states are named after their subsets."""
    order: dict[str, int] = {}
    for (state, _), targets in moves.items():
        for each in (state, *targets):
            order.setdefault(each, len(order))

    def closure(states: Iterable[str]) -> frozenset[str]:
        found = dict.fromkeys(states)
        queue = list(found)
        for state in queue:
            for target in moves.get((state, None), ()):
                if target not in found:
                    found[target] = None
                    queue.append(target)
        return frozenset(found)

    def step(states: frozenset[str], symbol: str) -> frozenset[str] | None:
        return closure(t for q in states for t in moves.get((q, symbol), ())) or None

    labels: set[str] = set()

    def label(_: int, states: frozenset[str]) -> str:
        text = "_".join(sorted(states, key=lambda q: order.get(q, -1)))
        unused = fresh(text, labels) if text in labels else text
        labels.add(unused)
        return unused

    return explored(alphabet, closure(start), step, lambda states: bool(states & accept), label=label, name=name)


def combine(
    left: Automaton, right: Automaton, keep: Callable[[bool, bool], bool], alphabet: Sequence[str]
) -> Automaton:
    """The words over `alphabet` for which `keep(in left, in right)` holds."""
    in_left, in_right = accepting(left), accepting(right)

    def step(pair: Pair, symbol: str) -> Pair | None:
        return left.step(pair[0], symbol), right.step(pair[1], symbol)

    start: Pair = (left.start, right.start)
    return _language(alphabet, start, step, lambda pair: keep(pair[0] in in_left, pair[1] in in_right))


def union(left: Automaton, right: Automaton, alphabet: Sequence[str]) -> Automaton:
    """Words in either."""
    return combine(left, right, lambda a, b: a or b, alphabet)


def intersection(left: Automaton, right: Automaton, alphabet: Sequence[str]) -> Automaton:
    """Words in both."""
    return combine(left, right, lambda a, b: a and b, alphabet)


def difference(left: Automaton, right: Automaton, alphabet: Sequence[str]) -> Automaton:
    """Words in `left` that are not in `right`."""
    return combine(left, right, lambda a, b: a and not b, alphabet)


def complement(language: Automaton, alphabet: Sequence[str]) -> Automaton:
    """Words over `alphabet` that are not in `language`."""
    return combine(language, language, lambda a, _: not a, alphabet)


def concatenation(left: Automaton, right: Automaton, alphabet: Sequence[str]) -> Automaton:
    """Words that split into one of `left` and one of `right`: a state of left, and where right may be by now."""
    in_left, in_right = accepting(left), accepting(right)

    def entered(state: str | None, others: Iterable[str]) -> tuple[str | None, frozenset[str]]:
        return state, frozenset(others) | ({right.start} if state in in_left else frozenset())

    def step(here: tuple[str | None, frozenset[str]], symbol: str) -> tuple[str | None, frozenset[str]]:
        return entered(left.step(here[0], symbol), _moved(right, here[1], symbol))

    return _language(alphabet, entered(left.start, ()), step, lambda here: bool(here[1] & in_right))


def _moved(automaton: Automaton, states: Iterable[str], symbol: str) -> frozenset[str]:
    found = (automaton.transitions.get((state, symbol)) for state in states)
    return frozenset(target for target in found if target is not None)


def star(language: Automaton, alphabet: Sequence[str]) -> Automaton:
    """Any number of words of `language`, one behind the other."""
    ends = accepting(language)

    def step(here: tuple[bool, frozenset[str]], symbol: str) -> tuple[bool, frozenset[str]]:
        states = _moved(language, here[1], symbol)
        return False, states | ({language.start} if states & ends else frozenset())

    return _language(alphabet, (True, frozenset({language.start})), step, lambda here: here[0] or bool(here[1] & ends))


def reverse(language: Automaton, alphabet: Sequence[str]) -> Automaton:
    """The words read backwards: the subset construction on reversed transitions."""
    before: dict[tuple[str, str], set[str]] = {}
    for (state, symbol), target in language.transitions.items():
        before.setdefault((target, symbol), set()).add(state)

    def step(states: frozenset[str], symbol: str) -> frozenset[str]:
        return frozenset(q for target in states for q in before.get((target, symbol), ()))

    return _language(alphabet, accepting(language), step, lambda states: language.start in states)


def shuffle(left: Automaton, right: Automaton, alphabet: Sequence[str]) -> Automaton:
    """All interleavings of a word of `left` with a word of `right`."""
    in_left, in_right = accepting(left), accepting(right)

    def step(pairs: frozenset[tuple[str, str]], symbol: str) -> frozenset[tuple[str, str]]:
        by_left = ((left.transitions.get((p, symbol)), q) for p, q in pairs)
        by_right = ((p, right.transitions.get((q, symbol))) for p, q in pairs)
        return frozenset((p, q) for p, q in (*by_left, *by_right) if p is not None and q is not None)

    return _language(
        alphabet,
        frozenset({(left.start, right.start)}),
        step,
        lambda pairs: any(p in in_left and q in in_right for p, q in pairs),
    )
