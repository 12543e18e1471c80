"""A program as a stack of fast-weight layers, with position-wise decoding after each.

A stage reads tokens of its own, from a small vocabulary. Its layer answers with a vector, whose entries are
compared with thresholds: so many digits, of which a token may ignore some bits. Token and digits at a position name the
next stage's token there, by a table; after the last stage they name what is shown. That is all that stands between
layers, and it looks at one position only. Token 0 begins a run, and token 1 + n is letter n.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from compiler.errors import AttncError, UnsupportedError
from compiler.fastweight.kernels.precision import BINARY, Precision
from compiler.fastweight.kernels.runs import started
from compiler.fastweight.layer import Floats, Layer, run

PIECE = 1 << 15
"""So many tokens are fed at a time."""
NO_ROOM = -1
"""What follows digits of a count that has no room."""

Item = TypeVar("Item")


class UndecodedError(AttncError, ArithmeticError):
    """Answers that mean nothing in this precision: counts without room, or digits that no table lists."""


def check_counts(answers: Floats, precision: Precision) -> None:
    """Raise UndecodedError where counts are too large to be exact: a bit is left for the halves on the way."""
    if np.abs(answers).max(initial=0) >= 2.0 ** (BINARY[precision].bits - 1):
        said = f"a count of {np.abs(answers).max():g} has no room in {precision}"
        raise UndecodedError(f"{said}; take a higher precision, or a shorter word")


def halvings(precision: Precision) -> int:
    """How often 1 can be halved until it is the least number."""
    return BINARY[precision].bits - 1 - BINARY[precision].least


@dataclass(frozen=True, eq=False)
class Stage:
    """A layer and the decoding of its answers.

    Attributes
    ----------
    layer
        What reads the tokens.
    thresholds
        For each entry of an answer, in increasing order; the digit is the number of them that it is above. None for an
        entry that nothing depends on.
    masks
        (tokens, outputs): the bits of each digit that count after a token.
    table
        For each token and its digits, masked, what follows: NO_ROOM where a count has none.
    embeddings
        (tokens, inputs): the tokens as the layer reads them; None for unit vectors.
    counts
        Whether answers are counts, which have to be exact however large they become.
    reads
        (outputs, answers): sums of answers that are compared with the thresholds; None for the answers themselves.
    halves
        Whether answers are powers of 1/2, whose exponents are at most the number of letters.
    """

    layer: Layer[Any]
    thresholds: tuple[tuple[float, ...], ...]
    masks: NDArray[np.int64]
    table: dict[tuple[int, tuple[int, ...]], int]
    embeddings: Floats | None = None
    counts: bool = False
    reads: Floats | None = None
    halves: bool = False

    @property
    def embedded(self) -> Floats:
        """The embeddings of the tokens, as rows."""
        return np.eye(self.layer.inputs) if self.embeddings is None else self.embeddings

    @property
    def largest(self) -> float:
        """The largest threshold: sums up to it are to be exact."""
        return max((abs(threshold) for each in self.thresholds for threshold in each), default=0)

    @cached_property
    def _listed(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """What each digit counts for in the number of a table's entry; these numbers in order, and what follows."""
        sizes = [len(each) + 1 for each in self.thresholds]
        factors = [prod(sizes[:place]) for place in range(len(sizes) + 1)]
        if factors[-1] * len(self.masks) >= 2**63:
            raise OverflowError("a stage has too many digits")
        entries = sorted((self._number(factors, *key), follows) for key, follows in self.table.items())
        numbers, following = (np.array(each, dtype=np.int64) for each in zip(*entries, strict=True))
        return np.array(factors, dtype=np.int64), numbers, following

    @staticmethod
    def _number(factors: Sequence[int], token: int, digits: tuple[int, ...]) -> int:
        return sum(digit * factor for digit, factor in zip((*digits, token), factors, strict=True))

    def decoded(self, tokens: NDArray[np.int64], answers: Floats) -> NDArray[np.int64]:
        """What follows tokens (n,) with answers (n, outputs). Raises UndecodedError."""
        factors, numbers, following = self._listed
        if self.reads is not None:
            answers = answers.astype(np.float64) @ self.reads.T
        found = tokens * factors[-1]
        for place, thresholds in enumerate(self.thresholds):
            digits = np.searchsorted(np.array(thresholds), answers[:, place])
            found += (digits & self.masks[tokens, place]) * factors[place]
        places = np.minimum(np.searchsorted(numbers, found), len(numbers) - 1)
        if not np.array_equal(numbers[places], found):
            where = int(np.flatnonzero(numbers[places] != found)[0])
            raise UndecodedError(f"answer {answers[where].tolist()} to token {tokens[where]} has no meaning")
        followed: NDArray[np.int64] = following[places]
        if (followed == NO_ROOM).any():
            raise UndecodedError("a count has no room in its bits; take a shorter word")
        return followed


@dataclass(frozen=True, eq=False)
class Stack(Generic[Item]):
    """Stages from below, and what they show in the end.

    Attributes
    ----------
    letters
        What is read.
    stages
        In order; none where what is shown follows from the letter.
    shown
        What may be shown, by number.
    """

    letters: tuple[str, ...]
    stages: tuple[Stage, ...]
    shown: tuple[Item, ...]

    def run(self, word: Sequence[int] | NDArray[np.int64], *, precision: Precision = "float32") -> Iterator[Item]:
        """What is shown before a word of letters, by number, and after each.

        Raises UnsupportedError for a precision that is too low, UndecodedError if that was not noticed before.
        """
        for numbers in self.numbers(np.asarray(word, dtype=np.int64), precision=precision):
            yield from (self.shown[number] for number in numbers.tolist())

    def numbers(self, word: NDArray[np.int64], *, precision: Precision = "float32") -> Iterator[NDArray[np.int64]]:
        """The numbers of what is shown, piece by piece."""
        for stage in self.stages:
            if 2 ** BINARY[precision].bits <= stage.largest:
                raise UnsupportedError(f"{precision} has too few bits for sums of up to {stage.largest:g}")
            if stage.halves and len(word) > (most := halvings(precision)):
                said = f"{len(word):,} letters may halve a weight beyond what {precision} has room for, {most} times"
                raise UndecodedError(f"{said}; take a higher precision, or a shorter word")
        tokens = np.concatenate([[0], 1 + word])
        runs = [started(stage.layer, stage.embeddings, precision) for stage in self.stages]
        for begin in range(0, len(tokens), PIECE):
            piece = tokens[begin : begin + PIECE]
            for stage, running in zip(self.stages, runs, strict=True):
                answers = running.feed(piece)
                if stage.counts:
                    check_counts(answers, precision)
                piece = stage.decoded(piece, answers)
            yield piece

    def run_by_definition(self, word: Sequence[int]) -> list[Item]:
        """The same by the definition of the layers, in the dtype of their weights."""
        tokens = np.array([0, *(1 + letter for letter in word)], dtype=np.int64)
        for stage in self.stages:
            answers = run(stage.layer, stage.embedded[tokens][None])[0]
            tokens = stage.decoded(tokens, answers)
        return [self.shown[number] for number in tokens.tolist()]
