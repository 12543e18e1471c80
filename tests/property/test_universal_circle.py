"""Universal programs learned from the runs of random programs: certified, proved, read back, and what is rejected."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.domain.closing import closed
from compiler.domain.guarded import system_of
from compiler.domain.universal_runs import universal_runs
from compiler.learning.certificate import certify
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.model_for_program import reordered
from compiler.program.universal import UniversalAutomaton, UniversalMachine
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import Fewest, lower, lowering_for
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.universal_machine_registers import LoweredRegistersMachine
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
    (PROGRAMS[1], "dimensions"),
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


ANALYSED: tuple[tuple[UniversalAutomaton | UniversalMachine, Fewest | None], ...] = (
    *((UniversalAutomaton("u", 3, 2), fewest) for fewest in (None, "heads", "dimensions")),
    *((UniversalMachine("u", *bounds), "dimensions") for bounds in ((1, 2, 3), (2, 1, 3), (2, 2, 2))),
)  # fmt: skip
each_analysed = pytest.mark.parametrize(("program", "fewest"), ANALYSED, ids=str)


@each_analysed
def test_runs_lie_in_the_hulls_of_the_analysis(
    program: UniversalAutomaton | UniversalMachine, fewest: Fewest | None
) -> None:
    lowering = lower(program, fewest=fewest)
    assert isinstance(lowering, LoweredUniversalAutomaton | LoweredRegistersMachine)
    system = system_of(lowering)
    hulls = closed(system, {})
    runs = universal_runs(lowering, np.random.default_rng(3), (0, 30))
    for _ in range(50):
        for _, location, counts in system.counts(next(runs)):
            assert not hulls[location].outside(counts[None]).any()


@each_analysed
def test_the_analysis_alone_proves_what_is_compiled(
    program: UniversalAutomaton | UniversalMachine, fewest: Fewest | None
) -> None:
    """Without a comparison of rules."""
    assert proved(compile(program, fewest=fewest), lower(program, fewest=fewest))
