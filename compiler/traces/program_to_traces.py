"""Programs to training data: random runs, or a teaching set that is certified by construction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np

from compiler.domain.grammar_runs import random_word
from compiler.domain.universal_runs import universal_runs
from compiler.errors import DataError
from compiler.program import Program
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.lowered_grammar import LoweredGrammar
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowering import Lowering, Turn
from compiler.program_to_rules.real_memory import LoweredRealMemory
from compiler.traces.data_set import DataSet
from compiler.traces.dense_memory_runs import dense_words, raw_answers
from compiler.traces.real_memory_runs import random_vectors, teaching_vectors

DEFAULT_COUNT = 100
DEFAULT_LENGTHS = (1, 20)
MAX_SYMBOLS = 50_000_000
MAX_TOKENS = 20_000_000
"""The most tokens of a data set."""


def generate(
    program: Program,
    *,
    count: int | None = None,
    lengths: tuple[int, int] | int | None = None,
    seed: int = 0,
    certified: bool = False,
) -> DataSet:
    """Training data from runs of `program`: every input symbol is a supervised position, its target the answer token.

    A run of a real memory is a number of pairs from `lengths` and a query, Gaussian: floats; see `key_value_task`. Its
    certified set is of integers.

    Parameters
    ----------
    count, lengths, seed
        So many words, of lengths drawn uniformly from `lengths` (both ends included; a number: just this length), of
        symbols drawn uniformly and independently; the same seed gives the same data. Default 100 words of 1 to 20
        symbols. Of a universal program: so many random programs, each on a random input of so many symbols or steps.
        Of a grammar: words of at most so many symbols, most of them symbols that its parser goes on with.
    certified
        Instead a small teaching set whose row space contains the span of all configurations that the program can
        reach: it determines the program's rules at every length. Only what shows something new is supervised. It takes
        no count and no lengths.

    Raises
    ------
    DataError
        For a count or lengths out of range, or with `certified`.
    UnsupportedError
        For a family of programs that has no construction.
    """
    lowering = lower(program)
    if certified:
        from compiler.domain.dense_memory_span import listed, spanning_runs
        from compiler.domain.guarded import system_of
        from compiler.traces.certified_runs import certified_runs
        from compiler.traces.dense_memory_teaching import teaching_runs_of
        from compiler.traces.spanning import thinned
        from compiler.traces.teaching import teaching_runs

        if count is not None or lengths is not None:
            raise DataError("a certified set has the size that it needs; leave out count and lengths")
        if isinstance(lowering, LoweredRealMemory):
            return teaching_vectors(lowering)
        if isinstance(lowering, LoweredDenseMemory):
            if not listed(lowering) and lowering.program.write != "first":
                return turns_to_data(lowering, teaching_runs_of(lowering))
            runs = [turns for _, turns in spanning_runs(lowering)]
            return turns_to_data(lowering, thinned(runs, turns_to_data(lowering, runs)))
        if isinstance(lowering, LoweredAutomaton):
            return turns_to_data(lowering, teaching_runs(lowering))
        return turns_to_data(lowering, certified_runs(system_of(lowering), seed))
    number, least, most = _sizes(lowering, count, lengths)
    if isinstance(lowering, LoweredRealMemory):
        return random_vectors(lowering, number, (least, most), seed)
    if isinstance(lowering, LoweredDenseMemory):
        return runs_to_data(lowering, dense_words(lowering, number, (least, most), seed))
    if isinstance(lowering, LoweredUniversalAutomaton | LoweredUniversalMachine):
        drawn = universal_runs(lowering, np.random.default_rng(seed), (least, most))
        return turns_to_data(lowering, islice(drawn, number))
    return runs_to_data(lowering, _random_words(lowering, number, (least, most), seed))


def _sizes(lowering: Lowering, count: int | None, lengths: tuple[int, int] | int | None) -> tuple[int, int, int]:
    """The number of words, and their least and greatest length. Raises DataError."""
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
    most = min(most, lowering.longest or most)
    return number, min(least, most), most


def _random_words(lowering: Lowering, number: int, lengths: tuple[int, int], seed: int) -> list[list[Any]]:
    least, most = lengths
    alphabet = lowering.items()
    random = np.random.default_rng(seed)
    drawn = random.integers(least, most + 1, size=number).tolist()
    if isinstance(lowering, LoweredGrammar):
        return [list(random_word(lowering.program, random, length)) for length in drawn]
    return [[alphabet[n] for n in random.integers(0, len(alphabet), size=length).tolist()] for length in drawn]


def runs_to_data(lowering: Lowering, words: Iterable[Sequence[Any]]) -> DataSet:
    """The runs of a lowered program on `words` as data; the tokens at which the layer is asked are supervised."""
    return turns_to_data(lowering, (lowering.dialogue(word, MAX_TOKENS + 1) for word in words))


def turns_to_data(lowering: Lowering, runs: Iterable[Iterable[Turn]]) -> DataSet:
    """Runs, by the names of their tokens with the answers wanted, as data.

    The targets of a dense memory are the layer's own answers, cross talk included, over a denominator.
    """
    numbers = lowering.tokens.numbers
    rows: list[int] = []
    wanted: list[int] = []
    offsets = [0]
    others: dict[str, int] = {}
    for turns in runs:
        for name, answer in turns:
            rows.append(numbers[name])
            known = -1 if answer is None else numbers.get(answer, -1)
            if answer is not None and known < 0:
                known = len(numbers) + others.setdefault(answer, len(others))
            wanted.append(known)
        if len(rows) > MAX_TOKENS:
            raise DataError(f"these runs have more than {MAX_TOKENS:,} tokens; ask for fewer, or bound the steps")
        offsets.append(len(rows))
    vectors = np.stack([*lowering.tokens.dense(), *map(lowering.answer_vector, others)])
    target = np.asarray(wanted, dtype=np.int64)
    supervised = target >= 0
    if isinstance(lowering, LoweredDenseMemory):
        tokens, ends = vectors[rows], np.asarray(offsets, dtype=np.int64)
        answers = raw_answers(lowering.form, tokens, ends, supervised)
        return DataSet(tokens, ends, answers.numerators, supervised, lowering.program, answers.denominator)
    targets = np.where(supervised[:, None], vectors[target], 0)
    return DataSet(vectors[rows], np.asarray(offsets, dtype=np.int64), targets, supervised, lowering.program)
