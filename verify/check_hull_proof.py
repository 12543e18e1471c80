"""A checker of stored proofs by hulls: a model answers as a guarded system does. (docs/files.md)

Statement
    As in `verify.check_proof`, of which this is a part, with the same rule: it finds nothing out, uses only Python's
    integers, and imports nothing of the compiler.

Premises
    A configuration is a location and the counts of all tokens, written as a row: 1, then the counts. Runs begin in the
    affine sets `initials`. At the location -1 (idle) any token of `inputs` may come. At other locations a token, the
    question, is last and asks; the `branches` say, under guards on S, what the program answers and what comes then.

Proof
    Each node is a location with a hull: what some rows span. The certificate says at which node each initial set is,
    and which node each input or branch leads to. Every run has, for each of its configurations, a node whose hull it is
    in: its first is in an initial set, which the hull of the node of that set contains. If the hull of a node contains
    a configuration at which a branch is taken, then that is in the part of the hull on which the guards vanish, since
    with the counts S and the guards are linear in the row; so, its answer appended, it is in the hull of the next node,
    which contains all of that part, shifted.

    In rows with 0 in front nothing is shifted, and rows on which no entry of a guard has a value are in the part of
    every branch: they are looked at once for each node. To be in a hull is to be a combination of its rows, and one is
    exhibited: each row has a first place, and the row in question has its entries there from that row alone.

    With its question q last, a model answers sum_j counts_j C[q, j], where C[q, j] = sum p[a; {b, c}; e] q[e] t_j[b]
    t_j[c]; that and the program's answer (a token, or entries of S) are linear in the row. So they are equal at every
    configuration of a branch if they are on what spans its part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations_with_replacement
from math import gcd, lcm
from typing import Any, NamedTuple

from verify.checking import Vector, Weights, add, must, rules_of, same

IDLE = -1
COUNT = -1


def check_hulls(
    weights: Weights, claim: Mapping[str, Any], premises: Mapping[str, Any], proof: Mapping[str, Any]
) -> None:
    """Raises Rejected where `proof` does not show that `weights` answer as the premises say."""
    kind = claim["verdict"], claim["level"], claim["lengths"]
    must(kind == ("proved", "domain", "all"), "hulls do not show this")
    system = _System(premises)
    layer = _Layer(weights, system)
    nodes = [_Node(system, *listed) for listed in proof["nodes"]]
    must(len(proof["starts"]) == len(system.initials), "an initial set is at no node")
    for (location, rows), start in zip(system.initials, proof["starts"], strict=True):
        nodes[_number(start, nodes)].take(location, rows)
    for node in nodes:
        if node.location == IDLE:
            _check_inputs(node, nodes, system)
        else:
            _check_question(node, nodes, system, layer)


def _row(entries: Iterable[Sequence[int]], width: int, offset: int = 0) -> Vector:
    found: Vector = {}
    for place, value in entries:
        must(type(place) is int and type(value) is int, "a row is made of integers")
        must(0 <= place < width and place + offset not in found, "an entry is out of range or listed twice")
        if value:
            found[place + offset] = value
    return found


def _number(value: Any, listed: Sequence[Any]) -> int:
    must(type(value) is int and 0 <= value < len(listed), f"{value!r} is the number of nothing")
    return int(value)


class _Branch(NamedTuple):
    """At `question`, where the entries `guards` have these values, `answer` is the answer, `appended` or only read."""

    question: int
    guards: tuple[tuple[tuple[int, int], int], ...]
    answer: int | None
    reads: tuple[tuple[int, int, int], ...]
    appended: int | None
    target: int | None


class _System:
    """The premises: tokens, and rows whose place 0 is in front and whose place 1 + j is the count of token j."""

    def __init__(self, premises: Mapping[str, Any]) -> None:
        self.tokens = [_row(token, premises["dimension"]) for token in premises["tokens"]]
        size = len(self.tokens)
        self.inputs = [_number(token, self.tokens) for token in premises["inputs"]]
        self.initials: list[tuple[int, list[Vector]]] = []
        for location, base, directions in premises["initials"]:
            rows = [_row(row, size, 1) for row in (base, *directions)]
            rows[0][0] = 1
            self.initials.append((location, rows))
        self.branches: dict[int, list[_Branch]] = {}
        self.entries: dict[tuple[int, int], Vector] = {}
        for branch, answer in zip(premises["branches"], premises["answers"], strict=True):
            location, question, guards, appended, target = branch
            reads = tuple((b, c, a) for b, c, a in answer) if isinstance(answer, list) else ()
            made = _Branch(
                _number(question, self.tokens),
                tuple(((b, c), value) for b, c, value in guards),
                None if isinstance(answer, list) else _number(answer, self.tokens),
                reads,
                None if appended is None else _number(appended, self.tokens),
                target,
            )
            self.branches.setdefault(location, []).append(made)
            must(self.branches[location][0].question == made.question, "a location has two questions")

    def entry(self, pair: tuple[int, int]) -> Vector:
        """S[b, c], or a count, as a function of rows."""
        if pair not in self.entries:
            b, c = pair
            if b == COUNT:
                self.entries[pair] = {1 + c: 1}
            else:
                values = ((1 + j, token.get(b, 0) * token.get(c, 0)) for j, token in enumerate(self.tokens))
                self.entries[pair] = {place: value for place, value in values if value}
        return self.entries[pair]


class _Layer:
    """What each token adds to an answer, as integers over `below`."""

    def __init__(self, weights: Weights, system: _System) -> None:
        self.system = system
        live = {pair for token in system.tokens for pair in combinations_with_replacement(sorted(token), 2)}
        rules = rules_of(weights, live)
        self.below = lcm(1, *(weight.denominator for weight in rules.values()))
        self.rules: dict[int, dict[tuple[int, int], Vector]] = {}
        for (e, b, c, a), weight in rules.items():
            self.rules.setdefault(e, {}).setdefault((b, c), {})[a] = int(weight * self.below)
        self.known: dict[int, dict[int, Vector]] = {}

    def adds(self, question: int) -> dict[int, Vector]:
        """C[question, j], by 1 + j."""
        if question not in self.known:
            found: dict[int, Vector] = {}
            for j, token in enumerate(self.system.tokens):
                total: Vector = {}
                for e, last in self.system.tokens[question].items():
                    rules = self.rules.get(e, {})
                    for b, c in combinations_with_replacement(sorted(token), 2):
                        if (b, c) in rules:
                            add(total, rules[b, c], last * token[b] * token[c])
                found[1 + j] = total
            self.known[question] = found
        return self.known[question]

    def agrees(self, branch: _Branch, row: Vector) -> bool:
        """Whether model and program answer alike on a row of the part of a branch."""
        given: Vector = {}
        adds = self.adds(branch.question)
        for place, value in row.items():
            if place:
                add(given, adds[place], value)
        wanted: Vector = {}
        if branch.answer is not None:
            add(wanted, self.system.tokens[branch.answer], self.below * row.get(0, 0))
        for b, c, a in branch.reads:
            add(wanted, {a: _dot(self.system.entry((b, c)), row)}, self.below)
        return same(given, wanted)


class _Node:
    """A location, the rows that span its hull, and the nodes that its inputs or branches lead to."""

    def __init__(self, system: _System, location: int, basis: Sequence[Any], following: Sequence[Any]) -> None:
        self.location = location
        self.rows = [_row(row, len(system.tokens) + 1) for row in basis]
        must(all(self.rows), "a row is empty")
        self.first = {min(row): row for row in self.rows}
        self.following = following

    def take(self, location: int | None, rows: Iterable[Vector]) -> None:
        """Rows that come here, to this location. Raises Rejected where they are not in the hull."""
        must(location == self.location, "a step leads to a node of another location")
        must(all(map(self.spans, rows)), f"a step leads out of the hull at location {self.location}")

    def spans(self, row: Vector) -> bool:
        """Whether a row is the combination of the hull's rows that its entries at their first places say."""
        used = {place: value for place, value in row.items() if place in self.first}
        scale = lcm(1, *(self.first[place][place] for place in used))
        rest: Vector = {}
        add(rest, row, scale)
        for place, value in used.items():
            add(rest, self.first[place], -(scale * value // self.first[place][place]))
        return not any(rest.values())


def _check_inputs(node: _Node, nodes: Sequence[_Node], system: _System) -> None:
    for token, following in zip(system.inputs, node.following, strict=True):
        nodes[_number(following, nodes)].take(token, [_after(row, token) for row in node.rows])


def _check_question(node: _Node, nodes: Sequence[_Node], system: _System, layer: _Layer) -> None:
    """Where a branch is taken in the hull both answer alike, and what comes then is in the hull of the next node."""
    branches = system.branches[node.location]
    pairs = {pair for branch in branches for pair, _ in branch.guards}
    values = {pair: {n for n, row in enumerate(node.rows) if _dot(system.entry(pair), row)} for pair in pairs}
    fronted = {n for n, row in enumerate(node.rows) if 0 in row}
    alike: set[int] = set()
    inside: set[tuple[int, int]] = set()
    for branch, following in zip(branches, node.following, strict=True):
        touched = fronted.union(*(values[pair] for pair, _ in branch.guards))
        part = _meet([node.rows[n] for n in sorted(touched)], [_guard(system, *guard) for guard in branch.guards])
        if not any(0 in row for row in part):
            continue
        free = [n for n in range(len(node.rows)) if n not in touched]
        fresh = [node.rows[n] for n in free if branch.reads or n not in alike]
        must(all(layer.agrees(branch, row) for row in (*part, *fresh)), f"answers at location {node.location} differ")
        alike.update(() if branch.reads else free)
        if branch.target is not None:
            number = _number(following, nodes)
            rows = [node.rows[n] for n in free if (n, number) not in inside]
            inside.update((n, number) for n in free)
            nodes[number].take(branch.target, [*(_after(row, branch.appended) for row in part), *rows])


def _guard(system: _System, pair: tuple[int, int], value: int) -> Vector:
    """What vanishes where an entry has a value."""
    found: Vector = {0: -value}
    add(found, system.entry(pair))
    return found


def _dot(functional: Vector, row: Vector) -> int:
    return sum(functional[place] * value for place, value in row.items() if place in functional)


def _after(row: Vector, token: int | None) -> Vector:
    """The row when a token was appended."""
    found = dict(row)
    if token is not None and 0 in row:
        add(found, {1 + token: row[0]})
    return {place: value for place, value in found.items() if value}


def _meet(rows: list[Vector], functionals: Iterable[Vector]) -> list[Vector]:
    """Rows that span the part of the span of `rows` on which `functionals` vanish."""
    for functional in functionals:
        values = [_dot(functional, row) for row in rows]
        met = [n for n, value in enumerate(values) if value]
        if not met:
            continue
        pivot = min(met, key=lambda n, values=values: abs(values[n]))  # type: ignore[misc]
        kept = [row for row, value in zip(rows, values, strict=True) if not value]
        for n in met:
            combined: Vector = {}
            add(combined, rows[n], values[pivot])
            add(combined, rows[pivot], -values[n])
            divisor = gcd(*combined.values())
            kept.append({place: value // divisor for place, value in combined.items() if value})
        rows = [row for row in kept if row]
    return rows
