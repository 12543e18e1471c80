"""Runs of a dense memory whose configurations span all that it can reach, for memories of few keys and values.

Statement
    Let a *step* be what a request adds to S with the answers to it, at one key in one state (what it holds). The runs
    of `spanning_words`, each followed by each request, span the configurations at every question.

Proof
    Steps depend on the key's own state alone, so S before a request is S of the prompt plus, for each key, a walk's
    sum of steps; keys do not hold each other up. What a request z asks of is that S plus its own z z^T. So what is
    reachable with z last is spanned by (S of the prompt + z z^T) and all steps from states that can be reached: the
    difference of two walks, one a step longer, is that step. One write leads to every state of a key that it can
    have, and a second write takes every step from there; so words of up to two writes to one key, and single queries,
    show each of them before each z. With `first` the token `free` asks after a request to a key that holds nothing,
    which the same words show; `taken` after one to a key that holds something, whose steps are those of the other
    keys as well. Since `taken` is one token whatever the request was, it is enough to have two keys written before
    all words: for the steps of each key, one of the two is another.

The table's runs are meant, whether or not cross talk lets the layer decode them: more than can be run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from compiler.errors import UnsupportedError
from compiler.program.run import Item
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowering import Turn
from compiler.program_to_rules.memory import names_of

Word: TypeAlias = tuple[Item, ...]

MOST_RUNS = 20_000
"""The most runs that are listed."""
MOST_NUMBERS = 200_000_000
"""The most numbers, d^3 a run, that their configurations may have."""


def spanning_runs(lowering: LoweredDenseMemory) -> Iterator[tuple[Word, list[Turn]]]:
    """The words, each with one request after it, and their runs. Raises UnsupportedError."""
    check_size(lowering)
    for word in spanning_words(lowering):
        for item in requests(lowering):
            yield (*word, item), list(lowering.dialogue((*word, item)))


def listed(lowering: LoweredDenseMemory) -> bool:
    """Whether the runs are few enough to be listed."""
    count = _count(lowering)
    return count <= MOST_RUNS and count * lowering.form.d**3 <= MOST_NUMBERS


def _count(lowering: LoweredDenseMemory) -> int:
    keys, values = names_of(lowering.program)
    return (1 + len(keys) * (1 + len(values) + len(values) ** 2)) * len(requests(lowering))


def check_size(lowering: LoweredDenseMemory) -> None:
    """Raises UnsupportedError where there are too many runs to list."""
    (keys, values), count = names_of(lowering.program), _count(lowering)
    if not listed(lowering):
        raise UnsupportedError(
            f"memory {lowering.program.name} has {len(keys)} keys in few dimensions and {len(values)} values; what it "
            f"can reach is spanned by {count:,} runs in {lowering.form.d} coordinates, and this version lists up to "
            f"{MOST_RUNS:,} runs, and up to {MOST_NUMBERS:,} numbers (d^3 a run)"
        )


def requests(lowering: LoweredDenseMemory) -> list[Item]:
    """Every query, then every write."""
    keys, values = names_of(lowering.program)
    return [*keys, *((key, value) for key in keys for value in values)]


def spanning_words(lowering: LoweredDenseMemory) -> list[Word]:
    """The words of the module's docstring."""
    keys, values = names_of(lowering.program)
    words: list[Word] = [(), *((key,) for key in keys)]
    for key in keys:
        words += [((key, value),) for value in values]
        words += [((key, first), (key, second)) for first in values for second in values]
    before: list[tuple[Any, ...]] = [()]
    if lowering.program.write == "first":
        before += [((key, values[0]),) for key in keys[:2]]
    return list(dict.fromkeys((*prefix, *word) for prefix in before for word in words))
