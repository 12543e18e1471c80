"""What a dense memory can reach, as a product: what requests can add to S, times what is asked, and where it begins.

Statement
    Let a memory write `latest` or `sum`, let P be S of its prompt, W the span of what words of requests can add to S,
    and Z the vectors of the requests, so that these are what is asked. What can be reached, as features S (x) z, spans

        W (x) span(Z)  +  the span of (P + z z^T) (x) z over all z in Z,

    and W is spanned by what the words of `spanning_words` add.

Proof
    Requests may come in any order. So what is reachable with z last is (P + z z^T + w) (x) z for each w that a word can
    add. The empty word gives the second term, and differences from it give w (x) z, which span W (x) z: the sum over
    all z of W (x) z is W (x) span(Z). What a word adds is a sum of steps, each of one key in one state, and
    `dense_memory_span` shows that the steps are differences of what its words add. (With `first` the questions `free`
    and `taken` are asked as well, each after some words only.)

So W is found once, and questions matter by a basis of their vectors. The rank of W is that modulo a prime, proved: as
many integer equations as that leaves annihilate every one of the words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from compiler.domain.dense_memory_span import Word, requests, spanning_words
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.spans import Span


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """What words of requests add to the S of a memory that writes `latest` or `sum`.

    Attributes
    ----------
    lowering
        The memory.
    pairs
        (P, 2): the coordinates b <= c that some token has both of; no other entry of S is ever set.
    words, sums
        The spanning words, and what each adds, (n, P).
    basis
        (r,): numbers of words whose sums are a basis of W modulo a prime.
    columns
        (r,): numbers of pairs on which these are independent.
    """

    lowering: LoweredDenseMemory
    pairs: NDArray[np.int64]
    words: list[Word]
    sums: NDArray[np.int32]
    basis: NDArray[np.int64]
    columns: NDArray[np.int64]

    def questions(self) -> NDArray[np.int64]:
        """The vectors of the requests, (q, d), in their order."""
        prompt = len(self.lowering.inputs(()))
        numbers = self.lowering.tokens.numbers
        names = [self.lowering.inputs((item,))[prompt] for item in requests(self.lowering)]
        return self.lowering.tokens.dense(numbers[name] for name in names).astype(np.int64)


def steps_of(lowering: LoweredDenseMemory) -> Steps:
    """What requests can add."""
    pairs, words = lowering.tokens.pairs(), spanning_words(lowering)
    sums = added(lowering, pairs, words)
    span = Span(len(pairs))
    basis = span.extend(sums)
    return Steps(lowering, pairs, words, sums, basis, np.sort(span.pivots[: span.size]))


def added(lowering: LoweredDenseMemory, pairs: NDArray[np.int64], words: Iterable[Word]) -> NDArray[np.int32]:
    """What each word adds to S, on `pairs`: (n, P)."""
    numbers, prompt = lowering.tokens.numbers, len(lowering.inputs(()))
    rows = [[numbers[name] for name, _ in lowering.dialogue(word)][prompt:] for word in words]
    used, places = np.unique([token for row in rows for token in row], return_inverse=True)
    z = lowering.tokens.dense(used.astype(np.int64).tolist()).astype(np.int32)
    squares = z[:, pairs[:, 0]] * z[:, pairs[:, 1]]
    ends = np.cumsum([0, *map(len, rows)])
    counts = csr_array((np.ones(len(places), dtype=np.int32), places.reshape(-1), ends), shape=(len(rows), len(used)))
    return np.asarray(counts @ squares)
