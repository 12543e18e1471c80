"""Memories in few dimensions from program to weights and back, on exact raw answers; and what is refused."""

from dataclasses import replace
from fractions import Fraction
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.domain.dense_memory_span import spanning_runs
from compiler.errors import DataError, DecompileError
from compiler.files.data_file import load_data, save_data
from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.program.memory import Memory
from compiler.program_to_model import compile
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lower import lower
from compiler.rules import Form
from compiler.spans import Span
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate, runs_to_data
from compiler.traces.spanning import configurations
from verify import same_on_dense
from verify.decompiled import decompile
from verify.same_on_domain import described
from verify.same_on_hulls import words_of
from verify.verdict import Verdict
from verify.verify import verify

WRITES = ("latest", "first", "sum")


@st.composite
def dense(draw):
    keys, values = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    d = draw(st.integers(2, 4))
    write = draw(st.sampled_from(WRITES))
    names = tuple(f"k{n}" for n in range(keys)), tuple(f"v{n}" for n in range(values))
    stored = (("k0", "v0"),) if draw(st.booleans()) else ()
    return Memory("m", *names, write, stored, d, draw(st.integers(0, 3)))


@settings(max_examples=12, deadline=None)
@given(dense(), st.data())
def test_the_circle(program, drawn) -> None:
    data = generate(program, certified=True)
    certificate = certify(data, program)
    assert certificate.certified
    assert certificate.rank == certificate.span <= data.samples
    learned = learn(data, program=program)
    assert (learned.report.exact, learned.report.certified) == (True, True)
    assert verify(program, learned.model).verdict == "proved"
    assert decompile(learned.model) == program
    fewer = replace(data, supervised=data.supervised & (np.arange(len(data.tokens)) < data.offsets[-2]))
    if fewer.samples:
        shorter = certify(fewer, program)
        assert not shorter.certified
        assert shorter.undetermined
    bad = mutated(compile(program), drawn.draw(st.integers(0, 200)))
    verdict = verify(program, bad)
    assert verdict.verdict == ("proved" if same_on_spanning_runs(program, bad) else "refuted")
    if verdict.verdict == "refuted":
        check_counterexample(program, bad, verdict)


@settings(max_examples=40, deadline=None)
@given(dense(), st.data())
def test_the_first_run_on_which_rules_answer_anything(program, drawn) -> None:
    """By the form's own answers, question by question."""
    lowering = lower(program)
    size = lowering.form.d
    place = st.integers(0, size - 1)
    listed = drawn.draw(st.lists(st.tuples(place, place, place, place, st.integers(-2, 2)), min_size=1, max_size=4))
    index, weights = np.array([rule[:4] for rule in listed]), np.array([rule[4] for rule in listed])
    rest = Form.canonical(lowering.form.coordinates, index, weights)
    if not len(rest):
        return
    runs = [(tuple(word), list(lowering.dialogue(word))) for word in islice(words_of(lowering), 30)]

    def first():
        for word, turns in runs:
            z = lowering.tokens.dense(lowering.tokens.numbers[name] for name, _ in turns)
            for at, (_, answer) in enumerate(turns):
                if answer is not None and rest.answer(z[: at + 1].T @ z[: at + 1], z[at]).any():
                    return word, turns[: at + 1]
        return None

    assert same_on_dense._differing(lowering, rest, iter(runs)) == first()


def test_what_no_short_run_shows_is_refuted_by_runs_that_span(monkeypatch) -> None:
    program = Memory("m", ("k0", "k1"), ("v0", "v1"), "latest", (), 3, 0)
    wrong = mutated(compile(program), 3)
    short = verify(program, wrong)
    assert short.verdict == "refuted"
    check_counterexample(program, wrong, short)
    monkeypatch.setattr(same_on_dense, "MOST_WORDS", 0)
    found = verify(program, wrong)
    assert found.verdict == "refuted"
    check_counterexample(program, wrong, found)


def check_counterexample(program: Memory, model: Model, verdict: Verdict) -> None:
    """At its last token both answer what is said, each by the definition of the layer, and at no question before."""
    assert verdict.level == "domain"
    shown, lowering = verdict.counterexample, lower(program)
    assert shown is not None
    items = [tuple(item.split(" = ")) if " = " in item else item for item in shown.input]
    turns, place = list(lowering.dialogue(items)), int(shown.at.rpartition(" ")[2])
    assert shown.at == f"the answer to {turns[place][0]}, token {place}"
    Z = np.stack([lowering.tokens[name] for name, _ in turns[: place + 1]])
    expected, got = compile(program).answers(Z), model.answers(Z)
    differs = [(a != b).any() and answer is not None for a, b, (_, answer) in zip(expected, got, turns, strict=False)]
    assert np.flatnonzero(differs).tolist() == [place]
    for text, answers in ((shown.expected, expected), (shown.got, got)):
        assert text == described(np.array([round(144 * x) for x in answers[-1]], dtype=object), 144, model)


def mutated(model: Model, number: int) -> Model:
    """The model with one weight doubled."""
    V, Q = model.V.astype(object), model.Q.astype(object)
    places = [(w, tuple(p)) for w in (V, Q) for p in np.argwhere(w != 0).tolist()]
    weights, place = places[number % len(places)]
    weights[place] *= 2
    return Model.from_arrays(V, Q, coordinates=model.coordinates, tokens=model.tokens, program=model.program)


def same_on_spanning_runs(program: Memory, model: Model) -> bool:
    lowering, compiled = lower(program), compile(program)
    assert isinstance(lowering, LoweredDenseMemory)
    for _, turns in spanning_runs(lowering):
        Z = np.stack([lowering.tokens[name] for name, _ in turns])
        asked = [answer is not None for _, answer in turns]
        if np.any(model.answers(Z)[asked] != compiled.answers(Z)[asked]):
            return False
    return True


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("stored", [(), (("b", "y"),)])
def test_no_run_leaves_what_the_spanning_runs_span(write, stored) -> None:
    """All words of up to four requests against the closed form."""
    program = Memory("m", ("a", "b"), ("x", "y"), write, stored, 3, 2)
    lowering = lower(program)
    assert isinstance(lowering, LoweredDenseMemory)
    rows, _ = configurations(generate(program, certified=True))
    span = Span(rows.shape[1])
    for row in rows:
        span.add(row)
    items = list(dict.fromkeys(lowering.items()))
    words = list(product(items, repeat=4))
    for begin in range(0, len(words), 200):
        shown, _ = configurations(runs_to_data(lowering, words[begin : begin + 200]))
        assert not span.rests(shown).any()


@settings(max_examples=10, deadline=None)
@given(dense(), st.integers(0, 100))
def test_targets_are_the_exact_answers_of_the_layer(program, seed) -> None:
    data, model = generate(program, count=3, lengths=(1, 8), seed=seed), compile(program)
    assert data.denominator in (1, program.dimensions)
    for rows in data.sequences():
        answers = model.answers(data.tokens[rows])[data.supervised[rows]]
        wanted = data.targets[rows][data.supervised[rows]]
        assert np.array_equal(answers * data.denominator, wanted)


def test_decoded_targets_are_not_learned_exactly_where_raw_ones_are() -> None:
    """Four keys in two dimensions: which key is asked for has rank 4, and what a layer can tell of it rank 2."""
    lowering = lower(Memory("m", tuple("abcd"), ("x",), dimensions=2))
    words = [[(key, "x"), asked] for key in "abcd" for asked in "abcd"]
    raw = runs_to_data(lowering, words)
    zero = np.zeros(lowering.form.d, dtype=np.int64)
    answers = [answer for word in words for _, answer in lowering.dialogue(word)]
    decoded = np.stack([zero if answer is None else lowering.answer_vector(answer) for answer in answers])
    assert learn(raw).report.exact
    assert not learn(replace(raw, targets=decoded, denominator=1)).report.exact


def test_a_denominator_divides_what_is_learned() -> None:
    data = DataSet.of_arrays([[[1]], [[2]]], [[3], [24]])
    learned = learn(replace(data, denominator=6))
    assert learned.model.rules.weights.tolist() == [Fraction(1, 2)]
    assert learned.report.exact
    wrong = replace(DataSet.of_arrays([[[1]], [[1]]], [[0], [2]]), denominator=2)
    assert learn(wrong).report.residual == pytest.approx(0.5)


@pytest.mark.parametrize("below", [0, -1, True, 1.0, 2**31])
def test_bad_denominators_are_refused(below) -> None:
    with pytest.raises(DataError, match="expected a whole number from 1"):
        replace(DataSet.of_arrays([[[1]]], [[1]]), denominator=below)
    with pytest.raises(DataError, match="is for integer targets"):
        replace(DataSet.of_arrays([[[1.5]]], [[1.5]]), denominator=2)


def test_without_a_claim_it_says_what_cannot_be_read() -> None:
    model = compile(load("dense_capitals"))
    with pytest.raises(DecompileError, match="neither the names of the keys nor the seed"):
        decompile(replace(model, program=None))
    with pytest.raises(DecompileError, match="not proved to be what was read"):
        decompile(mutated(model, 7))


def test_the_denominator_is_stored(tmp_path: Path) -> None:
    data = generate(Memory("m", ("a", "b"), ("x",), dimensions=3), count=3, lengths=4)
    save_data(data, tmp_path / "d.npz")
    loaded = load_data(tmp_path / "d.npz")
    assert (loaded.denominator, loaded.program) == (3, data.program)
    assert np.array_equal(loaded.targets, data.targets)
    save_data(replace(data, denominator=1), tmp_path / "one.npz")
    assert "denominator" not in np.load(tmp_path / "one.npz").files


@pytest.mark.parametrize("below", [0, -3, 1.5, True, [2], "2", 2**40])
def test_files_with_bad_denominators_are_refused(below, tmp_path: Path) -> None:
    arrays = {"tokens": [[1]], "targets": [[1]], "denominator": np.array(below)}
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError, match="denominator"):
        load_data(tmp_path / "d.npz")
