"""What data leave open, shown: two models that fit them alike, and an input on which they differ."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import attnc
from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.witness import holds
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate

CASES = {
    "parity": {"count": 1, "lengths": (2, 2)},
    "mod3": {"count": 2, "lengths": (1, 3)},
    "s3": {"count": 1, "lengths": (4, 4)},
    "vending_machine": {"count": 2, "lengths": (2, 4)},
    "capitals": {"count": 3, "lengths": (2, 4)},
    "locks": {"count": 3, "lengths": (2, 4)},
    "any_tiny": {"count": 3, "lengths": (2, 4)},
    "any_dfa": {"count": 3, "lengths": (2, 4)},
}


def squares(model: attnc.Model, data: DataSet) -> object:
    """The exact sum of squared errors on the samples, by the definition."""
    total = 0
    V, Q = (matrix.astype(object) for matrix in (model.V, model.Q))
    for rows in data.sequences():
        z = data.tokens[rows].astype(object)
        for place in np.flatnonzero(data.supervised[rows]).tolist():
            S = z[: place + 1].T @ z[: place + 1]
            y = sum((v @ S @ q @ z[place] for v, q in zip(V, Q, strict=True)), np.zeros(data.d, dtype=object))
            total += int(np.sum((data.denominator * y - data.targets[rows][place].astype(object)) ** 2))
    return total


@pytest.mark.parametrize("name", CASES)
def test_two_models_fit_alike_and_differ(name: str) -> None:
    program = load(name)
    data = generate(program, **CASES[name], seed=1)  # type: ignore[arg-type]
    found = certify(data, program)
    assert not found.certified
    shown = found.witness
    assert shown is not None
    assert found.witness is shown
    first, second = shown.models
    assert first.rules != second.rules
    if data.d < 30:
        assert squares(first, data) == squares(second, data)
        answers = [model.answer(shown.tokens) for model in shown.models]
        assert [answer.tolist() for answer in answers] == [answer.tolist() for answer in shown.answers]
    assert holds(shown, data)
    assert shown.answers[0].tolist() != shown.answers[1].tolist()
    rules = {rule[:4]: rule.weight for rule in second.rules}
    before = {rule[:4]: rule.weight for rule in first.rules}
    assert rules.get(shown.rule[:4], 0) - before.get(shown.rule[:4], 0) == shown.rule.weight != 0


def test_machines_too() -> None:
    machine = load("increment")
    machine = replace(machine, cells=5, head=4, examples=())  # type: ignore[call-arg]
    data = generate(machine, count=2, lengths=(2, 3), seed=1)
    shown = certify(data, machine).witness
    assert shown is not None
    assert holds(shown, data)


def test_certified_data_leave_nothing_open() -> None:
    parity = load("parity")
    found = certify(generate(parity, certified=True), parity)
    assert found.certified
    assert found.witness is None


@given(st.data())
def test_a_witness_that_is_none_is_told(data: st.DataObject) -> None:
    parity = load("parity")
    drawn = generate(parity, count=1, lengths=(2, 2))
    shown = certify(drawn, parity).witness
    assert shown is not None
    assert holds(shown, drawn)
    more = generate(parity, certified=True)
    assert not holds(shown, more)
    same = replace(shown, models=(shown.models[0], shown.models[0]))
    assert not holds(same, drawn)
    place = data.draw(st.integers(0, drawn.d - 1))
    answers = shown.answers[0].copy()
    answers[place] += 1
    assert not holds(replace(shown, answers=(answers, shown.answers[1])), drawn)
