"""Teaching sets: few long words whose supervised positions span every reachable configuration.

What a position shows is the vector of fast weights at its last token l (one space for each l); its dimension, summed
over l, is the rank that a certified set must reach, and a position adds at most one to it. Only positions that add one
are supervised, so these are as few as can be. The words are walks on the token graph. From where the walk stands it
goes to the nearest place where some letter shows something new:

* if the weights S here are not in the span of what letter s has shown, read s now;
* else, if the steps of a reachable edge e are not in the span for s, walk to e, along it, and read s: what is shown
  there is S(source) + steps(e), the first summand is in the span, the second is not, so it is new;
* else no continuation of this word shows anything new, and a new word begins. When that holds at the start as well,
  every span contains start + l and all steps(e): it is the whole reachable span, and the set is certified.

Spans are kept modulo a small prime (`compiler.spans`). An unlucky prime could only make a vector look
old that is new; the certificate (`learning.certificate`) is computed independently and exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.domain.token_graph import Edge, TokenGraph, token_graph
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.lowering import Turn
from compiler.spans import Span
from compiler.traces.teaching_by_steps import words_by_steps

MOST_EDGES = 400
"""Edges of a token graph up to which spans are kept; with more the steps are told apart by a partition."""


def teaching_runs(lowering: LoweredAutomaton) -> list[list[Turn]]:
    """Runs that are a certified set for the program; only answers to what shows something new are wanted."""
    graph = token_graph(lowering)
    taught = _Teacher(graph).words() if len(graph.edges) <= MOST_EDGES else words_by_steps(graph)
    return [wanted_turns(lowering.dialogue(word), new) for word, new in taught]


def wanted_turns(turns: Iterable[Turn], new: list[bool]) -> list[Turn]:
    """A run on a word, asked at those of its symbols that are `new`."""
    wanted = iter(new)
    return [(name, answer if answer is not None and next(wanted) else None) for name, answer in turns]


class _Teacher:
    """The walk and what it has shown so far, letter by letter."""

    def __init__(self, graph: TokenGraph) -> None:
        self.graph = graph
        self.out: dict[str, list[tuple[Edge, NDArray[Any]]]] = {}
        images, self.base = _injected(graph)
        for edge, image in zip(graph.edges, images, strict=True):
            self.out.setdefault(edge.source, []).append((edge, image))
        self.spans = {symbol: Span(images.shape[1]) for symbol in graph.lasts}
        self.shown: dict[str, NDArray[Any]] = {}
        self.used = dict.fromkeys(graph.edges, 0)

    def words(self) -> Iterator[tuple[list[str], list[bool]]]:
        """Words, and which of their symbols show something new."""
        while (found := self._word())[0]:
            yield found

    def _word(self) -> tuple[list[str], list[bool]]:
        """One word, as long as it shows anything new."""
        word: list[str] = []
        new: list[bool] = []
        node, shown = self.graph.start, self.base
        while (path := self._to_something_new(node, shown)) is not None:
            for edge, image in path:
                new.append(self.spans[edge.symbol].add(self._since(edge.symbol, shown)))
                self.shown[edge.symbol] = shown
                self.used[edge] += 1
                word.append(edge.symbol)
                node, shown = edge.target, shown + image
        return word, new

    def _to_something_new(self, node: str, shown: NDArray[Any]) -> list[tuple[Edge, NDArray[Any]]] | None:
        """The way to the nearest place where a letter shows something new, that letter included."""
        queue: list[tuple[str, NDArray[Any], list[tuple[Edge, NDArray[Any]]]]] = [(node, shown, [])]
        visited = {node}
        for here, weights, path in queue:
            if news := self._news(here, weights):
                return [*path, news]
            for edge, image in self.out[here]:
                if edge.target not in visited:
                    visited.add(edge.target)
                    queue.append((edge.target, weights + image, [*path, (edge, image)]))
                elif news := self._news(edge.target, weights + image):
                    return [*path, (edge, image), news]
        return None

    def _news(self, node: str, shown: NDArray[Any]) -> tuple[Edge, NDArray[Any]] | None:
        """The letter that shows something new at `node`; of several, the one whose edge was used least."""
        fresh = [each for each in self.out[node] if self._is_new(each[0].symbol, shown)]
        return min(fresh, key=lambda each: self.used[each[0]], default=None)

    def _is_new(self, symbol: str, shown: NDArray[Any]) -> bool:
        return bool(self.spans[symbol].rest(self._since(symbol, shown)).any())

    def _since(self, symbol: str, shown: NDArray[Any]) -> NDArray[Any]:
        """`shown` up to what the letter has shown before: a vector with few entries, in the span if `shown` is."""
        return shown - self.shown[symbol] if symbol in self.shown else shown


def _injected(graph: TokenGraph) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The edges' changes of S (E, r) and the start's S (r,), on coordinates that lose nothing of their span.

    S is read on the pairs {b, c} that occur in some token; of those, pivot columns are enough.
    """
    low, high = np.triu_indices(graph.vectors.shape[1])
    alive = np.flatnonzero(((graph.vectors[:, low] != 0) & (graph.vectors[:, high] != 0)).any(axis=0))
    squares = graph.vectors[:, low[alive]] * graph.vectors[:, high[alive]]
    images = graph.steps @ squares
    base = graph.counts(graph.start_tokens) @ squares
    span = Span(images.shape[1])
    for vector in (base, *np.unique(images, axis=0)):
        span.add(vector)
    columns = np.sort(span.pivots[: span.size])
    return images[:, columns], base[columns]
