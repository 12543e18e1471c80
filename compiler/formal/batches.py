"""Words with their labels, as padded arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.formal.tasks import Task
from compiler.formal.words import Letters

PADDING = -1
"""The label where a word has ended."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Words, in rows.

    Attributes
    ----------
    letters
        (N, n): numbers of letters, and zeros after the end of a word.
    labels
        (N, n): 1 where the word so far is in the language, 0 where it is not, and -1 after its end.
    """

    letters: NDArray[np.int64]
    labels: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.letters)

    def rows(self, chosen: Sequence[int] | NDArray[np.int64]) -> Batch:
        """Some of the words, with no more padding than they need."""
        labels = self.labels[chosen]
        longest = int((labels != PADDING).sum(axis=1).max())
        return Batch(self.letters[chosen, :longest], labels[:, :longest])


def batch(task: Task, words: Sequence[Letters]) -> Batch:
    """These words, which may not be empty."""
    longest = max(map(len, words))
    letters = np.zeros((len(words), longest), dtype=np.int64)
    labels = np.full((len(words), longest), PADDING, dtype=np.int8)
    for row, word in enumerate(words):
        letters[row, : len(word)] = word
        labels[row, : len(word)] = task.labels(word)
    return Batch(letters, labels)


def draw(task: Task, lengths: Iterable[int], *, count: int, seed: int) -> Batch:
    """`count` random words, whose lengths go round `lengths`: all of them equally often, as near as can be.

    The same numbers give the same words.
    """
    rng, choice = np.random.default_rng(seed), list(lengths)
    return batch(task, [task.draw(rng, choice[number % len(choice)]) for number in range(count)])


def score(labels: NDArray[np.int8], answers: NDArray[np.bool_]) -> float:
    """The share of words whose answers (N, n) are right at every position."""
    right = (labels == PADDING) | (answers == (labels == 1))
    return float(right.all(axis=1).mean())
