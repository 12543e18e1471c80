"""Asking a model: what does the layer answer to a token, from these fast weights? Exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.exact import times
from compiler.rules import Form


class Asker:
    """Answers the question: from these fast weights, what does the layer answer to this token?

    Fast weights are kept only at the pairs {b, c} that some rule reads.
    """

    def __init__(self, form: Form, denominator: int) -> None:
        self.form = form
        self.denominator = denominator
        keys = form.index[:, 1].astype(np.int64) * form.d + form.index[:, 2]
        self.pairs, self.place = np.unique(keys, return_inverse=True)
        self.chosen = {e: np.flatnonzero(form.index[:, 0] == e) for e in np.unique(form.index[:, 0]).tolist()}

    def added(self, token: NDArray[np.int64]) -> NDArray[Any]:
        """What `token` adds to the fast weights."""
        return times(token[self.pairs // self.form.d], token[self.pairs % self.form.d])

    def answer(self, memory: NDArray[Any], token: NDArray[np.int64]) -> dict[int, int] | None:
        """The non-zero entries of the answer to `token`, which `memory` holds already; None where one is no integer."""
        total: dict[int, int] = {}
        for e in np.flatnonzero(token).tolist():
            rules = self.chosen.get(e, np.zeros(0, dtype=np.int64))
            live = rules[memory[self.place[rules]] != 0]
            values = times(self.form.weights[live], memory[self.place[live]])
            for a, value in zip(self.form.index[live, 3].tolist(), values.tolist(), strict=True):
                total[a] = total.get(a, 0) + value * int(token[e])
        if any(value % self.denominator for value in total.values()):
            return None
        return {a: value // self.denominator for a, value in total.items() if value}
