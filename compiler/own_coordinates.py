"""Models that share no basis with a program, only the names of its tokens: they keep coordinates of their own.

A model trained with embeddings of its own, or turned by a matrix of floats, is near to no linear image of the program.
But which tokens a run has, and which of them is right, is the program's affair, and which embedding is nearest to an
answer the model's: no coordinate of the program is needed, but that outcome and output are those of the token. So there
may be any number of coordinates. What no run of the program uses need not be embedded, and is then no choice either.
"""

from __future__ import annotations

from dataclasses import replace

from compiler.domain.token_graph import token_graph
from compiler.model import Model
from compiler.program import Automaton, Program
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.lower import lower
from compiler.rules import Form


def in_own_coordinates(model: Model, program: Program) -> Model | None:
    """`model` as `program` in its own coordinates; None unless it embeds all tokens of the runs of an automaton."""
    if not isinstance(program, Automaton):
        return None
    graph, words = token_graph(lower(program)), model.vocabulary
    used = {*graph.start_tokens, *(token for edge in graph.edges for token in edge.tokens)}
    if not all(graph.names[token] in words for token in used):
        return None
    embedded = words.chosen([words.numbers[name] for name in graph.names if name in words])
    return replace(model, tokens=embedded, program=program)


def embedded(lowering: LoweredAutomaton, model: Model) -> LoweredAutomaton:
    """`lowering` with its tokens as the model embeds them; in coordinates of the model's own no rules are known."""
    if model.coordinates == lowering.coordinates:
        return replace(lowering, tokens=model.vocabulary)
    kept = [lowering.tokens.numbers[name] for name in model.vocabulary]
    form = Form.of(model.coordinates, [])
    asks, replies = lowering.asks[kept], lowering.replies[kept]
    return replace(lowering, form=form, tokens=model.vocabulary, asks=asks, replies=replies)
