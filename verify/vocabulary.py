"""Vocabularies: a model is weights and embeddings, and what its tokens say is read from the embeddings.

The outcome and the output of a run are read from coordinates of its tokens (accept, defined, emit[...]: set where the
entry is above one half). A model whose embedding of a token says something else than the program's is another
program, even where its answers are right token by token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.domain.token_graph import TokenGraph
from compiler.program_to_rules.automaton import ACCEPT, DEFINED, LoweredAutomaton
from compiler.vocabulary import Vocabulary
from verify.same_on_domain import Word, word_order
from verify.verdict import Counterexample


def different_tokens(left: Mapping[str, NDArray[Any]], right: Mapping[str, NDArray[Any]]) -> list[str]:
    """The names that both have, with different embeddings."""
    if isinstance(left, Vocabulary) and isinstance(right, Vocabulary) and left.d == right.d:
        return left.differing(right)
    return [name for name, vector in left.items() if name in right and not np.array_equal(vector, right[name])]


def least_misread(graph: TokenGraph, left: LoweredAutomaton, right: LoweredAutomaton) -> Word | None:
    """The least word whose last token (of the program's run) reads differently under the two vocabularies."""
    return min(_misread(graph, left, right), key=word_order(graph), default=None)


def _misread(graph: TokenGraph, left: LoweredAutomaton, right: LoweredAutomaton) -> Iterator[Word]:
    if any(_read(left, name) != _read(right, name) for name in left.start):
        yield ()
    for edge in graph.edges:
        name = left.answers[edge.source, edge.symbol]
        if _read(left, name) != _read(right, name):
            yield (*graph.words[edge.source], edge.symbol)


def output_places(lowering: LoweredAutomaton) -> list[int]:
    """The places of the coordinates from which outcome and output are read."""
    named = enumerate(lowering.coordinates)
    return [place for place, name in named if name in (ACCEPT, DEFINED) or name.startswith("emit[")]


def _read(lowering: LoweredAutomaton, name: str) -> tuple[str, ...]:
    """The output coordinates that are set in the embedding of a token."""
    vector = lowering.tokens[name]
    return tuple(lowering.coordinates[place] for place in output_places(lowering) if 2 * vector[place] > 1)


def read_otherwise(word: Word, left: LoweredAutomaton, right: LoweredAutomaton) -> Counterexample:
    """The counterexample `word`: its last token says one thing in the first vocabulary and another in the second."""
    name = left.trace(word)[-1]
    expected, got = (" ".join(_read(lowering, name)) or "no output" for lowering in (left, right))
    where = f"the embedding of {name}, token {len(left.trace(word)) - 1}"
    return Counterexample(word, f"{name}, which says {expected}", f"{name}, which says {got}", where)
