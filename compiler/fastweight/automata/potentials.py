"""What additive layers can tell apart within a component of an automaton: potentials, and nothing else.

A layer that only adds (a linear Transformer, whatever its feature map, with or without a normaliser) compares linear
functionals of its fast weights with thresholds: sums, over the positions so far, of weights of the tokens there. On a
strongly connected component C of the automaton such a sum follows the state if it is a *potential*: h(s a) = h(s) + w
for each move from s by a inside C, with w a function of the token. Tokens of the first layer are letters. Classes of
states that its potentials tell apart go into the tokens of the next layer, which has more potentials; and so on, to a
last partition.

Claim. A stack of additive layers with position-wise decoding between them, one token a letter and exact sums, can show
what the (least) automaton shows if and only if the last partition of each component is discrete.

Proof of "only if". Given a stack, a component C, states p, q in one class of its last partition, some state r of C,
and a length K. There is a word u from r to r such that all digits of all layers at the next K positions are functions
of letter and class there. For the first layer take a loop v at r on which all of its functionals are other than zero
that are not zero on all loops. (Sums over loops are linear, and hyperplanes, finitely many, do not cover the cone of
loops.) Those that are zero on all loops are potentials, up to a constant: their digits are functions of the class.
Each other one, at each place of v, only rises or only falls as v is repeated, and passes each of its thresholds once
at most. So among sufficiently many repetitions, how many does not depend on what came before, there is a stretch
without any passage so long that K letters from its middle on do not bring one about. For the next layer the tokens are
now letters with classes, for as many positions as we like (K was any length); the same argument gives a loop for that
layer, and so on. Now let x and y lead from r to p and to q. Potentials agree after u x and u y, as p and q are of one
class in all partitions. So, letter by letter and layer by layer, any further word z finds the same sums, but for those
that are beyond their thresholds, hence the same digits, and shows the same, be it inside C or on a way out of it. But
p and q are different states of the least automaton, so some z shows something else after them.

The construction in `compiler.fastweight.automata.additive` proves "if". In a component without a way out every letter,
repeated, comes to a cycle, so its weight is zero, and there are no potentials: two states there are too many. So it is
with counting modulo n, and with the last of two letters, among others that do not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, count
from math import gcd
from operator import mul
from random import Random
from typing import NamedTuple

import networkx
from flint import fmpz_mat

from compiler.fastweight.automata.transitions import Transitions


class Potential(NamedTuple):
    """A sum that follows the state within a component.

    Attributes
    ----------
    weights
        For each letter and class of the state before, what is added.
    heights
        For each state its height above the first state of the component.
    classes
        For each state its class afterwards: states of the same height.
    """

    weights: dict[tuple[int, int], int]
    heights: dict[int, int]
    classes: dict[int, int]

    @property
    def at(self) -> dict[int, int]:
        """The class at each height."""
        return {height: self.classes[state] for state, height in self.heights.items()}


def components(given: Transitions) -> list[list[int]]:
    """The strongly connected components, each in the order of its states, what leads to others first."""
    graph = networkx.DiGraph((state, there) for move in given.moves for state, there in enumerate(move))
    order = networkx.condensation(graph)
    return [sorted(order.nodes[number]["members"]) for number in networkx.topological_sort(order)]


def refined(given: Transitions, members: Sequence[int]) -> list[Potential]:
    """Potentials of a component, each with the classes of the one before, until they tell no more states apart."""
    found: list[Potential] = []
    classes = dict.fromkeys(members, 0)
    while max(classes.values()) + 1 < len(members):
        potential = _potential(given, members, classes)
        if max(potential.classes.values()) == max(classes.values()):
            break
        found.append(potential)
        classes = potential.classes
    return found


def not_told_apart(given: Transitions) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Words x, y to states of one last class of a component, and z after which they show different things.

    The shortest that are found; raises ValueError where there are none.
    """
    words = _words(given)
    for members in components(given):
        potentials = refined(given, members)
        classes = potentials[-1].classes if potentials else dict.fromkeys(members, 0)
        for p, q in combinations(members, 2):
            if classes[p] == classes[q]:
                return words[p], words[q], _telling(given, p, q)
    raise ValueError("potentials tell all states apart")


def _words(given: Transitions) -> dict[int, tuple[int, ...]]:
    """A shortest word to each state."""
    found: dict[int, tuple[int, ...]] = {given.start: ()}
    for state in (queue := [given.start]):
        for letter, move in enumerate(given.moves):
            if move[state] not in found:
                found[move[state]] = (*found[state], letter)
                queue.append(move[state])
    return found


def _telling(given: Transitions, p: int, q: int) -> tuple[int, ...]:
    """A shortest word whose last letter shows different things after two different states."""
    queue: list[tuple[int, int, tuple[int, ...]]] = [(p, q, ())]
    known = {(p, q)}
    for one, other, word in queue:
        for letter, move in enumerate(given.moves):
            if given.shown[one][letter] != given.shown[other][letter]:
                return (*word, letter)
            if (pair := (move[one], move[other])) not in known:
                known.add(pair)
                queue.append((*pair, (*word, letter)))
    raise ValueError(f"states {p} and {q} show the same")


def _potential(given: Transitions, members: Sequence[int], classes: dict[int, int]) -> Potential:
    """A potential that tells apart what any does whose tokens are letters with these classes."""
    inside = [(s, a, move[s]) for a, move in enumerate(given.moves) for s in members if move[s] in classes]
    tokens = {token: n for n, token in enumerate(sorted({(a, classes[s]) for s, a, _ in inside}))}
    place = {state: n for n, state in enumerate(members)}
    rows = [[0] * (len(members) + len(tokens)) for _ in range(len(inside) + 1)]
    for row, (s, a, there) in zip(rows, inside, strict=False):
        row[place[there]] += 1
        row[place[s]] -= 1
        row[len(members) + tokens[a, classes[s]]] -= 1
    rows[-1][0] = 1  # the first state has height 0
    solutions = _kernel(rows)
    told_apart = len(set(zip(*(each[: len(members)] for each in solutions), strict=True))) if solutions else 1
    for tried in count():
        factors = [_factor(tried, n) for n in range(len(solutions))]
        mixed = [sum(map(mul, factors, each)) for each in zip(*solutions, strict=True)] or [0] * len(rows[0])
        heights = dict(zip(members, mixed, strict=False))
        if len(set(heights.values())) == told_apart:
            break
    numbers = {height: n for n, height in enumerate(dict.fromkeys(heights.values()))}
    weights = {token: mixed[len(members) + n] for token, n in tokens.items()}
    return Potential(weights, heights, {state: numbers[height] for state, height in heights.items()})


def _factor(tried: int, place: int) -> int:
    """A small integer, the same every time, less small after many trials: some mixture tells all classes apart."""
    most = int(2 ** (tried / 100))
    return Random(1_000 * tried + place).randint(-most, most)


def _kernel(rows: list[list[int]]) -> list[list[int]]:
    """A basis, in integers, of the vectors that all rows are orthogonal to."""
    columns, count = fmpz_mat(rows).nullspace()
    basis = [[int(value) for value in vector] for vector in columns.transpose().tolist()[:count]]
    return [[value // gcd(*vector) for value in vector] for vector in basis]
