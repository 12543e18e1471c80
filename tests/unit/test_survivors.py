"""What a mutation of the code once survived: each test here fails when its check is taken out."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import given, settings
from hypothesis import strategies as st

import verify.same_on_domain as same_on_domain
from compiler.attention import Head, Sparse
from compiler.errors import DataError, DecompileError, ModelError
from compiler.language.load import load, parse
from compiler.learning import features
from compiler.learning.certificate import certify
from compiler.learning.elimination import eliminate, in_row_space
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.model_for_program import reordered
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.rules import Form
from compiler.rules_to_heads import rules_to_heads
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate, runs_to_data
from verify.decompiled import decompile
from verify.same_function import separating_input
from verify.strategies import automata, exchanged, rescaled, sheared
from verify.symmetry import _exchanged, _mixing
from verify.verify import verify


@settings(max_examples=60)
@given(automata(max_states=4).flatmap(lambda p: st.tuples(st.just(p), st.permutations(compile(p).coordinates))))
def test_models_in_another_order_of_coordinates(pair) -> None:
    program, order = pair
    model = compile(program)
    moved = reordered(model, tuple(order))
    assert all(
        np.array_equal(moved.tokens[n][order.index(c)], v[p])
        for n, v in model.tokens.items()
        for p, c in enumerate(model.coordinates)
    )
    assert verify(program, moved).level == "everywhere"
    assert verify(model, moved).level == "everywhere"
    assert decompile(replace(moved, program=None)).run("").outcome == program.run("").outcome
    if moved.coordinates != model.coordinates:
        with pytest.raises(ModelError, match="coordinates and tokens are not those"):
            moved.run(())
    V = moved.V
    V[0, order.index("reg"), order.index(f"state[{program.start}]")] += 1
    broken = Model.from_arrays(V, moved.Q, coordinates=order, tokens=moved.tokens)
    assert verify(program, broken, level="domain").verdict == "refuted" or not model.Q[0].any()


def test_everywhere_is_answered_at_its_level_also_when_the_domain_fails() -> None:
    program = load("parity")
    model = compile(program)
    wrong = Model.from_arrays(2 * model.V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    verdict = verify(program, wrong, level="everywhere")
    assert (verdict.verdict, verdict.level) == ("refuted", "everywhere")
    Z = np.array(verdict.counterexample.input)
    assert not np.array_equal(wrong.answer(Z), model.answer(Z))


def test_a_counterexample_that_does_not_replay_is_never_shown(monkeypatch) -> None:
    program = load("parity")
    model = compile(program)
    wrong = Model.from_arrays(2 * model.V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    monkeypatch.setattr(same_on_domain, "replayed", lambda graph, *_: (graph.lowering.tokens["stay + accept"], 1))
    with pytest.raises(ArithmeticError, match="does not replay"):
        verify(program, wrong, level="domain")


@pytest.mark.parametrize(
    ("coordinates", "rules"),
    [
        (("b", "e"), [("b", "b", "b", "e", 1), ("b", "b", "e", "b", -1)]),
        (("k", "z"), [("k", "k", "k", "z", 1), ("k", "z", "z", "z", -1)]),
        (("x", "y", "w"), [("x", "x", "y", "x", 1), ("x", "x", "x", "y", -1), ("x", "w", "w", "w", 1)]),
        (("x", "y"), [("x", "x", "y", "x", 1), ("x", "x", "x", "y", -1)]),
    ],
)
def test_forms_that_vanish_on_many_inputs_are_separated(coordinates, rules) -> None:
    form = Form.of(coordinates, rules)
    Z = separating_input(form)
    assert len(Z) <= 2
    assert form.answer(Z.T @ Z, Z[-1]).any()


def test_large_weights_that_nearly_cancel_are_separated() -> None:
    """2^60 + 1 and -2^60 on the same products: one token is enough, and floats would not see it."""
    rules = [("x", "y", "z", "x", 2**60 + 1), ("x", "x", "z", "y", -(2**60))]
    Z = separating_input(Form.of(("x", "y", "z"), rules))
    assert len(Z) == 1
    assert Z.all()


places = st.integers(0, 3)


@settings(max_examples=200)
@given(st.lists(st.tuples(places, places, places, places, st.sampled_from([-2, -1, 1])), min_size=1, max_size=4))
def test_forms_are_separated_with_last_tokens_that_ask(rules: list[tuple[int, ...]]) -> None:
    """The last token has only coordinates that some rule reads in it, and with any rule its negative for b and e."""
    for more in ([], [(b, e, c, a, -w) for e, b, c, a, w in rules[:1]]):
        index, weights = np.array([rule[:4] for rule in rules + more]), np.array([rule[4] for rule in rules + more])
        form = Form.canonical(tuple("xyzw"), index, weights)
        if not len(form):
            continue
        asking = set(form.index[:, 0].tolist())
        Z = separating_input(form, asking)
        assert form.answer(Z.T @ Z, Z[-1]).any()
        assert set(np.flatnonzero(Z[-1]).tolist()) <= asking
        assert len(Z) == 2 or np.abs(Z).max() <= 1
        tried = [place for place in asking if place in form.index[0, :3]]
        alone = np.zeros((3 ** len(tried), 4), dtype=int)
        alone[:, tried] = list(product((0, 1, -1), repeat=len(tried)))
        assert (len(Z) == 1) == any(form.answer(np.outer(z, z), z).any() for z in alone)


def test_row_space_is_proved_beyond_the_prime() -> None:
    """Modulo 2^61 - 1 the entry 2^61 is 1; over the integers it is not."""
    for row, wanted in (([1, 1], False), ([1, 2**61], True)):
        design = np.array([[1, 2**61]], dtype=object)
        found = eliminate(design.T @ design, np.zeros((2, 1), dtype=object), np.arange(2))
        assert in_row_space(found, np.array([row], dtype=object)).tolist() == [wanted]
    for row, wanted in (([1, 1, 3**30], False), ([1, 2**61, 3**30], True)):
        design = np.array([[1, 2**61, 3**30]], dtype=object)
        found = eliminate(design.T @ design, np.zeros((3, 1), dtype=object), np.arange(3))
        assert in_row_space(found, np.array([row], dtype=object)).tolist() == [wanted]
        assert fmpz_mat([*design.tolist(), row]).rank() == (1 if wanted else 2)


def test_what_is_undetermined_is_the_least_word() -> None:
    rules = "start accept state q { b -> r; a -> q }; state r { b -> q; a -> r }"
    program = parse("automaton a { alphabet b, a; " + rules + " }")
    data = runs_to_data(lower(program), [("b",)])
    assert certify(data, program).undetermined == ("a",)
    data = runs_to_data(lower(program), [("b",), ("a",)])
    assert certify(data, program).undetermined == ("b", "b")
    data = runs_to_data(lower(program), [("b", "b"), ("a",)])
    assert certify(data, program).undetermined == ("b", "a"), "before a, b in the order of this alphabet"


def test_learning_keeps_the_program_that_the_data_name_and_prefers_the_one_it_is_asked_for() -> None:
    program = load("parity")
    other = replace(program, start="odd")
    data = generate(program, certified=True)
    assert learn(data).model.program == program
    learned = learn(data, program=other)
    assert learned.model.program == other
    assert learned.model.tokens["start"].tolist() == compile(other).tokens["start"].tolist()


def test_data_that_do_not_fit_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(features, "MAX_CELLS", 50)
    with pytest.raises(DataError, match="pairs are more than this learner holds"):
        features.blocks_of(generate(load("mod3"), certified=True))
    dense = DataSet.of_arrays(np.ones((10, 1, 2), dtype=np.int64), np.ones((10, 2), dtype=np.int64))
    with pytest.raises(DataError, match="features are more than this learner holds"):
        learn(dense)


def test_witnesses_are_the_symmetry() -> None:
    model = compile(load("s3"))
    turned = Model(model.coordinates, (rescaled(model.heads[1], -3), model.heads[0]), model.tokens)
    assert verify(model, turned).witness == (
        "head 0 of the first is head 1 of the second",
        "head 1 of the first is head 0 of the second, V times -3 and Q divided by it",
    )
    mixed = sheared(model, 0, 1, 2)
    assert verify(model, mixed).witness[-2:] == ("  [1, 2]", "  [0, 1]")
    one = np.array([1])

    def unit(row, column) -> Sparse:
        return Sparse(np.array([row]), np.array([column]), one)

    nothing = Sparse(np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0, dtype=np.int64))
    a = Model(("x", "y"), (Head("a", unit(0, 0), unit(1, 1)), Head("b", unit(1, 0), nothing)))
    b = Model(("x", "y"), (Head("a", unit(0, 0), unit(1, 1)), Head("c", nothing, unit(0, 1))))
    shown = verify(a, b)
    assert shown.level == "everywhere"
    assert "M =" not in " ".join(shown.witness), "no invertible mixing takes one to the other"


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_a_mixing_is_found_and_exchanges_are_where_the_tensors_differ(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = (Model.from_arrays(*rng.integers(-3, 4, size=(2, 2, 3, 3))) for _ in range(2))
    one, other = (np.einsum("hab,hce->abce", model.V, model.Q) for model in (left, right))
    assert _exchanged(left, right) == [tuple(p) for p in np.argwhere(one != other).tolist() if p[1] < p[2]]
    M = np.array([[Fraction(1, 2), Fraction(1)], [Fraction(0), Fraction(3)]])
    turned = np.array([[Fraction(2), Fraction(0)], [Fraction(-2, 3), Fraction(1, 3)]])  # the inverse, transposed
    V, Q = (np.einsum("gh,hab->gab", m, w.astype(object)) for m, w in ((M, left.V), (turned, left.Q)))
    found = _mixing(left, Model.from_arrays(V, Q))
    if np.linalg.matrix_rank(left.V.reshape(2, -1)) == 2:
        assert found is not None
        assert np.array_equal(found, M)


def test_exchanges_are_counted_and_one_is_named() -> None:
    model = compile(load("parity"))
    tensors = []
    for number in range(len(model.rules)):
        other = exchanged(model, number)
        W, changed = (np.einsum("hab,hce->abce", each.V, each.Q) for each in (model, other))
        places = [place for place in np.argwhere(changed != W).tolist() if place[1] < place[2]]
        a, b, c, e = (model.coordinates[place] for place in places[0])
        wanted = f"in {len(places)} entries of W, such as W[{a}; {b}, {c}; {e}] and W[{a}; {c}, {b}; {e}]"
        assert verify(model, other).witness == (f"exchanges of b and c, which no input sees, {wanted}",)
        tensors.append(changed)
    assert not all(np.array_equal(tensors[0], each) for each in tensors)


def test_heads_are_the_same_in_whichever_order_their_entries_are_listed() -> None:
    model = Model.from_arrays(*np.random.default_rng(0).integers(1, 9, size=(2, 2, 3, 3)))
    turned = [
        Head(head.name, *(Sparse(m.rows[::-1], m.columns[::-1], m.weights[::-1]) for m in (head.V, head.Q)))
        for head in model.heads
    ]
    found = verify(model, Model(model.coordinates, (rescaled(turned[1], 2), turned[0]), model.tokens))
    assert found.witness == (
        "head 0 of the first is head 1 of the second",
        "head 1 of the first is head 0 of the second, V times 2 and Q divided by it",
    )


def test_folding_and_floats_keep_the_function() -> None:
    """A row that is twice another must not fold with a coefficient that is no sign; floats are never folded."""
    names = ("a", "b", "r", "s", "t", "u", "v")
    rules = [("a", "r", "s", e, 1) for e in "tuv"] + [("b", "r", "s", e, 2) for e in "tuv"]
    rules += [(name, "r", "r", e, k + 1) for k, (name, e) in enumerate(zip("abrs", "tuvt", strict=True))]
    for scale in (1, 0.1):
        form = Form.of(names, [(*rule[:4], rule[4] * scale) for rule in rules])
        model = Model(names, rules_to_heads(form))
        found, wanted = (
            {tuple(place): weight for place, weight in zip(each.index.tolist(), each.weights, strict=True)}
            for each in (model.rules, form)
        )
        assert found == pytest.approx(wanted)


def test_rows_in_a_fraction_of_another_do_not_fold() -> None:
    """The second row is half of the first: folding it by an integer coefficient would lose it."""
    rules = [
        (a, "r", "s", e, weight * k)
        for a, k in (("a", 2), ("b", 1))
        for e, weight in zip("tuv", (1, 2, 3), strict=True)
    ]
    form = Form.of("abrstuv", rules)
    heads = rules_to_heads(form)
    assert len(heads) == 2
    assert Model(tuple("abrstuv"), heads).rules == form


def test_a_tie_ends_a_run() -> None:
    model = compile(load("parity"))
    V = model.V.astype(float)
    V[0, model.coordinates.index("accept"), model.coordinates.index("state[even]")] = 0.5
    tied = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens, program=model.program)
    with pytest.raises(ModelError, match="equally near to the tokens"):
        tied.run("0")
    assert tied.run("1").outcome == "rejected"


def lying(name: str, **answers: dict[str, int]) -> Model:
    """A model of the program `name` in which some answers say more: {"state symbol": {coordinate: change}}."""
    program = load(name)
    model = compile(program)
    place = {coordinate: number for number, coordinate in enumerate(model.coordinates)}
    heads = list(model.heads)
    for where, changes in answers.items():
        state, symbol = where.split("__")
        q = Sparse(np.array([place["reg"]]), np.array([place[f"symbol[{symbol}]"]]), np.array([1]))
        rows = np.array([place[c] for c in changes])
        columns = np.full(len(rows), place[f"state[{state}]"])
        heads.append(Head(where, Sparse(rows, columns, np.array(list(changes.values()))), q))
    return Model(model.coordinates, tuple(heads), model.tokens)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lying("turnstile", locked__coin={"emit[turn]": 1}), "its outputs in a way"),
        (lying("turnstile", locked__coin={"emit[unlock]": -1}), "some transitions emit an output and some do not"),
        (lying("turnstile", locked__coin={"emit[unlock]": 1}), "in a way that no automaton has"),
        (lying("turnstile", locked__push={"symbol[coin]": 1}), "in a way that no automaton has"),
        (lying("mod3", r0__1={"reg": 1}), "does not have coordinate reg = 1"),
        (lying("mod3", r2__1={"accept": -1}), "on one way into it and not on another"),
        (lying("mod3", r1__1={"state[r0]": 1}), "changes the states by"),
    ],
)
def test_answers_of_no_automaton_are_refused(model, message) -> None:
    with pytest.raises(DecompileError, match=message):
        decompile(model)


def test_what_a_program_cannot_say_is_refused() -> None:
    turnstile = compile(load("turnstile"))
    start = turnstile.tokens["start"].copy()
    start[turnstile.coordinates.index("emit[unlock]")] = 1
    emits_first = replace(turnstile, tokens=dict(turnstile.tokens) | {"start": start}, program=None)
    with pytest.raises(DecompileError, match="the token start says what no automaton"):
        decompile(emits_first)
    parity = compile(load("parity"))
    for old, new in (("symbol[0]", "symbol[z, 0]"), ("symbol[0]", 'symbol["0"]'), ("state[odd]", 'state["]')):
        names = tuple(new if name == old else name for name in parity.coordinates)
        with pytest.raises(DecompileError, match="does not spell one name"):
            decompile(Model(names, parity.heads, parity.tokens))
    huge = parity.tokens["start"].astype(float) * 1e300
    with pytest.raises(DecompileError, match="no integers of reasonable size"):
        decompile(replace(parity, tokens=dict(parity.tokens) | {"start": huge}, program=None))


SINKS = """
automaton nothing { alphabet 0; start state sink { 0 -> sink } }
automaton starts { alphabet 0; start accept state sink { 0 -> q }; accept state q { 0 -> q } }
automaton leaves { alphabet 0, 1; start accept state q { 0 -> sink; 1 -> q }; state sink { 0 -> q; 1 -> sink } }
automaton loud { alphabet 0; start state q emits x { 0 -> sink }; state sink emits y { 0 -> sink } }
automaton kind { alphabet 0; start state q { 0 -> sink }; accept state sink { 0 -> sink } }
automaton gone { alphabet 0, 1; start accept state q { 0 -> q } }
automaton both { alphabet 0, 1; start accept state sink { 0 -> sink } }
"""


@pytest.mark.parametrize("name", ["nothing", "starts", "leaves", "loud", "kind", "gone", "both"])
def test_states_called_sink_are_read_as_what_they_are(name) -> None:
    program = parse(SINKS, name=name)
    assert decompile(replace(compile(program), program=None)).states == program.states
    assert verify(program, decompile(compile(program)))


def test_tested_looks_at_tokens_and_not_only_at_outcomes() -> None:
    """One wrong state that no outcome shows: both other states of mod3 reject."""
    program = load("mod3")
    model = compile(program)
    wrong = lying("mod3", r0__0={"state[r0]": -1, "state[r1]": 1, "accept": -1}, r1__0={"state[r1]": 0})
    verdict = verify(program, replace(wrong, program=program), level="tested", up_to=4)
    assert verdict.verdict == "refuted"
    swapped = lying("mod3", r1__0={"state[r1]": -1, "state[r2]": 1})
    assert verify(program, replace(swapped, program=program), level="tested", up_to=2).verdict == "refuted"
    assert verify(program, model, level="tested", up_to=3).verdict == "undecided"


def test_fractions_stay_fractions_through_the_layer() -> None:
    third = Model.from_arrays(np.array([[[Fraction(1, 3)]]], dtype=object), [[[3]]])
    assert third.exact
    assert third.answer([[2]]).tolist() == [8]
    assert third.step(None, [2])[1].tolist() == [8]
