"""`dense_capitals`: 24 keys and values in 16 dimensions, which no list of runs certifies."""

from dataclasses import replace

import numpy as np

from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.learn import learn
from compiler.program_to_rules.lower import lower
from compiler.traces.program_to_traces import generate


def test_dense_capitals_is_certified_and_learned():
    program = load("dense_capitals")
    data = generate(program, certified=True)
    certificate = certify(data, program)
    assert (certificate.certified, certificate.rank, certificate.span) == (True, 78_759, 78_759)
    assert data.samples == 79_056
    learned = learn(data, program=program)
    assert (learned.report.exact, learned.report.certified) == (True, True)
    assert learned.model.rules == lower(program).form
    lowering = lower(program)
    token = lowering.tokens["sweden = stockholm"]
    asked = np.flatnonzero(data.supervised & (data.tokens == token).all(axis=1))
    assert len(asked) == 1
    supervised = data.supervised.copy()
    supervised[asked] = False
    certificate = certify(replace(data, supervised=supervised), program)
    assert (certificate.certified, certificate.undetermined) == (False, ("sweden = stockholm",))
