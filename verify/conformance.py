"""Whether another implementation of the layer computes what it should: a suite that any backend can be put to.

A backend is a callable ``(V, Q, Z) -> answers``: heads V and Q (H, d, d), H >= 0, and tokens Z (n, d), n >= 1, one
a row, to the answers (n, d) at every prefix,

    answers[j] = sum_h V_h S_j Q_h z_j,      S_j = sum_{i <= j} z_i z_i^T        (the sum includes token j itself).

It is given float64 arrays, first of the fixed `cases`, simple ones first, then of cases that hypothesis draws (the
same every time) and shrinks. No case makes float64 round, whatever the order of its operations, so an implementation
in float64 is expected to be exact.

>>> def mine(V, Q, Z):
...     S = np.cumsum(Z[:, :, None] * Z[:, None, :], axis=0)
...     return np.einsum("hab,nbc,hce,ne->na", V, S, Q, Z)
>>> bool(check(mine))
True
>>> print(check(lambda V, Q, Z: mine(V, Q, Z) - Z))
does not conform in the case 'one token of one coordinate' (heads 1, d 1, tokens 1): row 0 of the answers is wrong
expected [[750.]]
got [[745.]]
V = [[[2.]]]
Q = [[[3.]]]
Z = [[5.]]
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from hypothesis import HealthCheck, find, settings
from hypothesis.errors import Flaky, NoSuchExample

from compiler.attention import attention
from verify.conformance_cases import Case, Floats, cases, drawn_cases

__all__ = ["Backend", "Case", "Failure", "Report", "cases", "check"]

Backend: TypeAlias = Callable[[Floats, Floats, Floats], Any]
"""(V, Q, Z) -> the answers (n, d): an array, or what `numpy.asarray` makes one of."""

DRAWN = 100
"""The cases that hypothesis draws."""


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """What a backend did wrong in a case.

    Attributes
    ----------
    case
        The case, to be tried again: ``backend(case.V, case.Q, case.Z)``.
    problem
        What is wrong, in words.
    expected
        The answers (n, d).
    got
        The answers (n, d) of the backend; None where it returned no such array.
    """

    case: Case
    problem: str
    expected: Floats
    got: Floats | None

    def __str__(self) -> str:
        case, (heads, d, _) = self.case, self.case.V.shape
        got = [] if self.got is None else [f"got {self.got}"]
        return "\n".join(
            [
                f"in the case {case.name!r} (heads {heads}, d {d}, tokens {len(case.Z)}): {self.problem}",
                f"expected {self.expected}",
                *got,
                *(f"{name} = {array}" for name, array in (("V", case.V), ("Q", case.Q), ("Z", case.Z))),
            ]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """How a backend did: true if it conforms, and printed for people.

    Attributes
    ----------
    passed
        The number of fixed cases that it passed before it failed, all of them if it did not.
    failure
        The first case that fails, shrunk where it was drawn; None if there is none.
    """

    passed: int
    failure: Failure | None

    def __bool__(self) -> bool:
        return self.failure is None

    def __str__(self) -> str:
        if self.failure is None:
            return f"conforms in {self.passed} fixed cases and in those that were drawn"
        return f"does not conform {self.failure}"


def check(backend: Backend, *, tolerance: float = 0.0) -> Report:
    """Put `backend` to the suite, up to the first case that fails; what it raises is a failure.

    `tolerance` is the error that an answer may have, relative to the greatest sum of |V| |S| |Q| |z| of its row, as
    rounding is: about 1e-6 for float32, 0.05 for bfloat16.
    """
    for number, case in enumerate(cases()):
        if failure := failure_of(backend, case, tolerance):
            return Report(number, failure)
    return Report(len(cases()), _drawn_failure(backend, tolerance))


def failure_of(backend: Backend, case: Case, tolerance: float) -> Failure | None:
    """What `backend` does wrong in `case`, if anything; it works on copies."""
    expected = _answers(case.V, case.Q, case.Z)
    try:
        got = np.asarray(backend(case.V.copy(), case.Q.copy(), case.Z.copy()), dtype=np.float64)
    except Exception as error:
        return Failure(case, f"it raised {type(error).__name__}: {error}", expected, None)
    if got.shape != expected.shape:
        return Failure(case, f"the answers have shape {got.shape}, not {expected.shape}", expected, None)
    sizes = _answers(np.abs(case.V), np.abs(case.Q), np.abs(case.Z)).max(axis=1, keepdims=True)
    wrong = ~(np.abs(got - expected) <= tolerance * sizes).all(axis=1)  # NaN is within no tolerance
    if not wrong.any():
        return None
    return Failure(case, f"row {wrong.argmax()} of the answers is wrong", expected, got)


def _drawn_failure(backend: Backend, tolerance: float) -> Failure | None:
    """The least failure that hypothesis finds; the last one of a backend that fails now and then."""
    found: list[Failure] = []

    def fails(case: Case) -> bool:
        failure = failure_of(backend, case, tolerance)
        found.extend([failure] if failure else [])
        return failure is not None

    quiet = settings(
        max_examples=DRAWN, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    with suppress(NoSuchExample, Flaky):
        find(drawn_cases(), fails, settings=quiet)
    return found[-1] if found else None


def _answers(V: Floats, Q: Floats, Z: Floats) -> Floats:
    """The answers (n, d) by the definition of the layer."""
    return np.stack([attention(V, Q, Z[: n + 1]) for n in range(len(Z))])
