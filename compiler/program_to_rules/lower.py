"""Which construction lowers which family of programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

from compiler.errors import UnsupportedError
from compiler.program import Automaton, Grammar, Machine, Memory, Program, UniversalAutomaton, UniversalMachine
from compiler.program_to_rules.automaton import automaton_to_rules
from compiler.program_to_rules.dense_memory import dense_memory_to_rules
from compiler.program_to_rules.grammar import grammar_to_rules
from compiler.program_to_rules.history_automaton import automaton_history, automaton_width
from compiler.program_to_rules.history_machine import machine_history
from compiler.program_to_rules.history_tape import machine_width
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowering import Lowering
from compiler.program_to_rules.machine import machine_to_rules
from compiler.program_to_rules.memory import memory_to_rules
from compiler.program_to_rules.real_memory import real_memory_to_rules
from compiler.program_to_rules.universal_automaton import universal_automaton_to_rules
from compiler.program_to_rules.universal_automaton_few_heads import few_heads_coordinates, universal_automaton_few_heads
from compiler.program_to_rules.universal_automaton_narrow import narrow_coordinates, universal_automaton_narrow
from compiler.program_to_rules.universal_machine import universal_machine_size, universal_machine_to_rules
from compiler.program_to_rules.universal_machine_registers import (
    registers_coordinates,
    registers_size,
    universal_machine_registers,
)

Construction = Literal["registers", "history"]
"""Fast-weight registers, for runs of every length; or every step at a time of its own, up to a bound."""
Fewest = Literal["heads", "dimensions", "tokens"]
"""The measures of a layer of which the least can be asked for; tokens are those of a step."""

_TIMES = {
    "automaton": re.compile(r"position\[([0-9]{1,6})\]"),
    "machine": re.compile(r"cell\[[0-9]{1,6},([0-9]{1,6})\]"),
}
"""The coordinates of histories by which their bound is known; registers have none of such a name."""


def lower(
    program: Program,
    construction: Construction = "registers",
    bound: int | None = None,
    fewest: Fewest | None = None,
) -> Lowering:
    """The rules of `program`; `bound` is for histories: the most symbols of a word, or steps of a machine.

    `fewest` chooses among the constructions with registers by what they need least; where a family has one, that.

    Raises
    ------
    UnsupportedError
        For a family that has no such construction, a bound that is missing or out of place, a history that would be
        too large or of which `fewest` is asked, and a measure that there is none of.
    """
    if not isinstance(program, Program):
        raise UnsupportedError(f"expected a program, not a {type(program).__name__}; `load` and `parse` make one")
    if construction not in ("registers", "history"):
        raise UnsupportedError(f"there is no construction {construction!r}; there are registers and history")
    if fewest is not None and fewest not in get_args(Fewest):
        raise UnsupportedError(f"fewest={fewest!r}: expected heads, dimensions or tokens")
    if construction == "history":
        if fewest is not None:
            raise UnsupportedError(f"fewest={fewest!r} chooses among constructions with registers; leave out history")
        return _history(program, bound)
    if bound is not None:
        raise UnsupportedError(f"bound={bound!r} is for the construction history; registers run without a bound")
    if isinstance(program, Automaton):
        return automaton_to_rules(program)
    if isinstance(program, Machine):
        return machine_to_rules(program)
    if isinstance(program, Memory):
        return _memory(program)
    if isinstance(program, Grammar):
        return grammar_to_rules(program)
    if isinstance(program, UniversalAutomaton):
        return _universal_automaton(program, fewest)
    return _universal_machine(program, fewest)


def _universal_automaton(program: UniversalAutomaton, fewest: Fewest | None) -> LoweredUniversalAutomaton:
    """All constructions take two answers a symbol, so that for tokens is the default."""
    if fewest == "heads":
        return universal_automaton_few_heads(program)
    return universal_automaton_narrow(program) if fewest == "dimensions" else universal_automaton_to_rules(program)


def _universal_machine(program: UniversalMachine, fewest: Fewest | None) -> LoweredUniversalMachine:
    """The default takes the fewest tokens a step; where bounds are small, it has the fewest heads or dimensions too."""
    if fewest in ("heads", "dimensions"):
        usual, registers = universal_machine_size(program), registers_size(program)
        if getattr(registers, fewest) < getattr(usual, fewest):
            return universal_machine_registers(program)
    return universal_machine_to_rules(program)


def _history(program: Program, bound: int | None) -> Lowering:
    if isinstance(program, Automaton):
        return automaton_history(program, bound)
    if isinstance(program, Machine):
        return machine_history(program, bound)
    raise UnsupportedError(f"automata and machines have a history; {program.kind} {program.name} is neither")


def lowering_for(program: Program, coordinates: Sequence[str]) -> Lowering:
    """The construction of `program` that a model over `coordinates` claims to be, by their names.

    It is a history where they name times, and are as many as the history up to the greatest time has; else registers.
    Of universal programs it is the construction that has just these coordinates, in any order; else the default.
    Whether they are the coordinates of what is returned is left to the caller. Raises UnsupportedError.
    """
    matches = map(_TIMES[program.kind].fullmatch, coordinates) if program.kind in _TIMES else ()
    bound = max((int(match[1]) for match in matches if match), default=0)
    if bound and isinstance(program, Automaton) and automaton_width(program, bound) == len(coordinates):
        return automaton_history(program, bound)
    if bound and isinstance(program, Machine) and machine_width(program, bound) == len(coordinates):
        return machine_history(program, bound)
    if isinstance(program, UniversalAutomaton):
        return _universal_automaton(program, _fewest_of(program, coordinates))
    if isinstance(program, UniversalMachine) and set(coordinates) == set(registers_coordinates(program)):
        return universal_machine_registers(program)
    return lower(program)


def _fewest_of(program: UniversalAutomaton, coordinates: Sequence[str]) -> Fewest | None:
    found = set(coordinates)
    if found == set(narrow_coordinates(program)):
        return "dimensions"
    return "heads" if found == set(few_heads_coordinates(program)) else None


def _memory(program: Memory) -> Lowering:
    """The rules of a memory: real, in few dimensions, or with orthogonal keys."""
    if isinstance(program.keys, int):
        return real_memory_to_rules(program)
    return memory_to_rules(program) if program.dimensions is None else dense_memory_to_rules(program)
