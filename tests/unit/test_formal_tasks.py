"""The formal languages, their labels, and the words that are drawn: shares, lengths, the same words each time."""

from itertools import product

import numpy as np
import pytest

import attnc
from compiler.formal.batches import PADDING, batch, draw, score
from compiler.formal.tasks import TASKS

NAMES = list(TASKS)
MEMBERS = {
    "parity": (["", "0", "11", "0110"], ["1", "10", "111"]),
    "(aa)*": (["", "aa", "aaaaaa"], ["a", "aaa"]),
    "(abab)*": (["", "abab", "abababab"], ["ab", "ababab", "baba", "aabb", "ababa"]),
    "a^n b^n": (["", "ab", "aaabbb"], ["a", "b", "ba", "abab", "aab", "abb"]),
    "a^n b^n c^n": (["", "abc", "aabbcc"], ["ab", "abcabc", "acb", "aabbc", "aabcc", "cba"]),
    "Shuffle-2": (["", "()", "([)]", "[(])"], ["(]", "][", "([)", ")("]),
    "Dyck-1": (["", "()", "(())()"], ["(", ")", "())(", "(()"]),
    "reset Dyck-1": (["", "()", "r", "((r", "))r()", "(r(r"], ["(", ")", "r(", "(r)", "()r())("]),
}


@pytest.mark.parametrize("name", NAMES)
def test_members_by_hand(name: str) -> None:
    members, others = MEMBERS[name]
    assert all(TASKS[name].contains(text) for text in members)
    assert not any(TASKS[name].contains(text) for text in others)


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_the_definition_on_every_short_word(name: str) -> None:
    task = TASKS[name]
    for length in range(1, 9 if len(task.alphabet) < 4 else 7):
        for letters in product(task.alphabet, repeat=length):
            text = "".join(letters)
            labels = task.labels(task.letters(text))
            assert labels.shape == (length,)
            assert labels[-1] == task.contains(text), text  # shorter prefixes were asked about before


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_the_definition_on_long_words(name: str) -> None:
    task, rng = TASKS[name], np.random.default_rng(5)
    for length in (50, 99, 100, 150):
        word = task.draw(rng, length)
        text = task.text(word)
        assert list(task.labels(word)) == [task.contains(text[:end]) for end in range(1, length + 1)], text
        assert np.array_equal(task.letters(text), word)


LIBRARY = {
    "parity": ("parity", 99),
    "(aa)*": ("even_a", 99),
    "(abab)*": ("abab_star", 99),
    "Dyck-1": ("dyck1_depth8", 8),
}
LIBRARY |= {"reset Dyck-1": ("reset_dyck1", 4), "Shuffle-2": ("shuffle_dyck", 3)}


@pytest.mark.parametrize("name", LIBRARY)
def test_labels_are_those_of_the_library_while_the_depth_is_in_its_bounds(name: str) -> None:
    """The library bounds depths, and mistakes are final in it, resets or not: other words are left out."""
    task, (program, deepest) = TASKS[name], LIBRARY[name]
    automaton, rng, asked = attnc.load(program), np.random.default_rng(3), 0
    for _ in range(60):
        text = task.text(task.draw(rng, int(rng.integers(1, 12))))
        kinds = [text.replace("[", " ").replace("]", " "), text.replace("(", " ").replace(")", " ")]
        if any(walk(each)[0] > deepest or (walk(each)[1] < 0 and "r" in text) for each in kinds):
            continue
        asked += 1
        assert (automaton.run(list(text)).outcome == "accepted") == task.contains(text), text
    assert asked >= 20


def walk(text: str) -> tuple[int, int]:
    """The greatest and the least depth of a word with resets."""
    depth, depths = 0, [0]
    for letter in text:
        depth = 0 if letter == "r" else depth + (letter in "([") - (letter in ")]")
        depths.append(depth)
    return max(depths), min(depths)


SHARES = {  # as compiler/formal/words.py says, in per cent
    "parity": (50, 50),
    "(aa)*": (49, 50),
    "(abab)*": (21, 21),
    "a^n b^n": (3.2, 1.1),
    "a^n b^n c^n": (3.0, 1.1),
    "Shuffle-2": (5.4, 3.9),
    "Dyck-1": (11, 7.3),
    "reset Dyck-1": (24, 23),
}


@pytest.mark.parametrize("name", NAMES)
def test_shares_of_positive_labels(name: str) -> None:
    for lengths, percent in zip((range(2, 51), range(51, 101)), SHARES[name], strict=True):
        labels = draw(TASKS[name], lengths, count=2000, seed=0).labels
        share = 100 * (labels == 1).sum() / (labels != PADDING).sum()
        assert abs(share - percent) <= (0.5 if percent > 10 else 0.05), share


@pytest.mark.parametrize("name", NAMES)
def test_words_are_drawn_with_the_lengths_asked_for_and_the_same_each_time(name: str) -> None:
    first, again, other = (draw(TASKS[name], range(2, 8), count=30, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.letters, again.letters)
    assert np.array_equal(first.labels, again.labels)
    assert np.array_equal((first.labels != PADDING).sum(axis=1), np.arange(30) % 6 + 2)
    assert name == "(aa)*" or not np.array_equal(first.letters, other.letters)
    assert first.letters.min() >= 0
    assert first.letters.max() == len(TASKS[name].alphabet) - 1


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("parity", "(aa)*")])
def test_most_words_have_a_yes_and_some_have_none(name: str) -> None:
    some = (draw(TASKS[name], [30], count=400, seed=0).labels == 1).any(axis=1).mean()
    assert 0.5 < some < 1


def test_padding() -> None:
    found = batch(TASKS["(aa)*"], [np.zeros(3, dtype=np.int64), np.zeros(1, dtype=np.int64)])
    assert found.labels.tolist() == [[0, 1, 0], [0, -1, -1]]
    assert found.rows([1]).letters.shape == (1, 1)
    assert len(found) == 2


def test_the_score_counts_words_that_are_right_at_every_position() -> None:
    labels = np.array([[1, 0, 1], [0, 1, PADDING], [0, 0, 0], [1, 1, 1]], dtype=np.int8)
    answers = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]], dtype=bool)
    assert score(labels, answers) == 0.5
