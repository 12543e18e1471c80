"""What every construction returns: coordinates, vocabulary, rules, and the dialogue between a program and its layer.

A run is a *dialogue*. Tokens are given to the layer: the prompt, then the inputs, one after the other. Whenever the
last token is a question, the layer's answer is taken: appended as the next token (the letters of automata, the
requests to write, the configurations of machines), or only read (the queries of memories). When the last token is no
question, the next input is given; when there is none, the run is over. Each family says in these terms what it gives,
what it asks, and how outcome and output are read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head
from compiler.errors import UnsupportedError
from compiler.program import Program
from compiler.program.run import Outcome
from compiler.rules import Form
from compiler.rules_to_heads import rules_to_heads
from compiler.vocabulary import Vocabulary


class Asks(IntEnum):
    """What becomes of the layer's answer to a token."""

    NOTHING = 0
    APPENDED = 1
    READ = 2


Turn: TypeAlias = tuple[str, str | None]
"""A token of a run by name, and the answer that the program gives to it (None where it is not asked)."""

Recall: TypeAlias = Callable[[int, int], Any]
"""The fast weights at the end of a run: S[b, c] by the numbers of b and c."""


class Guard(ABC):
    """Watches a run whose answers are right only under a condition on what is stored, and stops it where they are not.

    It is told of every answer in the order of the run, before and after it is decoded (a fast runtime may tell it
    later, as long as it does before it hands out what follows).
    """

    @abstractmethod
    def asked(self, question: str) -> None:
        """The token `question` (by name) is last and asks. Raises ModelError where its answer is not decided."""

    @abstractmethod
    def answered(self, question: str, answer: str) -> None:
        """The answer to `question` was decoded to `answer` (by name)."""


@dataclass(frozen=True, slots=True)
class Lowering(ABC):
    """A program as a layer of linear attention.

    Attributes
    ----------
    program
        The source.
    form
        The rules, on named coordinates.
    tokens
        The vocabulary: name -> vector (d,), integers. Tokens of equal vectors are one token.
    asks
        (T,): what becomes of the answer to each token, an `Asks`.
    replies
        (T,): to which kind of question each token can be the answer; `Asks.NOTHING` for mere inputs.
    """

    program: Program
    form: Form
    tokens: Vocabulary
    asks: NDArray[np.int8]
    replies: NDArray[np.int8]

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names of the d coordinates."""
        return self.form.coordinates

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads: the same function as the rules, on all inputs unless the construction says: on the domain."""
        return rules_to_heads(self.form)

    @property
    def most_answers(self) -> int | None:
        """The most answers that a run may take before it is unfinished; None for no bound."""
        return None

    @property
    def longest(self) -> int | None:
        """The most items that a word may have; None for no bound."""
        return None

    @property
    def opening(self) -> int:
        """The place, among the tokens that are given, of the one that says how a run without answers ends."""
        return 0

    def running(self, given: Program) -> Lowering:
        """The same layer, its runs those of `given`, which is put in the prompt. Raises UnsupportedError."""
        kind, name = self.program.kind, self.program.name
        raise UnsupportedError(f"{kind} {name} runs words; only a universal program runs {given.kind} {given.name}")

    def steps(self, items: int, answers: int, cut: bool) -> int:
        """The steps of a run that was given `items` items and took `answers` answers; `cut` if it was cut short."""
        return answers if cut else items

    @abstractmethod
    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """`word` as items of the program's words. Raises WordError."""

    @abstractmethod
    def items(self) -> Sequence[Any]:
        """Every item that a word of the program may have."""

    @property
    def speaks(self) -> bool:
        """Whether answers say output symbols; else outputs are left in the fast weights, or there are none."""
        return True

    @property
    def kept(self) -> NDArray[np.int64]:
        """The pairs (K, 2) of coordinates that `left` recalls, whether or not a rule reads them."""
        return np.zeros((0, 2), dtype=np.int64)

    @property
    def reads_outside(self) -> bool:
        """Whether answers that are read are decoded by `reading`, since the vocabulary does not hold all of them."""
        return False

    def encode(self, word: str | Iterable[Any]) -> tuple[NDArray[np.int32], int]:
        """The numbers of the tokens that a run on `word` is given, and the number of its items. Raises WordError."""
        items = self.word(word)
        numbers = self.tokens.numbers
        return np.array([numbers[name] for name in self.inputs(items)], dtype=np.int32), len(items)

    @abstractmethod
    def inputs(self, word: Sequence[Any]) -> Iterable[str]:
        """The tokens that a run on `word` is given, prompt and inputs, by name."""

    @abstractmethod
    def dialogue(self, word: Sequence[Any], limit: int | None = None) -> Iterable[Turn]:
        """The run of the *program* on `word`, by its own meaning; at most `limit` tokens."""

    @abstractmethod
    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """The symbols of the output that an answer (d,) says; `question` None for a token that was given."""

    @abstractmethod
    def outcome(self, last: NDArray[Any]) -> Outcome:
        """How a run ended whose last appended answer (or else last given token) is `last` (d,)."""

    def left(self, recall: Recall, last: str) -> tuple[str, ...] | None:
        """The output that a run whose last token is `last` leaves in the fast weights; None where answers say it."""
        del recall, last
        return None

    def picture(self, recall: Recall, last: str) -> str | None:
        """What the fast weights hold when the token `last` is the last, for people; None for nothing to see."""
        del recall, last
        return None

    def reading(self, answer: NDArray[Any]) -> tuple[str, NDArray[Any]] | None:
        """An answer that is read, decoded: its name and its vector; None where the vocabulary holds all of them."""
        del answer
        return None

    def guard(self) -> Guard | None:
        """A guard for one run, new and not yet told of anything; None where every answer is decided.

        A run with a guard must append decoded answers, not raw ones.
        """
        return None

    def answer_vector(self, name: str) -> NDArray[Any]:
        """The vector (d,) of an answer by name."""
        return self.tokens[name]

    def trace(self, word: Sequence[Any]) -> list[str]:
        """The tokens of a run of the program by name, in order; answers that are only read are not among them."""
        return [name for name, _ in self.dialogue(word)]
