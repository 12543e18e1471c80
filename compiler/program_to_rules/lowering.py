"""What every construction returns: coordinates, vocabulary, rules, and how a run reads the layer's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compiler.program import Automaton
from compiler.rules import Form


@dataclass(frozen=True, slots=True)
class Lowering:
    """A program as a layer of linear attention.

    Attributes
    ----------
    program
        The source.
    form
        The rules, on named coordinates.
    tokens
        The vocabulary: name -> vector (d,), integers. Tokens of equal vectors are one token.
    states
        The states of the program; behind them the sink, if a transition is missing.
    start
        The tokens with which every run begins.
    letters
        Input symbol -> the token that stands for it.
    answers
        (state, symbol) -> the token that answers the symbol in that state.
    """

    program: Automaton
    states: tuple[str, ...]
    form: Form
    tokens: Mapping[str, NDArray[np.int64]]
    start: tuple[str, ...]
    letters: Mapping[str, str]
    answers: Mapping[tuple[str, str], str]

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The names of the d coordinates."""
        return self.form.coordinates

    def next_state(self, state: str, symbol: str) -> str:
        """delta, completed by the sink."""
        return self.program.transitions.get((state, symbol), self.states[-1])

    def path(self, word: Sequence[str]) -> list[str]:
        """The states on the way through `word`, the sink included, n + 1 of them."""
        return [self.states[-1] if state is None else state for state in self.program.path(word)]

    def trace(self, word: Sequence[str]) -> list[str]:
        """The tokens of a run, by name: start, then each symbol and its answer."""
        states = self.path(word)
        pairs = zip(states, word, strict=False)
        return [*self.start, *(name for q, s in pairs for name in (self.letters[s], self.answers[q, s]))]
