"""Words and runs of grammars: random ones that do not fail at once, and all short ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from compiler.program.grammar import Grammar
from compiler.program_to_rules.lowered_grammar import LoweredGrammar, letter
from compiler.program_to_rules.lowering import Turn

LIVELY = 0.95
"""How often a random symbol is one of those that do not fail."""
EVEN = 0.7
"""How often all symbols are as likely in a random word."""


def random_runs(lowering: LoweredGrammar, random: Generator, length: int) -> Iterator[list[Turn]]:
    """Runs on random words of less than `length` symbols, behind symbols to which nobody asks an answer."""
    alphabet = lowering.program.alphabet
    while True:
        prompt = random.integers(len(alphabet), size=int(random.integers(len(alphabet) + 1))).tolist()
        word = random_word(lowering.program, random, int(random.integers(length)))
        yield [*((letter(alphabet[number]), None) for number in prompt), *lowering.dialogue(word)]


def random_word(program: Grammar, random: Generator, length: int) -> tuple[str, ...]:
    """A word of at most `length` symbols, each nearly always one of those that the parser goes on with.

    It ends where there is none, and soon after one that it does not go on with. In some words all symbols are as
    likely, in the others some much more, in each word other ones, so that stacks get high.
    """
    drawn = random.exponential(size=len(program.alphabet)) ** (0 if random.random() < EVEN else 3)
    likely = dict(zip(program.alphabet, drawn.tolist(), strict=True))
    word: list[str] = []
    stack: list[str] | None = [program.start]
    while len(word) < length:
        lively = {} if stack is None else {each: program.after(stack, each) for each in program.alphabet}
        going_on = [each for each, after in lively.items() if after is not None]
        keeps = random.random() < (0.5 if stack is None else LIVELY)
        if keeps and not going_on:
            break
        choices = going_on if keeps else program.alphabet
        weights = np.array([likely[each] for each in choices])
        word.append(choices[int(random.choice(len(choices), p=weights / weights.sum()))])
        stack = lively.get(word[-1])
    return tuple(word)


def short_words(program: Grammar) -> Iterator[tuple[str, ...]]:
    """All words by length, then in the order of the alphabet, with at most one symbol behind the one that fails.

    What is answered to further symbols is the same.
    """
    level: list[tuple[tuple[str, ...], list[str] | None, bool]] = [((), [program.start], True)]
    while level:
        yield from (word for word, _, _ in level)
        level = [
            ((*word, symbol), None if stack is None else program.after(stack, symbol), stack is not None)
            for word, stack, lengthened in level
            if lengthened
            for symbol in program.alphabet
        ]
