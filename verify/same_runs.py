"""Programs against programs: two automata have the same runs, by the product construction.

Pairs of states that the same word leads to are visited breadth first, letters in the order of the alphabet, so the
first pair whose outputs or outcomes differ gives the least counterexample (Hopcroft and Ullman, section 3.4).
"""

from __future__ import annotations

from compiler.errors import ProgramError
from compiler.program.automaton import Automaton
from compiler.program.run import Run

Pair = tuple[str | None, str | None]


def shortest_disagreement(left: Automaton, right: Automaton) -> tuple[str, ...] | None:
    """The least word on which outcome or output differ; None where there is none, at any length.

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
    if _shown(left, None, None, left.start) != _shown(right, None, None, right.start):
        return ()
    words: dict[Pair, tuple[str, ...]] = {begin: ()}
    queue = [begin]
    for p, q in queue:
        for symbol in left.alphabet:
            pair = left.step(p, symbol), right.step(q, symbol)
            word = (*words[p, q], symbol)
            if _shown(left, p, symbol, pair[0]) != _shown(right, q, symbol, pair[1]):
                return word
            if pair not in words:
                words[pair] = word
                queue.append(pair)
    return None


def _shown(automaton: Automaton, state: str | None, symbol: str | None, target: str | None) -> tuple[str, str | None]:
    return automaton.outcome(target), automaton.emitted(state, symbol, target)


def described(run: Run) -> str:
    """A run's outcome and output, for a counterexample."""
    return run.outcome + (f", output {', '.join(run.output)}" if run.output else "")
