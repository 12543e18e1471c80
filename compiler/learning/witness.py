"""What data leave open, shown: two models that fit them alike, and an input on which they answer differently.

Statement
    Let H(Z) be the features of an input and v a vector with <v, H> = 0 at every supervised sample and <v, H(Z)> != 0.
    Add v to the rules of one answer coordinate of any model: the new model answers every sample as the old one does,
    so it fits the data exactly as well, and on Z it answers otherwise. Such a v exists exactly when H(Z) is not in the
    row space of the data (`learning.certificate`).

The first model is the learned one. v is looked for among the features of one coordinate e of the last token of Z, which
makes it short, and then among those of all coordinates that samples connect with it. It comes from the reduced row
echelon form modulo a prime: each free feature f has one null vector, with 1 at f and the rest on pivots. Of those that
do not vanish on Z the one with the fewest entries is taken: a feature that no sample shows, where there is one. It is
reconstructed over the integers and checked there, on every sample.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.exact import largest, product, times
from compiler.learning.elimination import PRIME, Integers, echelon, rationals
from compiler.learning.features import components
from compiler.model import Model
from compiler.program_to_rules.lowering import Lowering
from compiler.rules import Form, Rule, exact_array
from compiler.rules_to_heads import rules_to_heads
from compiler.spans import Span
from compiler.traces.data_set import DataSet

MOST_CELLS = 100_000_000
MOST_FEATURES = 20_000
"""The most entries and columns of a design in which a null vector is looked for."""


class Input(NamedTuple):
    """An input by name, and the tokens (n, d) up to the one whose answer is looked at."""

    names: tuple[str, ...]
    tokens: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """Two models that answer every sample of some data alike, and an input that tells them apart.

    Attributes
    ----------
    input
        The input by the names of its items; of a universal program, what is in its prompt, then the input; of a memory
        of vectors its tokens.
    tokens
        (n, d): the tokens of its run up to the one that is answered differently.
    rule
        A place where the models differ, and what the second adds there.
    models
        The learned model, and the other.
    answers
        Their answers (d,) to the last of `tokens`, exact.
    """

    input: tuple[str, ...]
    tokens: Integers
    rule: Rule
    models: tuple[Model, Model]
    answers: tuple[Any, Any]

    def said(self) -> tuple[str, str]:
        """The answers in words: sums of coordinates."""
        names = self.models[0].coordinates
        first, second = (_sum(answer, names) for answer in self.answers)
        return first, second


def _sum(answer: Integers, names: tuple[str, ...]) -> str:
    parts = []
    for name, value in zip(names, answer.tolist(), strict=True):
        if value:
            size = "" if abs(value) == 1 else f"{abs(value)} "
            parts.append(("- " if value < 0 else "+ ") + size + name)
    return " ".join(parts).removeprefix("+ ") or "0"


def witness(data: DataSet, lowering: Lowering, inputs: Iterable[Input]) -> Witness | None:
    """A witness on the first of `inputs` whose answer integer `data` leave open; None where there is none."""
    from compiler.learning.learn import learn

    left = _Open(data)
    for each in inputs:
        found = left.null_vector(each.tokens)
        if found is not None:
            learned = learn(replace(data, program=lowering.program)).model
            made = _made(learned, each, *found)
            if not holds(made, data):
                raise ArithmeticError("two models that should fit the data alike do not")
            return made
    return None


def holds(found: Witness, data: DataSet) -> bool:
    """Whether both models answer every sample alike, and the input differently: exactly, from their rules.

    Answers that agree leave residuals that agree, whatever the targets are.
    """
    forms = [_exact(model.rules) for model in found.models]
    index = np.concatenate([forms[0].index, forms[1].index])
    apart = Form.canonical(forms[0].coordinates, index, np.concatenate([-_objects(forms[0]), _objects(forms[1])]))
    e, b, c, a = apart.index.T.astype(np.int64)
    for part in data.sequences():
        z = _wide(data.tokens[part])
        asked = np.flatnonzero(data.supervised[part])
        memory = np.cumsum(z[:, b] * z[:, c], axis=0)[asked]
        each = times(times(memory, z[asked][:, e]), apart.weights[None])
        if any(each[:, a == place].sum(axis=1).any() for place in np.unique(a)):
            return False
    first, second = (_answer(form, found.tokens) for form in forms)
    return bool(np.any(first != second)) and all(map(np.array_equal, found.answers, (first, second)))


def _made(learned: Model, shown: Input, index: NDArray[np.int64], vector: Integers, chosen: int) -> Witness:
    """The two models: the learned one, and it with `vector` added to the rules of one answer coordinate."""
    own = _exact(learned.rules)
    answered = np.flatnonzero(_answer(own, shown.tokens))
    answer = int(answered[0]) if len(answered) else 0
    added = np.column_stack([index, np.full(len(index), answer)])
    weights = exact_array([*own.weights.tolist(), *vector.tolist()])
    other = Form.canonical(own.coordinates, np.concatenate([own.index, added]), weights)
    names = own.coordinates
    e, b, c = index[chosen].tolist()
    rule = Rule(names[answer], names[b], names[c], names[e], int(vector[chosen]))
    models = (learned, Model(names, rules_to_heads(other), learned.tokens, learned.program))
    return Witness(shown.names, shown.tokens, rule, models, (_answer(own, shown.tokens), _answer(other, shown.tokens)))


def _exact(form: Form) -> Form:
    """The rules with their floats, if they have such, as the rationals that they are."""
    if form.exact:
        return form
    return replace(form, weights=exact_array(Fraction(weight) for weight in form.weights.tolist()))


def _objects(form: Form) -> NDArray[Any]:
    return np.asarray(form.weights.astype(object))


def _answer(form: Form, tokens: Integers) -> Integers:
    """The answer (d,) to the last of `tokens`, exactly."""
    z = tokens.astype(object)
    return form.answer(np.asarray(z.T @ z), z[-1])


class _Open:
    """What data leave open: null vectors of their features, of so many coordinates at a time."""

    def __init__(self, data: DataSet) -> None:
        self.data = data
        present = (np.unique(data.tokens, axis=0) != 0).astype(np.float64)
        self.pairs = np.argwhere(np.triu(present.T @ present > 0))
        self.classes = [c for _, c in components(np.unique(data.tokens[data.supervised] != 0, axis=0))]
        self.known: dict[tuple[int, ...], _Reduced | None] = {}

    def null_vector(self, tokens: Integers) -> tuple[NDArray[np.int64], Integers, int] | None:
        """Features (n, 3), what is added to the rules that read them (n,), and the number of one that `tokens` shows.

        It vanishes on every supervised sample, and not on `tokens`. None where there is none, or none was found.
        """
        own = np.flatnonzero(tokens[-1])
        z = _wide(tokens)
        memory = z.T @ z
        known = np.zeros(memory.shape, dtype=np.bool_)
        known[self.pairs[:, 0], self.pairs[:, 1]] = True
        strange = np.argwhere(np.triu(memory != 0) & ~known)
        if len(own) and len(strange):
            return np.array([[own[0], *strange[0]]]), np.ones(1, dtype=np.int64), 0
        shown = memory[self.pairs[:, 0], self.pairs[:, 1]]
        for coordinates in [*own[:, None], *(c for c in self.classes if len(c) > 1 and np.isin(own, c).any())]:
            reduced = self._reduced(coordinates)
            found = None if reduced is None else reduced.outside(np.outer(z[-1][coordinates], shown).ravel())
            if found is not None:
                vector, chosen = found
                kept = np.flatnonzero(vector)
                index = np.column_stack([coordinates[kept // len(self.pairs)], self.pairs[kept % len(self.pairs)]])
                return index, vector[kept], int(np.searchsorted(kept, chosen))
        return None

    def _reduced(self, coordinates: NDArray[np.int64]) -> _Reduced | None:
        """The features of some coordinates of the last token, eliminated; None where they are too many."""
        key = tuple(coordinates.tolist())
        if key not in self.known:
            data, columns = self.data, len(coordinates) * len(self.pairs)
            rows = np.flatnonzero(data.supervised & (data.tokens[:, coordinates] != 0).any(axis=1))
            fits = len(rows) * columns <= MOST_CELLS and columns <= MOST_FEATURES
            self.known[key] = _Reduced.of(_design(data, rows, coordinates, self.pairs)) if fits else None
        return self.known[key]


@dataclass(frozen=True, slots=True, eq=False)
class _Reduced:
    """A design (m, n), its columns that are not zero, and of these the reduced row echelon form modulo the prime."""

    design: Integers
    used: NDArray[np.int64]
    pivots: list[int]
    rows: Integers

    @classmethod
    def of(cls, design: Integers) -> _Reduced:
        used = np.flatnonzero((design != 0).any(axis=0))
        independent = Span(len(used)).extend(design[:, used])
        return cls(design, used, *echelon(design[np.ix_(independent, used)]))

    def outside(self, row: Integers) -> tuple[Integers, int] | None:
        """An integer vector that annihilates the design and not `row` (n,), and a place of both: exact, or None."""
        unseen = np.setdiff1d(np.flatnonzero(row), self.used)
        if len(unseen):
            vector = np.zeros(len(row), dtype=np.int64)
            vector[unseen[0]] = 1
            return vector, int(unseen[0])
        mine = row[self.used].astype(object)
        rest = np.mod(mine - mine[self.pivots] @ self.rows, PRIME)
        free = np.setdiff1d(np.flatnonzero(rest), self.pivots)
        for place in free[np.argsort((self.rows[:, free] != 0).sum(axis=0), kind="stable")].tolist():
            values = rationals(self.rows[:, [place]])
            if values is None:
                continue
            vector = np.zeros(len(row), dtype=object)
            vector[self.used[self.pivots]], vector[self.used[place]] = -values[0][:, 0], values[1]
            if not np.any(product(self.design, vector[:, None])) and int(vector @ row.astype(object)):
                return vector, int(np.flatnonzero((vector != 0) & (row != 0))[0])
        return None


def _design(
    data: DataSet, rows: NDArray[np.int64], coordinates: NDArray[np.int64], pairs: NDArray[np.int64]
) -> Integers:
    """The features z[e] S[b, c] at `rows` for e in `coordinates`, {b, c} in `pairs`: (m, E P)."""
    parts = [np.zeros((0, len(coordinates) * len(pairs)), dtype=np.int64)]
    owners = np.searchsorted(data.offsets, rows, side="right") - 1
    for number in np.unique(owners).tolist():
        begin, mine = int(data.offsets[number]), rows[owners == number]
        z = _wide(data.tokens[begin : int(mine[-1]) + 1])
        memory = np.cumsum(z[:, pairs[:, 0]] * z[:, pairs[:, 1]], axis=0)[mine - begin]
        parts.append((z[mine - begin][:, coordinates][:, :, None] * memory[:, None]).reshape(len(mine), -1))
    return np.concatenate(parts)


def _wide(tokens: Integers) -> Integers:
    """Integers that sums of products of three cannot overflow."""
    small = (largest(tokens.astype(object)) + 1) ** 3 * (len(tokens) + 1) < 2**62
    return tokens.astype(np.int64 if small else object)
