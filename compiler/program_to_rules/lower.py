"""Which construction lowers which family of programs."""

from __future__ import annotations

from compiler.errors import UnsupportedError
from compiler.program import Automaton, Program
from compiler.program_to_rules.automaton import automaton_to_rules
from compiler.program_to_rules.lowering import Lowering


def lower(program: Program) -> Lowering:
    """The rules of `program`. Raises UnsupportedError for a family that has no construction."""
    if not isinstance(program, Program):
        raise UnsupportedError(f"expected a program, not a {type(program).__name__}; `load` and `parse` make one")
    if isinstance(program, Automaton):
        return automaton_to_rules(program)
    raise UnsupportedError(
        f"{program.kind} {program.name} cannot be compiled by this version, which compiles automata; "
        "it can be checked, formatted, shown and run by its interpreter"
    )
