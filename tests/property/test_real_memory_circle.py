"""Real memories from program to weights and back: certified sets, exact learning, proofs, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import DataError, DecompileError
from compiler.heads_to_rules import products
from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.program.memory import Memory
from compiler.program_to_model import compile
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate
from compiler.traces.recall_tasks import key_value_task
from verify.decompiled import decompile
from verify.same_on_domain import described
from verify.verify import verify

sizes = st.integers(1, 4)


def without_sample(data: DataSet, number: int) -> DataSet:
    supervised = data.supervised.copy()
    supervised[np.flatnonzero(supervised)[number]] = False
    return replace(data, supervised=supervised)


def changed(model: Model, which: str, place: tuple[int, int, int], by: int) -> Model:
    weights = {"V": model.V.copy(), "Q": model.Q.copy()}
    weights[which][place] += by
    return Model.from_arrays(weights["V"], weights["Q"], coordinates=model.coordinates, program=model.program)


@settings(max_examples=15, deadline=None)
@given(sizes, sizes)
def test_the_circle(n, p) -> None:
    program = Memory("m", n, p, "sum")
    compiled = compile(program)
    data = generate(program, certified=True)
    certificate = certify(data, program)
    assert certificate.certified
    assert certificate.rank == certificate.span == data.samples == n * (n + p) * (n + p + 1) // 2
    learned = learn(data, program=program)
    assert (learned.report.exact, learned.report.certified) == (True, True)
    assert learned.model.rules == compiled.rules == compiled.live_rules
    assert verify(program, learned.model).level == "everywhere"
    assert decompile(learned.model) == program


@settings(max_examples=15, deadline=None)
@given(sizes, sizes, st.data())
def test_without_any_one_sample_a_certified_set_is_none(n, p, drawn) -> None:
    program = Memory("m", n, p, "sum")
    data = generate(program, certified=True)
    fewer = certify(without_sample(data, drawn.draw(st.integers(0, data.samples - 1))), program)
    assert not fewer.certified
    assert fewer.rank == fewer.span - 1
    assert fewer.undetermined
    assert fewer.undetermined[-1].startswith("key[")


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, st.sampled_from("VQ"), st.data())
def test_a_changed_weight_is_judged_by_what_it_does_to_queries(n, p, which, drawn) -> None:
    program = Memory("m", n, p, "sum")
    compiled = compile(program)
    row, column = (drawn.draw(st.integers(0, n + p - 1)) for _ in range(2))
    model = changed(compiled, which, (0, row, column), drawn.draw(st.sampled_from([-2, 1, 5])))
    verdict = verify(program, model)
    if which == "Q" and column >= n:
        assert (verdict.verdict, verdict.level) == ("proved", "domain")
        assert decompile(model) == program
        return
    assert (verdict.verdict, verdict.level) == ("refuted", "domain")
    assert verdict.counterexample is not None
    Z = np.array(verdict.counterexample.input)
    assert not Z[-1, n:].any()
    meant = program.recall(Z[:-1, :n], Z[:-1, n:], Z[-1, :n])
    assert not np.array_equal(model.answer(Z), [*[0] * n, *meant])
    assert verdict.counterexample.expected == described(np.array([*[0] * n, *meant]).astype(object), 1, model)
    assert verdict.counterexample.at == f"the answer to token {len(Z) - 1}, which asks"
    for e in range(p):
        more = verify(program, changed(model, "Q", (0, row, n + e), 1))
        assert more.verdict == "refuted", "rules that no query brings to bear change nothing"
    with pytest.raises(DecompileError, match="not proved to be what was read"):
        decompile(model)


def test_heads_with_too_many_products_are_left_undecided(monkeypatch) -> None:
    program = Memory("m", 2, 2, "sum")
    wrong = changed(compile(program), "V", (0, 0, 0), 1)
    monkeypatch.setattr("verify.same_on_vectors.MOST_RULES", products(wrong.heads))
    assert verify(program, wrong).verdict == "refuted"
    monkeypatch.setattr("verify.same_on_vectors.MOST_RULES", products(wrong.heads) - 1)
    found = verify(program, wrong)
    assert (found.verdict, found.level) == ("undecided", "domain")
    assert "products of weights" in found.assumptions[-1]


@given(sizes, sizes, st.integers(1, 5), st.integers(0, 3), st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_random_runs_are_runs_of_the_layer(n, p, least, more, seed) -> None:
    program = Memory("m", n, p, "sum")
    data = generate(program, count=4, lengths=(least, least + more), seed=seed)
    assert data.program == program
    model = compile(program)
    for rows in data.sequences():
        assert least + 1 <= rows.stop - rows.start <= least + more + 1
        assert data.supervised[rows].tolist() == [False] * (rows.stop - rows.start - 1) + [True]
        assert not data.tokens[rows][-1, n:].any()
        assert np.allclose(data.targets[rows][-1], model.answer(data.tokens[rows]), atol=1e-12)


def test_runs_of_one_length_are_the_key_value_task() -> None:
    task = key_value_task(keys=3, values=2, pairs=4, count=5, seed=9, self_term=False)
    data = generate(Memory("m", 3, 2), count=5, lengths=4, seed=9)
    assert np.array_equal(data.tokens, task.tokens)
    assert np.array_equal(data.targets, task.targets)


def test_integers_whose_query_has_a_value_certify_as_well() -> None:
    random = np.random.default_rng(0)
    tokens = random.integers(-3, 4, size=(60, 4, 3))
    program = Memory("m", 2, 1, "sum")
    model = compile(program)
    data = DataSet.of_arrays(tokens, np.stack([model.answer(each) for each in tokens]))
    assert certify(data, program).certified
    assert learn(data, program=program).model.rules == model.rules


def test_floats_are_learned_but_not_certified() -> None:
    program = Memory("m", 2, 1, "sum")
    data = generate(program, count=100, lengths=(3, 6))
    with pytest.raises(DataError, match="exact and takes integer tokens"):
        certify(data, program)
    learned = learn(data, program=program)
    assert learned.report.certified is False
    assert learned.report.residual < 1e-10


def test_a_model_without_a_claim_is_read_by_its_coordinates() -> None:
    model = compile(load("vectors"))
    assert decompile(replace(model, program=None)) == Memory("decompiled", 16, 16, "sum")
    backwards = Model.from_arrays(
        model.V[:, ::-1, ::-1], model.Q[:, ::-1, ::-1], coordinates=model.coordinates[::-1], program=model.program
    )
    assert decompile(backwards) == load("vectors")
