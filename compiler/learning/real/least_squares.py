"""Real-valued data to rules of least squares, by the solver that fits their size.

=====================  =====================================================================================
singular values        of the design matrix, where it is small, or has fewer samples than features: the
                       solution of least norm, with the rank
Cholesky               of the second-moment matrix in tiles, where it fits into memory; then one step of iterative
                       refinement on the data, which brings back the digits that squaring lost
conjugate gradients    where it does not, or where Cholesky meets a singular matrix and the design matrix is too large
=====================  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal

from compiler.errors import DataError
from compiler.learning.real.conjugate_gradients import conjugate_gradients
from compiler.learning.real.moments import RealMoments, Shape, bytes_of, shapes_of
from compiler.learning.real.rests import design, rests
from compiler.learning.real.samples import Floats, live_pairs, samples_of
from compiler.learning.real.tiles import LARGEST, Tiles, applied, factored, scaled_gram, solved
from compiler.traces.data_set import DataSet

SMALL = 4_000_000
"""Design matrices of up to so many entries are decomposed as they are."""
FAR = 20
"""Data of absolute values from 2^-20 to 2^20 are taken as they are."""
SINGULAR = 1e-13
"""A pivot of the scaled matrix, whose diagonal is 1, that is not above it counts as zero."""
PROBES = 8
"""The vectors of Hutchinson's estimate."""
MOST_LANCZOS = 60
"""The most steps of Lanczos' method."""


class Spectrum(NamedTuple):
    """The least and the greatest eigenvalue of the mean of H H^T over the samples."""

    least: float
    greatest: float


class Fitted(NamedTuple):
    """The rules of one class.

    Attributes
    ----------
    shape
        Its features.
    weights
        (k L, d).
    squares
        The sum of squared errors.
    live
        The features that are not zero on all samples.
    rank
        Of the features on the samples; None where it was not found out (conjugate gradients).
    spectrum
        None where it was not found out, or some feature is dead.
    solver
        Its name.
    spread
        What noise is expected to have done to the weights: the variance of an answer that the errors show, times the
        trace of the inverse of G (conjugate gradients: a lower bound of it).
    """

    shape: Shape
    weights: Floats
    squares: float
    live: int
    rank: int | None
    spectrum: Spectrum | None
    solver: str
    spread: float


def least_squares(data: DataSet, *, memory: int, ridge: float = 0.0) -> list[Fitted]:
    """The rules that fit real-valued data best, class by class of last tokens, with `memory` bytes to spend.

    `ridge` is added to the diagonal of the sum of H H^T: it weighs the sum of squared rules against that of squared
    errors. Tokens and targets far from 1 are scaled by powers of two first, so that no product passes the range of
    floats. Raises DataError where rules do.
    """
    up, across = _exponent(data.tokens), _exponent(data.targets[data.supervised])
    if max(abs(up), abs(across)) > FAR:
        tokens, targets = np.ldexp(data.tokens * 1.0, -up), np.ldexp(data.targets * 1.0, -across)
        near = replace(data, tokens=tokens, targets=targets, denominator=1)
        found = least_squares(near, memory=memory, ridge=float(np.ldexp(ridge, -6 * up)))
        return [_scaled_back(each, across, up) for each in found]
    pairs = live_pairs(data.tokens)
    shapes = shapes_of(data.tokens[data.supervised], pairs)
    last = data.tokens[data.supervised] != 0
    samples = [int(last[:, shape.coordinates].any(axis=1).sum()) for shape in shapes]
    done: dict[int, Fitted] = {}
    direct = [n for n, shape in enumerate(shapes) if _is_direct(shape, samples[n], data.d, memory)]
    for group in _groups([(n, direct_bytes(shapes[n], data.d)) for n in direct], memory):
        done |= zip(group, _by_cholesky(data, [shapes[n] for n in group], memory, ridge), strict=True)
    for n, shape in enumerate(shapes):
        if n not in done:
            done[n] = _otherwise(data, shape, samples[n], memory, ridge)
    return [done[n] for n in range(len(shapes))]


def _exponent(numbers: NDArray[Any]) -> int:
    """The e for which the largest absolute value is below 2^e and at least 2^(e - 1); 0 where all are zero."""
    return int(np.frexp(max(abs(float(numbers.max(initial=0))), abs(float(numbers.min(initial=0)))))[1])


def _scaled_back(fitted: Fitted, across: int, up: int) -> Fitted:
    """What was fitted to tokens divided by 2^up and targets divided by 2^across."""
    spectrum = None
    with np.errstate(over="ignore"):
        if fitted.spectrum is not None:
            spectrum = Spectrum(*(float(np.ldexp(each, 6 * up)) for each in fitted.spectrum))
        weights, squares = np.ldexp(fitted.weights, across - 3 * up), float(np.ldexp(fitted.squares, 2 * across))
    if not (np.isfinite(weights).all() and np.isfinite(squares)):
        raise DataError("rules or errors pass the range of floats (1e308); scale the tokens or the targets")
    known = spectrum if spectrum is not None and np.isfinite(spectrum.greatest) else None
    return fitted._replace(weights=weights, squares=squares, spectrum=known)


def _is_direct(shape: Shape, samples: int, d: int, memory: int) -> bool:
    large = samples * shape.features > SMALL and samples >= shape.features
    return large and len(shape.pairs) <= LARGEST and direct_bytes(shape, d) <= memory


def direct_bytes(shape: Shape, d: int) -> int:
    """Moments, the lower tiles of the Gram matrix, and some columns of rules."""
    n = shape.features
    return bytes_of(shape, d) + 4 * n * (n + 2 * min(n, LARGEST)) + 40 * n * d


def _groups(sizes: Sequence[tuple[int, int]], memory: int) -> list[list[int]]:
    """Numbers, in groups whose sizes add to at most `memory`."""
    groups: list[list[int]] = []
    room = 0
    for number, size in sizes:
        if size > room:
            groups.append([])
            room = memory
        groups[-1].append(number)
        room -= size
    return groups


def moments_of_reals(data: DataSet, shapes: Sequence[Shape], sequences: range | None = None) -> list[RealMoments]:
    """The moments of some classes, in one pass; of `sequences`, or of all."""
    found = [RealMoments.zero(shape, data.d) for shape in shapes]
    for block in samples_of(data, shapes[0].pairs, sequences) if shapes else ():
        found = [each.added([block]) for each in found]
    return found


def _by_cholesky(data: DataSet, shapes: Sequence[Shape], memory: int, ridge: float) -> list[Fitted]:
    found = []
    for moments in moments_of_reals(data, shapes):
        fitted = solution(moments, data, ridge)
        found.append(fitted or _otherwise(data, moments.shape, moments.samples, memory, ridge))
    return found


class Factor(NamedTuple):
    """Cholesky's factor of D (G + ridge) D, with the scale D (n,), which is zero where a feature is dead."""

    tiles: Tiles
    scale: Floats
    ridge: float

    @classmethod
    def of(cls, moments: RealMoments, ridge: float) -> Factor | None:
        """The factor for some moments; None where the matrix is singular to working precision."""
        peaks = moments.peaks()
        scale = np.divide(1.0, np.sqrt(peaks + ridge), out=np.zeros_like(peaks), where=peaks > 0)
        tiles = scaled_gram(moments, scale, ridge)
        return cls(tiles, scale, ridge) if factored(tiles) and least_pivot(tiles) > SINGULAR else None

    def solved(self, right: Floats) -> Floats:
        """(G + ridge)^-1 `right` (n, m); zero where a feature is dead."""
        column = self.scale[:, None]
        return np.asarray(column * solved(self.tiles, column * right))

    def applied(self, x: Floats) -> Floats:
        """(G + ridge) `x` (n, m), for x that is zero where a feature is dead."""
        back = np.divide(1.0, self.scale, out=np.zeros_like(self.scale), where=self.scale > 0)[:, None]
        return np.asarray(back * applied(self.tiles, back * x))


def solution(moments: RealMoments, data: DataSet | None, ridge: float) -> Fitted | None:
    """The rules of moments by Cholesky, refined on the `data` that they are of where these are at hand.

    None where the matrix is singular to working precision.
    """
    factor = Factor.of(moments, ridge)
    if factor is None:
        return None
    weights = factor.solved(moments.cross)
    # Hutchinson's estimate of the trace of the inverse: from a few fixed vectors of signs.
    signs = np.random.default_rng(0).choice((-1.0, 1.0), size=(len(factor.scale), PROBES))
    if data is None:
        inverse = factor.solved(signs)
        gained = (weights * (2 * moments.cross - factor.applied(weights) + ridge * weights)).sum()
        squares = float(moments.energy.sum() - gained)
    else:
        gradient, left = rests(moments.shape, samples_of(data, moments.shape.pairs), weights)
        gradient -= ridge * weights
        solved_both = factor.solved(np.concatenate([gradient, signs], axis=1))
        change, inverse = solved_both[:, : data.d], solved_both[:, data.d :]
        if np.abs(change).max(initial=0) > 1e-3 * np.abs(weights).max(initial=0):
            return None
        # |y - H (p + c)|^2 = |r|^2 - 2 c H^T r + c H^T H c, and (H^T H + ridge) c = H^T r - ridge p.
        squares = float(left.sum() - (change * (gradient + ridge * (2 * weights + change))).sum())
        weights += change
    live = int((factor.scale > 0).sum())
    spectrum = None if live < len(factor.scale) else _spectrum(factor, moments.samples, inverse[:, :1])
    squares = max(squares, 0.0)
    spread = variance(squares, moments.samples, live) * float((signs * inverse).sum()) / PROBES
    return Fitted(moments.shape, weights, squares, live, live, spectrum, "Cholesky", spread)


def variance(squares: float, samples: int, rank: int) -> float:
    """The variance of the noise in an answer, all outputs together, without bias; 0 where no sample is left for it."""
    return squares / (samples - rank) if samples > rank else 0.0


def least_pivot(factor: Tiles) -> float:
    """The least square of a diagonal entry of L: at least the least eigenvalue."""
    return min(float(np.square(np.diag(row[-1])).min()) for row in factor.tiles)


def _spectrum(factor: Factor, samples: int, inverse: Floats) -> Spectrum:
    """The extreme eigenvalues of G / samples by Lanczos' method: estimates from inside, usually within a percent.

    For the least it starts from the `inverse` (n, 1) of some vector, which is known, for the greatest from a fixed one.
    """
    greatest = _greatest(factor.applied, np.random.default_rng(0).normal(size=inverse.shape))
    inverted = _greatest(factor.solved, inverse)
    return Spectrum(max(1 / inverted - factor.ridge, 0.0) / samples, (greatest - factor.ridge) / samples)


def _greatest(of: Callable[[Floats], Floats], x: Floats) -> float:
    """The greatest eigenvalue of a positive definite matrix, from `x` (n, 1), until it grows by 0.1 % a step."""
    basis: list[Floats] = []
    diagonal: list[float] = []
    beside: list[float] = []
    found = 0.0
    for _ in range(min(len(x), MOST_LANCZOS)):
        basis.append(x / np.linalg.norm(x))
        x = of(basis[-1])
        diagonal.append(float((x * basis[-1]).sum()))
        known = np.concatenate(basis, axis=1)
        x = x - known @ (known.T @ x)
        before, found = found, float(eigvalsh_tridiagonal(np.array(diagonal), np.array(beside))[-1])
        beside.append(float(np.linalg.norm(x)))
        if found <= 1.001 * before or beside[-1] <= 1e-12 * found:
            break
    return found


def _otherwise(data: DataSet, shape: Shape, samples: int, memory: int, ridge: float) -> Fitted:
    if samples * shape.features <= max(SMALL, memory // 32):
        return _by_singular_values(data, shape, ridge)
    found = conjugate_gradients(shape, lambda: samples_of(data, shape.pairs), data.d, ridge)
    _, squares = rests(shape, samples_of(data, shape.pairs), found.weights)
    name = f"conjugate gradients ({found.steps} steps, gradient {found.gradient:.0e})"
    error = float(squares.sum())
    spread = variance(error, samples, shape.features) * found.trace
    return Fitted(shape, found.weights, error, shape.features, None, None, name, spread)


def _by_singular_values(data: DataSet, shape: Shape, ridge: float) -> Fitted:
    matrix, targets = design(shape, samples_of(data, shape.pairs))
    live = np.flatnonzero(matrix.any(axis=0))
    used = matrix[:, live]
    if ridge:
        used = np.concatenate([used, np.sqrt(ridge) * np.eye(len(live))])
        targets = np.concatenate([targets, np.zeros((len(live), data.d))])
    found, _, rank, values = np.linalg.lstsq(used, targets, rcond=None)
    weights = np.zeros((shape.features, data.d))
    weights[live] = found
    squares = float(np.square(matrix @ weights - targets[: len(matrix)]).sum())
    spectrum = None
    if len(live) == shape.features and len(values):
        eigenvalues = (np.square(values) - ridge) / len(matrix)
        least = float(eigenvalues[-1]) if len(matrix) >= len(live) else 0.0
        spectrum = Spectrum(max(least, 0.0), float(eigenvalues[0]))
    if ridge:
        rank = np.linalg.matrix_rank(matrix[:, live])
    spread = variance(squares, len(matrix), int(rank)) * float(np.sum(1 / np.square(values[:rank])))
    return Fitted(shape, weights, squares, len(live), int(rank), spectrum, "singular values", spread)
