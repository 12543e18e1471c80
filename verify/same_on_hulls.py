"""Domain of memories and machines: a model answers as the program on every configuration that the program can reach.

With the last token fixed, the model's answer is linear in the token counts, and under the guards of a branch the
program's is one token (or linear as well). So they agree on all that is reachable if they agree on what spans it: the
configurations of all runs, where these can all be taken; else hulls that are closed under the steps of the program
(`domain.hulls`), a superset; of a machine first those with histories (`domain.histories`), within the spans of its free
runs. Where they disagree on that, a run is looked for that shows it, shortest inputs first; a difference that no run
shows leaves the question undecided, unless all inputs have been tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from itertools import product as choices
from typing import Any, NamedTuple

import numpy as np

from compiler.domain.closing import closed
from compiler.domain.forks import Fork, Split, forks_of, split
from compiler.domain.grammar_runs import short_words
from compiler.domain.guarded import system_of
from compiler.domain.histories import on_own_inputs
from compiler.domain.hulls import Hull, Rows
from compiler.domain.machine_system import turns_from
from compiler.domain.system import Branch, System
from compiler.domain.universal_runs import universal_runs
from compiler.exact import plus, product, scaled, times
from compiler.heads_to_rules import exact_heads
from compiler.model import Model
from compiler.program_to_rules.lowered_grammar import LoweredGrammar
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowering import Lowering, Turn
from compiler.program_to_rules.machine import LoweredMachine
from compiler.runtime.sparse_recurrent import SparseRecurrent
from compiler.traces.filling import missing, spans_of_runs
from verify.answers import Integers, contributions

MOST_WORDS = 20_000
"""The most inputs that are tried in the search for a counterexample."""
MOST_STEPS = 2_000
MOST_RANDOM = 1_000
"""The random runs of a universal program that are tried in that search."""
MOST_TURNS = 2_000_000
"""The most tokens of runs in that search."""
FEW_ANSWERS = 1_000
"""The answers that are compared before anything is analysed: most wrong models are wrong on short inputs."""


class Differs(NamedTuple):
    """A run at whose last token the model answers otherwise: the input, and the tokens up to there."""

    word: tuple[Any, ...]
    turns: tuple[Turn, ...]


class Asked:
    """What a model answers at the questions of a system, as integers over one denominator.

    `embedded` are the model's own embeddings of the program's tokens: its configurations are sums of these.
    """

    def __init__(self, model: Model, lowering: Lowering) -> None:
        self.heads, below = exact_heads(model.heads)
        names = lowering.tokens.names
        self.embedded, token_below = scaled(model.vocabulary.dense(model.vocabulary.numbers[name] for name in names))
        self.denominator = below * token_below**3
        self.token_denominator = token_below
        self.known: dict[int, Integers] = {}

    def by_count(self, question: int) -> Integers:
        """What each token type contributes to the answer at `question`: (T, d)."""
        if question not in self.known:
            self.known[question] = contributions(self.heads, self.embedded, self.embedded[question])
        return self.known[question]

    def wanted(self, token: int) -> Integers:
        """The model's own embedding of an answer, over the denominator of its answers."""
        return times(self.embedded[token], self.denominator // self.token_denominator)


def agrees(asked: Asked, system: System, branch: Branch, rows: Rows) -> bool:
    """Whether model and program answer alike on the rows (m, 1 + T) at which `branch` is taken."""
    got = product(rows[:, 1:], asked.by_count(branch.question))
    if branch.answer is not None:
        wanted = times(rows[:, :1], asked.wanted(branch.answer)[None])
    else:
        wanted = np.zeros(got.shape, dtype=object)
        for b, c, a in branch.reads:
            read = product(rows[:, 1:], system.entry((b, c))[:, None])[:, 0]
            wanted[:, a] += read.astype(object) * asked.denominator
    return not np.any(plus(got, -wanted))


def proved(model: Model, lowering: Lowering) -> bool:
    """Whether the model answers as the program on a superset of what is reachable. Raises UnsupportedError."""
    system = system_of(lowering)
    asked = Asked(model, lowering)
    if isinstance(lowering, LoweredMachine):
        told = on_own_inputs(system)
        if agrees_on(asked, told, closed(told, {})):
            return True
    return agrees_on(asked, system, reachable(system))


def agrees_on(asked: Asked, system: System, hulls: Mapping[int, Hull]) -> bool:
    """Whether model and program answer alike wherever a branch is taken on what `hulls` contain."""
    forks = (fork for each in forks_of(system).values() for fork in each if fork.location in hulls)
    return all(agrees_at(asked, system, fork, split(fork, hulls[fork.location].basis)) for fork in forks)


def agrees_at(asked: Asked, system: System, fork: Fork, parts: Split) -> bool:
    """Whether they do wherever a branch of `fork` is taken, on a hull that is split by it.

    An answer that is one token is the same on the free rows for every branch: nothing.
    """
    wanted: list[Integers] = []
    rows = [parts.free]
    for number, point in parts.points.items():
        branch = fork.branches[number]
        if branch.answer is not None:
            rows.append(point[None])
            wanted.append(times(asked.wanted(branch.answer), int(point[0])))
        elif not agrees(asked, system, branch, np.vstack([parts.free, point[None]])):
            return False
    if not wanted:
        return True
    got = product(np.vstack(rows)[:, 1:], asked.by_count(fork.branches[0].question))
    free = len(parts.free)
    return not np.any(got[:free]) and not np.any(plus(got[free:], -np.stack(wanted)))


def reachable(system: System) -> Mapping[int, Hull]:
    """By location, what contains all configurations of the system: exactly their span where all runs can be taken."""
    if isinstance(system.lowering, LoweredUniversalMachine):
        return closed(system, {})
    hulls, complete = spans_of_runs(system)
    return hulls if complete else missing(system, hulls)[0]


def least_difference(model: Model, lowering: Lowering, most_answers: int | None = None) -> tuple[Differs | None, bool]:
    """A least input on which the model answers otherwise, if one of those tried does; and whether all were tried.

    With `most_answers` no further input is tried once so many answers were compared.
    """
    asked = _AskedInRuns(model, lowering)
    if isinstance(lowering, LoweredUniversalAutomaton | LoweredUniversalMachine):
        return _random_difference(asked, lowering, most_answers), False
    cut, compared = False, 0
    for tried, word in enumerate(words_of(lowering)):
        if tried == MOST_WORDS or compared >= (MOST_TURNS if most_answers is None else most_answers):
            return None, False
        asked.begin()
        turns: list[Turn] = []
        for turn in _run(lowering, word):
            turns.append(turn)
            if not asked.right(turn):
                return Differs(tuple(word), tuple(turns)), False
        compared += len(turns)
        cut |= len(turns) >= MOST_STEPS
    return None, lowering.longest is not None and not cut


def _random_difference(
    asked: _AskedInRuns, lowering: LoweredUniversalAutomaton | LoweredUniversalMachine, most_answers: int | None
) -> Differs | None:
    """The shortest of the random runs on which the model answers otherwise; its input are the tokens that are given."""
    best: list[Turn] | None = None
    compared = 0
    for turns in islice(universal_runs(lowering, np.random.default_rng(0)), MOST_RANDOM):
        if most_answers is not None and compared >= most_answers and best is None:
            return None
        asked.begin()
        for place, turn in enumerate(turns if best is None else turns[: len(best) - 1]):
            if not asked.right(turn):
                best = turns[: place + 1]
                break
        compared += len(turns)
    if best is None:
        return None
    given = [name for n, (name, _) in enumerate(best) if n == 0 or best[n - 1][1] != name]
    return Differs(tuple(given), tuple(best))


def _run(lowering: Lowering, word: Sequence[Any]) -> Iterator[Turn]:
    """The program's run on `word`; of a machine that comes back to a configuration, the first two rounds.

    Then the counts grow by the same in every round, and so does the difference of answers: if it is zero at the same
    place of two rounds, it is zero there in all.
    """
    if not isinstance(lowering, LoweredMachine):
        yield from lowering.dialogue(word, MOST_STEPS)
        return
    place = {symbol: number for number, symbol in enumerate(lowering.layout.symbols)}
    tape = [place[symbol] for symbol in lowering.program.tape(word)]
    steps = lowering.program.steps
    most = MOST_STEPS if steps is None else min(steps, MOST_STEPS)
    turns = list(turns_from(lowering, tape, lowering.program.head, most))
    yield from turns[: len(tape) + most]


class _AskedInRuns:
    """What a model answers in a run of the program, token by token; only the tokens of the run are embedded.

    Integers over one denominator, as in `Asked`.
    """

    def __init__(self, model: Model, lowering: Lowering) -> None:
        heads, below = exact_heads(model.heads)
        self.layer = SparseRecurrent(heads)
        self.lowering = lowering
        self.words = model.vocabulary
        self.entries, token_below = scaled(self.words.values_of_entries)
        self.token_denominator = token_below
        self.denominator = below * token_below**3
        self.known: dict[str, dict[int, int]] = {}

    def begin(self) -> None:
        """A new run."""
        self.layer.memory.clear()

    def right(self, turn: Turn) -> bool:
        """Whether the model, after the tokens so far and this one, answers as the program does, if it is asked."""
        name, answer = turn
        token = self.embedded(name)
        self.layer.feed(token)
        return answer is None or self.layer.answer(token) == self.wanted(answer)

    def embedded(self, name: str) -> dict[int, int]:
        """The model's embedding of a token, over its denominator."""
        if name not in self.known:
            number = self.words.numbers[name]
            part = slice(int(self.words.ends[number]), int(self.words.ends[number + 1]))
            listed = zip(self.words.places[part].tolist(), self.entries[part].tolist(), strict=True)
            self.known[name] = dict(listed)
        return self.known[name]

    def wanted(self, answer: str) -> dict[int, int]:
        """The model's own embedding of an answer, over the denominator of its answers."""
        if answer in self.lowering.tokens.numbers:
            scale = self.denominator // self.token_denominator
            return {place: value * scale for place, value in self.embedded(answer).items()}
        vector = self.lowering.answer_vector(answer)
        return {place: int(vector[place]) * self.denominator for place in np.flatnonzero(vector).tolist()}


def words_of(lowering: Lowering) -> Iterator[Sequence[Any]]:
    """The inputs of a program by length; of a grammar without those that go on once they have failed (`short_words`).

    Of a memory all up to two requests, then those that write one key twice. What differs on a memory at all differs
    after at most two requests for one key: they lead to every step that it can take (`domain.memory_system`), and steps
    add up.
    """
    if isinstance(lowering, LoweredGrammar):
        yield from short_words(lowering.program)
        return
    items = tuple(dict.fromkeys(lowering.items()))
    longest = lowering.longest
    if longest is not None:
        for length in range(longest + 1):
            yield from choices(items, repeat=length)
        return
    for length in (1, 2):
        yield from choices(items, repeat=length)
    for first, second in choices(items, repeat=2):
        if not isinstance(first, str) and not isinstance(second, str) and first[0] == second[0]:
            yield from ((first, second, last) for last in items)
