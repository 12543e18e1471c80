"""Which rule of a model speaks most for a wrong decision: a hint for people, in floats; no verdict rests on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.model import Model
from compiler.rules import Form


def most_to_blame(
    model: Model, form: Form, memory: NDArray[Any], last: NDArray[Any], right: NDArray[Any], wrong: NDArray[Any]
) -> str:
    """The rule that differs from those of `form` and adds most to the score of `wrong` (d,) less that of `right`.

    The configuration is S (d, d) and the last token (d,). The score grows by (wrong - right)[a] p[a; {b, c}; e] S[b, c]
    z[e]; what differs is p.
    """
    S, z, towards = memory.astype(float), last.astype(float), (wrong - right).astype(float)
    worst, found = 0.0, (0, 0, 0, 0.0, 0.0)
    for a in np.flatnonzero(towards).tolist():
        given, wanted = _read_by(model, a, z), np.zeros((model.d, model.d))
        mine = form.index[:, 3] == a
        e, b, c, _ = form.index[mine].T
        np.add.at(wanted, (b, c), form.weights[mine].astype(float) * z[e])
        harm = towards[a] * (given - wanted) * S
        place = int(harm.argmax())
        if harm.flat[place] > worst:
            worst = float(harm.flat[place])
            found = a, *divmod(place, model.d), float(given.flat[place]), float(wanted.flat[place])
    a, b, c, given_there, wanted_there = found
    names = model.coordinates
    asked = " + ".join(names[place] for place in np.flatnonzero(last))
    return f"{names[a]} += {given_there:.3g} S[{names[b]}, {names[c]}] on {asked}; the program has {wanted_there:g}"


def _read_by(model: Model, a: int, z: NDArray[Any]) -> NDArray[Any]:
    """Sum over e of p[a; {b, c}; e] z[e] at [b, c], b <= c; zero elsewhere."""
    made = np.zeros((model.d, model.d))
    for head in model.heads:
        row, query = np.zeros(model.d), np.zeros(model.d)
        mine = head.V.rows == a
        np.add.at(row, head.V.columns[mine], head.V.weights[mine].astype(float))
        np.add.at(query, head.Q.rows, head.Q.weights.astype(float) * z[head.Q.columns])
        made += np.outer(row, query)
    return np.asarray(np.triu(made + made.T) - np.diag(np.diag(made)))
