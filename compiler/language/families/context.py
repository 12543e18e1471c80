"""What the families ask of the module whose program they make; `Module` is the one that answers."""

from __future__ import annotations

from typing import Protocol

from compiler.language.diagnostics import Span
from compiler.language.syntax import Name, ProgramSyntax, Setting
from compiler.program import Program


class Context(Protocol):
    """The file around a program: reports go to it, other programs come from it."""

    def error(self, span: Span, message: str, help: str | None = None) -> None:
        """Report a mistake."""

    def warn(self, span: Span, message: str, help: str | None = None) -> None:
        """Report something that is most likely not meant."""

    def is_lost(self, name: Name, *clauses: str) -> bool:
        """Whether `name` may have been declared in a clause that did not parse, such as one of `clauses`."""

    def lookup(self, name: Name) -> Program | None:
        """The program that `name` means; an unknown one is reported."""

    def settings(self, syntax: ProgramSyntax) -> dict[str, Setting]:
        """The settings of a program by keyword."""

    def symbols(self, setting: Setting | None) -> tuple[str, ...]:
        """The distinct names of a list."""

    def number(self, setting: Setting | None, least: int, most: int) -> int | None:
        """The number that a setting gives, checked."""

    def require(self, syntax: ProgramSyntax, found: object, keyword: str, example: str) -> None:
        """Report a clause that is missing."""
