"""Everywhere: two layers are the same function on all inputs of all lengths, if and only if their rules agree.

The answer on Z is sum p[a; {b, c}; e] S[b, c] z_n[e]; for inputs of length >= 2 the products S[b, c] z_n[e] are
linearly independent functions, so equal functions have equal p (docs/verification.md). Where p differ, a real input of
one or two tokens with small integer entries shows it.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import product as choices
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.exact import scaled
from compiler.rules import Form

ExactForm: TypeAlias = tuple[Form, int]
"""A form with integer weights, and the denominator by which they are to be divided."""


def difference(left: ExactForm, right: ExactForm) -> Form:
    """P of `left` minus p of `right`, times both denominators: integers, empty exactly for equal functions."""
    (a, below_a), (b, below_b) = left, right
    index = np.concatenate([a.index, b.index])
    weights = np.concatenate([a.weights.astype(object) * below_b, -(b.weights.astype(object) * below_a)])
    return Form.canonical(a.coordinates, index, weights)


def exact_form(form: Form) -> ExactForm:
    """A form with integer weights over one denominator."""
    values = scaled(form.weights)
    return Form(form.coordinates, form.index, values.numerators), values.denominator


def separating_input(form: Form, asking: Collection[int] | None = None) -> NDArray[np.int64]:
    """Tokens (n, d), as few as possible, on which a non-zero form does not vanish.

    `asking` are the coordinates that the last token may have, if not all; every rule of the form must read one of them.

    One token z gives the cubic form p(z, z, z). If it is not zero on the coordinates that are tried it is not on their
    entries 0, 1, -1: there x^3 = x, and no two cubic monomials become the same. If it is, two tokens are needed: a
    token k before the unit vector e adds p(k, k, e), which is not zero for one of k = b + c, b, c.
    """
    e, b, c, _ = form.index[0].tolist()
    units = np.eye(form.d, dtype=np.int64)
    corners = dict.fromkeys(place for place in (b, c, e) if asking is None or place in asking)
    for signs in choices((0, 1, -1), repeat=len(corners)):
        token = sum((sign * units[place] for sign, place in zip(signs, corners, strict=True)), np.zeros_like(units[0]))
        if _value(form, token[None]).any():
            return np.asarray(token[None])
    for key in (units[b] + units[c], units[b], units[c]):
        tokens = np.stack([key, units[e]])
        if _value(form, tokens).any():
            return tokens
    raise ArithmeticError("a form that is not zero vanishes on every candidate; this contradicts its canonical form")


def _value(form: Form, tokens: NDArray[np.int64]) -> NDArray[np.object_]:
    whole = tokens.astype(object)
    return form.answer(whole.T @ whole, whole[-1])
