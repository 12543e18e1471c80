"""Uncertified data: two models that fit them alike differ on an input; every claim of the witness is checked anew."""

from dataclasses import replace

import numpy as np
import pytest

from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.learn import learn
from compiler.learning.witness import holds
from compiler.rules import Form
from compiler.rules_to_heads import rules_to_heads
from compiler.traces.program_to_traces import generate

FEW = {
    "parity": {},
    "s3": {},
    "shuffle_dyck": {},
    "flip_flop": {},
    "capitals": {},
    "votes": {},
    "reservations": {},
    "increment": {"cells": 4, "head": 0},
    "any_dfa": {"states": 2, "symbols": 2},
}


def few(name, lengths=(3, 3)):
    program = replace(load(name), **FEW[name])
    return program, generate(program, count=2, lengths=lengths)


def squared(form, data):
    """The sum of squared errors of rules on data, from the definition, in Python's integers."""
    total = 0
    for part in data.sequences():
        z = data.tokens[part].astype(object)
        for place in np.flatnonzero(data.supervised[part]):
            seen = z[: place + 1]
            error = form.answer(seen.T @ seen, z[place]) - data.targets[part][place]
            total += sum(value * value for value in error.tolist())
    return total


@pytest.mark.parametrize("name", FEW)
def test_two_models_fit_alike_and_differ(name):
    program, data = few(name)
    certificate = certify(data, program)
    assert not certificate.certified
    found = certificate.witness
    first, second = found.models
    assert first.rules == learn(data, program=program).model.rules
    assert squared(first.rules, data) == squared(second.rules, data)
    z = found.tokens.astype(object)
    answers = [model.rules.answer(z.T @ z, z[-1]) for model in found.models]
    assert not np.array_equal(*answers)
    assert all(map(np.array_equal, answers, found.answers))
    names = first.coordinates
    apart = {rule[:4]: rule.weight for rule in second.rules}
    place = found.rule[:4]
    weights = [{rule[:4]: rule.weight for rule in model.rules}.get(place, 0) for model in found.models]
    assert apart.get(place, 0) - weights[0] == found.rule.weight != 0
    assert set(place) <= set(names)


def test_the_dense_and_the_real_memory_have_witnesses():
    vectors = replace(load("vectors"), keys=2, values=2)
    data = generate(vectors, certified=True)
    rows = np.flatnonzero(data.supervised)
    supervised = data.supervised.copy()
    supervised[rows[len(rows) // 2 :]] = False
    found = certify(replace(data, supervised=supervised), vectors).witness
    assert holds(found, replace(data, supervised=supervised))
    assert not holds(found, data), "the full set is certified: nothing fits it alike and differs"


def test_a_rule_that_samples_read_is_no_witness():
    program, data = few("parity")
    found = certify(data, program).witness
    first, second = found.models
    rules = Form.of(first.coordinates, [*second.rules, next(iter(first.rules))])
    worse = replace(second, heads=rules_to_heads(rules))
    assert not holds(replace(found, models=(first, worse)), data)
    assert not holds(replace(found, models=(first, first)), data)
    assert not holds(replace(found, models=(first, first), answers=(found.answers[0],) * 2), data)


def test_certified_data_have_none():
    program = load("parity")
    certificate = certify(generate(program, certified=True), program)
    assert certificate.certified
    assert certificate.witness is None


def test_what_other_questions_show_is_not_called_undetermined():
    """Counts that one question does not show, and rules that it has from others: no two models differ."""
    program = load("capitals")
    data = generate(program, certified=True)
    rows = np.flatnonzero(data.supervised)
    supervised = data.supervised.copy()
    supervised[rows[-1]] = False
    certificate = certify(replace(data, supervised=supervised), program)
    assert (certificate.certified, certificate.witness) == (False, None)
    assert certificate.undetermined is not None


@pytest.mark.parametrize("name", ["parity", "s3", "mod5", "flip_flop", "divide_by_3"])
def test_one_sample_less_than_certified_has_a_witness_of_several_rules(name):
    program = load(name)
    data = generate(program, certified=True)
    rows = np.flatnonzero(data.supervised)
    supervised = data.supervised.copy()
    supervised[rows[-1]] = False
    less = replace(data, supervised=supervised)
    found = certify(less, program).witness
    assert holds(found, less)
    assert not holds(found, data), "the sample that was left out tells the two apart"
