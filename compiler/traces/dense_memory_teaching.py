"""Certified runs of memories in few dimensions that have too many spanning runs to list.

Statement
    The runs of `teaching_runs_of` show, at questions whose vectors span those of all, differences that span W, and each
    question once. So they are a certified set (`domain.dense_memory_steps`): the differences give W (x) span(Z), and of
    what is shown at z, which is P + z z^T and something in W, the rest is the beginning of z.

Proof
    The few questions are some queries, the writes of all values to the first key, and v0 to some other keys, since
    (k, v) = (k0, v) + (k, v0) - (k0, v0) as vectors; they are a basis. They are asked in groups. A *round* asks each of
    a group, writes of v0 after those of other values. Keys of the group hold v0 before and after it. So a round always
    adds the same, C, which two rounds in a row show at each of the group. A word between two rounds shows C and what it
    adds, if keys of the group hold v0 before and after it. Such are *loops* (k = u, k = w, k = v0), and for keys that
    are not in the group *openings* (k = u). With all loops known, what k = u adds to v0 tells what k = w adds to u from
    what k = w adds to v0, and the other way round: so it does no harm that openings of a key follow each other. What
    all this does not span is shown one word a run, then each question: the difference from the question alone is what
    the word adds, and the spanning words span W.

    Words are chosen where they add to the rank modulo a prime, so at each of the few questions there are at most two
    samples more than the rank of W. (An unlucky prime would make a set that `learning.dense_memory_by_questions`, which
    proves it, does not certify.)
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import product

import numpy as np
from numpy.typing import NDArray

from compiler.domain.dense_memory_span import Word, requests
from compiler.domain.dense_memory_steps import Steps, added, steps_of
from compiler.learning.elimination import echelon
from compiler.program.run import Item
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowering import Turn
from compiler.program_to_rules.memory import names_of
from compiler.spans import Span

GROUPS = 4
"""The writes are asked in groups of a quarter of the keys: the others can hold anything meanwhile."""


def teaching_runs_of(lowering: LoweredDenseMemory) -> Iterator[list[Turn]]:
    """The runs, supervised at what shows something new."""
    steps, items = steps_of(lowering), requests(lowering)
    few = [items[number] for number in echelon(steps.questions().T)[0]]
    loops = _loops(lowering)
    shown = Span(len(steps.columns))
    chosen = [loops[number] for number in shown.extend(_returning(steps, loops))]
    for group in _groups(lowering, few):
        yield from _runs_of_group(steps, group, chosen, deepcopy(shown))
    yield from (_turns(lowering, [(item, True)]) for item in items if item not in few)


def _groups(lowering: LoweredDenseMemory, few: list[Item]) -> list[list[Item]]:
    """The few questions in groups of few keys; queries, which change nothing, are asked with the first."""
    writes = [item for item in few if not isinstance(item, str)]
    keys = list(dict.fromkeys(key for key, _ in writes))
    size = max(1, len(names_of(lowering.program)[0]) // GROUPS)
    found: list[list[Item]] = []
    for begin in range(0, len(keys), size):
        mine = keys[begin : begin + size]
        found.append([item for item in reversed(writes) if item[0] in mine])
    return [[*(item for item in few if isinstance(item, str)), *found[0]], *found[1:]]


def _loops(lowering: LoweredDenseMemory) -> list[Word]:
    """Queries, and writes to one key that end with its first value."""
    keys, values = names_of(lowering.program)
    found: list[Word] = [(key,) for key in keys]
    found += [((key, value), (key, values[0])) for value in values for key in keys]
    pairs = product(values, values)
    found += [((key, one), (key, two), (key, values[0])) for one, two in pairs for key in keys]
    return found


def _returning(steps: Steps, words: list[Word]) -> NDArray[np.int32]:
    """What words that ask one key add where it holds the first value, on the columns of `steps`."""
    start = names_of(steps.lowering.program)[1][0]
    keys = [item if isinstance(item, str) else item[0] for item, *_ in words]
    pairs = steps.pairs[steps.columns]
    first = {key: added(steps.lowering, pairs, [((key, start),)])[0] for key in dict.fromkeys(keys)}
    after = added(steps.lowering, pairs, [((key, start), *word) for key, word in zip(keys, words, strict=True)])
    return np.asarray(after - np.stack([first[key] for key in keys]))


def _runs_of_group(steps: Steps, group: list[Item], loops: list[Word], shown: Span) -> Iterator[list[Turn]]:
    """A run of rounds with words between them, then short runs; `shown` is what `loops` span, and grows."""
    lowering = steps.lowering
    keys, values = names_of(lowering.program)
    asked = {item[0] for item in group if not isinstance(item, str)}
    opening: list[Word] = [((key, value),) for key in keys if key not in asked for value in values[1:]]
    start: list[Item] = [(key, values[0]) for key in keys]
    pairs = steps.pairs[steps.columns]
    first, second = added(lowering, pairs, [(*start, *group), (*start, *group, *group)])
    shown.add(second - first)
    opened = [opening[number] for number in shown.extend(_returning(steps, opening))] if opening else []
    new = [steps.words[steps.basis[number]] for number in shown.extend(steps.sums[np.ix_(steps.basis, steps.columns)])]
    play = [(item, False) for item in start]
    around = [(item, True) for item in group]
    play += around
    for word in [(), *loops, *opened]:
        play += [*((item, False) for item in word), *around]
    yield _turns(lowering, play)
    for item in group:
        for word in [(), *new] if new else []:
            yield _turns(lowering, [*((before, False) for before in word), (item, True)])


def _turns(lowering: LoweredDenseMemory, play: list[tuple[Item, bool]]) -> list[Turn]:
    """The run on some requests, supervised at those that are said to be."""
    shown = iter([each for _, each in play])
    turns = lowering.dialogue([item for item, _ in play])
    return [(name, answer if answer is not None and next(shown) else None) for name, answer in turns]
