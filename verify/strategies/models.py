"""Models, the same function in other weights (disguises), and models with one weight changed (mutants)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.model import Model


@st.composite
def models(draw: st.DrawFn, *, max_d: int = 4, max_heads: int = 3, exact: bool = True) -> Model:
    """Models with small integer weights, or (`exact` False) small floats; without names and programs."""
    d, heads = draw(st.integers(1, max_d)), draw(st.integers(1, max_heads))
    entries = st.integers(-2, 2) if exact else st.floats(-2, 2, allow_nan=False, width=32)
    most = 2 * max_heads * max_d * max_d  # as many for every size, so that a size shrinks without the entries
    flat = draw(st.lists(entries, min_size=most, max_size=most))
    drawn = np.array(flat, dtype=np.int64 if exact else np.float64).reshape(2, max_heads, max_d, max_d)
    weights = drawn[:, :heads, :d, :d]
    return Model.from_arrays(weights[0], weights[1])


@st.composite
def disguises(draw: st.DrawFn, model: Model) -> Model:
    """The same function in other weights: heads permuted, rescaled, mixed by an integer matrix, b and c exchanged."""
    made = model
    if draw(st.booleans()):
        order = draw(st.permutations(range(len(made.heads))))
        made = replace(made, heads=tuple(made.heads[number] for number in order))
    if draw(st.booleans()):
        factors = draw(st.lists(st.sampled_from([-3, -1, 2, 5]), min_size=len(made.heads), max_size=len(made.heads)))
        made = replace(made, heads=tuple(map(rescaled, made.heads, factors)))
    if len(made.heads) > 1 and draw(st.booleans()):
        first, second = draw(st.permutations(range(len(made.heads))))[:2]
        made = sheared(made, first, second, draw(st.sampled_from([-2, -1, 1, 3])))
    rules = len(made.rules)
    if rules and draw(st.booleans()):
        made = exchanged(made, draw(st.integers(0, rules - 1)))
    return made


def rescaled(head: Head, factor: int) -> Head:
    """(V, Q) -> (factor V, Q / factor): the same head."""
    below = np.array([Fraction(value) / factor for value in head.Q.weights.tolist()], dtype=object)
    floats = head.Q.weights.dtype.kind == "f"
    return Head(
        head.name,
        Sparse(head.V.rows, head.V.columns, head.V.weights * factor),
        Sparse(head.Q.rows, head.Q.columns, head.Q.weights / factor if floats else below),
    )


def sheared(model: Model, first: int, second: int, factor: int) -> Model:
    """The mixing V[first] += factor V[second], Q[second] -= factor Q[first], which leaves the sum over heads alone."""
    v, q = model.V, model.Q
    v[first] = v[first] + factor * v[second]
    q[second] = q[second] - factor * q[first]
    return _with_weights(model, v, q)


def exchanged(model: Model, number: int) -> Model:
    """Rule `number` of the model with b and c exchanged in V and Q: two more heads that cancel in the function."""
    rule = model.rules
    e, b, c, a = rule.index[number].tolist()
    weight = rule.weights[number : number + 1]
    one = np.ones(1, dtype=np.int64)
    heads = (
        Head("exchange, there", _entry(a, b, weight), _entry(c, e, -one)),
        Head("exchange, back", _entry(a, c, weight), _entry(b, e, one)),
    )
    return replace(model, heads=model.heads + heads)


@st.composite
def mutants(draw: st.DrawFn, model: Model) -> Model:
    """The model with a single weight of V or Q changed by a non-zero integer; it may or may not be the same program."""
    head, row, column = (draw(st.integers(0, size - 1)) for size in (len(model.heads), model.d, model.d))
    weights = model.V, model.Q
    side = draw(st.sampled_from([0, 1]))
    weights[side][head, row, column] += draw(st.sampled_from([1, -1, 2, -2]))
    return _with_weights(model, *weights)


def _entry(row: int, column: int, weight: NDArray[Any]) -> Sparse:
    return Sparse(np.array([row], dtype=np.int32), np.array([column], dtype=np.int32), weight)


def _with_weights(model: Model, v: NDArray[Any], q: NDArray[Any]) -> Model:
    names = [head.name for head in model.heads]
    return Model.from_arrays(
        v, q, coordinates=model.coordinates, tokens=model.tokens, program=model.program, names=names
    )
