"""Few heads are the same function, never more than before, never fewer than the bound; disguises do not change them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import programs
from compiler.errors import ModelError, UnsupportedError
from compiler.few_heads import few_heads
from compiler.heads_to_rules import heads_to_rules
from compiler.language.load import load
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.noncommutative_rank import noncommutative_rank
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.random_model import random_model
from compiler.real_rules_to_few_heads import real_rules_to_few_heads, svd_heads
from compiler.rules import Form, exact_array
from compiler.rules_to_few_heads import FewHeads, independent, rank_bound, rules_to_few_heads
from compiler.rules_to_heads import rules_to_heads
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate
from verify.strategies import automata, disguises, models
from verify.verify import verify

NAMES = "rxyzw"
fractions = st.builds(Fraction, st.integers(-3, 3), st.integers(1, 3))


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Rules over few coordinates; half of them all read the register r."""
    coordinate = st.sampled_from(NAMES)
    reads = st.just("r") if draw(st.booleans()) else coordinate
    entries = draw(st.lists(st.tuples(coordinate, reads, coordinate, coordinate, fractions), max_size=30))
    return Form.of(NAMES, entries)


def difference(found: FewHeads, form: Form) -> Form:
    """The rules of heads less those of a form."""
    heads = Model(form.coordinates, found.heads).rules
    index, weights = np.concatenate([heads.index, form.index]), np.concatenate([heads.weights, -form.weights])
    return Form.canonical(form.coordinates, index, weights)


def distance(found: FewHeads, form: Form) -> float:
    """|p - p'| / |p|."""
    return float(np.linalg.norm(difference(found, form).weights) / np.linalg.norm(form.weights))


def lift_distance(found: FewHeads, form: Form) -> float:
    """The same of the symmetric lifts, in which pairs b < c count half."""
    sizes = [
        np.sum(np.square(each.weights) / np.where(each.index[:, 1] == each.index[:, 2], 1, 2))
        for each in (difference(found, form), form)
    ]
    return float(np.sqrt(sizes[0] / sizes[1]))


@settings(max_examples=300)
@given(forms())
def test_few_heads_are_the_rules(form: Form) -> None:
    found = rules_to_few_heads(form)
    model = Model(form.coordinates, found.heads)
    assert heads_to_rules(model.heads, model.coordinates) == form
    assert found.bound <= len(found.heads) <= len(rules_to_heads(form))
    assert (found.minimal == "proved") == (found.bound == len(found.heads))


@settings(max_examples=300)
@given(models(max_d=3, max_heads=3))
def test_no_model_has_fewer_heads_than_the_bound(model: Model) -> None:
    found = few_heads(model)
    assert found.bound <= len(found.heads) <= len(model.heads)
    assert Model(model.coordinates, found.heads).rules == model.rules
    assert rules_to_few_heads(model.rules).bound <= len(model.heads)


@given(automata(max_states=5, max_letters=5))
def test_automata_get_the_fewest(program: Automaton) -> None:
    model = compile(program)
    found = few_heads(model)
    assert found.minimal == "proved"
    assert Model(model.coordinates, found.heads).rules == model.rules


@pytest.mark.parametrize("name", [name for name in programs.names() if name != "any_champion"])
def test_the_library_has_the_fewest_by_default_but_for_one(name: str) -> None:
    model = compile(load(name))
    found = few_heads(model)
    assert found.minimal == "proved"
    assert len(found.heads) == (2 if name == "flip_flop" else len(model.heads))
    assert name == "flip_flop" or found.heads == model.heads


def test_histories_have_fewer() -> None:
    model = compile(load("times_3"), construction="history", bound=20)
    found = few_heads(model)
    assert (len(model.heads), len(found.heads), found.minimal) == (5, 4, "proved")
    assert Model(model.coordinates, found.heads).rules == model.rules


@settings(max_examples=50)
@given(automata(max_states=3, max_letters=3), st.data())
def test_disguises_do_not_change_the_number(program: Automaton, data: st.DataObject) -> None:
    model = compile(program)
    found = few_heads(data.draw(disguises(model)))
    assert (len(found.heads), found.minimal) == (len(few_heads(model).heads), "proved")
    assert Model(model.coordinates, found.heads).rules == model.rules


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.integers(0, 3), st.integers(0, 3))
def test_a_planted_mixture_is_found(seed: int, narrow: int, wide: int) -> None:
    random = np.random.default_rng(seed)
    left, right = random.integers(-1, 2, size=(20, narrow)), random.integers(-1, 2, size=(wide, 9))
    first, second = random.integers(-1, 2, size=(12, narrow, 9)), random.integers(-1, 2, size=(12, 20, wide))
    matrices = left @ first + second @ right
    found = noncommutative_rank(matrices)
    assert found.bound <= narrow + wide
    form = star(matrices)
    few = rules_to_few_heads(form)
    assert (len(few.heads), few.minimal) == (found.bound, "proved")
    assert heads_to_rules(few.heads, form.coordinates) == form


def star(matrices: np.ndarray) -> Form:
    """The rules that read a register r and one of as many leaves as there are matrices, a matrix a leaf."""
    leaves, answers, lasts = (
        [f"{kind}{n}" for n in range(size)] for kind, size in zip("cae", matrices.shape, strict=True)
    )
    rules = [
        (answers[a], "r", leaves[c], lasts[e], int(matrices[c, a, e])) for c, a, e in np.argwhere(matrices).tolist()
    ]
    return Form.of(("r", *leaves, *answers, *lasts), rules)


def test_a_mixture_has_fewer_heads_than_the_pure_placements() -> None:
    random = np.random.default_rng(0)
    left, right = random.integers(-1, 2, size=(20, 3)), random.integers(-1, 2, size=(2, 9))
    matrices = left @ random.integers(-1, 2, size=(20, 3, 9)) + random.integers(-1, 2, size=(20, 20, 2)) @ right
    in_q = np.linalg.matrix_rank(matrices.reshape(-1, 9))
    in_v = np.linalg.matrix_rank(matrices.transpose(1, 0, 2).reshape(20, -1))
    few = rules_to_few_heads(star(matrices))
    assert (in_q, in_v, len(few.heads), few.bound) == (9, 20, 5, 5)


def test_blow_ups_bound_what_no_combination_shows() -> None:
    """The 3 x 3 skew matrices: every combination has rank 2, and there are no two heads."""
    skew = np.zeros((3, 3, 3), dtype=np.int64)
    for n in range(3):
        skew[n, (n + 1) % 3, (n + 2) % 3], skew[n, (n + 2) % 3, (n + 1) % 3] = 1, -1
    few = rules_to_few_heads(star(skew))
    assert (rank_bound(few.heads, 10), few.bound, few.minimal) == (2, 3, "proved")


def test_squares_of_the_hub_are_not_counted_twice() -> None:
    """y = (r^2 / 2 + r x) z is one head; as the hub of its own square r would seem to need no more, or two."""
    form = Form.of("rxyz", [("y", "r", "r", "z", 1), ("y", "r", "x", "z", 2), ("x", "r", "x", "z", 1)])
    few = rules_to_few_heads(form)
    assert few.bound <= len(few.heads) == 1
    assert heads_to_rules(few.heads, form.coordinates) == form


def test_heads_whose_v_or_whose_q_depend_on_others_are_folded() -> None:
    one, two, three = np.random.default_rng(0).integers(-2, 3, size=(3, 4, 4))
    for V, Q in (([one, two, one + 2 * two], [two, one, three]), ([one, two, three], [three, 2 * three, one])):
        heads = Model.from_arrays(np.stack(V), np.stack(Q)).heads
        assert len(independent(heads)) == 2
        assert heads_to_rules(independent(heads), tuple("wxyz")) == heads_to_rules(heads, tuple("wxyz"))


def test_the_exact_way_refuses_floats() -> None:
    with pytest.raises(ModelError, match="real_rules_to_few_heads"):
        rules_to_few_heads(random_model(2, 1, seed=0).rules)


@pytest.mark.parametrize("d", [8, 16])
@pytest.mark.parametrize("heads", [1, 2, 3, 4, 6])
def test_a_teacher_gets_its_own_heads(d: int, heads: int) -> None:
    form = random_model(d, heads, seed=heads).rules
    found = real_rules_to_few_heads(form)
    assert (len(found.heads), found.bound, found.minimal) == (heads, heads, "proved")
    assert distance(found, form) < 1e-12


def test_more_heads_than_dimensions_are_found_and_not_proved() -> None:
    found = few_heads(random_model(6, 8, seed=0))
    assert (len(found.heads), found.bound, found.minimal) == (8, 6, "unknown")


@settings(max_examples=50)
@given(models(max_d=3, max_heads=3, exact=False))
def test_floats_keep_their_function_and_the_bound_holds(model: Model) -> None:
    found = few_heads(model)
    assert found.bound <= len(found.heads) <= len(model.heads)
    assert not len(model.rules) or distance(found, model.rules) < 2e-9


@pytest.mark.parametrize("seed", range(5))
def test_disguised_floats_have_as_many_heads(seed: int) -> None:
    random = np.random.default_rng(seed)
    teacher = random_model(6, 3, seed=seed)
    mixing = random.normal(size=(3, 3))
    V, Q = np.tensordot(mixing, teacher.V, 1), np.tensordot(np.linalg.inv(mixing).T, teacher.Q, 1)
    skew = random.normal(size=(2, 6, 6))
    V, Q = np.concatenate([V, V[:1], -V[:1]]), np.concatenate([Q, skew[:1], skew[:1]])
    found = few_heads(Model.from_arrays(V, Q))
    assert (len(found.heads), found.minimal) == (3, "proved")
    assert distance(found, teacher.rules) < 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_holds_for_all_models_within_the_tolerance(seed: int) -> None:
    """A third head that is smaller than the tolerance is not counted; where it is larger, two heads do not fit."""
    strong = random_model(6, 3, seed=seed)
    two = Model.from_arrays(strong.V[:2], strong.Q[:2])
    form = Model.from_arrays(strong.V * np.array([1, 1, 1e-4])[:, None, None], strong.Q).rules
    apart = lift_distance(FewHeads(two.heads, 0), form)
    within = real_rules_to_few_heads(form, tolerance=1.01 * apart)
    assert (len(within.heads), within.bound) == (2, 2)
    assert lift_distance(within, form) <= 1.01 * apart
    below = real_rules_to_few_heads(form, tolerance=0.5 * apart)
    assert len(below.heads) == 3
    assert lift_distance(below, form) <= 0.5 * apart
    assert real_rules_to_few_heads(form, tolerance=1e-3 * apart).bound == 3


def test_the_plain_decomposition_has_many() -> None:
    form = random_model(8, 1, seed=0).rules
    heads = svd_heads(form)
    assert len(heads) == 64
    assert distance(FewHeads(heads, 0), form) < 1e-13
    names = [f"x{n}" for n in range(120)]
    wide = Form.of(names, [(name, name, name, name, 1.0) for name in names])
    with pytest.raises(UnsupportedError, match="too large"):
        svd_heads(wide)


def dense(teacher: Model, samples: int, noise: float = 0.0) -> DataSet:
    random = np.random.default_rng(0)
    Z = random.normal(size=(samples, 6, teacher.d))
    Y = np.stack([teacher.answer(z) for z in Z])
    return DataSet.of_arrays(Z, Y + noise * random.normal(size=Y.shape))


@pytest.mark.parametrize("heads", [1, 2, 3, 4, 6])
def test_learned_teachers_get_their_own_heads(heads: int) -> None:
    teacher = random_model(8, heads, seed=heads)
    learned = learn(dense(teacher, 600), fewest="heads")
    assert (learned.report.heads, learned.report.fewest_bound, learned.report.minimal) == (heads, heads, "proved")
    assert distance(FewHeads(learned.model.heads, 0), teacher.rules) < 1e-11


@pytest.mark.parametrize("noise", [1e-4, 1e-2])
def test_noise_sets_the_tolerance_and_few_heads_remove_some_of_it(noise: float) -> None:
    teacher = random_model(8, 3, seed=0)
    data = dense(teacher, 600, noise)
    plain, few = learn(data), learn(data, fewest="heads")
    assert (plain.report.fewest_bound, plain.report.minimal, few.report.heads) == (None, None, 3)
    errors = [distance(FewHeads(each.model.heads, 0), teacher.rules) for each in (plain, few)]
    assert errors[1] < 0.7 * errors[0]


def test_exact_rules_are_learned_into_the_fewest_exactly() -> None:
    program = load("flip_flop")
    learned = learn(generate(program, certified=True), program=program, fewest="heads")
    report = learned.report
    assert (report.heads, report.fewest_bound, report.minimal, report.exact) == (2, 2, "proved", True)
    assert verify(program, learned.model).level == "everywhere"
    with pytest.raises(UnsupportedError, match="fewest='dimensions'"):
        learn(generate(program, certified=True), fewest="dimensions")  # type: ignore[arg-type]


def test_exact_arrays_stay_exact() -> None:
    form = Form.of("rxy", [("x", "r", "x", "y", Fraction(1, 3)), ("y", "r", "y", "y", Fraction(2, 3))])
    found = rules_to_few_heads(form)
    assert Model(form.coordinates, found.heads).exact
    assert exact_array(form.weights.tolist()).dtype == object
