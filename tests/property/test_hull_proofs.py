"""Stored proofs by hulls: accepted as written, and refused when hull, step, premises or weights are others."""

import copy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from spanned import hulls_of, spanned

from compiler.domain.guarded import system_of
from compiler.domain.histories import with_histories
from compiler.errors import UnsupportedError
from compiler.files.proof_file import proof_from_bytes, proof_to_bytes
from compiler.language.load import load
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.program_to_rules.lower import lower
from compiler.traces.program_to_traces import generate
from verify import hull_proofs
from verify import proofs as making
from verify.check_proof import Weights, check
from verify.same_on_hulls import Asked, agrees_on
from verify.strategies import machines, mutants
from verify.verdict import SPANNED, Verdict
from verify.verify import verify

PROVED = {"verdict": "proved", "level": "domain", "lengths": "all"}
SMALL = {
    "votes": {},
    "sightings": {},
    "reservations": {},
    "increment": {"cells": 3, "head": 0},
    "busy_beaver_3": {"cells": 4, "head": 1},
    "any_dfa": {"states": 2, "symbols": 2},
}
LEARNED = {"as_then_bs": 4, "reverse": 4}
"""Machines of few cells whose runs can all be taken, and do not fill the hulls of their steps."""


@cache
def made(name, learned=False):
    """Program, model and proof."""
    if learned:
        program = replace(load(name), cells=LEARNED[name], head=0, examples=())
        model = learn(generate(program, certified=True), program=program).model
    else:
        program = replace(load(name), **SMALL[name], examples=())
        model = spanned(program)
    return program, model, making.proof_of(program, model, Verdict("proved", "domain", "all", None, (SPANNED,), "", ""))


CASES = [*((name, False) for name in SMALL), *((name, True) for name in LEARNED)]


def weights(model: Model) -> Weights:
    return making._weights(model)


@pytest.mark.parametrize(("name", "learned"), CASES)
def test_what_is_written_is_accepted(name, learned):
    program, model, found = made(name, learned)
    assert (found.claim, found.premises["kind"]) == (PROVED, "guarded")
    if name in ("votes", "as_then_bs"):
        assert making.proof_of(program, model, verify(program, model)) == found
    assert making.check_proof(proof_from_bytes(proof_to_bytes(found)), program, model) is None
    located = [each[0] for each in found.proof["nodes"]]
    assert (len(set(located)) < len(located)) == (name == "reverse"), "tapes are told apart where it is needed"


def changes(found):
    """Every way to spoil a proof once: a row gone, an entry bent, a step or a start led elsewhere."""
    for number, (location, basis, following) in enumerate(found["nodes"]):
        for at, row in enumerate(basis):
            yield lambda p, n=number, at=at: p["nodes"][n][1].pop(at)
            if len(row) > 1:
                yield lambda p, n=number, at=at: p["nodes"][n][1][at][-1].__setitem__(1, row_more(p, n, at))
        for at, to in enumerate(following):
            if to is not None:
                yield lambda p, n=number, at=at: p["nodes"][n][2].__setitem__(at, None)
                yield lambda p, n=number, at=at: p["nodes"][n][2].__setitem__(at, other_place(p, p["nodes"][n][2][at]))
        yield lambda p, n=number, to=location: p["nodes"][n].__setitem__(0, to + 1)
    for number in range(len(found["starts"])):
        yield lambda p, n=number: p["starts"].__setitem__(n, other_place(p, p["starts"][n]))
    yield lambda p: p["nodes"].pop()
    yield lambda p: p["starts"].pop()


def row_more(p, n, at):
    """The last entry of a row, which no other row begins with, with something added to it."""
    value = p["nodes"][n][1][at][-1][1]
    return value + 1 if value != -1 else 3


def other_place(p, number):
    """A node of another location."""
    return next(n for n, each in enumerate(p["nodes"]) if each[0] != p["nodes"][number][0])


@pytest.mark.parametrize(("name", "learned"), CASES)
def test_every_change_of_the_proof_is_refused(name, learned):
    _, model, found = made(name, learned)
    every = list(changes(found.proof))
    layer = weights(model)
    for change in every[:: max(1, len(every) // 15)]:
        spoiled = replace(found, proof=copy.deepcopy(found.proof))
        change(spoiled.proof)
        assert check(spoiled, layer) is not None


@settings(max_examples=40)
@given(st.sampled_from(["votes", "increment"]), st.data())
def test_a_change_that_is_accepted_spans_no_less(name, data):
    """The hulls are the least, so whatever is accepted contains them, and what is proved with it is right."""
    _, model, found = made(name)
    spoiled = replace(found, proof=copy.deepcopy(found.proof))
    nodes = spoiled.proof["nodes"]
    number = data.draw(st.integers(0, len(nodes) - 1))
    basis = nodes[number][1]
    row = data.draw(st.sampled_from(basis))
    entry = data.draw(st.sampled_from(row))
    entry[data.draw(st.integers(0, 1))] += data.draw(st.integers(-2, 2))
    if check(spoiled, weights(model)) is None:
        width = len(found.premises["tokens"]) + 1
        whole, kept = (dense(rows, width) for rows in (found.proof["nodes"][number][1], basis))
        assert rank(whole + kept) == rank(kept)


def dense(rows, width):
    filled = []
    for row in rows:
        entries = dict(map(tuple, row))
        filled.append([entries.get(place, 0) for place in range(width)])
    return filled


def rank(rows) -> int:
    return fmpz_mat(rows).rank()


@cache
def hulls(name):
    program, _, _ = made(name)
    return hulls_of(program)


@settings(max_examples=30)
@given(st.sampled_from(["votes", "increment"]), st.data())
def test_other_weights_are_accepted_exactly_where_they_agree_on_the_hulls(name, data):
    """Against the linear algebra of the verifier, which shares nothing with the checker."""
    program, model, found = made(name)
    changed = data.draw(mutants(model))
    system, around = hulls(name)
    agrees = agrees_on(Asked(changed, lower(program)), system, around)
    assert (check(found, weights(changed)) is None) == agrees


@settings(max_examples=12, deadline=None)
@given(machines(max_states=2, max_symbols=2, max_cells=3, max_steps=None))
def test_what_is_learned_of_any_machine_has_a_proof(machine):
    model = learn(generate(machine, certified=True), program=machine).model
    verdict = verify(machine, model)
    found = making.proof_of(machine, model, verdict)
    assert making.check_proof(found, machine, model) is None
    finer = hull_proofs.hull_proof(lower(machine), model)
    said = hull_proofs.hull_premises(lower(machine))
    assert check(replace(found, claim=PROVED, premises=said, proof=finer), weights(model)) is None


@pytest.mark.parametrize("part", ["branches", "initials", "tokens", "answers"])
def test_premises_that_are_not_the_programs_are_refused(part):
    program, model, found = made("votes")
    fewer = replace(found, premises=copy.deepcopy(found.premises))
    fewer.premises[part].pop()
    assert making.check_proof(fewer, program, model) == "what it says of the program is not so"
    kind = replace(found, premises=found.premises | {"kind": "run"})
    with pytest.raises(UnsupportedError, match="list of texts"):
        making.check_proof(kind, program, model)
    rules = replace(found, premises=found.premises | {"kind": "rules"})
    assert making.check_proof(rules, program, model) == "what it says of the program is not so"


def test_guards_of_histories_hold_in_every_run():
    """On all runs the system with histories takes the branch that the system takes."""
    program, _, _ = made("increment")
    lowering = lower(program)
    system = system_of(lowering)
    told = with_histories(system)
    more = 0
    for before, after in zip(system.branches, told.branches, strict=True):
        assert after.guards[: len(before.guards)] == before.guards
        more += len(after.guards) > len(before.guards)
    assert more
    for tape in ("", "0", "1", "01", "11", "111", "010"):
        turns = list(lowering.dialogue(program.word(tape)))
        for place, location, counts in told.counts(turns):
            held = [all(counts[1:] @ told.entry(pair) == value for pair, value in b.guards)
                    for b in told.branches if b.location == location]  # fmt: skip
            answers = [b.answer for b in told.branches if b.location == location]
            (taken,) = np.flatnonzero(held)
            assert lowering.tokens.names[answers[taken]] == turns[place][1]
