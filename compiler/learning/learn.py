"""The way up, in order: data -> features -> moments -> rules -> heads -> model, with a report.

Integer data are learned over the rationals. The *basic* solution is taken, not the one of least norm: unknowns are
tried as pivots from the quietest feature (least absolute peak) to the loudest. Registers of programs hold 0 or 1 at
every length, counters grow, so the rules that read registers come back as they were written: sparse, and integers.
Real-valued data are learned by least squares (`learning.real`), and so are integer data whose
best rules are no rationals of at most 53 bits (they come from noise or from huge entries, not from programs).

>>> from compiler.language.load import load
>>> from compiler.traces.program_to_traces import generate
>>> parity = load("parity")
>>> learned = learn(generate(parity, certified=True), program=parity)
>>> learned.report.exact, learned.report.certified, len(learned.model.rules)
(True, True, 10)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, sqrt
from time import perf_counter
from typing import Literal, NamedTuple

import numpy as np

from compiler.errors import DataError, UnsupportedError
from compiler.exact import times
from compiler.few_heads import few_heads
from compiler.learning.by_questions import parts_by_questions
from compiler.learning.certificate import certificate
from compiler.learning.count_certificate import Certificate
from compiler.learning.elimination import solve
from compiler.learning.features import Block, blocks_of
from compiler.learning.moments import SolvedBlock, moments_of, solved_block
from compiler.learning.reading import Part, parts_by_reading
from compiler.learning.real.least_squares import Fitted, Spectrum, least_squares
from compiler.learning.real.ridge import cross_validated_ridge
from compiler.model import Model
from compiler.program import Program
from compiler.program_to_rules.lowering import Lowering
from compiler.real_rules_to_few_heads import TOLERANCE
from compiler.rules import Form, exact_array
from compiler.rules_to_few_heads import Minimal
from compiler.rules_to_heads import rules_to_heads
from compiler.traces.data_set import DataSet
from compiler.traces.fitting import fitting

MEMORY = 4 * 2**30
LEAST_MEMORY = 2**20
LARGEST_EXACT = 2**53
"""The bound on numerators and denominators of exact weights."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was learned from what.

    Attributes
    ----------
    samples
        Supervised positions.
    features, live
        psi = d^2 (d + 1) / 2, and how many of these were regressed on: those that are not zero on all samples, of
        integer data that show it only those that read a question's own coordinates (`learning.reading`).
    rank, blocks
        The rank of these live features on the data, and the number of blocks.
    residual
        Root mean square error per sample, 0.0 exactly when the rules fit every sample exactly. With the fewest heads
        it is still that of the best rules, of which floats are then kept to a tolerance.
    exact
        Whether the weights are integers or rationals that fit every sample exactly.
    certified
        Whether the inputs determine what is answered on every configuration that the program can reach; None where
        no program was named. It speaks of what is shown, not of what is said there: whether the learned model *is*
        the program, `verify` decides.
    heads, seconds
        The number of heads of the model, and the time it took.
    solver
        How the rules were found: ``exact``, or for floats ``singular values``, ``Cholesky`` or ``conjugate gradients``.
    ridge
        What was added to the diagonal of the sum of H H^T.
    lambda_min, condition
        Of real-valued data the least eigenvalue of the mean of H H^T over the samples, to about a percent, and the
        greatest divided by it; None where it was not found out, and for integer data, which have the rank.
    fewest_bound, minimal
        A lower bound on the heads of any model of the same function (for floats: of any within the tolerance), and
        whether the heads meet it; None where the fewest were not asked for.
    """

    samples: int
    features: int
    live: int
    rank: int | None
    blocks: int
    residual: float
    exact: bool
    certified: bool | None
    heads: int
    seconds: float
    solver: str
    ridge: float
    lambda_min: float | None
    condition: float | None
    fewest_bound: int | None
    minimal: Minimal | None

    @property
    def distance(self) -> float | None:
        """How far apart the rules of two models can be that fit as well as this one: sqrt(4 residual^2 / lambda_min).

        The distance is the root of the sum of squared differences of all rules (arXiv 2410.10101, the lemma on
        approximate certificates, in the safe form: the printed proof drops a constant).
        """
        return None if not self.lambda_min else 2 * self.residual / sqrt(self.lambda_min)


class Learned(NamedTuple):
    """A learned model and its report."""

    model: Model
    report: Report


def learn(
    data: DataSet,
    *,
    program: Program | None = None,
    ridge: float | Literal["cv"] = 0.0,
    memory: int = MEMORY,
    fewest: Literal["heads"] | None = None,
) -> Learned:
    """The rules that fit `data` best, as a model, in polynomial time.

    Parameters
    ----------
    program
        The program to certify the data for; without it `Report.certified` is None.
    ridge
        The weight of the sum of squared rules against the sum of squared errors, at least 0; ``cv`` chooses it by
        cross-validation. Above 0 the data are learned as floats.
    memory
        The bytes that a solver of real-valued data may use; it decides which one is taken.
    fewest
        ``heads``: the fewest heads found for the rules, with a lower bound. Exact rules are kept exactly; floats to
        twice the error that their noise is estimated to make, or 1e-9 of their norm, whichever is more.

    Raises
    ------
    DataError
        For data without samples, over other coordinates than those of `program`, or too large for this learner; for a
        ridge or a memory out of range.
    UnsupportedError
        For another choice of `fewest`, and for floats over too many coordinates to look for few heads.
    """
    began = perf_counter()
    _check(ridge, memory, fewest)
    if not isinstance(data, DataSet):
        raise DataError(f"learn takes a data set first, not a {type(data).__name__}")
    real = ridge != 0
    data = data if real else data.integral()
    exactly = data.exact and not real
    named = program or data.program
    lowering = None if named is None else fitting(data, named)
    if not data.samples:
        raise DataError("no position is supervised, so there is nothing to learn from")
    solved: list[SolvedBlock] = []
    parts = (parts_by_reading(data) or parts_by_questions(data)) if exactly else None
    if parts is None and exactly:
        blocks = blocks_of(data)
        solved = [solved_block(moments_of(block)) for block in blocks]
        parts = [_exact_part(*each) for each in zip(solved, blocks, strict=True)]
    fitted: list[Fitted] = []
    if parts is None:
        ridge = cross_validated_ridge(data, memory=memory) if ridge == "cv" else ridge
        fitted = least_squares(data, memory=memory, ridge=ridge)
        parts = [_float_part(each) for each in fitted]
    parts = [_divided(part, data.denominator) for part in parts]
    exact = exactly and all(part.error == 0 and part.weights.dtype.kind != "f" for part in parts)
    error = sum(part.error for part in parts) + Fraction(_unanswered(data)) / data.denominator**2
    certified: Certificate | None = None
    if program is not None and lowering is not None:
        certified = certificate(data, lowering, solved) if data.exact else None
    form = _form(parts, data, lowering)
    found = None if fewest is None else few_heads(form, tolerance=_tolerance(parts))
    heads = rules_to_heads(form) if found is None else found.heads
    model = Model(form.coordinates, heads, {} if lowering is None else lowering.tokens, named)
    spectrum = _spectrum(fitted, data)
    report = Report(
        samples=data.samples,
        features=data.d**2 * (data.d + 1) // 2,
        live=sum(part.live for part in parts),
        rank=None if any(each.rank is None for each in fitted) else sum(part.rank for part in parts),
        blocks=len(parts),
        residual=sqrt(max(float(error), 0.0) / data.samples),
        exact=exact and error == 0,
        certified=None if program is None else certified is not None and certified.certified,
        heads=len(heads),
        seconds=perf_counter() - began,
        solver=", ".join(dict.fromkeys(each.solver for each in fitted)) or "exact",
        ridge=float(ridge),
        lambda_min=None if spectrum is None else spectrum.least,
        condition=None if spectrum is None or not spectrum.least else spectrum.greatest / spectrum.least,
        fewest_bound=None if found is None else found.bound,
        minimal=None if found is None else found.minimal,
    )
    return Learned(model, report)


def _unanswered(data: DataSet) -> int | float:
    """The squared targets at samples whose last token is zero: no feature is live there, so the answer is zero."""
    wanted = data.targets[data.supervised & ~(data.tokens != 0).any(axis=1)]
    return int(times(wanted, wanted).astype(object).sum()) if data.exact else float(np.square(wanted).sum())


def _divided(part: Part, below: int) -> Part:
    """The rules of targets that are to be divided by `below`; floats where no rationals of reasonable size are left."""
    if below == 1:
        return part
    error = part.error / below**2
    if part.weights.dtype.kind == "f":
        return part._replace(weights=part.weights / below, error=error, spread=part.spread / below**2)
    weights = exact_array(Fraction(weight) / below for weight in part.weights.tolist())
    if not all(_fits(value) for value in weights.tolist()):
        weights = weights.astype(np.float64)
    return part._replace(weights=weights, error=error)


def _exact_part(solved: SolvedBlock, block: Block) -> Part:
    """The exact rules of a block; where they are no rationals of reasonable size, those of least squares in floats."""
    moments, eliminated = solved
    numerators, denominator = solve(eliminated)
    gained = int(np.sum(numerators.astype(object) * eliminated.right.astype(object)))
    error = moments.energy - Fraction(gained, denominator)
    rows, columns = np.nonzero(numerators)
    weights = exact_array(Fraction(value, denominator) for value in numerators[rows, columns].tolist())
    if weights.dtype.kind == "O" and not all(_fits(value) for value in weights.tolist()):
        return _rounded_part(block)
    places = np.column_stack([moments.index[rows], moments.asked[columns]])
    return Part(places, weights, len(moments.index), len(eliminated.pivots), error)


def _tolerance(parts: list[Part]) -> float:
    """Twice what noise is estimated to have done to the weights, relative to their norm; at least `TOLERANCE`."""
    size = sum(float(np.square(part.weights.astype(np.float64)).sum()) for part in parts)
    return max(TOLERANCE, 2 * sqrt(sum(part.spread for part in parts) / size) if size else 0.0)


def _fits(value: Fraction | int) -> bool:
    return abs(value.numerator) < LARGEST_EXACT and value.denominator < LARGEST_EXACT


def _spectrum(fitted: list[Fitted], data: DataSet) -> Spectrum | None:
    """The extreme eigenvalues of the mean of H H^T over all psi features; None where they are not known."""
    found = [each.spectrum for each in fitted]
    if len(found) != 1 or found[0] is None or fitted[0].shape.features != data.d**2 * (data.d + 1) // 2:
        return None
    return found[0]


def _check(ridge: object, memory: object, fewest: object) -> None:
    if fewest not in (None, "heads"):
        raise UnsupportedError(f"fewest={fewest!r}: a learned model can have the fewest heads, and nothing else")
    number = isinstance(ridge, int | float) and not isinstance(ridge, bool) and 0 <= ridge < inf
    if not number and ridge != "cv":
        raise DataError(f"ridge is {ridge!r}, expected a finite number of at least 0, or 'cv'")
    if not isinstance(memory, int) or isinstance(memory, bool) or memory < LEAST_MEMORY:
        raise DataError(f"memory is {memory!r}, expected a number of bytes of at least {LEAST_MEMORY:,}")


def _float_part(fitted: Fitted) -> Part:
    """The rules of a class of real-valued data."""
    rows, columns = np.nonzero(fitted.weights)
    places = np.column_stack([fitted.shape.index[rows], columns])
    return Part(
        places, fitted.weights[rows, columns], fitted.live, fitted.rank or 0, Fraction(fitted.squares), fitted.spread
    )


def _rounded_part(block: Block) -> Part:
    """The rules of a block of integer data in floats."""
    design, targets = block.design.astype(np.float64), block.targets.astype(np.float64)
    weights, _, rank, singular = np.linalg.lstsq(design, targets, rcond=None)
    error = float(np.square(design @ weights - targets).sum())
    rows, columns = np.nonzero(weights)
    places = np.column_stack([block.index[rows], columns])
    variance = error / (len(design) - rank) if len(design) > rank else 0.0
    spread = variance * float(np.sum(1 / np.square(singular[:rank])))
    return Part(places, weights[rows, columns], len(block.index), int(rank), error, spread)


def _form(parts: list[Part], data: DataSet, lowering: Lowering | None) -> Form:
    names = lowering.coordinates if lowering else tuple(f"x[{number}]" for number in range(data.d))
    kept = [part for part in parts if len(part.weights)]
    if not kept:
        return Form.of(names, [])
    kind = np.float64 if any(part.weights.dtype.kind == "f" for part in kept) else None
    weights = np.concatenate([part.weights if kind is None else part.weights.astype(kind) for part in kept])
    return Form.canonical(names, np.concatenate([part.places for part in kept]), weights)
