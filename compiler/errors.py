"""The tree of errors: everything that attnc raises on purpose, each with a builtin parent.

Every message names the offending value, what was expected and what to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compiler.language.diagnostics import Diagnostic


class AttncError(Exception):
    """Anything that attnc refuses, with a message written for its user."""


class SourceError(AttncError, ValueError):
    """Source text with mistakes: all of them, each as a `Diagnostic` with its place.

    Attributes
    ----------
    diagnostics
        The mistakes in the order of the text; warnings that came with them are among them.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(diagnostic.render() for diagnostic in self.diagnostics))


class ProgramError(AttncError, ValueError):
    """A program value that breaks the rules of its family (for instance a transition to no state)."""


class UnknownProgramError(AttncError, LookupError):
    """No program goes by this name, in the file or in the library."""


class WordError(AttncError, ValueError):
    """An input with a symbol that is not in the alphabet, or one that does not fit the program."""


class TooLargeError(AttncError, ValueError):
    """A construction that would grow past a stated bound (for instance a subset construction)."""


class UnsupportedError(AttncError, TypeError):
    """Something that attnc understands but cannot do for this kind of program or model."""


class ModelError(AttncError, ValueError):
    """A model that is malformed, or that does not belong to the program it is used with."""


class DataError(AttncError, ValueError):
    """Training data that are malformed, or that do not belong to the program they are used with."""


class DecompileError(AttncError, ValueError):
    """A model that could not be read back as a program; the message says what stood in the way."""


class FileError(AttncError, OSError):
    """A file that cannot be read, is not what it claims to be, or cannot be written."""
