"""Teaching sets for automata of many states: walks that make one step after the other known, letter by letter.

With a letter s last, a position shows start + s + the steps walked so far. Once the start (with s) is known and s is
asked where only known steps were walked, and one more step e, what it shows is the known plus e: it adds one to the
rank, and e is known (`domain.known_steps`: no linear algebra is needed to say so). From where a walk stands it goes
through known steps to the nearest edge whose step is not known, along it, and asks s there. Where no such edge can be
reached a new word begins; from the start, the first edge that is not known on the way to any such is reached through
known ones, so all steps of reachable edges become known: the set is certified, and each of its positions was needed for
the span of the counts. (Asking s is a step as well, so after s was asked at q the step of (q, s) is the first of the
walk; where it is not known, s is asked again.)

`traces.teaching` walks for all letters at once and looks at what S shows rather than at counts, which is less where
answers of several edges are linearly dependent; it takes time with the cube of the number of edges, this one nearly
linear.
"""

from __future__ import annotations

from collections.abc import Iterator

from compiler.domain.known_steps import KnownSteps
from compiler.domain.token_graph import Edge, TokenGraph


def words_by_steps(graph: TokenGraph) -> Iterator[tuple[list[str], list[bool]]]:
    """Words that are a certified set for the program of `graph`, and which of their symbols show something new."""
    out: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        out.setdefault(edge.source, []).append(edge)
    for symbol in graph.lasts:
        yield from _course(graph, out, symbol)


def _course(graph: TokenGraph, out: dict[str, list[Edge]], symbol: str) -> Iterator[tuple[list[str], list[bool]]]:
    """The words of one letter: they are asked at it alone."""
    known = KnownSteps(graph)
    asks = {edge.source: edge for edge in graph.edges if edge.symbol == symbol}
    word, new = [symbol], [True]  # the first position makes the start known
    last = asks[graph.start]
    while True:  # of the steps since the letter was asked all are known, save perhaps the last
        if last in known:
            path = _to_unknown(out, known, last.target)
            if path is None:
                yield word, new
                word, new = [], []
                path = _to_unknown(out, known, graph.start)
            if path is None:
                return
            word += [edge.symbol for edge in path]
            new += [False] * len(path)
            last = path[-1]
        known.learn(last)
        word.append(symbol)
        new.append(True)
        last = asks[last.target]


def _to_unknown(out: dict[str, list[Edge]], known: KnownSteps, start: str) -> list[Edge] | None:
    """The shortest way through known steps that ends with one that is not; None where there is none."""
    came: dict[str, Edge | None] = {start: None}
    for node in (queue := [start]):
        for edge in out[node]:
            if edge not in known:
                way = [edge]
                while (before := came[way[-1].source]) is not None:
                    way.append(before)
                return way[::-1]
            if edge.target not in came:
                came[edge.target] = edge
                queue.append(edge.target)
    return None
