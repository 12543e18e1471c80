"""Text to tokens: lexing by the grammar's terminals, then layout.

Layout turns line ends and semicolons into single SEP tokens: none behind a comma, an operator or an opening bracket
(the clause goes on), none before ``{``, and one before each ``}``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path

from lark import Lark, Token

from compiler.errors import FileError
from compiler.language.diagnostics import Source, Span

MAX_BYTES = 4 * 2**20
"""The largest source file that is read."""

MAX_NESTING = 60
"""How deep parentheses (and runs of `not`) may nest."""

CONTINUES = frozenset({"COMMA", "VBAR", "AMPERSAND", "MINUS", "LPAR", "LBRACE"})
TRIVIA = frozenset({"COMMENT", "BLANKS"})


@cache
def parser() -> Lark:
    """The parser, built once."""
    grammar = (files(__package__) / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", start=["use", "program"], maybe_placeholders=True)


def source_from_bytes(name: str, data: bytes) -> Source:
    """Source text from a file's bytes: UTF-8, line ends made one kind, characters composed (NFC).

    Raises
    ------
    FileError
        For a file that is too large or is not text.
    """
    if len(data) > MAX_BYTES:
        raise FileError(f"{name}: {len(data):,} bytes is more than the {MAX_BYTES:,} that a source file may have")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{name}: not a source file: byte {error.start} is not UTF-8 text") from None
    return source_from_text(text, name=name)


def source_from_text(text: str, *, name: str = "<text>") -> Source:
    """Source text from a string. Raises FileError where it holds control characters."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", text)
    strange = next((c for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs")), None)
    if strange is not None:
        raise FileError(f"{name}: not a source file: it holds the control character {strange!r}")
    return Source(name, text)


def read_source(path: Path, *, name: str | None = None) -> Source:
    """The source file at `path`. Raises FileError where it cannot be read or is not text."""
    shown = name or str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        size = path.stat().st_size if len(data) > MAX_BYTES else len(data)
    except OSError as error:
        raise FileError(f"{shown}: cannot be read: {error.strerror or error}") from None
    if size > MAX_BYTES:
        raise FileError(f"{shown}: {size:,} bytes is more than the {MAX_BYTES:,} that a source file may have")
    return source_from_bytes(shown, data)


def every_token(source: Source) -> list[Token]:
    """All tokens of `source` in order, with blanks, comments and line ends."""
    return list(parser().lex(source.text, dont_ignore=True))


def tokens(source: Source) -> list[Token]:
    """The tokens of `source` after layout."""
    laid: list[Token] = []
    for token in chain.from_iterable(map(_cut, every_token(source))):
        last = laid[-1].type if laid else "SEP"
        if token.type in ("NEWLINE", "SEMICOLON"):
            if last != "SEP" and not (token.type == "NEWLINE" and last in CONTINUES):
                laid.append(Token.new_borrow_pos("SEP", str(token), token))
        elif token.type not in TRIVIA:
            if token.type == "LBRACE" and last == "SEP" and laid and laid[-1] == "\n":
                laid.pop()
            if token.type == "RBRACE" and last not in ("SEP", "LBRACE"):
                laid.append(Token.new_borrow_pos("SEP", "}", token))
            laid.append(token)
    return laid


def _cut(token: Token) -> Iterator[Token]:
    """What an unclosed quote or regular expression swallowed at the end of its line is given back: `;` and `}`."""
    if token.type not in ("UNCLOSED", "UNCLOSED_REGEX"):
        yield token
        return
    start = token.start_pos or 0
    kept = token.rstrip(" \t;}")
    yield Token(token.type, kept, start, end_pos=start + len(kept))
    for place in range(len(kept), len(token)):
        if token[place] in ";}":
            kind = "SEMICOLON" if token[place] == ";" else "RBRACE"
            yield Token(kind, token[place], start + place, end_pos=start + place + 1)


def too_deep(stream: Sequence[Token]) -> int | None:
    """The place of the first bracket, or `not`, that nests deeper than `MAX_NESTING`."""
    open_brackets: list[int] = []
    depth = negations = 0
    for place, token in enumerate(stream):
        if token.type == "SEP":
            open_brackets, depth = [], 0
        elif token.type == "LPAR":
            open_brackets.append(negations + 1)
            depth += negations + 1
        elif token.type == "RPAR" and open_brackets:
            depth -= open_brackets.pop()
        negations = negations + 1 if token.type == "NOT" else 0
        if depth + negations > MAX_NESTING:
            return place
    return None


def span_of(token: Token) -> Span:
    """The span of a token."""
    start = token.start_pos or 0
    return Span(start, token.end_pos if token.end_pos is not None else start + len(token))
