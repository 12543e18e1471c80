"""Memories whose keys lie in fewer dimensions than there are keys, to rules: the tokens of `memory`, embedded.

Statement
    Let a memory have K keys, V values and D dimensions. The rules below make one layer of linear attention that, fed
    with the tokens nearest to its own answers, keeps the table of the memory and answers every query, as long as the
    *margin* of each answer is positive. The margin is an exact function of what is stored (`cross_talk`), it is
    watched in every run, and a run in which it is not positive stops with a ModelError: no answer is silently wrong.
    With at most `cross_talk.capacity` keys stored it is always positive; with more it usually is.

Coordinates
    now; x[i], i < D; next[v]; value[v]; ask[i], i < D. With `write first` also free and taken.
    d = 2 D + 2 V + 1, and 2 more: K does not matter.

Tokens
    Those of `memory` under the same names, with the sum of E_k[i] x[i] for key[k], that of E_k[i] ask[i] for ask[k],
    and nothing for value[absent]; E_k in {-1, 1}^D are random and different (`cross_talk.sign_vectors`).

    k: v             E_k on x + value[v]                    the prompt, for what is stored from the start
    k = v            now + E_k on x + next[v]               a request to write
    k?               E_k on ask                             a query
    k: u -> v        -now + E_k on x + next[v] + value[v] - value[u]       the answer to a request
    v, absent        value[v], 0                            the answer to a query

    `absent` cannot be stored as a token of its own, as it is in `memory`: one for each of K keys would add the noise
    of K pairs. A key that was never written reads as about 0, so 0 is the answer, and the first write adds value[v]
    without subtracting. So with `sum` the answer to a request is always k: + v. With `first` the request is answered
    by `free` and `taken` as in `memory`, and free comes from now instead of from value[absent].

Rules (latest)
    last has now:     {now, x[i]}: x[i] += 1     {now, next[v]}: next[v] += 1, value[v] += 1, now -= 1
    last has x[i]:    {x[i], value[u]}: value[u] -= 1/D
    last has ask[i]:  {x[i], value[u]}: value[u] += 1/D

    sum: nothing for x[i]. first: last has now: {now, next[v]}: free += 1; last has x[i]: {x[i], value[u]}: taken +=
    1/D, free -= 1/D; last has free: as for now in latest; last has taken: the same without value[v].

Invariant
    S[x i, value u] is the sum of E_k[i] over the pairs (k, u) that are stored, as long as every answer so far was
    decoded to the token that the program gives: the prompt makes it so, a request adds nothing to it, and an answer
    adds E_k to u new and takes it from u old. S[now, .] holds the request and nothing else, as in `memory`; it is
    exact, whatever is stored. So a query reads sum_i E_k[i] S[x i, value u] / D = [k holds u] + sum_(j, u) <E_k, E_j>
    / D over the other keys, and the nearest token is the right one exactly when the margin is positive.

    Only a *decoded* answer may be appended: the raw one carries cross talk, which would be stored. So `decode="raw"`
    is refused.

Cost
    Tokens as for `memory`. Heads: 2 for latest and sum, 5 for first. Weights 1, -1, 1/D and -1/D, exactly.

Source
    Superposition in correlation matrix memories (Kohonen 1972) and vector symbolic architectures; reading is arXiv
    2410.10101, section 4, with keys that are not orthogonal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.errors import ModelError, UnsupportedError
from compiler.program.memory import ABSENT, Memory
from compiler.program.run import Item, Outcome
from compiler.program.words import spell
from compiler.program_to_rules.cross_talk import Store, sign_vectors
from compiler.program_to_rules.lowering import Asks, Guard, Lowering, Turn
from compiler.program_to_rules.memory import (
    FREE,
    NOW,
    TAKEN,
    LoweredMemory,
    ask_name,
    key_name,
    memory_to_rules,
    names_of,
    next_name,
    value_name,
)
from compiler.rules import Form, Weight
from compiler.vocabulary import Vocabulary

MAX_ENTRIES = 20_000_000
"""The most numbers that are not zero in the tokens of a vocabulary."""


class Says(NamedTuple):
    """What a token says by the numbers of key, next value and stored value; -1 where it has none."""

    key: int
    following: int
    value: int


@dataclass(frozen=True, slots=True)
class LoweredDenseMemory(Lowering):
    """A memory over named keys in few dimensions as a layer.

    Attributes
    ----------
    plain
        The same memory with orthogonal keys, whose words and tokens, by name, these are.
    says
        (T,): what each token says.
    renamed
        Names of tokens of `plain` that are other tokens here.
    """

    program: Memory
    plain: LoweredMemory
    says: tuple[Says, ...]
    renamed: dict[str, str]

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`."""
        return self.plain.word(word)

    def items(self) -> Sequence[Any]:
        """See `LoweredMemory.items`."""
        return self.plain.items()

    def inputs(self, word: Sequence[Item]) -> list[str]:
        """What is stored from the start, then a token a request."""
        return [name for name in self.plain.inputs(word) if name in self.tokens]

    def dialogue(self, word: Sequence[Item], limit: int | None = None) -> Iterator[Turn]:
        """The prompt, then each request: a query with its answer, or a write and the tokens that do it."""
        renamed = self.renamed
        turns = self.plain.dialogue(word)
        named = ((renamed.get(name, name), renamed.get(answer or "", answer)) for name, answer in turns)
        return islice((turn for turn in named if turn[0] in self.tokens), limit)

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """The values whose coordinates are set in the answer to a query, joined by ``+``; none of them: absent."""
        if question is None or self.asks[self.tokens.numbers[question]] != Asks.READ:
            return ()
        values = names_of(self.program)[1]
        counts = [round(float(each)) for each in self._values(answer)]
        return ("+".join(value for value, count in zip(values, counts, strict=True) for _ in range(count)) or ABSENT,)

    def _values(self, answer: NDArray[Any]) -> list[Any]:
        values = names_of(self.program)[1]
        begin = self.coordinates.index(value_name(values[0]))
        listed: list[Any] = answer[begin : begin + len(values)].tolist()
        return listed

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """Answered, always."""
        del last
        return "answered"

    @property
    def reads_outside(self) -> bool:
        """Only with `write sum`."""
        return self.program.write == "sum"

    def reading(self, answer: NDArray[Any]) -> tuple[str, NDArray[Any]] | None:
        """With `write sum`: the nearest vector of counts, and its name. Raises ModelError for an answer between two."""
        if self.program.write != "sum":
            return None
        counts: list[int] = []
        for name, value in zip(names_of(self.program)[1], self._values(answer), strict=True):
            if not np.isfinite(float(value)):
                raise ModelError("an answer of the model is NaN or infinite in float64, so it decides nothing")
            near = (2 * Fraction(value) + 1) // 2
            if 2 * (near - Fraction(value)) == 1 or near < 0:
                raise ModelError(f"an answer of the model has {value} for {name}, which is no number of writes")
            counts.append(near)
        values = names_of(self.program)[1]
        name = "+".join(spell(value) for value, count in zip(values, counts, strict=True) for _ in range(count))
        return name or ABSENT, self._counted(counts)

    def answer_vector(self, name: str) -> NDArray[Any]:
        """The vector (d,) of an answer by name; for `write sum` any sum of values is one."""
        if name in self.tokens:
            return self.tokens[name]
        spelled = name.split("+")
        return self._counted([spelled.count(spell(value)) for value in names_of(self.program)[1]])

    def _counted(self, counts: Sequence[int]) -> NDArray[np.int64]:
        vector = np.zeros(len(self.coordinates), dtype=np.int64)
        begin = self.coordinates.index(value_name(names_of(self.program)[1][0]))
        vector[begin : begin + len(counts)] = counts
        return vector

    def guard(self) -> Guard:
        """See `Lowering.guard`."""
        return _Margins(self)


class _Margins(Guard):
    """Watches a run: keeps the table by the decoded answers, and refuses what is not decided."""

    def __init__(self, lowering: LoweredDenseMemory) -> None:
        self.lowering = lowering
        self.numbers = lowering.tokens.numbers
        prompt = [lowering.says[self.numbers[name]] for name in lowering.inputs(())]
        self.store = Store(lowering.program, [(each.key, each.value) for each in prompt])

    def asked(self, question: str) -> None:
        """See `Guard.asked`."""
        number = self.numbers[question]
        says, reads = self.lowering.says[number], self.lowering.asks[number] == Asks.READ
        if not reads and says.key < 0:
            return
        store, program = self.store, self.lowering.program
        margin = store.query_margin(says.key) if reads else store.request_margin(says.key, says.following)
        if margin is not None and margin <= 0:
            what = f"the query {question!r}" if reads else f"the request {question!r}"
            writes = f" ({store.writes} writes)" if program.write == "sum" else ""
            raise ModelError(
                f"{what} cannot be decided: memory {program.name} holds {store.keys_stored} keys{writes} in "
                f"{store.dimensions} dimensions, and the margin of the right answer is {margin}, which is not above 0; "
                "store fewer keys, or give it more dimensions or another seed"
            )

    def answered(self, question: str, answer: str) -> None:
        """See `Guard.answered`."""
        if self.lowering.asks[self.numbers[question]] == Asks.APPENDED:
            says = self.lowering.says[self.numbers[answer]]
            if says.value >= 0:
                self.store.add(says.key, says.value)


def dense_memory_to_rules(program: Memory) -> LoweredDenseMemory:
    """The construction that the module's docstring states and proves.

    Raises
    ------
    UnsupportedError
        For more keys than there are vectors of signs, and for too large a vocabulary.
    """
    vectors = sign_vectors(program)
    plain = memory_to_rules(program)
    d = vectors.shape[1]
    size = len(plain.tokens) * (d + 3)
    if size > MAX_ENTRIES:
        raise UnsupportedError(
            f"memory {program.name} has {len(plain.tokens):,} tokens in {d:,} dimensions, up to {size:,} numbers; this "
            f"construction takes up to {MAX_ENTRIES:,}"
        )
    says, kept, renamed = _said_by(plain)
    coordinates = (
        NOW,
        *(f"x[{i}]" for i in range(d)),
        *map(next_name, names_of(program)[1]),
        *map(value_name, names_of(program)[1]),
        *(f"ask[{i}]" for i in range(d)),
        *((FREE, TAKEN) if program.write == "first" else ()),
    )
    tokens = _embedded(plain.tokens.chosen(kept), plain.coordinates, coordinates, vectors)
    form = Form.of(coordinates, _rules(program, d))
    held = tuple(says[number] for number in kept)
    return LoweredDenseMemory(program, form, tokens, plain.asks[kept], plain.replies[kept], plain, held, renamed)


def _said_by(plain: LoweredMemory) -> tuple[list[Says], list[int], dict[str, str]]:
    """What each token of `plain` says, the numbers of those that are tokens here too, and new names of the others.

    Not kept: `absent` in the prompt, and with `sum` the first write to a key, which is like any other here.
    """
    keys, values = names_of(plain.program)
    place = {name: number for number, name in enumerate(plain.coordinates)}
    of_key = {place[name(key)]: number for name in (key_name, ask_name) for number, key in enumerate(keys)}
    of_next = {place[next_name(value)]: number for number, value in enumerate(values)}
    of_value = {place[value_name(value)]: number for number, value in enumerate(values)}
    absent = place[value_name(ABSENT)]
    says: list[Says] = []
    kept: list[int] = []
    same: dict[Says, str] = {}
    others: dict[str, Says] = {}
    for number, name in enumerate(plain.tokens.names):
        entries = dict(zip(*(each.tolist() for each in plain.tokens.entries(number)), strict=True))
        found = [[of[at] for at in entries if at in of and entries[at] > 0] for of in (of_key, of_next, of_value)]
        said = Says(*(each[0] if each else -1 for each in found))
        says.append(said)
        if said.key >= 0 and entries.get(absent) == -1 and plain.program.write == "sum":
            others[name] = said
        elif said.key < 0 or entries.get(absent) != 1:
            kept.append(number)
            same[said] = name
    return says, kept, {name: same[said] for name, said in others.items()}


def _embedded(plain: Vocabulary, before: Sequence[str], after: Sequence[str], vectors: NDArray[np.int64]) -> Vocabulary:
    """The tokens of `plain`, over the coordinates `before`, with keys as `vectors` (K, D), over `after`."""
    d = vectors.shape[1]
    place = {name: number for number, name in enumerate(after)}
    moved = np.array([place.get(name, -1) for name in before], dtype=np.int64)
    owners, places, values = plain.owners, plain.places, plain.values_of_entries
    parts = [np.flatnonzero(moved[places] >= 0)]
    columns = [(owners[parts[0]], moved[places[parts[0]]], values[parts[0]])]
    for first, base in (("key[", place["x[0]"]), ("ask[", place["ask[0]"])):
        number = np.cumsum([name.startswith(first) for name in before]) - 1
        is_key = np.array([name.startswith(first) for name in before])
        some = np.flatnonzero(is_key[places])
        signs = vectors[number[places[some]]] * values[some, None]
        columns.append((np.repeat(owners[some], d), np.tile(base + np.arange(d), len(some)), signs.ravel()))
    owner, at, value = (np.concatenate(each) for each in zip(*columns, strict=True))
    order = np.lexsort((at, owner))
    ends = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(plain)))]).astype(np.int64)
    return Vocabulary(plain.names, len(after), ends, at[order].astype(np.int32), value[order].astype(np.int64))


def _rules(program: Memory, d: int) -> list[tuple[str, str, str, str, Weight]]:
    """The rules (a, b, c, e, weight) by names."""
    values = names_of(program)[1]
    found: list[tuple[str, str, str, str, Weight]] = []
    for gate in (FREE, TAKEN) if program.write == "first" else (NOW,):
        found += [(f"x[{i}]", NOW, f"x[{i}]", gate, 1) for i in range(d)]
        for v in values:
            found += [(next_name(v), NOW, next_name(v), gate, 1), (NOW, NOW, next_name(v), gate, -1)]
            found += [(value_name(v), NOW, next_name(v), gate, 1)] * (gate != TAKEN)
    if program.write == "first":
        found += [(FREE, NOW, next_name(v), NOW, 1) for v in values]
    share = Fraction(1, d)
    for i in range(d):
        for u in map(value_name, values):
            read = (f"x[{i}]", u)
            found.append((u, *read, f"ask[{i}]", share))
            if program.write == "latest":
                found.append((u, *read, f"x[{i}]", -share))
            elif program.write == "first":
                found += [(TAKEN, *read, f"x[{i}]", share), (FREE, *read, f"x[{i}]", -share)]
    return found
