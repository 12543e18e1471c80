"""Automata as stacks of fast-weight layers: what they show and which there are, by interpreter and brute force."""

from itertools import pairwise, product

import numpy as np
import pytest
from followed import shown
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compiler.errors import TooLargeError, UnsupportedError
from compiler.fastweight.automata import holonomy as holonomies
from compiler.fastweight.automata import periodic_words
from compiler.fastweight.automata.additive import additive_stack
from compiler.fastweight.automata.cascade import Permute, Reading, check_cascade
from compiler.fastweight.automata.cascade_to_stack import cascade_to_stack
from compiler.fastweight.automata.holonomy_to_cascade import holonomy_cascade
from compiler.fastweight.automata.periodic_words import circle, periodic_word
from compiler.fastweight.automata.potentials import components, not_told_apart
from compiler.fastweight.automata.quotients_to_cascade import permutes, quotient_cascade
from compiler.fastweight.automata.table_to_stack import recurrent_delta_stack, self_referential_stack
from compiler.fastweight.automata.transitions import Shown, Transitions, transitions
from compiler.fastweight.kernels.runs import started
from compiler.fastweight.targets import NotExpressibleError, compile_to, explain
from compiler.language.load import load
from compiler.program.automaton import Automaton
from verify.strategies import automata

PRECISIONS = ("float64", "float32", "float16", "bfloat16")
small = automata(max_states=5, max_letters=3)


def word_of(draw_from: np.random.Generator, given: Transitions, length: int) -> list[int]:
    return draw_from.integers(0, len(given.letters), length).tolist()


def elements(given: Transitions) -> set[tuple[int, ...]]:
    """The transition monoid."""
    found = {tuple(range(given.size))}
    queue = list(found)
    for element in queue:
        for move in given.moves:
            after = tuple(move[state] for state in element)
            if after not in found:
                found.add(after)
                queue.append(after)
    return found


@given(small, st.lists(st.integers(0, 2), max_size=12))
def test_transitions_show_what_the_interpreter_says(program: Automaton, numbers: list[int]) -> None:
    table = transitions(program)
    word = [number % len(program.alphabet) for number in numbers]
    run = program.run(tuple(program.alphabet[letter] for letter in word))
    found = shown(table, word)
    assert tuple(each.output for each in found if each.output is not None) == run.output
    if program.accept is not None:
        assert found[-1].accepts == (run.outcome == "accepted")


@given(small)
def test_transitions_are_the_least(program: Automaton) -> None:
    table = transitions(program)
    words = [word for n in range(1, table.size + 1) for word in product(range(len(table.letters)), repeat=n)]
    said = {p: tuple(table.shown[table.after(p, word[:-1])][word[-1]] for word in words) for p in range(table.size)}
    assert len(set(said.values())) == table.size


@settings(max_examples=150)
@given(small, st.integers(0, 2**32 - 1))
def test_every_automaton_is_a_cascade(program: Automaton, seed: int) -> None:
    table = transitions(program)
    cascade = holonomy_cascade(table)
    check_cascade(cascade, table)
    word = word_of(np.random.default_rng(seed), table, 40)
    assert list(cascade.run(word)) == shown(table, word)
    levels = [component for level in cascade.levels for component in level.components]
    assert any(map(circle, elements(table))) == any(component.permutes for component in levels)


@settings(max_examples=100)
@given(small, st.integers(0, 2**32 - 1), st.sampled_from(PRECISIONS))
def test_stacks_show_what_the_automaton_shows(program: Automaton, seed: int, precision) -> None:
    table = transitions(program)
    word = word_of(np.random.default_rng(seed), table, 60)
    stacks = [make(table) for make in (self_referential_stack, recurrent_delta_stack, additive_stack)]
    stacks.append(cascade_to_stack(holonomy_cascade(table)))
    if permutes(table) and table.size > 1:
        stacks.append(cascade_to_stack(quotient_cascade(table)))
    for stack in stacks:
        if stack is not None:
            assert list(stack.run(word, precision=precision)) == shown(table, word)
            assert stack.run_by_definition(word[:20]) == shown(table, word[:20])


@st.composite
def permutation_automata(draw) -> Transitions:
    """Letters that permute up to six states, as the least transitions."""
    size = draw(st.integers(2, 6))
    states = tuple(f"q{n}" for n in range(size))
    moves = {}
    for letter in ("a", "b"):
        targets = draw(st.permutations(states))
        moves |= {(state, letter): target for state, target in zip(states, targets, strict=True)}
    accept = draw(st.frozensets(st.sampled_from(states), min_size=1))
    return transitions(Automaton("drawn", ("a", "b"), states, "q0", moves, accept))


@settings(max_examples=100)
@given(permutation_automata(), st.integers(0, 2**32 - 1))
def test_permutation_automata_are_quotients_side_by_side(table: Transitions, seed: int) -> None:
    assume(table.size > 1)
    cascade = quotient_cascade(table)
    check_cascade(cascade, table)
    word = word_of(np.random.default_rng(seed), table, 100)
    for precision in ("float32", "bfloat16"):
        assert list(cascade_to_stack(cascade).run(word, precision=precision)) == shown(table, word)


@pytest.mark.parametrize(
    ("name", "points"), [("s5", [2, 5, 5, 5]), ("a5", [5, 5, 5]), ("mod15", [3, 5]), ("mod7", [7])]
)
def test_groups_act_on_few_points(name: str, points: list[int]) -> None:
    table = transitions(load(name))
    level = quotient_cascade(table).levels[0]
    assert [component.points for component in level.components] == points
    swaps = max(
        component.points - len({frozenset(orbit(action.targets, p)) for p in range(component.points)})
        for component in level.components
        for action in component.actions
        if isinstance(action, Permute)
    )
    assert cascade_to_stack(quotient_cascade(table)).stages[0].layer.W_k.shape[0] == max(2, swaps)


def orbit(targets, point: int) -> list[int]:
    found = [point]
    while targets[found[-1]] != point:
        found.append(targets[found[-1]])
    return found


@settings(max_examples=150)
@given(small)
def test_the_least_word_that_goes_in_circles(program: Automaton) -> None:
    table = transitions(program)
    found = periodic_word(table)
    words = (word for n in range(1, 6) for word in product(range(len(table.letters)), repeat=n))
    first = next((w for w in words if circle(tuple(table.after(s, w) for s in range(table.size)))), None)
    assert found == first or (first is None and found is not None and len(found) > 5)
    assert (found is None) == (not any(map(circle, elements(table))))


@settings(max_examples=150)
@given(small)
def test_words_in_circles_by_holonomy(program: Automaton) -> None:
    table = transitions(program)
    found = periodic_words._by_holonomy(table, holonomies.holonomy(table.moves))
    assert (found is None) == (periodic_word(table) is None)
    assert found is None or circle(tuple(table.after(s, found) for s in range(table.size)))


@settings(max_examples=200)
@given(small)
def test_what_sums_cannot_tell_apart(program: Automaton) -> None:
    """Additive stacks are refused with two states of one component, and a word that tells them apart."""
    table = transitions(program)
    if additive_stack(table) is not None:
        assert periodic_word(table) is None, "sums that are read again and again settle"
        for members in components(table):
            closed = all(move[state] in members for move in table.moves for state in members)
            assert not closed or len(members) == 1
        return
    one, other, told = not_told_apart(table)
    p, q = table.after(table.start, one), table.after(table.start, other)
    assert table.shown[table.after(p, told[:-1])][told[-1]] != table.shown[table.after(q, told[:-1])][told[-1]]
    assert any(p in members and q in members for members in components(table))


@pytest.mark.parametrize(
    ("name", "layers"), [("dyck1_depth8", 2), ("dyck2_depth3", 3), ("shuffle_dyck", 2), ("utf8", 2), ("even_pairs", 2)]
)
def test_what_sums_can_follow(name: str, layers: int) -> None:
    stack = additive_stack(transitions(load(name)))
    assert stack is not None
    assert len(stack.stages) == layers


def test_sums_are_refused_where_circles_are_not_looked_for(monkeypatch) -> None:
    monkeypatch.setattr("compiler.fastweight.automata.periodic_words.MOST_ELEMENTS", 1)
    monkeypatch.setattr("compiler.fastweight.automata.holonomy.MOST_IMAGES", 1)
    assert explain(load("third_from_end"), "linear").expressible is False
    assert explain(load("third_from_end"), "delta").expressible is None
    with pytest.raises(NotExpressibleError, match="this version does not compile third_from_end to delta: too large"):
        compile_to(load("third_from_end"), "delta")


def test_a_cascade_that_shows_something_else_is_noticed() -> None:
    table = transitions(load("turnstile"))
    cascade = holonomy_cascade(table)
    level = cascade.levels[-1]
    for key in level.after:
        for wrong in range(len(cascade.shown)):
            if wrong != level.after[key]:
                before = level.after[key]
                level.after[key] = wrong
                with pytest.raises(ArithmeticError, match="mistake of the compiler"):
                    check_cascade(cascade, table)
                level.after[key] = before
    check_cascade(cascade, table)


def test_sizes_have_limits(monkeypatch) -> None:
    monkeypatch.setattr("compiler.fastweight.automata.holonomy.MOST_IMAGES", 3)
    with pytest.raises(TooLargeError, match="different sets"):
        holonomy_cascade(transitions(load("third_from_end")))
    monkeypatch.setattr("compiler.fastweight.automata.table_to_stack.MOST_COLUMNS", 3)
    with pytest.raises(TooLargeError, match="columns"):
        self_referential_stack(transitions(load("mod3")))


@settings(max_examples=60)
@given(st.one_of(small.map(transitions), permutation_automata()), st.integers(0, 2**32 - 1))
def test_answers_keep_away_from_thresholds(table: Transitions, seed: int) -> None:
    """By 1/16, which is what digits of levels leave to rounding."""
    word = word_of(np.random.default_rng(seed), table, 200)
    stack = cascade_to_stack(holonomy_cascade(table))
    tokens = np.array([0, *(1 + letter for letter in word)])
    for stage in stack.stages:
        answers = started(stage.layer, stage.embedded, "float64").feed(tokens)
        for place, thresholds in enumerate(stage.thresholds):
            assert np.abs(answers[:, place, None] - np.array(thresholds)).min() > 1 / 16 - 1e-9
        tokens = stage.decoded(tokens, answers)


def table_of(moves: tuple[tuple[int, ...], ...]) -> Transitions:
    """All states as they are, even those that no word leads to; each shows its name and the letter."""
    states, letters = range(len(moves[0])), range(len(moves))
    said = tuple(tuple(Shown(False, f"{state} {letter}") for letter in letters) for state in states)
    names = tuple((str(state),) for state in states)
    return Transitions(tuple("abc"[: len(moves)]), names, 0, moves, said, Shown(False, None))


@st.composite
def tables(draw) -> Transitions:
    size = draw(st.integers(2, 6))
    anywhere = st.lists(st.integers(0, size - 1), min_size=size, max_size=size).map(tuple)
    permuted = st.permutations(range(size)).map(tuple)
    return table_of(draw(st.lists(st.one_of(anywhere, permuted), min_size=1, max_size=3)))


def check_holonomy(table: Transitions, word: list[int]) -> None:
    cascade = holonomy_cascade(table)
    check_cascade(cascade, table)
    assert all(component.points > 1 for level in cascade.levels for component in level.components)
    assert list(cascade_to_stack(cascade).run(word)) == shown(table, word)


@settings(max_examples=300)
@given(tables(), st.integers(0, 2**32 - 1))
def test_holonomy_of_tables_whose_tiles_are_not_all_reached(table: Transitions, seed: int) -> None:
    check_holonomy(table, word_of(np.random.default_rng(seed), table, 60))


@pytest.mark.parametrize(("size", "letters"), [(2, 3), (3, 2), (4, 1)])
def test_holonomy_of_all_small_tables(size: int, letters: int) -> None:
    drawn = np.random.default_rng(0)
    for moves in product(product(range(size), repeat=size), repeat=letters):
        table = table_of(moves)
        check_holonomy(table, word_of(drawn, table, 40))


def test_holonomy_leaves_out_tiles_that_nothing_leads_to() -> None:
    """All four states can be reached, yet the sets of a level have a tile that is never chosen."""
    table = table_of(((1, 2, 2, 3), (2, 3, 0, 0)))
    check_holonomy(table, word_of(np.random.default_rng(0), table, 300))
    for level in holonomy_cascade(table).levels:
        points = level.components[0].points
        assert all(before is None or before < points for _, ((before,), _) in level.after)


def test_readings_with_the_same_digits_are_noticed() -> None:
    cascade = holonomy_cascade(table_of(((1, 2, 2, 3), (2, 3, 0, 0))))
    level = cascade.levels[0]
    token, reading = next(key for key in level.after if key[1].before == (0,))
    beyond = Reading((2,), reading.after)  # of two points, whose bit is that of 0
    level.after[token, beyond] = level.after[token, reading] + 1
    with pytest.raises(ArithmeticError, match="the same digits"):
        cascade_to_stack(cascade)


def test_tiles_of_equivalent_sets_are_numbered_alike() -> None:
    """The sets {p, q} and {q, r} make each other, in the other order of their states; yet nothing goes in circles."""
    moves = {(state, "a"): target for state, target in zip("pqr", "qqp", strict=True)}
    moves |= {(state, "b"): target for state, target in zip("pqr", "rqr", strict=True)}
    shown = {move: move[0] for move in moves}
    table = transitions(Automaton("in_other_order", ("a", "b"), ("p", "q", "r"), "p", moves, mealy=shown))
    assert table.size == 3
    assert periodic_word(table) is None
    assert not any(component.permutes for level in holonomy_cascade(table).levels for component in level.components)


def test_sums_that_have_no_room_are_refused() -> None:
    """A counter from 0 to 300, and a way out at both ends."""
    depth = 300
    states = tuple(f"q{n}" for n in range(depth + 1))
    moves = {(a, "up"): b for a, b in pairwise(states)} | {(b, "down"): a for a, b in pairwise(states)}
    program = Automaton("stairs", ("up", "down"), states, "q0", moves, frozenset({"q0"}))
    model = compile_to(program, "linear")
    word = ["up"] * depth + ["down"] * depth
    with pytest.raises(UnsupportedError, match="bfloat16 has too few bits"):
        model.run(word, precision="bfloat16")
    for precision in ("float16", "float32"):
        assert model.run(word, precision=precision) == program.run(word)
        assert model.run(["up", *word], precision=precision).outcome == "rejected"


def test_what_is_compiled_is_compared_with_the_automaton(monkeypatch) -> None:
    other = quotient_cascade(transitions(load("mod5")))
    monkeypatch.setattr("compiler.fastweight.targets.quotient_cascade", lambda _: other)
    with pytest.raises(ArithmeticError, match="mistake of the compiler"):
        compile_to(load("mod7"), "deltaproduct")


def test_levels_that_go_astray_are_noticed(monkeypatch) -> None:
    def wrong(self: holonomies.Holonomy, image: int, letter: int) -> int:
        there = holonomies._moved(image, self.moves[letter])
        return there if image.bit_count() > 1 else 1

    monkeypatch.setattr(holonomies.Holonomy, "moved", wrong)
    with pytest.raises((ArithmeticError, ValueError)):
        holonomy_cascade(transitions(load("dyck1_depth4")))


@pytest.mark.parametrize("size", [10, 60])
def test_chains_may_be_many(size: int) -> None:
    """A counter that stays at its ends: every interval is an image, and there are exponentially many chains."""
    states = tuple(f"q{n}" for n in range(size))
    ups = {(a, "up"): b for a, b in zip(states, (*states[1:], states[-1]), strict=True)}
    downs = {(b, "down"): a for a, b in zip((states[0], *states), states, strict=False)}
    program = Automaton("ladder", ("up", "down"), states, "q0", ups | downs, frozenset({states[-1]}))
    model = compile_to(program, "delta")
    assert len(model.layers) == size - 1
    word = np.random.default_rng(0).choice(["up", "down"], 2_000).tolist()
    assert model.run(word, precision="bfloat16") == program.run(word)
    monotone = ["up"] * (2 * size) + ["down"] * 3 + ["up"] * 3
    assert model.run(monotone).outcome == "accepted"
