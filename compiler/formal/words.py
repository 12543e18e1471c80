"""Random words for the formal languages: mostly what the language is about, and near misses.

One word in four is *spoilt*: one letter, anywhere, is replaced by another one (bits and words over one letter need no
spoiling). A word keeps its length, so near misses cannot be told by that. The share of labels that are "yes", over
lengths 2-50 and 51-100, measured on 2,000 words with seed 0 (tests/unit/test_formal_tasks.py holds us to it):

    parity        50 %  50 %        a^n b^n c^n   3.0 %  1.1 %
    (aa)*         49 %  50 %        Shuffle-2     5.4 %  3.9 %
    (abab)*       21 %  21 %        Dyck-1         11 %  7.3 %
    a^n b^n      3.2 %  1.1 %       reset Dyck-1   24 %   23 %
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Letters = NDArray[np.int64]
Draw = Callable[[np.random.Generator, int], Letters]

SPOILT = 0.25
"""The share of words in which one letter is replaced."""
LONGEST_COUNT = 0.5
"""The share of words of `equal_counts` whose count is the greatest that their length allows."""


def bits(rng: np.random.Generator, length: int) -> Letters:
    """Fair bits."""
    return rng.integers(0, 2, size=length)


def only_letter(rng: np.random.Generator, length: int) -> Letters:
    """The one word of this length over one letter."""
    del rng
    return np.zeros(length, dtype=np.int64)


def alternating(rng: np.random.Generator, length: int) -> Letters:
    """The beginning of ababab..., or that with one mistake."""
    return spoilt(rng, np.arange(length) % 2, 2)


def equal_counts(kinds: int) -> Draw:
    """Words a^n b^n c^m, m as the length has it: n as large as fits in one half of them, else uniform below that."""

    def draw(rng: np.random.Generator, length: int) -> Letters:
        most = max(1, length // kinds)
        count = most if rng.random() < LONGEST_COUNT else int(rng.integers(1, most + 1))
        word = np.minimum(np.arange(length) // count, kinds - 1)
        return spoilt(rng, word, kinds)

    return draw


def brackets(kinds: int, *, closing: float = 0.5, resets: float = 0.0) -> Draw:
    """Walks: each step takes one of the kinds, with even chances, and closes, where one is open, or else opens.

    `closing` is the chance of the former; `resets` is the share of letters that are resets, after which none is open.
    """

    def draw(rng: np.random.Generator, length: int) -> Letters:
        depths, word = [0] * kinds, np.empty(length, dtype=np.int64)
        reset, kind, closes = rng.random(length) < resets, rng.integers(0, kinds, length), rng.random(length) < closing
        for place in range(length):
            which = kind[place]
            down = bool(closes[place] and depths[which])
            depths[which] += -1 if down else 1
            word[place] = 2 * which + down
            if reset[place]:
                depths, word[place] = [0] * kinds, 2 * kinds
        return spoilt(rng, word, 2 * kinds + (resets > 0))

    return draw


def spoilt(rng: np.random.Generator, word: Letters, letters: int) -> Letters:
    """The word; or, one time in four, with one letter replaced by another one."""
    if rng.random() < SPOILT:
        place = rng.integers(len(word))
        word[place] = (word[place] + rng.integers(1, letters)) % letters
    return word
