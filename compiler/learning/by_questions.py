"""Rules of integer data by their questions: a small regression for each of a few last tokens, put together.

With the last token z fixed an answer is a linear function L_z of S, and over all z it is L_z = sum_e z[e] P_e, where
P_e are the rules that read e. Where S varies freely at a few questions whose tokens span all others, the P_e follow
from the L_z of these few: regressions with a feature a pair {b, c}, in the place of one with a feature a pair and e.

1.  At each of the few, differences of samples give L_z on the pairs that vary there; what is the same at every sample
    of a question drops out. For an answer's coordinate a the pairs {a, c} are tried first (what is read from a memory
    stands there together with its key), then the quietest pairs (least peak), as many as `WIDTH`.
2.  P_e is the sum over the few z of (inverse of the few)[e, z] L_z, on coordinates e that are pivots.
    So the pivots of 1 and 2 make features that are independent on the data.
3.  What is left of the targets must depend on the question alone: it is fitted by the pairs that are constant at every
    question, times e, in a regression with one row a question.
4.  Every sample is checked over the integers.

That solving each last token alone does not lift to rules in general is known: where questions show less than this, some
step fails, and None is returned. Rules that do fit every sample are a minimiser like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import lcm, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.exact import largest, plus, product, times
from compiler.learning.elimination import Integers, echelon, rationals
from compiler.learning.features import MAX_CELLS, components
from compiler.learning.reading import Part
from compiler.rules import exact_array
from compiler.traces.data_set import DataSet

WIDTH = 600
"""The most pairs of one regression."""
LEAST_FEATURES = 5_000
"""Blocks of fewer features are solved as they are, with a rank that says more."""
MOST_QUESTIONS = 2_000
MOST_ROWS = 1_500
"""The most rows that a solution is made from; it is checked on all."""
ROWS = 8_192


class _Shown(NamedTuple):
    """Samples: S (m, P) on the pairs (P, 2), the quietest first; questions (q, d), that of each; targets (m, d)."""

    memory: Integers
    pairs: NDArray[np.int64]
    questions: Integers
    asked: NDArray[np.int64]
    targets: Integers


class _Rules(NamedTuple):
    """Rules over one denominator: places (r, 4) as (e, b, c, a), numerators (r,)."""

    places: NDArray[np.int64]
    numerators: Integers
    denominator: int


def parts_by_questions(data: DataSet) -> list[Part] | None:
    """The exact rules of `data`, if they are found in this way; None otherwise, and where all blocks are small."""
    shown = _shown(data)
    if shown is None:
        return None
    varying = _varying(shown)
    first = _lifted(shown, np.flatnonzero(varying))
    if first is None:
        return None
    second = _constants(shown, np.flatnonzero(~varying), _residual(shown, first), first.denominator)
    if second is None:
        return None
    rules = first, second
    if np.any(_residual(shown, *rules) != 0):
        return None
    places = np.concatenate([each.places for each in rules])
    weights = exact_array(
        Fraction(int(value), each.denominator) for each in rules for value in each.numerators.tolist()
    )
    read = len(np.unique(places[:, :3], axis=0))
    return [Part(places, weights, read, read, Fraction(0))]


def _shown(data: DataSet) -> _Shown | None:
    """The samples on the pairs that some token has; None where these make few features, or too many numbers."""
    questions, asked = np.unique(data.tokens[data.supervised], axis=0, return_inverse=True)
    present = np.unique(data.tokens != 0, axis=0).astype(np.float64)
    pairs = np.argwhere(np.triu(present.T @ present > 0))
    size = largest(data.tokens) + 1
    joined = max((len(coordinates) for _, coordinates in components(questions != 0)), default=0)
    if joined * len(pairs) < LEAST_FEATURES:
        return None
    if len(questions) > MOST_QUESTIONS or data.samples * len(pairs) > MAX_CELLS:
        return None
    if size**3 * (len(data.tokens) + 1) * (largest(data.targets) + 1) >= 2**62:
        return None
    memory = np.empty((data.samples, len(pairs)), dtype=np.int64)
    peaks, begin = np.zeros(len(pairs), dtype=np.int64), 0
    for sums in _memories(data, pairs):
        memory[begin : begin + len(sums)] = sums
        peaks = np.maximum(peaks, np.abs(sums).max(axis=0, initial=0))
        begin += len(sums)
    order = np.argsort(peaks, kind="stable")
    for begin in range(0, len(memory), ROWS):
        memory[begin : begin + ROWS] = memory[begin : begin + ROWS, order]
    return _Shown(memory, pairs[order], questions, asked.reshape(-1), data.targets[data.supervised])


def _memories(data: DataSet, pairs: NDArray[np.int64]) -> Iterator[Integers]:
    """S on `pairs` at the supervised positions, in order, some rows at a time."""
    for rows in data.sequences():
        memory = np.zeros(len(pairs), dtype=np.int64)
        for begin in range(rows.start, rows.stop, ROWS):
            end = min(begin + ROWS, rows.stop)
            z = data.tokens[begin:end].astype(np.int64)
            sums = np.cumsum(z[:, pairs[:, 0]] * z[:, pairs[:, 1]], axis=0) + memory
            memory = sums[-1]
            yield sums[data.supervised[begin:end]]


def _varying(shown: _Shown) -> NDArray[np.bool_]:
    """The pairs that are not constant over the samples of some question."""
    order = np.argsort(shown.asked, kind="stable")
    varying = np.zeros(len(shown.pairs), dtype=np.bool_)
    for mine in np.split(order, np.flatnonzero(np.diff(shown.asked[order])) + 1):
        varying |= (shown.memory[mine] != shown.memory[mine[0]]).any(axis=0)
    return varying


def _lifted(shown: _Shown, varying: NDArray[np.int64]) -> _Rules | None:
    """Steps 1 and 2: the rules on the pairs that vary."""
    often = np.argsort(-np.bincount(shown.asked, minlength=len(shown.questions)), kind="stable")
    few = often[echelon(shown.questions[often].T)[0]]
    answers: list[dict[tuple[int, int], Fraction]] = []
    for question in few.tolist():
        found = _answers(shown, question, varying)
        if found is None:
            return None
        answers.append(found)
    used = sorted({key for each in answers for key in each})
    below = lcm(*(value.denominator for each in answers for value in each.values()))
    right = np.array([[int(each.get(key, 0) * below) for key in used] for each in answers], dtype=object)
    right = right.reshape(len(few), len(used))
    reading, reduced = echelon(np.concatenate([shown.questions[few].astype(object), right], axis=1))
    values = rationals(reduced[:, shown.questions.shape[1] :])
    if values is None:
        return None
    rows, columns = np.nonzero(values[0])
    chosen = np.array(used, dtype=np.int64).reshape(-1, 2)[columns]
    places = np.column_stack([np.array(reading)[rows], shown.pairs[chosen[:, 0]], chosen[:, 1]])
    return _Rules(places, values[0][rows, columns], values[1] * below)


def _answers(shown: _Shown, question: int, varying: NDArray[np.int64]) -> dict[tuple[int, int], Fraction] | None:
    """L_z at one question: (pair, a) -> weight; None where none of the pairs tried fit."""
    mine = np.flatnonzero(shown.asked == question)
    memory = shown.memory[np.ix_(mine, varying)]
    design, targets = np.diff(memory, axis=0), np.diff(shown.targets[mine], axis=0)
    found: dict[tuple[int, int], Fraction] = {}
    for a in np.flatnonzero(targets.any(axis=0)).tolist():
        holding = np.flatnonzero((shown.pairs[varying] == a).any(axis=1))
        for columns in (holding, np.arange(min(len(varying), WIDTH))):
            solved = _solved(design[:, columns], targets[:, a])
            if solved is not None:
                break
        else:
            return None
        found |= {(int(varying[columns[place]]), a): value for place, value in solved.items() if value}
    return found


def _solved(design: Integers, target: Integers) -> dict[int, Fraction] | None:
    """The basic solution of design u = target, by pivot; None where the rows that it is made from have none.

    Few distinct rows are tried first. Their pivots are pivots of all rows too, on which a solution is unique: if theirs
    fits all rows, it is the basic solution.
    """
    rows = np.column_stack([design, target])
    distinct = list({row.tobytes(): number for number, row in reversed(list(enumerate(rows)))}.values())[::-1]
    found = _solved_on(rows[distinct[: 2 * design.shape[1]]], design, target)
    return _solved_on(rows[distinct[:MOST_ROWS]], design, target) if found is None else found


def _solved_on(rows: Integers, design: Integers, target: Integers) -> dict[int, Fraction] | None:
    """The basic solution on `rows`, of the design and the target, if it fits all."""
    width = design.shape[1]
    pivots, reduced = echelon(rows)
    values = rationals(reduced[:, width:])
    if values is None or (pivots and pivots[-1] == width):
        return None
    weights = [Fraction(int(value), values[1]) for value in values[0][:, 0].tolist()]
    numerators = np.array([int(weight * values[1]) for weight in weights], dtype=object)
    made = product(design[:, pivots], numerators[:, None])[:, 0]
    return dict(zip(pivots, weights, strict=True)) if not np.any(made != times(target, values[1])) else None


def _residual(shown: _Shown, *rules: _Rules) -> Integers:
    """The targets less what the rules answer, times all their denominators, at every sample."""
    total = prod(each.denominator for each in rules)
    rest = np.array(times(shown.targets, total))
    place = {(b, c): number for number, (b, c) in enumerate(shown.pairs.tolist())}
    for each in rules:
        pairs = np.array([place[b, c] for b, c in each.places[:, 1:3].tolist()], dtype=np.int64)
        for a in np.unique(each.places[:, 3]).tolist():
            mine = np.flatnonzero(each.places[:, 3] == a)
            read = times(shown.memory[:, pairs[mine]], shown.questions[:, each.places[mine, 0]][shown.asked])
            weights = times(each.numerators[mine], -(total // each.denominator))
            column = plus(rest[:, a], product(read, weights[:, None])[:, 0])
            rest = rest if column.dtype == rest.dtype else rest.astype(object)
            rest[:, a] = column
    return rest


def _constants(shown: _Shown, constant: NDArray[np.int64], rest: Integers, below: int) -> _Rules | None:
    """Step 3: rules for `rest` (m, d), over `below`, on the pairs that are constant at every question."""
    _, first = np.unique(shown.asked, return_index=True)
    memory, wanted = shown.memory[first][:, constant], rest[first]
    live = constant[memory.any(axis=0)]
    places = sorted((e, *shown.pairs[n].tolist(), n) for n in live.tolist() for e in _set(shown.questions))
    index = np.array(places, dtype=np.int64).reshape(-1, 4)
    design = times(shown.questions[:, index[:, 0]], shown.memory[first][:, index[:, 3]])
    used = np.flatnonzero(design.any(axis=0))
    used = used[np.argsort(np.abs(design[:, used]).max(axis=0), kind="stable")]
    asked = np.flatnonzero(wanted.any(axis=0))
    pivots, reduced = echelon(np.concatenate([design[:, used], wanted[:, asked]], axis=1))
    values = rationals(reduced[:, len(used) :])
    if values is None or (pivots and pivots[-1] >= len(used)):
        return None
    rows, columns = np.nonzero(values[0])
    chosen = index[used[np.array(pivots, dtype=np.int64)[rows]], :3]
    return _Rules(np.column_stack([chosen, asked[columns]]), values[0][rows, columns], values[1] * below)


def _set(questions: Integers) -> list[int]:
    """The coordinates that some question has."""
    return [int(e) for e in np.flatnonzero(questions.any(axis=0))]
