"""A verifier is judged by what it rejects: mutants against brute force, disguises against their originals."""

from fractions import Fraction
from itertools import product
from math import lcm

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.attention import attention
from compiler.domain.token_graph import token_graph
from compiler.errors import ModelError
from compiler.model import Model
from compiler.own_coordinates import embedded
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify.same_on_domain import described, parted, replayed
from verify.strategies import automata, disguises, models, mutants
from verify.verify import verify

LENGTH = 4
small = automata(max_states=3, max_letters=2)


def all_words(alphabet, length):
    return (word for n in range(1, length + 1) for word in product(alphabet, repeat=n))


def differs_at(program: Automaton, model: Model, word) -> bool:
    """Whether the answer to the last symbol of the program's own run is another one: by the definition."""
    lowering = lower(program)
    trace = lowering.trace(word)
    Z = np.stack([lowering.tokens[name] for name in trace[:-1]])
    return not np.array_equal(attention(model.V, model.Q, Z), lowering.tokens[trace[-1]])


@settings(max_examples=300)
@given(small.flatmap(lambda p: st.tuples(st.just(p), mutants(compile(p)))))
def test_mutants_get_the_verdict_and_the_word_that_brute_force_gives(pair) -> None:
    program, mutant = pair
    verdict = verify(program, mutant, level="domain")
    least = next((word for word in all_words(program.alphabet, LENGTH) if differs_at(program, mutant, word)), None)
    if verdict.verdict == "proved":
        assert least is None
    elif least is None:
        assert len(verdict.counterexample.input) > LENGTH
        assert differs_at(program, mutant, verdict.counterexample.input)
    else:
        assert verdict.counterexample.input == least


@settings(max_examples=150)
@given(automata(max_states=4, max_letters=3).flatmap(lambda p: st.tuples(st.just(p), disguises(compile(p)))))
def test_disguises_are_proved_the_same(pair) -> None:
    program, disguise = pair
    assert verify(program, disguise).level == "everywhere"
    verdict = verify(compile(program), disguise)
    assert verdict.level == "everywhere"
    assert verdict.witness


@settings(max_examples=150)
@given(models().flatmap(lambda m: st.tuples(st.just(m), mutants(m))))
def test_models_that_differ_get_an_input_on_which_they_do(pair) -> None:
    model, mutant = pair
    verdict = verify(model, mutant)
    if verdict:
        rng = np.random.default_rng(0)
        for _ in range(20):
            Z = rng.integers(-3, 4, size=(3, model.d))
            assert np.array_equal(model.answer(Z), mutant.answer(Z))
    else:
        Z = np.array(verdict.counterexample.input)
        assert not np.array_equal(model.answer(Z), mutant.answer(Z))


@settings(max_examples=60)
@given(models(exact=False).flatmap(lambda m: st.tuples(st.just(m), st.floats(1e-300, 1e-12))))
def test_no_tolerance_hides_a_difference(pair) -> None:
    """A float is the rational that it is: the smallest change of a weight that can matter is seen."""
    model, tiny = pair
    V = model.V
    changed = V.copy()
    changed[0, 0, 0] += tiny
    verdict = verify(model, Model.from_arrays(changed, model.Q))
    assert bool(verdict) == (changed[0, 0, 0] == V[0, 0, 0] or not model.Q[0].any())


@settings(max_examples=200)
@given(small, small)
def test_programs_are_compared_as_brute_force_compares_them(left: Automaton, right: Automaton) -> None:
    if set(left.alphabet) != set(right.alphabet):
        return
    verdict = verify(left, right)
    words = [(), *all_words(left.alphabet, LENGTH)]
    least = next((word for word in words if not left.run(word).agrees_with(right.run(word))), None)
    if verdict:
        assert least is None
    elif least is not None:
        assert verdict.counterexample.input == least
    else:
        word = verdict.counterexample.input
        assert not left.run(word).agrees_with(right.run(word))


@settings(max_examples=12, suppress_health_check=[HealthCheck.nested_given])
@given(small.flatmap(lambda p: st.tuples(st.just(p), mutants(compile(p)))))
def test_tested_finds_only_what_is_there(pair) -> None:
    program, mutant = pair
    verdict = verify(program, mutant, level="tested", up_to=6)
    if verdict.verdict == "refuted":
        word = verdict.counterexample.input
        assert len(word) <= 6
        try:
            assert list(mutant.run(word).tokens) != lower(program).trace(word)
        except ModelError as problem:
            assert "equally near" in str(problem)
    else:
        assert verdict.verdict == "undecided"
        assert verdict.lengths == 6


def test_a_model_of_other_coordinates_is_an_error_and_not_a_verdict() -> None:
    from compiler.language.load import load

    with pytest.raises(ModelError, match="not over the coordinates of automaton mod3"):
        verify(load("mod3"), compile(load("parity")))


NINE = ("a", "b", "c", "d", "e", "f", "g", "h", "i")
WORDS = {
    (1, 0): "one",
    (0, "1/2"): "half",
    ("1/2", 0): "+1/2 a",
    (3, -2): "+3 a -2 b",
    ("-1/3", 1): "-1/3 a +1 b",
    ("1/999", 0): "+1/999 a",
    ("1/1000", 0): "+0.001 a",
    (0, "-12345679/1000"): "-12345.7 b",
    (0,): "zero",
    (1,) * 8: "+1 a +1 b +1 c +1 d +1 e +1 f +1 g +1 h",
    (1,) * 9: "+1 a +1 b +1 c +1 d +1 e +1 f +1 g +1 h ...",
}


@pytest.mark.parametrize(("answer", "words"), WORDS.items(), ids=WORDS.values())
@pytest.mark.parametrize("more", [1, 7])
def test_answers_in_words(answer, words: str, more: int) -> None:
    tokens = {"one": np.array([1] + [0] * 8), "half": np.array([0, 0.5] + [0] * 7)}
    model = Model.from_arrays(np.zeros((1, 9, 9)), np.zeros((1, 9, 9)), coordinates=NINE, tokens=tokens)
    values = [Fraction(value) for value in answer]
    below = more * lcm(*(value.denominator for value in values))
    numerators = np.array([int(value * below) for value in values] + [0] * (9 - len(answer)), dtype=object)
    assert described(numerators, below, model) == words


def test_answers_that_read_the_same_are_told_apart_by_their_distance() -> None:
    model = Model.from_arrays(np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), coordinates=("a", "b"))
    one, near = np.array([5, 10**9], dtype=object), np.array([5 * 3 * 10**9, 3 * 10**18 - 6], dtype=object)
    assert parted(one, 10**9 + 1, near, 3 * 10**9 * (10**9 + 1), model)[1].endswith(" (differs by -2.000e-18 in b)")
    assert parted(near, 3 * 10**9 * (10**9 + 1), one, 10**9 + 1, model)[1].endswith(" (differs by 2.000e-18 in b)")
    first, second = parted(one, 10**9 + 1, near, 3 * 10**9 * (10**9 + 1), model)
    assert second.startswith(first)
    assert parted(one, 1, 2 * one, 1, model) == ("+5 a +1000000000 b", "+10 a +2000000000 b")
    with pytest.raises(ArithmeticError, match="does not replay"):
        parted(one, 3, 2 * one, 6, model)


@given(automata(max_states=3, max_letters=2), st.fractions(1, 3, max_denominator=4), st.integers(0, 99))
def test_what_is_replayed_is_the_answer_of_the_layer(program, factor, seed) -> None:
    """With embeddings that are fractions, and heads of several denominators."""
    rng = np.random.default_rng(seed)
    model = compile(program)
    V, Q = ((rng.integers(-3, 4, w.shape).astype(object) * Fraction(1, n)) for w, n in ((model.V, 2), (model.Q, 3)))
    tokens = {name: vector.astype(object) * factor for name, vector in model.tokens.items()}
    odd = Model.from_arrays(V, Q, coordinates=model.coordinates, tokens=tokens)
    graph = token_graph(embedded(lower(program), odd))
    word = [program.alphabet[n % len(program.alphabet)] for n in rng.integers(0, 9, 3)]
    numerators, below = replayed(graph, tuple(word), odd)
    z = np.stack([tokens[name] for name in lower(program).trace(word)[:-1]])
    expected = sum(v @ (z.T @ z) @ q @ z[-1] for v, q in zip(V, Q, strict=True))
    assert [Fraction(int(value), below) for value in numerators.tolist()] == expected.tolist()


def test_a_counterexample_shows_what_was_expected_what_was_got_and_where() -> None:
    from compiler.language.load import load

    program = load("parity")
    model = compile(program)
    V = model.V
    V[:, model.coordinates.index("state[even]"), model.coordinates.index("state[odd]")] *= 5
    wrong = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens, program=program)
    for first, expected in ((program, "odd -> even + accept"), (model, "odd -> even + accept")):
        found = verify(first, wrong, level="domain").counterexample
        assert (found.input, found.expected, found.at) == (("1", "1"), expected, "the answer to 1, token 4")
        assert found.got == "+1 reg +5 state[even] -1 state[odd] +1 accept"
