"""Stored certificates: accepted as written, and every change of one, of the data or of the program is refused."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compiler.errors import DataError, FileError
from compiler.files.certificate_file import (
    Stored,
    certificate_from_bytes,
    certificate_to_bytes,
    data_digest,
    text_digest,
)
from compiler.language.load import load
from compiler.learning.stored_certificate import stored_certificate
from compiler.program_to_rules.lower import lower
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate
from verify import check_certificate as checker
from verify.certified import check_certificate
from verify.check_certificate import check

CHANGES = {
    "parity": {},
    "shuffle_dyck": {},
    "capitals": {},
    "reservations": {},
    "votes": {},
    "increment": {"cells": 4, "head": 0},
    "busy_beaver_3": {"cells": 5, "head": 2},
    "any_dfa": {"states": 2, "symbols": 2},
    "vectors": {"keys": 2, "values": 2},
}
KNOWN: dict = {}


def stored(name):
    if name not in KNOWN:
        program = replace(load(name), **CHANGES[name])
        data = generate(program, certified=True)
        KNOWN[name] = program, data, stored_certificate(data, program)
    return KNOWN[name]


def without(data, number):
    supervised = data.supervised.copy()
    supervised[np.flatnonzero(supervised)[number]] = False
    return replace(data, supervised=supervised)


def other(certificate, **changes):
    """The certificate with a copy of its premises or proof, changed."""
    made = replace(certificate, premises=copy.deepcopy(certificate.premises), proof=copy.deepcopy(certificate.proof))
    for name, change in changes.items():
        change(getattr(made, name))
    return made


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_written_is_accepted(name):
    program, data, certificate = stored(name)
    content = certificate_to_bytes(certificate)
    assert certificate_from_bytes(content) == certificate
    assert check_certificate(certificate_from_bytes(content), data, program) is None


@pytest.mark.parametrize("name", CHANGES)
def test_other_data_are_refused(name):
    program, data, certificate = stored(name)
    less = without(data, -1)
    assert "other data" in check_certificate(certificate, less, program)
    named = replace(certificate, data=data_digest(less))
    assert check_certificate(named, less, program) is not None, "the digest is right, and the data show too little"
    for number in np.linspace(0, data.samples - 1, 10).astype(int).tolist():
        less = without(data, number)
        assert check(replace(certificate, data=data_digest(less)), less) is not None


@pytest.mark.parametrize("name", CHANGES)
def test_another_program_is_refused(name):
    program, data, certificate = stored(name)
    renamed = replace(program, name="other")
    assert "another program" in check_certificate(certificate, data, renamed)
    assert check_certificate(replace(certificate, program=text_digest(str(renamed))), data, renamed) is None


def test_premises_that_are_not_the_programs_are_refused():
    program, data, certificate = stored("parity")
    fewer = other(certificate, premises=lambda premises: premises["asked"].pop())
    assert check_certificate(fewer, data, program) == "what it says of the program is not so"
    program, data, certificate = stored("increment")
    fewer = other(certificate, premises=lambda premises: premises["branches"].pop())
    assert check_certificate(fewer, data, program) == "what it says of the program is not so"


def questions_and_ranks(proof):
    """Each equality, rank and question of a proof, as a change that spoils it."""
    if "rank" in proof:
        yield lambda found: found.update(rank=found["rank"] + 1)
    for at in range(len(proof.get("questions", []))):
        yield lambda found, at=at: found["questions"].pop(at)
        yield lambda found, at=at: found["questions"][at].__setitem__(2, found["questions"][at][2] - 1)
        if proof["questions"][at][1]:
            yield lambda found, at=at: found["questions"][at][1].pop()
            yield lambda found, at=at: bent(found["questions"][at][1])
    for at in range(len(proof.get("locations", []))):
        yield lambda found, at=at: found["locations"].pop(at)
        yield lambda found, at=at: found["locations"][at][1].pop()
        if proof["locations"][at][2]:
            yield lambda found, at=at: found["locations"][at][2].pop()
            yield lambda found, at=at: bent(found["locations"][at][2])
    for at in range(len(proof.get("equalities", []))):
        yield lambda found, at=at: found["equalities"].pop(at)
        yield lambda found, at=at: bent(found["equalities"][at : at + 1])
    if "features" in proof:
        yield lambda found: found["features"].pop()
        yield lambda found: found["features"].append(found["features"][0])


def bent(equalities):
    """An equality with another coefficient."""
    equalities[0][0][1] += 1 if len(equalities[0]) > 1 else -equalities[0][0][1]


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_the_proof_is_refused(name):
    _, data, certificate = stored(name)
    changes = list(questions_and_ranks(certificate.proof))
    step = max(1, len(changes) // 40)
    for change in changes[::step]:
        assert check(other(certificate, proof=change), data) is not None


def test_a_hull_that_steps_leave_is_refused():
    """Programs whose first branch says something of another key, or nothing: the induction is what refuses."""
    program, data, certificate = stored("capitals")
    names = lower(program).tokens.names
    _, question, _, said, _ = certificate.premises["branches"][0]
    assert (names[question], names[said]) == ("france = paris", "france: paris -> paris")
    others = [number for number, name in enumerate(names) if not name.startswith("france: ")]
    for strange in (None, *others):
        wrong = other(certificate, premises=lambda p, s=strange: p["branches"][0].__setitem__(3, s))
        assert "leads out of the hull" in check(wrong, data)


def test_the_second_round_of_a_loop_is_looked_at():
    """Two tokens in turn: that the first stands once when the second asks holds in the first round only."""
    tokens = np.array([[1, 0], [0, 1], [1, 0], [0, 1]])
    data = DataSet(tokens, np.array([0, 4]), tokens[[1, 0, 1, 0]], np.array([True, True, True, False]))
    premises = {
        "kind": "guarded",
        "dimension": 2,
        "tokens": [[[0, 1]], [[1, 1]]],
        "inputs": [],
        "initials": [[0, [[0, 1]], []]],
        "branches": [[0, 0, [], 1, 1], [1, 1, [], 0, 0]],
    }
    questions = [[0, [[[0, -1], [1, 1], [2, -1]]], 2], [1, [[[0, -1], [1, 1]], [[0, -1], [2, 1]]], 1]]
    wrong = Stored("", data_digest(data), premises, {"kind": "paths", "questions": questions})
    assert check(wrong, data) == "a run does not satisfy the equalities at token 1"
    longer = replace(data, supervised=np.ones(4, dtype=np.bool_))
    questions = [questions[0], [1, [[[1, -1], [2, 1]]], 2]]
    right = Stored("", data_digest(longer), premises, {"kind": "paths", "questions": questions})
    assert check(right, longer) is None


def test_where_one_run_comes_round_the_others_are_looked_at():
    """Two beginnings: at one of them token 0 says itself for ever; the other asks with a token more before."""
    tokens = np.array([[1, 0], [1, 0], [1, 0]])
    data = DataSet(tokens, np.array([0, 3]), tokens, np.array([True, True, True]))
    premises = {
        "kind": "guarded",
        "dimension": 2,
        "tokens": [[[0, 1]], [[1, 1]]],
        "inputs": [],
        "branches": [[0, 0, [], 0, 0]],
    }
    proof = {"kind": "paths", "questions": [[0, [[[2, 1]]], 2]]}
    alone, more = [0, [[0, 1]], []], [0, [[0, 1], [1, 1]], []]
    for initials, reason in (
        ([alone], None),
        ([more, alone], "a run does not satisfy the equalities at token 0"),
        ([alone, more], "a run does not satisfy the equalities at token 0"),
    ):
        assert check(Stored("", data_digest(data), premises | {"initials": initials}, proof), data) == reason


def test_runs_that_do_not_end_are_refused(monkeypatch):
    _, data, certificate = stored("busy_beaver_3")
    monkeypatch.setattr(checker, "MOST_STEPS", 100)
    assert "too many or too long" in check(certificate, data)


def test_samples_that_break_the_equalities_do_not_count():
    """A sample that is none of the program's runs does not stand in for one that is missing."""
    program, data, certificate = stored("parity")
    letter = lower(program).tokens["1"].astype(np.int64)[None]
    for number in range(data.samples):
        less = without(data, number)
        strange = replace(
            less,
            tokens=np.concatenate([less.tokens, letter]),
            targets=np.concatenate([less.targets, letter]),
            supervised=np.append(less.supervised, True),
            offsets=np.append(less.offsets, len(less.tokens) + 1),
        )
        assert "do not show all" in check(replace(certificate, data=data_digest(strange)), strange)


def test_samples_with_other_features_do_not_count():
    columns = np.array([[0, 0, 0]])
    for tokens, kept in (([[1, 0]], 1), ([[1, 1]], 0), ([[0, 1], [1, 0]], 0), ([[2, 0], [1, 0]], 1)):
        data = DataSet.of_arrays(np.array([tokens]), np.zeros((1, 2), dtype=np.int64))
        assert len(checker._features(data, columns)) == kept


def test_any_tokens_of_which_the_last_has_some_coordinates():
    data = DataSet.of_arrays(np.array([[[1]], [[2]]]), np.zeros((2, 1), dtype=np.int64))
    proof = {"kind": "features", "rank": 1}

    def said(last, **other):
        premises = {"kind": "any", "dimension": 1, "last": last}
        return check(Stored("", data_digest(data), premises, proof | other), data)

    assert said(1) is None
    for last in (0, 2):
        assert said(last) == "a last token has no coordinate, or more than there are"
    assert said(1, rank=2) == "the rank is 1 and not 2 "
    assert said(1, kind="paths") == "no proof of kind 'paths' for premises of kind 'any' is known"
    assert said("1").startswith("it is malformed (TypeError: ")


def test_features_and_tokens_that_there_are_not_are_refused():
    data = DataSet.of_arrays(np.array([[[1, 0], [1, 1]]]), np.zeros((1, 2), dtype=np.int64))
    for column in ([-1, 0, 0], [0, -1, 0], [0, 0, 2], [2, 0, 0], [-1, 0, 2]):
        with pytest.raises(checker._Rejected, match="out of range"):
            checker._features(data, np.array([column]))
    with pytest.raises(checker._Rejected, match="in the wrong order"):
        checker._features(data, np.array([[0, 1, 0]]))
    _, data, certificate = stored("parity")
    for token in (-1, len(certificate.premises["tokens"]), True, 0.0):
        wrong = other(certificate, premises=lambda p, t=token: p["steps"].append([t]))
        assert check(wrong, data) == "there is no such token"


def test_a_walk_with_a_step_of_another_kind_is_refused():
    _, data, certificate = stored("parity")
    answers = {step[1] for step in certificate.premises["steps"]}
    for answer in answers:
        wrong = other(certificate, premises=lambda p, a=answer: p["steps"].append([a]))
        assert check(wrong, data) == "a step does not satisfy the equalities"
    wrong = other(certificate, premises=lambda p: p["start"].append(p["start"][0]))
    assert check(wrong, data) == "a step does not satisfy the equalities"
    wrong = other(certificate, proof=lambda p: p.update(features=p["features"][::-1]))
    assert check(wrong, data) is not None


def test_a_run_that_breaks_the_equalities_is_refused():
    _, data, certificate = stored("increment")
    onward = [number for number, branch in enumerate(certificate.premises["branches"]) if branch[4] is not None]
    for number in onward:
        wrong = other(certificate, premises=lambda p, n=number: p["branches"][n].__setitem__(3, None))
        assert "a run does not satisfy" in check(wrong, data)


def test_runs_that_begin_elsewhere_are_refused():
    for name in ("capitals", "any_dfa"):
        _, data, certificate = stored(name)
        wrong = other(certificate, premises=lambda p: p["initials"][0][1].pop())
        assert "leads out of the hull" in check(wrong, data)


def test_hulls_that_are_kept_and_too_large_are_refused():
    """The whole space is kept by every step, and its configurations are not what the data show."""
    _, data, certificate = stored("capitals")
    width = len(certificate.premises["tokens"]) + 1

    def everything(proof):
        for location in proof["locations"]:
            location[1:] = [[[n, 1]] for n in range(width)], []

    assert "does not satisfy the equalities of its question" in check(other(certificate, proof=everything), data)


def test_a_basis_that_is_not_that_of_its_equalities_is_refused():
    _, data, certificate = stored("capitals")

    def smaller(proof):
        proof["locations"][0][1].pop()

    def strange(proof):
        proof["locations"][0][1][0] = [[0, 1], [1, 7]]

    assert "is not what its basis spans" in check(other(certificate, proof=smaller), data)
    assert "does not satisfy its equalities" in check(other(certificate, proof=strange), data)


def test_malformed_certificates_are_refused():
    program, data, certificate = stored("capitals")
    for change in (
        lambda proof: proof.pop("questions"),
        lambda proof: proof.update(kind="walks"),
        lambda proof: proof["questions"][0].__setitem__(0, "x"),
        lambda proof: proof["questions"][0].__setitem__(1, [[[10**6, 1]]]),
        lambda proof: proof["questions"][0].__setitem__(1, [[[0, 1.5]]]),
        lambda proof: proof["locations"][0].__setitem__(2, None),
    ):
        assert check_certificate(other(certificate, proof=change), data, program) is not None
    wide = other(certificate, premises=lambda premises: premises.update(dimension=10**15))
    assert check(wide, data) == "the data have other coordinates"
    content = certificate_to_bytes(certificate)
    for wrong in (b"", b"[]", content[:-1], content + b"\n", json.dumps(json.loads(content)).encode(),
                  content.replace(b'"format":1', b'"format":2')):  # fmt: skip
        with pytest.raises(FileError):
            certificate_from_bytes(wrong)


def test_only_certified_data_have_one():
    program = load("parity")
    with pytest.raises(DataError, match="not certified"):
        stored_certificate(generate(program, count=1, lengths=2), program)


def test_the_checker_is_small_and_stands_alone():
    lines = Path(checker.__file__).read_text().splitlines()
    assert len(lines) < 400
    ours = {line.split()[1] for line in lines if line.startswith(("from ", "import "))}
    ours = {name for name in ours if name.split(".")[0] in ("attnc", "verify", "compiler", "programs")}
    assert ours == {"compiler.files.certificate_file", "compiler.traces.data_set"}
