"""A model is weights and embeddings: programs that walk alike and say other things are told apart."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.domain.token_graph import token_graph
from compiler.errors import DecompileError, ModelError
from compiler.language.load import load, parse
from compiler.model import Model
from compiler.model_for_program import model_for_program
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.vocabulary import Vocabulary
from verify.decompiled import decompile
from verify.strategies import automata, mutants
from verify.verify import verify
from verify.vocabulary import different_tokens, least_misread

TWO = """
automaton p { alphabet 0, 1; start accept state p { 0 -> p; 1 -> q }; state q { 0 -> q; 1 -> p } }
automaton q { alphabet 0, 1; accept state p { 0 -> p; 1 -> q }; start state q { 0 -> q; 1 -> p } }
automaton e { alphabet 0, 1; start accept state p { 0 -> q; 1 -> q }; state q { 0 -> q; 1 -> q } }
automaton f { alphabet 0, 1; start state p { 0 -> q; 1 -> q }; state q { 0 -> q; 1 -> q } }
automaton g { alphabet 0, 1; start state p emits x { 0 -> q; 1 -> q }; state q emits x { 0 -> q; 1 -> q } }
automaton h { alphabet 0, 1; start state p { 0 -> q emits x; 1 -> q emits x }; state q { 0, 1 -> q emits x } }
"""


@pytest.mark.parametrize(("one", "other"), ["pq", "ef", "gh"])
def test_programs_whose_layers_are_the_same_function_are_told_apart(one, other):
    left, right = parse(TWO, name=one), parse(TWO, name=other)
    a, b = compile(left), compile(right)
    for verdict in (verify(left, b), verify(right, a), verify(a, b), verify(left, right)):
        assert verdict.verdict == "refuted"
        assert verdict.counterexample.input == ()
    layers = verify(a, b, level="everywhere")
    assert layers.verdict == ("proved" if a.rules == b.rules else "refuted")
    if layers:
        assert any("'start'" in line for line in layers.assumptions)
    assert a.digest() != b.digest()


@settings(max_examples=60)
@given(automata(max_states=3, max_letters=2).flatmap(lambda p: st.tuples(st.just(p), st.permutations(p.states))))
def test_another_start_state_is_judged_as_the_programs_are(pair):
    program, order = pair
    other = replace(program, start=order[0])
    try:
        moved = compile(other)
        verdict = verify(program, moved)
    except ValueError as problem:
        assert "not over the coordinates" in str(problem)
        return
    runs = verify(program, other)
    assert runs or not verdict, "what is proved of the model holds for what it runs"
    if not runs:
        assert len(verdict.counterexample.input) <= len(runs.counterexample.input)


def with_tokens(model: Model, **changes: np.ndarray) -> Model:
    return replace(model, tokens=dict(model.tokens) | changes)


def test_exchanged_letters_are_another_program_and_decompile_as_it():
    program = load("parity")
    model = compile(program)
    swapped = replace(model, tokens=dict(model.tokens) | {"0": model.tokens["1"], "1": model.tokens["0"]})
    verdict = verify(program, swapped)
    assert verdict.verdict == "refuted"
    assert verdict.counterexample.input == ("0",)
    assert swapped.run("1").outcome == "accepted"
    zeros = decompile(swapped)
    assert isinstance(zeros, Automaton)
    assert zeros.run("0").outcome == "rejected"
    assert zeros.run("11").outcome == "accepted"


def test_a_start_token_that_is_lost_is_seen():
    program = load("divisible_by_7")
    model = compile(program)
    verdict = verify(program, with_tokens(model, start=np.zeros(model.d, dtype=np.int64)))
    assert verdict.verdict == "refuted"
    assert verdict.counterexample.input == ()


def test_embeddings_may_be_rational_and_scaled_with_the_weights():
    """Twice the embeddings, an eighth of the weights in each use of a token, times two: the same program."""
    program = load("parity")
    model = compile(program)
    doubled = {name: vector / 0.5 for name, vector in model.tokens.items()}
    scaled = Model.from_arrays(model.V / 4.0, model.Q, coordinates=model.coordinates, tokens=doubled, program=program)
    assert verify(program, scaled).level == "domain"
    assert scaled.run("0110").tokens == model.run("0110").tokens
    halved = {name: vector / 2 for name, vector in model.tokens.items()}
    halves = Model.from_arrays(4 * model.V, model.Q, coordinates=model.coordinates, tokens=halved, program=program)
    verdict = verify(program, halves)
    assert verdict.counterexample is not None, "an accept of one half says nothing"
    assert verdict.counterexample.input == ()
    states = "start reject state p emits x { 0, 1 -> q }; state q emits x { 0, 1 -> p }"
    wide = parse("automaton w { alphabet 0, 1; " + states + " }")
    plain = compile(wide)
    tripled = {name: vector * 1.5 for name, vector in plain.tokens.items()}
    scaled = Model.from_arrays(4 * plain.V / 9.0, plain.Q, coordinates=plain.coordinates, tokens=tripled, program=wide)
    assert verify(wide, scaled, level="domain").verdict == "refuted", (
        "4/9 is no float: the answers are not exactly the tokens"
    )
    ninths = np.vectorize(lambda entry: Fraction(int(entry) * 4, 9), otypes=[object])(plain.V)
    exact = Model.from_arrays(ninths, plain.Q, coordinates=plain.coordinates, tokens=tripled, program=wide)
    assert verify(wide, exact).level == "domain"
    broken = Model.from_arrays(model.V / 4.0, model.Q, coordinates=model.coordinates, program=program)
    assert verify(program, broken).verdict == "refuted"


def test_answers_that_never_say_accept_are_another_program() -> None:
    """Weights and embeddings agree with each other, and leave out what the program says."""
    program = load("parity")
    model = compile(program)
    accept = model.coordinates.index("accept")
    V = model.V
    V[:, accept] = 0
    silent = {name: np.where(np.arange(model.d) == accept, 0, vector) for name, vector in model.tokens.items()}
    silent["start"] = model.tokens["start"]
    mute = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=silent, program=program)
    verdict = verify(program, mute)
    assert verdict.verdict == "refuted"
    assert verdict.counterexample.input == ("0",)
    assert "says accept" in verdict.counterexample.expected


@pytest.mark.parametrize("level", ["foo", "Domain", "", 1])
def test_unknown_levels_are_refused(level):
    program = load("parity")
    with pytest.raises(TypeError, match="there is no level"):
        verify(program, compile(program), level=level)


@settings(max_examples=150)
@given(automata(max_states=3, max_letters=2), st.data())
def test_what_is_proved_of_any_corrupted_model_is_so_when_it_runs(program: Automaton, data: st.DataObject) -> None:
    """One weight and one embedding changed, exchanged or lost: the verdict against runs on all short words."""
    model = compile(program)
    if data.draw(st.booleans()):
        model = data.draw(mutants(model))
    tokens, names = dict(model.tokens), st.sampled_from(sorted(model.tokens))
    change = data.draw(st.sampled_from(["none", "exchange", "alter", "lose"]))
    first, second = data.draw(names), data.draw(names)
    if change == "exchange":
        tokens[first], tokens[second] = tokens[second], tokens[first]
    elif change == "alter":
        tokens[first] = tokens[first].copy()
        tokens[first][data.draw(st.integers(0, model.d - 1))] += data.draw(st.sampled_from([1, -1]))
    elif change == "lose":
        del tokens[first]
    changed = replace(model, tokens=tokens, program=None)
    words = [word for n in range(5) for word in product(program.alphabet, repeat=n)]
    if verify(program, changed):
        fitted = model_for_program(changed, program)
        assert all(fitted.run(word).agrees_with(program.run(word)) for word in words)
    try:
        read = decompile(changed)
        fitted = model_for_program(changed, read)
    except (DecompileError, ModelError):
        return
    assert all(fitted.run(word, decode="raw").agrees_with(read.run(word)) for word in words)


@given(st.lists(st.dictionaries(st.sampled_from("abcde"), st.sampled_from([-2, 1, 3]), max_size=4), max_size=5))
def test_named_tokens_and_their_pairs_are_those_of_the_vectors(listed):
    tokens = {str(number): entries for number, entries in enumerate(listed)}
    dense = {name: np.array([entries.get(c, 0) for c in "abcde"]) for name, entries in tokens.items()}
    made, expected = Vocabulary.named(tokens, "abcde"), Vocabulary.of(dense, 5)
    assert made.differing(expected) == []
    assert all(np.array_equal(made[name], vector) for name, vector in dense.items())
    held = {(b, c) for z in dense.values() for b, c in product(np.flatnonzero(z).tolist(), repeat=2) if b <= c}
    assert made.pairs().tolist() == [list(pair) for pair in sorted(held)]
    for name, vector in dense.items():
        assert int(name) in made.at(np.flatnonzero(vector))
        other = dense | {name: vector + 1}
        assert made.differing(Vocabulary.of(other, 5)) == [name]


def test_tokens_that_both_have_with_other_embeddings():
    left = {"a": np.array([1, 0]), "b": np.array([0, 1]), "c": np.array([1, 1])}
    right = {"b": np.array([0, 2]), "d": np.array([5, 5]), "a": np.array([1, 0])}
    wide = {name: np.array([*vector, 0]) for name, vector in left.items()}
    for make in (lambda tokens, _: tokens, Vocabulary.of):
        assert different_tokens(make(left, 2), make(right, 2)) == ["b"]
        assert different_tokens(make(right, 2), make(left, 2)) == ["b"]
        assert different_tokens(make(left, 2), make(left, 2)) == []
        assert different_tokens(make(left, 2), make(wide, 3)) == ["a", "b", "c"], "of other dimensions"


@settings(max_examples=60)
@given(automata(max_states=4, max_letters=2), st.data())
def test_the_least_word_that_is_misread(program, data):
    """Outputs of any tokens are changed; the least word comes by length, then by the alphabet."""
    lowering = lower(program)
    named = [
        place
        for place, name in enumerate(lowering.coordinates)
        if name in ("accept", "defined") or name.startswith("emit[")
    ]
    tokens = {name: lowering.tokens[name].copy() for name in lowering.tokens}
    for name in data.draw(st.lists(st.sampled_from(sorted({*lowering.start, *lowering.answers.values()})), max_size=2)):
        for place in named:
            tokens[name][place] = data.draw(st.integers(0, 1))
    other = replace(lowering, tokens=Vocabulary.of(tokens, lowering.tokens.d))

    def misread(word):
        last = lowering.trace(word)[-1]
        return any((lowering.tokens[last][place] > 0) != (tokens[last][place] > 0) for place in named)

    words = (word for length in range(5) for word in product(program.alphabet, repeat=length))
    first = next((word for word in words if misread(word)), None)
    found = least_misread(token_graph(lowering), lowering, other)
    assert found == first or (first is None and len(found) > 4)
