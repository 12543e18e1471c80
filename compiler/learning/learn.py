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

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from math import inf, sqrt
from time import perf_counter
from typing import Literal, NamedTuple

import numpy as np

from compiler.errors import DataError, UnsupportedError
from compiler.few_heads import few_heads
from compiler.learning.certificate import certificate
from compiler.learning.count_certificate import Certificate
from compiler.learning.data_to_parts import found_in_data
from compiler.learning.parts import divided
from compiler.learning.reading import Part
from compiler.learning.real.least_squares import Fitted, Spectrum
from compiler.learning.redundant import Redundant, redundant
from compiler.learning.sums.data_moments import DataMoments
from compiler.learning.sums.moments_to_parts import certificate_of_moments, found_in_moments
from compiler.model import Model
from compiler.program import Program
from compiler.program_to_rules.lowering import Lowering
from compiler.real_rules_to_few_heads import TOLERANCE
from compiler.rules import Form
from compiler.rules_to_few_heads import Minimal
from compiler.rules_to_heads import rules_to_heads
from compiler.traces.data_set import DataSet
from compiler.traces.fitting import fitting

MEMORY = 4 * 2**30
LEAST_MEMORY = 2**20


@dataclass(frozen=True)
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
    search
        How `redundant` is found; it keeps the data. None where there are none to look at.
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
    search: Callable[[], Redundant] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def redundant(self) -> Redundant:
        """Which features are zero on all samples, and which are multiples of others, by name.

        The data are looked through at the first access. Raises UnsupportedError for a report of moments or of an
        estimator, which keep no data, and DataError for too many features.
        """
        if self.search is None:
            raise UnsupportedError(
                "which features are zero or duplicates is read off the data, and moments and estimators keep none; "
                "learn from the data themselves"
            )
        return self.search()

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
    data: DataSet | DataMoments,
    *,
    program: Program | None = None,
    ridge: float | Literal["cv"] = 0.0,
    memory: int = MEMORY,
    fewest: Literal["heads"] | None = None,
) -> Learned:
    """The rules that fit `data` best, as a model, in polynomial time.

    Parameters
    ----------
    data
        The data, or the moments of all of them.
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
    if not isinstance(data, DataSet | DataMoments):
        raise DataError(f"learn takes a data set or moments first, not a {type(data).__name__}")
    if isinstance(data, DataSet) and ridge == 0:
        data = data.integral()
    named = program or data.program
    lowering = None if named is None else fitting(data, named)
    if isinstance(data, DataMoments):
        found = found_in_moments(data, ridge, memory)
    else:
        found = found_in_data(data, ridge, memory)
    parts = [divided(part, data.denominator) for part in found.parts]
    exact = found.exactly and all(part.error == 0 and part.weights.dtype.kind != "f" for part in parts)
    error = sum(part.error for part in parts) + Fraction(found.unanswered) / data.denominator**2
    certified: Certificate | None = None
    if program is not None and lowering is not None and data.exact:
        if isinstance(data, DataMoments):
            certified = certificate_of_moments(data, lowering, found.solved, memory)
        else:
            certified = certificate(data, lowering, found.solved)
    form = _form(parts, data.d, lowering)
    few = None if fewest is None else few_heads(form, tolerance=_tolerance(parts))
    heads = rules_to_heads(form) if few is None else few.heads
    model = Model(form.coordinates, heads, {} if lowering is None else lowering.tokens, named)
    spectrum = _spectrum(found.fitted, data.d)
    report = Report(
        samples=data.samples,
        features=data.d**2 * (data.d + 1) // 2,
        live=sum(part.live for part in parts),
        rank=None if any(each.rank is None for each in found.fitted) else sum(part.rank for part in parts),
        blocks=len(parts),
        residual=sqrt(max(float(error), 0.0) / data.samples),
        exact=exact and error == 0,
        certified=None if program is None else certified is not None and certified.certified,
        heads=len(heads),
        seconds=perf_counter() - began,
        solver=", ".join(dict.fromkeys(each.solver for each in found.fitted)) or "exact",
        ridge=found.ridge,
        lambda_min=None if spectrum is None else spectrum.least,
        condition=None if spectrum is None or not spectrum.least else spectrum.greatest / spectrum.least,
        fewest_bound=None if few is None else few.bound,
        minimal=None if few is None else few.minimal,
        search=partial(redundant, data, form.coordinates) if isinstance(data, DataSet) else None,
    )
    return Learned(model, report)


def _tolerance(parts: list[Part]) -> float:
    """Twice what noise is estimated to have done to the weights, relative to their norm; at least `TOLERANCE`."""
    size = sum(float(np.square(part.weights.astype(np.float64)).sum()) for part in parts)
    return max(TOLERANCE, 2 * sqrt(sum(part.spread for part in parts) / size) if size else 0.0)


def _spectrum(fitted: list[Fitted], d: int) -> Spectrum | None:
    """The extreme eigenvalues of the mean of H H^T over all psi features; None where they are not known."""
    found = [each.spectrum for each in fitted]
    if len(found) != 1 or found[0] is None or fitted[0].shape.features != d**2 * (d + 1) // 2:
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


def _form(parts: list[Part], d: int, lowering: Lowering | None) -> Form:
    names = lowering.coordinates if lowering else tuple(f"x[{number}]" for number in range(d))
    kept = [part for part in parts if len(part.weights)]
    if not kept:
        return Form.of(names, [])
    kind = np.float64 if any(part.weights.dtype.kind == "f" for part in kept) else None
    weights = np.concatenate([part.weights if kind is None else part.weights.astype(kind) for part in kept])
    return Form.canonical(names, np.concatenate([part.places for part in kept]), weights)
