"""Streams: runs of a model as its program at the speed of its live entries, in memory proportional to them.

The same runs as `runtime.run`, which is the specification: the same tokens, outcomes and outputs. Rules and tokens of
integers run in 64-bit integers, exactly; the number of tokens after which an entry of S or of an answer could pass 62
bits is bounded beforehand, and a run that comes there is refused. Rationals run as integers over their denominators.
With a float anywhere everything runs in float64 (or float32, where asked), and an answer is decided exactly on the
floats that came out: where two tokens are nearly as near, rationals decide; a tie decides nothing and is an error.

>>> from compiler.language.load import load
>>> from compiler.program_to_model import compile
>>> stream = Stream(compile(load("busy_beaver_4")))
>>> stream.run("")
Streamed(outcome='halted', output=('1', '0', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1'), steps=107, \
tokens=140)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from compiler.errors import ModelError
from compiler.program import Program
from compiler.runtime.form_to_tables import compiled
from compiler.runtime.run import lowering_of
from compiler.runtime.running import Running, Streamed

if TYPE_CHECKING:
    from compiler.model import Model


class Stream:
    """A model compiled to run.

    Parameters
    ----------
    model
        A model that carries its program.
    dtype
        None: int64 for exact models, else float64. ``float64`` or ``float32`` force floats.

    Raises
    ------
    ModelError
        For a model that is not over the coordinates and tokens of its program, or too large for tables.
    """

    def __init__(self, model: Model, *, dtype: DTypeLike | None = None) -> None:
        self.lowering = lowering_of(model)
        self.vocabulary, names = model.vocabulary, self.lowering.tokens.names
        if self.vocabulary.names != names:
            self.vocabulary = self.vocabulary.chosen([self.vocabulary.numbers[name] for name in names])
        form = model.live_rules
        values = self.vocabulary.values_of_entries
        floats = values.dtype != np.int64 and any(isinstance(value, float) for value in values.tolist())
        if dtype is not None and np.dtype(dtype) not in (np.float32, np.float64):
            raise ModelError(f"a stream runs in float64 or float32, not in {np.dtype(dtype)}")
        kind = np.dtype(dtype).type if dtype is not None else np.int64 if form.exact and not floats else np.float64
        self.compiled = compiled(form, self.vocabulary, self.lowering, kind)
        token, answer = self.compiled.largest
        self.most_tokens = int(2**62 / (token * (answer + 1) + 1)) if kind is np.int64 else 2**62
        pairs = self.compiled.pairs.tolist()
        self.slots = {(b, c): slot for slot, (b, c) in enumerate(pairs)}

    def run(
        self, word: str | Iterable[Any], *, given: Program | None = None, max_tokens: int | None = None
    ) -> Streamed:
        """Run on a word of the program; at most `max_tokens` tokens, beyond which the outcome is ``unfinished``.

        A universal program runs `given`, which is put in the prompt, and the word is one of `given`.

        Raises
        ------
        WordError
            For a word that is not over the program's alphabet.
        ModelError
            Where two tokens are equally near to an answer, or a counter could overflow.
        UnsupportedError
            For a program `given` that exceeds the bounds, to one that is not universal, or missing.
        """
        running = self.start(word, given=given, max_tokens=max_tokens)
        while running.advance():
            pass
        return running.result()

    def start(
        self, word: str | Iterable[Any], *, given: Program | None = None, max_tokens: int | None = None
    ) -> Running:
        """The run before its first token, to be advanced by the caller. Raises WordError, UnsupportedError."""
        return Running(self, self.lowering if given is None else self.lowering.running(given), word, max_tokens)

    def run_many(
        self, words: Sequence[str | Iterable[Any]], *, given: Program | None = None, max_tokens: int | None = None
    ) -> list[Streamed]:
        """`run` on each word, on all cores: the kernel holds no lock."""
        if not words:
            return []
        with ThreadPoolExecutor(min(len(words), cpu_count() or 1)) as pool:
            return list(pool.map(lambda word: self.run(word, given=given, max_tokens=max_tokens), words))
