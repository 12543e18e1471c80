"""What was found, in data or in their moments: the rules of each part, and what is known of them."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from compiler.learning.elimination import solve
from compiler.learning.moments import SolvedBlock
from compiler.learning.reading import Part
from compiler.learning.real.least_squares import Fitted
from compiler.rules import exact_array

LARGEST_EXACT = 2**53
"""The bound on numerators and denominators of exact weights."""


class Found(NamedTuple):
    """Rules that fit best.

    Attributes
    ----------
    parts
        The rules, part by part.
    unanswered
        The squared targets at samples whose last token is zero: no feature is live there, so the answer is zero.
    exactly
        Whether they were looked for over the rationals.
    solved
        The eliminated moments of all features, where these were taken.
    fitted
        What least squares gave, where the rules are floats.
    ridge
        What was added to the diagonal of the sum of H H^T.
    """

    parts: list[Part]
    unanswered: int | float
    exactly: bool
    solved: list[SolvedBlock]
    fitted: list[Fitted]
    ridge: float = 0.0


def exact_part(solved: SolvedBlock) -> Part:
    """The exact rules of a block."""
    moments, eliminated = solved
    numerators, denominator = solve(eliminated)
    gained = int(np.sum(numerators.astype(object) * eliminated.right.astype(object)))
    error = moments.energy - Fraction(gained, denominator)
    rows, columns = np.nonzero(numerators)
    weights = exact_array(Fraction(value, denominator) for value in numerators[rows, columns].tolist())
    places = np.column_stack([moments.index[rows], moments.asked[columns]])
    return Part(places, weights, len(moments.index), len(eliminated.pivots), error)


def float_part(fitted: Fitted) -> Part:
    """The rules of a class of real-valued data."""
    rows, columns = np.nonzero(fitted.weights)
    places = np.column_stack([fitted.shape.index[rows], columns])
    weights, error = fitted.weights[rows, columns], Fraction(fitted.squares)
    return Part(places, weights, fitted.live, fitted.rank or 0, error, fitted.spread)


def reasonable(part: Part) -> bool:
    """Whether all weights are integers, or rationals of at most 53 bits, or floats."""
    weights = part.weights.tolist() if part.weights.dtype.kind == "O" else []
    return all(abs(value.numerator) < LARGEST_EXACT and value.denominator < LARGEST_EXACT for value in weights)


def divided(part: Part, below: int) -> Part:
    """The rules of targets that are to be divided by `below`; floats where no rationals of reasonable size are left."""
    if below == 1:
        return part
    error = part.error / below**2
    if part.weights.dtype.kind == "f":
        return part._replace(weights=part.weights / below, error=error, spread=part.spread / below**2)
    weights = exact_array(Fraction(weight) / below for weight in part.weights.tolist())
    exact = part._replace(weights=weights, error=error)
    return exact if reasonable(exact) else exact._replace(weights=weights.astype(np.float64))
