"""Histories: constructions that keep every step, each at a time of its own, and so need a bound on the steps.

The fast weights S only add. Registers (`automaton`, `machine`) make them forget by adding differences; the published
constructions (arXiv 2410.10101, section 4 and its appendix) never forget: every state and every cell is written once,
at coordinates that are indexed by time. Nothing is overwritten, so every entry of S that is read is the product of two
entries of a single token, and 0 or 1 without any argument about what was there before. The price is a bound, and a
dimension and a vocabulary that grow with it. `history_automaton` and `history_machine` state and prove the two.

What they share is here: the limits on their size, and matrices by the names of coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compiler.attention import Head, Sparse
from compiler.errors import UnsupportedError
from compiler.program import Program

MOST_COORDINATES = 20_000
"""The most coordinates that a history may have."""
MOST_TOKENS = 200_000
"""The most tokens that the vocabulary of a history may have."""

Entries = Mapping[tuple[str, str], int]
"""A matrix: (row, column) by the names of coordinates -> weight."""


def checked_bound(program: Program, bound: int | None, what: str) -> int:
    """`bound`, if it is one. Raises UnsupportedError."""
    if bound is None:
        raise UnsupportedError(f"a history of {program.kind} {program.name} needs a bound on {what}; give one")
    if not isinstance(bound, int) or bound < 1:
        raise UnsupportedError(f"the history of {program.kind} {program.name} has the bound {bound!r}; it must be >= 1")
    return bound


def check_size(program: Program, bound: int, d: int, tokens: int) -> None:
    """Raises UnsupportedError for a history that would have too many coordinates or tokens."""
    for count, most, what in ((d, MOST_COORDINATES, "coordinates"), (tokens, MOST_TOKENS, "tokens")):
        if count > most:
            raise UnsupportedError(
                f"the history of {program.kind} {program.name} up to the bound {bound:,} would have {count:,} {what}, "
                f"more than {most:,}; give a smaller bound, or compile it to registers, which need none"
            )


def head_of(name: str, value: Entries, query: Entries, place: Mapping[str, int]) -> Head:
    """The head (V, Q) of these entries; `place` numbers the coordinates."""
    return Head(name, _matrix(value, place), _matrix(query, place))


def _matrix(entries: Entries, place: Mapping[str, int]) -> Sparse:
    rows, columns = (np.array([place[pair[side]] for pair in entries], dtype=np.int32) for side in (0, 1))
    return Sparse(rows, columns, np.array(list(entries.values()), dtype=np.int64))
