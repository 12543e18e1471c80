"""The horizon: up to which length a model decides as the program, exactly, and the least word on which it fails.

Claim and proof. While all decisions are right, the tokens of the model's run are those of the program's, so the first
failure of a run that feeds back its decisions is a failure on the program's own run. After the last letter s in state q
the program answers t; the model fails there if some other token w scores at least as much, and the margin of t over w
is a start value plus a value for each edge of the walk to q (`verify.margins`). So the least length at which a word
fails is 1 + the least number of edges of such a walk, over all (s, t, w). For each there is a witness (mu, pi), checked
on every edge, that no walk with fewer than so many edges fails (`verify.cycle_means`). In the order of these bounds the
exact length is searched, until the bound of the next is beyond the least found. Margins are rounded down in the search,
so a length that is found too early is noticed: its words are tried over the integers, and the search goes on.
Beyond `MOST_STEPS` a walk of the least length repeats one cycle, and is computed (`verify.long_walks`).

With a tolerance every margin is less by its allowance (`verify.margins`), and the same claims hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.domain.token_graph import TokenGraph
from compiler.errors import UnsupportedError
from verify.answers import Answers
from verify.cycle_means import FAR, NEVER, all_least_steps, difference, first_steps, witness
from verify.long_walks import LongWalk, Walks, fewest_steps, least_long_walk, turns
from verify.margins import Floors, Scores, allowances, answer_tokens, floors, scores
from verify.same_on_domain import Word, word_order

MOST_STEPS = 100_000
"""Walks of up to so many edges are searched; longer ones are computed if that is enough for it."""

MOST_WORK = 2 * 10**10
"""The most steps of the search for bounds, about a nanosecond each."""


class Horizon(NamedTuple):
    """Up to which length all decisions are right.

    Attributes
    ----------
    lengths
        The greatest length at which every decision on every word is right; None: at every length.
    word
        The least word that fails, of length `lengths` + 1; None where there is none, or it is too long to search for,
        and `lengths` is then a lower bound.
    repeated
        For a word that is too long to list: the letters word[begin:end] stand there so many times. It is then *a* word
        of the least length, not the first of these in the order of the alphabet.
    """

    lengths: int | None
    word: Word | None
    repeated: Repeated | None = None


class Repeated(NamedTuple):
    """The letters from `begin` to before `end` of a word stand there `times` times, not once."""

    begin: int
    end: int
    times: int


class _Question(NamedTuple):
    """The margin of token t over w after a letter: walks to `ends`, edges by number, in the order of the alphabet."""

    symbol: str
    t: int
    w: int
    ends: NDArray[np.int64]
    edges: NDArray[np.int64]


def few_margins(graph: TokenGraph) -> bool:
    """Whether there are few enough margins to decide."""
    nodes, tokens = len(graph.words), len(answer_tokens(graph))
    return len(graph.lasts) * min(nodes, tokens) * tokens * len(graph.edges) * nodes <= MOST_WORK


class Decisions:
    """The decisions of a model over the walks of a token graph. Raises UnsupportedError where they are too many."""

    def __init__(self, graph: TokenGraph, answers: Callable[[str], Answers], tolerance: Fraction = Fraction(0)) -> None:
        if not few_margins(graph):
            size = f"{len(graph.words):,} states and {len(graph.lasts):,} letters"
            raise UnsupportedError(f"the decisions of an automaton of {size} are too many for this version")
        self.graph = graph
        self.tokens = answer_tokens(graph)
        nodes = {node: number for number, node in enumerate(graph.words)}
        self.start = nodes[graph.start]
        self.source = np.array([nodes[edge.source] for edge in graph.edges], dtype=np.int64)
        self.target = np.array([nodes[edge.target] for edge in graph.edges], dtype=np.int64)
        self.nodes = list(nodes)
        vectors = graph.vectors[self.tokens]
        self.scores: dict[str, Scores] = {symbol: scores(answers(symbol), vectors) for symbol in graph.lasts}
        self.allowances = {s: allowances(vectors, each.below, tolerance) for s, each in self.scores.items()}
        self.floors: dict[str, Floors] = {
            symbol: floors(each, self.allowances[symbol], len(nodes)) for symbol, each in self.scores.items()
        }

    def horizon(self) -> Horizon:
        """The horizon, and the least word that fails."""
        found, beyond = MOST_STEPS + 1, int(NEVER)
        failing: list[_Question] = []
        bounds = sorted(self._bounds(), key=lambda each: each[0])
        for bound, question in bounds:
            if bound > min(found, MOST_STEPS):
                beyond = min(beyond, bound)
                break
            steps = self._first(question, min(found, MOST_STEPS))
            if steps > min(found, MOST_STEPS):
                beyond = min(beyond, steps)
            else:
                failing = [*failing, question] if steps == found else [question]
                found = steps
        if failing:
            words = (self._least_word(question, found) for question in failing)
            return Horizon(found, min(words, key=word_order(self.graph)))
        if beyond == NEVER:
            return Horizon(None, None)
        return self._beyond([each for each in bounds if each[0] < NEVER]) or Horizon(beyond, None)

    def _beyond(self, bounds: Sequence[tuple[int, _Question]]) -> Horizon | None:
        """The horizon where all walks of up to `MOST_STEPS` edges are right; None where the nodes are too many."""
        if 2 * turns(len(self.nodes)) > MOST_STEPS:
            return None
        least: tuple[LongWalk, _Question] | None = None
        queue = [(bound, number, False) for number, (bound, _) in enumerate(bounds)]
        while queue:
            bound, number, fine = heappop(queue)
            if least is not None and bound >= least[0].steps:
                break
            question = bounds[number][1]
            base, weights = self._margins(question)
            source, target = (each[question.edges].tolist() for each in (self.source, self.target))
            walks, ends = Walks(len(self.nodes), source, target, weights), question.ends.tolist()
            if not fine:
                if (finer := fewest_steps(walks, self.start, base, ends)) is not None:
                    heappush(queue, (max(bound, finer), number, True))
                continue
            walk = least_long_walk(walks, self.start, base, ends, MOST_STEPS)
            if walk is not None and (least is None or walk.steps < least[0].steps):
                least = walk, question
        if least is None:
            return Horizon(None, None)
        return self._long_word(*least)

    def _long_word(self, walk: LongWalk, question: _Question) -> Horizon:
        letters = [self.graph.edges[e].symbol for e in question.edges[[*walk.before, *walk.cycle, *walk.after]]]
        repeated = Repeated(len(walk.before), len(walk.before) + len(walk.cycle), walk.times)
        return Horizon(walk.steps, (*letters, question.symbol), repeated)

    def _bounds(self) -> Iterator[tuple[int, _Question]]:
        """For every margin a lower bound on the edges of a walk on which it is not positive."""
        for question in self._questions():
            rounded, rows = self.floors[question.symbol], np.append(question.edges, len(self.source))
            walks = self.start, self.source[question.edges], self.target[question.edges]
            found = all_least_steps(*walks, rows, *rounded[:3], question.ends, question.t, len(self.nodes))
            for w, bound in enumerate(found.tolist()):
                if w != question.t:
                    yield bound, question._replace(w=w)

    def _questions(self) -> Iterator[_Question]:
        """A letter with each of its right answers; w is left open."""
        number = {int(token): place for place, token in enumerate(self.tokens)}
        for symbol in self.floors:
            by_answer: dict[int, list[int]] = {}
            for place, node in enumerate(self.nodes):
                by_answer.setdefault(number[self.graph.answer(node, symbol)], []).append(place)
            for t, ends in by_answer.items():
                yield _Question(symbol, t, t, np.array(ends, dtype=np.int64), self._edges_to(ends))

    def witnesses(self) -> dict[str, dict[str, Any]]:
        """For each letter the unit of its margins, and for tokens t and w, by number, mu and pi: docs/files.md."""
        found: dict[str, dict[str, Any]] = {
            s: {"unit": self._unit(s), "margins": []} for s, each in self.floors.items()
        }
        names = self.tokens.tolist()
        for question in self._questions():
            for w in range(len(names)):
                if w != question.t:
                    mu, pi, *_ = self._witness(question._replace(w=w))
                    found[question.symbol]["margins"].append([names[question.t], names[w], mu, pi.tolist()])
        return found

    def _unit(self, symbol: str) -> str:
        """The unit of the rounded margins after a letter, as a fraction n/d."""
        exact = Fraction(self.floors[symbol].unit, self.scores[symbol].below)
        return f"{exact.numerator}/{exact.denominator}"

    def _witness(self, question: _Question) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
        """Mu and pi (n,) of a margin, and its weights, rounded down, the start's last."""
        rounded, edges, n = self.floors[question.symbol], question.edges, len(self.nodes)
        weights, pi = np.empty(len(edges) + 1, dtype=np.int64), np.empty(n, dtype=np.int64)
        difference(*rounded[:2], question.t, question.w, np.append(edges, len(self.source)), weights)
        weights[-1] -= rounded.allowances[question.t, question.w]
        mu = witness(self.source[edges], self.target[edges], weights[:-1], pi, np.empty((n + 1, n)))
        return int(mu), pi, weights

    def _edges_to(self, ends: list[int]) -> NDArray[np.int64]:
        """The edges on walks to some node of `ends`."""
        reaches = np.zeros(len(self.nodes), dtype=np.bool_)
        reaches[ends] = True
        while True:
            before = reaches.sum()
            reaches[self.source[reaches[self.target]]] = True
            if reaches.sum() == before:
                return np.flatnonzero(reaches[self.target])

    def _first(self, question: _Question, most: int) -> int:
        """The least number of edges of a walk on which the margin is not positive, if at most `most`; else a bound."""
        mu, pi, weights = self._witness(question)
        edges, n = question.edges, len(self.nodes)
        walks = self.source[edges], self.target[edges], weights[:-1]
        limit = min(most, int(FAR) // -mu if mu < 0 else n)  # without negative cycles least sums repeat no node
        steps = int(first_steps(self.start, *walks, weights[-1], question.ends, mu, pi, limit))
        if steps < 0 and (mu >= 0 or limit == most):
            return int(NEVER) if mu >= 0 and limit == n else most + 1
        if steps >= 0 and self.floors[question.symbol].exact:
            return steps
        return next((k for k, left in self._exactly(question, most) if k >= steps and left <= 0), most + 1)

    def _exactly(self, question: _Question, most: int) -> Iterator[tuple[int, int]]:
        """For k = 0, 1, ... the least margin over the walks of k edges, over the integers."""
        base, weights = self._margins(question)
        walks = list(
            zip(self.source[question.edges].tolist(), self.target[question.edges].tolist(), weights, strict=True)
        )
        ends, reached = question.ends.tolist(), {self.start: base}
        for k in range(most + 1):
            least = [reached[q] for q in ends if q in reached]
            if least:
                yield k, min(least)
            after: dict[int, int] = {}
            for a, b, weight in walks:
                if a in reached and (b not in after or reached[a] + weight < after[b]):
                    after[b] = reached[a] + weight
            reached = after

    def _margins(self, question: _Question) -> tuple[int, list[int]]:
        """The margin at the start, less the allowance, and what each edge of the question adds, over the integers."""
        exact, t, w = self.scores[question.symbol], question.t, question.w
        added = exact.edges[question.edges, t] - exact.edges[question.edges, w]
        base = exact.start[t] - exact.start[w] - self.allowances[question.symbol][t, w]
        return int(base), [int(value) for value in added.tolist()]

    def _least_word(self, question: _Question, steps: int) -> Word:
        """The least word by the alphabet whose walk has `steps` edges and no positive margin."""
        base, weights = self._margins(question)
        out: dict[int, list[tuple[int, int, int]]] = {}
        for number, weight in zip(question.edges.tolist(), weights, strict=True):
            out.setdefault(int(self.source[number]), []).append((number, int(self.target[number]), weight))
        left = [dict.fromkeys(question.ends.tolist(), 0)]
        for _ in range(steps):
            last = left[-1]
            sums = {node: [weight + last[b] for _, b, weight in edges if b in last] for node, edges in out.items()}
            left.append({node: min(each) for node, each in sums.items() if each})
        word, node, total = [], self.start, base
        for rest in reversed(left[:-1]):
            number, node, weight = next(
                each for each in out[node] if each[1] in rest and total + each[2] + rest[each[1]] <= 0
            )
            total += weight
            word.append(self.graph.edges[number].symbol)
        return (*word, question.symbol)
