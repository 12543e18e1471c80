"""What a program, and what a model, answers on the domain: linear in the token counts, exactly.

With the last token l fixed, a model's answer is sum_j count_j u[j, l], where u[j, l] = sum_h V_h t_j (t_j . Q_h l) is
what token type j contributes. So over walks on the token graph the answer is a start value plus a value for each edge.
For a program the start value is its answer at the start node, and an edge adds the difference of the answers at its
ends.
Two things answer alike on the whole domain if and only if start values and edge values agree: "if" by adding along the
walk; "only if" because the walk to an edge, with and without the edge, are both configurations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.domain.token_graph import TokenGraph
from compiler.exact import plus, product, scaled, times
from compiler.heads_to_rules import exact_heads

Integers = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answers to one last symbol over the walks of a token graph, as integers over one denominator.

    Attributes
    ----------
    start
        (d,): the answer after no step.
    edges
        (E, d): what each edge adds.
    """

    start: Integers
    edges: Integers
    denominator: int

    def differences(self, other: Answers) -> tuple[bool, NDArray[np.int64]]:
        """Whether the start values differ, and the numbers of the edges whose values differ."""
        start = times(self.start, other.denominator) != times(other.start, self.denominator)
        edges = times(self.edges, other.denominator) != times(other.edges, self.denominator)
        return bool(start.any()), np.flatnonzero(edges.any(axis=1))


def program_answers(graph: TokenGraph, symbol: str) -> Answers:
    """What the program of `graph` answers to `symbol`."""
    vectors, below = scaled(graph.vectors)
    start = vectors[graph.answer(graph.start, symbol)]
    entered = vectors[[graph.answer(edge.target, symbol) for edge in graph.edges]]
    left = vectors[[graph.answer(edge.source, symbol) for edge in graph.edges]]
    return Answers(start, plus(entered, -left), below)


class ModelAnswers:
    """What a model answers over the walks of a token graph."""

    def __init__(self, heads: Sequence[Head], graph: TokenGraph) -> None:
        self.graph = graph
        self.heads, below = exact_heads(heads)
        self.vectors, token_below = scaled(graph.vectors)
        self.denominator = below * token_below**3  # the answer is cubic in the tokens
        self.appended = np.array([edge.tokens for edge in graph.edges], dtype=np.int64)

    def to(self, symbol: str) -> Answers:
        """The answers to the last symbol `symbol`."""
        graph = self.graph
        each = contributions(self.heads, self.vectors, self.vectors[graph.lasts[symbol]])
        start = each[graph.lasts[symbol]]
        for token in graph.start_tokens:
            start = plus(start, each[token])
        edges = each[self.appended[:, 0]]
        for place in range(1, self.appended.shape[1]):
            edges = plus(edges, each[self.appended[:, place]])
        return Answers(start, edges, self.denominator)


def contributions(heads: Sequence[Head], tokens: Integers, last: Integers) -> Integers:
    """u[j] = sum_h V_h t_j (t_j . Q_h l) for tokens (n, d) and a last token (d,), integer weights: (n, d), exactly."""
    total = np.zeros(tokens.shape, dtype=np.int64)
    for head in heads:
        scores = product(tokens, _applied(head.Q, last[None])[0])
        read = np.flatnonzero(scores)
        if len(read):
            seen = times(_applied(head.V, tokens[read]), scores[read][:, None])
            added = plus(total[read], seen)
            total = total if total.dtype == added.dtype else total.astype(object)
            total[read] = added
    return total


def _applied(matrix: Sparse, rows: Integers) -> Integers:
    """The matrix times each row (n, d), on the rows and columns that it has."""
    outs, out_place = np.unique(matrix.rows, return_inverse=True)
    ins, in_place = np.unique(matrix.columns, return_inverse=True)
    small = np.zeros((len(outs), len(ins)), dtype=matrix.weights.dtype)
    small[out_place, in_place] = matrix.weights
    made = product(rows[:, ins], small.T)
    full = np.zeros(rows.shape, dtype=made.dtype)
    full[:, outs] = made
    return full
