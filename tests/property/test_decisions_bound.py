"""The bound on decisions of memories and machines: no run within it is decided wrongly."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from perturbed import noisy

from compiler.errors import AttncError, ModelError, UnsupportedError
from compiler.language.load import load
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify.decisions_bound import _least_square, right_answers_are_steady, safe_tokens, steady
from verify.proofs import proof_of
from verify.verdict import TOKENS
from verify.verify import verify

PROGRAMS = {
    "increment": {"cells": 4, "head": 1, "examples": ()},
    "busy_beaver_2": {"cells": 6, "head": 2, "examples": ()},
    "capitals": {},
    "reservations": {},
}


def program_of(name):
    return replace(load(name), **PROGRAMS[name])


def wrong_within(program, model, tokens: int):
    """A short input whose run is decided wrongly within its first so many tokens; None where none of those tried is."""
    lowering = lower(program)
    items = list(dict.fromkeys(lowering.items()))[:5]
    for length in range(4):
        for word in product(items, repeat=length):
            try:
                expected = [name for name, _ in lowering.dialogue(word, tokens)][:tokens]
            except (AttncError, ValueError):  # an input that does not fit
                continue
            try:
                got = list(model.run(word, max_tokens=max(1, len(expected))).tokens)
            except ModelError:
                return word
            if got[: len(expected)] != expected:
                return word
    return None


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("size", [3e-2, 3e-3, 3e-4])
def test_no_run_within_the_bound_is_decided_wrongly(name, size):
    program = program_of(name)
    for seed in range(2):
        model = noisy(compile(program), size, seed)
        bound = safe_tokens(lower(program), model)
        assert bound is not None
        assert wrong_within(program, model, min(bound, 60)) is None


def test_the_bound_is_as_long_as_the_weights_are_near():
    program = program_of("capitals")
    model = compile(program)
    lowering = lower(program)
    exact = safe_tokens(lowering, model)
    assert exact is None, "nothing differs, so nothing bounds"
    sizes = [safe_tokens(lowering, noisy(model, size, 0)) for size in (1e-3, 1e-4, 1e-5)]
    assert 8 < sizes[1] / sizes[0] < 12
    assert 8 < sizes[2] / sizes[1] < 12


@pytest.mark.parametrize("name", ["increment", "capitals"])
def test_verdicts(name):
    program = program_of(name)
    model = noisy(compile(program), 1e-5, 0)
    found = verify(program, model)
    assert (found.verdict, found.level) == ("undecided", "decisions")
    assert TOKENS in found.assumptions
    assert found.lengths == safe_tokens(lower(program), model)
    within = verify(program, model, up_to=found.lengths)
    assert (within.verdict, within.lengths) == ("proved", found.lengths)
    assert verify(program, model, up_to=found.lengths + 1).verdict == "undecided"
    assert verify(program, model, level="domain").verdict == "refuted"
    exact = verify(program, compile(program), level="decisions")
    assert (exact.verdict, exact.lengths) == ("proved", "all")
    assert verify(program, compile(program), level="decisions", up_to=7).lengths == 7
    with pytest.raises(UnsupportedError, match="proof"):
        proof_of(program, compile(program), exact)
    with pytest.raises(UnsupportedError):
        proof_of(program, model, found)


def test_a_tolerance_makes_the_bound_shorter():
    program = program_of("capitals")
    model = noisy(compile(program), 1e-5, 0)
    plain, moved = verify(program, model), verify(program, model, tolerance=0.25)
    assert 0 < moved.lengths < plain.lengths
    assert any("moved by up to 1/4" in line for line in moved.assumptions)
    exact = verify(program, compile(program), tolerance=0.25)
    assert (exact.verdict, exact.level, exact.lengths) == ("proved", "decisions", "all")
    with pytest.raises(UnsupportedError, match="half the distance"):
        verify(program, compile(program), tolerance=2)
    with pytest.raises(UnsupportedError, match="half the distance"):
        verify(load("votes"), compile(load("votes")), tolerance=0.01)


@pytest.mark.parametrize("name", ["increment", "capitals"])
def test_without_a_level_the_bound_is_said_where_it_reaches_the_run_that_differs(name):
    program = program_of(name)
    said = set()
    for size in (3e-2, 1e-2, 5e-3, 4e-3, 3e-3, 1e-3):
        model = noisy(compile(program), size, 0)
        bound = safe_tokens(lower(program), model)
        differs = int(verify(program, model, level="domain").counterexample.at.rpartition(" ")[2]) + 1
        found = verify(program, model)
        said.add((found.verdict, found.level))
        wanted = ("undecided", "decisions", bound) if bound >= differs else ("refuted", "domain", None)
        assert (found.verdict, found.level, found.lengths) == wanted
        assert verify(program, model, level="decisions").lengths == bound
    assert len(said) == 2


@pytest.mark.parametrize("name", ["capitals", "increment", "reservations", "busy_beaver_2"])
def test_answers_are_steady_below_half_the_least_distance_of_two_of_a_kind(name):
    lowering = lower(program_of(name))
    tokens = lowering.tokens.dense()
    kinds = [tokens[lowering.replies == kind] for kind in {*lowering.asks.tolist()} - {0}]
    gap = min(int(((a - b) ** 2).sum()) for each in kinds for n, a in enumerate(each) for b in each[:n])
    half = Fraction(isqrt(gap << 80), 1 << 41)
    assert right_answers_are_steady(lowering, half - Fraction(1, 1 << 30))
    assert not right_answers_are_steady(lowering, half + Fraction(1, 1 << 30))


def test_half_the_distance_itself_is_not_steady():
    assert steady(9, Fraction(3, 2) - Fraction(1, 1000))
    assert not steady(9, Fraction(3, 2))


@given(st.integers(1, 3).flatmap(lambda d: st.lists(st.lists(st.integers(-5, 5), min_size=d, max_size=d), max_size=5)))
def test_the_least_distance_of_two_tokens(rows):
    squares = [sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) for n, a in enumerate(rows) for b in rows[:n]]
    assert _least_square(np.array(rows, dtype=np.int64)) == min(squares, default=None)


def test_a_model_that_embeds_tokens_otherwise_has_no_bound():
    """The bound is that of answers to the program's own tokens."""
    program = program_of("capitals")
    model = noisy(compile(program), 1e-5, 0)
    tokens = {name: np.array(vector, dtype=float) for name, vector in model.tokens.items()}
    name = next(iter(tokens))
    tokens[name] = 2 * tokens[name]
    other = Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=tokens, program=program)
    with pytest.raises(UnsupportedError, match="no bound"):
        verify(program, other, level="decisions")
    found = verify(program, other)
    assert (found.verdict, found.level, found.lengths) == ("undecided", "domain", None)
    assert f"the model embeds {name!r} otherwise" in found.assumptions[1]


def test_what_differs_by_much_is_refuted_as_before():
    program = program_of("capitals")
    model = compile(program)
    V = model.V
    V[tuple(np.argwhere(V)[0])] *= -1
    wrong = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    found = verify(program, wrong)
    assert (found.verdict, found.level) == ("refuted", "domain")


def test_memories_whose_answers_are_no_tokens_have_no_bound():
    program = load("votes")
    model = compile(program)
    with pytest.raises(UnsupportedError, match="no bound"):
        verify(program, noisy(model, 1e-6, 0), level="decisions")


@pytest.mark.parametrize("tolerance", [Fraction(0), Fraction(1, 10), Fraction(7, 10), Fraction(3, 4)])
@pytest.mark.parametrize("name", ["capitals", "increment"])
def test_the_bound_by_answers_to_one_and_two_tokens(name, tolerance):
    """What a token contributes is what it adds to the answer of the layer; in floats, for every question."""
    program = program_of(name)
    compiled, lowering = compile(program), lower(program)
    model = noisy(compiled, 2e-3, 1)
    tokens = lowering.tokens.dense().astype(float)
    expected = np.inf
    for question in np.flatnonzero(lowering.asks):
        choices = tokens[lowering.replies == lowering.asks[question]]
        gap = min(np.linalg.norm(a - b) for n, a in enumerate(choices) for b in choices[:n])
        last = tokens[question]
        alone = model.answer([last]) - compiled.answer([last])
        each = [model.answer([t, last]) - compiled.answer([t, last]) - alone for t in tokens]
        room = max(gap / 2 - float(tolerance), 0)
        expected = min(expected, room / max(np.linalg.norm(delta) for delta in each))
    assert safe_tokens(lowering, model, tolerance) == max(int(np.ceil(expected)) - 1, 0)


def test_half_the_distance_is_too_far(monkeypatch):
    """What is off by exactly half the distance of two tokens is a tie."""
    program = program_of("capitals")
    model, lowering = compile(program), lower(program)
    V, Q = (np.concatenate([each, np.zeros((1, model.d, model.d))]).astype(float) for each in (model.V, model.Q))
    question = next(iter(lowering.tokens.listed(int(np.flatnonzero(lowering.asks)[0]))))
    V[-1, 0, question], Q[-1, question, question] = 1 / 64, 1.0
    changed = Model.from_arrays(V, Q, coordinates=model.coordinates, tokens=model.tokens, program=program)
    monkeypatch.setattr("verify.decisions_bound._least_square", lambda _: 4)
    assert safe_tokens(lowering, changed) == 63


def test_too_many_numbers_are_not_looked_at(monkeypatch):
    program = program_of("capitals")
    model, lowering = noisy(compile(program), 1e-4, 0), lower(program)
    numbers = int((lowering.asks != 0).sum()) * len(lowering.tokens) * model.d
    monkeypatch.setattr("verify.decisions_bound.MOST_NUMBERS", numbers)
    assert safe_tokens(lowering, model) is not None
    monkeypatch.setattr("verify.decisions_bound.MOST_NUMBERS", numbers - 1)
    assert safe_tokens(lowering, model) is None
