"""Laws of the algebra of languages, on random automata: each operation is what its definition says."""

from __future__ import annotations

from itertools import product

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import ProgramError, TooLargeError
from compiler.program import algebra
from compiler.program.automaton import Automaton
from compiler.program.regular import RegexError, from_regex

COMMON = settings(max_examples=100, deadline=None)
AB = ("a", "b")
STATES = ("p", "q", "r", "s")
WORDS = [word for length in range(5) for word in product(AB, repeat=length)]


@st.composite
def acceptors(draw: st.DrawFn) -> Automaton:
    states = STATES[: draw(st.integers(1, 4))]
    moves = {(q, s): draw(st.sampled_from(states)) for q in states for s in AB if draw(st.integers(0, 3))}
    accept = frozenset(draw(st.sets(st.sampled_from(states))))
    return Automaton("random", AB, states, draw(st.sampled_from(states)), moves, accept)


@st.composite
def transducers(draw: st.DrawFn) -> Automaton:
    made = draw(acceptors())
    outputs = st.sampled_from(["x", "y"])
    moore = {q: draw(outputs) for q in made.states}
    mealy = {move: draw(outputs) for move in made.transitions}
    emits = any((made.start, symbol) in made.transitions for symbol in AB)
    is_moore = not emits or draw(st.booleans())  # a Mealy machine that can emit, so that it has a minimal form
    accept = draw(st.sampled_from([made.accept, None]))
    moore_or_none, mealy_or_none = (moore, None) if is_moore else (None, mealy)
    return Automaton("random", AB, made.states, made.start, made.transitions, accept, moore_or_none, mealy_or_none)


def language(automaton: Automaton) -> set[tuple[str, ...]]:
    """The accepted words up to length 4."""
    return {word for word in WORDS if automaton.run(word).outcome == "accepted"}


def interleavings(left: tuple[str, ...], right: tuple[str, ...]) -> set[tuple[str, ...]]:
    if not left or not right:
        return {left + right}
    first = {left[:1] + rest for rest in interleavings(left[1:], right)}
    return first | {right[:1] + rest for rest in interleavings(left, right[1:])}


@COMMON
@given(acceptors(), acceptors())
def test_operations_are_their_definitions(a: Automaton, b: Automaton) -> None:
    """On words up to length 4, from words up to length 4: both operands' words are no longer than the result's."""
    short = set(WORDS)
    in_a, in_b = language(a), language(b)
    assert language(algebra.union(a, b, AB)) == in_a | in_b
    assert language(algebra.intersection(a, b, AB)) == in_a & in_b
    assert language(algebra.difference(a, b, AB)) == in_a - in_b
    assert language(algebra.complement(a, AB)) == short - in_a
    assert language(algebra.reverse(a, AB)) == {word[::-1] for word in in_a}
    assert language(algebra.concatenation(a, b, AB)) == {u + v for u in in_a for v in in_b} & short
    assert language(algebra.shuffle(a, b, AB)) == {w for u in in_a for v in in_b for w in interleavings(u, v)} & short
    powers = {()}
    for _ in range(4):
        powers |= {u + v for u in powers for v in in_a} & short
    assert language(algebra.star(a, AB)) == powers


@COMMON
@given(acceptors(), acceptors())
def test_equal_languages_have_equal_results(a: Automaton, b: Automaton) -> None:
    """Results are canonical: minimal, named in breadth-first order; so laws hold as equations."""
    assert algebra.union(a, b, AB) == algebra.union(b, a, AB)
    left = algebra.complement(algebra.union(a, b, AB), AB)
    assert left == algebra.intersection(algebra.complement(a, AB), algebra.complement(b, AB), AB)
    assert algebra.reverse(algebra.reverse(a, AB), AB) == algebra.union(a, a, AB)
    assert algebra.star(algebra.star(a, AB), AB) == algebra.star(a, AB)
    assert algebra.shuffle(a, b, AB) == algebra.shuffle(b, a, AB)
    backwards = algebra.concatenation(algebra.reverse(b, AB), algebra.reverse(a, AB), AB)
    assert algebra.reverse(algebra.concatenation(a, b, AB), AB) == backwards


@COMMON
@given(acceptors() | transducers())
def test_minimising_keeps_every_run(automaton: Automaton) -> None:
    least = automaton.minimised()
    for word in WORDS:
        assert least.run(word) == automaton.run(word)
    assert len(least.states) <= len(automaton.reachable())
    assert least.minimised() == least


@COMMON
@given(acceptors() | transducers())
def test_no_two_states_of_a_minimal_automaton_behave_alike(automaton: Automaton) -> None:
    """Also none behaves like the missing state, unless the automaton starts there or a Mealy rule leads there."""
    least = automaton.minimised()

    def behaviour(state: str) -> tuple[object, ...]:
        begun = Automaton("q", AB, least.states, state, least.transitions, least.accept, least.moore, least.mealy)
        return tuple((run.outcome, run.output) for run in map(begun.run, WORDS))

    shown = [behaviour(state) for state in least.states]
    assert len(set(shown)) == len(shown)


NFA = st.dictionaries(
    st.tuples(st.sampled_from(STATES), st.sampled_from([None, *AB])), st.sets(st.sampled_from(STATES), min_size=1)
)


@COMMON
@given(NFA, st.sets(st.sampled_from(STATES)))
def test_determinising_keeps_the_language(moves: dict[tuple[str, str | None], set[str]], accept: set[str]) -> None:
    made = algebra.determinise(AB, ["p"], moves, frozenset(accept), name="nfa")

    def closed(states: set[str]) -> set[str]:
        while (more := states | {t for q in states for t in moves.get((q, None), ())}) != states:
            states = more
        return states

    for word in WORDS:
        here = closed({"p"})
        for symbol in word:
            here = closed({t for q in here for t in moves.get((q, symbol), ())})
        assert (made.run(word).outcome == "accepted") == bool(here & accept)


@COMMON
@given(acceptors() | transducers())
def test_an_automaton_survives_networkx(automaton: Automaton) -> None:
    """Up to the order of the alphabet, which a graph does not carry."""
    graph = nx.MultiDiGraph()
    for state in automaton.states:
        data = {"emits": automaton.moore[state]} if automaton.moore else {}
        graph.add_node(state, start=state == automaton.start, accept=state in (automaton.accept or ()), **data)
    for (state, symbol), target in automaton.transitions.items():
        data = {"emits": automaton.mealy[state, symbol]} if automaton.mealy else {}
        graph.add_edge(state, target, symbol=symbol, **data)
    if not automaton.transitions:
        with pytest.raises(ProgramError, match="no symbols"):
            Automaton.from_networkx(graph)
        return
    made = Automaton.from_networkx(graph, name="random")
    assert made.transitions == automaton.transitions
    assert (made.states, made.start) == (automaton.states, automaton.start)
    assert (made.moore, made.mealy) == (automaton.moore, automaton.mealy)
    assert made.accept == (automaton.accept if automaton.accept or not automaton.is_transducer else None)


@COMMON
@given(st.text('ab()|*+?.[]^{}0123,"\\ ', max_size=12))
def test_any_text_is_a_regular_expression_or_a_mistake_in_it(text: str) -> None:
    place, end = 0, 0
    try:
        made = from_regex(text, AB)
    except RegexError as mistake:
        place, end = mistake.place, mistake.place + mistake.length
    except TooLargeError:
        return
    else:
        assert made.minimised() == made
    assert 0 <= place <= end <= max(1, len(text))
