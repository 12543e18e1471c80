"""Tokens to syntax, with every mistake found: a clause that does not parse is reported, cut out, and parsing goes on.

The words of the clauses that were cut are kept, so that later passes do not complain of names that were lost with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lark import Token, Tree, UnexpectedToken

from compiler.language.diagnostics import Diagnostic, Source, Span
from compiler.language.expectations import explain
from compiler.language.syntax import FileSyntax
from compiler.language.text_to_tokens import parser, span_of, tokens
from compiler.language.tree_to_syntax import program_to_syntax, use_to_syntax

KINDS = frozenset({"AUTOMATON", "MEMORY", "MACHINE", "UNIVERSAL"})
MAX_MISTAKES = 25
"""After so many syntax errors a file is given up."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's syntax, the mistakes in it, and the words of the clauses that were cut out."""

    source: Source
    syntax: FileSyntax
    diagnostics: tuple[Diagnostic, ...]
    lost: frozenset[str]


@dataclass(slots=True)
class _Recovery:
    """What parsing gathers on its way through one file."""

    source: Source
    diagnostics: list[Diagnostic] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    lines: set[int] = field(default_factory=set)

    @property
    def full(self) -> bool:
        return len(self.diagnostics) >= MAX_MISTAKES

    def report(self, span: Span, message: str, help: str | None = None) -> None:
        """Add a mistake; a second one on the same line is most likely a consequence and is dropped."""
        line, _ = self.source.position(span.start)
        if line not in self.lines and not self.full:
            self.lines.add(line)
            self.diagnostics.append(Diagnostic(self.source, span, message, help))


def parse(source: Source) -> Parsed:
    """Parse `source`; mistakes are in the result. Raises SourceError only where brackets nest too deep."""
    recovery = _Recovery(source)
    items = []
    for chunk in _chunks(tokens(source), recovery):
        if recovery.full:
            break
        start = "use" if chunk[0].type == "USE" else "program"
        if (tree := _parse_chunk(chunk, start, recovery)) is not None:
            items.append(use_to_syntax(tree) if start == "use" else program_to_syntax(tree))
    return Parsed(source, FileSyntax(tuple(items)), tuple(recovery.diagnostics), frozenset(recovery.lost))


def _chunks(stream: list[Token], recovery: _Recovery) -> Iterable[list[Token]]:
    """The imports and programs of a file as token lists; what stands between them is reported."""
    place = 0
    while place < len(stream):
        if stream[place].type == "SEP":
            place += 1
            continue
        end = place + 1
        if stream[place].type in KINDS:
            end = _program_end(stream, place)
            yield _closed(stream[place:end], recovery)
        elif stream[place].type == "USE":
            while end < len(stream) and stream[end].type != "SEP":
                end += 1
            yield stream[place:end]
        else:
            lone = stream[place].type == "RBRACE" and all(
                each.type in ("SEP", "NAME") for each in stream[end : end + 2]
            )
            while end < len(stream) and not _starts_item(stream, end) and not lone:
                end += 1
            recovery.lost.update(str(token) for token in stream[place:end])
            recovery.report(span_of(stream[place]), *_stray(stream[place]))
        place = end


def _stray(token: Token) -> tuple[str, str | None]:
    if token.type == "RBRACE":
        return "this `}` closes nothing", "remove it, or add the `{` that it should close"
    message, help = explain(token, {*KINDS, "USE"})
    return message, help or "a file holds programs: `automaton name { ... }`, and imports: `use library::name`"


def _starts_item(stream: list[Token], place: int) -> bool:
    return stream[place].type in (*KINDS, "USE") and stream[place - 1].type in ("SEP", "LBRACE", "RBRACE")


def _program_end(stream: list[Token], place: int) -> int:
    """Where the program that begins at `place` ends: behind its `}`, or where the next one begins."""
    depth, opened = 0, False
    for at in range(place + 1, len(stream)):
        kind = stream[at].type
        if _starts_item(stream, at) or (kind == "SEP" and not opened):
            return at
        depth += (kind == "LBRACE") - (kind == "RBRACE")
        opened |= kind == "LBRACE"
        if opened and depth <= 0:
            return at + 1
    return len(stream)


def _closed(chunk: list[Token], recovery: _Recovery) -> list[Token]:
    """`chunk` with the braces that it leaves open closed, and the first of them reported."""
    open_braces: list[Token] = []
    for token in chunk:
        if token.type == "LBRACE":
            open_braces.append(token)
        elif token.type == "RBRACE" and open_braces:
            open_braces.pop()
    if not open_braces:
        return chunk
    recovery.report(span_of(open_braces[-1]), "this `{` is never closed", "add the `}` that closes it")
    closing = [Token.new_borrow_pos(kind, "}", chunk[-1]) for _ in open_braces for kind in ("SEP", "RBRACE")]
    return chunk + closing


def _parse_chunk(chunk: list[Token], start: str, recovery: _Recovery) -> Tree[Token] | None:
    while not recovery.full:
        interactive = parser().parse_interactive(start=start)
        place = 0
        try:
            for place, token in enumerate(chunk):  # noqa: B007 - the place of the mistake is used below
                interactive.feed_token(token)
            place = len(chunk)
            tree: Tree[Token] = interactive.feed_eof(chunk[-1])  # type: ignore[no-untyped-call]
        except UnexpectedToken:
            token = chunk[place] if place < len(chunk) else Token.new_borrow_pos("$END", "", chunk[-1])
            message, help = explain(token, interactive.accepts())  # type: ignore[no-untyped-call]
            recovery.report(_visible(chunk, place), message, help)
        else:
            return tree
        shorter = _without_clause(chunk, min(place, len(chunk) - 1), recovery)
        if shorter is None:
            return None
        chunk = shorter
    return None


def _visible(chunk: list[Token], place: int) -> Span:
    """Where to point: at the token, or just behind the last one where the clause ended too early."""
    if place < len(chunk) and chunk[place].type != "SEP":
        return span_of(chunk[place])
    end = span_of(chunk[place - 1]).end
    return Span(end, end + 1)


def _without_clause(chunk: list[Token], place: int, recovery: _Recovery) -> list[Token] | None:
    """`chunk` without the clause that holds `place`; a bad header is replaced; None where nothing is left."""
    begin, depth = place, 0
    while begin > 0 and (depth or chunk[begin - 1].type not in ("SEP", "LBRACE")):
        begin -= 1
        depth += (chunk[begin].type == "RBRACE") - (chunk[begin].type == "LBRACE")
    end, depth = place, 0
    while end < len(chunk) and (depth or chunk[end].type not in ("SEP", "RBRACE")):
        depth += (chunk[end].type == "LBRACE") - (chunk[end].type == "RBRACE")
        end += 1
    recovery.lost.update(str(token) for token in chunk[begin:end])
    if begin > 0:
        return chunk[:begin] + chunk[end:] if end > begin else None
    brace = next((at for at, token in enumerate(chunk) if token.type == "LBRACE"), None)
    if brace is None or chunk[0].type not in KINDS:
        return None
    kinds = [token for token in chunk[:2] if token.type in KINDS]
    header = [*kinds, Token.new_borrow_pos("NAME", "?", chunk[0])]
    if [token.type for token in header] == [token.type for token in chunk[:brace]]:
        return None
    return header + chunk[brace:]
