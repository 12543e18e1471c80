"""Syntax to programs: names are looked up, every family's rules are checked, all mistakes are gathered.

A `Workspace` holds the files that one question needs; a `Module` is one of them. Programs are elaborated when they are
first asked for, so that imports and languages built from other programs may stand in any order; a program that needs
itself is reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import programs as library
from compiler.errors import FileError, ProgramError, SourceError, TooLargeError
from compiler.language.diagnostics import Diagnostic, Source, Span
from compiler.language.families.automaton import to_automaton
from compiler.language.families.machine import to_machine
from compiler.language.families.memory import to_memory
from compiler.language.families.universal import to_universal
from compiler.language.syntax import Name, ProgramSyntax, Setting, Use
from compiler.language.text_to_syntax import parse
from compiler.language.text_to_tokens import read_source, source_from_text
from compiler.program import Program
from compiler.program.words import nearest

C = TypeVar("C")
MAX_IMPORTS = 200


@dataclass
class Workspace:
    """The files read so far, by their resolved path (or, for the library, their name), and what is under way."""

    modules: dict[str, Module] = field(default_factory=dict)
    active: list[tuple[str, str]] = field(default_factory=list)

    def text(self, text: str, *, name: str = "<text>") -> Module:
        """A module from a string."""
        return self._add(name, source_from_text(text, name=name), None)

    def file(self, path: Path) -> Module:
        """The module of a file. Raises FileError, SourceError."""
        key = str(path.resolve())
        return self.modules.get(key) or self._add(key, read_source(path), path.parent)

    def library(self, name: str) -> Module:
        """The module of a library program. Raises KeyError for an unknown name."""
        key = f"library::{name}"
        if key in self.modules:
            return self.modules[key]
        found = library.source(name)
        return self._add(key, source_from_text(found.read_text(encoding="utf-8"), name=key), None)

    def _add(self, key: str, source: Source, folder: Path | None) -> Module:
        if len(self.modules) >= MAX_IMPORTS:
            raise FileError(f"{source.name}: more than {MAX_IMPORTS} files import each other")
        self.modules[key] = module = Module(self, source, folder)
        return module


class Module:
    """One file's programs, elaborated on demand, and everything found wrong with them.

    Attributes
    ----------
    diagnostics
        Errors and warnings so far. `check_all` elaborates every program, so that they are complete.
    """

    def __init__(self, workspace: Workspace, source: Source, folder: Path | None) -> None:
        parsed = parse(source)
        self.workspace = workspace
        self.source = source
        self.folder = folder
        self.lost = parsed.lost
        self.diagnostics = list(parsed.diagnostics)
        self.syntax: dict[str, ProgramSyntax] = {}
        self.uses: dict[str, Use] = {}
        self._done: dict[str, Program | None] = {}
        for program in parsed.syntax.programs:
            if program.name.text in self.syntax:
                self.error(program.name.span, f"there is already a program `{program.name.text}` in this file")
            self.syntax.setdefault(program.name.text, program)
        for use in parsed.syntax.uses:
            if use.name.text in self.syntax or use.name.text in self.uses:
                self.error(use.name.span, f"there is already a program `{use.name.text}` in this file")
            self.uses.setdefault(use.name.text, use)

    @property
    def errors(self) -> list[Diagnostic]:
        """The diagnostics that are errors, in the order of the text."""
        found = [each for each in self.diagnostics if each.severity == "error"]
        return sorted(found, key=lambda each: each.span.start)

    def error(self, span: Span, message: str, help: str | None = None) -> None:
        """Report a mistake."""
        self.diagnostics.append(Diagnostic(self.source, span, message, help))

    def warn(self, span: Span, message: str, help: str | None = None) -> None:
        """Report something that is allowed and most likely not meant."""
        self.diagnostics.append(Diagnostic(self.source, span, message, help, "warning"))

    def is_lost(self, name: Name) -> bool:
        """Whether `name` may have been declared in a clause that did not parse."""
        return name.text in self.lost

    def check_all(self) -> dict[str, Program]:
        """Every program of the file. Raises SourceError with all mistakes."""
        found = {name: self.program(name) for name in self.syntax}
        for use in self.uses.values():
            self._imported(use)
        if self.errors:
            raise SourceError(self.errors)
        return {name: program for name, program in found.items() if program is not None}

    def program(self, name: str) -> Program | None:
        """The program `name` of this file, None where it has mistakes (they are in `diagnostics`)."""
        if name not in self._done:
            syntax = self.syntax[name]
            self.workspace.active.append((self.source.name, name))
            before = len(self.errors)
            try:
                made = self._elaborate(syntax)
            except (ProgramError, TooLargeError) as problem:
                self.error(syntax.name.span, str(problem))
                made = None
            finally:
                self.workspace.active.pop()
            self._done[name] = made if len(self.errors) == before else None
        return self._done[name]

    def _elaborate(self, syntax: ProgramSyntax) -> Program | None:
        match syntax.kind:
            case "automaton":
                return to_automaton(syntax, self)
            case "memory":
                return to_memory(syntax, self)
            case "machine":
                return to_machine(syntax, self)
            case _:
                return to_universal(syntax, self)

    def lookup(self, name: Name) -> Program | None:
        """The program that `name` means here: of this file, imported, or of the library; else a mistake."""
        if name.text in self.syntax:
            if (self.source.name, name.text) in self.workspace.active:
                self.error(name.span, f"`{name.text}` is defined by means of itself")
                return None
            return self._noted(name, self.program(name.text))
        if name.text in self.uses:
            return self._imported(self.uses[name.text])
        if name.text in library.names():
            return self._from(self.workspace.library(name.text), name)
        if not self.is_lost(name):
            near = nearest(name.text, [*self.syntax, *self.uses, *library.names()])
            self.error(name.span, f"no program is named `{name.text}`", f"did you mean `{near}`?" if near else None)
        return None

    def _imported(self, use: Use) -> Program | None:
        if use.file is None:
            if use.name.text not in library.names():
                near = nearest(use.name.text, library.names())
                help = f"did you mean `{near}`?" if near else "`attnc list` names the library's programs"
                self.error(use.name.span, f"the library has no program `{use.name.text}`", help)
                return None
            return self._from(self.workspace.library(use.name.text), use.name)
        try:
            module = self.workspace.file((self.folder or Path()) / use.file.text)
        except FileError as problem:
            self.error(use.file.span, str(problem))
            return None
        return self._from(module, use.name)

    def _from(self, module: Module, name: Name) -> Program | None:
        if name.text not in module.syntax:
            near = nearest(name.text, module.syntax)
            help = f"did you mean `{near}`?" if near else None
            self.error(name.span, f"{module.source.name} has no program `{name.text}`", help)
            return None
        if (module.source.name, name.text) in self.workspace.active:
            self.error(name.span, f"`{name.text}` is defined by means of itself")
            return None
        return self._noted(name, module.program(name.text))

    def _noted(self, name: Name, program: Program | None) -> Program | None:
        if program is None:
            self.error(name.span, f"`{name.text}` has mistakes of its own")
        return program

    def settings(self, syntax: ProgramSyntax) -> dict[str, Setting]:
        """The settings of a program by keyword; a second one of a kind is a mistake."""
        found: dict[str, Setting] = {}
        for clause in syntax.clauses:
            if isinstance(clause, Setting):
                base = clause.keyword.removesuffix(" real")
                if any(each.removesuffix(" real") == base for each in found):
                    self.error(clause.span, f"`{base}` is given twice", "keep one of them")
                found[clause.keyword] = clause
        return found

    def symbols(self, setting: Setting | None) -> tuple[str, ...]:
        """The distinct names of a list; a repetition is a mistake."""
        names: dict[str, None] = {}
        for name in setting.arguments if setting else ():
            if not name.text:
                self.error(name.span, "a symbol cannot be empty")
            if name.text in names:
                self.error(name.span, f"`{name.text}` is listed twice")
            names[name.text] = None
        return tuple(names)

    def number(self, setting: Setting | None, least: int, most: int) -> int | None:
        """The number that a setting gives; one outside the range is a mistake."""
        if setting is None:
            return None
        name = setting.arguments[0]
        value = int(name.text) if len(name.text) < 19 else most + 1
        if not least <= value <= most:
            message = f"`{setting.keyword}` is {name.text[:20]}, expected a number from {least} to {most:,}"
            self.error(name.span, message)
            return None
        return value

    def require(self, syntax: ProgramSyntax, found: object, keyword: str, example: str) -> None:
        """Report a clause that is missing, unless it was lost to a syntax error."""
        if found is None and keyword not in self.lost:
            self.error(syntax.name.span, f"{syntax.kind} `{syntax.name.text}` has no `{keyword}`", f"add `{example}`")
