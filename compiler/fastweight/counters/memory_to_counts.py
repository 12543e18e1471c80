"""Memories that add up: one layer whose fast weights are counts, or sums of real values.

A linear Transformer with phi(x) = x adds v k^T for each write and reads W k. A DeltaProduct layer adds as well, in two
steps with rate 2: W <- W - 2 W k k^T turns W k round, and W <- W + 2 (v / 2 - W k) k^T turns it back about v / 2, which
together add v k^T for a key of length one. Self-referential weights add with a pair of columns for each count
(`columns`); the Recurrent Delta network keeps its bits (`bits`). Counts that are too large to be exact in the precision
at hand, or for the bits, are refused.

For real keys and values (arXiv 2410.10101, section on associative memories) a token is a key, a value and a query side
by side, of which a write leaves the query zero, and a question the key and the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.errors import UnsupportedError
from compiler.fastweight.automata.table_to_stack import LARGE
from compiler.fastweight.counters import bits as in_bits
from compiler.fastweight.counters import columns
from compiler.fastweight.counters.bits import check_room
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.kernels.precision import Precision
from compiler.fastweight.kernels.runs import started
from compiler.fastweight.layer import Floats, run
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.memory_to_stack import spelled
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.self_referential import SelfReferential
from compiler.fastweight.stack import PIECE, check_counts
from compiler.fastweight.target import Target
from compiler.program.memory import ABSENT, Memory

CountingLayer: TypeAlias = LinearTransformer | DeltaProduct | RecurrentDelta | SelfReferential


@dataclass(frozen=True, eq=False)
class Counts:
    """A layer over the requests of a memory, with the numbers of memory_to_stack.spelled, whose answers are counts.

    Those of a Recurrent Delta network are the bits of all counts, by key, then value, the least first, two signs last.

    Attributes
    ----------
    letters
        The requests.
    values
        What is counted.
    layer
        Its tokens are the beginning, and the requests.
    stored
        (questions, values): what is counted from the start for each question.
    embeddings
        (tokens, inputs): the tokens as the layer reads them; None for unit vectors.
    """

    letters: tuple[str, ...]
    values: tuple[str, ...]
    layer: CountingLayer
    stored: NDArray[np.int64]
    embeddings: Floats | None = None

    @property
    def embedded(self) -> Floats:
        """The embeddings of the tokens, as rows."""
        return np.eye(self.layer.inputs) if self.embeddings is None else self.embeddings

    @property
    def bits(self) -> int:
        """How many bits a count has, two signs among them; 0 where answers are the counts themselves."""
        return self.layer.outputs // self.stored.size if isinstance(self.layer, RecurrentDelta) else 0

    def run(self, word: Sequence[int] | NDArray[np.int64], *, precision: Precision = "float32") -> Iterator[str | None]:
        """What is shown before a word of requests, by number, and after each: None for a write.

        Raises UndecodedError where a count is too large for the precision.
        """
        tokens = np.concatenate([[0], 1 + np.asarray(word, dtype=np.int64)])
        running = started(self.layer, self.embeddings, precision)
        for begin in range(0, len(tokens), PIECE):
            piece = tokens[begin : begin + PIECE]
            yield from self._spelled(piece, self.counted(piece, running.feed(piece), precision))

    def run_by_definition(self, word: Sequence[int]) -> list[str | None]:
        """The same by the definition of the layer, in the dtype of its weights."""
        tokens = np.array([0, *(1 + letter for letter in word)], dtype=np.int64)
        answers = run(self.layer, self.embedded[tokens][None])[0]
        return list(self._spelled(tokens, self.counted(tokens, answers, "float64")))

    def counted(self, tokens: NDArray[np.int64], answers: Floats, precision: Precision) -> NDArray[np.int64]:
        """What the questions among tokens (n,) are answered, without what is stored: (questions, values).

        Raises UndecodedError where a count has no room.
        """
        asked = tokens[tokens >= self._questions] - self._questions
        if not self.bits:
            check_counts(answers, precision)
            return np.rint(answers[tokens >= self._questions]).astype(np.int64)
        numbers = answers.reshape(len(answers), *self.stored.shape, self.bits) > 0
        check_room(numbers)
        return numbers[np.flatnonzero(tokens >= self._questions), asked] @ (1 << np.arange(self.bits))

    @property
    def _questions(self) -> int:
        """The token of the first question."""
        return 1 + len(self.letters) - len(self.stored)

    def _spelled(self, tokens: NDArray[np.int64], counted: NDArray[np.int64]) -> Iterator[str | None]:
        answers = iter(counted)
        for token in tokens.tolist():
            if token < self._questions:
                yield None
            else:
                counts = next(answers) + self.stored[token - self._questions]
                yield "+".join(np.repeat(self.values, counts)) or ABSENT


def counting(memory: Memory, target: Target) -> Counts:
    """The layer of a memory of named keys that adds up. Raises UnsupportedError where there is none."""
    if isinstance(memory.keys, int) or isinstance(memory.values, int) or memory.write != "sum":
        raise UnsupportedError(f"memory {memory.name} does not count what is written")
    keys, values = len(memory.keys), len(memory.values)
    stored = np.zeros((keys, values), dtype=np.int64)
    for key, value in memory.stored:
        stored[memory.keys.index(key), memory.values.index(value)] += 1
    layer, embeddings = _tallies(keys, values, target)
    return Counts(spelled(memory), memory.values, layer, stored, embeddings)


def _tallies(keys: int, values: int, target: Target) -> tuple[CountingLayer, Floats | None]:
    match target:
        case "srwm":
            return columns.tallies(keys, values)
        case "recurrent-delta":
            return in_bits.tallies(keys, values), None
        case "linear" | "deltaproduct":
            return _adding(keys, values, reflections=target == "deltaproduct"), None
    raise UnsupportedError(f"{target} does not add up")


def _adding(keys: int, values: int, *, reflections: bool) -> LinearTransformer | DeltaProduct:
    """A linear Transformer that adds up, or DeltaProduct with two reflections a write."""
    writes = keys * values
    count = 1 + writes + keys
    key, query, value = (np.zeros((1, rows, count)) for rows in (keys, keys, values))
    for n in range(writes):
        key[0, n // values, 1 + n] = value[0, n % values, 1 + n] = 1
    query[0, :, 1 + writes :] = np.eye(keys)
    if not reflections:
        return LinearTransformer(query, key, value, "identity")
    rates = np.where(key.any(axis=1), LARGE, -LARGE)
    return DeltaProduct(
        query, np.stack([key, key]), np.stack([0 * value, value / 2]), np.stack([rates] * 2), beta_max=2
    )


def real_memory_layer(memory: Memory) -> LinearTransformer:
    """The layer of a memory of real keys (n) and values (m): tokens are n + m + n numbers, answers m."""
    if not isinstance(memory.keys, int) or not isinstance(memory.values, int):
        raise UnsupportedError(f"memory {memory.name} holds names, not vectors")
    n, m = memory.keys, memory.values
    rows = np.eye(n + m + n)[None]
    return LinearTransformer(rows[:, n + m :], rows[:, :n], rows[:, n : n + m], "identity")
