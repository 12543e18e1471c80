"""Levels taken apart by orbits, the Delta RNN's bits, and counting by halves."""

from itertools import product
from operator import add

import numpy as np
import pytest
from followed import shown
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import UnsupportedError
from compiler.fastweight.automata.cascade import Cascade, Component, Level, Permute, Reading, Reset, check_cascade
from compiler.fastweight.automata.cascade_to_delta_rnn import delta_rnn_stack
from compiler.fastweight.automata.holonomy_to_cascade import holonomy_cascade
from compiler.fastweight.automata.orbits import by_orbits
from compiler.fastweight.automata.transitions import Shown, Transitions, transitions
from compiler.fastweight.counters.language_to_stack import counter_stack
from compiler.fastweight.counters.languages import COUNTER_LANGUAGES, CounterLanguage
from compiler.fastweight.stack import UndecodedError, halvings
from compiler.language.load import load
from verify.strategies import automata

PRECISIONS = ("float64", "float32", "float16", "bfloat16")


@st.composite
def in_pairs(draw) -> Transitions:
    """Letters that exchange within pairs of states, or send all to one: up to seven states, as they are."""
    pairs, alone = draw(st.integers(1, 3)), draw(st.integers(0, 1))
    size = 2 * pairs + alone
    moves = []
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            turned = draw(st.lists(st.booleans(), min_size=pairs, max_size=pairs))
            moves.append(tuple([p ^ turned[p // 2] for p in range(2 * pairs)] + list(range(2 * pairs, size))))
        else:
            moves.append((draw(st.integers(0, size - 1)),) * size)
    names = range(len(moves))
    said = tuple(tuple(Shown(False, f"{state} {letter}") for letter in names) for state in range(size))
    return Transitions(
        tuple("abc"[: len(moves)]), tuple((str(p),) for p in range(size)), 0, tuple(moves), said, Shown(False, None)
    )


@settings(max_examples=150)
@given(st.one_of(in_pairs(), automata(max_states=5, max_letters=3).map(transitions)), st.integers(0, 2**32 - 1))
def test_levels_by_orbits_show_the_same(table: Transitions, seed: int) -> None:
    cascade = holonomy_cascade(table)
    apart = by_orbits(cascade)
    check_cascade(apart, table)
    word = np.random.default_rng(seed).integers(0, len(table.letters), 60).tolist()
    stack = delta_rnn_stack(cascade)
    permuting = [c for level in apart.levels for c in level.components if c.permutes]
    assert (stack is None) == any(component.points > 2 for component in permuting)
    if stack is not None:
        for precision in PRECISIONS:
            assert list(stack.run(word, precision=precision)) == shown(table, word)
        assert stack.run_by_definition(word[:20]) == shown(table, word[:20])


@settings(max_examples=50)
@given(in_pairs())
def test_pairs_are_bits_of_the_delta_rnn(table: Transitions) -> None:
    assert delta_rnn_stack(holonomy_cascade(table)) is not None


def test_three_points_are_too_many_for_it() -> None:
    assert delta_rnn_stack(holonomy_cascade(transitions(load("mod3")))) is None
    assert delta_rnn_stack(holonomy_cascade(transitions(load("parity")))) is not None


def small_words(language: CounterLanguage, length: int):
    for n in range(length + 1):
        yield from product(range(len(language.letters)), repeat=n)


def counted(language: CounterLanguage, word) -> list[bool]:
    """By whole counters."""
    state, counters = language.start, (0,) * language.counters
    found = [language.accepts(state, counters)]
    for number in word:
        letter = language.letters[number]
        added = language.adds[letter]
        counters = (0,) * len(counters) if added is None else tuple(map(add, counters, added))
        signs = tuple((count > 0) - (count < 0) for count in counters)
        state = language.control(state, letter, signs)
        found.append(language.accepts(state, signs))
    return found


@pytest.mark.parametrize("layer", ["deltanet", "delta-rnn"])
@pytest.mark.parametrize("name", COUNTER_LANGUAGES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_halves_count_to_the_last_letter_that_has_room(name: str, precision, layer) -> None:
    language = COUNTER_LANGUAGES[name]
    stack = counter_stack(language, layer)
    assert stack is not None
    rng, room = np.random.default_rng(0), halvings(precision)
    words = [rng.integers(0, len(language.letters), room) for _ in range(3)]
    words += [np.repeat([0, 1], [n, room - n]) for n in (room // 2, (room + 1) // 2, room - 1, room)]
    for word in (*words, *small_words(language, 4)):
        assert [each.accepts for each in stack.run(word, precision=precision)] == counted(language, word)
    with pytest.raises(UndecodedError, match=f"has room for, {room} times"):
        list(stack.run(np.zeros(room + 1, dtype=np.int64), precision=precision))


def test_halves_have_limits() -> None:
    assert [halvings(precision) for precision in PRECISIONS] == [1074, 149, 24, 133]
    dyck = COUNTER_LANGUAGES["Dyck-1"]
    steps = {"(": (2,), ")": (-1,)}
    for layer in ("deltanet", "delta-rnn"):
        with pytest.raises(UnsupportedError, match="adds more than 1"):
            counter_stack(CounterLanguage(dyck.letters, steps, dyck.start, dyck.control, dyck.accepts), layer)


@pytest.mark.parametrize(("period", "layers"), [(2, ["delta-rnn"]), (3, [])])
def test_controls_in_a_circle(period: int, layers: list[str]) -> None:
    turns = CounterLanguage(
        ("a",), {"a": (1,)}, 0, lambda state, *_: (state + 1) % period, lambda state, *_: state == 0
    )
    assert [layer for layer in ("deltanet", "delta-rnn") if counter_stack(turns, layer) is not None] == layers


def test_a_level_is_taken_apart_by_hand() -> None:
    """Points 0 and 2 are exchanged, 1 stays."""
    component = Component(3, (Reset(1), Permute((2, 1, 0)), Reset(2)))
    (level,) = holonomy_cascade(transitions(load("parity"))).levels
    assert by_orbits(holonomy_cascade(transitions(load("parity")))).levels == (level,)
    after = {(0, Reading((None,), (1,))): 0} | {(1, Reading((p,), (2 - p,))): 1 + p for p in range(3)}
    after |= {(2, Reading((p,), (2,))): 4 + p for p in range(3)}
    above, below = by_orbits(Cascade(("x", "y"), (Level((component,), after),), ())).levels
    assert above.components == (Component(2, (Reset(1), Permute((0, 1)), Reset(0))),)
    assert all(each.points == 2 for each in below.components)
    assert sorted(below.after.values()) == list(range(7))
