"""Real memories: linear attention itself, which answers arrays and has no words."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnc.storage import load as load_file
from attnc.storage import save
from compiler.errors import UnsupportedError
from compiler.language.load import load, parse
from compiler.program.memory import Memory
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.real_memory import real_memory_to_rules


@pytest.mark.parametrize(("n", "p"), [(1, 1), (2, 3), (3, 2), (16, 16)])
def test_one_head_that_takes_keys_and_gives_values(n, p) -> None:
    model = compile(Memory("m", n, p))
    assert model.coordinates == (*(f"key[{i}]" for i in range(n)), *(f"value[{a}]" for a in range(p)))
    V, Q = np.zeros((2, n + p, n + p))
    V[n:, n:], Q[:n, :n] = np.eye(p), np.eye(n)
    assert np.array_equal(model.V, [V])
    assert np.array_equal(model.Q, [Q])
    assert len(model.rules) == n * p


numbers = st.integers(-(2**40), 2**40)


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_answers_are_recalled_exactly_for_integers(n, p, data) -> None:
    program = Memory("m", n, p)
    rows = st.lists(st.lists(st.integers(-1000, 1000), min_size=n + p, max_size=n + p), max_size=6)
    pairs = np.array(data.draw(rows), dtype=np.int64).reshape(-1, n + p)
    query = data.draw(st.lists(st.integers(-1000, 1000), min_size=n, max_size=n))
    Z = np.vstack([pairs, [*query, *[0] * p]])
    answer = compile(program).answer(Z)
    assert answer.dtype == np.int64
    assert not answer[:n].any()
    assert np.array_equal(answer[n:], program.recall(pairs[:, :n], pairs[:, n:], query))
    assert np.array_equal(answer, lower(program).form.answer(Z.T @ Z, Z[-1]))


@given(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=5))
def test_large_integers_are_exact(rows) -> None:
    Z = np.array(rows, dtype=np.int64)
    answer = compile(Memory("m", 2, 1)).answer(Z)
    assert answer.tolist()[2] == sum((a * rows[-1][0] + b * rows[-1][1]) * v for a, b, v in rows)


def test_a_query_with_a_value_of_its_own_adds_the_self_term() -> None:
    model = compile(Memory("m", 2, 1))
    assert model.answer([[1, 0, 5], [3, 4, 0]]).tolist() == [0, 0, 15]
    assert model.answer([[1, 0, 5], [3, 4, 2]]).tolist() == [0, 0, 15 + 25 * 2]


def test_the_library_has_one() -> None:
    model = compile(load("vectors"))
    assert (model.d, len(model.heads), len(model.tokens)) == (32, 1, 0)
    Z = np.random.default_rng(0).normal(size=(9, 32))
    Z[-1, 16:] = 0
    assert np.abs(model.answer(Z)[16:] - load("vectors").recall(Z[:8, :16], Z[:8, 16:], Z[8, :16])).max() < 1e-12


def test_it_is_stored_and_loaded(tmp_path: Path) -> None:
    model = compile(load("vectors"))
    save(model, tmp_path / "m.safetensors")
    assert load_file(tmp_path / "m.safetensors").digest() == model.digest()


def test_it_has_no_words() -> None:
    program = load("vectors")
    model, lowering = compile(program), lower(program)
    with pytest.raises(UnsupportedError, match=r"no words: .* model\.answer\(Z\).* \(16 numbers\)"):
        model.run("1")
    zero = np.zeros(32)
    for refused in (
        lambda: lowering.items(),
        lambda: lowering.inputs(()),
        lambda: lowering.dialogue(()),
        lambda: lowering.trace(()),
        lambda: lowering.said(None, zero),
        lambda: lowering.outcome(zero),
    ):
        with pytest.raises(UnsupportedError, match="has no words"):
            refused()


def test_real_keys_are_not_embedded() -> None:
    program = parse("memory dense { keys real 16; values real 16; dimensions 32 seed 7 }")
    with pytest.raises(UnsupportedError, match="Leave `dimensions` out"):
        compile(program)
    with pytest.raises(UnsupportedError, match="named keys"):
        real_memory_to_rules(Memory("m", ("a",), ("b",)))
