"""The program text inside model and data files: it stands on its own, so reading it opens no other file."""

from __future__ import annotations

from compiler.errors import AttncError, FileError
from compiler.language.load import pick
from compiler.language.syntax_to_program import Workspace
from compiler.program import Program


def program_from_text(text: str) -> Program:
    """The one program of `text`. Raises FileError for text with mistakes or with imports."""
    try:
        module = Workspace().text(text, name="its program text")
        if module.uses:
            raise FileError("its program text imports other programs; in a file it must stand on its own")
        return pick(module, None)
    except FileError:
        raise
    except AttncError as problem:
        raise FileError(f"its program text is no program:\n{problem}") from None
