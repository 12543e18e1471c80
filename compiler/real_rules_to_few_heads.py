"""Real-valued rules to few heads, by alternating least squares; and the plain singular value decomposition.

The rules p leave the antisymmetric part of W[a; b, c; e] = sum_h V_h[a, b] Q_h[c, e] in (b, c) open. Write T for the
symmetric lift, T[a; b, c; e] = T[a; c, b; e], and |T| for its Frobenius norm: |p| where each pair b < c counts half.

Alternating least squares
    With the Q_h fixed the symmetric part of W is linear in the V_h, the same equations for every answer a. Their normal
    equations have a closed form (H d unknowns, d right-hand sides):

        1/2 sum_{k, b'} ([b = b'] <Q_h, Q_k> + sum_e Q_h[b', e] Q_k[b, e]) V_k[a, b']
            = sum_{c, e} T[a; b, c; e] Q_h[c, e],

    and the exchange of a with e, V with Q^T, gives those for the Q_h. The V_h (the Q_h) are made orthonormal in
    between, which changes no function. From a random start, with as many heads as a teacher has, this comes to 1e-13 of
    |T| in 10 to 60 rounds, where truncating and resetting the symmetric part takes 40 to 115 to come to 1e-10.

The fewest
    Every model within `tolerance` |T| of p has at least `bound` heads. Proof: for a unit vector u let N(u)[a, e] =
    sum_bc T[a; b, c; e] u[b] u[c]. By Cauchy-Schwarz N moves by at most |T - T'|, and for H heads it has rank at most
    H (see `rules_to_few_heads`); so by Eckart and Young the root of the sum of squares of the singular values of N(u)
    behind the H-th is at most tolerance |T|. The least H of which that is true is the bound; it is computed in float64,
    with an allowance for rounding. It sees at most min(answers, last coordinates) heads. The search begins there and
    goes up, in growing steps, then halves the last; what it finds is an upper bound, met or not.

The plain way of arXiv 2410.10101, section 3, takes the singular value decomposition of the lift T itself. It is the W
of least norm, and nearly always of full rank: a teacher with one head at d = 8 comes back as 64.

>>> from compiler.random_model import random_model
>>> rules = random_model(5, 2, seed=0).rules
>>> found = real_rules_to_few_heads(rules)
>>> len(found.heads), found.bound, found.minimal, len(svd_heads(rules))
(2, 2, 'proved', 25)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.errors import UnsupportedError
from compiler.rules import Form
from compiler.rules_to_few_heads import FewHeads
from compiler.rules_to_heads import rules_to_heads

TOLERANCE = 1e-9
"""The distance |p - p'| / |p| within which rules count as the same, where no noise says otherwise."""
LARGEST_LIFT = 50_000_000
"""The most entries of the lift T."""
STARTS = 4
"""Random starts of the alternation for each number of heads."""
ROUNDS = 300
EPSILON = float(np.finfo(np.float64).eps)

Reals = NDArray[np.float64]


class _Lift(NamedTuple):
    """The symmetric lift over the coordinates that occur.

    Attributes
    ----------
    T
        (A, B, B, E), symmetric in the middle.
    answers, pairs, lasts
        The coordinates of its axes: (A,), (B,), (E,).
    d
        The number of all coordinates.
    """

    T: Reals
    answers: NDArray[np.int32]
    pairs: NDArray[np.int32]
    lasts: NDArray[np.int32]
    d: int


def real_rules_to_few_heads(form: Form, *, tolerance: float = TOLERANCE) -> FewHeads:
    """The fewest heads found whose rules are within `tolerance` |p| of `form`, and a bound for all that are.

    Never more than `rules_to_heads`. Deterministic. Raises UnsupportedError for a lift of more than 50 million entries.
    """
    default = rules_to_heads(form)
    lift = _lift(form)
    bound = _bound(lift.T, tolerance)
    low, high, step, found = max(bound, 1) - 1, len(default), 1, default
    while high - low > 1:  # `high` heads fit; no fit was found with `low`
        tried = min(low + step, (low + high) // 2 if high < len(default) else high - 1)
        factors = _fitted(lift.T, tried, tolerance)
        if factors is None:
            low, step = tried, 2 * step
        else:
            high, found = tried, _heads(lift, *factors)
    return FewHeads(found, bound)


def svd_heads(form: Form) -> tuple[Head, ...]:
    """The heads of the plain singular value decomposition of the symmetric lift of `form`: up to d^2, in floats.

    Raises UnsupportedError for a lift of more than 50 million entries.
    """
    lift = _lift(form)
    (height, width, _, last), T = lift.T.shape, lift.T
    left, sizes, right = np.linalg.svd(T.reshape(height * width, width * last), full_matrices=False)
    kept = int(np.sum(sizes > sizes.max(initial=0.0) * max(T.shape) ** 2 * EPSILON))
    V = (left[:, :kept] * sizes[:kept]).T.reshape(kept, height, width)
    return _heads(lift, V, right[:kept].reshape(kept, width, last))


def _lift(form: Form) -> _Lift:
    e, b, c, a = form.index.T
    (answers, row), (lasts, column) = (np.unique(each, return_inverse=True) for each in (a, e))
    pairs, middle = np.unique(np.concatenate([b, c]), return_inverse=True)
    shape = (len(answers), len(pairs), len(pairs), len(lasts))
    if np.prod(shape, dtype=np.float64) > LARGEST_LIFT:
        raise UnsupportedError(f"the rules have a lift of {shape} entries, too large to look for few heads in floats")
    T = np.zeros(shape)
    first, second = np.split(middle.reshape(-1), 2)
    half = form.weights.astype(np.float64) / 2
    np.add.at(T, (row.reshape(-1), first, second, column.reshape(-1)), half)
    np.add.at(T, (row.reshape(-1), second, first, column.reshape(-1)), half)
    return _Lift(T, answers, pairs, lasts, form.d)


def _bound(T: Reals, tolerance: float) -> int:
    """A lower bound on the heads of any model within `tolerance` |T|, as the module states; over 16 vectors u."""
    size = float(np.linalg.norm(T))
    allowed = (tolerance + 8 * T.shape[1] ** 2 * EPSILON) * size
    random, best = np.random.default_rng(0), 0
    for _ in range(16):
        drawn = random.normal(size=T.shape[1])
        u = drawn / np.linalg.norm(drawn)
        values: Reals = np.linalg.svd(np.einsum("abce,b,c->ae", T, u, u, optimize=True), compute_uv=False)
        tails = np.sqrt(np.cumsum(np.square(values[::-1])))[::-1]
        best = max(best, int(np.sum(tails > allowed)))
    return best


def _fitted(T: Reals, heads: int, tolerance: float) -> tuple[Reals, Reals] | None:
    """V (H, A, B) and Q (H, B, E) with a symmetric part within `tolerance` |T| of T; None if no start comes there."""
    size = float(np.linalg.norm(T))
    for start in range(STARTS):
        Q = np.random.default_rng(start).normal(size=(heads, T.shape[1], T.shape[3]))
        V, Q, error = _alternated(T, Q)
        if error <= tolerance * size:
            return V, Q
    return None


def _alternated(T: Reals, Q: Reals) -> tuple[Reals, Reals, float]:
    """Alternating least squares from Q, until the error is rounding or falls by less than 1 % in 10 rounds."""
    turned, size = T.transpose(3, 1, 2, 0), float(np.linalg.norm(T))
    errors: list[float] = []
    while True:
        V = _orthonormal(_best(T, _orthonormal(Q)))
        Q = _best(turned, V.transpose(0, 2, 1)).transpose(0, 2, 1)
        W = np.einsum("hab,hce->abce", V, Q, optimize=True)
        errors.append(float(np.linalg.norm(T - (W + W.transpose(0, 2, 1, 3)) / 2)))
        stalled = len(errors) > 10 and errors[-11] - errors[-1] < 0.01 * errors[-1]
        if errors[-1] < 1e-13 * size or stalled or len(errors) == ROUNDS:
            return V, Q, errors[-1]


def _best(T: Reals, Q: Reals) -> Reals:
    """The V (H, A, B) that minimise |T - sym(sum_h V_h Q_h)| for given Q (H, B, E), by the normal equations."""
    heads, width, _ = Q.shape
    same = np.einsum("hce,kce->hk", Q, Q)[:, None, :, None] * np.eye(width)[None, :, None, :]
    crossed = np.einsum("kbe,hge->hbkg", Q, Q, optimize=True)
    normal = (same + crossed).reshape(heads * width, heads * width) / 2
    right = np.einsum("abce,hce->hba", T, Q, optimize=True).reshape(heads * width, -1)
    found = np.linalg.lstsq(normal, right, rcond=1e-12)[0]
    return np.asarray(found.reshape(heads, width, -1).transpose(0, 2, 1))


def _orthonormal(matrices: Reals) -> Reals:
    """Matrices with the same span that are orthonormal, as many as there can be."""
    flat = np.linalg.svd(matrices.reshape(len(matrices), -1), full_matrices=False)[2]
    return np.asarray(flat.reshape(-1, *matrices.shape[1:]))


def _heads(lift: _Lift, V: Reals, Q: Reals) -> tuple[Head, ...]:
    """Dense heads over all coordinates."""
    return tuple(
        Head(f"head {n}", _placed(v, lift.answers, lift.pairs), _placed(q, lift.pairs, lift.lasts))
        for n, (v, q) in enumerate(zip(V, Q, strict=True))
    )


def _placed(matrix: Reals, rows: NDArray[np.int32], columns: NDArray[np.int32]) -> Sparse:
    found = Sparse.of(matrix)
    return Sparse(rows[found.rows], columns[found.columns], found.weights)
