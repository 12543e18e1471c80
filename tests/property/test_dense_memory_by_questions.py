"""Memories in few dimensions that have too many spanning runs to list: the product form against the listing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.domain.dense_memory_span import requests, spanning_runs
from compiler.errors import UnsupportedError
from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.dense_memory_by_questions import certificate_by_questions
from compiler.learning.learn import learn
from compiler.learning.witness import holds, witness
from compiler.program.memory import Memory
from compiler.program_to_rules.lower import lower
from compiler.traces.dense_memory_teaching import teaching_runs_of
from compiler.traces.program_to_traces import generate, runs_to_data, turns_to_data


@st.composite
def small(draw):
    keys, values, d = draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(st.integers(3, 4))
    if keys * values > 8:
        keys = 8 // values
    names = tuple(f"k{n}" for n in range(keys)), tuple(f"v{n}" for n in range(values))
    stored = (("k0", "v0"),) if draw(st.booleans()) else ()
    return Memory("m", *names, draw(st.sampled_from(("latest", "sum"))), stored, d, draw(st.integers(0, 3)))


def without(data, rows):
    supervised = data.supervised.copy()
    supervised[rows] = False
    return replace(data, supervised=supervised)


def by_questions(data, program):
    return certificate_by_questions(data, lower(program))[0]


@settings(max_examples=25, deadline=None)
@given(small())
def test_the_teaching_set_is_certified_by_both_routes(program):
    lowering = lower(program)
    data = turns_to_data(lowering, teaching_runs_of(lowering))
    mine, listed = by_questions(data, program), certify(data, program)
    assert mine == listed
    assert mine.certified
    assert mine.span == generate(program, certified=True).samples
    assert data.samples <= mine.span + 3 * len(requests(lowering)), "more than two, and one to begin with, a question"


@settings(max_examples=15, deadline=None)
@given(small())
def test_all_spanning_runs_are_certified_by_both_routes(program):
    lowering = lower(program)
    data = turns_to_data(lowering, [turns for _, turns in spanning_runs(lowering)])
    assert by_questions(data, program) == certify(data, program)


@settings(max_examples=25, deadline=None)
@given(small(), st.data())
def test_a_yes_is_never_wrong(program, drawn):
    """Some samples of a teaching set, with random runs: what is certified is so by listing, and spans are the same."""
    lowering = lower(program)
    data = turns_to_data(lowering, teaching_runs_of(lowering))
    rows = np.flatnonzero(data.supervised)
    random = np.random.default_rng(drawn.draw(st.integers(0, 1000)))
    left_out = random.choice(rows, size=drawn.draw(st.integers(1, min(4, len(rows)))), replace=False)
    fewer = without(data, left_out)
    if not fewer.samples:
        return
    mine, listed = by_questions(fewer, program), certify(fewer, program)
    assert mine.span == listed.span
    assert mine.rank <= listed.rank
    assert listed.certified or not mine.certified
    assert mine.certified == (mine.undetermined is None)


@settings(max_examples=25, deadline=None)
@given(small(), st.data())
def test_a_question_left_out_is_missed(program, drawn):
    lowering = lower(program)
    data = turns_to_data(lowering, teaching_runs_of(lowering))
    items = requests(lowering)
    item = items[drawn.draw(st.integers(0, len(items) - 1))]
    token = lowering.tokens[lowering.inputs((item,))[-1]]
    asked = np.flatnonzero(data.supervised & (data.tokens == token).all(axis=1))
    fewer = without(data, asked)
    if fewer.samples:
        mine = by_questions(fewer, program)
        assert not mine.certified
        assert mine.undetermined[-1] == (item if isinstance(item, str) else " = ".join(item))


@settings(max_examples=10, deadline=None)
@given(small())
def test_what_is_no_run_is_not_counted(program):
    """A sequence whose first request is none shows nothing of the memory."""
    lowering = lower(program)
    data = turns_to_data(lowering, teaching_runs_of(lowering))
    tokens = data.tokens.copy()
    prompt = len(lowering.inputs(()))
    strange = data.offsets[:-1] + prompt
    tokens[strange] += 1
    assert by_questions(replace(data, tokens=tokens), program).rank == 0


@pytest.mark.parametrize("write", ["latest", "sum", "first"])
def test_a_dense_memory_that_is_not_certified_has_a_witness(write):
    program = Memory("m", ("a", "b", "c"), ("x", "y"), write, (), 4, 1)
    data = generate(program, certified=True)
    rows = np.flatnonzero(data.supervised)
    fewer = without(data, rows[len(rows) // 2 :])
    found = certify(fewer, program).witness
    assert holds(found, fewer)
    assert not holds(found, data), "the full set is certified: nothing fits it alike and differs"
    assert found.models[0].rules == learn(fewer, program=program).model.rules


@pytest.mark.parametrize("write", ["latest", "sum"])
def test_what_the_product_form_leaves_open_has_a_witness(write):
    program = Memory("m", ("a", "b", "c"), ("x", "y"), write, (), 4, 1)
    lowering = lower(program)
    data = runs_to_data(lowering, [[("a", "x"), "a", "b", ("b", "y"), "a"]])
    certificate, inputs = certificate_by_questions(data, lowering)
    assert not certificate.certified
    assert next(inputs()).names == certificate.undetermined
    found = witness(data, lowering, inputs())
    assert holds(found, data)


def test_a_memory_that_cannot_be_listed_is_certified_and_learned():
    """It goes the way of `dense_capitals`, which tests/slow looks at."""
    program = Memory("m", tuple(f"k{n}" for n in range(8)), tuple(f"v{n}" for n in range(8)), "latest", (), 3, 1)
    lowering = lower(program)
    with pytest.raises(UnsupportedError, match="is spanned by 42,120 runs in 23 coordinates"):
        next(spanning_runs(lowering))
    data = generate(program, certified=True)
    assert len(data) < 500, "nearly all is shown by rounds, not by a run for each word"
    certificate = certify(data, program)
    assert certificate.certified
    assert certificate.rank == certificate.span <= data.samples
    learned = learn(data, program=program)
    assert (learned.report.exact, learned.report.certified, learned.report.rank) == (True, True, certificate.rank)
    assert learned.model.rules == lowering.form
    assert not certify(generate(program, count=3), program).certified


def test_a_large_one_that_keeps_the_first_write_is_not_certified():
    program = replace(load("dense_capitals"), write="first", examples=())
    with pytest.raises(UnsupportedError, match="and this version lists up to 20,000 runs"):
        generate(program, certified=True)
    with pytest.raises(UnsupportedError, match="and this version lists up to 20,000 runs"):
        certify(generate(program, count=1, lengths=1), program)
