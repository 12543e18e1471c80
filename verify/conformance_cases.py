"""The cases of the conformance suite: edge cases, teachers of real weights, runs of programs, and drawn ones.

All numbers are whole or sixteenths, and small enough for sums of products V z z Q z to be exact in float64.

>>> [case.name for case in cases()][:3]
['one token of one coordinate', 'no heads', 'one entry of V and one of Q']
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from compiler.language.load import load
from compiler.model import Model
from compiler.program import Machine, Program
from compiler.program_to_model import compile
from compiler.random_model import random_model
from verify.strategies import exchanged, models

Floats: TypeAlias = NDArray[np.float64]

TEACHERS = ((1, 3, 4), (3, 1, 2), (4, 2, 7), (2, 5, 17), (8, 3, 33), (3, 2, 140))
"""Dimension, heads and tokens of teachers; the last has more tokens than the chunks that some backends work in."""
RUNS = {
    "parity": "0110100110010110" * 5,
    "s3": "tctcctcc",
    "turnstile": "push, coin, push, push, coin, coin, push",
    "capitals": "japan, france = paris, france, peru, france = lima, peru = lima, france, peru",
    "votes": "budget, bridge = yes, bridge = no, budget = yes, bridge, budget",
    "increment": "011",
}
"""Words of programs of the library."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A layer and tokens, in float64 and read-only: heads V and Q (H, d, d) and tokens Z (n, d)."""

    name: str
    V: Floats
    Q: Floats
    Z: Floats

    @classmethod
    def of(cls, name: str, V: ArrayLike, Q: ArrayLike, Z: ArrayLike) -> Case:
        """A case of arrays of any numbers."""
        arrays = [np.array(each, dtype=np.float64) for each in (V, Q, Z)]
        for each in arrays:
            each.setflags(write=False)
        return cls(name, *arrays)


@cache
def cases() -> tuple[Case, ...]:
    """The fixed cases, simple ones first."""
    return (*_edges(), *map(_teacher, *zip(*TEACHERS, strict=True)), *map(_run, RUNS))


@st.composite
def drawn_cases(draw: st.DrawFn) -> Case:
    """Small layers of whole weights on a few tokens of whole numbers."""
    model = draw(models(max_d=4))
    tokens = draw(st.lists(st.tuples(*[st.integers(-3, 3)] * 4), min_size=1, max_size=6))
    return Case.of("drawn", model.V, model.Q, np.array(tokens)[:, : model.d])


def _edges() -> Iterator[Case]:
    yield Case.of("one token of one coordinate", [[[2]]], [[[3]]], [[5]])
    none = np.zeros((0, 2, 2))
    yield Case.of("no heads", none, none, [[1, 2], [3, 4], [5, 6]])
    V, Q = [[[0, 1], [0, 0]]], [[[0, 0], [1, 0]]]
    yield Case.of("one entry of V and one of Q", V, Q, [[1, 2], [3, -4], [-5, 6]])
    yield Case.of("the last token alone", V, Q, [[0, 0], [0, 0], [2, 3]])
    yield Case.of("two heads", [*V, [[5, 0], [7, 1]]], [*Q, [[0, -1], [2, 0]]], [[1, 2], [3, -4], [-5, 6]])
    yield Case.of("more heads than coordinates", [*V] * 5, [*Q, [[0, 1], [2, 3]]] * 2 + Q, [[1, 2], [3, 4]])
    yield Case.of("tokens of zeros", V, Q, [[0, 0], [0, 0]])
    yield Case.of("a token of zeros among others", V, Q, [[1, 2], [0, 0], [3, 4]])
    yield Case.of("the same token again and again", V, Q, [[1, 2]] * 5)
    yield Case.of("tokens that are taken back", V, Q, [[1, 2], [-1, -2], [1, -2], [2, 1]])
    yield Case.of("large entries", V, Q, [[100_003, 1], [1, -100_003], [-100_003, 100_003]])
    parity = compile(load("parity"))
    tokens = np.random.default_rng(0).integers(-3, 4, size=(6, parity.d))
    yield _on("rules with b and c exchanged", exchanged(exchanged(parity, 0), 5), tokens)
    yield _on("heads that cancel", _cancelling(parity), tokens)


def _cancelling(model: Model) -> Model:
    """The heads of the model and their negatives."""
    return Model.from_arrays(np.concatenate([model.V, -model.V]), np.concatenate([model.Q, model.Q]))


def _teacher(d: int, heads: int, tokens: int) -> Case:
    """A Gaussian teacher on Gaussian tokens, all rounded to sixteenths."""
    model = random_model(d, heads, seed=d)
    Z = np.random.default_rng(d).normal(size=(tokens, d))
    V, Q, Z = (np.round(16 * each) / 16 for each in (model.V, model.Q, Z))
    return Case.of(f"a teacher of {heads} heads in {d} dimensions", V, Q, Z)


def _run(name: str) -> Case:
    """The tokens of a run of a program of the library."""
    program: Program = load(name)
    model = compile(replace(program, cells=5) if isinstance(program, Machine) else program)
    tokens = model.run(RUNS[name]).tokens
    return _on(f"a run of {name}", model, np.stack([model.tokens[token] for token in tokens]))


def _on(name: str, model: Model, Z: ArrayLike) -> Case:
    return Case.of(name, model.V, model.Q, Z)
