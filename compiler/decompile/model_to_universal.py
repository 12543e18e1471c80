"""Models to universal programs: the bounds are in the names of the coordinates; `verify.decompiled` proves the rest."""

from __future__ import annotations

import re

from compiler.errors import UnsupportedError
from compiler.model import Model
from compiler.program.universal import UniversalAutomaton, UniversalMachine
from compiler.program_to_rules.lower import lowering_for

_KEY = re.compile(r"key\[([0-9]{1,5}),([0-9]{1,5})\]")
_CELL = re.compile(r"cell\[([0-9]{1,6})\]")


def model_to_universal(model: Model) -> UniversalAutomaton | UniversalMachine | None:
    """The universal program whose coordinates `model` has; None where it has those of none."""
    name = "decompiled" if model.program is None else model.program.name
    keys = [tuple(map(int, match.groups())) for match in map(_KEY.fullmatch, model.coordinates) if match]
    cells = [int(match[1]) for match in map(_CELL.fullmatch, model.coordinates) if match]
    if not keys:
        return None
    states, symbols = (1 + max(key[n] for key in keys) for n in (0, 1))
    if states * symbols != len(keys):
        return None
    found = (
        UniversalMachine(name, states, symbols, 1 + max(cells)) if cells else UniversalAutomaton(name, states, symbols)
    )
    return found if _fits(found, model) else None


def _fits(program: UniversalAutomaton | UniversalMachine, model: Model) -> bool:
    try:
        return set(lowering_for(program, model.coordinates).coordinates) == set(model.coordinates)
    except UnsupportedError:
        return False
