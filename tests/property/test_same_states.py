"""Two automata with the same runs: the renaming, or the merging, that is said, against the one that was made."""

from dataclasses import replace
from itertools import product
from typing import Any

import networkx as nx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compiler.language.load import load
from compiler.program.automaton import Automaton
from verify.same_runs import same_runs
from verify.same_states import _check, _classes, same_states
from verify.strategies import automata
from verify.verify import verify

SETTINGS = settings(max_examples=150, deadline=None)
BETWEEN = " is state "


def read(witness: tuple[str, ...]) -> dict[str, str]:
    """The renaming that a witness says."""
    found = {}
    for line in witness[1:]:
        if line.startswith("  state "):
            old, new = line.removeprefix("  state ").split(BETWEEN)
            found[old.removesuffix(" of first")] = new.removesuffix(" of second")
    return found


def graph(automaton: Automaton) -> Any:
    """The completed reachable part for networkx, with what is shown at nodes and edges."""
    made = nx.MultiDiGraph()
    queue: list[str | None] = [automaton.start]
    for state in queue:
        made.add_node(str(state), outcome=automaton.outcome(state), start=state == automaton.start)
        for symbol in automaton.alphabet:
            target = automaton.step(state, symbol)
            made.add_edge(str(state), str(target), key=symbol, said=(symbol, automaton.emitted(state, symbol, target)))
            if target not in queue:
                queue.append(target)
    return made


def isomorphic(left: Automaton, right: Automaton) -> bool:
    def same_edges(a: Any, b: Any) -> bool:
        return sorted(map(str, (e["said"] for e in a.values()))) == sorted(map(str, (e["said"] for e in b.values())))

    return nx.is_isomorphic(graph(left), graph(right), node_match=lambda a, b: a == b, edge_match=same_edges)


def doubled(program: Automaton, random: Any) -> Automaton:
    """The same runs with two copies of every state; each move goes to one of the copies."""
    copies = {q: (f"{q}1", f"{q}2") for q in program.states}
    moves = {(c, s): random.choice(copies[t]) for (q, s), t in program.transitions.items() for c in copies[q]}
    origin = {c: q for q, both in copies.items() for c in both}
    return Automaton(
        "second",
        program.alphabet,
        tuple(origin),
        random.choice(copies[program.start]),
        moves,
        None if program.accept is None else frozenset(c for c, q in origin.items() if q in program.accept),
        None if program.moore is None else {c: program.moore[q] for c, q in origin.items()},
        None if program.mealy is None else {(c, s): program.mealy[origin[c], s] for c, s in moves},
    )


@SETTINGS
@given(automata(max_states=5), st.randoms(use_true_random=False))
def test_a_renaming_is_found(program: Automaton, random: Any) -> None:
    program = replace(program, name="first")
    places = list(range(len(program.states)))
    random.shuffle(places)
    names = {q: f"p{place}" for q, place in zip(program.states, places, strict=True)}
    verdict = verify(program, program.renamed(names, name="second"))
    assert (verdict.verdict, verdict.level) == ("proved", "domain")
    assert read(verdict.witness) == {q: names[q] for q in program.reachable()}


@SETTINGS
@given(automata(max_states=4, max_letters=2), st.randoms(use_true_random=False))
def test_a_merging_is_said_where_there_is_no_renaming(program: Automaton, random: Any) -> None:
    program = replace(program, name="first")
    other = doubled(program, random)
    verdict = verify(program, other)
    assert verdict.verdict == "proved"
    renamed = "same but for their names" in verdict.witness[0]
    assert renamed == isomorphic(program, other)
    if not renamed:
        first, second = (len(graph(each)) for each in (program, other))
        sizes = f"{first} of first and {second} of second become "
        assert verdict.witness[0].startswith(f"merging the states that run alike makes them the same: {sizes}")
        assert len(verdict.witness) > 1
    for members in _classes(same_runs(program, other).pairs):
        assert all_alike((program, other), members)


def all_alike(automata_: tuple[Automaton, Automaton], members: Any) -> bool:
    """Whether the states of a class show the same on all words up to length 4, but for what entering them shows."""
    seen = set()
    for side, state in members:
        automaton, found = automata_[side], []
        for word in product(automata_[0].alphabet, repeat=4):
            now = state
            for symbol in word:
                target = automaton.step(now, symbol)
                found.append((automaton.outcome(target), automaton.emitted(now, symbol, target)))
                now = target
        seen.add((automaton.outcome(state), tuple(found)))
    return len(seen) == 1


@SETTINGS
@given(automata(max_states=5, max_letters=2))
def test_merged_with_the_least_automaton_there_are_as_many(program: Automaton) -> None:
    program = replace(program, name="first")
    least = replace(program.minimised(), name="second", properties=())
    verdict = verify(program, least)
    assert verdict.verdict == "proved"
    classes = _classes(same_runs(program, least).pairs)
    assert all(sum(side == 1 and state is not None for side, state in members) <= 1 for members in classes)


@SETTINGS
@given(automata(max_states=4, max_letters=2), automata(max_states=4, max_letters=2), st.data())
def test_no_wrong_relation_passes_the_check(left: Automaton, right: Automaton, data: st.DataObject) -> None:
    """A relation of any states that passes shows that the runs are the same."""
    assume(set(left.alphabet) == set(right.alphabet))
    states = [st.sampled_from([None, *each.states]) for each in (left, right)]
    pairs = [
        *[(left.start, right.start)] * data.draw(st.integers(0, 1)),
        *data.draw(st.lists(st.tuples(*states), max_size=8)),
    ]
    pairs += [(p, data.draw(states[1])) for p in (None, *left.states)]
    pairs += [(data.draw(states[0]), q) for q in (None, *right.states)]
    try:
        _check((left, right), _classes(pairs))
    except ArithmeticError:
        return
    assert same_runs(left, right).word is None


def test_what_has_no_transition_and_what_has_a_sink() -> None:
    partial = Automaton("first", ("a", "b"), ("p", "q"), "p", {("p", "a"): "q", ("q", "b"): "p"}, frozenset("q"))
    moves = {(x, s): "dead" for x in ("p", "q", "dead") for s in "ab"} | dict(partial.transitions)
    total = Automaton("second", ("a", "b"), ("p", "q", "dead"), "p", moves, frozenset("q"))
    assert verify(partial, total).witness[-1] == "  where first has no transition, second is in state dead"
    assert verify(total, partial).witness[-1] == "  where first has no transition, second is in state dead"
    both = replace(
        partial, name="second", states=("p", "q", "dead"), transitions=partial.transitions | {("q", "a"): "dead"}
    )
    assert verify(partial, both).witness == (
        "merging the states that run alike makes them the same: 3 of first and 4 of second become 3, "
        "with one for missing transitions:",
        "  no transition of first ~ no transition, dead of second",
    )


def test_what_is_said_stays_short() -> None:
    states = tuple(f"q{n}" for n in range(300))
    moves = {(q, "a"): states[(n + 1) % 300] for n, q in enumerate(states)}
    ring = Automaton("ring", ("a",), states, "q0", moves, frozenset({"q0"}))
    witness = verify(ring, ring.renamed({q: f"x{q}" for q in states})).witness
    assert len(witness) == 21
    assert witness[1] == "  state q0 of the first is state xq0 of the second"
    assert witness[-1] == "  and 281 more"
    assert verify(ring, replace(ring, name="other")).witness == (
        "the states that words lead to have the same names in ring and other",
    )


def ring_of(length: int, accept: tuple[int, ...] = (0,)) -> Automaton:
    moves = {(f"q{n}", "a"): f"q{(n + 1) % length}" for n in range(length)}
    names = tuple(state for state, _ in moves)
    return Automaton(f"ring{length}", ("a",), names, "q0", moves, frozenset(f"q{n}" for n in accept))


def test_lines_that_just_fit_are_all_said_and_no_transition_is_missing() -> None:
    few = ring_of(20)
    renamed = verify(few, few.renamed({q: f"x{q}" for q in few.states})).witness
    assert len(renamed) == 21
    assert renamed[-1].startswith("  state q19 of")
    merged = verify(ring_of(5), ring_of(20, (0, 5, 10, 15))).witness
    start = "merging the states that run alike makes them the same"
    assert merged[0] == f"{start}: 5 of ring5 and 20 of ring20 become 5:"


def test_a_relation_that_shows_nothing_is_a_mistake() -> None:
    parity = load("parity")
    swapped = [("even", "odd"), ("odd", "even"), (None, None)]
    ring = Automaton("ring", ("a",), tuple("xyz"), "x", {(p, "a"): q for p, q in ("xy", "yz", "zx")}, frozenset("z"))
    shows_another = Automaton(
        "m", ("a",), ("p", "q"), "p", {("p", "a"): "q", ("q", "a"): "q"}, moore={"p": "x", "q": "y"}
    )
    at_start = [("p", "p"), ("q", "q")]
    for left, right, pairs in (
        (parity, parity, swapped),
        (ring, replace(ring, start="y"), [(state, state) for state in ring.states]),
        (shows_another, replace(shows_another, moore={"p": "y", "q": "y"}), at_start),
    ):
        with pytest.raises(ArithmeticError, match="mistake of the verifier"):
            same_states(left, right, pairs)
