"""Systems to the runs of a certified set: plain runs where they fill the hulls, else free runs, or runs that aim."""

from __future__ import annotations

from itertools import islice

import numpy as np

from compiler.domain.free_runs import free_hulls, free_runs
from compiler.domain.system import System
from compiler.errors import DataError
from compiler.program_to_rules.lowering import Turn
from compiler.program_to_rules.machine import LoweredMachine
from compiler.program_to_rules.universal_machine import LoweredPointerMachine
from compiler.traces.aiming import aimed
from compiler.traces.filling import BATCH, Filled, filled


def certified_runs(system: System, seed: int = 0) -> list[list[Turn]]:
    """The runs of a certified set.

    Those of a machine whose runs do not fill their hulls are free runs; those of a universal machine aim at what is
    missing. Raises DataError where none was found.
    """
    found, closed = filled(system, seed)
    if not closed and isinstance(system.lowering, LoweredMachine):
        return _filled_freely(system, seed).runs
    if isinstance(system.lowering, LoweredPointerMachine):
        closed = aimed(found, system.lowering, np.random.default_rng(seed))
    if not closed:
        program = system.lowering.program
        raise DataError(
            f"no certified set of runs of {program.kind} {program.name} was found: what its runs show does not fill "
            "what the analysis of its steps allows; random data (-n) can be had all the same"
        )
    return found.runs


def _filled_freely(system: System, seed: int) -> Filled:
    """Free runs that show all that free runs can; the random orders come to it with probability one."""
    wanted = {location: hull.dimension for location, hull in free_hulls(system).items()}
    found = Filled(system, wanted)
    runs = free_runs(system, np.random.default_rng(seed))
    while any(len(found.shown.get(location, ())) < dimension for location, dimension in wanted.items()):
        found.take(list(islice(runs, BATCH)))
    return found
