"""What programs mean: one immutable value and one reference interpreter for each family."""

from __future__ import annotations

from typing import TypeAlias

from compiler.program.automaton import Automaton
from compiler.program.grammar import Grammar
from compiler.program.machine import Machine
from compiler.program.memory import Memory
from compiler.program.universal import UniversalAutomaton, UniversalMachine

Program: TypeAlias = Automaton | Memory | Machine | Grammar | UniversalAutomaton | UniversalMachine

__all__ = ["Automaton", "Grammar", "Machine", "Memory", "Program", "UniversalAutomaton", "UniversalMachine"]
