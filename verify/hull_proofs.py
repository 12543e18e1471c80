"""Proofs by what runs span: the hulls that a checker is given. (`verify.check_hull_proof`)

Of a machine, on its own inputs, the hulls are those of its guarded system with histories (`domain.histories`); where
the model differs on these, those of the system that tells tapes apart (`domain.unfolding`), which runs span.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.domain.closing import closed
from compiler.domain.forks import forks_of, split
from compiler.domain.guarded import system_of
from compiler.domain.histories import on_own_inputs
from compiler.domain.hulls import Hull
from compiler.domain.premises import sparse, steps_of
from compiler.domain.system import IDLE, Branch, System
from compiler.domain.unfolding import unfolded
from compiler.errors import UnsupportedError
from compiler.model import Model
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowering import Lowering
from compiler.program_to_rules.machine import LoweredMachine
from verify.same_on_hulls import Asked, agrees_on

MOST_ENTRIES = 5_000_000
"""The most entries of the rows that are stored: of about ten bytes each."""


def hull_premises(lowering: Lowering) -> dict[str, Any]:
    """How the program's runs are made, and what it answers. Raises UnsupportedError for too many tokens."""
    system = _system(lowering)
    answers = [list(map(list, each.reads)) if each.answer is None else each.answer for each in system.branches]
    tokens = {"dimension": lowering.form.d, "tokens": sparse(lowering.tokens.dense())}
    return {"kind": "guarded", **tokens, **steps_of(system), "answers": answers}


def hull_proof(lowering: Lowering, model: Model) -> dict[str, Any]:
    """Hulls on which `model` answers as the program, with what each branch leads to.

    Raises UnsupportedError where they are too many or too large, and where the model differs on each that is tried.
    """
    system = _system(lowering)
    asked = Asked(model, lowering)
    for finer in _systems(system):
        hulls = closed(finer, {})
        if agrees_on(asked, finer, hulls):
            return _stored(system, finer, hulls)
    raise UnsupportedError(
        f"this version stores no proof of this verdict on {lowering.program.kind} {lowering.program.name}: the model "
        "is not its program on all of the hulls that a checker can be given"
    )


def _system(lowering: Lowering) -> System:
    if isinstance(lowering, LoweredDenseMemory):
        raise UnsupportedError(
            f"memory {lowering.program.name} in few dimensions has {len(lowering.tokens):,} tokens; that a model which "
            "has other rules answers alike on the runs that span its configurations is not stored in this version"
        )
    system = system_of(lowering)
    return on_own_inputs(system) if isinstance(lowering, LoweredMachine) else system


def _systems(system: System) -> Iterator[System]:
    yield system
    if isinstance(system.lowering, LoweredMachine):
        yield unfolded(system)


def _stored(system: System, finer: System, hulls: Mapping[int, Hull]) -> dict[str, Any]:
    """The hulls of `finer`, as nodes over the branches of `system`."""
    size = sum(int((hull.basis != 0).sum()) for hull in hulls.values())
    if size > MOST_ENTRIES:
        raise UnsupportedError(f"the rows of the hulls have {size:,} entries, and up to {MOST_ENTRIES:,} are stored")
    numbers = {location: number for number, location in enumerate(sorted(hulls))}
    following: list[int | None]
    leading: dict[int, dict[object, int | None]] = {}
    for location, forks in forks_of(finer).items():
        for fork in forks if location in hulls else ():
            taken = [fork.branches[number] for number in split(fork, hulls[location].basis).points]
            leading.setdefault(location, {}).update({_which(branch): branch.target for branch in taken})
    listed: dict[int, list[Branch]] = {}
    for branch in system.branches:
        listed.setdefault(branch.location, []).append(branch)
    nodes = []
    for location in numbers:
        if location == IDLE:
            place, following = IDLE, [numbers[token] for token in system.inputs]
        else:
            place = location if finer is system else finer.asked_at[location]
            ways = [leading.get(location, {}).get(_which(branch)) for branch in listed[place]]
            following = [None if way is None else numbers[way] for way in ways]
        nodes.append([place, sparse(hulls[location].basis), following])
    return {"starts": [numbers[initial.location] for initial in finer.initials], "nodes": nodes}


def _which(branch: Branch) -> object:
    """What tells a branch from the others at its location."""
    return branch.guards, branch.answer
