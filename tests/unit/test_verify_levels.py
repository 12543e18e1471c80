"""What levels say no to."""

from dataclasses import replace
from hashlib import sha256
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from compiler.errors import ModelError, UnsupportedError
from compiler.heads_to_rules import products
from compiler.language.load import load, parse
from compiler.model import Model
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify import program_and_model, two_models
from verify.verdict import EXACT, INDUCTION, OWN, RULES
from verify.verify import digest, verify


def changed(model: Model, *places: tuple[str, str, str, str], by: int = 1) -> Model:
    """The model with a rule (a; {b, c}; e) more for each of the places (a, b, c, e)."""
    at = {name: number for number, name in enumerate(model.coordinates)}
    V, Q = (np.concatenate([each, np.zeros((len(places), model.d, model.d), int)]) for each in (model.V, model.Q))
    for number, (a, b, c, e) in enumerate(places, len(model.V)):
        V[number, at[a], at[b]], Q[number, at[c], at[e]] = by, 1
    return Model.from_arrays(V, Q, coordinates=model.coordinates, tokens=model.tokens, program=model.program)


DEAD = ("accept", "reg", "reg", "accept")
"""No letter has the coordinate accept, so no last token brings this rule to bear."""


def test_decisions_are_those_of_a_program_and_a_model() -> None:
    model = compile(load("parity"))
    with pytest.raises(UnsupportedError, match="give the program"):
        verify(model, model, level="decisions")
    with pytest.raises(UnsupportedError, match="level domain"):
        verify(load("parity"), load("mod3"), level="decisions")


def test_what_cannot_be_compared_is_named() -> None:
    parity, increment = load("parity"), load("increment")
    with pytest.raises(UnsupportedError, match="compares automata with each other, not a machine and a automaton"):
        verify(increment, parity)
    learned = SimpleNamespace(model=compile(parity))
    with pytest.raises(UnsupportedError, match=r"not a SimpleNamespace; give its \.model"):
        verify(parity, learned)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match=r"not a int$"):
        verify(parity, 3)  # type: ignore[arg-type]
    for level, up_to in (("domain", 3), ("everywhere", 3), (None, 0), (None, 2.5)):
        with pytest.raises(UnsupportedError, match="a length of at least 1"):
            verify(parity, compile(parity), level=level, up_to=up_to)  # type: ignore[arg-type]


def test_what_is_expected_comes_first_and_a_program_before_a_model() -> None:
    parity = load("parity")
    other = replace(parity, name="other", start="odd")
    for first, second, expected in ((parity, other, "accepted"), (other, parity, "rejected")):
        shown = verify(first, second).counterexample
        assert shown is not None
        assert (shown.input, shown.expected) == ((), expected) != ((), shown.got)
    wrong = compile(other)
    one, two = verify(parity, wrong), verify(wrong, parity)
    assert replace(one, seconds=0) == replace(two, seconds=0)
    assert (one.program, one.model) == (digest(parity), digest(wrong))
    first, second = (changed(compile(parity), DEAD, by=by) for by in (1, 2))
    found = verify(first, second)
    assert (found.program, found.model) == (digest(first), digest(second))
    assert verify(first, second, level="everywhere").counterexample is not None


def test_two_models_that_differ_only_off_the_domain() -> None:
    model = compile(load("parity"))
    for found in (verify(model, changed(model, DEAD)), verify(model, model, level="domain")):
        assert (found.verdict, found.level, found.lengths) == ("proved", "domain", "all")
        assert found.assumptions[-1] == "the domain is that of automaton parity"
    assert verify(model, changed(model, DEAD), level="everywhere").verdict == "refuted"
    wrong = verify(model, changed(model, ("accept", "reg", "reg", "symbol[0]")))
    assert (wrong.verdict, wrong.level, wrong.lengths) == ("refuted", "domain", None)


def test_two_models_of_a_memory_are_compared_through_it() -> None:
    right = compile(load("capitals"))
    rule = right.rules.index[0].tolist()
    e, b, c, a = (right.coordinates[place] for place in rule)
    wrong = changed(right, (a, b, c, e), by=3)
    odd = dict(right.tokens)
    name = next(iter(odd))
    odd[name] = 2 * odd[name]
    unknown = replace(wrong, tokens=odd)
    for first, second in ((right, wrong), (wrong, right)):
        found = verify(first, second, level="domain")
        assert (found.verdict, found.level) == ("refuted", "domain")
        assert found.counterexample is not None
    for first, second in ((right, unknown), (unknown, right), (wrong, unknown), (wrong, wrong)):
        found = verify(first, second, level="domain")
        assert (found.verdict, found.level, found.counterexample) == ("undecided", "domain", None)
        assert found.assumptions[1] == "the models are compared through the program, and that does not decide them"
    found = verify(right, right, level="domain")
    assert (found.verdict, found.level) == ("proved", "domain")


def test_rules_are_all_that_counts_only_where_embeddings_are_the_programs() -> None:
    """The token of a state that no word leads to says something else: the domain is the same, the layers too."""
    text = "alphabet a; start accept state q { a -> q }; state alone { a -> alone }"
    program = parse(f"automaton two {{ {text} }}")
    model = compile(program)
    tokens = dict(model.tokens)
    lost = lower(program).answers["alone", "a"]
    tokens[lost] = 2 * tokens[lost]
    found = verify(program, replace(model, tokens=tokens))
    assert (found.verdict, found.level) == ("proved", "domain")
    layers = verify(program, replace(model, tokens=tokens), level="everywhere")
    assert layers.verdict == "proved"
    assert f"the embeddings of {lost!r} differ" in layers.assumptions[-1]


def test_what_is_tested_is_shown_where_it_parts() -> None:
    program = load("mod3")
    model = compile(program)
    swap = (("state[r1]", -1), ("state[r2]", 1))
    wrong = model
    for name, by in swap:
        wrong = changed(wrong, (name, "state[r1]", "reg", "symbol[0]"), by=by)
    found = verify(program, wrong, level="tested", up_to=4)
    assert found.verdict == "refuted"
    shown = found.counterexample
    assert shown is not None
    expected = lower(program).trace(shown.input)
    try:
        got = [*wrong.run(shown.input).tokens]
    except ValueError as problem:
        got = [str(problem)]
    place = int(shown.at.removeprefix("token "))
    assert (shown.expected, shown.got) == (expected[place], got[place])
    assert expected[:place] == got[:place]
    assert shown.expected != shown.got


def test_no_longer_words_are_tested_than_were_asked_for() -> None:
    """A model that is wrong from the third step on."""
    states = ("p0", "p1", "p2", "p3")
    moves = {(p, "a"): q for p, q in zip(states, (*states[1:], "p3"), strict=True)}
    program = Automaton("chain", ("a",), states, "p0", moves, frozenset({"p3"}))
    model = compile(program)
    V, place = model.V, {name: number for number, name in enumerate(model.coordinates)}
    V[:, place["state[p3]"], place["state[p2]"]] *= -3
    wrong = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens, program=program)
    short = verify(program, wrong, level="tested", up_to=2)
    assert (short.verdict, short.lengths) == ("undecided", 2)
    assert "of up to 2 symbols" in short.assumptions[0]
    assert verify(program, wrong, level="tested", up_to=3).verdict == "refuted"
    right = verify(program, model, level="tested")
    assert (right.verdict, right.lengths) == ("undecided", 50)


def test_a_real_input_shows_large_weights_exactly() -> None:
    one, other = (
        Model.from_arrays(np.array([[[weight]]], dtype=object), np.array([[[1]]])) for weight in (2**60, 2**60 + 1)
    )
    shown = verify(one, other, level="everywhere").counterexample
    assert shown is not None
    assert (shown.input, shown.at) == (((1,),), "the answer to token 0")
    assert (shown.expected, shown.got) == (f"+{2**60} x[0]", f"+{2**60 + 1} x[0]")


def test_models_with_too_many_rules_are_compared_by_their_weights_or_on_the_domain(monkeypatch) -> None:
    program = load("parity")
    model = compile(program)
    twice = Model(model.coordinates, (*model.heads, *model.heads, *model.heads), model.tokens, program)
    most = max(products(each.heads) for each in (model, twice)) - 1
    assert products(model.heads) <= most
    for module in (two_models, program_and_model):
        monkeypatch.setattr(module, "MOST_RULES", most)
    same = verify(twice, twice)
    assert (same.verdict, same.level, same.witness) == ("proved", "everywhere", ("the weights are identical",))
    assert same.assumptions == (EXACT, "the weights are identical")
    for pair in ((model, twice), (twice, model)):
        with pytest.raises(UnsupportedError, match="level everywhere lists up to"):
            verify(*pair, level="everywhere")
        found = verify(*pair)
        assert (found.verdict, found.level) == ("refuted", "domain")
        assert found.assumptions[:3] == (EXACT, INDUCTION, OWN)


@pytest.mark.parametrize("name", ["parity", "capitals"])
def test_what_verdicts_rest_on(name: str) -> None:
    """Each verdict on weights rests on exact arithmetic; on a domain, on induction over the steps of a run too."""
    program = load(name)
    model = compile(program)
    wrong = Model.from_arrays(2 * model.V, model.Q, coordinates=model.coordinates, tokens=model.tokens, program=program)
    for first, level, second in product((program, model), ("domain", "everywhere"), (model, wrong)):
        found = verify(first, second, level=level)
        proved = second is model
        assert (found.verdict, found.lengths) == (("proved", "all") if proved else ("refuted", None))
        assert (found.counterexample is None) == proved
        assert EXACT in found.assumptions
        if found.level == "domain":
            assert INDUCTION in found.assumptions or RULES in found.assumptions
            assert name != "parity" or OWN in found.assumptions
        assert 0 <= found.seconds < 600
        assert found.model == model.digest() if proved else found.model != model.digest()
    assert verify(program, model).assumptions == (EXACT, RULES)
    assert verify(program, model).program == sha256(str(program).encode()).hexdigest()


def test_why_two_models_are_not_compared() -> None:
    parity, mod3 = compile(load("parity")), compile(load("mod3"))
    with pytest.raises(ModelError, match="is only in one"):
        verify(parity, mod3)
    bare = replace(parity, program=None)
    for pair, level, why in (
        ((parity, parity), "tested", "are compared exactly, not tested"),
        ((bare, bare), "domain", "carry no program, so they have no domain"),
    ):
        with pytest.raises(UnsupportedError, match=why):
            verify(*pair, level=level)


def test_programs_are_said_to_be_compared_by_their_runs() -> None:
    program = load("parity")
    other = replace(program, accept=frozenset({"odd"}), examples=(), properties=())
    assert verify(program, program).assumptions == ("they are the same program",)
    assert verify(program, replace(program, name="other")).assumptions == (
        "outcome and output on every word, at every length",
    )
    assert verify(program, other).assumptions == ("outcome and output of the reference interpreter",)
    with pytest.raises(UnsupportedError, match="not at level everywhere"):
        verify(program, program, level="everywhere")


def test_tested_looks_at_how_runs_end_and_at_what_no_run_can_decide() -> None:
    program = load("parity")
    model = compile(program)
    loud = {name: np.array(vector) for name, vector in model.tokens.items()}
    loud["even -> odd"][model.coordinates.index("accept")] = 1
    found = verify(program, replace(model, tokens=loud), level="tested", up_to=3)
    assert (found.verdict, found.level) == ("refuted", "tested")
    assert found.counterexample is not None
    assert (found.counterexample.expected, found.counterexample.got) == ("rejected", "accepted")
    V = model.V.astype(float)
    V[0, model.coordinates.index("accept"), model.coordinates.index("state[even]")] = 0.5
    half = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens, program=program)
    tied = verify(program, half, level="tested", up_to=3)
    assert tied.counterexample is not None
    assert (tied.verdict, tied.counterexample.input) == ("refuted", ("0",))
    assert "equally near" in tied.counterexample.got


def test_no_word_that_does_not_fit_on_the_tape_is_tried() -> None:
    program = replace(load("increment"), cells=3, examples=())
    assert verify(program, compile(program), level="tested").verdict == "undecided"
