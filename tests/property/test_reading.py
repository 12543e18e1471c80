"""Models that do not name their coordinates: their order and basis are found, checked, and nothing wrong passes."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from simulated_layers import in_another_basis, moved

from compiler.attention import Head, Sparse
from compiler.change_of_basis import basis, fractions
from compiler.coordinate_order import order_of
from compiler.errors import ModelError, TooLargeError
from compiler.language.load import load
from compiler.model import Model
from compiler.model_for_program import reordered
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.reading import read_as
from compiler.rules import Form
from verify.strategies import automata
from verify.verify import verify

PROGRAMS = ("parity", "mod3", "flip_flop", "turnstile", "capitals", "busy_beaver_2", "vectors", "a5")
SETTINGS = settings(max_examples=40, deadline=None)


def bare(model: Model) -> Model:
    return Model.from_arrays(model.V, model.Q)


def reflection(d: int, seed: int) -> Any:
    """A rational orthogonal matrix (d, d), its own inverse."""
    u = np.random.default_rng(seed).integers(-2, 3, d).astype(object)
    u[seed % d] = 1
    return np.eye(d, dtype=int).astype(object) - np.outer(u, u) * Fraction(2, int(u @ u))


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", [0, 1])
def test_any_order_is_found(name: str, seed: int) -> None:
    program = load(name)
    model = compile(program)
    shuffled = moved(model, np.random.default_rng(seed).permutation(model.d))
    for given_model in (bare(shuffled), shuffled):
        verdict = verify(program, given_model)
        assert verdict.verdict == "proved"
        assert verdict.level == ("domain" if name == "busy_beaver_2" else "everywhere")
        assert verdict.witness[0].endswith("this order makes its rules the program's:")
        assert len(verdict.witness) == model.d + 1
        assert verdict.model == given_model.digest()


@SETTINGS
@given(automata(), st.randoms(use_true_random=False))
def test_the_order_is_one(program: Any, random: Any) -> None:
    """The rules in the order that is said are the program's, coordinate by coordinate."""
    model = compile(program)
    place = list(range(model.d))
    random.shuffle(place)
    shuffled = bare(moved(model, np.array(place)))
    read, how = read_as(shuffled, program)
    assert read.rules == model.rules
    assert read.coordinates == model.coordinates
    if len(how) > 1:
        names = tuple(line.split(" is ", 1)[1] for line in how[1:])
        assert (
            Model.from_arrays(shuffled.V, shuffled.Q, coordinates=names).rules.reordered(model.coordinates)
            == model.rules
        )


@SETTINGS
@given(automata(max_states=3), st.integers(0, 1000), st.booleans())
def test_any_basis_is_found(program: Any, seed: int, angles: bool) -> None:
    model = compile(program)
    M = reflection(model.d, seed)
    inverse = M.T
    if not angles:
        shear = np.eye(model.d, dtype=int).astype(object)
        shear[0, -1] = Fraction(3, 2)
        M = M @ shear
        shear = shear.copy()
        shear[0, -1] = Fraction(-3, 2)
        inverse = shear @ inverse
    given_model = in_another_basis(model, M, inverse)
    verdict = verify(program, given_model)
    assert verdict.verdict == "proved"
    assert verdict.level in ("everywhere", "domain")


@SETTINGS
@given(automata(max_states=3), st.integers(0, 1000))
def test_a_map_keeps_answers(program: Any, seed: int) -> None:
    """A model and its reading answer alike, token by token, through the map that is found."""
    model = compile(program)
    M = reflection(model.d, seed)
    given_model = in_another_basis(model, M, M.T)
    shared = list(model.tokens)
    found = basis(*(np.stack([each.tokens[name] for name in shared]) for each in (model, given_model)))
    map_, inverse = fractions(found.map), fractions(found.inverse)
    assert (map_ @ inverse == np.eye(model.d)).all()
    assert found.similar
    assert (map_.T @ map_ == np.eye(model.d)).all() or found.rank < model.d
    Z = model.vocabulary.dense()[np.random.default_rng(seed).integers(0, len(shared), 5)]
    read = read_as(given_model, program).model
    assert (map_ @ read.answer(Z.astype(object)) == given_model.answer(Z.astype(object) @ map_.T)).all()


@SETTINGS
@given(automata(max_states=3), st.integers(0, 1000), st.data())
def test_a_changed_weight_is_refuted_in_any_basis(program: Any, seed: int, data: st.DataObject) -> None:
    """A weight that matters on the program's runs is refuted in its own coordinates, and so it is in others."""
    model = compile(program)
    V = model.V
    place = tuple(data.draw(st.integers(0, size - 1)) for size in V.shape)
    V[place] += 1
    wrong = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    assume(verify(program, wrong, level="domain").verdict == "refuted")
    M = reflection(model.d, seed)
    turned = verify(program, in_another_basis(wrong, M, M.T), level="domain")
    assert turned.verdict == "refuted"
    assert turned.counterexample is not None
    shuffled = moved(wrong, np.random.default_rng(seed).permutation(model.d))
    assert verify(program, shuffled, level="domain").verdict == "refuted"


@pytest.mark.parametrize("name", [*PROGRAMS, "s5", "locks", "mod15", "any_tiny"])
def test_the_program_s_own_order_is_found_first(name: str) -> None:
    """Also where the rules have symmetries, so that other orders would do."""
    program = load(name)
    verdict = verify(program, bare(compile(program)))
    assert verdict.verdict == "proved"
    assert len(verdict.witness) == 1
    assert verdict.witness[0].endswith("in the program's own order (in which its rules are the program's)")


def test_two_models_of_which_one_has_no_names() -> None:
    program = load("mod3")
    model = compile(program)
    other = bare(moved(model, np.random.default_rng(0).permutation(7)))
    for verdict in (verify(model, other), verify(other, model)):
        assert (verdict.verdict, verdict.level) == ("proved", "everywhere")
        assert verdict.witness[0].endswith("this order makes its rules the program's:")
        assert len(verdict.witness) > 8  # the order, then the symmetry of the heads
    V = other.V
    V[0, 0, 0] += 1
    assert verify(model, Model.from_arrays(V, other.Q)).verdict == "refuted"
    assert verify(other, other).verdict == "proved"
    with pytest.raises(ModelError, match="over different coordinates"):
        verify(replace(model, program=None), other)


def test_an_order_that_is_none_is_not_found() -> None:
    """Colours do not tell two triangles from a hexagon; only the search does."""
    names = tuple("abcdef")

    def ring(*rings: str) -> Form:
        return Form.of(
            names, [(x, y, y, y, 1) for each in rings for x, y in zip(each, each[1:] + each[0], strict=True)]
        )

    seen = [[()] * 6] * 2
    assert order_of((ring("abcdef"), 1), (ring("abc", "def"), 1), seen) is None
    found = order_of((ring("abcdef"), 1), (ring("acebdf"), 1), seen)
    assert found is not None
    assert {(found[n], found[(n + 1) % 6]) for n in range(6)} == {(0, 2), (2, 4), (4, 1), (1, 3), (3, 5), (5, 0)}
    assert order_of((ring("abcdef"), 1), (ring("abcdef"), 2), seen) is None
    assert order_of((ring("abcdef"), 1), (ring("abcdef"), 1), [[()] * 6, [()] * 5 + [(1,)]]) is None


@SETTINGS
@given(st.integers(2, 4), st.data())
def test_an_order_is_found_just_where_there_is_one(d: int, data: st.DataObject) -> None:
    """Against all permutations, on rules with many symmetries."""
    names = tuple("abcd"[:d])
    entry = st.tuples(*[st.sampled_from(names)] * 4, st.sampled_from([1, -1]))
    rules = [data.draw(st.lists(entry, min_size=1, max_size=5)) for _ in range(2)]
    if data.draw(st.booleans()):
        move = dict(zip(names, data.draw(st.permutations(names)), strict=True))
        rules[1] = [(*(move[x] for x in rule[:4]), rule[4]) for rule in rules[0]]
    left, right = (Form.of(names, each) for each in rules)
    found = order_of((left, 1), (right, 1), [[()] * d] * 2)

    def same(place: tuple[int, ...]) -> bool:
        return Form.canonical(names, np.array(place)[left.index], left.weights) == right

    assert (found is not None) == any(map(same, permutations(range(d))))
    assert found is None or same(tuple(found))


def test_a_search_that_is_too_long_is_given_up() -> None:
    """Unused coordinates are all alike, so none is tried in vain; rings of different lengths are."""
    names = tuple(map(str, range(400)))

    def rings(*sizes: int) -> Form:
        rules, first = [], 0
        for size in sizes:
            rules += [(names[first + n], *[names[first + (n + 1) % size]] * 3, 1) for n in range(size)]
            first += size
        return Form.of(names, rules)

    seen = [[()] * 400] * 2
    with pytest.raises(TooLargeError, match="given up"):
        order_of((rings(*[4] * 98, 8), 1), (rings(*[4] * 94, *[8] * 3), 1), seen)


@pytest.mark.parametrize(
    ("bound", "remark"),
    [
        ("MOST_COORDINATES", "with 6 coordinates and 10 products of weights no other order is searched for"),
        ("MOST_PRODUCTS", "with 6 coordinates and 10 products of weights no other order is searched for"),
        ("MOST_DIMENSIONS", "a basis of 6 dimensions is not searched for"),
    ],
)
def test_what_is_too_large_to_search_is_said(monkeypatch: pytest.MonkeyPatch, bound: str, remark: str) -> None:
    monkeypatch.setattr(f"compiler.reading.{bound}", 5)
    program = load("parity")
    model = compile(program)
    if bound == "MOST_DIMENSIONS":
        given_model = in_another_basis(model, reflection(6, 0), reflection(6, 0))
    else:
        given_model = bare(moved(model, np.arange(6)[::-1]))
    verdict = verify(program, given_model)
    assert verdict.verdict == ("proved" if bound == "MOST_DIMENSIONS" else "refuted")  # with embeddings, without a map
    assert remark in verdict.witness[0]


def test_embeddings_that_no_map_makes() -> None:
    model = compile(load("parity"))
    tokens = dict(model.tokens)
    tokens["0"] = tokens["1"]
    odd = Model.from_arrays(model.V, model.Q, tokens=tokens)
    verdict = verify(load("parity"), odd)
    assert verdict.verdict == "refuted"
    assert "no invertible linear map" in verdict.witness[0]
    tokens = dict(model.tokens)
    tokens["stay"] = tokens["stay"] + 1
    verdict = verify(load("parity"), Model.from_arrays(model.V, model.Q, tokens=tokens))
    assert verdict.verdict == "refuted"
    assert "no invertible linear map" in verdict.witness[0]
    with pytest.raises(ModelError, match="no invertible linear map"):
        basis(np.eye(2, dtype=int), np.ones((2, 2), dtype=int))


@pytest.mark.parametrize("name", list(compile(load("parity")).tokens))
def test_one_embedding_that_is_moved_is_not_overlooked(name: str) -> None:
    turned = in_another_basis(compile(load("parity")), reflection(6, 1), reflection(6, 1))
    moved_one = turned.tokens[name].copy()
    moved_one[2] += 1
    verdict = verify(load("parity"), replace(turned, tokens=dict(turned.tokens) | {name: moved_one}), level="domain")
    assert verdict.verdict == "refuted"
    independent = name in ("start", "0", "1")  # the other four are linearly dependent: two steps make two stays
    assert ("no invertible linear map" in verdict.witness[0]) is not independent


def test_embeddings_of_too_few_tokens_leave_the_basis_open() -> None:
    model = compile(load("parity"))
    turned = in_another_basis(model, reflection(6, 1), reflection(6, 1))
    some = {name: turned.tokens[name] for name in ("start", "0", "1")}
    verdict = verify(load("parity"), replace(turned, tokens=some))
    assert verdict.verdict == "refuted"
    assert "the embeddings leave the basis open: they span 3 of 6 dimensions of tokens" in verdict.witness[0]
    shuffled = moved(model, np.array([3, 1, 5, 0, 4, 2]))
    some = {name: shuffled.tokens[name] for name in ("start", "0", "1")}
    assert verify(load("parity"), replace(shuffled, tokens=some)).verdict == "proved"
    enough = {name: turned.tokens[name] for name in model.tokens if name != "odd -> even + accept"}
    assert verify(load("parity"), replace(turned, tokens=enough)).verdict == "proved"


def test_embeddings_of_the_program_leave_the_order_as_it_is() -> None:
    model = compile(load("parity"))
    near = Model.from_arrays(model.V * 1.01, model.Q, tokens=model.tokens)
    verdict = verify(load("parity"), near)
    assert verdict.level == "decisions"
    assert verdict.witness == (
        "the model names no coordinates; they are read in the program's own order (the embeddings are the program's)",
    )


def test_a_map_that_changes_angles_is_said_to() -> None:
    model = compile(load("parity"))
    stretch = np.diag([1, 1, 1, 2, 1, 1]).astype(object)
    half = np.diag([1, 1, 1, Fraction(1, 2), 1, 1]).astype(object)
    how = verify(load("parity"), in_another_basis(model, stretch, half)).witness
    assert "the map changes angles" in how[-1]
    assert "  coordinate 3 = 2 symbol[0]" in how
    flip_flop = compile(load("flip_flop"))
    how = verify(load("flip_flop"), in_another_basis(flip_flop, reflection(8, 3), reflection(8, 3))).witness
    assert how[-1] == "the tokens span 7 of 8 dimensions; beyond them the map is one of many"


def test_an_order_of_only_the_rules() -> None:
    """Heads of a machine are its rules on its runs alone; a model of just the rules has an order, too."""
    program = load("busy_beaver_2")
    form = lower(program).form
    heads = tuple(
        Head(str(rule), Sparse.of(_unit(form.d, a, b, weight)), Sparse.of(_unit(form.d, c, e, 1)))
        for (e, b, c, a), weight, rule in zip(form.index.tolist(), form.weights.tolist(), form, strict=True)
    )
    exact = Model(form.coordinates, heads)
    place = np.arange(form.d)[::-1]
    names = tuple(f"x[{n}]" for n in range(form.d))
    verdict = verify(program, replace(reordered(exact, form.coordinates[::-1]), coordinates=names))
    assert (verdict.verdict, verdict.level) == ("proved", "everywhere")
    assert f"  coordinate 0 is {form.coordinates[place[0]]}" in verdict.witness


def _unit(d: int, row: int, column: int, weight: int) -> Any:
    matrix = np.zeros((d, d), dtype=np.int64)
    matrix[row, column] = weight
    return matrix
