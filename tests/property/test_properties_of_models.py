"""Properties decided on models, against brute force: every word up to a length, run by the layer itself."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import chain, product

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from perturbed import noisy

from compiler.errors import ModelError
from compiler.language.load import load, parse
from compiler.model import Model
from compiler.model_for_program import model_for_program
from compiler.program.automaton import Automaton
from compiler.program.properties import Property, least_violation
from compiler.program_to_model import compile
from verify import properties as decided
from verify.properties import READ, SAME
from verify.strategies import automata, disguises, mutants
from verify.verify import verify

LONGEST = 4
PROMISING = ("elevator", "traffic_light", "vending_machine", "no_two_alarms")


@st.composite
def promising(draw: st.DrawFn) -> Automaton:
    """An automaton with a property over what its runs show."""
    program = draw(automata(max_states=3, max_letters=2))
    shown = program.outputs if program.is_transducer else program.alphabet
    states = tuple(f"p{number}" for number in range(draw(st.integers(1, 3))))
    moves = {(q, s): draw(st.sampled_from(states)) for q in states for s in shown}
    accept = frozenset(q for q in states if draw(st.integers(0, 3)))
    claim = Property(draw(st.sampled_from(["always", "never"])), Automaton("p", shown, states, "p0", moves, accept))
    return replace(program, properties=(claim,))


def shown_exactly(model: Model, word: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Outputs and acceptance of a run by the definition of the layer, each exact answer fed back as it is."""
    exact = [[[Fraction(x) for x in row] for row in head.tolist()] for head in (*model.V, *model.Q)]
    V, Q = (np.array(each, dtype=object) for each in (exact[: len(model.V)], exact[len(model.V) :]))
    tokens = {name: np.array([Fraction(x) for x in vector.tolist()]) for name, vector in model.tokens.items()}
    memory = np.outer(tokens["start"], tokens["start"])
    said = [tokens["start"]]
    for symbol in word:
        last = tokens[symbol]
        memory = memory + np.outer(last, last)
        said.append(sum(v @ (memory @ (q @ last)) for v, q in zip(V, Q, strict=True)))
        memory = memory + np.outer(said[-1], said[-1])
    emits = [(n, name[5:-1]) for n, name in enumerate(model.coordinates) if name.startswith("emit[")]
    output = tuple(symbol for vector in said for n, symbol in emits if 2 * vector[n] > 1)
    return output, "accept" in model.coordinates and 2 * said[-1][model.coordinates.index("accept")] > 1


def violated(model: Model, program: Automaton, claim: Property, word: tuple[str, ...], *, exact: bool) -> bool:
    if exact:
        output, accepted = shown_exactly(model, word)
    else:
        run = model.run(word)
        output, accepted = run.output, run.outcome == "accepted"
    if not program.is_transducer and not accepted:
        return False
    read = claim.language.run(output if program.is_transducer else word)
    return (read.outcome == "accepted") != (claim.kind == "always")


def words(program: Automaton, longest: int):
    return chain.from_iterable(product(program.alphabet, repeat=length) for length in range(longest + 1))


def check(program: Automaton, model: Model) -> None:
    """Whatever the verdict says of a property is so, on all words up to a length and on the word that it shows."""
    found = verify(program, model)
    assert replace(found, properties=(), seconds=0, program="") == replace(
        verify(replace(program, properties=()), model), seconds=0, program=""
    )
    model = model_for_program(model, program)  # it is judged with the program's tokens, whatever it claims to be
    for claim, told in zip(program.properties, found.properties, strict=True):
        event(f"{told.verdict} {told.because[:30]}")
        exact = told.because == READ
        assert told.clause == str(claim)
        assert (told.word is not None, told.lengths is not None) == (
            told.verdict == "refuted",
            told.verdict == "proved",
        )
        assert told.verdict != "undecided" or found.lengths is None
        longest = {"proved": LONGEST, "refuted": len(told.word or ()), "undecided": -1}[told.verdict]
        if isinstance(told.lengths, int):
            longest = min(longest, told.lengths)
        for word in words(program, min(longest, LONGEST)):
            if word == told.word:
                break
            assert not violated(model, program, claim, word, exact=exact), word
        if told.word is not None:
            assert violated(model, program, claim, told.word, exact=exact)


@settings(max_examples=60)
@given(promising().flatmap(lambda p: st.tuples(st.just(p), disguises(compile(p)))))
def test_on_models_of_the_program(pair) -> None:
    program, model = pair
    check(program, model)
    (told,) = verify(program, model).properties
    assert (told.because, told.word) == (SAME, least_violation(program, program.properties[0]))


@settings(max_examples=150)
@given(promising().flatmap(lambda p: st.tuples(st.just(p), mutants(compile(p)))))
def test_on_mutants(pair) -> None:
    check(*pair)


@settings(max_examples=40)
@given(promising(), st.sampled_from([0.02, 0.1, 0.3]), st.integers(0, 99))
def test_on_models_with_noise(program: Automaton, size: float, seed: int) -> None:
    check(program, noisy(compile(program), size, seed))


@pytest.mark.parametrize("name", PROMISING)
def test_on_models_of_other_automata(name: str) -> None:
    """Each rule of a library program turned elsewhere: the property is decided on what the model runs then."""
    program = load(name)
    (claim,) = program.properties
    refuted = 0
    for move, target in product(program.transitions, program.states):
        if target == program.transitions[move]:
            continue
        changed = replace(program, transitions={**program.transitions, move: target})
        found = verify(program, compile(changed))
        if found.verdict == "proved":  # the nearest token is right all the same
            assert [(each.verdict, each.because) for each in found.properties] == [("proved", SAME)]
            continue
        word = least_violation(changed, claim)
        assert [each.word for each in found.properties] == [word]
        assert found.properties[0].because == READ
        assert found.properties[0].lengths == ("all" if word is None else None)
        refuted += word is not None
    assert refuted


@settings(max_examples=100)
@given(promising(), st.data())
def test_on_models_of_programs_with_one_rule_changed(program: Automaton, data) -> None:
    assume(program.transitions)
    move = data.draw(st.sampled_from(sorted(program.transitions)))
    target = data.draw(st.sampled_from(program.states))
    check(program, compile(replace(program, transitions={**program.transitions, move: target})))


LEVELS = ("everywhere", "domain", "decisions", "tested")


@pytest.mark.parametrize("level", LEVELS)
def test_properties_are_decided_at_every_level(level: str) -> None:
    program = load("elevator")
    (told,) = verify(program, compile(program), level=level).properties
    assert (told.verdict, told.lengths, told.because) == ("proved", "all", SAME)
    changed = replace(program, transitions={**program.transitions, ("floor1", "up"): "floor3"})
    (told,) = verify(program, compile(changed), level=level).properties
    assert (told.verdict, told.lengths, told.word) == ("refuted", None, ("up", "up"))
    near = noisy(compile(program), 0.01, 1)
    horizon = verify(program, near).lengths
    (told,) = verify(program, near, level=level).properties
    assert (told.verdict, told.lengths) == ("proved", horizon)


def test_layers_that_are_equal_do_not_speak_for_runs() -> None:
    """The start token says another floor than the answers do: no automaton, though the layers are equal."""
    program = load("elevator")
    model = compile(program)
    place = [model.coordinates.index(name) for name in ("emit[0]", "emit[3]")]
    start = model.tokens["start"].copy()
    start[place] = start[place[::-1]]
    other = replace(model, tokens={**model.tokens, "start": start})
    found = verify(program, other, level="everywhere")
    assert found.verdict == "proved"
    assert [each.verdict for each in found.properties] == ["undecided"]


def test_up_to_bounds_what_is_proved_of_decisions() -> None:
    program = load("elevator")
    near = noisy(compile(program), 0.01, 1)
    found = verify(program, near, up_to=5)
    assert (found.verdict, found.lengths, found.properties[0].lengths) == ("proved", 5, 5)
    wrong = parse(str(program).replace("never", "always"))
    assert verify(wrong, near, up_to=5).properties[0].word == ()


@given(promising(), st.integers(0, 4))
def test_what_is_violated_beyond_the_horizon_is_no_violation(program: Automaton, length: int) -> None:
    """A property that fails on a longer word says nothing of a model that is the program up to a length."""
    (claim,) = program.properties
    least = least_violation(program, claim)
    told = decided._up_to(program, claim, length)
    if least is None or len(least) > length:
        assert (told.verdict, told.lengths, told.word) == ("proved", length, None)
    else:
        assert (told.verdict, told.lengths, told.word) == ("refuted", None, least)


@pytest.mark.parametrize("length", [2, 3])
def test_a_property_that_fails_at_a_length_holds_below_it(length: int) -> None:
    states = ("p0", "p1", "p2", "p3")
    moves = {(p, "a"): q for p, q in zip(states, (*states[1:], "p3"), strict=True)}
    program = Automaton("chain", ("a",), states, "p0", moves, frozenset({"p3"}))
    claim = Property("never", replace(program, name="third"))
    assert least_violation(program, claim) == ("a",) * 3
    assert decided._up_to(program, claim, length).verdict == ("proved" if length < 3 else "refuted")


def test_what_is_neither_near_nor_an_automaton_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    program = load("elevator")
    near = noisy(compile(program), 0.01, 1)
    start = near.tokens["start"].astype(float)
    start[near.coordinates.index("emit[0]")] = 0.25
    (told,) = verify(program, replace(near, tokens={**near.tokens, "start": start})).properties
    assert (told.verdict, told.lengths, told.word) == ("undecided", None, None)
    assert "the token start has entries that are no integers" in told.because
    changed = replace(program, transitions={**program.transitions, ("floor1", "up"): "floor3"})
    monkeypatch.setattr(decided, "MOST_PRODUCTS", 10)
    (told,) = verify(program, compile(changed)).properties
    assert (told.verdict, told.lengths) == ("proved", 1)


def test_without_properties_nothing_is_said() -> None:
    assert verify(load("parity"), compile(load("parity"))).properties == ()
    with pytest.raises(ModelError):
        verify(load("elevator"), compile(load("parity")))
