"""Data of dense memories: what is asked, and the layer's own answers, cross talk included.

A decoded answer is not the layer's: no layer gives it exactly, so data with decoded targets cannot be learned exactly.
The targets here are the exact raw answers, rationals over the number of dimensions; what follows in the run is the
decoded answer, as the construction says.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.exact import Scaled, plus, product, scaled, times
from compiler.learning.elimination import echelon
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.rules import Form

ROWS = 4_096
"""The positions whose fast weights are held at once."""


def raw_answers(form: Form, tokens: NDArray[Any], offsets: NDArray[np.int64], supervised: NDArray[np.bool_]) -> Scaled:
    """The exact answers (total, d) of the rules at the supervised positions of integer tokens; zeros elsewhere."""
    weights, below = scaled(form.weights)
    e, b, c, a = form.index.T
    pairs, place = np.unique(np.column_stack([b, c]), axis=0, return_inverse=True)
    place = place.reshape(-1)
    spread = np.zeros((len(form), form.d), dtype=np.int64)
    spread[np.arange(len(form)), a] = 1
    found = np.zeros(tokens.shape, dtype=np.int64)
    for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        memory: NDArray[Any] = np.zeros(len(pairs), dtype=np.int64)
        for begin in range(start, end, ROWS):
            z = tokens[begin : min(begin + ROWS, end)].astype(np.int64)
            sums = plus(np.cumsum(z[:, pairs[:, 0]] * z[:, pairs[:, 1]], axis=0), memory)
            memory = sums[-1]
            asked = np.flatnonzero(supervised[begin : begin + len(z)])
            made = times(times(sums[np.ix_(asked, place)], z[np.ix_(asked, e)]), weights[None])
            found[begin + asked] = product(made, spread)
    return Scaled(found, below)


def dense_words(lowering: LoweredDenseMemory, count: int, lengths: tuple[int, int], seed: int) -> list[list[Any]]:
    """Random words, of lengths drawn uniformly; of the requests half are any, half from a few that span the others.

    So each of these few is asked often, in many states of the memory, which is what makes the rules learnable.
    """
    items = lowering.items()
    few = _spanning(lowering, items)
    random = np.random.default_rng(seed)
    found = []
    for length in random.integers(lengths[0], lengths[1] + 1, size=count).tolist():
        drawn = random.integers(0, len(items), size=length)
        chosen = few[random.integers(0, len(few), size=length)]
        found.append([items[n] for n in np.where(random.random(length) < 0.5, drawn, chosen).tolist()])
    return found


def _spanning(lowering: LoweredDenseMemory, items: Any) -> NDArray[np.int64]:
    """The numbers of items whose tokens are a basis of the span of all."""
    first = {item: number for number, item in reversed(list(enumerate(items)))}
    distinct = np.array(sorted(first.values()))
    prompt = len(lowering.inputs(()))
    names = [lowering.inputs((items[n],))[prompt] for n in distinct.tolist()]
    vectors = lowering.tokens.dense(lowering.tokens.numbers[name] for name in names)
    pivots, _ = echelon(vectors.astype(np.int64).T)
    return distinct[pivots]
