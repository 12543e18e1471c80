"""Runs and examples: what a program, or a model of it, did with an input, and what it should do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from compiler.program import Program

Item: TypeAlias = str | tuple[str, str]
"""A symbol; for memories also a pair (key, value), which is a request to write."""

Word: TypeAlias = tuple[Item, ...]

Outcome: TypeAlias = Literal["accepted", "rejected", "halted", "overran", "answered", "unfinished"]

Verb: TypeAlias = Literal["accepts", "rejects", "halts", "overruns", "gives"]

VERBS: dict[Verb, Outcome | None] = {
    "accepts": "accepted",
    "rejects": "rejected",
    "halts": "halted",
    "overruns": "overran",
    "gives": None,
}


@dataclass(frozen=True, slots=True)
class Run:
    """One execution, by a reference interpreter or by a model.

    Attributes
    ----------
    input
        The word.
    outcome
        How it ended; see `Outcome`.
    output
        The symbols that it emitted, answered or left on the tape; () for an acceptor.
    steps
        Steps of the program: symbols read, requests answered, transitions of a machine.
    tokens
        The names of the tokens of the layer, inputs and answers in order; () for an interpreter.
    answers
        The layer's raw answers, a row for each token of `tokens` that was answered, (answers, d).
    memory
        The fast weights at the end, (d, d): S[b, c] is the sum over tokens of z[b] z[c].
    """

    input: Word
    outcome: Outcome
    output: tuple[str, ...]
    steps: int
    tokens: tuple[str, ...] = ()
    answers: NDArray[np.generic] | None = field(default=None, compare=False, repr=False)
    memory: NDArray[np.generic] | None = field(default=None, compare=False, repr=False)

    def agrees_with(self, other: Run) -> bool:
        """Whether both runs ended the same way with the same output."""
        return self.outcome == other.outcome and self.output == other.output


@dataclass(frozen=True, slots=True)
class Example:
    """A promise in the program's text: this input has this outcome (or output), run by `check`."""

    word: Word
    verb: Verb
    result: tuple[str, ...] = ()
    given: Program | None = None

    def holds(self, run: Run) -> bool:
        """Whether `run`, of this example's input, keeps the promise."""
        return run.output == self.result if self.verb == "gives" else run.outcome == VERBS[self.verb]
