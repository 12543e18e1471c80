"""A checker of stored proofs that finds nothing out: it only checks, over Python's integers. (docs/files.md)

Statement
    A proof that is accepted for some weights proves its claim about the layer y = sum_h V_h S Q_h z that these make, in
    exact arithmetic, under its *premises*.

What is trusted
    This module with `check_hull_proof` and `checking`, and Python; the reading of the files; and the premises: that the
    program's rules are those, or its runs made so. Whoever has the program makes them anew (`attnc verify PROGRAM MODEL
    --check`) and compares. Nothing of the verifier is used: no search, no floats, no numpy.

Proof
    rules       Equal p[a; {b, c}; e] are equal functions, and unequal ones differ on the tokens given. With `live` only
                pairs {b, c} count that some token has both of, and with `last` only e below it: no run can bring
                others to bear.
    run         The answer to the last of some tokens is computed by its definition, and is not the one that is wanted.
    hulls       See `verify.check_hull_proof`.
    domain      A run is `start`, then a walk from node 0 whose edges append their letter and their answer. With letter
                s last y is linear in the steps. If y is the answer at node 0, and each edge adds the answer at its
                target less that at its source, y is the answer after every walk (add along the walk). Refuted: the sum
                along the walk of a word is another answer.
    decisions   The score of token x is 2 x.y - |x|^2, and the token with the greatest is the nearest. For the right
                token t and another w the margin is a start value plus a value for each edge. On edges from a to b, and
                rounded down in units, w(e) - mu + pi(a) - pi(b) >= 0: so a walk of k edges to q adds at least
                k mu + pi(q) - pi(0), and no walk of few edges brings the margin to zero. Where this is not enough the
                least margin of k edges is computed for every k that the claim speaks of (with mu = 0: up to the number
                of nodes, as least sums then repeat no node). A word that fails is walked, and its margin is not
                positive; or its last token is read otherwise (entries above one half) than the program says. Where
                tokens are read by their names, one is read otherwise if another choice has the same embedding.
                With a tolerance T the answer is to be farther than T from what is as near to w: margins, integers, are
                to be above the integer part of 2 T |t - w|.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from math import isqrt
from typing import Any, NamedTuple

from compiler.files.proof_file import StoredProof
from verify.check_hull_proof import check_hulls
from verify.checking import (
    MOST_LENGTHS,
    Heads,
    Rejected,
    Vector,
    Weights,
    add,
    exact_tokens,
    must,
    number_of,
    rules_of,
    same,
    sum_of,
)


def check(stored: StoredProof, weights: Weights) -> str | None:
    """None for a proof of what it claims of `weights`, under its premises; else why it is none."""
    try:
        claim, premises = stored.claim, stored.premises
        if premises["dimension"] != weights.d:
            return "it is for layers of another dimension"
        if premises["kind"] == "rules":
            _check_rules(weights, claim, premises, stored.proof)
        elif premises["kind"] == "walks":
            _check_walks(weights, claim, premises, stored.proof)
        elif premises["kind"] == "guarded":
            check_hulls(weights, claim, premises, stored.proof)
        elif premises["kind"] == "run":
            _check_run(weights, claim, premises)
        else:
            return "its premises are of no known kind"
    except Rejected as reason:
        return str(reason)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        return f"it is malformed: {type(error).__name__} {error}"
    return None


# Rules.


def _check_rules(
    weights: Weights, claim: Mapping[str, Any], premises: Mapping[str, Any], proof: Mapping[str, Any]
) -> None:
    wanted: dict[tuple[int, ...], Fraction] = {}
    for e, b, c, a, weight in premises["rules"]:
        key = (e, min(b, c), max(b, c), a)
        wanted[key] = wanted.get(key, Fraction(0)) + number_of(weight)
    live = None
    if premises["live"] is not None:
        live = {pair for token in premises["live"] for pair in combinations_with_replacement(sorted(token), 2)}
    given = rules_of(weights, live)
    rest = {key: wanted.get(key, Fraction(0)) - given.get(key, Fraction(0)) for key in wanted | given}
    rest = {key: value for key, value in rest.items() if value and (live is None or key[1:3] in live)}
    last = premises.get("last", weights.d)
    rest = {key: value for key, value in rest.items() if key[0] < last}
    level, verdict = claim["level"], claim["verdict"]
    every = live is None and "last" not in premises
    must(level == ("everywhere" if every else "domain"), "rules do not speak of this level")
    if verdict == "proved":
        must(claim["lengths"] == "all" and not rest, "the rules of the weights are others")
        return
    must(verdict == "refuted" and live is None and claim["lengths"] is None, "rules do not show this")
    tokens = [[number_of(value) for value in token] for token in proof["tokens"]]
    must(all(len(token) == weights.d for token in tokens), "its tokens have another dimension")
    must(not any(tokens[-1][last:]), "its last token has what last tokens do not have")
    answer: dict[int, Fraction] = {}
    for (e, b, c, a), value in rest.items():
        memory = sum((token[b] * token[c] for token in tokens), Fraction(0))
        answer[a] = answer.get(a, Fraction(0)) + value * memory * tokens[-1][e]
    must(any(answer.values()), "both answer alike on its tokens")


# One run.


def _check_run(weights: Weights, claim: Mapping[str, Any], premises: Mapping[str, Any]) -> None:
    """The exact answer to the last token is not the one that is wanted."""
    kind = claim["verdict"], claim["level"], claim["lengths"]
    must(kind == ("refuted", "domain", None), "one run does not show this")
    tokens, below = exact_tokens([*premises["tokens"], premises["wanted"]], weights.d)
    wanted = tokens.pop()
    heads = Heads(weights)
    queries = heads.queries(tokens[-1])
    given = sum_of(heads.adds(token, queries) for token in tokens)
    scaled: Vector = {}
    add(scaled, wanted, heads.below * below**2)
    must(not same(given, scaled), "the answer to its last token is the one that is wanted")


# Walks.


class _Edge(NamedTuple):
    source: int
    letter: int
    answer: int
    target: int


class _Runs:
    """The premises of walks: integer tokens over `below`, edges, and the answer at each node to each letter."""

    def __init__(self, premises: Mapping[str, Any]) -> None:
        self.tokens, self.below = exact_tokens(premises["tokens"], premises["dimension"])
        self.start: list[int] = premises["start"]
        self.edges = [_Edge(*edge) for edge in premises["edges"]]
        self.nodes = 1 + max((max(edge.source, edge.target) for edge in self.edges), default=0)
        self.answers = {(edge.source, edge.letter): edge.answer for edge in self.edges}
        self.step = {(edge.source, edge.letter): number for number, edge in enumerate(self.edges)}
        self.letters = sorted({edge.letter for edge in self.edges})
        self.choices: list[int] = premises["choices"]
        must(len(self.answers) == len(self.edges) == self.nodes * len(self.letters), "a node lacks a letter")
        must({edge.answer for edge in self.edges} <= set(self.choices), "an answer is no choice")
        self.outputs: list[int] | None = premises["outputs"]
        self.says = {int(token): sorted(places) for token, places in premises["says"]}

    def read_alike(self, token: int) -> bool:
        """Whether what is set among the outputs is what the program says; without outputs, whether it is one answer."""
        vector = self.tokens[token]
        if self.outputs is None:
            return token not in self.choices or sum(same(vector, self.tokens[other]) for other in self.choices) == 1
        return sorted(place for place in self.outputs if 2 * vector.get(place, 0) > self.below) == self.says[token]

    def walk(self, word: Iterable[int]) -> list[int]:
        """The numbers of the edges of a word."""
        node, found = 0, []
        for letter in word:
            number = self.step[node, letter]
            found.append(number)
            node = self.edges[number].target
        return found

    def first_seen(self) -> dict[int, int]:
        """The least length of a word whose run has each token that is read; those of the start at 0."""
        depth, queue = {0: 0}, [0]
        seen = dict.fromkeys(self.start, 0)
        for node in queue:
            for letter in self.letters:
                edge = self.edges[self.step[node, letter]]
                seen.setdefault(edge.answer, depth[node] + 1)
                if edge.target not in depth:
                    depth[edge.target] = depth[node] + 1
                    queue.append(edge.target)
        return seen


class _Layer:
    """What tokens contribute to answers, as integers over one denominator."""

    def __init__(self, weights: Weights, runs: _Runs) -> None:
        self.runs = runs
        self.heads = Heads(weights)
        self.below = self.heads.below * runs.below**3

    def answers(self, letter: int) -> tuple[Vector, list[Vector]]:
        """With `letter` last: the answer after no step, and what each edge adds."""
        tokens = self.runs.tokens
        queries = self.heads.queries(tokens[letter])
        used = {*self.runs.start, letter, *(token for edge in self.runs.edges for token in edge[1:3])}
        each = {token: self.heads.adds(tokens[token], queries) for token in used}
        start = sum_of(each[token] for token in [*self.runs.start, letter])
        return start, [sum_of([each[edge.letter], each[edge.answer]]) for edge in self.runs.edges]


def _check_walks(
    weights: Weights, claim: Mapping[str, Any], premises: Mapping[str, Any], proof: Mapping[str, Any]
) -> None:
    runs = _Runs(premises)
    layer = _Layer(weights, runs)
    if claim["level"] == "domain":
        if claim["verdict"] == "refuted":
            must(claim["lengths"] is None, "this is not what a word shows")
            _check_difference(layer, proof["word"])
            return
        must(claim["verdict"] == "proved" and claim["lengths"] == "all", "this is not what walks prove")
        must(all(map(runs.read_alike, runs.first_seen())), "a token is read otherwise")
        for letter in runs.letters:
            _check_equal(layer, letter)
        return
    must(claim["level"] == "decisions" and claim["verdict"] in ("proved", "refuted"), "walks do not speak of this")
    lengths = claim["lengths"]
    must(lengths in ("all", None) or (type(lengths) is int and lengths >= 0), "its lengths are none")
    tolerance = number_of(claim.get("tolerance", 0))
    must(tolerance >= 0, "a tolerance is not below zero")
    if lengths is not None:
        misread = [length for token, length in runs.first_seen().items() if not runs.read_alike(token)]
        must(not misread or (lengths != "all" and lengths < min(misread)), "a token is read otherwise")
        for letter in runs.letters:
            _check_margins(layer, letter, lengths, proof["witnesses"][str(letter)], tolerance)
    if claim["verdict"] == "refuted":
        must(lengths != "all" and len(proof["word"]) == (0 if lengths is None else lengths + 1), "no least word")
        _check_failure(layer, proof["word"], tolerance)
    else:
        must(lengths is not None, "nothing is claimed")


def _check_equal(layer: _Layer, letter: int) -> None:
    """The answers to `letter` are the program's after every walk."""
    runs = layer.runs
    ratio = layer.below // runs.below
    start, edges = layer.answers(letter)
    answer = [{n: ratio * x for n, x in runs.tokens[runs.answers[node, letter]].items()} for node in range(runs.nodes)]
    must(same(start, answer[0]), "the answer at the start is another")
    for edge, given in zip(runs.edges, edges, strict=True):
        wanted = dict(answer[edge.target])
        add(wanted, answer[edge.source], -1)
        must(same(given, wanted), "what an edge adds to an answer is something else")


def _scores(layer: _Layer, letter: int) -> dict[int, list[int]]:
    """For each choice what each edge adds to its score, and last its score after no step, over one denominator."""
    runs = layer.runs
    start, edges = layer.answers(letter)
    found = {}
    for token in runs.choices:
        vector = [(n, 2 * runs.below * x) for n, x in runs.tokens[token].items()]
        scores = [sum(x * answer.get(n, 0) for n, x in vector) for answer in (*edges, start)]
        scores[-1] -= layer.below * sum(x * x for x in runs.tokens[token].values())
        found[token] = scores
    return found


def _allowance(layer: _Layer, t: int, w: int, tolerance: Fraction) -> int:
    """What the margin of t over w is to be above, over the denominator of scores."""
    one, other = layer.runs.tokens[t], layer.runs.tokens[w]
    square = sum((one.get(n, 0) - other.get(n, 0)) ** 2 for n in one.keys() | other.keys())
    exact = (2 * tolerance * layer.below * layer.runs.below) ** 2 * square
    return isqrt(exact.numerator // exact.denominator)


def _check_margins(
    layer: _Layer, letter: int, lengths: int | str, witnesses: Mapping[str, Any], tolerance: Fraction
) -> None:
    """The right answers to `letter` are preferred to all others, on words of up to `lengths`."""
    runs, scores = layer.runs, _scores(layer, letter)
    unit = number_of(witnesses["unit"]) * layer.below * runs.below**2
    must(unit > 0, "a unit is positive")
    given = {(t, w): (mu, pi) for t, w, mu, pi in witnesses["margins"]}
    for t in {runs.answers[node, letter] for node in range(runs.nodes)}:
        ends = [node for node in range(runs.nodes) if runs.answers[node, letter] == t]
        numbers = _edges_to(runs, ends)
        walks = [runs.edges[n][::3] for n in numbers]
        for w in runs.choices:
            if w == t:
                continue
            mu, pi = given[t, w]
            must(len(pi) == runs.nodes and all(type(x) is int for x in (mu, *pi)), "a witness is made of integers")
            margin = [scores[t][n] - scores[w][n] for n in (*numbers, -1)]
            margin[-1] -= _allowance(layer, t, w, tolerance)
            for (a, b), exact in zip(walks, margin, strict=False):
                must(_floor(exact, unit) - mu + pi[a] - pi[b] >= 0, "a witness fails on an edge")
            slack = _floor(margin[-1], unit) + min(pi[q] for q in ends) - pi[0]
            if slack > 0 and (mu >= 0 or (lengths != "all" and -(-slack // -mu) >= int(lengths))):
                continue
            must(mu >= 0 or lengths != "all", "a margin may fall without end")
            most = runs.nodes if lengths == "all" else min(int(lengths), runs.nodes if mu >= 0 else int(lengths))
            must(most <= MOST_LENGTHS, "it speaks of more lengths than are looked at one by one")
            for least in _least_margins(walks, margin, ends, most):
                must(least > 0, "a margin is not positive within the lengths that are claimed")


def _floor(value: int, unit: Fraction) -> int:
    return value * unit.denominator // unit.numerator


def _edges_to(runs: _Runs, ends: Sequence[int]) -> list[int]:
    """The numbers of the edges on walks to some node of `ends`."""
    before: dict[int, list[int]] = {}
    for edge in runs.edges:
        before.setdefault(edge.target, []).append(edge.source)
    reaching, queue = set(ends), list(ends)
    for node in queue:
        for source in before.get(node, ()):
            if source not in reaching:
                reaching.add(source)
                queue.append(source)
    return [number for number, edge in enumerate(runs.edges) if edge.target in reaching]


def _least_margins(
    walks: Sequence[tuple[int, ...]], margin: Sequence[int], ends: Sequence[int], most: int
) -> Iterator[int]:
    """The least margins of walks of 0, 1, ... edges, fewer than `most`."""
    reached = {0: margin[-1]}
    for _ in range(most):
        yield from (reached[q] for q in ends if q in reached)
        after: dict[int, int] = {}
        for (a, b), weight in zip(walks, margin, strict=False):
            if a in reached and (b not in after or reached[a] + weight < after[b]):
                after[b] = reached[a] + weight
        reached = after


def _check_difference(layer: _Layer, word: Sequence[int]) -> None:
    """The last answer on `word` is not the program's, or its last token is read otherwise."""
    runs = layer.runs
    path = runs.walk(word)
    last = runs.edges[path[-1]].answer if path else runs.start[-1]
    if not runs.read_alike(last):
        return
    must(bool(path), "the empty word shows no difference")
    start, edges = layer.answers(word[-1])
    given = sum_of([start, *(edges[number] for number in path[:-1])])
    wanted: Vector = {}
    add(wanted, runs.tokens[last], layer.below // runs.below)
    must(not same(given, wanted), "the last answer on its word is the program's")


def _check_failure(layer: _Layer, word: Sequence[int], tolerance: Fraction) -> None:
    """The last decision on `word` is wrong, or its last token is read otherwise."""
    runs = layer.runs
    path = runs.walk(word)
    last = runs.edges[path[-1]].answer if path else runs.start[-1]
    if not runs.read_alike(last):
        return
    must(bool(path), "the empty word does not fail")
    scores = _scores(layer, word[-1])
    total = {token: score[-1] + sum(score[n] for n in path[:-1]) for token, score in scores.items()}
    fails = (total[last] - total[w] <= _allowance(layer, last, w, tolerance) for w in runs.choices if w != last)
    must(any(fails), "its word does not fail")
