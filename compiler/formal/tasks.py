"""Eight formal languages, with a label at every position: is the word so far in the language?

The languages are those of Bhattamishra et al. 2020 (arXiv 2009.11264), in the choice of Irie, Csordás and Schmidhuber
2023 (arXiv 2310.16076). Both ask for the *set of letters that may come next*, the end of the word among them, on words
of the language (for parity, (aa)* and (abab)* the authors' data say, as here, whether the prefix is in the language).
We ask for membership everywhere: it is defined for every word, so that words that leave the language can be asked about
too, it is one bit in all languages, and it is what automata, machines and verdicts speak of. For words of the language
the end of the word may come next just where the prefix is a member, so that bit of theirs is ours. What differs: on
a^n b^n the sets also tell a from b, here there is one "yes" at most, at the end; and that a closing bracket was
wrong must be remembered to the end (in reset Dyck-1 to the next reset), while words of the language never show it.

A word is an array of numbers of letters (n,). `Task.labels` takes one pass; `Task.contains` is the definition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.formal import words
from compiler.formal.words import Letters

Labels = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Task:
    """A language.

    Attributes
    ----------
    name
        By which commands and tables know it.
    alphabet
        The letters, in the order of their numbers.
    contains
        Whether a word, as text, is in the language: the definition.
    labels
        For letters (n,), whether each prefix of 1, ..., n letters is in the language (n,).
    draw
        A random word of a given length (compiler/formal/words.py).
    """

    name: str
    alphabet: str
    contains: Callable[[str], bool]
    labels: Callable[[Letters], Labels]
    draw: Callable[[np.random.Generator, int], Letters]

    def letters(self, text: str) -> Letters:
        """The word that a text spells. Raises ValueError for a letter that is not in the alphabet."""
        return np.array([self.alphabet.index(letter) for letter in text], dtype=np.int64)

    def text(self, word: Letters) -> str:
        """How a word is spelt."""
        return "".join(self.alphabet[number] for number in word)


def is_balanced(text: str) -> bool:
    """Whether brackets of one kind cancel, pair by pair.

    >>> is_balanced("(()())"), is_balanced("())("), is_balanced("")
    (True, False, True)
    """
    while "()" in text:
        text = text.replace("()", "")
    return text == ""


def is_shuffle(text: str) -> bool:
    """Whether the round brackets by themselves and the square ones by themselves are balanced: ([)] is in."""
    round_ones = "".join(each for each in text if each in "()")
    square_ones = "".join(each for each in text if each in "[]").replace("[", "(").replace("]", ")")
    return is_balanced(round_ones) and is_balanced(square_ones)


def is_balanced_since_reset(text: str) -> bool:
    """Whether what follows the last reset r is balanced; what stands before it, mistakes and all, is forgotten."""
    return is_balanced(text.rpartition("r")[2])


def parity_labels(word: Letters) -> Labels:
    """An even number of ones."""
    return np.asarray(np.cumsum(word) % 2 == 0)


def even_labels(word: Letters) -> Labels:
    """An even number of letters."""
    return np.asarray(np.arange(1, len(word) + 1) % 2 == 0)


def abab_labels(word: Letters) -> Labels:
    """Alternating so far, from a, and a multiple of four letters."""
    place = np.arange(len(word))
    return np.asarray(so_far(word == place % 2) & (place % 4 == 3))


def equal_counts_labels(kinds: int) -> Callable[[Letters], Labels]:
    """In the order of the alphabet so far, and as many of each letter."""

    def labels(word: Letters) -> Labels:
        counts = np.cumsum(word[:, None] == np.arange(kinds), axis=0)
        in_order = so_far(np.diff(word, prepend=0) >= 0)
        return np.asarray(in_order & (counts == counts[:, :1]).all(axis=1))

    return labels


def dyck_labels(word: Letters) -> Labels:
    """Letters 0 open and letters 1 close: none is open now, and none was ever closed that was not open."""
    depth = np.cumsum(1 - 2 * word)
    return np.asarray((depth == 0) & so_far(depth >= 0))


def shuffle_labels(word: Letters) -> Labels:
    """Both kinds of brackets, 0 and 1, 2 and 3, each by itself."""
    kinds = (np.select([word == first, word == first + 1], [1, -1], 0).cumsum() for first in (0, 2))
    return np.asarray(np.logical_and.reduce([(depth == 0) & so_far(depth >= 0) for depth in kinds]))


def reset_dyck_labels(word: Letters) -> Labels:
    """Brackets as in `dyck_labels`, begun anew at each reset 2, where the empty rest is balanced."""
    parts = np.split(word, np.flatnonzero(word == 2))
    first, *others = (dyck_labels(part[part != 2]) for part in parts)
    return np.concatenate([first, *(np.concatenate([[True], each]) for each in others)])


def so_far(holds: Labels) -> Labels:
    """Whether it has held at every position up to this one."""
    return np.asarray(np.logical_and.accumulate(holds))


TASKS = {
    task.name: task
    for task in (
        Task("parity", "01", lambda text: text.count("1") % 2 == 0, parity_labels, words.bits),
        Task("(aa)*", "a", lambda text: len(text) % 2 == 0, even_labels, words.only_letter),
        Task("(abab)*", "ab", lambda text: text == "abab" * (len(text) // 4), abab_labels, words.alternating),
        Task(
            "a^n b^n",
            "ab",
            lambda text: text == "a" * (len(text) // 2) + "b" * (len(text) // 2),
            equal_counts_labels(2),
            words.equal_counts(2),
        ),
        Task(
            "a^n b^n c^n",
            "abc",
            lambda text: text == "".join(each * (len(text) // 3) for each in "abc"),
            equal_counts_labels(3),
            words.equal_counts(3),
        ),
        Task("Shuffle-2", "()[]", is_shuffle, shuffle_labels, words.brackets(2, closing=0.6)),
        Task("Dyck-1", "()", is_balanced, dyck_labels, words.brackets(1)),
        Task("reset Dyck-1", "()r", is_balanced_since_reset, reset_dyck_labels, words.brackets(1, resets=0.1)),
    )
}
"""The suite, by name."""
