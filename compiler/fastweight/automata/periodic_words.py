"""Words that take states around in circles: what makes an automaton periodic, and so needs more than decay.

A transition monoid is *aperiodic* if no word takes some state to others and back, q -> q w -> q w w -> ... -> q with
q w different from q (Schuetzenberger 1965; McNaughton and Papert 1971: these are the star-free languages).
"""

from __future__ import annotations

from compiler.fastweight.automata.holonomy import Holonomy, holonomy
from compiler.fastweight.automata.transitions import Transitions

MOST_ELEMENTS = 20_000
"""So many elements of the transition monoid are looked at, shorter words first."""

Word = tuple[int, ...]


def periodic_word(given: Transitions) -> Word | None:
    """A word that takes some state around in a circle; None for aperiodic transitions. Raises TooLargeError.

    It is the least by length, then in the order of the alphabet, unless the monoid has too many elements before it.
    """
    identity = tuple(range(given.size))
    queue: list[tuple[Word, Word]] = [(identity, ())]
    known = {identity}
    for element, word in queue:
        for letter, move in enumerate(given.moves):
            after = tuple(move[state] for state in element)
            if circle(after):
                return (*word, letter)
            if after not in known:
                if len(known) == MOST_ELEMENTS:
                    return _by_holonomy(given, holonomy(given.moves))
                known.add(after)
                queue.append((after, (*word, letter)))
    return None


def _by_holonomy(given: Transitions, sets: Holonomy) -> Word | None:
    """A letter that takes an image P to an equivalent one, with ways there and back, or the way there and back alone.

    If the transitions are periodic, some letter permutes tiles (`compiler.fastweight.automata.holonomy`). With f and g
    the words from the representative R to P and to P a, and b one from P a back to R, the words g b and f a b permute
    R; if both were the identity on R, so were a between the tiles of P and of P a, as these are numbered.
    """
    for image, (representative, _, word) in sets.places.items():
        for letter in range(len(given.moves)):
            there = sets.moved(image, letter)
            if sets.places[there].representative != representative or not _permutes(sets, image, letter):
                continue
            back = _way(sets, there, representative)
            states = [state for state in range(given.size) if representative >> state & 1]
            for circled in ((*sets.places[there].word, *back), (*word, letter, *back)):
                if any(given.after(state, circled) != state for state in states):
                    return circled
    return None


def _permutes(sets: Holonomy, image: int, letter: int) -> bool:
    """Whether a letter takes the tiles of an image to those of an equivalent one with other numbers."""
    moved = tuple(sets.moved(tile, letter) for tile in sets.tiles(image))
    return moved != sets.tiles(sets.moved(image, letter))


def _way(sets: Holonomy, begin: int, end: int) -> Word:
    """A shortest word that takes one set onto another, which there must be."""
    words: dict[int, Word] = {begin: ()}
    for image in (queue := [begin]):
        for letter in range(len(sets.moves)):
            there = sets.moved(image, letter)
            if there not in words:
                words[there] = (*words[image], letter)
                queue.append(there)
        if end in words:
            break
    return words[end]


def circle(move: Word) -> bool:
    """Whether a map of states takes some state around in a circle of at least two."""
    state = set(range(len(move)))
    while len(kept := {move[each] for each in state}) < len(state):
        state = kept
    return any(move[each] != each for each in state)
