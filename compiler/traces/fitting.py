"""Data seen as runs of a given program: the check that their coordinates are the program's."""

from __future__ import annotations

from typing import Protocol

from compiler.errors import DataError
from compiler.program import Program
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.lowering import Lowering


class Runs(Protocol):
    """Data, or what is known of them: their dimension, and the program whose runs they are."""

    @property
    def d(self) -> int:
        """The dimension of the tokens."""

    @property
    def program(self) -> Program | None:
        """The program whose runs these are, if they are runs of one."""


def fitting(data: Runs, program: Program) -> Lowering:
    """The lowering of `program`, if `data` are over its coordinates. Raises DataError, UnsupportedError."""
    lowering = lower(program)
    wanted = f"{program.kind} {program.name}"
    if len(lowering.coordinates) != data.d:
        raise DataError(
            f"the data have {data.d} coordinates, {wanted} has {len(lowering.coordinates)}: they are not its runs"
        )
    if data.program is not None and lower(data.program).coordinates != lowering.coordinates:
        claimed = f"{data.program.kind} {data.program.name}"
        raise DataError(f"the data are runs of {claimed}, whose coordinates are not those of {wanted}, in this order")
    return lowering
