r"""Formatting: source text in its one layout, with every line and every comment kept.

The formatter works on tokens, not on syntax, so that nothing can be lost: it sets indentation from the brackets, one
blank between tokens, and at most one empty line between lines. It changes no line break.

>>> format_text("automaton a{ alphabet 0,1 # two\n}")
'automaton a { alphabet 0, 1  # two\n}\n'
"""

from __future__ import annotations

from collections.abc import Sequence

from lark import Token

from compiler.errors import SourceError
from compiler.language.diagnostics import Source
from compiler.language.text_to_syntax import parse
from compiler.language.text_to_tokens import CONTINUES, every_token, source_from_text

INDENT = "  "
_TIGHT_BEFORE = frozenset({"COMMA", "SEMICOLON", "RPAR", "DOUBLE_COLON"})
_TIGHT_BEHIND = frozenset({"LPAR", "DOUBLE_COLON"})


def format_source(source: Source) -> str:
    """The formatted text of `source`. Raises SourceError, with every syntax error, where it does not parse."""
    if mistakes := parse(source).diagnostics:
        raise SourceError(mistakes)
    lines: list[list[Token]] = [[]]
    for token in every_token(source):
        if token.type == "NEWLINE":
            lines.append([])
        elif token.type != "BLANKS":
            lines[-1].append(token)
    return _laid_out(lines)


def format_text(text: str) -> str:
    """`format_source` on a string."""
    return format_source(source_from_text(text))


def _laid_out(lines: list[list[Token]]) -> str:
    written: list[str] = []
    depth = 0
    continued = False
    for line in lines:
        code = [token for token in line if token.type != "COMMENT"]
        closers = next((n for n, token in enumerate(code) if token.type != "RBRACE"), len(code))
        shown = INDENT * max(0, depth - closers + continued) + _line(_without_idle_semicolons(line))
        if shown.strip() or (written and written[-1]):
            written.append(shown.rstrip())
        depth = max(0, depth + sum((t.type == "LBRACE") - (t.type == "RBRACE") for t in code))
        continued = bool(code) and code[-1].type in CONTINUES - {"LBRACE"} if code else continued
    while written and not written[-1]:
        written.pop()
    return "".join(line + "\n" for line in written)


def _without_idle_semicolons(line: Sequence[Token]) -> list[Token]:
    """Semicolons that separate nothing (at an end of line, before a brace, repeated) are dropped."""
    kept: list[Token] = []
    for place, token in enumerate(line):
        following = next((each.type for each in line[place + 1 :]), "NEWLINE")
        idle = following in ("SEMICOLON", "RBRACE", "COMMENT", "NEWLINE") or not kept or kept[-1].type == "LBRACE"
        if token.type != "SEMICOLON" or not idle:
            kept.append(token)
    return kept


def _line(line: Sequence[Token]) -> str:
    text = ""
    before: Token | None = None
    for token in line:
        text += _gap(before, token) + str(token).rstrip()
        before = token
    return text


def _gap(before: Token | None, token: Token) -> str:
    if before is None or token.type in _TIGHT_BEFORE or before.type in _TIGHT_BEHIND:
        return ""
    if token.type == "LPAR" and before.type == "NAME":
        return ""
    return "  " if token.type == "COMMENT" else " "
