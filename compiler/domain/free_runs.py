"""Free runs of a machine: its tokens in any order that leaves one symbol in each cell, and the spans of their counts.

A free run begins with a prompt for each cell; then come tokens that ask, each of which may write over what its cell
holds. It need not be a run, but the answer to its last token is well defined, by the invariant of the construction
(`program_to_rules.machine`): it depends only on what the cells hold. Every run is a free run, from any state on any
tape, and a free run with the answer appended is one again. So what all free runs span contains all that the machine can
reach, at any length: a domain that data can always fill, which is not true of the hulls that Karr's analysis finds
(`domain.hulls`).

The spans are known in closed form, location by location (the location is the last token). Cells do not depend on each
other, and what happens to one cell is a walk: from the outside along a prompt to a symbol g, then along tokens that
write w over g, each an edge from g to w. Tokens that write nothing stand anywhere, as often as one likes. So at a last
token that writes at cell c along the edge from g to w, the span is that of

* for cell c, the walks that end with this edge: those to g, and the edge;
* for another cell, all walks; for each token that writes nothing, the token.

Fix a walk to(v) from the outside to each symbol v by a breadth-first search, and a walk from(v) from v to g by another.
For an edge e from u to v on some walk to g let f(e) = to(u) + e + from(v). A walk e_1 .. e_k to g through v_1 ..
v_(k-1) is the sum of the f(e_i) less the sum of to(v_i) + from(v_i), and each of these is f of the last edge of
to(v_i): so the f(e) span the walks to g, and they are walks to g themselves. Likewise to(u) + e spans all walks.
(Kirchhoff's law, as for automata: `domain.token_graph`.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from compiler.domain.hulls import Hull, Rows
from compiler.domain.system import System
from compiler.program_to_rules.lowering import Turn
from compiler.program_to_rules.machine import LoweredMachine

OUTSIDE = -1
"""Where the walk of a cell begins, before its prompt."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A token as a step in the walk of a cell: it writes `after` over `before`."""

    token: int
    cell: int
    before: int
    after: int


def free_runs(system: System, random: Generator) -> Iterator[list[Turn]]:
    """Random free runs without end: a tape, then each token that asks twice, in a random order, where it can stand."""
    lowering = system.lowering
    assert isinstance(lowering, LoweredMachine)
    names, given = lowering.tokens.names, np.flatnonzero(lowering.prompts[0] >= 0)
    asking = {token: (*lowering.configuration(token), edge_of(lowering, token)) for token in system.asked_at}
    order = np.repeat(list(asking), 2)
    while True:
        tape = random.choice(given, size=lowering.layout.cells).tolist()
        turns: list[Turn] = [(names[lowering.prompts[p, g]], None) for p, g in enumerate(tape)]
        for token in random.permutation(order).tolist():
            q, p, edge = asking[token]
            if edge is None or tape[edge.cell] == edge.before:
                if edge is not None:
                    tape[edge.cell] = edge.after
                turns.append((names[token], names[int(lowering.answers[q, tape[p], p])]))
        yield turns


def free_hulls(system: System) -> dict[int, Hull]:
    """By location, the span of the counts of all free runs that end there; none where no free run does."""
    lowering = system.lowering
    assert isinstance(lowering, LoweredMachine)
    edges = {token: edge_of(lowering, token) for token in system.asked_at}
    walks = [_Walks(lowering, p, [e for e in edges.values() if e is not None and e.cell == p], system.size)
             for p in range(lowering.layout.cells)]  # fmt: skip
    idle = np.zeros((sum(edge is None for edge in edges.values()), system.size + 1), dtype=np.int64)
    idle[np.arange(len(idle)), [1 + token for token, edge in edges.items() if edge is None]] = 1
    every = [each.everywhere() for each in walks]
    found = {}
    for token, edge in edges.items():
        parts = list(every)
        if edge is not None:
            if edge.before not in walks[edge.cell].to:
                continue
            parts[edge.cell] = walks[edge.cell].ending(edge)
        found[token] = Hull.of(np.concatenate([_joined(parts, token if edge is None else None), idle]))
    return found


def _joined(parts: list[Rows], last: int | None) -> Rows:
    """Rows that span the sums of one walk (a row of counts) of each part, and of the last token."""
    base = np.sum([part[0] for part in parts], axis=0)
    base[0] = 1
    if last is not None:
        base[1 + last] += 1
    return np.concatenate([base[None], *(part[1:] - part[0] for part in parts)])


class _Walks:
    """The walks of one cell as counts (1 + T,), with a leading 0."""

    def __init__(self, lowering: LoweredMachine, p: int, edges: list[Edge], size: int) -> None:
        prompts = [Edge(int(token), p, OUTSIDE, g) for g, token in enumerate(lowering.prompts[p]) if token >= 0]
        self.edges, self.size = [*prompts, *edges], size
        self.to = self._shortest(OUTSIDE, forward=True)

    def _step(self, edge: Edge) -> Rows:
        step = np.zeros(self.size + 1, dtype=np.int64)
        step[1 + edge.token] = 1
        return step

    def _shortest(self, end: int, *, forward: bool) -> dict[int, Rows]:
        """A shortest walk from `end` to each symbol (`forward`), or from each to `end`."""
        found = {end: np.zeros(self.size + 1, dtype=np.int64)}
        queue = [end]
        for node in queue:
            for edge in self.edges:
                near, far = (edge.before, edge.after) if forward else (edge.after, edge.before)
                if near == node and far not in found:
                    found[far] = found[node] + self._step(edge)
                    queue.append(far)
        return found

    def everywhere(self) -> Rows:
        """What spans all walks, that of a prompt first."""
        return np.array([self.to[edge.before] + self._step(edge) for edge in self.edges if edge.before in self.to])

    def ending(self, last: Edge) -> Rows:
        """What spans the walks whose last edge is `last`."""
        back = self._shortest(last.before, forward=False)
        useful = [edge for edge in self.edges if edge.before in self.to and edge.after in back]
        return np.array([self.to[e.before] + self._step(e) + back[e.after] + self._step(last) for e in useful])


def edge_of(lowering: LoweredMachine, token: int) -> Edge | None:
    """The step of the cell that a token writes; None where it writes nothing."""
    places, values = lowering.tokens.entries(token)
    width, symbols = lowering.layout.width, len(lowering.layout.symbols)
    found = {
        value: divmod(place, width)
        for place, value in zip(places.tolist(), values.tolist(), strict=True)
        if 1 <= place % width <= symbols
    }
    return Edge(token, found[1][0], found[-1][1] - 1, found[1][1] - 1) if found else None
