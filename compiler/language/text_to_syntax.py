"""Tokens to syntax, with every mistake found: a clause that does not parse is reported, cut out, and parsing goes on.

Braces come first, since one that is missing or too many would make nonsense of all that follows: headers without
their `{` get one, and what is left open is closed where the next clause of the level above begins. The words of the
clauses that were cut are kept, so that later passes do not complain of names that were lost with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from lark import Token, Tree, UnexpectedToken

from compiler.language.diagnostics import Diagnostic, Source, Span
from compiler.language.expectations import explain
from compiler.language.syntax import FileSyntax, ProgramSyntax, Use
from compiler.language.text_to_tokens import MAX_NESTING, parser, span_of, tokens, too_deep
from compiler.language.tree_to_syntax import program_to_syntax, use_to_syntax
from compiler.program.words import unquote

KINDS = frozenset({"AUTOMATON", "MEMORY", "MACHINE", "GRAMMAR", "UNIVERSAL"})
CLAUSES = frozenset("STATE START ACCEPT ALPHABET EXAMPLE LANGUAGE ALWAYS NEVER BLANK MARKS CELLS HEAD DEPTH".split())
"""What begins a clause of a program and never a rule of a state."""
OPENING = frozenset({"SEP", "LBRACE", "RBRACE"})
"""Behind these, and only there, a clause or a program begins."""
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
    """The words that were cut out since the present program began."""
    all_lost: set[str] = field(default_factory=set)
    lines: set[int] = field(default_factory=set)
    """Lines with a mistake in their braces: another mistake there is most likely a consequence."""

    @property
    def full(self) -> bool:
        return len(self.diagnostics) >= MAX_MISTAKES

    def report(self, span: Span, message: str, help: str | None = None, *, braces: bool = False) -> None:
        line, _ = self.source.position(span.start)
        if line in self.lines or self.full:
            return
        if braces:
            self.lines.add(line)
        if len(self.diagnostics) == MAX_MISTAKES - 1:
            help = f"after {MAX_MISTAKES} mistakes the rest of the file is not read"
        self.diagnostics.append(Diagnostic(self.source, span, message, help))

    def breaks(self, first: Token, second: Token) -> bool:
        """Whether a line ends between two tokens."""
        return "\n" in self.source.text[span_of(first).end : span_of(second).start]

    def indent(self, token: Token) -> int:
        """How far the line of `token` is indented, for the first token of a line; else a lot."""
        line, column = self.source.position(span_of(token).start)
        return column if not self.source.line(line)[: column - 1].strip() else len(self.source.text)

    def lose(self, cut: Iterable[Token]) -> None:
        words = {unquote(token[1:-1]) if token.type == "STRING" else str(token) for token in cut}
        self.lost |= words
        self.all_lost |= words


def parse(source: Source) -> Parsed:
    """Parse `source`; mistakes are in the result."""
    recovery = _Recovery(source)
    items: list[Use | ProgramSyntax] = []
    for chunk in _chunks(_with_braces(tokens(source), recovery), recovery):
        if recovery.full:
            recovery.lose(chunk)
            continue
        before = len(recovery.diagnostics)
        recovery.lost = set()
        if chunk[0].type == "USE":
            if (tree := _parse_chunk(chunk, "use", recovery)) is not None:
                items.append(use_to_syntax(tree))
        elif (tree := _parse_chunk(_closed(chunk, recovery), "program", recovery)) is not None:
            broken = len(recovery.diagnostics) > before
            items.append(replace(program_to_syntax(tree), lost=frozenset(recovery.lost), broken=broken))
    found = sorted(recovery.diagnostics, key=lambda each: each.span.start)
    return Parsed(source, FileSyntax(tuple(items)), tuple(found), frozenset(recovery.all_lost))


def _starts_item(stream: Sequence[Token], place: int) -> bool:
    """Whether an import or a program begins here: not so where a reserved word stands in place of a symbol."""
    if stream[place].type not in (*KINDS, "USE") or (place and stream[place - 1].type not in OPENING):
        return False
    return place + 1 < len(stream) and stream[place + 1].type not in ("ARROW", "COMMA", "SEP", "RBRACE", "EQUAL")


def _with_braces(stream: list[Token], recovery: _Recovery) -> list[Token]:
    """`stream` with a `{` behind each header that has none before its line ends."""
    mended: list[Token] = []
    due: int | None = None
    for place, token in enumerate(stream):
        if due is not None and place >= due:
            mended += [_made("SEP", "}", mended[-1]), _made("RBRACE", "}", mended[-1]), _made("SEP", "\n", mended[-1])]
            due = None
        mended.append(token)
        if _lacks_block(stream, place):
            message, help = explain(stream[place + 1], {"LBRACE"})
            recovery.report(span_of(stream[place + 1]), message, help, braces=True)
            mended.append(_made("LBRACE", "{", token))
            continue
        is_item = place > 0 and _kind_ends(stream, place - 1)
        if not is_item and not (place > 0 and stream[place - 1].type == "STATE"):
            continue
        if token.type not in ("NAME", "NUMBER", "STRING"):
            continue
        if not is_item and [each.type for each in stream[place + 1 : place + 3]] == ["EMITS", "NAME"]:
            continue
        end = _end_of_line(stream, place + 1)
        if end < len(stream) and stream[end].type == "LBRACE":
            continue
        body_end = _body_end(stream, end, state=not is_item)
        if body_end is not None and all(each.type == "SEP" for each in stream[place + 1 : body_end]):
            continue
        found = stream[place + 1] if place + 1 < len(stream) else _made("$END", "", token)
        message, help = explain(found, {"LBRACE"})
        recovery.report(_visible(stream, place + 1, recovery.source), message, help, braces=True)
        if found.type in ("LPAR", "STRANGE"):
            stream[place + 1] = _made("SEP", "\n", found)
        mended.append(_made("LBRACE", "{", token))
        due = body_end
    if due is not None:
        mended += [_made("SEP", "}", mended[-1]), _made("RBRACE", "}", mended[-1])]
    return _without_repeats(mended)


def _lacks_block(stream: Sequence[Token], place: int) -> bool:
    """Whether the token names a property, and states follow it without a `{` between."""
    around = [token.type for token in stream[place - 1 : place + 2]] if place else []
    named = around[1:2] in (["NAME"], ["STRING"])
    return named and around[0] in ("ALWAYS", "NEVER") and around[2:] in (["STATE"], ["START"], ["ACCEPT"], ["REJECT"])


def _kind_ends(stream: Sequence[Token], place: int) -> bool:
    """Whether the token is the keyword of an item, right before its name."""
    if stream[place].type not in KINDS or stream[place].type == "UNIVERSAL":
        return False
    return _starts_item(stream, place - 1 if place and stream[place - 1].type == "UNIVERSAL" else place)


def _end_of_line(stream: Sequence[Token], place: int) -> int:
    """The place of the next `{`, or of what ends the line without one."""
    while place < len(stream) and stream[place].type not in ("SEP", "RBRACE", "LBRACE"):
        place += 1
    return place


def _body_end(stream: Sequence[Token], end: int, *, state: bool) -> int | None:
    """Where to close a body that was never opened; None where the text closes it."""
    depth = 0
    has_rules = False
    for place in range(end, len(stream)):
        kind = stream[place].type
        if _starts_item(stream, place) or (state and kind in CLAUSES and stream[place - 1].type in OPENING):
            return place
        if kind == "RBRACE" and depth == 0:
            return None if has_rules or not state or stream[end - 1].type not in ("NAME", "NUMBER", "STRING") else place
        depth += (kind == "LBRACE") - (kind == "RBRACE")
        has_rules |= kind == "ARROW"
    return len(stream)


def _made(kind: str, text: str, near: Token) -> Token:
    return Token.new_borrow_pos(kind, text, near)


def _without_repeats(stream: list[Token]) -> list[Token]:
    """One SEP where several meet, none behind `{`."""
    kept: list[Token] = []
    for token in stream:
        if token.type != "SEP" or not kept or kept[-1].type not in ("SEP", "LBRACE"):
            kept.append(token)
    return kept


def _chunks(stream: list[Token], recovery: _Recovery) -> Iterable[list[Token]]:
    """The imports and programs of a file as token lists; what stands between them is reported."""
    place = 0
    closed: Token | None = None
    while place < len(stream):
        if stream[place].type == "SEP":
            place += 1
            continue
        end = place + 1
        if stream[place].type in KINDS:
            end = _program_end(stream, place)
            closed = stream[end - 1] if stream[end - 1].type == "RBRACE" else None
            yield stream[place:end]
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
            recovery.lose(stream[place:end])
            recovery.report(span_of(stream[place]), *_stray(stream[place], closed, recovery.source), braces=True)
        place = end


def _stray(token: Token, closed: Token | None, source: Source) -> tuple[str, str | None]:
    if token.type == "RBRACE":
        return "this `}` closes nothing", "remove it, or add the `{` that it should close"
    message, help = explain(token, {*KINDS, "USE"})
    if token.type in CLAUSES and closed is not None:
        line, _ = source.position(span_of(closed).start)
        return message, f"the program before it ends with the `}}` on line {line}; is that one too many?"
    return message, help or "a file holds programs: `automaton name { ... }`, and imports: `use library::name`"


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
    """`chunk` with the braces that it leaves open closed and reported: a state's where the next clause begins."""
    missing = sum((token.type == "LBRACE") - (token.type == "RBRACE") for token in chunk)
    if missing <= 0:
        return chunk
    closed: list[Token] = []
    open_braces: list[int] = []

    def close(near: Token) -> None:
        span = span_of(chunk[open_braces.pop()])
        recovery.report(span, "this `{` is never closed", "add the `}` that closes it", braces=True)
        closed.extend([_made("SEP", "}", near), _made("RBRACE", "}", near)])

    for place, token in enumerate(chunk):
        begins = token.type in CLAUSES and chunk[place - 1].type in OPENING
        outdented = token.type == "RBRACE" and recovery.indent(token) <= recovery.indent(chunk[0])
        while (
            missing and (begins or outdented) and len(open_braces) > 1 and not _goes_on(chunk, open_braces[-1], token)
        ):
            close(chunk[place - 1])
            closed.append(_made("SEP", "\n", chunk[place - 1]))
            missing -= 1
        if token.type == "LBRACE":
            open_braces.append(place)
        elif token.type == "RBRACE" and open_braces:
            open_braces.pop()
        closed.append(token)
    while open_braces:
        close(chunk[-1])
    while closed[-1].type == "SEP":
        closed.pop()
    return _without_repeats(closed)


def _goes_on(chunk: Sequence[Token], brace: int, token: Token) -> bool:
    """Whether the brace is that of a property's states and the token begins one of them."""
    return token.type in ("STATE", "START", "ACCEPT") and chunk[brace - 2].type in ("ALWAYS", "NEVER")


def _parse_chunk(chunk: list[Token], start: str, recovery: _Recovery) -> Tree[Token] | None:
    while not recovery.full:
        if (deep := too_deep(chunk)) is not None:
            place = deep
            message = f"brackets nest deeper than {MAX_NESTING}"
            help: str | None = "name the inner parts as programs of their own"
            recovery.report(span_of(chunk[place]), message, help)
        else:
            interactive = parser().parse_interactive(start=start)
            place = 0
            try:
                for place, token in enumerate(chunk):  # noqa: B007 - the place of the mistake is used below
                    interactive.feed_token(token)
                place = len(chunk)
                tree: Tree[Token] = interactive.feed_eof(chunk[-1])  # type: ignore[no-untyped-call]
            except UnexpectedToken:
                token = chunk[place] if place < len(chunk) else _made("$END", "", chunk[-1])
                before, after = (chunk[at].type if 0 <= at < len(chunk) else "" for at in (place - 1, place + 1))
                wraps = 0 < place < len(chunk) and recovery.breaks(chunk[place - 1], token)
                accepted = interactive.accepts()  # type: ignore[no-untyped-call]
                message, help = explain(token, accepted, before=before, after=after, wraps=wraps)
                recovery.report(_visible(chunk, place, recovery.source), message, help)
            else:
                return tree
        shorter = _without_clause(chunk, min(place, len(chunk) - 1), recovery)
        if shorter is None:
            return None
        chunk = shorter
    return None


def _visible(chunk: Sequence[Token], place: int, source: Source) -> Span:
    """Where to point: at the token, or just behind the last one where the clause ended too early."""
    if place < len(chunk) and chunk[place].type != "SEP":
        return span_of(chunk[place])
    end = span_of(chunk[place - 1]).end
    return Span(end, min(end + 1, len(source.text)))


def _without_clause(chunk: list[Token], place: int, recovery: _Recovery) -> list[Token] | None:
    """`chunk` without the clause that holds `place`; a bad header is replaced; None where nothing is left."""
    begin, depth = place, 0
    while begin > 0 and (depth or chunk[begin - 1].type not in ("SEP", "LBRACE")):
        begin -= 1
        depth += (chunk[begin].type == "RBRACE") - (chunk[begin].type == "LBRACE")
    if begin == 0:
        return _with_header(chunk, recovery)
    end, depth = place, 0
    while end < len(chunk) and (depth or chunk[end].type not in ("SEP", "RBRACE")):
        depth += (chunk[end].type == "LBRACE") - (chunk[end].type == "RBRACE")
        end += 1
    if header := _state_header(chunk, begin, place, end):
        brace = next(at for at in range(place, end) if chunk[at].type == "LBRACE")
        recovery.lose(chunk[begin:brace])
        return chunk[:begin] + header + chunk[brace:]
    recovery.lose(chunk[begin:end])
    return chunk[:begin] + chunk[end:] if end > begin else None


def _state_header(chunk: list[Token], begin: int, place: int, end: int) -> list[Token]:
    """The header of a state with what is known of it kept, where the mistake is in the header; else nothing."""
    brace = next((at for at in range(begin, end) if chunk[at].type == "LBRACE"), begin)
    header = chunk[begin:brace]
    kinds = [token.type for token in header]
    at = kinds.index("STATE") + 1 if "STATE" in kinds else len(kinds)
    if place >= brace or at >= len(header) or not header[at].isidentifier():
        return []
    emits = [_made("EMITS", "emits", header[at]), header[kinds.index("EMITS") + 1]] if "EMITS" in kinds[:-1] else []
    if emits and emits[1].type not in ("NAME", "NUMBER", "STRING"):
        return []
    marks = [token for token in header[:at] if token.type in ("START", "ACCEPT")]
    made = [*marks, header[at - 1], _made("NAME", str(header[at]), header[at]), *emits]
    return made if [token.type for token in made] != kinds else []


def _with_header(chunk: list[Token], recovery: _Recovery) -> list[Token] | None:
    """`chunk` with its kind and the first name in its header for a header, if that mends it."""
    brace = next((at for at, token in enumerate(chunk) if token.type == "LBRACE"), len(chunk))
    recovery.lose(chunk[:brace])
    kinds = [token for token in chunk[:2] if token.type in KINDS]
    names = [token for token in chunk[:brace] if token.type in ("NAME", "STRING")]
    header = [*kinds, names[0] if names else _made("NAME", ProgramSyntax.NAMELESS, chunk[0])]
    mended = [token.type for token in header] != [token.type for token in chunk[:brace]]
    is_kind = [token.type == "UNIVERSAL" for token in kinds] in ([False], [True, False])
    return header + chunk[brace:] if brace < len(chunk) and is_kind and mended else None
