"""Runs of a model as its program: inputs given, answers fed back as tokens, outcome and output read from them.

This is the specification of every faster way to run: the recurrent form with all of S, a token at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from compiler.errors import ModelError, UnsupportedError
from compiler.program import Program
from compiler.program.run import Outcome, Run
from compiler.program_to_rules.lower import lowering_for
from compiler.program_to_rules.lowering import Asks, Lowering
from compiler.runtime.recurrent import Memory, Recurrent
from compiler.vocabulary import Vocabulary

if TYPE_CHECKING:
    from compiler.model import Decode, Model

LARGEST_D = 8_192
"""The most coordinates for which all of S is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """A token of a run, or an answer that is only read: name, vector, and how it came about.

    Attributes
    ----------
    question
        The token to which this is the layer's answer; None for what was given.
    answer
        The raw answer (d,) that was decoded to this; None for what was given.
    fed
        Whether this is a token: given, or appended. An answer that is only read is none.
    memory
        The fast weights while this is the last token; the next token changes them in place.
    """

    name: str
    vector: NDArray[Any]
    question: str | None
    answer: NDArray[Any] | None
    fed: bool
    memory: Memory


def run(
    model: Model,
    word: str | Iterable[Any],
    *,
    given: Program | None = None,
    decode: Decode = "nearest",
    max_tokens: int,
) -> Run:
    """The run of `model` on `word`; see `Model.run`."""
    lowering = lowering_of(model, given)
    items = lowering.word(word)
    names: list[str] = []
    answers: list[NDArray[Any]] = []
    output: list[str] = []
    ended: NDArray[Any] | None = None
    memory: Memory | None = None
    cut = False
    for event in events(model, lowering, items, decode=decode):
        cut = event.fed and len(names) == max_tokens
        if cut:
            break
        if event.answer is not None or len(names) == lowering.opening:
            output += lowering.said(event.question, event.vector)
            ended = event.vector if event.fed else ended
        if event.fed:
            names.append(event.name)
        if event.answer is not None:
            answers.append(event.answer)
        memory = event.memory.copy() if len(names) == max_tokens else event.memory  # the token beyond is fed, too
    left = None if memory is None else lowering.left(lambda b, c: memory[b, c], names[-1])
    steps = lowering.steps(len(items), len(answers), cut)
    last = np.zeros(model.d, dtype=np.int64) if ended is None else ended
    outcome: Outcome = "unfinished" if cut else lowering.outcome(last)
    raw = np.stack(answers) if answers else np.zeros((0, model.d), dtype=np.int64)
    return Run(items, outcome, tuple(output) if left is None else left, steps, tuple(names), raw, memory)


def lowering_of(model: Model, given: Program | None = None) -> Lowering:
    """The lowering of the program that `model` claims to be, running `given`. Raises ModelError, UnsupportedError."""
    if model.program is None:
        raise ModelError("the model carries no program, so it has no words to run; name one, or use answers(Z)")
    program: Program = model.program
    lowering = lowering_for(program, model.coordinates)
    own = model.vocabulary
    known = own.names == lowering.tokens.names or all(name in own for name in lowering.tokens.names)
    if model.coordinates != lowering.coordinates or not known:
        raise ModelError(f"the model's coordinates and tokens are not those of {program.kind} {program.name}")
    return lowering if given is None else lowering.running(given)


def events(model: Model, lowering: Lowering, word: Iterable[Any], *, decode: Decode) -> Iterator[Event]:
    """What happens in the run of `model` on `word`, in order, each with the fast weights after it."""
    if model.d > LARGEST_D:
        raise ModelError(f"the model has {model.d:,} coordinates, too many to keep all of S; run it as a stream")
    vocabulary = model.vocabulary
    asks = dict(zip(lowering.tokens.names, lowering.asks.tolist(), strict=True))
    choices = {kind: Choices.of(lowering, vocabulary, kind) for kind in (Asks.APPENDED, Asks.READ)}
    layer = Recurrent(model.heads, np.zeros((model.d, model.d), dtype=np.int64))
    left = lowering.most_answers
    guard = lowering.guard()
    if guard is not None and decode == "raw":
        raise UnsupportedError("this program needs its answers decoded before they are appended; use decode='nearest'")
    for given in lowering.inputs(tuple(word)):
        name, vector = given, vocabulary[given]
        answer = layer.feed(vector)
        yield Event(name, vector, None, None, True, layer.memory)
        while asks[name] != Asks.NOTHING and left != 0:
            left = None if left is None else left - 1
            if guard is not None:
                guard.asked(name)
            read = lowering.reading(answer) if asks[name] == Asks.READ else None
            decoded, vector = read or choices[Asks(asks[name])].decode(answer, decode)
            if guard is not None:
                guard.answered(name, decoded)
            if asks[name] == Asks.READ:
                yield Event(decoded, vector, name, answer, False, layer.memory)
                break
            raw, question = answer, name
            answer, name = layer.feed(vector), decoded
            yield Event(name, vector, question, raw, True, layer.memory)


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """The tokens that one kind of question can have as its answer."""

    names: tuple[str, ...]
    embedded: NDArray[Any]
    known: dict[bytes, list[int]]

    @classmethod
    def of(cls, lowering: Lowering, vocabulary: Vocabulary, kind: Asks) -> Choices:
        """The choices for `kind`, with the embeddings of `vocabulary`."""
        names = tuple(lowering.tokens.names[number] for number in np.flatnonzero(lowering.replies == kind))
        embedded = vocabulary.dense(vocabulary.numbers[name] for name in names)
        known: dict[bytes, list[int]] = {}
        for number, row in enumerate(embedded):
            known.setdefault(row.tobytes(), []).append(number)
        return cls(names, embedded, known)

    def decode(self, answer: NDArray[Any], decode: Decode) -> tuple[str, NDArray[Any]]:
        """The name of the nearest token, and its vector or (``raw``) the answer itself. Raises ModelError for a tie."""
        same = self.known.get(answer.tobytes()) if answer.dtype == self.embedded.dtype != object else None
        nearest = same or nearest_tokens(answer, self.embedded)
        if decode == "nearest" and len(nearest) > 1:
            tied = " and ".join(repr(self.names[number]) for number in nearest[:2])
            raise ModelError(f"an answer of the model is equally near to the tokens {tied}, so it decides nothing")
        return self.names[nearest[0]], self.embedded[nearest[0]] if decode == "nearest" else answer


def nearest_tokens(answer: NDArray[Any], embedded: NDArray[Any]) -> list[int]:
    """The numbers of the embeddings (n, d) nearest to `answer` (d,): one, unless there is a tie.

    Floats propose, exact rationals decide: |c - y|^2 is compared as |c|^2 - 2 c.y. Raises ModelError where the answer
    is NaN or infinite.
    """
    same = np.flatnonzero((embedded == answer).all(axis=1))
    if len(same):
        return [int(number) for number in same]
    y = answer.astype(np.float64)
    if not np.isfinite(y).all():
        raise ModelError("an answer of the model is NaN or infinite in float64, so it decides nothing")
    c = embedded.astype(np.float64)
    scores = (c * c).sum(axis=1) - 2 * (c @ y)
    slack = 1e-9 * (1 + float(np.abs(c).max()) * float(np.abs(c).sum(axis=1).max()) * float(np.abs(y).max() + 1))
    close = np.flatnonzero(scores <= scores.min() + slack).tolist()
    exact = {number: _score(embedded[number], answer) for number in close}
    return [number for number in close if exact[number] == min(exact.values())]


def _score(token: NDArray[Any], answer: NDArray[Any]) -> Fraction:
    pairs = zip(token.tolist(), answer.tolist(), strict=True)
    return sum((Fraction(c) * (Fraction(c) - 2 * Fraction(y)) for c, y in pairs if c), Fraction(0))
