"""Mistakes in source text: where they are, what was expected, and what to do about them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

WIDTH = 100
"""The longest piece of a source line that a message shows."""


@dataclass(frozen=True)
class Source:
    """Source text and the name that messages give it. Offsets count characters of `text`."""

    name: str
    text: str

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(place + 1 for place, character in enumerate(self.text) if character == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """The line and the column of a character, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, numbered from 1, without its end."""
        start = self._starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end]


@dataclass(frozen=True, slots=True)
class Span:
    """The characters from `start` up to, not including, `end`."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake (or warning) at one place.

    Attributes
    ----------
    message
        What is wrong, with the offending value and what was expected.
    help
        What to do about it, or None.
    """

    source: Source = field(compare=False)
    span: Span
    message: str
    help: str | None = None
    severity: Literal["error", "warning"] = "error"

    def place(self) -> str:
        """``file:line:column``."""
        line, column = self.source.position(min(self.span.start, len(self.source.text)))
        return f"{self.source.name}:{line}:{column}"

    def render(self) -> str:
        """``file:line:col: severity: message``, the line, a caret, the help."""
        line, column = self.source.position(min(self.span.start, len(self.source.text)))
        text = self.source.line(line).replace("\t", " ")
        shift = max(0, min(column - 1 - WIDTH // 2, len(text) - WIDTH))
        shown = text[shift : shift + WIDTH]
        at = column - 1 - shift
        carets = "^" * max(1, min(self.span.end - self.span.start, len(shown) - at))
        margin = " " * len(str(line))
        rendered = [
            f"{self.place()}: {self.severity}: {self.message}",
            f" {line} | {shown}".rstrip(),
            f" {margin} | {' ' * at}{carets}",
        ]
        if self.help:
            rendered.append(f" {margin} = help: {self.help}")
        return "\n".join(rendered)
