"""Spans modulo a prime: blocks of vectors are taken in as single ones are, and residues are those of `np.mod`."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.spans import BLOCK, PRIME, Span, reduced


def drawn(seed: int, m: int, n: int, rank: int, large: bool) -> np.ndarray:
    """Random integer vectors (m, n) of at most this rank, of few or of many digits."""
    rng = np.random.default_rng(seed)
    size = 10**4 if large else 2
    return rng.integers(-size, size + 1, size=(m, rank)) @ rng.integers(-1, 2, size=(rank, n))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 30), st.integers(0, 30), st.booleans())
def test_blocks_are_one_by_one(seed: int, m: int, n: int, rank: int, large: bool) -> None:
    same_as_one_by_one(drawn(seed, m, n, rank, large))


def test_more_vectors_than_a_block() -> None:
    same_as_one_by_one(drawn(0, 2 * BLOCK + 3, 90, 70, large=True))


def same_as_one_by_one(vectors: np.ndarray) -> None:
    single, blocks = Span(vectors.shape[1]), Span(vectors.shape[1])
    new = [number for number, vector in enumerate(vectors) if single.add(vector)]
    assert blocks.extend(vectors).tolist() == new
    assert blocks.size == single.size
    one, other = (span.rows[: span.size][np.argsort(span.pivots[: span.size])] for span in (single, blocks))
    assert np.array_equal(one, other)
    assert not blocks.rests(vectors).any()
    assert not any(blocks.rest(vector).any() for vector in vectors)


@given(st.lists(st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.integers(-(2**33), 2**33).map(lambda k: k * PRIME))))
def test_residues_are_those_of_mod(values: list[int]) -> None:
    kept = [value for value in values if abs(value) < 2**53]
    assert reduced(np.array(kept, dtype=np.float64)).tolist() == [value % PRIME for value in kept]
