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

INCREMENT = replace(load("increment"), cells=2_000)


@pytest.mark.parametrize("program", [INCREMENT, replace(load("busy_beaver_5"), cells=13_000)], ids=["2,000", "13,000"])
def test_a_long_tape_is_read_back_and_proved(program):
    assert decompile(compile(program)) == program


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
