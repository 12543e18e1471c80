"""The certificate for memories in few dimensions with too many spanning runs to list, from what each question shows.

Statement
    Data are certified for a memory (`domain.dense_memory_steps`: W, Z, P) if their runs show every question, and at
    some questions, whose vectors span those of all, differences of S that span W.

Proof
    Let S_1, S_2, .. be what a question z shows. The row space has S_i (x) z, so it has (S_i - S_j) (x) z: if these
    differences span W it has W (x) z, and from questions whose vectors span span(Z) all of W (x) span(Z). Each question
    z is shown with S = P + z z^T + w, w in W, since it is asked in a run; less w (x) z this is (P + z z^T) (x) z. These
    span all that can be reached. The differences lie in W, so they span it if their rank is that of W.

Ranks of what is shown are taken modulo a prime, so they are lower bounds; those of W and of Z are proved to be no more
(`Hull`). So "yes" is proved. The condition is sufficient: "no" is said also where W (x) span(Z) is shown by questions
together, and by none of them alone. Of the data only what are runs of the memory, to the first token that is not what
comes then, is looked at; more can only add to the row space.

Differences that one question shows as another does are eliminated once: certified sets show nearly all alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.domain.dense_memory_span import Word, requests
from compiler.domain.dense_memory_steps import Steps, steps_of
from compiler.domain.hulls import Hull
from compiler.errors import DataError
from compiler.exact import product
from compiler.learning.count_certificate import Certificate, Inputs, input_of
from compiler.learning.elimination import Integers
from compiler.learning.witness import Input
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.spans import Span
from compiler.traces.data_set import DataSet

ROWS = 4_096
"""The tokens whose S are held at once."""
MOST_INPUTS = 30
"""The inputs on which a witness is looked for."""


class _Shown(NamedTuple):
    """S on the columns of the steps, (m, r), at samples of runs, and the numbers of their questions, (m,)."""

    memory: Integers
    asked: NDArray[np.int64]


def certificate_by_questions(data: DataSet, lowering: LoweredDenseMemory) -> tuple[Certificate, Inputs]:
    """The certificate of integer data that the module's docstring states, and what may be open.

    `rank` counts, of what the data show, what enters the proof. Raises DataError where W has no small integer basis.
    """
    steps = steps_of(lowering)
    questions, size = steps.questions(), len(steps.basis)
    hull = Hull.of(steps.sums[steps.basis].astype(np.int64))
    if hull.outside(steps.sums).any():
        raise DataError("what requests add spans more than it does modulo a prime")
    shown = _shown(data, steps, questions)
    full, less = _full(shown, questions, size)
    seen, dimension = np.unique(shown.asked), Hull.of(questions).dimension
    beginnings = _beginnings(steps, questions, hull)
    rank, span = (
        size * number + Span(beginnings.shape[1]).extend(rows).size
        for number, rows in ((len(full), beginnings[seen]), (dimension, beginnings))
    )
    left = [*less, *np.setdiff1d(np.arange(len(questions)), [*seen, *less]).tolist()]
    if len(full) == dimension and len(seen) == len(questions):
        return Certificate(True, rank, span, None), lambda: iter(())
    words = partial(_open_words, steps, shown, left)
    return Certificate(False, rank, span, _spelled(next(words()))), partial(_inputs, lowering, words)


def _shown(data: DataSet, steps: Steps, questions: Integers) -> _Shown:
    """What runs of the memory among `data` show at questions; entries of S are at most the number of tokens."""
    low, high = steps.pairs[steps.columns].T
    numbers = {row.tobytes(): number for number, row in enumerate(questions)}
    memory, asked = [np.zeros((0, len(low)), dtype=np.int32)], [np.zeros(0, dtype=np.int64)]
    for part in data.sequences():
        z = np.ascontiguousarray(data.tokens[part].astype(np.int64))
        mine = np.array([numbers.get(row.tobytes(), -1) for row in z], dtype=np.int64)
        length = _length_of_run(z, mine, steps.lowering)
        before = np.zeros(len(low), dtype=np.int64)
        for begin in range(0, length, ROWS):
            rows = slice(begin, min(begin + ROWS, length))
            sums = np.cumsum(z[rows, low] * z[rows, high], axis=0) + before
            before = sums[-1]
            kept = (mine[rows] >= 0) & data.supervised[part][rows]
            memory.append(sums[kept].astype(np.int32))
            asked.append(mine[rows][kept])
    return _Shown(np.concatenate(memory), np.concatenate(asked))


def _length_of_run(z: Integers, asked: NDArray[np.int64], lowering: LoweredDenseMemory) -> int:
    """How many of the tokens z (n, d), `asked` the numbers of their requests, are what comes in the run on these."""
    items, numbers = requests(lowering), lowering.tokens.numbers
    word = [items[number] for number in asked.tolist() if number >= 0]
    run = [numbers[name] for name, _ in lowering.dialogue(word, len(z))]
    for begin in range(0, len(run), ROWS):
        part = lowering.tokens.dense(run[begin : begin + ROWS])
        wrong = np.flatnonzero((part != z[begin : begin + len(part)]).any(axis=1))
        if len(wrong):
            return begin + int(wrong[0])
    return len(run)


def _full(shown: _Shown, questions: Integers, size: int) -> tuple[list[int], list[int]]:
    """Independent questions whose differences have rank `size`, and those, outside their span, whose have less.

    The most often asked come first. Modulo a prime.
    """
    counts = np.bincount(shown.asked, minlength=len(questions))
    known: dict[bytes, int] = {}
    span, full, less = Span(questions.shape[1]), [], []
    shared, common, previous = frozenset[int](), Span(size), frozenset[int]()
    for question in np.argsort(-counts, kind="stable").tolist():
        if not span.rest(questions[question]).any():
            continue
        if counts[question] <= size:
            less.append(question)
            continue
        rows = _differences(shown, question)
        place = {known.setdefault(row.tobytes(), len(known)): at for at, row in enumerate(rows)}
        both = previous & place.keys()
        if not shared <= place.keys() or len(both) > len(shared):
            shared, common = both, Span(size)
            common.extend(rows[[place[each] for each in sorted(shared)]])
        own = deepcopy(common)
        own.extend(rows[[place[each] for each in sorted(place.keys() - shared)]])
        previous = frozenset(place)
        if own.size == size:
            span.add(questions[question])
            full.append(question)
        else:
            less.append(question)
    return full, [question for question in less if span.rest(questions[question]).any()]


def _differences(shown: _Shown, question: int) -> Integers:
    """Those of what follows each other at a question, (m - 1, r)."""
    return np.asarray(np.diff(shown.memory[shown.asked == question], axis=0))


def _beginnings(steps: Steps, questions: Integers, hull: Hull) -> Integers:
    """(P + z z^T) (x) z of each question z modulo W (x) span(Z): (q, k)."""
    low, high = steps.pairs.T
    prompt = steps.lowering.tokens.dense(map(steps.lowering.tokens.numbers.__getitem__, steps.lowering.inputs(())))
    held = (prompt[:, low] * prompt[:, high]).sum(axis=0)
    outside = product(hull.equations, (held + questions[:, low] * questions[:, high]).T)
    outside = outside[Span(len(questions)).extend(outside)]
    return np.asarray((outside.T[:, :, None] * questions[:, None]).reshape(len(questions), -1))


def _open_words(steps: Steps, shown: _Shown, left: list[int]) -> Iterator[Word]:
    """Of each question that is left a short word that ends with it and leads to what it does not show."""
    items = requests(steps.lowering)
    asked = set(shown.asked.tolist())
    for question in sorted(left, key=asked.__contains__):
        span = Span(len(steps.columns))
        span.extend(_differences(shown, question))
        outside = np.flatnonzero(span.rests(steps.sums[np.ix_(steps.basis, steps.columns)]).any(axis=1))
        word: Word = () if question not in asked else steps.words[steps.basis[outside[0]]]
        yield (*word, items[question])


def _inputs(lowering: LoweredDenseMemory, words: Callable[[], Iterator[Word]]) -> Iterator[Input]:
    """The runs on `words` up to their last request."""
    for word in islice(words(), MOST_INPUTS):
        turns = list(lowering.dialogue(word))
        last = max(place for place, (_, answer) in enumerate(turns) if answer is not None)
        yield input_of(lowering, _spelled(word), turns[: last + 1])


def _spelled(word: Word) -> tuple[str, ...]:
    return tuple(item if isinstance(item, str) else " = ".join(item) for item in word)
