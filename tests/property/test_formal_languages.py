"""Labels of formal languages: one pass is the definition, for every word and every prefix of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.formal.batches import PADDING, batch, draw, score
from compiler.formal.tasks import TASKS

each_task = pytest.mark.parametrize("name", TASKS)
ANY = st.lists(st.integers(0, 3), min_size=1, max_size=40)


@each_task
@given(numbers=ANY)
def test_labels_are_the_definition(name: str, numbers: list[int]) -> None:
    task = TASKS[name]
    word = np.array(numbers) % len(task.alphabet)
    text = task.text(word)
    assert task.labels(word).tolist() == [task.contains(text[:end]) for end in range(1, len(text) + 1)]


@each_task
@given(numbers=ANY, more=ANY)
def test_labels_do_not_look_ahead(name: str, numbers: list[int], more: list[int]) -> None:
    task = TASKS[name]
    word = np.array(numbers + more) % len(task.alphabet)
    assert np.array_equal(task.labels(word)[: len(numbers)], task.labels(word[: len(numbers)]))


@given(numbers=ANY, more=ANY)
def test_a_reset_forgets_what_was_before(numbers: list[int], more: list[int]) -> None:
    task = TASKS["reset Dyck-1"]
    before, after = np.array(numbers) % 3, np.array(more) % 3
    found = task.labels(np.concatenate([before, [2], after]))
    assert found[len(before) :].tolist() == [True, *task.labels(after)]


@each_task
@given(lengths=st.lists(st.integers(2, 30), min_size=1, max_size=6), seed=st.integers(0, 2**32))
def test_drawn_words_have_their_lengths_and_labels(name: str, lengths: list[int], seed: int) -> None:
    task = TASKS[name]
    found = draw(task, lengths, count=2 * len(lengths), seed=seed)
    assert (found.labels != PADDING).sum(axis=1).tolist() == lengths * 2
    words = [found.letters[row, :length] for row, length in enumerate(lengths * 2)]
    assert np.array_equal(batch(task, words).labels, found.labels)
    assert score(found.labels, found.labels == 1) == 1
