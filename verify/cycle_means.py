"""How soon a walk can bring a sum to zero or below: a bound by cycle means and potentials, and the exact answer.

Walks go from a start to one of some ends. If mu and pi satisfy w(e) - mu + pi(a) - pi(b) >= 0 on every edge e from a to
b, a walk of k edges to q adds at least k mu + pi(q) - pi(start): along the walk the potentials telescope. The greatest
such mu is the least mean of a cycle (Karp 1978, "A characterization of the minimum cycle mean in a digraph"). Floats
propose it; everything that is claimed is integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

NEVER = np.int64(2**62)
"""Of no walk the sum comes to zero or below."""
FAR = np.int64(2**60)


@njit(nogil=True, cache=True)
def potentials(source: Any, target: Any, weights: Any, mu: Any, pi: Any) -> Any:
    """Make `pi` (n,) satisfy w - mu + pi(a) - pi(b) >= 0 on every edge; False where some cycle has a mean below mu."""
    pi[:] = 0
    for _ in range(len(pi) + 1):
        changed = False
        for e in range(len(source)):
            least = pi[source[e]] + weights[e] - mu
            if least < pi[target[e]]:
                pi[target[e]] = least
                changed = True
        if not changed:
            return True
    return False


@njit(nogil=True, cache=True)
def cycle_mean(source: Any, target: Any, weights: Any, table: Any) -> Any:
    """About the least mean of a cycle, which there must be; `table` (n + 1, n) is room for floats."""
    n = table.shape[1]
    table[0, :] = 0.0
    for k in range(n):
        table[k + 1, :] = np.inf
        for e in range(len(source)):
            least = table[k, source[e]] + weights[e]
            if least < table[k + 1, target[e]]:
                table[k + 1, target[e]] = least
    found = np.inf
    for v in range(n):
        if table[n, v] < np.inf:
            worst = -np.inf
            for k in range(n):
                if table[k, v] < np.inf:
                    worst = max(worst, (table[n, v] - table[k, v]) / (n - k))
            found = min(found, worst)
    return found


@njit(nogil=True, cache=True)
def witness(source: Any, target: Any, weights: Any, pi: Any, table: Any) -> Any:
    """Some mu, 0 if no cycle is negative, else just below the least mean, and its `pi`."""
    if potentials(source, target, weights, 0, pi):
        return np.int64(0)
    mean = cycle_mean(source, target, weights, table)
    slack = 1.0 + 1e-9 * abs(mean)
    while True:
        mu = np.int64(np.floor(mean - slack))
        if potentials(source, target, weights, mu, pi):
            return mu
        slack *= 2


@njit(nogil=True, cache=True)
def least_steps(start: Any, base: Any, ends: Any, mu: Any, pi: Any) -> Any:
    """A lower bound on the edges k of a walk with base + its sum <= 0, by a witness; `NEVER` if it shows none is."""
    least = pi[ends[0]]
    for q in ends:
        least = min(least, pi[q])
    slack = base + least - pi[start]
    if slack <= 0:
        return np.int64(0)
    return NEVER if mu >= 0 else (slack - mu - 1) // -mu


@njit(nogil=True, cache=True)
def first_steps(
    start: Any, source: Any, target: Any, weights: Any, base: Any, ends: Any, mu: Any, pi: Any, most: Any
) -> Any:
    """The least k <= `most` for which a walk of k edges has base + its sum <= 0; -1 where there is none.

    Length by length, with weights reduced by the witness: sums stay small, and what passes `FAR` is left out, which
    needs most * -mu < FAR.
    """
    reached = np.full(len(pi), NEVER)
    reached[start] = 0
    after = np.empty_like(reached)
    for k in range(most + 1):
        for q in ends:
            if reached[q] < FAR and base + k * mu + pi[q] - pi[start] + reached[q] <= 0:
                return np.int64(k)
        after[:] = NEVER
        for e in range(len(source)):
            if reached[source[e]] < FAR:
                least = reached[source[e]] + weights[e] - mu + pi[source[e]] - pi[target[e]]
                if least < after[target[e]]:
                    after[target[e]] = least
        reached, after = after, reached
    return np.int64(-1)


@njit(nogil=True, cache=True)
def difference(whole: Any, rank: Any, t: Any, w: Any, rows: Any, weights: Any) -> None:
    """`weights` of `rows`: the scores of token t less those of w, rounded down."""
    for n in range(len(rows)):
        e = rows[n]
        weights[n] = whole[e, t] - whole[e, w] - (rank[e, t] < rank[e, w])


@njit(nogil=True, cache=True)
def all_least_steps(
    start: Any, source: Any, target: Any, rows: Any, whole: Any, rank: Any, allowances: Any, ends: Any, t: Any, n: Any
) -> Any:
    """`least_steps` for token t against each other one, (A,). `rows`: those of the edges, then the start's."""
    tokens = whole.shape[1]
    found = np.full(tokens, NEVER)
    weights, pi, table = np.empty(len(rows), dtype=np.int64), np.empty(n, dtype=np.int64), np.empty((n + 1, n))
    for w in range(tokens):
        if w != t:
            difference(whole, rank, t, w, rows, weights)
            weights[-1] -= allowances[t, w]
            mu = witness(source, target, weights[:-1], pi, table)
            found[w] = least_steps(start, weights[-1], ends, mu, pi)
    return found
