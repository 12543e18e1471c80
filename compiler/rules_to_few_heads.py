"""Rules to few heads, exactly: W[a; b, c; e] = sum_h V_h[a, b] Q_h[c, e] of the least rank that is found, with a bound.

The rules leave the antisymmetric part of W in (b, c) open, and heads that are the same function as the rules on all
inputs are the factorisations of all such W. So the fewest heads are the least rank of W, as a matrix with rows (a, b)
and columns (c, e). Bounds and constructions, with proofs; all arithmetic is exact.

Bound for any rules
    For a vector u let N(u)[a, e] = sum over b <= c of p[a; {b, c}; e] u[b] u[c]: the map from last tokens to answers at
    S = u u^T. Then H >= rank N(u), for N(u) = sum_h (V_h u)(Q_h^T u)^T. Random u modulo a prime: the rank there is at
    most the rank over the rationals, so nothing rests on luck.

Bound for one hub
    Let r be a coordinate such that no rule reads {r, r}, and M_c[a, e] = p[a; {r, c}; e] for c != r. Then H is at least
    the noncommutative rank of the M_c, and of any of them. Proof: put F_b = (V_h[., b])_h, an A x H matrix, and G_c =
    (Q_h[c, .])_h, H x E. The rules say F_r G_r = 0 and F_r G_c + F_c G_r = M_c. Take K = ker G_r. M_c K lies in the
    image of F_r, so E - dim K + dim M(K) <= rank G_r + rank F_r <= H, the last because F_r G_r = 0.

Construction for one hub
    For any K, with a projection P along K, the part M_c P is carried by E - dim K heads with the hub in Q, one for each
    last coordinate n outside the pivots of K: V[a, c] = M_c[a, n], Q[hub, e] = P[n, e]. The part M_c (1 - P) has its
    columns in M(K), with the echelon basis u_j: dim M(K) heads with the hub in V, V[a, hub] = u_j[a] and Q[c, e] the
    row of M_c (1 - P) at the pivot of u_j. K = 0 and K = everything are the two pure placements. With an optimal K
    (`noncommutative_rank`) the number of heads *is* the noncommutative rank, so where all rules read one hub, as those
    of automata do, the bound is met.

Several hubs
    The heads of each hub together, and then those whose V, or whose Q, are combinations of others are folded into
    these, so that their number is the rank of W. Here the optimum is not known to be found: the count and the bound are
    reported, and they may meet or not.

Sources
    arXiv 2410.10101, section 3, takes the singular value decomposition of one W; for shrunk subspaces see
    `noncommutative_rank`.

>>> from compiler.language.load import load
>>> from compiler.program_to_rules.lower import lower
>>> found = rules_to_few_heads(lower(load("parity")).form)
>>> len(found.heads), found.bound, found.minimal
(2, 2, 'proved')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.errors import ModelError
from compiler.exact import scaled
from compiler.heads_to_rules import exact_heads, heads_to_rules, products
from compiler.learning.elimination import PRIME, Integers, echelon, rank
from compiler.noncommutative_rank import noncommutative_rank
from compiler.rules import Form, Weights, exact_array
from compiler.rules_to_heads import Line, hubs, joined, matrix_of, rules_to_heads

Minimal = Literal["proved", "unknown"]

MOST_PRODUCTS = 2_000_000
"""Heads with more products of weights than this are only folded, not placed anew, where the bound is not met."""


@dataclass(frozen=True, slots=True, eq=False)
class FewHeads:
    """Heads, and how far from the fewest they can be.

    Attributes
    ----------
    heads
        The heads, the same function as what they were made of.
    bound
        A lower bound on the heads of any model of this function.
    """

    heads: tuple[Head, ...]
    bound: int

    @property
    def minimal(self) -> Minimal:
        """Whether the number of heads meets the bound."""
        return "proved" if len(self.heads) == self.bound else "unknown"


def rules_to_few_heads(form: Form) -> FewHeads:
    """The fewest heads found that are the same function as `form` on all inputs; never more than `rules_to_heads`.

    Raises ModelError for rules with floats, which `real_rules_to_few_heads` takes.
    """
    return heads_to_few_heads(rules_to_heads(form), form.coordinates)


def heads_to_few_heads(heads: Sequence[Head], coordinates: tuple[str, ...]) -> FewHeads:
    """The fewest heads found that are the same function as `heads` on all inputs; never more than these.

    Where `heads` meet the bound they are returned as they are. Raises ModelError for floats.
    """
    if any(matrix.weights.dtype.kind == "f" for head in heads for matrix in (head.V, head.Q)):
        raise ModelError("the weights are floats; few heads of floats are found by `real_rules_to_few_heads`")
    bound = rank_bound(heads, len(coordinates))
    found = tuple(heads) if len(heads) == bound else independent(heads)
    if len(found) == bound or products(heads) > MOST_PRODUCTS:
        return FewHeads(found, bound)
    stars = _stars(heads_to_rules(heads, coordinates))
    shrunk = [noncommutative_rank(star.matrices) for star in stars]
    bound = max([bound, *(each.bound for star, each in zip(stars, shrunk, strict=True) if star.hub not in star.leaves)])
    widths = [star.matrices.shape[2] for star in stars]
    choices: list[list[NDArray[Any] | None]] = [
        [each.kernel for each in shrunk],
        [np.zeros((0, width), dtype=object) for width in widths],
        [np.eye(width, dtype=np.int64).astype(object) for width in widths],
    ]
    for kernels in choices:
        placed = [
            head for star, kernel in zip(stars, kernels, strict=True) for head in _placed(star, kernel, coordinates)
        ]
        fewer = independent(placed)
        found = fewer if len(fewer) < len(found) else found
    return FewHeads(found, bound)


def rank_bound(heads: Sequence[Head], d: int) -> int:
    """The rank of N(u) for a random u, modulo a prime: at most the heads of any model of the same function."""
    if not heads:
        return 0
    u = np.random.default_rng(0).integers(1, PRIME, size=d).astype(object)
    whole, _ = exact_heads(heads)
    left = np.stack([np.mod(head.V.apply(u), PRIME) for head in whole], axis=1)
    right = np.stack([np.mod(Sparse(head.Q.columns, head.Q.rows, head.Q.weights).apply(u), PRIME) for head in whole])
    _, rows = echelon(left)
    _, columns = echelon(right.T)
    if max(len(rows), len(columns)) == len(heads):  # a factor of full rank changes no rank
        return min(len(rows), len(columns))
    return rank(rows @ columns.T)


def independent(heads: Sequence[Head]) -> tuple[Head, ...]:
    """The same W from as many of `heads` as its rank: those whose V, then those whose Q, are combinations are folded.

    If V_h = sum_j r[j, h] V_j over independent V_j, then sum_h V_h (x) Q_h = sum_j V_j (x) sum_h r[j, h] Q_h; and r is
    the reduced row echelon form of the matrix whose columns are the V_h.
    """
    kept = tuple(heads)
    for swapped in (False, True):
        sides = [(head.Q, head.V) if swapped else (head.V, head.Q) for head in kept]
        relations = _relations([mine for mine, _ in sides])
        if relations is None:
            continue
        others = [_combination(row, [other for _, other in sides]) for row in relations]
        first = [int(np.flatnonzero(row)[0]) for row in relations]
        pairs = [(sides[number][0], other) for number, other in zip(first, others, strict=True)]
        kept = tuple(
            Head(kept[number].name, *(pair[::-1] if swapped else pair))
            for number, pair in zip(first, pairs, strict=True)
        )
    return kept


def _relations(matrices: Sequence[Sparse]) -> NDArray[Any] | None:
    """The reduced row echelon form (rank, H) of `matrices` as columns, in Fractions; None if they are independent."""
    if not matrices:
        return None
    keys = [matrix.rows.astype(np.int64) * 2**32 + matrix.columns for matrix in matrices]
    _, places = np.unique(np.concatenate(keys), return_inverse=True)
    weights = scaled(_exactly([matrix.weights for matrix in matrices])).numerators
    columns = np.repeat(np.arange(len(matrices)), [len(each) for each in keys])
    dense = np.zeros((places.max(initial=-1) + 1, len(matrices)), dtype=weights.dtype)
    dense[places.reshape(-1), columns] = weights
    if rank(dense) == len(matrices):
        return None
    return _reduced(dense)


def _reduced(rows: Integers) -> NDArray[Any]:
    """The non-zero rows of the reduced row echelon form over the rationals, in Fractions."""
    if not rows.size:
        return np.zeros((0, rows.shape[1]), dtype=object)
    found, below, size = fmpz_mat(rows.tolist()).rref()
    return np.array(
        [[Fraction(int(value), int(below)) for value in row] for row in found.table()[:size]], dtype=object
    ).reshape(size, rows.shape[1])


def _exactly(arrays: Sequence[Weights]) -> Weights:
    """Exact arrays end to end."""
    return exact_array([value for array in arrays for value in array.tolist()])


def _combination(factors: NDArray[Any], matrices: Sequence[Sparse]) -> Sparse:
    """The sum of `factors` times `matrices`."""
    entries: Line = {}
    for number in np.flatnonzero(factors).tolist():
        matrix = matrices[number]
        for row, column, weight in zip(
            matrix.rows.tolist(), matrix.columns.tolist(), matrix.weights.tolist(), strict=True
        ):
            entries[row, column] = entries.get((row, column), 0) + factors[number] * weight
    return matrix_of({place: weight for place, weight in entries.items() if weight})


class _Star(NamedTuple):
    """The rules that read one hub: `matrices` (C, A, E) / `below`, over leaves c, answers a and last coordinates e."""

    hub: int
    leaves: list[int]
    answers: list[int]
    lasts: list[int]
    matrices: Integers
    below: int


def _stars(form: Form) -> list[_Star]:
    """The rules by the hub of the pair that they read."""
    found = hubs(form)
    hub_side = np.where(found.turned, found.pairs[:, 1], found.pairs[:, 0])[found.of_rule]
    leaf_side = np.where(found.turned, found.pairs[:, 0], found.pairs[:, 1])[found.of_rule]
    weights, below = scaled(form.weights)
    stars = []
    for hub in np.unique(hub_side).tolist():
        chosen = np.flatnonzero(hub_side == hub)
        places = [leaf_side[chosen], form.index[chosen, 3], form.index[chosen, 0]]
        axes, numbers = zip(*(np.unique(each, return_inverse=True) for each in places), strict=True)
        matrices = np.zeros([len(axis) for axis in axes], dtype=weights.dtype)
        matrices[tuple(each.reshape(-1) for each in numbers)] = weights[chosen]
        leaves, answers, lasts = (axis.tolist() for axis in axes)
        stars.append(_Star(hub, leaves, answers, lasts, matrices, below))
    return stars


def _placed(star: _Star, kernel: NDArray[Any] | None, names: tuple[str, ...]) -> list[Head]:
    """The heads of one hub for the K of the reduced basis `kernel` (K = 0 for None), as the module states."""
    hub, leaves, answers, lasts, matrices, below = star
    width = len(lasts)
    kernel = np.zeros((0, width), dtype=object) if kernel is None else kernel
    pivots = [int(np.flatnonzero(row)[0]) for row in kernel]
    heads = []
    for n in sorted(set(range(width)) - set(pivots)):
        column = matrices[:, :, n].astype(object) * Fraction(1, below)
        v = {(answers[a], leaves[c]): column[c, a] for c, a in np.argwhere(column != 0).tolist()}
        q = {(hub, lasts[n]): 1} | {(hub, lasts[p]): -kernel[i, n] for i, p in enumerate(pivots) if kernel[i, n]}
        heads.append(Head(joined("on", (names[e] for _, e in q), 4), matrix_of(v), matrix_of(q)))
    rest = (matrices.astype(object) @ kernel.T) * Fraction(1, below)  # (C, A, dim K): the columns of M_c (1 - P)
    basis = _reduced(scaled(rest.transpose(0, 2, 1).reshape(-1, len(answers))).numerators)
    for row in basis:
        line = rest[:, int(np.flatnonzero(row)[0]), :]
        v = {(answers[a], hub): row[a] for a in np.flatnonzero(row).tolist()}
        q = {(leaves[c], lasts[pivots[i]]): line[c, i] for c, i in np.argwhere(line != 0).tolist()}
        heads.append(Head(joined("to", (names[a] for a, _ in v), 3), matrix_of(v), matrix_of(q)))
    return heads
