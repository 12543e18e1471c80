"""Memories that add up: one layer whose fast weights are counts, or sums of real values.

A linear Transformer with phi(x) = x adds v k^T for each write and reads W k. A DeltaProduct layer adds as well, in two
steps with rate 2: W <- W - 2 W k k^T turns W k round, and W <- W + 2 (v / 2 - W k) k^T turns it back about v / 2, which
together add v k^T for a key of length one. Counts that are too large to be exact in the precision at hand
are refused.

For real keys and values (arXiv 2410.10101, section on associative memories) a token is a key, a value and a query side
by side, of which a write leaves the query zero, and a question the key and the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.errors import UnsupportedError
from compiler.fastweight.automata.table_to_stack import LARGE
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.kernels.precision import Precision
from compiler.fastweight.kernels.runs import started
from compiler.fastweight.layer import Floats, run
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.memory_to_stack import spelled
from compiler.fastweight.stack import PIECE, check_counts
from compiler.program.memory import ABSENT, Memory


@dataclass(frozen=True, eq=False)
class Counts:
    """A layer over the requests of a memory, with the numbers of memory_to_stack.spelled, whose answers are counts.

    Attributes
    ----------
    letters
        The requests.
    values
        What is counted.
    layer
        Over unit vectors: one for the beginning, and one for each request.
    stored
        (requests, values): what is counted from the start for each question.
    """

    letters: tuple[str, ...]
    values: tuple[str, ...]
    layer: LinearTransformer | DeltaProduct
    stored: NDArray[np.int64]

    def run(self, word: Sequence[int] | NDArray[np.int64], *, precision: Precision = "float32") -> Iterator[str | None]:
        """What is shown before a word of requests, by number, and after each: None for a write.

        Raises UndecodedError where a count is too large for the precision.
        """
        tokens = np.concatenate([[0], 1 + np.asarray(word, dtype=np.int64)])
        running = started(self.layer, np.eye(self.layer.inputs), precision)
        for begin in range(0, len(tokens), PIECE):
            piece = tokens[begin : begin + PIECE]
            answers = running.feed(piece)
            check_counts(answers, precision)
            yield from self._spelled(piece, answers)

    def run_by_definition(self, word: Sequence[int]) -> list[str | None]:
        """The same by the definition of the layer, in the dtype of its weights."""
        tokens = np.array([0, *(1 + letter for letter in word)], dtype=np.int64)
        return list(self._spelled(tokens, run(self.layer, np.eye(self.layer.inputs)[tokens][None])[0]))

    def _spelled(self, tokens: NDArray[np.int64], answers: Floats) -> Iterator[str | None]:
        questions = 1 + len(self.letters) - len(self.stored)
        for token, answer in zip(tokens.tolist(), answers, strict=True):
            if token < questions:
                yield None
            else:
                counts = np.rint(answer).astype(np.int64) + self.stored[token - questions]
                yield "+".join(np.repeat(self.values, counts)) or ABSENT


def counting(memory: Memory, *, reflections: bool = False) -> Counts:
    """The layer of a memory of named keys that adds up: a linear Transformer, or with two reflections a write."""
    if isinstance(memory.keys, int) or isinstance(memory.values, int) or memory.write != "sum":
        raise UnsupportedError(f"memory {memory.name} does not count what is written")
    keys, values = memory.keys, memory.values
    letters = spelled(memory)
    writes, count = len(keys) * len(values), 1 + len(letters)
    key, query, value = (
        np.zeros((1, len(keys), count)),
        np.zeros((1, len(keys), count)),
        np.zeros((1, len(values), count)),
    )
    for n in range(writes):
        key[0, n // len(values), 1 + n] = value[0, n % len(values), 1 + n] = 1
    query[0, :, 1 + writes :] = np.eye(len(keys))
    layer: LinearTransformer | DeltaProduct = LinearTransformer(query, key, value, "identity")
    if reflections:
        rates = np.where(key.any(axis=1), LARGE, -LARGE)
        layer = DeltaProduct(
            query, np.stack([key, key]), np.stack([0 * value, value / 2]), np.stack([rates] * 2), beta_max=2
        )
    stored = np.zeros((len(keys), len(values)), dtype=np.int64)
    for stored_key, stored_value in memory.stored:
        stored[keys.index(stored_key), values.index(stored_value)] += 1
    return Counts(letters, values, layer, stored)


def real_memory_layer(memory: Memory) -> LinearTransformer:
    """The layer of a memory of real keys (n) and values (m): tokens are n + m + n numbers, answers m."""
    if not isinstance(memory.keys, int) or not isinstance(memory.values, int):
        raise UnsupportedError(f"memory {memory.name} holds names, not vectors")
    n, m = memory.keys, memory.values
    rows = np.eye(n + m + n)[None]
    return LinearTransformer(rows[:, n + m :], rows[:, :n], rows[:, n : n + m], "identity")
