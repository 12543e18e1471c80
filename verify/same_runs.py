"""Programs against programs: two automata have the same runs, by the product construction.

Pairs of states that the same word leads to are visited breadth first, letters in the order of the alphabet, so the
first pair whose outputs or outcomes differ gives the least counterexample (Hopcroft and Ullman, section 3.4).
"""

from __future__ import annotations

from typing import NamedTuple

from compiler.errors import ProgramError
from compiler.program.automaton import Automaton
from compiler.program.run import Run

Pair = tuple[str | None, str | None]


class SameRuns(NamedTuple):
    """The least word on which outcome or output differ, None where there is none, and the pairs that were visited.

    None as a state stands for the place behind a missing transition.
    """

    word: tuple[str, ...] | None
    pairs: tuple[Pair, ...]


def same_runs(left: Automaton, right: Automaton) -> SameRuns:
    """Whether two automata have the same runs on all words, at any length.

    Raises
    ------
    ProgramError
        Where the alphabets differ, so that there are no common words to compare on.
    """
    if set(left.alphabet) != set(right.alphabet):
        raise ProgramError(
            f"{left.name} reads {', '.join(left.alphabet)} and {right.name} reads {', '.join(right.alphabet)}: "
            "programs are compared over the same alphabet"
        )
    begin: Pair = (left.start, right.start)
    if shown(left, None, None, left.start) != shown(right, None, None, right.start):
        return SameRuns((), (begin,))
    words: dict[Pair, tuple[str, ...]] = {begin: ()}
    queue = [begin]
    for p, q in queue:
        for symbol in left.alphabet:
            pair = left.step(p, symbol), right.step(q, symbol)
            word = (*words[p, q], symbol)
            if shown(left, p, symbol, pair[0]) != shown(right, q, symbol, pair[1]):
                return SameRuns(word, tuple(queue))
            if pair not in words:
                words[pair] = word
                queue.append(pair)
    return SameRuns(None, tuple(queue))


def shown(automaton: Automaton, state: str | None, symbol: str | None, target: str | None) -> tuple[str, str | None]:
    """What a step shows: the outcome of a word that ends with it, and what it emits; without symbol, of the start."""
    return automaton.outcome(target), automaton.emitted(state, symbol, target)


def described(run: Run) -> str:
    """A run's outcome and output, for a counterexample."""
    return run.outcome + (f", output {', '.join(run.output)}" if run.output else "")
