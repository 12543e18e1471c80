r"""Regular expressions to automata, by Glushkov's positions.

Syntax: symbols, ``|``, ``*``, ``+``, ``?``, ``{m}``, ``{m,}``, ``{m,n}``, groups ``( )``, classes ``[ab]``, ``[^ab]``,
``.`` for any symbol, and ``""`` for the empty word. Where every symbol of the alphabet is one character, symbols are
written side by side (``ab*``); otherwise they are names separated by blanks (``coin push*``). Quotes (``"(" ")"``) or a
backslash (``\(``) make a symbol of what would be an operator.

The automaton of positions (Glushkov 1961): a configuration is the set of occurrences of symbols that may have been read
last; occurrence j may follow i where the expression allows the pair. No epsilon moves arise.

>>> from_regex("(ab)*", ("a", "b")).run("abab").outcome
'accepted'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from compiler.errors import WordError
from compiler.program.automaton import Automaton
from compiler.program.minimise import minimise
from compiler.program.words import nearest, shorten, single_characters, spell, unquote

MAX_NESTING = 60
MAX_POSITIONS = 5_000
MAX_PAIRS = 1_000_000
"""How many pairs of occurrences may follow each other."""

_TOKEN = re.compile(
    r"""\s*(?:"(?P<quoted>(?:\\["\\]|\\u\{[0-9a-fA-F]{1,6}\}|[^"\\])*)"|\\(?P<escaped>.)|\{(?P<least>\d{1,4})(?P<range>,(?P<most>\d{1,4})?)?\}
    |(?P<operator>[|*+?().\[\]^])|(?P<name>\w+)|(?P<other>\S))""",
    re.VERBOSE,
)


class RegexError(WordError):
    """A mistake in a regular expression, at the offset `place` (of `length` characters) of its text."""

    def __init__(self, message: str, place: int, length: int = 1) -> None:
        super().__init__(message)
        self.place = place
        self.length = length


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    symbols: tuple[str, ...]
    place: int
    least: int = 0
    most: int | None = 0

    @property
    def text(self) -> str:
        return "".join(self.symbols)


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the expression: whether it has the empty word, where it may begin and where it may end."""

    nullable: bool
    first: frozenset[int]
    last: frozenset[int]


_EMPTY = _Part(True, frozenset(), frozenset())
_NOTHING = _Part(False, frozenset(), frozenset())


def from_regex(text: str, alphabet: Sequence[str], *, name: str = "language") -> Automaton:
    """The minimal automaton of the regular expression `text` over `alphabet`.

    Raises
    ------
    RegexError
        With the place of the mistake.
    TooLargeError
        When the automaton passes `algebra.LIMIT` states.
    """
    from compiler.program.algebra import explored

    parser = _Parser(text, tuple(alphabet))
    whole = parser.alternatives(0)
    parser.expect_end()
    follow = [*parser.follow, whole.first]
    symbols = parser.positions

    def step(here: frozenset[int], symbol: str) -> frozenset[int] | None:
        reached = frozenset[int]().union(*(follow[before] for before in here))
        return frozenset(p for p in reached if symbol in symbols[p]) or None

    def accepts(here: frozenset[int]) -> bool:
        return bool(here & whole.last) or (whole.nullable and -1 in here)

    small = minimise(explored(tuple(alphabet), frozenset({-1}), step, accepts, name=name))
    return small.renamed({state: f"q{number}" for number, state in enumerate(small.reachable())})


def _tokens(text: str, alphabet: Sequence[str]) -> list[_Token]:
    spelled = single_characters(alphabet)
    found: list[_Token] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None or match["other"]:
            at = place if match is None else match.start("other")
            raise RegexError(f"`{text[at]}` has no meaning in a regular expression{_hint(text[at], alphabet)}", at)
        start = match.end() - len(match[0].lstrip())
        if match["least"] is not None:
            least = int(match["least"])
            most = least if match["range"] is None else int(match["most"]) if match["most"] else None
            found.append(_Token("repeat", (match[0].strip(),), start, least, most))
        elif match["operator"]:
            found.append(_Token("operator", (match["operator"],), start))
        else:
            quoted = match["quoted"]
            inside = unquote(quoted) if quoted is not None else match["escaped"] or match["name"]
            if spelled and quoted is None:
                found += [_Token("symbols", (each,), start + n) for n, each in enumerate(inside)]
            else:
                found.append(_Token("symbols", tuple(inside) if spelled else (inside,) * bool(inside), start))
        place = match.end()
    return found


def _hint(character: str, alphabet: Sequence[str]) -> str:
    if character == '"':
        return ": a quote that is not closed, or an escape in it that does not exist"
    if character in alphabet:
        return f'; as a symbol it is quoted: "{character}"'
    hints = {"{": "a repetition is written {2}, {2,} or {2,5}", "-": "the symbols of a class are written one by one"}
    return f"; {hints[character]}" if character in hints else ""


class _Parser:
    """Recursive descent over the tokens; its depth is bounded by `MAX_NESTING`."""

    def __init__(self, text: str, alphabet: tuple[str, ...]) -> None:
        self.text = text
        self.alphabet = alphabet
        self.tokens = _tokens(text, alphabet)
        self.at = 0
        self.positions: list[frozenset[str]] = []
        self.follow: list[set[int]] = []
        self.pairs = 0

    def peek(self, *operators: str) -> bool:
        here = self.tokens[self.at] if self.at < len(self.tokens) else None
        return here is not None and here.kind == "operator" and here.text in operators

    def fail(self, expected: str) -> RegexError:
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            return RegexError(
                f"found `{shorten(token.text)}`, expected {expected}", token.place, max(1, len(token.text))
            )
        return RegexError(f"the expression ends, expected {expected}", max(0, len(self.text.rstrip()) - 1))

    def expect_end(self) -> None:
        if self.at < len(self.tokens):
            raise self.fail("a symbol, an operator or the end")

    def alternatives(self, depth: int) -> _Part:
        if depth > MAX_NESTING:
            raise RegexError(f"groups nest deeper than {MAX_NESTING}", self.tokens[self.at - 1].place)
        whole = self.sequence(depth)
        while self.peek("|"):
            self.at += 1
            whole = _either(whole, self.sequence(depth))
        return whole

    def sequence(self, depth: int) -> _Part:
        if self.at >= len(self.tokens) or self.peek("|", ")"):
            raise self.fail('a symbol or a group (the empty word is "")')
        whole = _EMPTY
        while self.at < len(self.tokens) and not self.peek("|", ")"):
            whole = self.then(whole, self.repeated(depth))
        return whole

    def repeated(self, depth: int) -> _Part:
        known = len(self.positions)
        part = self.atom(depth)
        while self.at < len(self.tokens) and (self.peek("*", "+", "?") or self.tokens[self.at].kind == "repeat"):
            token = self.tokens[self.at]
            self.at += 1
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(token.text, (token.least, token.most))
            if most is not None and most < least:
                raise RegexError(
                    f"{token.text} asks for at least {least} and at most {most}", token.place, len(token.text)
                )
            part = self.copies(part, known, least, most, token)
        return part

    def copies(self, part: _Part, known: int, least: int, most: int | None, token: _Token) -> _Part:
        """`part` repeated: fresh positions for each copy but the first."""
        size = len(self.positions) - known
        count = max(1, least if most is None else most)
        if known + size * count > MAX_POSITIONS:
            raise RegexError(
                f"the repetition unrolls to more than {MAX_POSITIONS:,} symbols", token.place, len(token.text)
            )
        pairs = [{after - known for after in self.follow[known + place]} for place in range(size)]
        if self.pairs + sum(map(len, pairs)) * (count - 1) > MAX_PAIRS:
            raise self.too_many_pairs(token)
        for number in range(1, count):
            self.positions += self.positions[known : known + size]
            self.follow += [{after + known + number * size for after in afters} for afters in pairs]
            self.pairs += sum(map(len, pairs))
        copies = [_shifted(part, number * size) for number in range(count)]
        if most is None:
            self.link(copies[-1], copies[-1])
        whole = _EMPTY
        optional = max(0, (count if most is None else most) - least)
        for copy in reversed(copies[count - optional :] if optional else []):
            whole = _optional(self.then(copy, whole))
        for copy in reversed(copies[: count - optional] if most != 0 else []):
            whole = self.then(copy, whole)
        return whole

    def then(self, a: _Part, b: _Part) -> _Part:
        """`a`, then `b`."""
        self.link(a, b)
        return _Part(
            a.nullable and b.nullable,
            a.first | b.first if a.nullable else a.first,
            a.last | b.last if b.nullable else b.last,
        )

    def link(self, a: _Part, b: _Part) -> None:
        """Let what begins `b` follow what ends `a`."""
        if b.first:
            self.pairs += len(a.last) * len(b.first)
            if self.pairs > MAX_PAIRS:
                raise self.too_many_pairs(self.tokens[self.at - 1])
            for end in a.last:
                self.follow[end] |= b.first

    def too_many_pairs(self, token: _Token) -> RegexError:
        return RegexError(
            "the expression has too many choices: more than a million pairs of symbols may follow each other",
            token.place,
            max(1, len(token.text)),
        )

    def atom(self, depth: int) -> _Part:
        if self.peek("("):
            self.at += 1
            inside = self.alternatives(depth + 1)
            if not self.peek(")"):
                raise self.fail("`)`")
            self.at += 1
            return inside
        if self.peek("."):
            self.at += 1
            return self.position(frozenset(self.alphabet))
        if self.peek("["):
            return self.position(self.symbol_class())
        whole = _EMPTY
        for symbol in self.symbols("a symbol or a group"):
            whole = self.then(whole, self.position(frozenset({symbol})))
        return whole

    def symbol_class(self) -> frozenset[str]:
        self.at += 1
        negated = self.peek("^")
        self.at += negated
        members: set[str] = set()
        while not self.peek("]"):
            members.update(self.symbols("a symbol or `]`"))
        self.at += 1
        return frozenset(self.alphabet) - members if negated else frozenset(members)

    def symbols(self, expected: str) -> tuple[str, ...]:
        """The symbols of one item: several where a quoted item is spelled out, none for the empty word."""
        if self.at >= len(self.tokens) or self.tokens[self.at].kind != "symbols":
            raise self.fail(expected)
        token = self.tokens[self.at]
        for symbol in token.symbols:
            if symbol not in self.alphabet:
                near = nearest(symbol, self.alphabet)
                hint = f"; did you mean {spell(near)}?" if near else ""
                message = f"symbol {shorten(spell(symbol))} is not in the alphabet{hint}"
                raise RegexError(message, token.place, len(token.text))
        self.at += 1
        return token.symbols

    def position(self, symbols: frozenset[str]) -> _Part:
        if not symbols:
            return _NOTHING
        number = len(self.positions)
        if number == MAX_POSITIONS:
            raise RegexError(f"the expression has more than {MAX_POSITIONS:,} symbols", self.tokens[self.at - 1].place)
        self.positions.append(symbols)
        self.follow.append(set())
        return _Part(False, frozenset({number}), frozenset({number}))


def _either(a: _Part, b: _Part) -> _Part:
    return _Part(a.nullable or b.nullable, a.first | b.first, a.last | b.last)


def _optional(a: _Part) -> _Part:
    return _Part(True, a.first, a.last)


def _shifted(a: _Part, by: int) -> _Part:
    return _Part(a.nullable, frozenset(i + by for i in a.first), frozenset(i + by for i in a.last))
