"""Programs to training data: random runs, or a teaching set that is certified by construction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from compiler.errors import DataError
from compiler.program import Program
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.lowering import Lowering
from compiler.traces.data_set import DataSet

DEFAULT_COUNT = 100
DEFAULT_LENGTHS = (1, 20)
MAX_SYMBOLS = 50_000_000


def generate(
    program: Program,
    *,
    count: int | None = None,
    lengths: tuple[int, int] | int | None = None,
    seed: int = 0,
    certified: bool = False,
) -> DataSet:
    """Training data from runs of `program`: every input symbol is a supervised position, its target the answer token.

    Parameters
    ----------
    count, lengths, seed
        So many words, of lengths drawn uniformly from `lengths` (both ends included; a number: just this length), of
        symbols drawn uniformly and independently; the same seed gives the same data. Default 100 words of 1 to 20
        symbols.
    certified
        Instead a small teaching set whose row space contains the span of all configurations that the program can
        reach: it determines the program's rules at every length. It takes no count and no lengths.

    Raises
    ------
    DataError
        For a count or lengths out of range, or with `certified`.
    UnsupportedError
        For a family of programs that has no construction.
    """
    lowering = lower(program)
    if certified:
        from compiler.traces.teaching import teaching_words

        if count is not None or lengths is not None:
            raise DataError("a certified set has the size that it needs; leave out count and lengths")
        return runs_to_data(lowering, teaching_words(lowering))
    return runs_to_data(lowering, _random_words(lowering.program.alphabet, count, lengths, seed))


def _random_words(
    alphabet: Sequence[str], count: int | None, lengths: tuple[int, int] | int | None, seed: int
) -> list[list[str]]:
    number = DEFAULT_COUNT if count is None else count
    least, most = (lengths, lengths) if isinstance(lengths, int) else DEFAULT_LENGTHS if lengths is None else lengths
    if not isinstance(number, int):
        raise DataError(f"count is {number!r}, expected a whole number of words")
    if number < 1 or not 0 <= least <= most:
        raise DataError(f"count {number} and lengths {least}:{most}: expected at least one word, and 0 <= A <= B")
    if most == 0:
        raise DataError("words of length 0 have no supervised position; ask for longer ones")
    if number * most > MAX_SYMBOLS:
        raise DataError(f"{number:,} words of up to {most:,} symbols are more than {MAX_SYMBOLS:,} symbols")
    random = np.random.default_rng(seed)
    drawn = random.integers(least, most + 1, size=number).tolist()
    return [[alphabet[n] for n in random.integers(0, len(alphabet), size=length).tolist()] for length in drawn]


def runs_to_data(lowering: Lowering, words: Iterable[Sequence[str]]) -> DataSet:
    """The runs of a lowered program on `words` as data; input symbols are the supervised positions."""
    numbers = {name: number for number, name in enumerate(lowering.tokens)}
    vectors = np.stack(list(lowering.tokens.values()))
    rows: list[int] = []
    wanted: list[int] = []
    offsets = [0]
    for word in words:
        trace = [numbers[name] for name in lowering.trace(word)]
        rows += trace
        begin = len(lowering.start)
        answers = [-1] * len(trace)
        answers[begin::2] = trace[begin + 1 :: 2]
        wanted += answers
        offsets.append(len(rows))
    target = np.asarray(wanted, dtype=np.int64)
    supervised = target >= 0
    targets = np.where(supervised[:, None], vectors[target], 0)
    return DataSet(vectors[rows], np.asarray(offsets, dtype=np.int64), targets, supervised, lowering.program)
