"""Syntax: what source text says before anything is looked up. Spans do not take part in comparisons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from compiler.language.diagnostics import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Name:
    """A name, number or quoted symbol by its text."""

    text: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Setting:
    """A keyword with arguments: ``alphabet a, b``, ``cells 16``, ``write latest``, ``keys real 16``."""

    keyword: str
    arguments: tuple[Name, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of an automaton's state: ``a, b -> target emits x``; on ``else`` or ``epsilon`` where `on` says so."""

    on: tuple[Name, ...] | Literal["else", "epsilon"]
    targets: tuple[Name, ...]
    emits: Name | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a machine's action: ``write g``, a move, a stop or a state."""

    kind: Literal["write", "move", "stop", "state"]
    name: Name


@dataclass(frozen=True, slots=True)
class MachineRule:
    """A rule of a machine's state: ``a, b -> write 0, left, carry``."""

    on: tuple[Name, ...] | Literal["else"]
    steps: tuple[Step, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class State:
    """A state with its marks, its output (Moore) and its rules."""

    name: Name
    marks: tuple[Name, ...]
    emits: Name | None
    rules: tuple[Rule, ...] | tuple[MachineRule, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Production:
    """The alternatives of a nonterminal: ``start S -> a S | ""``."""

    left: Name
    bodies: tuple[tuple[Name, ...], ...]
    start: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression, the text between the slashes."""

    text: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """The language of a program by its name."""

    name: Name


@dataclass(frozen=True, slots=True)
class Combination:
    """``|``, ``&``, ``-`` and ``not`` on their operands, or a named operation such as ``reverse``."""

    operation: Name
    operands: tuple[Expression, ...]


Expression: TypeAlias = Regex | Reference | Combination


@dataclass(frozen=True, slots=True)
class Language:
    """``language EXPRESSION``."""

    expression: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Block:
    """The states of a property that has its own: ``NAME { STATES }``."""

    name: Name
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class PropertySyntax:
    """``always EXPRESSION``, ``never EXPRESSION`` or either with a block of states."""

    kind: Literal["always", "never"]
    language: Expression | Block
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ItemSyntax:
    """An item of a word: a symbol, or ``key = value``."""

    name: Name
    value: Name | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """``store k = v, ...``."""

    pairs: tuple[ItemSyntax, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ExampleSyntax:
    """``example WORD verb`` or ``example program(WORD) verb``; `result` is the word behind ``gives``."""

    word: tuple[ItemSyntax, ...]
    verb: Name
    result: tuple[ItemSyntax, ...] | None = None
    given: Name | None = None
    span: Span = field(default=NOWHERE, compare=False)


Clause: TypeAlias = Setting | State | Production | Language | PropertySyntax | Store | ExampleSyntax


@dataclass(frozen=True, slots=True)
class ProgramSyntax:
    """A program: its kind, its name and its clauses in order.

    Attributes
    ----------
    lost, broken
        The words of the clauses that did not parse and were left out; whether anything in it did not parse.
    """

    NAMELESS: ClassVar[str] = "?"
    """The name of a program whose header holds none."""

    kind: str
    name: Name
    clauses: tuple[Clause, ...]
    span: Span = field(default=NOWHERE, compare=False)
    lost: frozenset[str] = field(default=frozenset(), compare=False)
    broken: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Use:
    """``use "file.attn"::name`` or ``use library::name``; `file` is None for the library."""

    file: Name | None
    name: Name
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class FileSyntax:
    """A file: imports and programs, in order."""

    items: tuple[Use | ProgramSyntax, ...]

    @property
    def uses(self) -> tuple[Use, ...]:
        """The imports."""
        return tuple(item for item in self.items if isinstance(item, Use))

    @property
    def programs(self) -> tuple[ProgramSyntax, ...]:
        """The programs."""
        return tuple(item for item in self.items if isinstance(item, ProgramSyntax))
