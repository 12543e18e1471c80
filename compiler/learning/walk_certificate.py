"""The certificate for runs of an automaton, letter by letter, in the space of token counts.

Where data are walks on the automaton's token graph, what they show to a letter s lies in the span of start + s and all
steps (`domain.token_graph`), whose dimension is at most one more than that of the steps, which is the number of tokens
less the number of classes that the edges join (`domain.known_steps`). If what is shown has this rank modulo a prime,
it has it over the rationals, and is all of that span; so the features at s, which are linear in the counts, span all
that can be reached. The condition is sufficient, and costs nearly nothing; where it fails, features decide
(`learning.certificate`), whose span can be smaller than that of counts.
"""

from __future__ import annotations

from itertools import pairwise, zip_longest

import numpy as np
from scipy.sparse import csr_array

from compiler.domain.known_steps import KnownSteps
from compiler.domain.token_graph import TokenGraph, token_graph
from compiler.learning.count_certificate import Certificate
from compiler.learning.letters import Types, letters_of, squares_of, types_of
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.sparse_rank import sparse_rank
from compiler.traces.data_set import DataSet


def certificate_of_walks(data: DataSet, lowering: LoweredAutomaton) -> Certificate | None:
    """The certificate of integer data, if they are walks and certified; None where this does not say so."""
    graph, types = token_graph(lowering), types_of(data)
    letters = letters_of(types)
    if letters is None or not _are_walks(graph, types):
        return None
    known = KnownSteps(graph)
    wanted = 1 + sum(known.learn(edge) for edge in graph.edges)
    ranks = {letter.coordinate: sparse_rank(letter.changes) for letter in letters}
    asked = {int(np.flatnonzero(graph.vectors[last])[0]) for last in graph.lasts.values()}
    if ranks.keys() != asked or min(ranks.values()) < wanted:
        return None
    span = _span(graph)
    return Certificate(True, span, span, None)


def _are_walks(graph: TokenGraph, types: Types) -> bool:
    """Whether each sequence is the beginning of a run of the program."""
    numbers = {vector.tobytes(): number for number, vector in enumerate(types.vectors)}
    type_of = [numbers.get(vector.tobytes(), -1) for vector in graph.vectors.astype(np.int64)]
    start = [type_of[token] for token in graph.start_tokens]
    steps: dict[tuple[str, int], tuple[int, str]] = {}
    for edge in graph.edges:
        letter, answer = edge.tokens
        steps[edge.source, type_of[letter]] = type_of[answer], edge.target
    for begin, end in pairwise(types.offsets.tolist()):
        body = begin + len(start)
        here, rest = types.places[begin:body].tolist(), types.places[body:end].tolist()
        if here != start or not _is_walk(graph.start, steps, rest):
            return False
    return True


def _is_walk(node: str, steps: dict[tuple[str, int], tuple[int, str]], tokens: list[int]) -> bool:
    """Whether letters and answers take turns as `steps` say, from `node`; the last answer may be left out."""
    for letter, answer in zip_longest(tokens[::2], tokens[1::2]):
        known = steps.get((node, letter))
        if known is None or answer not in (None, known[0]):
            return False
        node = known[1]
    return True


def _span(graph: TokenGraph) -> int:
    """The dimension of what can be reached, summed over the letters."""
    _, squares = squares_of(graph.vectors)
    steps = sorted({edge.tokens for edge in graph.edges})
    found = 0
    for last in graph.lasts.values():
        rows = [(*graph.start_tokens, last), *steps]
        lengths, tokens = [len(row) for row in rows], [token for row in rows for token in row]
        entries = np.ones(len(tokens), dtype=np.int64), (np.repeat(np.arange(len(rows)), lengths), tokens)
        found += sparse_rank(csr_array(entries, shape=(len(rows), len(graph.names))) @ squares)
    return found
