"""Hulls of machines: with histories no more than free runs span, with tapes told apart just what runs span."""

from itertools import product

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import given, settings

from compiler.domain.closing import closed
from compiler.domain.free_runs import free_hulls
from compiler.domain.guarded import system_of
from compiler.domain.histories import on_own_inputs, with_histories
from compiler.domain.machine_system import turns_from
from compiler.domain.unfolding import unfolded
from compiler.errors import UnsupportedError
from compiler.language.load import parse
from compiler.program import Machine
from compiler.program_to_rules.lower import lower
from verify.strategies import machines

small = machines(max_states=3, max_symbols=3, max_cells=3, max_steps=None)


def shown_by_runs(machine: Machine) -> dict[int, list[list[int]]]:
    """By question the counts in the runs on all inputs, each until it stops or has come round for the second time."""
    lowering = lower(machine)
    system = system_of(lowering)
    place = {symbol: number for number, symbol in enumerate(lowering.layout.symbols)}
    found: dict[int, list[list[int]]] = {}
    for length in range(lowering.longest + 1):
        for word in product(machine.alphabet, repeat=length):
            tape = [place[symbol] for symbol in machine.tape(word)]
            for _, location, counts in system.counts(list(turns_from(lowering, tape, machine.head, 10_000))):
                found.setdefault(location, []).append(counts.tolist())
    return found


@settings(max_examples=100)
@given(small)
def test_with_tapes_told_apart_hulls_are_what_runs_span(machine):
    system = unfolded(on_own_inputs(system_of(lower(machine))))
    spanned: dict[int, list[list[int]]] = {}
    for location, hull in closed(system, {}).items():
        spanned.setdefault(system.asked_at[location], []).extend(hull.basis.tolist())
    shown = shown_by_runs(machine)
    assert spanned.keys() == shown.keys()
    for question, rows in shown.items():
        both = fmpz_mat(rows + spanned[question]).rank()
        assert fmpz_mat(rows).rank() == both == fmpz_mat(spanned[question]).rank()


@settings(max_examples=100)
@given(small)
def test_with_histories_hulls_are_within_what_free_runs_span(machine):
    system = system_of(lower(machine))
    free, shown = free_hulls(system), shown_by_runs(machine)
    around = closed(with_histories(system), {})
    for location, hull in around.items():
        assert not free[location].outside(hull.basis).any()
    own = closed(on_own_inputs(system), {})
    for location, rows in shown.items():
        assert not own[location].outside(np.array(rows)).any()
        assert not around[location].outside(own[location].basis).any()


def test_more_tapes_than_are_told_apart_are_refused(monkeypatch):
    monkeypatch.setattr("compiler.domain.unfolding.MOST_LOCATIONS", 3)
    actions = "start state s { 0 -> right; 1 -> write 0, right; else -> halt }"
    program = parse("machine sweep { blank _; alphabet 0, 1; cells 5; " + actions + " }")
    with pytest.raises(UnsupportedError, match="more than 3 tokens and tapes"):
        unfolded(on_own_inputs(system_of(lower(program))))
