"""The circle for every memory and machine of the zoo: compiled, proved, learned from a certified set, decompiled."""

from dataclasses import replace

import pytest

import programs
from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.learn import learn
from compiler.program import Machine, Memory
from compiler.program_to_model import compile
from compiler.traces.program_to_traces import generate
from verify.decompiled import decompile
from verify.verify import verify

CELLS = 6


def on_cells(machine: Machine, cells: int) -> Machine:
    return replace(machine, cells=cells, head=min(machine.head, cells - 1), examples=())


def zoo() -> list[Machine | Memory]:
    """The machines on few cells, and every memory."""
    loaded = [load(name) for name in programs.names()]
    machines = [on_cells(program, CELLS) for program in loaded if isinstance(program, Machine)]
    return [*machines, *(program for program in loaded if isinstance(program, Memory))]


def test_the_zoo_is_large_enough() -> None:
    assert sum(isinstance(program, Machine) for program in zoo()) >= 15
    assert sum(isinstance(program, Memory) for program in zoo()) >= 10


@pytest.mark.parametrize("program", zoo(), ids=lambda program: program.name)
def test_source_to_weights_to_source(program: Machine | Memory) -> None:
    compiled = compile(program)
    assert verify(program, compiled).verdict == "proved"
    if isinstance(program, Memory) and program.dimensions is not None:
        # too many configurations for a certificate; the rules that come back are the compiled ones all the same
        learned = learn(generate(program, count=60, lengths=400, seed=1))
        assert (learned.report.exact, learned.report.residual) == (True, 0)
        assert learned.model.rules == compiled.rules
    else:
        learned = learn(generate(program, certified=True), program=program)
        assert (learned.report.exact, learned.report.certified) == (True, True)
    assert verify(program, learned.model).verdict == "proved"
    assert decompile(learned.model) == program
    assert decompile(compiled) == program


@pytest.mark.parametrize("name", ["increment", "palindrome"])
def test_a_machine_learned_on_8_cells_runs_on_13000(name: str) -> None:
    source = load(name)
    assert isinstance(source, Machine)
    small = on_cells(source, 8)
    found = decompile(learn(generate(small, certified=True), program=small).model)
    assert isinstance(found, Machine)
    again, directly = (compile(replace(machine, cells=13_000, head=6_000, examples=())) for machine in (found, source))
    assert again.digest() == directly.digest()


@pytest.mark.parametrize("name", ["increment", "capitals", "reservations"])
def test_fewer_data_are_not_certified(name: str) -> None:
    program = load(name)
    assert isinstance(program, Machine | Memory)
    small = on_cells(program, CELLS) if isinstance(program, Machine) else program
    certificate = certify(generate(small, count=2, lengths=2), small)
    assert not certificate.certified
    assert certificate.undetermined
    assert certificate.rank < certificate.span
