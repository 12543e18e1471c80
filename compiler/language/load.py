"""Programs by what users write: a file, a program of a file, a name of the library, or source text."""

from __future__ import annotations

from pathlib import Path

import programs as library
from compiler.errors import FileError, UnknownProgramError
from compiler.language.syntax_to_program import Module, Workspace
from compiler.program import Program
from compiler.program.words import nearest, shorten


def is_file(reference: str) -> bool:
    """Whether `reference` means a file: it holds a slash, or its part before `::` ends in ``.attn``."""
    path = reference.split("::")[0]
    return "/" in path or path.endswith(".attn")


def module_of(reference: str) -> tuple[Module, str | None]:
    """The module that `reference` names, and the program in it (None: all of them).

    Raises
    ------
    FileError
        For a file that cannot be read or is not text.
    UnknownProgramError
        For a name that the library does not have.
    """
    path, _, name = reference.partition("::")
    for ending, kind in ((".safetensors", "model"), (".npz", "data set")):
        if path.endswith(ending):
            raise FileError(f"{path}: expected a program, and this is named as a {kind}")
    if is_file(reference):
        return Workspace().file(Path(path)), name or None
    known = name if path == "library" and name else reference
    if known not in library.names():
        near = nearest(known, library.names())
        hint = f"did you mean {near}?" if near else "`attnc list` names them; a file's name ends in .attn or holds a /"
        raise UnknownProgramError(f"the library has no program {shorten(known)!r}; {hint}")
    return Workspace().library(known), known


def load(reference: str) -> Program:
    """The program that `reference` names: ``parity``, ``file.attn`` (if it holds one), ``file.attn::name``.

    Raises
    ------
    FileError, SourceError
        For a file that cannot be read, or has mistakes (all of them are in the error).
    UnknownProgramError
        For a name that does not exist, and for a file of several programs without a name.

    >>> load("parity").run("0110").outcome
    'accepted'
    """
    module, name = module_of(reference)
    return pick(module, name)


def parse(text: str, *, name: str | None = None) -> Program:
    """The program that `text` holds; with `name`, the one of that name. Raises as `load` does.

    >>> parse("automaton a { alphabet x; start accept state q { x -> q } }").run("xx").outcome
    'accepted'
    """
    return pick(Workspace().text(text), name)


def pick(module: Module, name: str | None) -> Program:
    """The program `name` of a module (None: its only one). Raises SourceError, UnknownProgramError."""
    programs = module.check_all()
    if name is None and len(programs) == 1:
        return next(iter(programs.values()))
    listed = ", ".join(list(programs)[:12]) + (", ..." if len(programs) > 12 else "")
    if name is None:
        what = f"holds {len(programs)} programs ({listed}); add ::NAME" if programs else "holds no program"
        raise UnknownProgramError(f"{module.source.name} {what}")
    if name not in programs:
        near = nearest(name, programs)
        hint = f"did you mean {near}?" if near else f"it has {listed}"
        raise UnknownProgramError(f"{module.source.name} has no program {shorten(name)!r}; {hint}")
    return programs[name]
