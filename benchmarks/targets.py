"""Every automaton and memory of the library on every target of the fast-weight family, for a million tokens.

Usage: python benchmarks/targets.py [TOKENS [PRECISION]]          (1,000,000 tokens, float32)

Each pair is compiled and run on a random word that keeps away from states that are never left, as far as letters allow,
and every token that is shown is compared with the reference interpreter's; or it is said that there is no such stack
(`attnc explain` has the reasons). Times are seconds of one thread with compiling.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import sys
import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

import attnc
import programs
from compiler.fastweight.automata.transitions import Transitions, transitions
from compiler.fastweight.counters.memory_to_counts import Counts
from compiler.fastweight.kernels.precision import Precision
from compiler.fastweight.kernels.runs import started
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.memory_to_stack import spelled
from compiler.fastweight.stack import PIECE
from compiler.fastweight.target import TARGETS, Target


def word_of(given: Transitions, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Random letters that lead to states that are never left about once in all, where there are others."""
    stays = [all(move[state] == state for move in given.moves) for state in range(given.size)]
    lively = [[a for a, move in enumerate(given.moves) if not stays[move[s]]] for s in range(given.size)]
    letters, chances = rng.random(length), rng.random(length)
    word, state = np.empty(length, dtype=np.int64), given.start
    for n in range(length):
        among = lively[state] if lively[state] and chances[n] > 1 / length else range(len(given.moves))
        word[n] = among[int(letters[n] * len(among))]
        state = given.moves[word[n]][state]
    return word


def expected_of(program: attnc.Automaton | attnc.Memory, word: NDArray[np.int64]) -> Iterator[object]:
    """What is to be shown."""
    if isinstance(program, attnc.Automaton):
        given = transitions(program)
        state = given.start
        yield given.first
        for letter in word.tolist():
            yield given.shown[state][letter]
            state = given.moves[letter][state]
    else:
        requests = [tuple(each.split(" = ")) if " = " in each else each for each in spelled(program)]
        asked = [requests[letter] for letter in word.tolist()]
        answers = iter(program.run(asked).output)
        yield None
        yield from (next(answers) if isinstance(request, str) else None for request in asked)


def wrong_counts(core: Counts, length: int, precision: Precision, rng: np.random.Generator) -> int:
    """How many counts are wrong, on random requests; spelled, the answers would be longer than the word."""
    writes, values = len(core.letters) - len(core.stored), len(core.values)
    running, counts, wrong = started(core.layer, core.embedded, precision), np.zeros_like(core.stored), 0
    running.feed(np.zeros(1, dtype=np.int64))
    for begin in range(0, length, PIECE):
        piece = rng.integers(0, len(core.letters), min(PIECE, length - begin))
        answers = iter(core.counted(1 + piece, running.feed(1 + piece), precision))
        for letter in piece.tolist():
            if letter < writes:
                counts[divmod(letter, values)] += 1
            else:
                wrong += not np.array_equal(next(answers), counts[letter - writes])
    return wrong


def cell(program: attnc.Automaton | attnc.Memory, target: Target, length: int, precision: Precision) -> str:
    """One pair: its size, how many tokens were wrong, and seconds."""
    said = attnc.explain(program, target)
    if not said.expressible:
        return "no" if said.expressible is False else "?"
    began, rng = time.process_time(), np.random.default_rng(0)
    model = attnc.compile_to(program, target)
    if isinstance(model.core, Counts):
        wrong = wrong_counts(model.core, length, precision, rng)
    elif isinstance(model.core, LinearTransformer):
        keys, values, query = (rng.integers(-3, 4, (n, 16)) for n in (length, length, 1))
        wrong = int(not np.array_equal(model.recall(keys, values, query[0]), program.recall(keys, values, query[0])))
    else:
        letters = len(model.core.letters)
        word = (
            word_of(transitions(program), length, rng)
            if isinstance(program, attnc.Automaton)
            else rng.integers(0, letters, length)
        )
        pairs = zip(model.core.run(word, precision=precision), expected_of(program, word), strict=True)
        wrong = sum(shown != expected for shown, expected in pairs)
    return f"{len(model.layers)} layers, {wrong} wrong, {time.process_time() - began:.1f} s"


def main() -> None:
    """All pairs, and how many there are of each kind."""
    length = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    precision: Precision = sys.argv[2] if len(sys.argv) > 2 else "float32"  # type: ignore[assignment]
    counts = Counter[str]()
    print(f"{'program':17}", *(f"{target:26}" for target in TARGETS))
    for name in programs.names():
        program = attnc.load(name)
        if isinstance(program, attnc.Automaton | attnc.Memory):
            row = [cell(program, target, length, precision) for target in TARGETS]
            print(f"{name:17}", *(f"{each:26}" for each in row), flush=True)
            counts.update("right" if " 0 wrong" in each else "wrong" if "wrong" in each else each for each in row)
    print(f"{length:,} tokens, {precision}: {dict(counts)}")


if __name__ == "__main__":
    main()
