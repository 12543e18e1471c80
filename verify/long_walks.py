"""The least length of a long walk whose sum comes to zero or below, exactly: a walk that repeats one cycle.

Claim. Let walks go from a start to some ends over n nodes, let H = 2 n^2, and for each node x let v_x be a closed walk
through x of at most n edges whose mean is the least of these. If some walk of k > 2 H edges has base + its sum <= 0,
and none of at most 2 H edges has, then so has a walk of k edges u v_x^m w, for some x, with at most H edges in u (from
the start to x) and at most H in w (from x to an end).

Proof. Take a walk of k edges apart into a path without repeated nodes and cycles. The path alone is too short to come
to zero, so some cycle has a sum below zero; let x be on a cycle of least mean, so v_x, of l <= n edges, has no greater
mean. Keep the path, and one after the other cycles that share a node with what is kept and bring a new one: at most
n - 1 cycles and n^2 - 1 edges in all, then every node of the walk is there, and any set of the other cycles can be
walked along. Among any l of the others some have together a multiple of l edges (their partial sums modulo l); put
copies of v_x in their place: as many edges, no greater sum. In the end fewer than l are left, at most (n - 1) n edges.
What is kept and left, below 2 n^2 edges in one walk that comes by x, is u w.

So with the least sums D[i, x] of walks of i edges from the start to x, and E[j, x] of walks of j edges from x to an
end, i, j <= H, the least k is found in each class of i + j modulo l by a division. And every k found belongs to a walk,
with m >= 0 as k > 2 H.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from verify.cycle_means import witness


class Walks(NamedTuple):
    """Edges from `source` to `target` by number, with integer weights of any size, among `nodes` nodes."""

    nodes: int
    source: Sequence[int]
    target: Sequence[int]
    weights: Sequence[int]


class LongWalk(NamedTuple):
    """A walk of `steps` edges: those of `before`, those of `cycle` so many `times`, and those of `after`, by number."""

    steps: int
    before: list[int]
    cycle: list[int]
    times: int
    after: list[int]


def turns(nodes: int) -> int:
    """H: so many edges there may be before the cycle, and after it."""
    return 2 * nodes**2


def least_long_walk(walks: Walks, start: int, base: int, ends: Sequence[int], beyond: int) -> LongWalk | None:
    """The least walk of more than `beyond` edges with base + its sum <= 0, where none of up to `beyond` has.

    Raises ValueError where `beyond` is less than 2 H. None where no walk of any length has.
    """
    most = turns(walks.nodes)
    if beyond < 2 * most:
        raise ValueError(f"walks of up to {2 * most:,} edges are to be searched first, not only of {beyond:,}")
    totals = {x: (cycle, sum(walks.weights[e] for e in cycle)) for x, cycle in _best_cycles(walks)}
    falling = {x: each for x, each in totals.items() if each[1] < 0}
    if not falling:
        return None
    backwards = walks._replace(source=walks.target, target=walks.source)
    there = list(_least_sums(walks, {start: 0}, most))
    back = list(_least_sums(backwards, dict.fromkeys(ends, 0), most))
    found = min(
        (
            (k, x, i, j)
            for x, (cycle, total) in falling.items()
            for k, i, j in _lengths(there, back, x, len(cycle), total, base, beyond)
        ),
        default=None,
    )
    if found is None:
        return None
    k, x, i, j = found
    before = _walked(walks, there[: i + 1], x)[::-1]
    cycle, _ = falling[x]
    return LongWalk(k, before, cycle, (k - i - j) // len(cycle), _walked(backwards, back[: j + 1], x))


def fewest_steps(walks: Walks, start: int, base: int, ends: Sequence[int]) -> int | None:
    """A lower bound on the edges of a walk with base + its sum <= 0, close if it is long; None: there is no such walk.

    A witness (mu, pi) of weights that were rounded down is one of the weights (`verify.cycle_means`). Where long walks
    fail, weights are large numbers that nearly cancel on cycles, so that rounding leaves little of mu. But with the
    potentials of a first witness weights become w + pi(a) - pi(b), which are small; rounded once more they give a
    second witness, and both potentials add up to one.
    """
    source, target = (np.array(each, dtype=np.int64) for each in (walks.source, walks.target))
    total, weights, mu = np.zeros(walks.nodes, dtype=object), np.array(walks.weights, dtype=object), 0
    for _ in range(2):
        room = (4 * (walks.nodes + 2)).bit_length() - 61
        unit = 1 << max(0, max(map(abs, weights.tolist()), default=0).bit_length() + room)
        pi = np.zeros(walks.nodes, dtype=np.int64)
        table = np.empty((walks.nodes + 1, walks.nodes))
        mu = unit * int(witness(source, target, (weights // unit).astype(np.int64), pi, table))
        added = unit * pi.astype(object)
        weights, total = weights + added[source] - added[target], total + added
    slack = base + min(total[list(ends)].tolist()) - int(total[start])
    if slack <= 0:
        return 0
    return None if mu >= 0 else -(-slack // -mu)


def _least_sums(walks: Walks, begin: dict[int, int], most: int) -> Iterator[dict[int, int]]:
    """For 0, 1, ..., `most` edges the least sums of walks from `begin`, by the node at which they end."""
    edges = list(zip(walks.source, walks.target, walks.weights, strict=True))
    reached = begin
    yield reached
    for _ in range(most):
        after: dict[int, int] = {}
        for a, b, weight in edges:
            if a in reached and (b not in after or reached[a] + weight < after[b]):
                after[b] = reached[a] + weight
        yield (reached := after)


def _best_cycles(walks: Walks) -> Iterator[tuple[int, list[int]]]:
    """For each node x on a cycle the edges of a closed walk through x, of at most n, of the least mean."""
    for x in range(walks.nodes):
        sums = list(_least_sums(walks, {x: 0}, walks.nodes))
        closed = [length for length in range(1, walks.nodes + 1) if x in sums[length]]
        if closed:
            best = min(closed, key=lambda length: Fraction(sums[length][x], length))
            yield x, _walked(walks, sums[: best + 1], x)[::-1]


def _walked(walks: Walks, sums: Sequence[dict[int, int]], end: int) -> list[int]:
    """The edges of a walk whose least sums these are, from its end at `end` to where it began."""
    into: dict[int, list[int]] = {}
    for number, node in enumerate(walks.target):
        into.setdefault(node, []).append(number)
    found = []
    for before, after in zip(sums[-2::-1], sums[:0:-1], strict=True):
        number = next(
            e
            for e in into[end]
            if walks.source[e] in before and before[walks.source[e]] + walks.weights[e] == after[end]
        )
        found.append(number)
        end = walks.source[number]
    return found


def _lengths(
    there: Sequence[dict[int, int]],
    back: Sequence[dict[int, int]],
    x: int,
    length: int,
    total: int,
    base: int,
    beyond: int,
) -> Iterator[tuple[int, int, int]]:
    """For each class modulo `length` the least k > `beyond`, and the i and j, with a sum of zero or below.

    D[i] + E[j] + (k - i - j) total / length <= -base, times length: what is left of D and E is least by itself.
    """
    left, right = (_reduced(sums, x, length, total) for sums in (there, back))
    for first, i in left.values():
        for second, j in right.values():
            k = max(beyond + 1, -(-(base * length + first + second) // -total))
            yield k + (i + j - k) % length, i, j


def _reduced(sums: Sequence[dict[int, int]], x: int, length: int, total: int) -> dict[int, tuple[int, int]]:
    """By i modulo `length` the least length sums[i] - i total, and its i."""
    found: dict[int, tuple[int, int]] = {}
    for i, reached in enumerate(sums):
        if x in reached:
            each = length * reached[x] - i * total, i
            found[i % length] = min(found.get(i % length, each), each)
    return found
