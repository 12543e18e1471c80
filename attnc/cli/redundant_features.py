"""Features that are zero or duplicates on data, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compiler.learning.redundant import Feature, Redundant

SHOWN = 24
"""The names of a kind, and the classes, that are printed for people."""


def as_facts(found: Redundant) -> dict[str, Any]:
    """Everything, for JSON: features as [e, b, c], factors as text."""
    return {
        "zero": found.zero,
        "repeated": found.repeated,
        "unset": found.unset,
        "apart": found.apart,
        "silent": found.silent,
        "duplicates": [
            [{"feature": name, "factor": str(factor)} for name, factor in each] for each in found.duplicates
        ],
    }


def lines(found: Redundant) -> Iterator[str]:
    """The counts and the first names of each kind; a feature is written e {b, c}."""
    yield f"Of {found.features:,} features {found.zero:,} are zero on all samples:"
    yield f"  {len(found.unset):,} coordinates e that no last token has: {_listed(found.unset)}"
    yield f"  {len(found.apart):,} pairs that no token has both of: {_listed([_pair(*each) for each in found.apart])}"
    yield f"  {len(found.silent):,} other features e {{b, c}}: {_listed([_name(each) for each in found.silent])}"
    yield f"{found.repeated:,} are multiples of one before them, in {len(found.duplicates):,} classes:"
    for each in found.duplicates[:SHOWN]:
        parts = [_times(1 / factor) + _name(name) for name, factor in each[:SHOWN]]
        yield "  " + " = ".join(parts) + _more(len(each), " = ")
    if len(found.duplicates) > SHOWN:
        yield f"  and {len(found.duplicates) - SHOWN:,} more; --json has all"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + _more(len(names), ", ") if names else "none"


def _more(count: int, before: str) -> str:
    return f"{before}... ({count - SHOWN:,} more)" if count > SHOWN else ""


def _pair(b: str, c: str) -> str:
    return f"{{{b}}}" if b == c else f"{{{b}, {c}}}"


def _name(feature: Feature) -> str:
    e, b, c = feature
    return f"{e} {_pair(b, c)}"


def _times(factor: Fraction) -> str:
    return {"1": "", "-1": "-"}.get(str(factor), f"{factor} ")
