"""Universal programs learned from the runs of random programs: certified, proved, read back, and what is rejected."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.domain.hulls import closed
from compiler.domain.universal_runs import universal_runs
from compiler.domain.universal_system import universal_automaton_system
from compiler.learning.certificate import certify
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.model_for_program import reordered
from compiler.program.universal import UniversalAutomaton, UniversalMachine
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import Fewest, lower, lowering_for
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.runtime.recurrent import Recurrent
from compiler.traces.program_to_traces import generate
from verify.decompiled import decompile
from verify.same_on_hulls import proved
from verify.strategies import disguises, mutants
from verify.verify import verify

PROGRAMS = (UniversalAutomaton("small", 2, 2), UniversalMachine("short", 2, 2, 2))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.kind)
def test_learned_certified_proved_and_read_back(program: UniversalAutomaton | UniversalMachine) -> None:
    data = generate(program, certified=True)
    learned = learn(data, program=program)
    assert (learned.report.exact, learned.report.certified) == (True, True)
    verdict = verify(program, learned.model)
    assert (verdict.verdict, verdict.lengths) == ("proved", "all")
    assert decompile(replace(learned.model, program=None)) == replace(program, name="decompiled")
    half = replace(data, supervised=data.supervised & (np.arange(len(data.tokens)) < len(data.tokens) // 2))
    certificate = certify(half, program)
    assert not certificate.certified
    assert certificate.rank < certificate.span


MODELS = (
    *((program, None) for program in PROGRAMS),
    *((PROGRAMS[0], fewest) for fewest in ("heads", "dimensions")),
)  # fmt: skip
each_model = pytest.mark.parametrize(("program", "fewest"), MODELS, ids=str)


@each_model
def test_compiled_is_proved_and_read_back(
    program: UniversalAutomaton | UniversalMachine, fewest: Fewest | None
) -> None:
    model = compile(program, fewest=fewest)
    assert verify(program, model).verdict == "proved"
    assert decompile(model) == program
    assert verify(compile(program, fewest=fewest), replace(model, program=None)).verdict == "proved"
    turned = replace(reordered(model, model.coordinates[::-1]), program=None)
    assert verify(program, turned).verdict == "proved"
    assert decompile(turned) == replace(program, name="decompiled")


def right(program: UniversalAutomaton | UniversalMachine, model: Model, runs: int) -> bool:
    """Whether the exact answers of `model` are the tokens wanted, on some random runs."""
    lowering = lowering_for(program, model.coordinates)
    assert isinstance(lowering, LoweredUniversalAutomaton | LoweredUniversalMachine)
    drawn = universal_runs(lowering, np.random.default_rng(7), (1, 12))
    for _ in range(runs):
        layer = Recurrent(model.heads, np.zeros((model.d, model.d), dtype=np.int64))
        for name, answer in next(drawn):
            got = layer.feed(lowering.tokens[name])
            if answer is not None and not np.array_equal(got, lowering.tokens[answer]):
                return False
    return True


@each_model
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_verdicts_on_mutants_are_those_of_runs(
    program: UniversalAutomaton | UniversalMachine, fewest: Fewest | None, data: st.DataObject
) -> None:
    model = data.draw(mutants(compile(program, fewest=fewest)))
    verdict = verify(program, model)
    assert verdict.verdict != "undecided"
    if verdict.verdict == "proved":
        assert right(program, model, 30)
    else:
        assert verdict.counterexample is not None
        assert verdict.counterexample.expected != verdict.counterexample.got


@each_model
@given(data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_disguises_are_proved(
    program: UniversalAutomaton | UniversalMachine, fewest: Fewest | None, data: st.DataObject
) -> None:
    assert verify(program, data.draw(disguises(compile(program, fewest=fewest)))).verdict == "proved"


@pytest.mark.parametrize("fewest", [None, "heads", "dimensions"])
def test_runs_lie_in_the_hulls_of_the_analysis(fewest: Fewest | None) -> None:
    lowering = lower(UniversalAutomaton("u", 3, 2), fewest=fewest)
    assert isinstance(lowering, LoweredUniversalAutomaton)
    system = universal_automaton_system(lowering)
    hulls = closed(system, {})
    runs = universal_runs(lowering, np.random.default_rng(3), (0, 30))
    for _ in range(50):
        for _, location, counts in system.counts(next(runs)):
            assert not hulls[location].outside(counts[None]).any()


@pytest.mark.parametrize("fewest", [None, "heads", "dimensions"])
def test_the_analysis_alone_proves_what_is_compiled(fewest: Fewest | None) -> None:
    """Without a comparison of rules."""
    program = UniversalAutomaton("u", 3, 2)
    assert proved(compile(program, fewest=fewest), lower(program, fewest=fewest))
