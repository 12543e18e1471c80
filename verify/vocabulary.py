"""Vocabularies: a model is weights and embeddings, and what its tokens say is read from the embeddings.

The outcome and the output of a run are read from coordinates of its tokens (accept, defined, emit[...]: set where the
entry is above one half). A model whose embedding of a token says something else than the program's is another
program, even where its answers are right token by token. In coordinates of a model's own a token is read as the one
that it is, so it is misread where another answer has the same embedding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.domain.token_graph import TokenGraph
from compiler.program_to_rules.automaton import ACCEPT, DEFINED, LoweredAutomaton
from compiler.program_to_rules.lowering import Asks
from compiler.vocabulary import Vocabulary
from verify.same_on_domain import Word, word_order
from verify.verdict import BY_NAME, OWN, Counterexample


def different_tokens(left: Mapping[str, NDArray[Any]], right: Mapping[str, NDArray[Any]]) -> list[str]:
    """The names that both have, with different embeddings."""
    if isinstance(left, Vocabulary) and isinstance(right, Vocabulary) and left.d == right.d:
        return left.differing(right)
    return [name for name, vector in left.items() if name in right and not np.array_equal(vector, right[name])]


def embedded_as(graph: TokenGraph, own: LoweredAutomaton) -> tuple[str, ...]:
    """What a verdict on `graph`, whose tokens a model embeds, rests on; `own` is in the program's coordinates."""
    return (OWN,) if graph.lowering.coordinates == own.coordinates else (BY_NAME,)


def least_misread(graph: TokenGraph, left: LoweredAutomaton, right: LoweredAutomaton) -> Word | None:
    """The least word whose last token (of the program's run) reads differently under the two vocabularies."""
    return min(_misread(graph, left, right), key=word_order(graph), default=None)


def _misread(graph: TokenGraph, left: LoweredAutomaton, right: LoweredAutomaton) -> Iterator[Word]:
    misread = _names_misread(left, right)
    if not misread.isdisjoint(left.start):
        yield ()
    for edge in graph.edges:
        if left.answers[edge.source, edge.symbol] in misread:
            yield (*graph.words[edge.source], edge.symbol)


def _names_misread(left: LoweredAutomaton, right: LoweredAutomaton) -> set[str]:
    """The tokens that say something else in the right vocabulary than they do in the left."""
    if left.coordinates == right.coordinates:
        return {name for name in (*left.start, *left.answers.values()) if _read(left, name) != _read(right, name)}
    return {name for names in _embedded_alike(right) for name in names}


def _embedded_alike(lowering: LoweredAutomaton) -> list[list[str]]:
    """The answers that share their embedding with others, with these."""
    names: dict[frozenset[tuple[int, Any]], list[str]] = {}
    for number in np.flatnonzero(lowering.replies != Asks.NOTHING).tolist():
        names.setdefault(frozenset(lowering.tokens.listed(number).items()), []).append(lowering.tokens.names[number])
    return [alike for alike in names.values() if len(alike) > 1]


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
    where = f"the embedding of {name}, token {len(left.trace(word)) - 1}"
    if left.coordinates != right.coordinates:
        other = next(n for alike in _embedded_alike(right) if name in alike for n in alike if n != name)
        return Counterexample(word, name, f"{name}, which is embedded just as {other} is", where)
    expected, got = (" ".join(_read(lowering, name)) or "no output" for lowering in (left, right))
    return Counterexample(word, f"{name}, which says {expected}", f"{name}, which says {got}", where)
