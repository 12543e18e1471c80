"""Machines on thousands of cells: a question costs what tokens have, not all pairs of coordinates."""

from dataclasses import replace

import numpy as np
import pytest

from compiler.attention import Head, Sparse
from compiler.language.load import load
from compiler.program_to_model import compile
from compiler.runtime.recurrent import Recurrent
from compiler.runtime.sparse_recurrent import SparseRecurrent
from verify.decompiled import decompile
from verify.same_on_domain import described
from verify.verify import verify

INCREMENT = replace(load("increment"), cells=2_000)


def spoiled(model):
    """The model with the sign of every weight of one value matrix turned."""
    heads = list(model.heads)
    value = heads[0].V
    heads[0] = replace(heads[0], V=Sparse(value.rows, value.columns, -value.weights))
    return replace(model, heads=tuple(heads))


@pytest.mark.parametrize("program", [INCREMENT, replace(load("busy_beaver_5"), cells=13_000)], ids=["2,000", "13,000"])
def test_a_long_tape_is_read_back_and_proved(program):
    assert decompile(compile(program)) == program


def test_a_wrong_model_on_a_long_tape_is_refuted_on_the_shortest_input():
    found = verify(INCREMENT, spoiled(compile(INCREMENT)))
    short = replace(INCREMENT, cells=16)
    assert found.verdict == "refuted"
    assert found.counterexample.input == verify(short, spoiled(compile(short))).counterexample.input


def test_a_wrong_model_that_no_tried_input_shows_is_undecided_with_the_reason(monkeypatch):
    monkeypatch.setattr("verify.same_on_hulls.MOST_TURNS", 50_000)
    model = compile(INCREMENT)
    value = model.heads[0].V
    near = value.columns < model.d - 100
    kept = Sparse(value.rows[near], value.columns[near], value.weights[near])
    found = verify(INCREMENT, replace(model, heads=(replace(model.heads[0], V=kept), model.heads[1])))
    assert found.verdict == "undecided"
    assert "analysed up to 1,500; take it on fewer cells" in found.assumptions[-1]


def test_sparse_fast_weights_answer_as_all_of_them():
    random = np.random.default_rng(0)
    heads = [Head("h", *(Sparse.of(random.integers(-2, 3, (5, 5))) for _ in range(2))) for _ in range(3)]
    full, sparse = Recurrent(heads, np.zeros((5, 5), dtype=np.int64)), SparseRecurrent(heads)
    for _ in range(6):
        token = random.integers(-1, 2, 5)
        listed = {place: int(token[place]) for place in np.flatnonzero(token).tolist()}
        sparse.feed(listed)
        expected = full.feed(token)
        assert sparse.answer(listed) == {a: value for a, value in enumerate(expected.tolist()) if value}


def test_an_answer_is_described_as_the_token_that_it_is():
    model = compile(load("parity"))
    for name, vector in model.tokens.items():
        assert described(vector.astype(object) * 3, 3, model) == name
        assert described(vector.astype(object) * 2, 3, model) not in model.tokens
