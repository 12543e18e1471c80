"""networkx graphs to automata: the file of `Automaton.from_networkx`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from compiler.errors import ProgramError
from compiler.program.automaton import Automaton

if TYPE_CHECKING:
    import networkx


def from_networkx(graph: networkx.MultiDiGraph[Any], *, name: str) -> Automaton:
    """The automaton that `graph` draws; see `Automaton.from_networkx` for the attributes that are read."""
    from compiler.program.algebra import determinise

    if not graph.is_directed():
        raise ProgramError(f"{name}: the graph is not directed; use DiGraph or MultiDiGraph")
    nodes = {node: str(node) for node in graph.nodes}
    if len(set(nodes.values())) != len(nodes):
        raise ProgramError(f"{name}: two nodes have the same text, so their states would have the same name")
    starts = [nodes[node] for node, data in graph.nodes(data=True) if data.get("start")]
    if len(starts) != 1:
        raise ProgramError(f"{name}: {len(starts)} nodes have the attribute start=True, expected exactly one")
    accept = frozenset(nodes[node] for node, data in graph.nodes(data=True) if data.get("accept"))
    moore = {nodes[node]: str(data["emits"]) for node, data in graph.nodes(data=True) if "emits" in data}
    moves: dict[tuple[str, str | None], list[str]] = {}
    mealy: dict[tuple[str, str], str] = {}
    for source, target, data in graph.edges(data=True):
        symbol = _symbol(data)
        targets = moves.setdefault((nodes[source], symbol), [])
        if nodes[target] not in targets:
            targets.append(nodes[target])
        if "emits" in data:
            output = str(data["emits"])
            if symbol is None or mealy.setdefault((nodes[source], symbol), output) != output:
                what = "an epsilon move" if symbol is None else f"two moves by {symbol!r} with different outputs"
                raise ProgramError(f"{name}: state {nodes[source]!r} emits on {what}; outputs must be deterministic")
    alphabet = tuple(dict.fromkeys(symbol for _, symbol in moves if symbol is not None))
    deterministic = all(symbol is not None and len(targets) == 1 for (_, symbol), targets in moves.items())
    if not deterministic:
        if moore or mealy:
            raise ProgramError(f"{name}: a nondeterministic graph cannot have outputs; remove `emits` or the choices")
        return determinise(alphabet, starts, moves, accept, name=name)
    transitions = {(q, s): targets[0] for (q, s), targets in moves.items() if s is not None}
    judged = accept if accept or not (moore or mealy) else None
    return Automaton(
        name, alphabet, tuple(nodes.values()), starts[0], transitions, judged, moore or None, mealy or None
    )


def _symbol(data: Mapping[str, Any]) -> str | None:
    symbol = data.get("symbol", data.get("label"))
    return None if symbol is None else str(symbol)
