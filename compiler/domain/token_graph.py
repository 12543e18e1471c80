"""Token graphs: the configurations of a program as walks, and the linear span of what they show to the layer.

With finitely many token types the fast weights are S = sum_j count_j t_j t_j^T, so a configuration is a vector of token
counts and a last token. For programs without guards (automata) the counts that go with a last token l are

    start + l + sum of steps(e) over the edges e of a walk from the start,

where steps(e) counts the tokens that the edge appends. Every prefix of a walk is a walk, so the differences of
neighbouring prefixes put each single steps(e) of a reachable edge into the span: it is spanned by start + l and all
steps(e). This is Kirchhoff's law for walks, in the form of Karr's affine hull (Karr 1976; Mueller-Olm and Seidl 2004),
and here it is exact, not only a superset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.errors import UnsupportedError
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.lowering import Lowering


@dataclass(frozen=True, slots=True)
class Edge:
    """A step of the program: from a node by an input symbol to a node, appending tokens (by number)."""

    source: str
    symbol: str
    target: str
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class TokenGraph:
    """The reachable part of a program as a graph whose edges append tokens.

    Attributes
    ----------
    names, vectors
        The token types: names, and vectors (T, d), integers for the program's own embeddings.
    start, start_tokens
        The first node, and the numbers of the tokens that begin every run.
    edges
        The reachable edges, breadth first, symbols in the order of the alphabet.
    lasts
        Symbol -> the number of its token: the tokens at which the layer is asked, from every node.
    """

    lowering: LoweredAutomaton
    names: tuple[str, ...]
    vectors: NDArray[Any]
    start: str
    start_tokens: tuple[int, ...]
    edges: tuple[Edge, ...]
    lasts: dict[str, int]

    @cached_property
    def words(self) -> dict[str, tuple[str, ...]]:
        """The least word (by length, then in the order of the alphabet) that leads to each node."""
        found: dict[str, tuple[str, ...]] = {self.start: ()}
        for edge in self.edges:
            if edge.target not in found:
                found[edge.target] = (*found[edge.source], edge.symbol)
        return found

    def counts(self, tokens: Sequence[int]) -> NDArray[np.int64]:
        """The count vector (T,) of some tokens."""
        return np.bincount(np.asarray(tokens, dtype=np.int64), minlength=len(self.names)).astype(np.int64)

    @cached_property
    def steps(self) -> NDArray[np.int64]:
        """The count vectors of all edges, (E, T)."""
        return np.array([self.counts(edge.tokens) for edge in self.edges], dtype=np.int64).reshape(-1, len(self.names))

    def base(self, symbol: str) -> NDArray[np.int64]:
        """The counts of the shortest configuration whose last token is `symbol`: start + that token."""
        return self.counts([*self.start_tokens, self.lasts[symbol]])

    def answer(self, node: str, symbol: str) -> int:
        """The number of the token that the program answers to `symbol` at `node`."""
        return self.numbers[self.lowering.answers[node, symbol]]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each token type by name."""
        return {name: number for number, name in enumerate(self.names)}


def token_graph(lowering: Lowering) -> TokenGraph:
    """The token graph of a lowered program, its edges in breadth-first order."""
    if not isinstance(lowering, LoweredAutomaton):
        raise UnsupportedError(f"this version does not decide the domain of a {lowering.program.kind}")
    numbers = lowering.tokens.numbers
    start = lowering.program.start
    nodes = {start: None}
    queue = [start]
    edges = []
    for node in queue:
        for symbol in lowering.program.alphabet:
            target = lowering.next_state(node, symbol)
            tokens = (numbers[lowering.letters[symbol]], numbers[lowering.answers[node, symbol]])
            edges.append(Edge(node, symbol, target, tokens))
            if target not in nodes:
                nodes[target] = None
                queue.append(target)
    vectors = lowering.tokens.dense()
    return TokenGraph(
        lowering,
        lowering.tokens.names,
        vectors,
        start,
        tuple(numbers[name] for name in lowering.start),
        tuple(edges),
        {symbol: numbers[name] for symbol, name in lowering.letters.items()},
    )
