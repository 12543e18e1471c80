"""Prediction: which alternative of a nonterminal an LL(1) parser takes, by the next symbol of the word.

For alternatives A -> alpha, FIRST(alpha) are the terminals with which words derived from alpha begin; A is *nullable*
if it derives the empty word; FOLLOW(A) are the terminals that may stand behind A. The alternative alpha is predicted
by the terminals of FIRST(alpha), and, where alpha is nullable, by those of FOLLOW(A). A grammar is LL(1) if no
terminal predicts two alternatives of one nonterminal. All sets are least fixed points, found by going round until
nothing is new. The end of the word counts as a terminal, `END`, that stands behind the start symbol.

Source: Aho, Lam, Sethi, Ullman, "Compilers", section 4.4.

>>> rules = {"S": (("(", "S", ")", "S"), ())}
>>> predictions(("(", ")"), "S", rules)
{('S', '('): (0,), ('S', ')'): (1,), ('S', ''): (1,)}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

END = ""
"""The end of the word, as a terminal; no symbol is empty."""

Body: TypeAlias = tuple[str, ...]
Rules: TypeAlias = Mapping[str, tuple[Body, ...]]
"""The alternatives of each nonterminal; what has none is a terminal."""


class Conflict(NamedTuple):
    """Two alternatives of `nonterminal` that `symbol` predicts both.

    Attributes
    ----------
    first, second
        Their places.
    begins
        Of each, whether a word that it derives begins with the symbol; else it can be empty, and the symbol follows.
    """

    nonterminal: str
    first: int
    second: int
    symbol: str
    begins: tuple[bool, bool]


def deriving(rules: Rules) -> frozenset[str]:
    """The nonterminals that derive some word."""
    found: set[str] = set()
    while fresh := {
        left
        for left, bodies in rules.items()
        if left not in found and any(all(x not in rules or x in found for x in body) for body in bodies)
    }:
        found |= fresh
    return frozenset(found)


def nullable(rules: Rules) -> frozenset[str]:
    """The nonterminals that derive the empty word."""
    found: set[str] = set()
    while fresh := {
        left for left, bodies in rules.items() if left not in found and any(found.issuperset(body) for body in bodies)
    }:
        found |= fresh
    return frozenset(found)


def firsts(rules: Rules) -> dict[str, set[str]]:
    """FIRST of every nonterminal."""
    empty = nullable(rules)
    found: dict[str, set[str]] = {left: set() for left in rules}
    grown = True
    while grown:
        grown = False
        for left, bodies in reversed(list(rules.items())):
            before = len(found[left])
            for body in bodies:
                found[left] |= first_of(body, found, empty)
            grown |= len(found[left]) > before
    return found


def first_of(body: Sequence[str], found: Mapping[str, set[str]], empty: frozenset[str]) -> set[str]:
    """FIRST of a sequence of symbols, from those of the nonterminals."""
    begins: set[str] = set()
    for symbol in body:
        begins |= found.get(symbol, {symbol})
        if symbol not in empty:
            break
    return begins


def follows(start: str, rules: Rules) -> dict[str, set[str]]:
    """FOLLOW of every nonterminal."""
    empty, begins = nullable(rules), firsts(rules)
    found: dict[str, set[str]] = {left: set() for left in rules}
    found[start].add(END)
    passed: set[tuple[str, str]] = set()
    for left, bodies in rules.items():
        for body in bodies:
            for place, symbol in enumerate(body):
                if symbol in rules:
                    found[symbol] |= first_of(body[place + 1 :], begins, empty)
                    if empty.issuperset(body[place + 1 :]):
                        passed.add((left, symbol))
    grown = True
    while grown:
        grown = False
        for left, symbol in passed:
            grown |= not found[symbol].issuperset(found[left])
            found[symbol] |= found[left]
    return found


def predictions(alphabet: Sequence[str], start: str, rules: Rules) -> dict[tuple[str, str], tuple[int, ...]]:
    """(nonterminal, terminal) -> the places of the alternatives that it predicts; only where there are any."""
    empty, begins, behind = nullable(rules), firsts(rules), follows(start, rules)
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    for left, bodies in rules.items():
        for place, body in enumerate(bodies):
            predicting = first_of(body, begins, empty) | (behind[left] if empty.issuperset(body) else set())
            for symbol in (*alphabet, END):
                if symbol in predicting:
                    found[left, symbol] = (*found.get((left, symbol), ()), place)
    return found


def conflicts(alphabet: Sequence[str], start: str, rules: Rules) -> Iterator[Conflict]:
    """What keeps the grammar from being LL(1): each pair of alternatives once, with the first such terminal."""
    empty, found = nullable(rules), firsts(rules)
    seen: set[tuple[str, int, int]] = set()
    for (left, symbol), places in predictions(alphabet, start, rules).items():
        for number, second in enumerate(places):
            for first in places[:number]:
                if (left, first, second) not in seen:
                    seen.add((left, first, second))
                    one, other = (symbol in first_of(rules[left][place], found, empty) for place in (first, second))
                    yield Conflict(left, first, second, symbol, (one, other))
