"""One run of a stream: its state, what it has said so far, and the answers that the kernel leaves to be decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.errors import ModelError
from compiler.program.run import Outcome
from compiler.program_to_rules.lowering import Asks, Lowering
from compiler.runtime import kernel
from compiler.runtime.tables import State, Words
from compiler.vocabulary import Vocabulary

if TYPE_CHECKING:
    from compiler.runtime.stream import Stream

RECORDS = 2**16
"""The answers that are recorded before they are turned into output."""
STRETCH = 2**24
"""The tokens that are run at a stretch: between two, an interrupt is heard."""


class Streamed(NamedTuple):
    """How a run ended: outcome and output as in `Run`, steps of the program, tokens of the layer."""

    outcome: Outcome
    output: tuple[str, ...]
    steps: int
    tokens: int


class Step(NamedTuple):
    """A token of a run by name, or an answer that is only read (`fed` False), and the question that it answers."""

    name: str
    question: str | None
    fed: bool


class Running:
    """One run, which is advanced a stretch or a token at a time.

    Parameters
    ----------
    lowering
        That of the stream, which may run another program.
    word
        The word that it is run on.
    max_tokens
        The most tokens that it may take; None for no bound.
    """

    def __init__(self, stream: Stream, lowering: Lowering, word: str | Iterable[Any], max_tokens: int | None) -> None:
        self.stream = stream
        self.lowering = lowering
        self.inputs, self.items = lowering.encode(word)
        self.state: State = stream.compiled.state()
        self.most = 2**62 if max_tokens is None else max_tokens
        most = lowering.most_answers
        self.counters = np.zeros(9, dtype=np.int64)
        self.counters[[kernel.NEXT, kernel.LAST, kernel.ENDED]] = -1
        self.counters[kernel.MOST_ANSWERED] = 2**62 if most is None else most
        self.guard = lowering.guard()
        told = lowering.speaks or self.guard is not None
        self.records = np.zeros((RECORDS if told else 0, 2), dtype=np.int32)
        self.output: list[str] = []
        self.answers: Any = ()
        self.said: dict[int, tuple[str, ...]] = {}
        self.over = False

    @property
    def tokens(self) -> int:
        """The tokens that were fed so far."""
        return int(self.counters[kernel.FED])

    def advance(self, stretch: int = STRETCH) -> bool:
        """Run at most `stretch` tokens more; whether the run goes on. Raises ModelError; see `Stream.run`."""
        compiled, counters = self.stream.compiled, self.counters
        bound = min(self.most, self.stream.most_tokens)
        counters[kernel.MOST_FED] = min(bound, self.tokens + stretch)
        status = kernel.advance(compiled.tables, compiled.words, self.state, self.inputs, counters, self.records)
        self._hear()
        if status == kernel.UNCLEAR:
            self._decide()
        elif status == kernel.CUT and self.tokens == bound < self.most:
            raise ModelError(
                f"after {self.tokens:,} tokens a counter of this model could pass 62 bits, so its run stops there"
            )
        self.over = status in (kernel.DONE, kernel.STOPPED)
        return not self.over and not (status == kernel.CUT and self.tokens == self.most)

    def _hear(self) -> None:
        """Take the answers that the kernel has recorded."""
        recorded = self.records[: self.counters[kernel.RECORDED]].astype(np.int64)
        self.counters[kernel.RECORDED] = 0
        names = self.lowering.tokens.names
        if self.guard is not None:
            for question, answer in recorded.tolist():
                self.guard.asked(names[question])
                self.guard.answered(names[question], names[answer])
        self._say(recorded)

    def _say(self, answers: NDArray[np.int64]) -> None:
        """Turn answers, (question, answer) a row, into output."""
        self.answers = answers
        lowering = self.lowering
        if not lowering.speaks:
            return
        for pair in (answers[:, 0] * len(lowering.tokens) + answers[:, 1]).tolist():
            said = self.said.get(pair)
            if said is None:
                question, answer = divmod(pair, len(lowering.tokens))
                vector = self.stream.vocabulary.vector(answer)
                self.said[pair] = said = lowering.said(lowering.tokens.names[question], vector)
            self.output += said

    def _decide(self) -> None:
        """Decide an answer that the kernel left open: exactly, or as the lowering reads it."""
        compiled, counters, lowering = self.stream.compiled, self.counters, self.lowering
        last = int(counters[kernel.LAST])
        kind, name = Asks(int(lowering.asks[last])), lowering.tokens.names[last]
        size = kernel.accumulate(compiled.tables, self.state, int(compiled.tables.hot[last, kernel.READER]))
        places = self.state.touched[:size]
        values = self.state.y[places].tolist()
        if compiled.scale != 1:
            values = [Fraction(value, compiled.scale) for value in values]
        counters[kernel.ANSWERED] += 1
        if self.guard is not None:
            self.guard.asked(name)
        if kind == Asks.READ and lowering.reads_outside:
            answer = np.zeros(lowering.tokens.d, dtype=object)
            answer[places] = values
            read = lowering.reading(answer)
            assert read is not None
            self.output += lowering.said(name, read[1])
            self.answers, counters[kernel.NEXT] = [(last, read[0])], -1
            if self.guard is not None:
                self.guard.answered(name, read[0])
            return
        token = _nearest(compiled.words, self.stream.vocabulary, kind, dict(zip(places.tolist(), values, strict=True)))
        if self.guard is not None:
            self.guard.answered(name, lowering.tokens.names[token])
        self._say(np.array([[last, token]]))
        counters[kernel.NEXT] = token if kind == Asks.APPENDED else -1
        if kind == Asks.APPENDED:
            counters[kernel.ENDED] = token

    def steps(self) -> Iterator[Step]:
        """The run a token at a time."""
        lowering, counters = self.lowering, self.counters
        names = lowering.tokens.names
        self.records = np.zeros((2, 2), dtype=np.int32)
        question = None
        goes_on = True
        while goes_on:
            before = self.tokens
            goes_on = self.advance(1)
            if self.tokens > before:
                yield Step(names[counters[kernel.LAST]], question, True)
                question = None
            for asked, answer in self.answers:
                question = names[asked]
                if lowering.asks[asked] == Asks.READ:
                    yield Step(answer if isinstance(answer, str) else names[answer], question, False)
                    question = None

    def recall(self, b: int, c: int) -> Any:
        """S[b, c] now. Raises ModelError for an entry that no rule reads, since it is not kept."""
        slot = self.stream.slots.get((min(b, c), max(b, c)))
        if slot is None:
            names = self.lowering.coordinates
            raise ModelError(f"no rule of the model reads S[{names[b]}, {names[c]}], so a stream does not keep it")
        value, unit = self.state.S[slot].item(), self.stream.compiled.unit
        return value if unit == 1 else Fraction(value, unit)

    def read(self) -> list[tuple[int, int, Any]]:
        """The entries (b, c, S[b, c]) that are not zero and that the last token reads."""
        tables, state = self.stream.compiled.tables, self.state
        reader = int(tables.hot[self.counters[kernel.LAST], kernel.READER])
        slots: list[int] = []
        for n in range(*tables.reader_ends[reader : reader + 2].tolist()) if reader >= 0 else ():
            row, base = int(tables.reader_row[n]), int(tables.reader_base[n])
            begin = int(tables.row_begin[row])
            live = state.listed[begin : begin + int(state.live[row])]
            slots += sorted(live[tables.bundle[base + live] >= 0].tolist())
        return [(b, c, self.recall(b, c)) for b, c in self.stream.compiled.pairs[slots].tolist()]

    def result(self) -> Streamed:
        """How the run ended, or where it stands: then its outcome is ``unfinished``.

        An answer that is to be appended counts, and says something, once it is a token.
        """
        self._hear()
        lowering, vocabulary, counters = self.lowering, self.stream.vocabulary, self.counters
        start = lowering.opening
        given = len(self.inputs) > start
        first = vocabulary.vector(int(self.inputs[start])) if given else np.zeros(vocabulary.d, dtype=np.int64)
        ended = int(counters[kernel.ENDED])
        last, following = int(counters[kernel.LAST]), int(counters[kernel.NEXT])
        waits = not self.over and last >= 0 and following >= 0 and lowering.asks[last] == Asks.APPENDED
        unsaid = len(self.said.get(last * len(lowering.tokens) + following, ())) if waits else 0
        said = self.output[: len(self.output) - unsaid]
        left = lowering.left(self.recall, lowering.tokens.names[last] if last >= 0 else "")
        return Streamed(
            lowering.outcome(first if ended < 0 else vocabulary.vector(ended)) if self.over else "unfinished",
            ((*lowering.said(None, first), *said) if self.tokens > start else ()) if left is None else left,
            lowering.steps(self.items, int(counters[kernel.ANSWERED]) - bool(waits), not self.over),
            self.tokens,
        )


def _nearest(words: Words, vocabulary: Vocabulary, kind: Asks, answer: Mapping[int, Any]) -> int:
    """The token that can answer a question of `kind` and is nearest to `answer`, by its entries.

    Floats propose, exact rationals decide. Raises ModelError for a tie, and where the answer is NaN or infinite.
    """
    y = np.zeros(vocabulary.d)
    y[list(answer)] = [float(value) for value in answer.values()]
    if not np.isfinite(y).all():
        raise ModelError("an answer of the model is NaN or infinite in float64, so it decides nothing")
    c = vocabulary.values_of_entries.astype(np.float64)
    parts = c * (c - 2 * y[vocabulary.places])
    scores = np.bincount(vocabulary.owners, weights=parts, minlength=len(vocabulary))
    scores[words.replies != kind] = np.inf
    slack = kernel.SLACK * (1 + words.reach * (float(np.abs(y).max(initial=0.0)) + 1))
    close = np.flatnonzero(scores <= scores.min() + slack).tolist()
    exact = {token: _score(*vocabulary.entries(token), answer) for token in close}
    found = [token for token in close if exact[token] == min(exact.values())]
    if len(found) > 1:
        tied = " and ".join(repr(vocabulary.names[token]) for token in found[:2])
        raise ModelError(f"an answer of the model is equally near to the tokens {tied}, so it decides nothing")
    return found[0]


def _score(places: NDArray[Any], values: NDArray[Any], answer: Mapping[int, Any]) -> Fraction:
    pairs = zip(places.tolist(), values.tolist(), strict=True)
    return sum((Fraction(c) * (Fraction(c) - 2 * Fraction(answer.get(a, 0))) for a, c in pairs), Fraction(0))
