r"""Words: the one rule by which symbols are spelled in source text, on the command line and in Python.

A word is a list of items separated by commas. Where every symbol of the alphabet is one character, an item is
spelled out character by character; otherwise an item is one symbol. Quotes group, and ``""`` is the empty word.

>>> parse_word("0110", ("0", "1"))
('0', '1', '1', '0')
>>> parse_word("coin, push", ("coin", "push"))
('coin', 'push')
>>> parse_word('"(("', ("(", ")"))
('(', '(')
>>> parse_word('""', ("0", "1"))
()
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache

from compiler.errors import WordError

KEYWORDS = frozenset(
    """
    automaton memory machine universal use alphabet start accept reject halt state language example accepts
    rejects halts overruns gives emits else epsilon not keys values real write latest first sum store absent
    dimensions seed blank marks cells head steps left right stay states symbols always never
    grammar depth
    property import where
    """.split()
)
"""Every reserved word of the language; the last line is reserved for later."""

_PLAIN = re.compile(r"\w+")
_ITEM = re.compile(
    r"""\s*(?:"(?P<quoted>(?:\\["\\]|\\u\{[0-9a-fA-F]{1,6}\}|[^"\\])*)"|(?P<plain>[^",]*?))\s*(?P<end>,|\Z)"""
)
_SIDE = re.compile(_ITEM.pattern.replace('[^",]', '[^",=]').replace("(?P<end>,", "(?P<end>[,=]"))
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|([\"\\]))")


@lru_cache(maxsize=2**16)
def spell(symbol: str) -> str:
    r"""`symbol` as source text: bare where it is a name or a number, quoted otherwise.

    Characters that source text cannot hold, or that it would compose (NFC), are escaped by their number.

    >>> spell("coin"), spell("("), spell("left"), spell("\n")
    ('coin', '"("', '"left"', '"\\u{a}"')
    """
    composed = unicodedata.is_normalized("NFC", symbol)
    if composed and _PLAIN.fullmatch(symbol) and symbol not in KEYWORDS:
        return symbol
    return '"' + "".join(_escaped(character, composed) for character in symbol) + '"'


def _escaped(character: str, composed: bool) -> str:
    if character in '"\\':
        return "\\" + character
    held = composed or character.isascii()
    return character if held and unicodedata.category(character) not in ("Cc", "Cs") else f"\\u{{{ord(character):x}}}"


def unquote(inside: str) -> str:
    """The symbol that stands between two quotes: undoes the escapes of `spell`."""
    return _ESCAPE.sub(lambda match: match[2] or _character(match[1], match[0]), inside)


def _character(number: str, otherwise: str) -> str:
    return chr(int(number, 16)) if int(number, 16) <= 0x10FFFF else otherwise


def spell_word(symbols: Sequence[str], alphabet: Iterable[str]) -> str:
    """`symbols` as source text that `parse_word` reads back over the same alphabet."""
    if not symbols:
        return '""'
    if single_characters(alphabet):
        return spell("".join(symbols))
    return ", ".join(spell(symbol) for symbol in symbols)


def single_characters(alphabet: Iterable[str]) -> bool:
    """Whether every symbol is one character, so that items are spelled out."""
    return all(len(symbol) == 1 for symbol in alphabet)


def expand(items: Iterable[str], alphabet: Sequence[str]) -> tuple[str, ...]:
    """The symbols that `items` stand for over `alphabet`, whether or not they belong to it."""
    listed = tuple(items)
    if single_characters(alphabet):
        return tuple(character for item in listed for character in item)
    return () if listed == ("",) else listed


def check_word(word: Iterable[str], alphabet: Sequence[str]) -> tuple[str, ...]:
    """`word` as a tuple. Raises WordError for the first symbol that is not in `alphabet`."""
    symbols = tuple(word)
    known = frozenset(alphabet)
    for place, symbol in enumerate(symbols):
        if not isinstance(symbol, str):
            raise WordError(f"symbol {symbol!r} at position {place} is a {type(symbol).__name__}; symbols are texts")
        if symbol not in known:
            raise WordError(unknown_symbol(symbol, place, alphabet))
    return symbols


def unspeakable(name: object) -> list[str]:
    """What keeps `name` from being the name of a program: the language spells every text but the empty one."""
    return [] if isinstance(name, str) and name else [f"its name is {name!r}, expected a text that is not empty"]


def unknown_symbol(
    symbol: str, place: int, alphabet: Sequence[str], *, what: str = "symbol", among: str = "in the alphabet"
) -> str:
    """The message for a symbol outside the alphabet: its value, its place, what is known, the nearest."""
    known = ", ".join(spell(each) for each in alphabet[:12]) + (", ..." if len(alphabet) > 12 else "")
    message = f"{what} {shorten(spell(symbol))} at position {place} is not {among} ({known})"
    if any(part in alphabet for part in symbol.split()) and len(symbol.split()) > 1:
        return f"{message}; separate symbols by commas"
    near = nearest(symbol, alphabet)
    return f"{message}; did you mean {spell(near)}?" if near else message


def parse_items(text: str) -> tuple[str, ...]:
    """The comma-separated items of `text`, unquoted. Raises WordError for what is no list of items."""
    return tuple(item for item, _ in _parts(text, _ITEM))


def parse_requests(text: str) -> tuple[tuple[str, ...], ...]:
    """The comma-separated items of `text`, each split at ``=``. Raises WordError as `parse_items` does.

    >>> parse_requests('france = paris, "a=b"')
    (('france', 'paris'), ('a=b',))
    """
    items: list[list[str]] = [[]]
    for side, end in _parts(text, _SIDE):
        items[-1].append(side)
        if end == ",":
            items.append([])
    return tuple(map(tuple, items))


def _parts(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """The parts of `text`, unquoted, each with the separator behind it."""
    text = unicodedata.normalize("NFC", text)
    place = 0
    while True:
        match = pattern.match(text, place)
        if match is None:
            raise WordError(
                f"cannot read {shorten(text[place:])!r} in the word {shorten(text)!r}: expected items separated by "
                'commas, each one in quotes (with \\" and \\\\ inside) or none'
            )
        quoted = match["quoted"]
        yield match["plain"] if quoted is None else unquote(quoted), match["end"]
        place = match.end()
        if not match["end"]:
            return


def parse_word(text: str, alphabet: Sequence[str]) -> tuple[str, ...]:
    """The word that `text` spells over `alphabet`.

    Raises
    ------
    WordError
        For a symbol that is not in the alphabet (with its position) and for a quote out of place.
    """
    items = parse_items(text)
    if "" in items and len(items) > 1:
        place = items.index("") + 1
        raise WordError(
            f"item {place} of the word {shorten(text)!r} is empty; a comma that is a symbol stands in quotes"
        )
    return check_word(expand(items, alphabet), alphabet)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt `name` most likely meant, if one is near."""
    if len(name) > 100:
        return None
    found = get_close_matches(name, list(known)[:500], n=1, cutoff=0.6)
    return found[0] if found else None


def shorten(text: str, length: int = 60) -> str:
    """`text` on one line of at most `length` characters, for messages."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 3] + "..."
