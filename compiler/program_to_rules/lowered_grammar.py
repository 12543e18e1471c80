"""A grammar as a layer: its coordinates and tokens by name, and its runs; `grammar` is the construction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from numpy.typing import NDArray

from compiler.program.grammar import Grammar, body_text
from compiler.program.prediction import END
from compiler.program.run import Outcome
from compiler.program.words import spell
from compiler.program_to_rules.grammar_places import Place
from compiler.program_to_rules.lowering import Lowering, Recall, Turn
from compiler.program_to_rules.machine import OUTCOMES

START, REG, EMPTY, FAILED, POPPED, FULL = "start", "reg", "empty", "failed", "popped", "full"
STAYS: dict[str, str] = {"failed": "stays rejected", "full": "stays overran"}
"""The tokens that answer every symbol once a word is rejected, or the stack was too high."""


def top(place: Place) -> str:
    """The coordinate of a stack by its height and its topmost symbol."""
    return f"top[{place[0]},{spell(place[1])}]"


def cell(place: Place) -> str:
    """The coordinate of a symbol below the top, by its height."""
    return f"cell[{place[0]},{spell(place[1])}]"


def fetch(p: int) -> str:
    """The coordinate that asks for what stands at height p."""
    return f"fetch[{p}]"


def look(ahead: str) -> str:
    """The coordinate of the next symbol."""
    return "end" if ahead == END else f"look[{spell(ahead)}]"


def letter(ahead: str) -> str:
    """The token of a symbol of the word, or of its end."""
    return "end of input" if ahead == END else spell(ahead)


def before(name: str, ahead: str | None) -> str:
    """The name of an answer after which `ahead` has still to be read."""
    return name if ahead is None else f"{name} before {letter(ahead)}"


def fetched(place: Place, ahead: str | None) -> str:
    """The name of the answer that puts what stands at `place` on top."""
    return before(f"{spell(place[1])}@{place[0]} on top", ahead)


@dataclass(frozen=True, slots=True)
class LoweredGrammar(Lowering):
    """A grammar as a layer.

    Attributes
    ----------
    tops, cells
        The symbols that can be topmost at each height, and those that can stand there below the top.
    answers
        (value of the top register, next symbol or `END`) -> the token that answers; a value is a place, or one of
        empty, failed and full.
    """

    program: Grammar
    tops: tuple[Place, ...]
    cells: tuple[Place, ...]
    answers: Mapping[tuple[Place | str, str], str]

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`."""
        return self.program.word(word)

    def items(self) -> Sequence[Any]:
        """The terminals."""
        return self.program.alphabet

    @property
    def speaks(self) -> bool:
        """A grammar has no output."""
        return False

    def inputs(self, word: Sequence[str]) -> list[str]:
        """The start token, a token a symbol, the end."""
        return [START, *map(letter, word), letter(END)]

    def dialogue(self, word: Sequence[str], limit: int | None = None) -> Iterator[Turn]:
        """Start, then each symbol and its answers."""
        return islice(self._turns(word), limit)

    def _turns(self, word: Sequence[str]) -> Iterator[Turn]:
        yield START, None
        last, read, value = letter((*word, END)[0]), 0, FAILED
        for ahead, stack in self.program.configurations(word):
            here = (len(stack), stack[-1]) if stack else EMPTY
            yield last, (answer := self.answers[here, ahead])
            last = answer
            ended = self.program.verdict(ahead, stack)
            move = self.program.move(stack[-1], ahead) if stack and ended is None else None
            if move is None:
                value = FULL if ended == "overran" else FAILED
                break
            if not move.pushed and len(stack) > 1:
                yield last, (answer := fetched((len(stack) - 1, stack[-2]), None if move.reads else ahead))
                last = answer
            if move.reads:
                yield last, None
                read += 1
                last = letter((*word, END)[read])
        yield last, None
        for ahead in (*word, END)[read + 1 :]:
            yield letter(ahead), (answer := self.answers[value, ahead])
            yield answer, None

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """Nothing."""
        del question, answer
        return ()

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """The outcome whose coordinate is set; unfinished where none is."""
        places = {name: number for number, name in enumerate(self.coordinates)}
        found = (each for each, name in OUTCOMES.items() if name in places and 2 * last[places[name]] > 1)
        return next(found, "unfinished")

    def picture(self, recall: Recall, last: str) -> str | None:
        """The stack, topmost symbol first, as far as it was fetched; None before the start."""
        del last
        places = {name: number for number, name in enumerate(self.coordinates)}
        reg = places[REG]
        shown = [place for place in self.tops if 2 * recall(reg, places[top(place)]) > 1]
        shown += [place for place in reversed(self.cells) if 2 * recall(reg, places[cell(place)]) > 1]
        return body_text(symbol for _, symbol in shown)
