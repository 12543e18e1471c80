"""Rules, the intermediate form: a layer of linear attention as a sparse cubic form on named coordinates.

One layer answers, at the last token z_n of the tokens z_1 .. z_n in R^d,

    y[a] = sum over b <= c and e of  p[a; {b, c}; e] * S[b, c] * z_n[e],      S = sum_i z_i z_i^T,

and one entry of p is a *rule*: "if the last token has coordinate e, then for every token that has both b and c, add w
to coordinate a" (for b != c; for b = c the entry counts squares). S is symmetric, so b and c have no order: p divides
out what the weights leave open, and two layers are the same function on all inputs of length >= 2 exactly when their p
agree. In arXiv 2410.10101 the d^2 (d + 1) / 2 products S[b, c] z_n[e] are the features H(Z), and p are the
coefficients of the linear regression in them (section 3).

This module imports nothing of ours.

>>> form = Form.of(("x", "y"), [("y", "x", "y", "x", 2), ("y", "y", "x", "x", 1)])
>>> [str(rule) for rule in form]
['if the last token has x, then for every token that has x and y: y += 3']
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Weight: TypeAlias = int | float | Fraction
Weights: TypeAlias = NDArray[Any]
"""int64 where exact integers fit, object (int or Fraction) where they are exact and do not, float64 where inexact."""


class Rule(NamedTuple):
    """One entry of the form, with coordinates by name: `answer` += `weight` * S[b, c] * last token[`last`]."""

    answer: str
    b: str
    c: str
    last: str
    weight: Weight

    def __str__(self) -> str:
        pair = self.b if self.b == self.c else f"{self.b} and {self.c}"
        sign, size = ("-=", -self.weight) if self.weight < 0 else ("+=", self.weight)
        return f"if the last token has {self.last}, then for every token that has {pair}: {self.answer} {sign} {size}"


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A set of rules in canonical form: b <= c, sorted by (e, b, c, a), no repetition and no zero.

    Attributes
    ----------
    coordinates
        The names of the d coordinates, in order.
    index
        (R, 4) int32: the coordinates (e, b, c, a) of each rule.
    weights
        (R,): the weight of each rule; see `Weights`.
    """

    coordinates: tuple[str, ...]
    index: NDArray[np.int32]
    weights: Weights

    @classmethod
    def of(cls, coordinates: Iterable[str], rules: Iterable[tuple[str, str, str, str, Weight]]) -> Form:
        """The form of `rules`, each (a, b, c, e, weight) by names; equal places add. Raises ValueError."""
        names = tuple(coordinates)
        place = {name: number for number, name in enumerate(names)}
        entries = list(rules)
        if unknown := {name for entry in entries for name in entry[:4]} - place.keys():
            raise ValueError(f"no coordinate is named {min(unknown)!r}")
        index = np.array([[place[e], place[b], place[c], place[a]] for a, b, c, e, _ in entries], dtype=np.int64)
        return cls.canonical(names, index.reshape(-1, 4), exact_array([entry[4] for entry in entries]))

    @classmethod
    def canonical(cls, coordinates: tuple[str, ...], index: NDArray[Any], weights: Weights) -> Form:
        """The form of any list of entries: `index` (n, 4) holds (e, b, c, a), b and c in either order."""
        d = len(coordinates)
        low, high = np.minimum(index[:, 1], index[:, 2]), np.maximum(index[:, 1], index[:, 2])
        first_key, second_key = index[:, 0].astype(np.int64) * d + low, high.astype(np.int64) * d + index[:, 3]
        order = np.lexsort((second_key, first_key))
        first_key, second_key, sums = first_key[order], second_key[order], weights[order]
        if len(order):
            new = (first_key[1:] != first_key[:-1]) | (second_key[1:] != second_key[:-1])
            begins = np.flatnonzero(np.concatenate(([True], new)))
            if sums.dtype == np.int64 and np.abs(sums.astype(np.float64)).sum() >= 2.0**62:
                sums = sums.astype(object)
            first_key, second_key, sums = first_key[begins], second_key[begins], np.add.reduceat(sums, begins)
        kept = np.flatnonzero(sums != 0)
        first_key, second_key, sums = first_key[kept], second_key[kept], sums[kept]
        columns = [first_key // d, first_key % d, second_key // d, second_key % d]
        return cls(coordinates, np.stack(columns, axis=1).astype(np.int32), sums)

    @property
    def d(self) -> int:
        """The number of coordinates."""
        return len(self.coordinates)

    @property
    def exact(self) -> bool:
        """Whether the weights are integers or rationals rather than floats."""
        return self.weights.dtype != np.float64

    def __len__(self) -> int:
        return len(self.weights)

    def __iter__(self) -> Iterator[Rule]:
        names = self.coordinates
        for (e, b, c, a), weight in zip(self.index.tolist(), self.weights.tolist(), strict=True):
            yield Rule(names[a], names[b], names[c], names[e], weight)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Form):
            return NotImplemented
        return (
            self.coordinates == other.coordinates
            and np.array_equal(self.index, other.index)
            and bool(np.all(self.weights == other.weights))
        )

    __hash__ = None  # type: ignore[assignment]

    def reordered(self, coordinates: tuple[str, ...]) -> Form:
        """The same rules over the same names in another order. Raises ValueError where the names differ."""
        if sorted(coordinates) != sorted(self.coordinates):
            raise ValueError("the coordinates have other names")
        place = {name: number for number, name in enumerate(coordinates)}
        moved = np.array([place[name] for name in self.coordinates], dtype=np.int64)
        return Form.canonical(coordinates, moved[self.index], self.weights)

    def violations(self) -> list[str]:
        """Everything that keeps this from being a legal canonical form; empty for a legal one."""
        found = []
        if len(set(self.coordinates)) != self.d:
            found.append("two coordinates have the same name")
        if self.index.shape != (len(self.weights), 4):
            return [*found, f"the index has shape {self.index.shape}, expected ({len(self.weights)}, 4)"]
        if len(self) and not (self.index.min() >= 0 and self.index.max() < self.d):
            found.append(f"an index lies outside 0 .. {self.d - 1}")
        if bool(np.any(self.index[:, 1] > self.index[:, 2])):
            found.append("a pair {b, c} is not in order")
        keys = [tuple(row) for row in self.index.tolist()]
        if keys != sorted(set(keys)):
            found.append("the rules are not sorted, or one stands twice")
        if not all(np.isfinite(float(weight)) and weight != 0 for weight in self.weights.tolist()):
            found.append("a weight is zero or not finite")
        return found

    def digest(self) -> str:
        """SHA-256 over names, indices and weights: the same for the same rules on every machine."""
        weights = [each.hex() if isinstance(each, float) else str(each) for each in self.weights.tolist()]
        body = json.dumps([self.coordinates, self.index.tolist(), weights], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(body.encode()).hexdigest()

    def answer(self, memory: NDArray[Any], token: NDArray[Any]) -> NDArray[Any]:
        """Y = sum over rules of weight * S[b, c] * z[e], for `memory` S (d, d) and `token` z (d,): the definition."""
        e, b, c, a = self.index.T
        parts = [self.weights, memory[b, c], token[e]]
        if not any(part.dtype.kind == "f" for part in parts):
            size = len(self) + 1
            for part in parts:
                size *= 1 + max((abs(int(value)) for value in part.tolist()), default=0)
            small = size < 2**62 and all(part.dtype.kind == "i" for part in parts)
            parts = [part.astype(np.int64 if small else object) for part in parts]
        products = parts[0] * parts[1] * parts[2]
        y = np.zeros(self.d, dtype=products.dtype)
        np.add.at(y, a, products)
        return y


def exact_array(values: Iterable[Weight]) -> Weights:
    """Numbers as an array: int64 where all are integers that fit, float64 where one is a float, else object."""
    listed = list(values)
    if any(isinstance(value, float) for value in listed):
        return np.array([float(value) for value in listed])
    whole = [int(value) if value == int(value) else value for value in listed]
    if all(isinstance(value, int) and abs(value) < 2**62 for value in whole):
        return np.array(whole, dtype=np.int64)
    return np.array(whole, dtype=object)
