"""A checker of stored certificates that finds nothing out: it only checks, in exact arithmetic. (docs/files.md)

Statement
    A certificate that is accepted for some data is a proof that every configuration that its *premises* allow lies in
    the row space of the data's features: so all models that fit the data best answer alike there.

What is trusted
    This module, numpy, scipy (connected components) and flint (the rank modulo a prime); the reading of the two files;
    and the premises: that the program's runs are made as they say. Whoever has the program makes them anew (`attnc
    certify --for PROGRAM --check`, with `compiler.domain.premises`) and compares. Nothing of the learner, of the
    analysis, or of what generated the data is used.

Proof
    Let N be the equalities of a question, over n columns. The rows of the data that satisfy N lie in its null space, of
    dimension at most n - rank(N). If their rank modulo a prime is n less the rank of N modulo that prime, then, ranks
    modulo a prime being lower bounds, they span it. What the premises allow satisfies N, by one of:

    features    columns are features z[e] S[b, c]; a run is `start`, then `steps` in some order, then one of `asked`. S
                is a sum, so it is enough that start with asked, and each step, satisfy N with the last token of asked.
    inductive   columns are 1 and the token counts; each location has a basis and equalities of its hull, equivalent
                by their ranks. The initial configurations lie in it; from each hull, each branch leads into the hull
                of its target; the hull of a location satisfies the equalities of its question.
    paths       all runs are taken, each an affine set of configurations, split where a branch depends on what is not
                yet known. Where a run comes back to a location with the same values of all that guards read, what was
                added since is added again in each round; the second round was looked at, so it satisfies N.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from flint import nmod_mat
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from compiler.files.certificate_file import Stored, data_digest
from compiler.traces.data_set import DataSet

PRIME = 2**61 - 1
IDLE = -1
COUNT = -1
MOST_STEPS = 5_000_000
"""The most steps of runs that are taken."""
BATCH = 500
"""Configurations of a question that are looked at together."""

Rows: TypeAlias = NDArray[Any]
"""Integers, (m, n), int64 or object."""


class _Rejected(Exception):  # noqa: N818 - an answer, not an error
    pass


def check(stored: Stored, data: DataSet) -> str | None:
    """None for a certificate that proves what it says of `data`, under its premises; else why it does not."""
    if not data.exact or data_digest(data) != stored.data:
        return "it is of other data"
    try:
        kinds: dict[tuple[str, str], Callable[[dict[str, Any], dict[str, Any], DataSet], None]] = {
            ("walks", "features"): _walks,
            ("any", "features"): _any,
            ("guarded", "inductive"): _inductive,
            ("guarded", "paths"): _paths,
        }
        kind = stored.premises["kind"], stored.proof["kind"]
        _demand(stored.premises["dimension"] == data.d, "the data have other coordinates")
        _demand(kind in kinds, f"no proof of kind {kind[1]!r} for premises of kind {kind[0]!r} is known")
        kinds[kind](stored.premises, stored.proof, data)
    except _Rejected as reason:
        return str(reason)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        return f"it is malformed ({type(error).__name__}: {error})"
    return None


def _demand(holds: object, otherwise: str) -> None:
    if not holds:
        raise _Rejected(otherwise)


# Exact linear algebra


def _rows(listed: Sequence[Sequence[Sequence[int]]], width: int) -> Rows:
    """Rows given by their entries [place, value]."""
    made = np.zeros((len(listed), width), dtype=object)
    for row, entries in zip(made, listed, strict=True):
        for place, value in entries:
            _demand(type(place) is int and type(value) is int and 0 <= place < width, "an entry is out of range")
            row[place] = value
    return made.astype(np.int64) if _largest(made) < 2**31 else made


def _largest(rows: Rows) -> int:
    return max(abs(int(rows.max())), abs(int(rows.min()))) if rows.size else 0


def _times(left: Rows, right: Rows) -> Rows:
    """The product of integer matrices: in float64 where no sum can pass 2^53, else in Python's integers."""
    if _largest(left) * _largest(right) * max(1, left.shape[1]) < 2**53:
        return np.asarray(np.rint(left.astype(np.float64) @ right.astype(np.float64)).astype(np.int64))
    return np.asarray(left.astype(object) @ right.astype(object))


def _satisfying(equalities: Rows, rows: Rows) -> NDArray[np.bool_]:
    """Which rows satisfy all equalities."""
    return np.asarray(~np.any(_times(equalities, rows.T) != 0, axis=0))


def _rank(rows: Rows) -> int:
    """The rank modulo the prime, a lower bound of the rank: the sum over parts that share no column."""
    found = 0
    present = rows != 0
    m, n = present.shape
    at, column = np.nonzero(present)
    graph = csr_array((np.ones(len(at), dtype=np.int8), (at, column + m)), shape=(m + n, m + n))
    _, labels = connected_components(graph, directed=False)
    for label in np.unique(labels[at]).tolist():
        part = rows[np.ix_(labels[:m] == label, labels[m:] == label)]
        found += int(nmod_mat(part.shape[0], part.shape[1], np.mod(part, PRIME).ravel().tolist(), PRIME).rank())
    return found


def _filled(rows: Rows, equalities: Rows, said: object, what: str) -> None:
    """The rows that satisfy the equalities span all that do, and their rank is what is said."""
    rank = _rank(rows[_satisfying(equalities, rows)])
    _demand(
        rank == equalities.shape[1] - _rank(equalities), f"the data do not show all that the equalities allow {what}"
    )
    _demand(type(said) is int and rank == said, f"the rank is {rank} and not {said} {what}")


# Features


def _walks(premises: dict[str, Any], proof: dict[str, Any], data: DataSet) -> None:
    """Runs that are a start, steps in any order, and what is asked."""
    tokens = _rows(premises["tokens"], premises["dimension"])
    columns = [tuple(feature) for feature in proof["features"]]
    place = {feature: number for number, feature in enumerate(columns)}
    equalities = _rows(proof["equalities"], len(columns))
    shown = []
    for asked in premises["asked"]:
        for said in ([*premises["start"], *asked], *premises["steps"]):
            made = _rows([_entries(tokens, said, asked[-1], place)], len(columns))
            shown.append(made[0])
    _demand(_satisfying(equalities, np.array(shown)).all(), "a step does not satisfy the equalities")
    _filled(_features(data, np.array(columns)), equalities, proof["rank"], "")


def _entries(tokens: Rows, said: Sequence[int], last: int, place: dict[tuple[int, ...], int]) -> list[list[int]]:
    """The features of the last token and of S of the tokens that are said, by their columns."""
    _demand(all(type(token) is int and 0 <= token < len(tokens) for token in (*said, last)), "there is no such token")
    z, memory = tokens[last], _times(tokens[said].T, tokens[said])
    found = []
    for e in np.flatnonzero(z).tolist():
        for b, c in np.argwhere(np.triu(memory != 0)).tolist():
            _demand((e, b, c) in place, f"the feature {e, b, c} can be shown, and has no column")
            found.append([place[e, b, c], int(z[e]) * int(memory[b, c])])
    return found


def _any(premises: dict[str, Any], proof: dict[str, Any], data: DataSet) -> None:
    """Any tokens, of which the last has nothing but its first coordinates."""
    d = data.d
    _demand(0 < premises["last"] <= d, "a last token has no coordinate, or more than there are")
    low, high = np.triu_indices(d)
    e = np.repeat(np.arange(premises["last"]), len(low))
    columns = np.column_stack([e, np.tile(low, premises["last"]), np.tile(high, premises["last"])])
    _filled(_features(data, columns), np.zeros((0, len(columns)), dtype=np.int64), proof["rank"], "")


def _features(data: DataSet, columns: NDArray[np.int64]) -> Rows:
    """The samples that show no other feature than those of `columns` (n, 3), (m, n)."""
    _demand(columns.min() >= 0 and columns.max() < data.d, "a feature is out of range")
    _demand((columns[:, 1] <= columns[:, 2]).all(), "a feature has its pair in the wrong order")
    _demand(_largest(data.tokens) ** 3 * len(data.tokens) < 2**62, "the tokens are too large for this checker")
    present = (np.unique(data.tokens, axis=0) != 0).astype(np.float64)
    pairs = np.unique(np.concatenate([np.argwhere(np.triu(present.T @ present > 0)), columns[:, 1:]]), axis=0)
    number = {tuple(pair): at for at, pair in enumerate(pairs.tolist())}
    at = np.array([number[b, c] for _, b, c in columns.tolist()])
    other = np.ones((data.d, len(pairs)), dtype=np.bool_)
    other[columns[:, 0], at] = False
    found = [np.zeros((0, len(columns)), dtype=np.int64)]
    for begin, end in pairwise(data.offsets.tolist()):
        asked = np.flatnonzero(data.supervised[begin:end])
        z = data.tokens[begin:end].astype(np.int64)
        memory = np.cumsum(z[:, pairs[:, 0]] * z[:, pairs[:, 1]], axis=0)[asked]
        fits = np.ones(len(asked), dtype=np.bool_)
        for e in np.flatnonzero(z[asked].any(axis=0)).tolist():
            fits &= (z[asked, e] == 0) | ~memory[:, other[e]].any(axis=1)
        found.append((z[asked][:, columns[:, 0]] * memory[:, at])[fits])
    return np.concatenate(found)


# Token counts


class _Branch(NamedTuple):
    """Where the `guards` (k, n) vanish at a location, `appended` (or nothing) is said, and the run is at `target`."""

    guards: Rows
    appended: int | None
    target: int | None


class _System:
    """The premises in token counts: columns are 1 and the count of each token."""

    def __init__(self, premises: dict[str, Any]) -> None:
        self.tokens = _rows(premises["tokens"], premises["dimension"])
        self.width = len(self.tokens) + 1
        self.inputs: list[int] = premises["inputs"]
        self.question: dict[int, int] = {}
        self.branches: dict[int, list[_Branch]] = {}
        for location, question, guards, appended, target in premises["branches"]:
            _demand(self.question.setdefault(location, question) == question, "a location has two questions")
            rows = np.array([self._guard(*guard) for guard in guards], dtype=np.int64).reshape(-1, self.width)
            self.branches.setdefault(location, []).append(_Branch(rows, appended, target))
        self.initials: list[tuple[int, Rows]] = []
        for location, base, directions in premises["initials"]:
            rows = np.zeros((len(directions) + 1, self.width), dtype=np.int64)
            rows[0, 0] = 1
            rows[:, 1:] = _rows([base, *directions], self.width - 1)
            self.initials.append((location, rows))

    def _guard(self, b: int, c: int, value: int) -> Rows:
        """What vanishes where S[b, c], or the count of the token c, is `value`."""
        row = np.zeros(self.width, dtype=np.int64)
        row[0] = -value
        if b == COUNT:
            row[1 + c] = 1
        else:
            row[1:] = self.tokens[:, b] * self.tokens[:, c]
        return row

    def shown(self, data: DataSet) -> dict[int, Rows]:
        """By token, the distinct counts of the samples at which it is last; up to the first token that is none."""
        numbers = {row.astype(np.int64).tobytes(): number for number, row in enumerate(self.tokens)}
        found: dict[int, list[Rows]] = {}
        for begin, end in pairwise(data.offsets.tolist()):
            counts = np.zeros(self.width, dtype=np.int32)
            counts[0] = 1
            for place in range(begin, end):
                number = numbers.get(data.tokens[place].astype(np.int64).tobytes())
                if number is None:
                    break
                counts[1 + number] += 1
                if data.supervised[place]:
                    found.setdefault(number, []).append(counts.copy())
        return {number: np.unique(rows, axis=0).astype(np.int64) for number, rows in found.items()}


def _questions(system: _System, proof: dict[str, Any], data: DataSet) -> dict[int, Rows]:
    """The equalities of each question, which the data fill."""
    shown = system.shown(data)
    found = {}
    for question, listed, rank in proof["questions"]:
        found[question] = _rows(listed, system.width)
        rows = shown.get(question, np.zeros((0, system.width), dtype=np.int64))
        _filled(rows, found[question], rank, f"at token {question}")
    return found


def _appended(rows: Rows, token: int | None) -> Rows:
    """The configurations after a token."""
    if token is None:
        return rows
    added = rows.copy()
    added[:, 1 + token] += rows[:, 0]
    return added


def _meet(rows: Rows, guards: Rows) -> Rows:
    """What spans the part of the span of `rows` on which `guards` vanish; nothing where it has no configuration."""
    for guard in guards:
        values = _times(rows, guard[:, None])[:, 0]
        met = np.flatnonzero(values)
        if len(met):
            pivot = met[np.argmin(np.abs(values[met]))]
            others = met[met != pivot]
            combined = rows[others].astype(object) * int(values[pivot]) - np.outer(
                values[others].astype(object), rows[pivot].astype(object)
            )
            divisors = np.gcd.reduce(combined, axis=1, initial=0)
            combined = combined // np.where(divisors == 0, 1, divisors)[:, None]
            rows = np.concatenate([np.delete(rows, met, axis=0), combined])
            rows = rows.astype(np.int64) if _largest(rows) < 2**31 else rows
    return rows if np.any(rows[:, 0] != 0) else rows[:0]


def _inductive(premises: dict[str, Any], proof: dict[str, Any], data: DataSet) -> None:
    """Hulls that hold at the start and are kept by every step."""
    system = _System(premises)
    questions = _questions(system, proof, data)
    hulls: dict[int, tuple[Rows, Rows]] = {}
    for location, basis, equalities in proof["locations"]:
        hulls[location] = _rows(basis, system.width), _rows(equalities, system.width)
        rows, zero = hulls[location]
        _demand(_satisfying(zero, rows).all(), f"the basis at location {location} does not satisfy its equalities")
        _demand(
            _rank(rows) + _rank(zero) == system.width, f"the hull at location {location} is not what its basis spans"
        )

    def lead(location: int, rows: Rows) -> None:
        _demand(location in hulls or not rows.any(), f"location {location} can be reached, and has no hull")
        kept = location not in hulls or _satisfying(hulls[location][1], rows).all()
        _demand(kept, f"a step leads out of the hull at location {location}")

    for location, rows in system.initials:
        lead(location, rows)
    for location, (rows, _) in hulls.items():
        if location == IDLE:
            for token in system.inputs:
                lead(token, _appended(rows, token))
            continue
        question = system.question[location]
        _demand(question in questions, f"the question {question} is left out")
        held = _satisfying(questions[question], rows).all()
        _demand(held, f"location {location} does not satisfy the equalities of its question")
        for branch in system.branches[location]:
            if branch.target is not None:
                lead(branch.target, _appended(_meet(rows, branch.guards), branch.appended))


def _paths(premises: dict[str, Any], proof: dict[str, Any], data: DataSet) -> None:
    """All runs, as affine sets of configurations."""
    system = _System(premises)
    _demand(not system.inputs, "runs that are given inputs are too many to be taken")
    questions = _questions(system, proof, data)
    waiting: dict[int, list[Rows]] = {}
    for location, rows in _configurations(system):
        question = system.question[location]
        _demand(question in questions, f"the question {question} is left out")
        waiting.setdefault(question, []).append(rows)
        if len(waiting[question]) == BATCH:
            _demand_held(questions[question], waiting.pop(question), question)
    for question, parts in waiting.items():
        _demand_held(questions[question], parts, question)


def _demand_held(equalities: Rows, parts: list[Rows], question: int) -> None:
    held = _satisfying(equalities, np.unique(np.concatenate(parts), axis=0)).all()
    _demand(held, f"a run does not satisfy the equalities at token {question}")


def _configurations(system: _System) -> Iterator[tuple[int, Rows]]:
    """Location and rows (the configuration first, then directions) at each question of each run.

    A run ends where it is over, and when it comes for the third time to a location with the same directions and the
    same values of all that is read.
    """
    every = [branch.guards for branches in system.branches.values() for branch in branches]
    read = np.unique(np.concatenate(every), axis=0)
    pending: list[tuple[int, Rows, dict[tuple[int, bytes], int]]] = [(*initial, {}) for initial in system.initials]
    steps = 0
    while pending:
        location, rows, met = pending.pop()
        while True:
            steps += 1
            _demand(steps <= MOST_STEPS, "its runs are too many or too long")
            yield location, rows
            key = location, _times(read, rows[:1].T).tobytes()
            met[key] = met.get(key, 0) + 1
            if met[key] == 3:
                break
            parts = [_split(rows, branch.guards) for branch in system.branches[location]]
            ways = [
                (branch.target, _appended(part, branch.appended), part is rows)
                for branch, part in zip(system.branches[location], parts, strict=True)
                if len(part) and branch.target is not None
            ]
            if len(ways) != 1 or not ways[0][2]:
                pending += [(target, after, {}) for target, after, _ in ways]
                break
            location, rows, _ = ways[0]


def _split(rows: Rows, guards: Rows) -> Rows:
    """The part of an affine set on which guards hold, its configuration first; the set itself where all of it is."""
    values = _times(guards, rows.T)
    if not values.any():
        return rows
    part = _meet(rows, guards) if values[:, 1:].any() else rows[:0]
    if len(part):
        first = int(np.flatnonzero(part[:, 0])[0])
        rest = np.delete(part, first, axis=0).astype(object)
        rest = rest * int(part[first, 0]) - np.outer(rest[:, 0], part[first].astype(object))
        part = np.concatenate([part[first : first + 1], rest]).astype(object)
        part = part.astype(np.int64) if _largest(part) < 2**31 else part
    return part
