"""Machines as guarded systems whose guards say more: what a cell holds says which tokens cannot have come.

A cell's history is a walk through its symbols: from the outside along a prompt, then along the tokens that write to it
(`domain.free_runs`). Let a cell hold g. A token that wrote (or prompted) w came only if some walk leads on from w to g:
there was one. So where none does, its count is zero, and a branch at which the cell is read as g may say so in its
guards. The runs are the same; the hulls that are closed under these guards are smaller, as they need no longer contain
what circulates through symbols that were left for good. They are within the spans of all free runs, in fact:

The free runs that end at a token span, cell by cell, all walks (those that end with its edge, for the cell that it
writes). Intersected with the new guards at a cell, what remains of this cell are flows from the outside to g, of total
one, along edges that walks to g have. An edge from g back to the outside makes their graph strongly connected, and the
cycles of such a graph span its circulations. So what remains is spanned by the walks to g, and those followed by the
branch's answer are among what spans the free runs that end there.
"""

from __future__ import annotations

from dataclasses import replace

from compiler.domain.free_runs import OUTSIDE, Edge, edge_of
from compiler.domain.machine_system import own_inputs
from compiler.domain.system import COUNT, Branch, Pair, System
from compiler.program_to_rules.machine import LoweredMachine


def with_histories(system: System) -> System:
    """The system of a machine, each branch also guarded by the counts of tokens that cannot have come."""
    lowering = system.lowering
    assert isinstance(lowering, LoweredMachine)
    edges: list[list[Edge]] = [
        [Edge(token, p, OUTSIDE, g) for g, token in enumerate(row) if token >= 0]
        for p, row in enumerate(lowering.prompts.tolist())
    ]
    for token in system.asked_at:
        edge = edge_of(lowering, token)
        if edge is not None:
            edges[edge.cell].append(edge)
    known: dict[tuple[int, int], tuple[tuple[Pair, int], ...]] = {}

    def guarded(branch: Branch) -> Branch:
        cell = read_at(lowering, branch)
        if cell not in known:
            leading = _leading_to(cell[1], edges[cell[0]])
            known[cell] = tuple(((COUNT, edge.token), 0) for edge in edges[cell[0]] if edge.after not in leading)
        return branch._replace(guards=(*branch.guards, *known[cell]))

    return replace(system, branches=tuple(map(guarded, system.branches)))


def on_own_inputs(system: System) -> System:
    """The system of a machine with histories, its runs beginning at the program's own inputs."""
    lowering = system.lowering
    assert isinstance(lowering, LoweredMachine)
    return with_histories(replace(system, initials=own_inputs(lowering)))


def read_at(lowering: LoweredMachine, branch: Branch) -> tuple[int, int]:
    """The cell that a branch of a machine reads, and the symbol that it reads there."""
    _, cell = lowering.configuration(branch.question)
    held = [pair for pair, value in branch.guards if value]
    return cell, held[0][1] - cell * lowering.layout.width - 1


def _leading_to(symbol: int, edges: list[Edge]) -> set[int]:
    """The symbols from which some walk leads to `symbol`."""
    found = {symbol}
    queue = [symbol]
    for after in queue:
        fresh = {edge.before for edge in edges if edge.after == after} - found
        found |= fresh
        queue += fresh
    return found
