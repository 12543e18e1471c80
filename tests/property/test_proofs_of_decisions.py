"""Proofs of horizons with a tolerance, and of long ones."""

import copy
from dataclasses import replace
from fractions import Fraction

import pytest
from perturbed import noisy

from compiler.errors import UnsupportedError
from compiler.files.proof_file import proof_from_bytes, proof_to_bytes
from compiler.language.load import load
from compiler.program_to_model import compile
from verify.proofs import check_proof, proof_of
from verify.verify import verify


def proved(program, model, **how):
    return proof_of(program, model, verify(program, model, **how))


def claiming(stored, **changes):
    return replace(stored, claim=copy.deepcopy(stored.claim) | changes)


@pytest.mark.parametrize("tolerance", [Fraction(1, 10), Fraction(2, 5)])
@pytest.mark.parametrize("name", ["parity", "s3"])
def test_a_tolerance_is_part_of_the_claim(name, tolerance):
    program = load(name)
    model = noisy(compile(program), 0.003)
    stored = proved(program, model, tolerance=tolerance)
    assert check_proof(proof_from_bytes(proof_to_bytes(stored)), program, model) is None
    assert stored.claim["lengths"] < proved(program, model).claim["lengths"]
    for tolerance_claimed in ("1/1", 0, f"-{tolerance}", "nan", True):
        changed = claiming(stored, tolerance=tolerance_claimed)
        assert check_proof(changed, program, model) is not None, tolerance_claimed
    exact = proved(program, compile(program), tolerance=tolerance)
    assert (exact.claim["verdict"], exact.claim["lengths"]) == ("proved", "all")
    too_much = claiming(exact, tolerance="2/1")
    assert check_proof(too_much, program, compile(program)) is not None


def test_long_words_are_stored_or_refused():
    program = load("mod3")
    model = noisy(compile(program), 1e-6)
    stored = proved(program, model)
    assert stored.claim["lengths"] + 1 == len(stored.proof["word"]) > 100_000
    assert check_proof(stored, program, model) is None
    with pytest.raises(UnsupportedError, match="1,000,000 symbols"):
        proved(program, noisy(compile(program), 1e-9))
    endless = claiming(stored, lengths=10**15)
    assert "one by one" in check_proof(endless, program, model)
