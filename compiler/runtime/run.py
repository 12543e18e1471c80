"""Runs of a model as its program: symbols in, answers fed back as tokens, outcome and output read from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from compiler.errors import ModelError, UnsupportedError
from compiler.program.automaton import Automaton
from compiler.program.run import Outcome, Run
from compiler.program_to_rules.automaton import ACCEPT, DEFINED, emit_name
from compiler.program_to_rules.lower import lower
from compiler.runtime.recurrent import Memory, Recurrent

if TYPE_CHECKING:
    from compiler.model import Decode, Model


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One token of a run: its name, its vector, the raw answer that it decodes (None: input), the fast weights.

    The fast weights are those behind the token while it is the last one; the next token changes them in place.
    """

    name: str
    vector: NDArray[Any]
    answer: NDArray[Any] | None
    memory: Memory


def run(model: Model, word: str | Iterable[Any], *, decode: Decode = "nearest") -> Run:
    """The run of `model` on `word`; see `Model.run`."""
    program = program_of(model)
    symbols = program.word(word)
    names, answers, output = [], [], []
    last: NDArray[Any] | None = None
    memory: Memory | None = None
    outputs = program.outputs
    for event in events(model, symbols, decode=decode):
        names.append(event.name)
        memory = event.memory
        if event.answer is not None:
            answers.append(event.answer)
        if event.answer is not None or last is None:
            last = event.vector
            output += [symbol for symbol in outputs if _reads(model, last, emit_name(symbol))]
    assert last is not None
    return Run(
        symbols,
        _outcome(program, model, last),
        tuple(output),
        len(symbols),
        tuple(names),
        np.stack(answers) if answers else np.zeros((0, model.d), dtype=np.int64),
        memory,
    )


def program_of(model: Model) -> Automaton:
    """The automaton that `model` claims to be. Raises ModelError, UnsupportedError."""
    if model.program is None:
        raise ModelError("the model carries no program, so it has no words to run; name one, or use answers(Z)")
    if not isinstance(model.program, Automaton):
        raise UnsupportedError(f"models of a {model.program.kind} cannot be run by this version")
    return model.program


def events(model: Model, symbols: Iterable[str], *, decode: Decode) -> Iterator[Event]:
    """The tokens of a run in order, each with the fast weights after it."""
    lowering = lower(program_of(model))
    missing = [name for name in lowering.tokens if name not in model.tokens]
    if missing or model.coordinates != lowering.coordinates:
        raise ModelError(
            f"the model's coordinates and tokens are not those of {lowering.program.kind} {lowering.program.name}"
        )
    candidates = [*dict.fromkeys(lowering.answers.values())]
    embedded = np.stack([model.tokens[name] for name in candidates])
    known: dict[bytes, list[int]] = {}
    for number, row in enumerate(embedded):
        known.setdefault(row.tobytes(), []).append(number)
    layer = Recurrent(model.heads, np.zeros((model.d, model.d), dtype=np.int64))
    for name in lowering.start:
        layer.feed(model.tokens[name])
        yield Event(name, model.tokens[name], None, layer.memory)
    for symbol in symbols:
        name = lowering.letters[symbol]
        answer = layer.feed(model.tokens[name])
        yield Event(name, model.tokens[name], None, layer.memory)
        same = known.get(answer.tobytes()) if answer.dtype == embedded.dtype != object else None
        nearest = same or nearest_tokens(answer, embedded)
        if decode == "nearest" and len(nearest) > 1:
            tied = " and ".join(repr(candidates[number]) for number in nearest[:2])
            raise ModelError(f"an answer of the model is equally near to the tokens {tied}, so it decides nothing")
        vector = embedded[nearest[0]] if decode == "nearest" else answer
        layer.feed(vector)
        yield Event(candidates[nearest[0]], vector, answer, layer.memory)


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


def _outcome(program: Automaton, model: Model, last: NDArray[Any]) -> Outcome:
    judged = ACCEPT if program.accept is not None else DEFINED
    if judged in model.coordinates and not _reads(model, last, judged):
        return "rejected"
    return "answered" if program.accept is None else "accepted"


def _reads(model: Model, vector: NDArray[Any], coordinate: str) -> bool:
    return bool(2 * vector[model.coordinates.index(coordinate)] > 1)
