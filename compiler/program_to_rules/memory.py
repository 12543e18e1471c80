"""Associative memories to rules: a fast-weight register for each key, written through one for what is being written.

Statement
    Let a memory have K keys and V values. The rules below make one layer of linear attention that, fed with its own
    answers, keeps the table of the memory through any number of requests in any order, and answers every query.

Coordinates
    now; key[k]; next[v]; value[v] for each value, and value[absent]; ask[k]. With `write first` also "is free" and "is
    taken", called free and taken below.
    d = 2 K + 2 V + 2, and 2 more.

Tokens
    k: v             key[k] + value[v]                the prompt, one for each key: what it holds, or absent
    k = v            now + key[k] + next[v]           a request to write: asked, the answer appended
    k?               ask[k]                           a query: asked, the answer only read
    k: u -> v        -now + key[k] + next[v] + value[v] - value[u]      the answer to a request, u the value before
    v, absent        value[v], value[absent]          the answer to a query

    With `write sum` the answer to a request is k: + v, which subtracts value[absent] if nothing was written before, and
    nothing otherwise; the answer to a query is the sum of value[v] with multiplicities. With `write first` a request is
    answered by the token free or taken (one coordinate each), and that by the write, or by k = v (ignored), which is
    -now + key[k] + next[v].

Rules (latest)
    last has now:     {now, key[k]}: key[k] += 1, now -= 1        {now, next[v]}: next[v] += 1, value[v] += 1
    last has key[k]:  {key[k], value[u]}: value[u] -= 1           for every u, absent included
    last has ask[k]:  {key[k], value[u]}: value[u] += 1

    sum: last has key[k] reads {key[k], value[absent]} only. first: last has key[k] answers free for absent and taken
    for the others; last has free: {now, key[k]} and {now, next[v]} as above, and value[absent] -= 1 for the latter;
    last has taken: the same without the value.

Invariant
    Whenever the last token is a request or a query, S[key k, value u] is the table: for latest and first 1 for what k
    holds and 0 for the rest, for sum the number of times that u was written under k; and S[now, .] is 0 on keys and
    next values but for the request itself. The prompt makes it so. A request adds 1 to S[now, key k] and S[now, next v]
    and nothing to S[key, value]; its answer has -now and the same two, so it adds (-1)(1): now is empty again. On the
    pair {key k, value} the answer adds value[v] - value[u]: the delta rule. S[now, value] and S[key, next] grow and are
    never read. A query has no other coordinate than ask, so it adds to no pair that is read. For latest and first
    everything that is read is 0 or 1. So a missing key answers absent and nothing else.

Cost
    Tokens a request to write: 2, with first 3; a query: 1. Heads, whatever K and V: 2 for latest, 3 for sum, 4 for
    first (`rules_to_heads` finds them). In one token from key + value alone, keeping the first value is impossible:
    what depends on the old S would be additive in key and value.

Source
    arXiv 2410.10101, section 4 (associative lookup), where all pairs are in the prompt and nothing is overwritten; the
    write is the delta rule (arXiv 2310.16076, section 2). The dialogue is multi-query associative recall (arXiv
    2312.04927) with queries anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.errors import ModelError, UnsupportedError
from compiler.program.memory import ABSENT, Memory
from compiler.program.run import Item, Outcome
from compiler.program.words import spell
from compiler.program_to_rules.lowering import Asks, Lowering, Turn
from compiler.rules import Form
from compiler.vocabulary import Vocabulary

NOW, FREE, TAKEN = "now", "is free", "is taken"
"""Coordinates that stand alone; the last two are tokens as well, so they are spelled as no value is."""
MAX_TOKENS = 1_000_000
"""The most answers to requests that a vocabulary may hold; there are K V (V + 1)."""


def key_name(key: str) -> str:
    """The coordinate of a key."""
    return f"key[{spell(key)}]"


def next_name(value: str) -> str:
    """The coordinate of a value that is to be written."""
    return f"next[{spell(value)}]"


def value_name(value: str) -> str:
    """The coordinate of a value that is stored, or of `absent`, which no value is called."""
    return f"value[{value if value == ABSENT else spell(value)}]"


def ask_name(key: str) -> str:
    """The coordinate of a query."""
    return f"ask[{spell(key)}]"


@dataclass(frozen=True, slots=True)
class LoweredMemory(Lowering):
    """A memory over named keys and values as a layer."""

    program: Memory

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`."""
        return self.program.word(word)

    def items(self) -> Sequence[Any]:
        """Every write, then every query, as often as there are values: half of what is drawn at random are queries."""
        keys, values = names_of(self.program)
        requests = [(key, value) for key in keys for value in values]
        return [*requests, *(keys * len(values))]

    @property
    def reads_outside(self) -> bool:
        """With `write sum` an answer is any sum of values."""
        return self.program.write == "sum"

    def inputs(self, word: Sequence[Item]) -> list[str]:
        """What each key holds at the start, then a token a request."""
        return [*(held(key, value) for key, value in _stored(self.program)), *map(request, word)]

    def dialogue(self, word: Sequence[Item], limit: int | None = None) -> Iterator[Turn]:
        """The prompt, then each request: a query with its answer, or a write and the tokens that do it."""
        return islice(self._turns(word), limit)

    def _turns(self, word: Sequence[Item]) -> Iterator[Turn]:
        table: dict[str, list[str]] = {key: [] for key in names_of(self.program)[0]}
        for key, value in _stored(self.program):
            table[key] += [value] * (value != ABSENT)
        for name in self.inputs(()):
            yield name, None
        for item in word:
            if isinstance(item, str):
                yield request(item), self._answer(table[item])
                continue
            key, value = item
            yield from self._write(key, value, table[key])
            if self.program.write == "sum" or not table[key]:
                table[key].append(value)
            elif self.program.write == "latest":
                table[key] = [value]

    def _answer(self, held: list[str]) -> str:
        order = names_of(self.program)[1].index
        return "+".join(map(spell, sorted(held, key=order))) or ABSENT

    def _write(self, key: str, value: str, held: list[str]) -> list[Turn]:
        asked, write = request((key, value)), self.program.write
        if write == "first":
            gate, done = (TAKEN, ignored(key, value)) if held else (FREE, changed(key, ABSENT, value))
            return [(asked, gate), (gate, done), (done, None)]
        done = added(key, value) if write == "sum" and held else changed(key, held[0] if held else ABSENT, value)
        return [(asked, done), (done, None)]

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """The values whose coordinates are set in the answer to a query, joined by ``+``; nothing else is said."""
        if question is None or self.asks[self.tokens.numbers[question]] != Asks.READ:
            return ()
        values = (*names_of(self.program)[1], ABSENT)
        base = self.form.coordinates.index(value_name(values[0]))
        found = [value for n, value in enumerate(values) for _ in range(int(np.rint(float(answer[base + n]))))]
        return ("+".join(found),)

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """Answered, always."""
        del last
        return "answered"

    def reading(self, answer: NDArray[Any]) -> tuple[str, NDArray[Any]] | None:
        """With `write sum`: the nearest vector of counts, and its name. Raises ModelError for an answer between two."""
        if self.program.write != "sum":
            return None
        values = (*names_of(self.program)[1], ABSENT)
        base = self.coordinates.index(value_name(values[0]))
        whole = np.zeros(len(answer), dtype=np.int64)
        for n in range(len(values)):
            value = answer[base + n]
            near = int(np.rint(float(value)))
            if abs(value - near) * 2 == 1 or near < 0:
                raise ModelError(f"an answer of the model has {value} for {values[n]}, which is no number of writes")
            whole[base + n] = near
        names = [value for n, value in enumerate(values[:-1]) for _ in range(int(whole[base + n]))]
        return ("+".join(map(spell, names)) or ABSENT), whole

    def answer_vector(self, name: str) -> NDArray[Any]:
        """The vector (d,) of an answer by name; for `write sum` any sum of values is one."""
        if name in self.tokens:
            return self.tokens[name]
        vector = np.zeros(len(self.coordinates), dtype=np.int64)
        by_name = {spell(value): value for value in names_of(self.program)[1]}
        for part in name.split("+"):
            vector[self.coordinates.index(value_name(by_name[part]))] += 1
        return vector


def memory_to_rules(program: Memory) -> LoweredMemory:
    """The construction that the module's docstring states and proves. Raises UnsupportedError for too many tokens."""
    keys, values = names_of(program)
    size = len(keys) * len(values) * (len(values) + 1)
    if size > MAX_TOKENS:
        raise UnsupportedError(
            f"memory {program.name} has {len(keys)} keys and {len(values)} values, so its vocabulary would have "
            f"{size:,} tokens; this construction takes up to {MAX_TOKENS:,}"
        )
    coordinates = (
        NOW,
        *map(key_name, keys),
        *map(next_name, values),
        *map(value_name, (*values, ABSENT)),
        *map(ask_name, keys),
        *((FREE, TAKEN) if program.write == "first" else ()),
    )
    tokens = _tokens(program, keys, values)
    vocabulary = Vocabulary.named({name: token for name, (token, _, _) in tokens.items()}, coordinates)
    asks, replies = (np.array([entry[n] for entry in tokens.values()], dtype=np.int8) for n in (1, 2))
    return LoweredMemory(program, Form.of(coordinates, _rules(program, keys, values)), vocabulary, asks, replies)


Entry: TypeAlias = tuple[dict[str, int], Asks, Asks]
"""A token, what becomes of its answer, and to which kind of question it is an answer."""


def _tokens(program: Memory, keys: Sequence[str], values: Sequence[str]) -> dict[str, Entry]:
    """The vocabulary, by the names of its coordinates."""
    stored = {held(k, v): {key_name(k): 1, value_name(v): 1} for k, v in _stored(program)}
    found: dict[str, Entry] = {name: (token, Asks.NOTHING, Asks.NOTHING) for name, token in stored.items()}
    for v in (*values, ABSENT):
        found[answer_name(v)] = ({value_name(v): 1}, Asks.NOTHING, Asks.READ)
    if program.write == "first":
        found |= {gate: ({gate: 1}, Asks.APPENDED, Asks.APPENDED) for gate in (FREE, TAKEN)}
    for k in keys:
        found[request(k)] = ({ask_name(k): 1}, Asks.READ, Asks.NOTHING)
        for v in values:
            done = {NOW: -1, key_name(k): 1, next_name(v): 1}
            found[request((k, v))] = (done | {NOW: 1}, Asks.APPENDED, Asks.NOTHING)
            answers = {changed(k, ABSENT, v): done | {value_name(v): 1, value_name(ABSENT): -1}}
            if program.write == "first":
                answers[ignored(k, v)] = done
            elif program.write == "sum":
                answers[added(k, v)] = done | {value_name(v): 1}
            else:
                others = {changed(k, u, v): done | {value_name(v): 1, value_name(u): -1} for u in values if u != v}
                answers |= {changed(k, v, v): done} | others
            found |= {name: (token, Asks.NOTHING, Asks.APPENDED) for name, token in answers.items()}
    return found


def _rules(program: Memory, keys: Sequence[str], values: Sequence[str]) -> list[tuple[str, str, str, str, int]]:
    """The rules (a, b, c, e, weight) by names."""
    found: list[tuple[str, str, str, str, int]] = []
    for gate in (FREE, TAKEN) if program.write == "first" else (NOW,):
        for k in keys:
            found += [(key_name(k), NOW, key_name(k), gate, 1), (NOW, NOW, key_name(k), gate, -1)]
        for v in values:
            found.append((next_name(v), NOW, next_name(v), gate, 1))
            if gate != TAKEN:
                found.append((value_name(v), NOW, next_name(v), gate, 1))
            if gate == FREE:
                found.append((value_name(ABSENT), NOW, next_name(v), gate, -1))
    for k in keys:
        for u in (*values, ABSENT):
            read = (key_name(k), value_name(u))
            found.append((value_name(u), *read, ask_name(k), 1))
            if program.write == "first":
                found.append((FREE if u == ABSENT else TAKEN, *read, key_name(k), 1))
            elif program.write == "latest" or u == ABSENT:
                found.append((value_name(u), *read, key_name(k), -1))
    return found


def names_of(program: Memory) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keys and values, which have names here. Raises UnsupportedError for a memory of real vectors."""
    if isinstance(program.keys, int) or isinstance(program.values, int):
        raise UnsupportedError(f"memory {program.name} holds real vectors, which have no names")
    return program.keys, program.values


def _stored(program: Memory) -> list[tuple[str, str]]:
    """What each key holds at the start, in the order of the keys; `absent` for nothing, with sum every value."""
    held: dict[str, list[str]] = {key: [] for key in names_of(program)[0]}
    for key, value in program.stored:
        held[key].append(value)
    if program.write != "sum":
        held = {key: found[-1:] if program.write == "latest" else found[:1] for key, found in held.items()}
    return [(key, value) for key, found in held.items() for value in (found or [ABSENT])]


def answer_name(value: str) -> str:
    """The token that answers a query."""
    return value if value == ABSENT else spell(value)


def request(item: Item) -> str:
    """The token of a request: to write (a key and a value), or to ask (a key)."""
    return f"{spell(item)}?" if isinstance(item, str) else f"{spell(item[0])} = {spell(item[1])}"


def held(key: str, value: str) -> str:
    """The token of the prompt that says what a key holds."""
    return f"{spell(key)}: {answer_name(value)}"


def changed(key: str, before: str, after: str) -> str:
    """The token that writes `after` where `before` was."""
    return f"{held(key, before)} -> {spell(after)}"


def added(key: str, value: str) -> str:
    """The token that writes `value` beside what was there."""
    return f"{spell(key)}: + {spell(value)}"


def ignored(key: str, value: str) -> str:
    """The token that ends a request without writing."""
    return f"{spell(key)} = {spell(value)} (ignored)"
