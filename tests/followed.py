"""What an automaton shows, by following its transitions: the oracle of stacks and cascades."""

from collections.abc import Iterable

from compiler.fastweight.automata.transitions import Shown, Transitions


def shown(given: Transitions, word: Iterable[int]) -> list[Shown]:
    """What is shown before a word of letters, by number, and after each."""
    state, found = given.start, [given.first]
    for letter in word:
        found.append(given.shown[state][letter])
        state = given.moves[letter][state]
    return found
