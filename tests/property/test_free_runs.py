"""Free runs: the closed form of their spans against what random ones show, and what a certificate from them holds."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from compiler.domain.free_runs import free_hulls, free_runs
from compiler.domain.guarded import runs_of, starts_of, system_of
from compiler.domain.system import System
from compiler.language.load import load
from compiler.learning.certificate import certify
from compiler.learning.learn import learn
from compiler.program import Machine
from compiler.program_to_rules.lower import lower
from compiler.traces.data_set import DataSet
from compiler.traces.filling import Filled
from compiler.traces.program_to_traces import generate
from verify.decompiled import decompile
from verify.verify import verify


def on_cells(name: str, cells: int) -> Machine:
    machine = load(name)
    assert isinstance(machine, Machine)
    return replace(machine, cells=cells, head=min(machine.head, cells - 1), examples=())


def shown(system: System, batches: int) -> Filled:
    found = Filled(system)
    runs = free_runs(system, np.random.default_rng(1))
    for _ in range(batches):
        found.take(list(islice(runs, 20)))
    return found


@pytest.mark.parametrize("name", ["increment", "brackets", "busy_beaver_2_3", "collatz_step", "copy"])
def test_the_closed_form_is_what_free_runs_span(name: str) -> None:
    system = system_of(lower(on_cells(name, 4)))
    hulls = free_hulls(system)
    found = shown(system, 150)
    assert set(found.shown) == set(hulls)
    for location, rows in found.shown.items():
        assert not hulls[location].outside(np.stack(rows)).any()
        assert len(rows) == hulls[location].dimension


@pytest.mark.parametrize("name", ["palindrome", "busy_beaver_4", "sort_bits"])
def test_runs_are_among_free_runs(name: str) -> None:
    system = system_of(lower(on_cells(name, 6)))
    hulls = free_hulls(system)
    for turns in islice(runs_of(system), 200):
        for _, location, counts in system.counts(turns):
            assert not hulls[location].outside(counts[None]).any()


def without(data: DataSet, number: int) -> DataSet:
    """The data without their supervised position `number`."""
    supervised = data.supervised.copy()
    supervised[np.flatnonzero(supervised)[number]] = False
    return replace(data, supervised=supervised)


def test_a_machine_whose_runs_fill_no_hull() -> None:
    machine = on_cells("busy_beaver_2_3", 10)
    assert starts_of(system_of(lower(machine))) is None, "its runs are too many to take all of them"
    data = generate(machine, certified=True)
    learned = learn(data, program=machine)
    assert (learned.report.exact, learned.report.certified) == (True, True)
    assert verify(machine, learned.model).verdict == "proved"
    assert decompile(learned.model) == machine
    few = replace(data, supervised=data.supervised & (np.arange(len(data.tokens)) < len(data.tokens) // 3))
    assert not certify(few, machine).certified
    assert not certify(without(data, data.samples - 1), machine).certified, "the last position was kept as new"
