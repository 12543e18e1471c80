"""Domain: a model answers as its program on every configuration that the program can reach, at every length.

`answers` reduces it to finitely many equations; where one fails, the shortest counterexample follows. A configuration
at which two things differ contains the start, or an edge, whose values differ. If the start values for some last
symbol differ, that symbol alone is a counterexample of length 1. Otherwise walks without differing edges agree, so the
first differing edge on a walk makes the difference: a shortest counterexample is a shortest walk to a differing edge,
the edge, and the last symbol. Least words to each node come from the breadth-first search, so the least counterexample,
by length and then in the order of the alphabet, is the least of these candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from compiler.attention import attention
from compiler.domain.token_graph import TokenGraph
from compiler.exact import scaled
from compiler.heads_to_rules import exact_heads
from compiler.model import Model
from verify.answers import Answers, Integers
from verify.verdict import Counterexample

Word = tuple[str, ...]


def shortest_difference(
    graph: TokenGraph, left: Callable[[str], Answers], right: Callable[[str], Answers]
) -> Word | None:
    """The least word at whose last symbol `left` and `right` answer differently; None where there is none."""
    return min(_candidates(graph, left, right), key=word_order(graph), default=None)


def word_order(graph: TokenGraph) -> Callable[[Word], tuple[int, list[int]]]:
    """The order of words: by length, then in the order of the alphabet."""
    order = {symbol: number for number, symbol in enumerate(graph.lasts)}
    return lambda word: (len(word), [order[symbol] for symbol in word])


def _candidates(graph: TokenGraph, left: Callable[[str], Answers], right: Callable[[str], Answers]) -> Iterator[Word]:
    for symbol in graph.lasts:
        at_start, edges = left(symbol).differences(right(symbol))
        if at_start:
            yield (symbol,)
        for number in edges.tolist():
            edge = graph.edges[number]
            yield (*graph.words[edge.source], edge.symbol, symbol)


def replayed(graph: TokenGraph, word: Word, model: Model) -> tuple[Integers, int]:
    """The exact answer of `model` at the last symbol of the program's run on `word`: numerators (d,), denominator.

    Computed by the definition of the layer from the tokens themselves, independently of `answers`.
    """
    lowering = graph.lowering
    tokens, below = scaled(np.stack([lowering.tokens[name] for name in lowering.trace(word)[:-1]]))
    heads, denominator = exact_heads(model.heads)
    d = model.d
    v = np.array([head.V.dense(d).astype(object) for head in heads]).reshape(-1, d, d)
    q = np.array([head.Q.dense(d).astype(object) for head in heads]).reshape(-1, d, d)
    return attention(v, q, tokens.astype(object)), denominator * below**3


def against_program(graph: TokenGraph, word: Word, model: Model) -> Counterexample:
    """The counterexample `word` to "the model is the program", replayed. Raises ArithmeticError if it is none."""
    name = graph.lowering.trace(word)[-1]
    expected, below = scaled(graph.lowering.tokens[name])
    shown = parted(expected.astype(object), below, *replayed(graph, word, model), model)
    return Counterexample(word, name, shown[1], _place(graph, word))


def against_model(graphs: Sequence[TokenGraph], word: Word, first: Model, second: Model) -> Counterexample:
    """The counterexample `word` to "these models agree on the program's domain", each on its own graph, replayed."""
    left, right = (replayed(graph, word, model) for graph, model in zip(graphs, (first, second), strict=True))
    return Counterexample(word, *parted(*left, *right, first), _place(graphs[0], word))


def parted(a: Integers, below_a: int, b: Integers, below_b: int, model: Model) -> tuple[str, str]:
    """Two different answers in words, the second with the distance where the words are the same.

    Raises ArithmeticError if they do not differ: a counterexample that does not replay is never printed.
    """
    apart = a * below_b - b * below_a
    if not np.any(apart != 0):
        raise ArithmeticError("a counterexample does not replay; this is a mistake of the verifier")
    first, second = described(a, below_a, model), described(b, below_b, model)
    if first == second:
        place = int(np.flatnonzero(apart != 0)[0])
        size = _scientific(Fraction(-int(apart[place]), below_a * below_b))
        second += f" (differs by {size} in {model.coordinates[place]})"
    return first, second


def _scientific(value: Fraction) -> str:
    """A rational to three digits, also where it is too small or too large for a float."""
    return f"{Decimal(value.numerator) / Decimal(value.denominator):.3e}"


def described(numerators: Integers, denominator: int, model: Model) -> str:
    """An answer in words: the token that it is, or its coordinates."""
    words, places = model.vocabulary, np.flatnonzero(numerators != 0)
    entries = {place: Fraction(int(numerators[place]), denominator) for place in places.tolist()}
    for number in words.at(places):
        if {place: Fraction(value) for place, value in words.listed(number).items()} == entries:
            return words.names[number]
    parts = []
    for place in places.tolist():
        value = int(numerators[place])
        exact = f"{value // denominator:+}" if value % denominator == 0 else _signed(Fraction(value, denominator))
        parts.append(f"{exact} {model.coordinates[place]}")
    return " ".join(parts[:8]) + (" ..." if len(parts) > 8 else "") or "zero"


def _signed(value: Fraction) -> str:
    """A rational as the shortest float that is nearest to it, signed; a fraction where it is short."""
    if value.denominator < 1000:
        return f"{value.numerator:+}/{value.denominator}"
    return f"{Decimal(value.numerator) / Decimal(value.denominator):+.6g}"


def _place(graph: TokenGraph, word: Word) -> str:
    return f"the answer to {graph.lowering.letters[word[-1]]}, token {len(graph.lowering.trace(word)) - 1}"
