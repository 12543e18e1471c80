"""Syntax to programs: names are looked up, every family's rules are checked, all mistakes are gathered.

A `Workspace` holds the files that one question needs; a `Module` is one of them. Programs are elaborated when they are
first asked for, so that imports and languages built from other programs may stand in any order; a program that needs
itself is reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import programs as library
from compiler.errors import FileError, ProgramError, SourceError, TooLargeError
from compiler.language.diagnostics import Diagnostic, Source, Span
from compiler.language.families.automaton import to_automaton
from compiler.language.families.grammar import to_grammar
from compiler.language.families.machine import to_machine
from compiler.language.families.memory import to_memory
from compiler.language.families.universal import to_universal
from compiler.language.syntax import Name, ProgramSyntax, Setting, Use
from compiler.language.text_to_syntax import parse
from compiler.language.text_to_tokens import read_source, source_from_text
from compiler.program import Program
from compiler.program.words import nearest

MAX_IMPORTS = 200
MAX_CHAIN = 40
"""How many programs may be under way at once, each needed by the one before it."""


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
        self.all_lost = parsed.lost
        self.has_syntax_errors = bool(parsed.diagnostics)
        self.current: list[ProgramSyntax] = []
        self.diagnostics = list(parsed.diagnostics)
        self._reported: set[Diagnostic] = set()
        self.syntax: dict[str, ProgramSyntax] = {}
        self.uses: dict[str, Use] = {}
        self._others: list[ProgramSyntax] = []
        self._done: dict[str, Program | None] = {}
        for program in parsed.syntax.programs:
            name = program.name.text
            nameless = program.broken and name == ProgramSyntax.NAMELESS
            if name in self.syntax or not name or nameless:
                self._others.append(program)
                if not name:
                    self.error(program.name.span, "the name of a program cannot be empty")
                elif not nameless:
                    self.error(program.name.span, f"there is already a program `{name}` in this file", "rename one")
            else:
                self.syntax[name] = program
        for use in parsed.syntax.uses:
            if use.name.text in self.syntax or use.name.text in self.uses:
                self.error(
                    use.name.span, f"there is already a program `{use.name.text}` in this file", "remove one of them"
                )
            else:
                self.uses[use.name.text] = use

    @property
    def errors(self) -> list[Diagnostic]:
        """The diagnostics that are errors, in the order of the text."""
        found = [each for each in self.diagnostics if each.severity == "error"]
        return sorted(found, key=lambda each: each.span.start)

    def error(self, span: Span, message: str, help: str | None = None) -> None:
        """Report a mistake, once."""
        found = Diagnostic(self.source, span, message, help)
        if found not in self._reported:
            self._reported.add(found)
            self.diagnostics.append(found)

    def warn(self, span: Span, message: str, help: str | None = None) -> None:
        """Report something that is allowed and most likely not meant."""
        self.diagnostics.append(Diagnostic(self.source, span, message, help, "warning"))

    def is_lost(self, name: Name, *clauses: str) -> bool:
        """Whether `name` may have been declared in a clause of the present program that did not parse.

        It may where it stood in such a clause, and where one of `clauses` is missing and a lost word is near to it.
        """
        program = self.current[-1]
        if not program.broken or name.text in program.lost:
            return program.broken
        found = {clause.keyword for clause in program.clauses if isinstance(clause, Setting)}
        return any(clause not in found and nearest(clause, program.lost) for clause in clauses)

    def check_all(self) -> dict[str, Program]:
        """Every program of the file. Raises SourceError with all mistakes."""
        found = {name: self.program(name) for name in self.syntax}
        while self._others:
            self._attempt(self._others.pop())
        for use in self.uses.values():
            self._imported(use)
        if self.errors:
            raise SourceError(self.errors)
        return {name: program for name, program in found.items() if program is not None}

    def program(self, name: str) -> Program | None:
        """The program `name` of this file, None where it has mistakes (they are in `diagnostics`)."""
        if name not in self._done:
            self._done[name] = self._attempt(self.syntax[name])
        return self._done[name]

    def _attempt(self, syntax: ProgramSyntax) -> Program | None:
        """The program of `syntax`, None where anything in it is wrong."""
        before = len(self._reported)
        self.workspace.active.append((self.source.name, syntax.name.text))
        self.current.append(syntax)
        try:
            made = self._elaborate(syntax)
        except (ProgramError, TooLargeError) as problem:
            if len(self._reported) == before and not syntax.broken and syntax.name.text:  # an empty one was reported
                self.error(syntax.name.span, str(problem))
            made = None
        finally:
            self.current.pop()
            self.workspace.active.pop()
        return made if len(self._reported) == before and not syntax.broken else None

    def _elaborate(self, syntax: ProgramSyntax) -> Program | None:
        match syntax.kind:
            case "automaton":
                return to_automaton(syntax, self)
            case "memory":
                return to_memory(syntax, self)
            case "machine":
                return to_machine(syntax, self)
            case "grammar":
                return to_grammar(syntax, self)
            case _:
                return to_universal(syntax, self)

    def lookup(self, name: Name) -> Program | None:
        """The program that `name` means here: of this file, imported, or of the library; else a mistake.

        None without a message of its own for a program of this file that has mistakes: they are reported already.
        """
        if name.text in self.syntax:
            return self.program(name.text) if self._may_start(self, name) else None
        if name.text in self.uses:
            return self._imported(self.uses[name.text])
        if name.text in library.names():
            return self._from(self.workspace.library(name.text), name)
        if name.text not in self.all_lost:
            near = nearest(name.text, [*self.syntax, *self.uses, *library.names()])
            help = (
                f"did you mean `{near}`?" if near else 'a program of another file is imported: `use "file.attn"::name`'
            )
            self.error(name.span, f"no program is named `{name.text}`", help)
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
            help = 'a file is named in quotes, from the folder of this one: `use "file.attn"::name`'
            self.error(use.file.span, str(problem), help)
            return None
        return self._from(module, use.name)

    def _from(self, module: Module, name: Name) -> Program | None:
        if name.text not in module.syntax:
            near = nearest(name.text, module.syntax)
            listed = ", ".join(f"`{each}`" for each in list(module.syntax)[:8])
            help = f"did you mean `{near}`?" if near else f"it has {listed}" if listed else None
            self.error(name.span, f"{module.source.name} has no program `{name.text}`", help)
            return None
        if not self._may_start(module, name):
            return None
        program = module.program(name.text)
        if module is not self and (program is None or module.has_syntax_errors):
            first = next(iter(module.errors), None)
            help = None if first is None else f"the first: {first.place()}: {first.message}"
            self.error(name.span, f"{module.source.name} has mistakes of its own", help)
            return None
        return program

    def _may_start(self, module: Module, name: Name) -> bool:
        """Whether the program may be elaborated now, if it is not done: not from within itself, nor too deep."""
        if (module.source.name, name.text) in self.workspace.active:
            self.error(name.span, f"`{name.text}` is defined by means of itself")
            return False
        if name.text not in module._done and len(self.workspace.active) >= MAX_CHAIN:
            message = f"programs need each other in a chain of more than {MAX_CHAIN}"
            self.error(name.span, message, "in the file, put a program before those that need it")
            return False
        return True

    def settings(self, syntax: ProgramSyntax) -> dict[str, Setting]:
        """The settings of a program by keyword; a second one of a kind is a mistake, and is joined to the first."""
        found: dict[str, Setting] = {}
        for clause in syntax.clauses:
            if isinstance(clause, Setting):
                base = clause.keyword.removesuffix(" real")
                if any(each.removesuffix(" real") == base for each in found):
                    self.error(clause.span, f"`{base}` is given twice", "keep one of them")
                if (first := found.get(clause.keyword)) is not None:
                    known = {name.text for name in first.arguments}
                    joined = tuple(name for name in clause.arguments if name.text not in known)
                    clause = replace(first, arguments=first.arguments + joined)
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
        if found is None and not nearest(keyword, syntax.lost):
            self.error(syntax.name.span, f"{syntax.kind} `{syntax.name.text}` has no `{keyword}`", f"add `{example}`")
