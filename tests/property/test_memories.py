"""Memories as layers against a dict: every token by its meaning, every answer, what is stored, disguises."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.heads_to_rules import heads_to_rules
from compiler.program.memory import Memory
from compiler.program.words import spell
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.lowering import Asks, Lowering
from compiler.runtime.stream import Stream
from verify.strategies import disguises, runs_of

Item = str | tuple[str, str]
Pair = tuple[Memory, tuple[Item, ...]]
Token = dict[str, int]
NAMES = ["a", "now", "free", "taken", "b b", "a?", "a: x", "c = y", "sum", "ask"]
VALUES = ["x", "y", "x y", "key", "b: absent"]
HEADS = {"latest": 2, "sum": 3, "first": 4}


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    """1 to 5 keys, 1 to 4 values, any way to write, pairs from the start, several of them for one key at times."""
    keys = tuple(draw(st.permutations(NAMES))[: draw(st.integers(1, 5))])
    values = tuple(draw(st.permutations(VALUES))[: draw(st.integers(1, 4))])
    pairs = st.tuples(st.sampled_from(keys), st.sampled_from(values))
    stored = draw(st.lists(pairs, max_size=5).map(tuple))
    return Memory("drawn", keys, values, draw(st.sampled_from(["latest", "first", "sum"])), stored)


runs = runs_of(memories(), max_size=12)


def held(value: str | None) -> str:
    return "value[absent]" if value is None else f"value[{spell(value)}]"


class Seen(NamedTuple):
    """A token, or an answer that is only read (`fed` False), by its coordinates; the table and the key being written.

    The table has what the layer was told of: a list of values for a key, None among them for absent.
    """

    token: Token
    fed: bool
    table: dict[str, list[str | None]]
    writing: str | None = None


def simulate(program: Memory, word: tuple[Item, ...]) -> Iterator[Seen]:
    """What the layer should be given and answer, by the meaning of coordinates."""
    stored: dict[str, list[str]] = {}
    for key, value in program.stored:
        before = stored.get(key, [])
        stored[key] = [*before, value] if program.write == "sum" else before[:1] or [value]
        if program.write == "latest":
            stored[key] = [value]
    table: dict[str, list[str | None]] = {}
    for key in program.keys:
        for number, value in enumerate(stored.get(key, [None])):
            table = table | {key: stored.get(key, [None])[: number + 1]}
            yield Seen({f"key[{spell(key)}]": 1, held(value): 1}, True, table)
    for item in word:
        if isinstance(item, str):
            yield Seen({f"ask[{spell(item)}]": 1}, True, table)
            yield Seen(dict(Counter(map(held, table[item]))), False, table)
            continue
        key, value = item
        request = {f"key[{spell(key)}]": 1, f"next[{spell(value)}]": 1}
        yield Seen(request | {"now": 1}, True, table, key)
        missing = table[key] == [None]
        if program.write == "first":
            yield Seen({"is free" if missing else "is taken": 1}, True, table, key)
        kept = table[key] if program.write != "latest" and not missing else []
        after = kept if program.write == "first" and kept else [*kept, value]
        changes = Counter(map(held, after))
        changes.subtract(map(held, table[key]))
        table = table | {key: after}
        yield Seen(request | {"now": -1} | {name: n for name, n in changes.items() if n}, True, table)


def said(program: Memory, token: Token) -> str:
    """An answer to a query as it is shown."""
    return "+".join(value for value in program.values for _ in range(token.get(held(value), 0))) or "absent"


def meaning(lowering: Lowering, vector: np.ndarray) -> Token:
    return {lowering.coordinates[n]: int(vector[n]) for n in np.flatnonzero(vector)}


@given(memories())
def test_sizes_are_those_of_the_statement(program: Memory) -> None:
    lowering, model = lower(program), compile(program)
    keys, values = len(program.keys), len(program.values)
    assert model.d == 2 * keys + 2 * values + 2 + 2 * (program.write == "first")
    assert len(model.heads) == HEADS[program.write]
    assert set(model.entries().tolist()) <= {-1, 1}
    assert heads_to_rules(model.heads, model.coordinates) == lowering.form
    assert lowering.form.violations() == []
    rows = {tuple(vector.tolist()) for vector in lowering.tokens.values()}
    assert len(rows) == len(lowering.tokens) == len(set(lowering.tokens.names))
    assert {value for row in rows for value in row} <= {-1, 0, 1}
    assert set(lowering.items()) == {*program.keys, *product(program.keys, program.values)}


@settings(max_examples=400)
@given(runs)
def test_every_execution_is_the_dict(pair: Pair) -> None:
    """The program's own dialogue, the naive run nearest and raw, and the stream: tokens, answers, output."""
    program, word = pair
    expected = list(simulate(program, word))
    tokens = [seen.token for seen in expected if seen.fed]
    answers = [seen.token for seen in expected if not seen.fed]
    output = tuple(said(program, token) for token in answers)
    lowering, model = lower(program), compile(program)
    dialogue = list(lowering.dialogue(word))
    names = [name for name, _ in dialogue]
    assert [meaning(lowering, lowering.tokens[name]) for name in names] == tokens
    read = [answer for name, answer in dialogue if lowering.asks[lowering.tokens.numbers[name]] == Asks.READ]
    assert [meaning(lowering, lowering.answer_vector(name)) for name in read] == answers
    for decode in ("nearest", "raw"):
        run = model.run(word, decode=decode)
        assert (run.outcome, run.output, run.steps, list(run.tokens)) == ("answered", output, len(word), names)
        asked = [seen.token for before, seen in pairwise(expected) if asks(before.token)]
        assert [meaning(lowering, answer) for answer in run.answers] == asked
    stream = Stream(model)
    assert stream.run(word) == ("answered", output, len(word), len(tokens))
    steps = list(stream.start(word).steps())
    assert [step.name for step in steps if step.fed] == names
    assert [step.fed for step in steps] == [seen.fed for seen in expected]
    assert [step.name for step in steps if not step.fed] == read
    assert program.run(word).output == output


def asks(token: Token) -> bool:
    return any(name.startswith("ask[") or name in ("is free", "is taken") for name in token) or token.get("now") == 1


@settings(max_examples=200)
@given(runs)
def test_the_registers_hold_the_table_at_every_step(pair: Pair) -> None:
    """S[key k, value u] counts what k holds, absent included; what is being written is there only while it is asked."""
    program, word = pair
    lowering = lower(program)
    place = {name: number for number, name in enumerate(lowering.coordinates)}
    running = Stream(compile(program)).start(word)
    for step, seen in zip(running.steps(), simulate(program, word), strict=True):
        assert step.fed == seen.fed
        for key in program.keys:
            own = place[f"key[{spell(key)}]"]
            counts = {value: running.recall(own, place[held(value)]) for value in (*program.values, None)}
            assert +Counter(counts) == Counter(seen.table.get(key, [])), (step, key)
            assert running.recall(place["now"], own) == (key == seen.writing)


@given(runs, st.data())
def test_disguises_run_the_same(pair: Pair, data: st.DataObject) -> None:
    program, word = pair
    model = compile(program)
    disguised = data.draw(disguises(model))
    for decode in ("nearest", "raw"):
        run, same = model.run(word, decode=decode), disguised.run(word, decode=decode)
        assert (same.outcome, same.output, same.steps, same.tokens) == (run.outcome, run.output, run.steps, run.tokens)
        assert np.array_equal(run.answers, same.answers)
    assert Stream(disguised).run(word) == Stream(model).run(word)


@pytest.mark.parametrize("write", HEADS)
def test_a_missing_key_is_absent_and_only_that(write: str) -> None:
    program = Memory("m", ("a", "b", "c"), ("x", "y"), write, (("c", "y"),))
    word = ("a", ("b", "x"), "a", "b", "a", ("a", "y"), "a", "c")
    expected = ("absent", "absent", "x", "absent", "y", "y")
    run = compile(program).run(word)
    assert run.output == Stream(compile(program)).run(word).output == expected
    absent = compile(program).vocabulary["absent"]
    assert [np.array_equal(answer, absent) for answer in run.answers].count(True) == 3


def test_values_may_be_called_like_the_gates() -> None:
    program = Memory("m", ("free", "a"), ("free", "taken"), "first")
    word = ("a", ("a", "free"), "a", ("a", "taken"), "a", ("free", "taken"), "free")
    assert compile(program).run(word).output == program.run(word).output == ("absent", "free", "free", "taken")
    assert Stream(compile(program)).run(word).output == program.run(word).output
