"""Guarded systems: the runs of memories and machines, as steps that depend on what the fast weights hold.

A configuration is a vector of token counts (T,) and a last token: with finitely many token types S = sum_j count_j t_j
t_j^T, so what S holds is linear in the counts. Where the last token is a question, the program branches: under
equalities on entries of S ("cell p holds 1") it answers with a certain token. Where it is none, the next input is
given. Control is finite (the last tokens, and *idle*); the data are counts, and guards are affine equalities on them:
what Karr's analysis of affine equalities is made for (Karr 1976; Mueller-Olm and Seidl 2004).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.program_to_rules.lowering import Asks, Lowering, Turn

Pair: TypeAlias = tuple[int, int]
"""Two coordinates (b, c), for S[b, c]; or (`COUNT`, j), for the count of token j."""
COUNT = -1
IDLE = -1
"""The location between two inputs."""


class Branch(NamedTuple):
    """At the token `question`, in `location`, where S[b, c] has the values of `guards`, the program answers `answer`.

    Attributes
    ----------
    location
        The number of the question, or one beyond all tokens where the same question is asked in several situations.
    answer
        A token; None where the answer is linear in S: then it is the sum of S[b, c] at coordinate a over the entries
        (b, c, a) of `reads`.
    target
        The location afterwards; None where the run ends.
    """

    location: int
    question: int
    guards: tuple[tuple[Pair, int], ...]
    answer: int | None
    target: int | None
    reads: tuple[tuple[int, int, int], ...] = ()


class Initial(NamedTuple):
    """The affine set of configurations in which runs begin: a location, one of them, and directions, (k, T)."""

    location: int
    base: NDArray[np.int64]
    directions: NDArray[np.int64]


@dataclass(frozen=True)
class System:
    """A lowered program as a guarded system.

    Attributes
    ----------
    lowering
        The program's own tokens, on which guards are read.
    initials
        Where runs begin.
    inputs
        The tokens (by number) that may be given at `IDLE`, in any order.
    branches
        What is answered.
    situations
        (token, the token before it) -> location, for questions that are asked in several situations.
    """

    lowering: Lowering
    initials: tuple[Initial, ...]
    inputs: tuple[int, ...]
    branches: tuple[Branch, ...]
    situations: Mapping[tuple[int, int], int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """T, the number of token types."""
        return len(self.lowering.tokens)

    @cached_property
    def vectors(self) -> NDArray[np.int64]:
        """The tokens of the program, (T, d)."""
        return self.lowering.tokens.dense().astype(np.int64)

    def entry(self, pair: Pair) -> NDArray[np.int64]:
        """S[b, c], or a count, as a function of the counts: (T,)."""
        if pair[0] == COUNT:
            return of_tokens([pair[1]], self.size)
        return np.asarray(self.vectors[:, pair[0]] * self.vectors[:, pair[1]])

    def appended(self, branch: Branch) -> int | None:
        """The token that a branch appends; None where its answer is only read."""
        return branch.answer if self.lowering.asks[branch.question] == Asks.APPENDED else None

    @cached_property
    def asked_at(self) -> Mapping[int, int]:
        """The question of each location."""
        return {branch.location: branch.question for branch in self.branches}

    def counts(self, turns: Sequence[Turn], but: Container[int] = ()) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
        """The questions of a run: place, location, and the counts (1 + T,) there, with a leading 1.

        Questions in the locations `but` are left out.
        """
        numbers = self.lowering.tokens.numbers
        counts = np.zeros(self.size + 1, dtype=np.int64)
        counts[0] = 1
        before = -1
        for place, (name, answer) in enumerate(turns):
            token = numbers[name]
            counts[1 + token] += 1
            if answer is not None and (location := self.situations.get((token, before), token)) not in but:
                yield place, location, counts.copy()
            before = token


def of_tokens(tokens: Sequence[int], size: int) -> NDArray[np.int64]:
    """The counts (T,) of some tokens."""
    return np.bincount(np.asarray(tokens, dtype=np.int64), minlength=size).astype(np.int64)
