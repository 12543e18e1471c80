"""The horizon where answers are any affine functions of the steps: against every word, with exact fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.domain.token_graph import token_graph
from compiler.program_to_rules.lower import lower
from verify import horizon as searched
from verify.answers import Answers, program_answers
from verify.horizon import Decisions
from verify.margins import answer_tokens
from verify.strategies import automata


@settings(max_examples=150)
@given(
    automata(max_states=3, max_letters=2),
    st.integers(0, 10**6),
    st.integers(2, 6),
    st.sampled_from([0, 0, 1, 2]),
    st.sampled_from([1, 3**60]),
    st.sampled_from([1, 2, 40]),
)
def test_the_horizon_of_any_answers_is_that_of_all_words(program, seed, size, tolerance, large, most) -> None:
    """Answers that are whole numbers over a small one: many margins are just zero, or one.

    Times a large number, and with one added here and there, margins that are rounded are zero too early.
    """
    graph, rng = token_graph(lower(program)), np.random.default_rng(seed)
    answers = {}
    for symbol in graph.lasts:
        right = program_answers(graph, symbol)
        moved = [size * each + rng.integers(-1, 2, each.shape) for each in (right.start, right.edges)]
        start, edges = (
            each.astype(object) * large + rng.integers(-1, 2, each.shape) * (large > 1 and seed % 2) for each in moved
        )
        answers[symbol] = Answers(start, edges, size * right.denominator * large)
    radius = Fraction(tolerance, 8)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(searched, "MOST_STEPS", most)
        found = Decisions(graph, answers.__getitem__, radius).horizon()
    tokens = {int(n): graph.vectors[n].astype(object) for n in answer_tokens(graph)}
    steps = {(edge.source, edge.symbol): (n, edge.target) for n, edge in enumerate(graph.edges)}

    def wrong(word) -> bool:
        node, y = graph.start, answers[word[-1]].start
        for letter in word[:-1]:
            number, node = steps[node, letter]
            y = y + answers[word[-1]].edges[number]
        y = y.astype(object) * Fraction(1, answers[word[-1]].denominator)
        t = tokens[graph.answer(node, word[-1])]
        for w in tokens.values():
            margin, apart = ((y - w) ** 2).sum() - ((y - t) ** 2).sum(), ((t - w) ** 2).sum()
            if apart and (margin <= 0 or margin**2 <= 4 * radius**2 * apart):
                return True
        return False

    words = (word for length in range(1, 6) for word in product(graph.lasts, repeat=length))
    first = next((word for word in words if wrong(word)), None)
    if first is not None and len(first) <= most + 1:
        assert (found.lengths, found.word) == (len(first) - 1, first)
    elif first is not None:
        assert found.word is None
        assert most < found.lengths < len(first)
    else:
        assert found.lengths is None or found.lengths >= min(5, most + 1)
