"""The fast closure of hulls against the slow one, and the fast intersection with guards against one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.domain import closing
from compiler.domain.closing import closed, closed_slowly, escapes
from compiler.domain.forks import Fork, Parting, forks_of, split
from compiler.domain.guarded import system_of
from compiler.domain.hulls import Hull, branch_rows
from compiler.domain.system import Branch, System
from compiler.language.load import load
from compiler.program import Program
from compiler.program.machine import Machine
from compiler.program.memory import Memory
from compiler.program.universal import UniversalAutomaton, UniversalMachine
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify.same_on_hulls import Asked, agrees, agrees_at


def on_three_cells(name: str) -> Machine:
    machine = load(name)
    assert isinstance(machine, Machine)
    return replace(machine, cells=3, head=0, examples=())


PROGRAMS: dict[str, Program] = {
    "universal machine": UniversalMachine("u", 2, 2, 2),
    "universal automaton": UniversalAutomaton("u", 2, 2),
    "machine": on_three_cells("increment"),
    "copies": on_three_cells("copy"),
    **{write: Memory("m", ("a", "b"), ("x", "y"), write=write) for write in ("latest", "first", "sum")},
}


@pytest.fixture(params=PROGRAMS)
def system(request: pytest.FixtureRequest) -> System:
    return system_of(lower(PROGRAMS[request.param]))


def same(one: Hull, other: Hull) -> bool:
    return not one.outside(other.basis).any() and one.dimension == other.dimension


def test_fast_and_slow_closure_agree(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = closed_slowly(system, {})
    monkeypatch.setattr(closing, "closed_slowly", None)
    fast = closed(system, {})
    assert set(fast) == set(slow)
    assert all(same(fast[location], slow[location]) for location in slow)
    again = closed(system, {location: Hull.of(hull.basis[:1]) for location, hull in slow.items()})
    assert all(same(again[location], slow[location]) for location in slow)


def test_hulls_that_lack_a_row_are_not_closed(system: System) -> None:
    hulls = closed(system, {})
    for location, hull in hulls.items():
        less = hulls | {location: Hull.of(hull.basis[1:])}
        assert any(escape.location == location for escape in escapes(system, less))


def test_what_is_not_closed_is_not_returned(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast closure that loses a row of some location is noticed, and made good."""
    exact = closed(system, {})
    made = closing._grown
    for location in list(exact)[:3]:

        def short(*arguments: object, location: int = location) -> object:
            spans = made(*arguments)  # type: ignore[arg-type]
            spans[location].size -= 1
            return spans

        monkeypatch.setattr(closing, "_grown", short)
        assert same(closed(system, {})[location], exact[location])


def test_forks_are_intersections_with_guards(system: System) -> None:
    hulls = closed(system, {})
    taken = 0
    for location, forks in forks_of(system).items():
        for fork in forks if location in hulls else ():
            free, points = split(fork, hulls[location].basis)
            for number, branch in enumerate(fork.branches):
                rows = branch_rows(system, hulls, branch)
                assert (number in points) == bool(len(rows))
                if len(rows):
                    assert same(Hull.of(rows), Hull.of(np.vstack([free, points[number][None]])))
                    taken += 1
    assert taken


@pytest.mark.parametrize("name", ["universal automaton", "machine", "latest", "sum"])
def test_model_and_program_are_compared_at_forks_as_at_each_branch(name: str) -> None:
    """A model that answers a little more for tokens whose counts are `part`: fork by fork as branch by branch."""
    system, model = system_of(lower(PROGRAMS[name])), compile(PROGRAMS[name])
    hulls = closed(system, {})
    found: dict[tuple[bool, bool], int] = {}
    for location, forks in forks_of(system).items():
        for fork in forks if location in hulls else ():
            parts = split(fork, hulls[location].basis)
            free, points = parts.free, np.stack(list(parts.points.values()))
            rows = {number: branch_rows(system, hulls, branch) for number, branch in enumerate(fork.branches)}
            constant = Hull.of(free).equations[:, 1:]  # what vanishes on the free rows
            for part in (*constant, *np.eye(system.size, dtype=np.int64)):
                asked = Asked(model, system.lowering)
                more = asked.by_count(fork.branches[0].question).copy()
                more[:, 0] += part
                asked.known[fork.branches[0].question] = more
                at_each = all(
                    agrees(asked, system, fork.branches[number], met) for number, met in rows.items() if len(met)
                )
                assert agrees_at(asked, system, fork, parts) == at_each
                differs = bool((free[:, 1:] @ part).any()), bool((points[:, 1:] @ part).any())
                assert at_each == (differs == (False, False))
                found[differs] = found.get(differs, 0) + 1
    assert set(found) >= {(False, False), (True, False), (False, True)}


@given(
    rows=st.lists(st.lists(st.integers(-3, 3), min_size=6, max_size=6), min_size=1, max_size=7),
    entries=st.lists(st.lists(st.integers(-1, 1), min_size=5, max_size=5), min_size=0, max_size=3),
    values=st.lists(st.lists(st.integers(-1, 2), min_size=3, max_size=3), min_size=1, max_size=3),
)
def test_splitting_at_once_and_row_by_row(
    rows: list[list[int]], entries: list[list[int]], values: list[list[int]]
) -> None:
    given_rows = np.array(rows, dtype=np.int64)
    functionals = np.array([*([0, *entry] for entry in entries), [1, 0, 0, 0, 0, 0]], dtype=np.int64)
    wanted = np.array([[*value[: len(entries)], 1] for value in values], dtype=np.int64)
    branches = tuple(Branch(0, 0, (), number, None) for number in range(len(values)))
    fork = Fork(0, branches, functionals, wanted)
    hull = Hull.of(given_rows)
    free, points = split(fork, hull.basis)
    parting = Parting(fork)
    grown: dict[int, list[np.ndarray]] = {}
    for row in hull.basis:
        for number, added in parting.take(np.mod(row[None], 1_048_573).astype(np.float64)).items():
            grown.setdefault(number, []).append(added)
    for number, value in enumerate(wanted):
        met = hull.meet(functionals[:-1] - np.outer(value[:-1], functionals[-1]))
        assert (number in points) == bool(np.any(met[:, 0])) == (number in grown)
        if number in points:
            both = np.vstack([free, points[number][None]])
            assert same(Hull.of(both), Hull.of(met))
            residues = np.concatenate(grown[number]).astype(np.int64)
            assert len(residues) == len(met)
            assert not np.any(np.mod(Hull.of(met).equations @ residues.T, 1_048_573))
