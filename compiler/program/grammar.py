r"""Context-free grammars of a bounded depth: LL(1), with the predictive parser as their meaning.

The parser keeps a stack of symbols, at the beginning the start symbol alone. It looks at the topmost symbol and at the
next symbol of the word (behind the last one: at the end):

* a terminal on top is taken off if it is the next symbol, which is read with it;
* a nonterminal on top is replaced by the alternative that the next symbol predicts (`prediction`), its first symbol
  topmost; a terminal with which the alternative begins is not put there but read at once: it is the next symbol;
* anything else rejects the word: no alternative is predicted, a terminal is not the next symbol, or the stack is empty
  before the word has ended. If it is empty at the end, the word is accepted.

A stack of more than `depth` symbols ends the run: the word is neither accepted nor rejected, its outcome is
``overran``. On words whose stacks stay within the depth this is membership in the language of the grammar.

Every run ends. Between two symbols of the word an endless run would, within the depth, come back to a nonterminal A on
top of the same symbols, reading nothing. But A derives a word. If the next symbol begins a word of A, the steps of its
leftmost derivation are the predicted ones, since only one alternative is, and they come to that symbol; if it does not,
A was predicted to vanish, and likewise they derive the empty word from it.

>>> nested = Grammar("nested", ("(", ")"), "S", {"S": (("(", "S", ")"), ())}, depth=3)
>>> nested.run("(())").outcome, nested.run("(()").outcome, nested.run("((()))").outcome
('accepted', 'rejected', 'overran')
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from typing import NamedTuple

from compiler.errors import ProgramError
from compiler.program.prediction import END, Body, conflicts, deriving, predictions
from compiler.program.run import Example, Outcome, Run
from compiler.program.words import check_word, parse_word, spell, unspeakable


class Move(NamedTuple):
    """What the parser does with the topmost symbol: puts `pushed` in its place (first symbol topmost), and reads."""

    pushed: Body
    reads: bool


@dataclass(frozen=True)
class Grammar:
    """An LL(1) grammar whose parser's stack holds at most `depth` symbols.

    Attributes
    ----------
    alphabet
        The terminals.
    start
        The start symbol.
    rules
        The alternatives of each nonterminal, bodies of terminals and nonterminals; () is the empty word.
    depth
        The most symbols on the stack.

    Raises
    ------
    ProgramError
        At construction, with every violation: among them that two alternatives are predicted by one symbol.
    """

    name: str
    alphabet: tuple[str, ...]
    start: str
    rules: Mapping[str, tuple[Body, ...]]
    depth: int
    examples: tuple[Example, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        problems = self.violations()
        if problems:
            raise ProgramError(f"grammar {self.name}: " + "; ".join(problems))

    def violations(self) -> list[str]:
        """Everything that is wrong with this value; empty for a legal grammar."""
        found = unspeakable(self.name)
        if isinstance(self.depth, bool) or not isinstance(self.depth, Integral) or self.depth < 1:
            found.append(f"its depth is {self.depth!r}, expected a whole number of at least 1")
        if not self.alphabet or len(set(self.alphabet)) < len(self.alphabet) or "" in self.alphabet:
            found.append("its alphabet is empty, or a symbol is empty or declared twice")
        if both := [left for left in self.rules if left in self.alphabet or not left]:
            found.append(f"{both[0]!r} has a rule, but is empty or in the alphabet")
        if any(not isinstance(body, tuple) for bodies in self.rules.values() for body in bodies):
            return [*found, "an alternative is not a tuple of symbols"]
        if self.start not in self.rules:
            found.append(f"its start symbol {self.start!r} has no rule")
        known = {*self.alphabet, *self.rules}
        used = dict.fromkeys(symbol for bodies in self.rules.values() for body in bodies for symbol in body)
        found += [f"{symbol!r} is no symbol of the alphabet and has no rule" for symbol in used if symbol not in known]
        if found:
            return found
        derives = deriving(self.rules)
        found += [f"{left!r} derives no word" for left in self.rules if left not in derives]
        for left, first, second, symbol, _ in conflicts(self.alphabet, self.start, self.rules):
            both_rules = f"{self.rule_text(left, first)} and {self.rule_text(left, second)}"
            found.append(f"it is not LL(1): {both_rules} are both predicted by {ahead_text(symbol)}")
        return found

    @property
    def kind(self) -> str:
        """The keyword of the language: ``grammar``."""
        return "grammar"

    @cached_property
    def table(self) -> Mapping[tuple[str, str], Body]:
        """(nonterminal, next symbol or `END`) -> the alternative that is predicted."""
        found = predictions(self.alphabet, self.start, self.rules)
        return {(left, ahead): self.rules[left][place] for (left, ahead), (place,) in found.items()}

    def move(self, top: str, ahead: str) -> Move | None:
        """What is done with `top` topmost and `ahead` next (`END` at the end); None where the word is rejected."""
        if top not in self.rules:
            return Move((), True) if top == ahead else None
        body = self.table.get((top, ahead))
        if body and body[0] not in self.rules:
            return Move(body[1:], True)
        return None if body is None else Move(body, False)

    def verdict(self, ahead: str, stack: list[str]) -> Outcome | None:
        """How the run ends in a configuration: `stack` (topmost last), `ahead` next. None where it goes on."""
        if not stack:
            return "accepted" if ahead == END else "rejected"
        move = self.move(stack[-1], ahead)
        if move is None:
            return "rejected"
        return "overran" if len(stack) - 1 + len(move.pushed) > self.depth else None

    def after(self, stack: list[str], ahead: str) -> list[str] | None:
        """The stack once `ahead`, a symbol of the alphabet, was read; None where the run is decided before."""
        reads = False
        while not reads:
            if self.verdict(ahead, stack) is not None:
                return None
            move = self.move(stack[-1], ahead)
            assert move is not None
            stack = [*stack[:-1], *move.pushed[::-1]]
            reads = move.reads
        return stack

    def word(self, word: str | Iterable[str]) -> tuple[str, ...]:
        """`word` as symbols of the alphabet. Raises WordError."""
        return parse_word(word, self.alphabet) if isinstance(word, str) else check_word(word, self.alphabet)

    def configurations(self, word: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
        """The next symbol and the stack before each step, the deciding one last; the next step changes the list."""
        stack = [self.start]
        for ahead in (*self.word(word), END):
            reads = False
            while not reads:
                yield ahead, stack
                if self.verdict(ahead, stack) is not None:
                    return
                move = self.move(stack[-1], ahead)
                assert move is not None
                stack[-1:] = move.pushed[::-1]
                reads = move.reads

    def run(self, word: str | Iterable[str]) -> Run:
        """Parse `word`: the reference interpreter. Raises WordError."""
        symbols = self.word(word)
        outcome: Outcome | None = None
        for ahead, stack in self.configurations(symbols):
            outcome = self.verdict(ahead, stack)
        assert outcome is not None
        return Run(symbols, outcome, (), len(symbols))

    def rule_text(self, left: str, place: int) -> str:
        """One alternative as source text: ``S -> "(" S ")"``."""
        return f"{spell(left)} -> {body_text(self.rules[left][place])}"

    def __str__(self) -> str:
        from compiler.program.program_to_text import grammar_to_text

        return grammar_to_text(self)


def ahead_text(symbol: str) -> str:
    """The next symbol for people; the end of the word for `END`."""
    return "the end of the word" if symbol == END else spell(symbol)


def body_text(body: Iterable[str]) -> str:
    """The symbols of an alternative as source text; ``""`` for none."""
    return " ".join(map(spell, body)) or '""'
