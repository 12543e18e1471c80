"""Dense memories: every answer is right or refused, margins are those of brute force, the capacity is guaranteed."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compiler.attention import attention
from compiler.errors import ModelError, ProgramError, UnsupportedError
from compiler.heads_to_rules import heads_to_rules
from compiler.language.load import load, parse
from compiler.program.memory import Memory
from compiler.program_to_model import compile
from compiler.program_to_rules.cross_talk import Store, _other_value, capacity, sign_vectors
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.lowering import Asks
from compiler.runtime.stream import Stream
from compiler.traces.program_to_traces import generate


def memory(keys: int, values: int, dimensions: int, seed: int = 0, write: str = "latest", stored=()) -> Memory:
    names = tuple(f"k{n}" for n in range(keys)), tuple(f"v{n}" for n in range(values))
    return Memory("m", *names, write=write, stored=tuple(stored), dimensions=dimensions, seed=seed)


writes = st.sampled_from(["latest", "first", "sum"])


@st.composite
def memories(draw, most_keys: int = 8, most_values: int = 4) -> Memory:
    """Small dense memories, some with pairs from the start."""
    keys, values = draw(st.integers(1, most_keys)), draw(st.integers(1, most_values))
    least = max(1, (keys - 1).bit_length())
    plain = memory(keys, values, draw(st.integers(least, 24)), draw(st.integers(0, 2**32)), draw(writes))
    pairs = st.tuples(st.sampled_from(plain.keys), st.sampled_from(plain.values))
    return replace(plain, stored=tuple(draw(st.lists(pairs, max_size=3))))


def words(program: Memory, max_size: int = 12) -> st.SearchStrategy:
    """Words in which writes and queries are about equally frequent."""
    pairs = st.tuples(st.sampled_from(program.keys), st.sampled_from(program.values))
    return st.lists(st.one_of(pairs, st.sampled_from(program.keys)), max_size=max_size).map(tuple)


runs = memories().flatmap(lambda program: st.tuples(st.just(program), words(program)))


def test_keys_are_different_signs_and_the_same_everywhere() -> None:
    vectors = sign_vectors(memory(16, 1, 4, seed=3))
    assert sorted(map(tuple, vectors.tolist())) == sorted(product((-1, 1), repeat=4))
    assert sign_vectors(memory(2, 1, 8, seed=7)).tolist() == [
        [1, 1, -1, 1, -1, -1, -1, 1],
        [1, -1, 1, -1, 1, -1, -1, 1],
    ]
    long = sign_vectors(memory(3, 1, 130))
    assert long.shape == (3, 130)
    assert set(np.unique(long)) == {-1, 1}
    assert sign_vectors(memory(3, 1, 130, seed=1)).tolist() != long.tolist()


@given(memories())
def test_rules_tokens_and_heads(program: Memory) -> None:
    lowering, model = lower(program), compile(program)
    d = program.dimensions
    assert lowering.form.violations() == []
    assert lowering.form.d == 2 * d + 2 * len(program.values) + 1 + 2 * (program.write == "first")
    assert set(lowering.form.weights.tolist()) <= {1, -1, Fraction(1, d), Fraction(-1, d)}
    assert heads_to_rules(model.heads, model.coordinates) == lowering.form
    if len(program.values) > 1:
        assert len(model.heads) == {"latest": 2, "sum": 2, "first": 5}[program.write]
    rows = lowering.tokens.dense().tolist()
    assert len({tuple(row) for row in rows}) == len(rows)


@settings(max_examples=1500)
@given(runs)
def test_every_answer_is_right_or_the_run_is_refused(pair) -> None:
    program, word = pair
    expected = program.run(word)
    try:
        run = compile(program).run(word)
    except ModelError as refusal:
        assert "margin" in str(refusal), refusal
        return
    assert run.agrees_with(expected)
    assert list(run.tokens) == lower(program).trace(word)


@settings(max_examples=300)
@given(runs, st.data())
def test_runs_are_refused_exactly_where_the_nearest_token_is_not_the_right_one(pair, data) -> None:
    """The guard's margin is the one of all tokens, by exact distances to the layer's answer in the attention form."""
    program, word = pair
    lowering, model = lower(program), compile(program)
    turns = list(lowering.dialogue(word))
    asked = [place for place, (_, answer) in enumerate(turns) if answer is not None]
    assume(asked)
    at = data.draw(st.sampled_from(asked))
    guard, gap = lowering.guard(), None
    for place, (name, answer) in enumerate(turns[: at + 1]):
        if place == at:
            Z = np.stack([lowering.tokens[each] for each, _ in turns[: at + 1]]).astype(object)
            gap = gap_to_others(lowering, attention(model.V, model.Q, Z), name, answer)
        if answer is not None and place < at:
            guard.answered(name, answer)
    try:
        guard.asked(turns[at][0])
    except ModelError as refusal:
        assert gap <= 0
        assert repr(turns[at][0]) in str(refusal)
    else:
        assert gap > 0


def gap_to_others(lowering, answer, question, right: str, among=None) -> Fraction:
    """How much further than the right token the nearest other one is from an answer, in squared distance."""
    kind = lowering.asks[lowering.tokens.numbers[question]]
    if kind == Asks.READ and lowering.program.write == "sum":
        residue = answer - lowering.answer_vector(right)
        return min(1 - 2 * abs(Fraction(each)) for each in residue)
    distances = {
        name: sum(Fraction(each) ** 2 for each in (answer - lowering.tokens[name]).tolist() if each)
        for name, reply in zip(lowering.tokens.names, lowering.replies, strict=True)
        if reply == kind and (among is None or name in among)
    }
    own = distances.pop(right)
    return min(distances.values(), default=own + 1) - own


@settings(max_examples=200)
@given(memories(most_values=3), st.data())
def test_margins_are_those_of_all_tokens(program: Memory, data) -> None:
    """Exactly, as numbers: for queries, gates and requests, against the squared distances to every token."""
    stored = data.draw(st.lists(st.tuples(st.sampled_from(program.keys), st.sampled_from(program.values)), max_size=8))
    lowering = lower(replace(program, stored=tuple(stored)))
    keys, values = program.keys, program.values
    said = [lowering.says[lowering.tokens.numbers[name]] for name in lowering.inputs(())]
    store = Store(lowering.program, [(each.key, each.value) for each in said])
    question = data.draw(st.sampled_from([*keys, *product(keys, values)]))
    turns = list(lowering.dialogue((question,)))
    place = len(said)
    name, right = turns[place]
    Z = np.stack([lowering.tokens[each] for each, _ in turns[: place + 1]]).astype(object)
    model = compile(lowering.program)
    answer = attention(model.V, model.Q, Z)
    if isinstance(question, str):
        assert store.query_margin(keys.index(question)) == gap_to_others(lowering, answer, name, right)
        return
    key, value = keys.index(question[0]), values.index(question[1])
    margin = store.request_margin(key, value)
    if program.write == "sum":
        assert margin is None
        assert np.array_equal(answer, lowering.tokens[right])
        return
    same = (
        ["is free", "is taken"]
        if program.write == "first"
        else [
            each
            for each, reply, said in zip(lowering.tokens.names, lowering.replies, lowering.says, strict=True)
            if reply == Asks.APPENDED and said.key == key
        ]
    )
    assert margin == gap_to_others(lowering, answer, name, right, same)
    assert (margin > 0) == (gap_to_others(lowering, answer, name, right) > 0)


@given(st.lists(st.integers(-60, 60), min_size=1, max_size=5), st.integers(1, 12), st.data())
def test_the_best_token_of_another_value_is_that_of_brute_force(read, d, data) -> None:
    value = data.draw(st.integers(0, len(read) - 1))
    units = np.eye(len(read), dtype=np.int64)
    tokens = [
        units[value] - units[after] + before
        for after in range(len(read))
        for before in (*units, 0 * units[0])
        if after != value
    ]
    expected = min((int(d * (2 + token @ token) - 2 * token @ read) for token in tokens), default=None)
    assert _other_value(np.array(read), d, value) == expected


def test_a_request_can_be_undecided_since_another_value_would_be_written() -> None:
    """What is stored under keys nearly opposite to this one makes `v1` the nearest, though `absent` is read rightly."""
    program = memory(12, 2, 5, stored=[("k3", "v1"), ("k4", "v1"), ("k10", "v1")])
    assert compile(program).run("k11").output == ("absent",)
    store = Store(program, [(3, 1), (4, 1), (10, 1)])
    assert (store.query_margin(11), store.request_margin(11, 0), store.request_margin(11, 1)) == (1, Fraction(-2, 5), 1)
    with pytest.raises(ModelError, match=r"the request 'k11 = v0' .* the margin of the right answer is -2/5"):
        compile(program).run([("k11", "v0")])
    lowering, model = lower(program), compile(program)
    turns = list(lowering.dialogue([("k11", "v0")]))[:4]
    Z = np.stack([lowering.tokens[name] for name, _ in turns]).astype(object)
    assert gap_to_others(lowering, attention(model.V, model.Q, Z), *turns[-1]) == Fraction(-2, 5)


def guaranteed(program: Memory, size: int, *, missing: bool) -> bool:
    """Whether every store of `size` keys has positive margins for everything, by trying all of them."""
    count, values = len(program.keys), len(program.values)
    for chosen in combinations(range(count), size):
        for held in product(range(values), repeat=size):
            store = Store(program, list(zip(chosen, held, strict=True)))
            asked = range(count) if missing else chosen
            if any(store.query_margin(key) <= 0 for key in asked):
                return False
            requests = product(range(count), range(values)) if missing else ()
            assert all(store.request_margin(*each) > 0 for each in requests), "queries right, but a request is not"
    return True


@settings(max_examples=150)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(3, 16), st.integers(0, 10**6), st.booleans())
def test_the_capacity_is_what_all_stores_together_have(keys, values, dimensions, seed, missing) -> None:
    write = "latest" if seed % 2 else "first"
    program = memory(keys, values, dimensions, seed, write)
    sizes = range(1, keys + 1)
    best = next((size - 1 for size in sizes if not guaranteed(program, size, missing=missing)), keys)
    assert capacity(program, missing=missing) == best


def worst_stores(program: Memory, size: int, *, missing: bool):
    """The stores of `size` keys that do their worst to a query: for each key its greatest inner products."""
    vectors = sign_vectors(program)
    products = vectors @ vectors.T
    for key in range(len(vectors)):
        others = np.delete(np.arange(len(vectors)), key)
        row = products[key][others]
        against = others[np.argsort(-np.abs(row), kind="stable")][: size - 1].tolist()
        yield key, [(key, 0), *((other, int(products[key, other] > 0)) for other in against)]
        under = others[np.argsort(row, kind="stable")][: size - 1].tolist()
        yield key, [(key, 0), *((other, 0) for other in under)]
        if missing:
            yield key, [(int(other), 0) for other in others[np.argsort(-row, kind="stable")][:size]]


@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize(("keys", "dimensions"), [(40, 1024), (100, 256), (200, 512)])
def test_the_capacity_holds_against_the_worst_stores_and_one_more_does_not(keys, dimensions, missing) -> None:
    program = memory(keys, 3, dimensions, seed=5)
    most = capacity(program, missing=missing)
    assert 1 < most < keys
    assert all(Store(program, held).query_margin(key) > 0 for key, held in worst_stores(program, most, missing=missing))
    bad = [
        (key, held)
        for key, held in worst_stores(program, most + 1, missing=missing)
        if Store(program, held).query_margin(key) <= 0
    ]
    assert bad


def test_the_worst_stores_are_answered_or_refused_by_a_run() -> None:
    program = memory(20, 2, 64, seed=1)
    model, most = compile(program), capacity(program)

    def written(held, key):
        return (*((f"k{k}", f"v{v}") for k, v in held), f"k{key}")

    for key, held in worst_stores(program, most, missing=True):
        word = written(held, key)
        assert model.run(word).output == program.run(word).output
    refused = 0
    for key, held in worst_stores(program, most + 1, missing=True):
        word = written(held, key)
        try:
            assert model.run(word).output == program.run(word).output
        except ModelError:
            refused += 1
    assert refused


def test_the_capacity_of_sums_counts_writes() -> None:
    program = memory(30, 2, 128, seed=2, write="sum")
    most = capacity(program)
    pairs = list(product(range(30), repeat=2))
    margins = {
        size: min(Store(program, [(key, 0)] * size).query_margin(asked) for key, asked in pairs)
        for size in (most, most + 1)
    }
    assert margins[most] > 0 >= margins[most + 1]
    assert capacity(memory(1, 2, 4, write="sum")) is None


def test_a_refusal_names_query_store_and_margin() -> None:
    program = load("dense_capitals")
    model = compile(program)
    word = tuple((key, value) for key, value in zip(program.keys, program.values, strict=True)) + program.keys
    with pytest.raises(
        ModelError, match=r"the request 'france = paris' cannot be decided: memory dense_capitals holds 11 "
    ):
        model.run(word)
    sums = memory(3, 1, 3, seed=1, write="sum")
    with pytest.raises(
        ModelError, match=r"'k0\?' .* holds 1 keys \(9 writes\) in 3 dimensions, and the margin .* is -\d"
    ):
        compile(sums).run([("k1", "v0")] * 9 + ["k0"])


def test_raw_answers_are_refused_since_their_cross_talk_would_be_stored() -> None:
    with pytest.raises(UnsupportedError, match="decode='nearest'"):
        compile(memory(3, 2, 8)).run("k0", decode="raw")


@pytest.mark.parametrize("value", [-1, Fraction(1, 2), Fraction(-3, 4), float("nan"), float("inf")])
def test_what_is_no_count_is_refused(value) -> None:
    lowering = lower(memory(3, 2, 8, write="sum"))
    answer = lowering.tokens["v1"].astype(object)
    assert lowering.reading(answer * 3 - Fraction(1, 3))[0] == "v1+v1+v1"
    answer[lowering.coordinates.index("value[v0]")] = value
    with pytest.raises(ModelError, match=r"no number of writes|NaN or infinite"):
        lowering.reading(answer)


def test_what_cannot_be_embedded_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="only 4 vectors of 2 signs"):
        compile(memory(5, 1, 2))
    with pytest.raises(UnsupportedError, match="41,009 tokens in 1,000 dim"):
        compile(memory(500, 8, 1000))
    with pytest.raises(UnsupportedError, match="no named keys"):
        capacity(Memory("m", ("a",), ("b",)))
    with pytest.raises(ProgramError, match="seed is at least 0"):
        memory(2, 2, 2, seed=-1)


def test_traces_are_runs_of_the_program() -> None:
    program = parse("memory m { keys a, b, c; values x, y; dimensions 64 seed 3; store b = y; write first }")
    lowering, data = lower(program), generate(program, count=20, lengths=8, seed=1)
    assert data.d == lowering.form.d
    model = compile(program)
    for rows in data.sequences():
        for place in range(rows.start, rows.stop):
            if data.supervised[place]:
                answer = model.answer(data.tokens[rows.start : place + 1])
                assert np.array_equal(answer * data.denominator, data.targets[place])
                assert data.denominator == 64


@settings(max_examples=100)
@given(runs)
def test_streams_are_watched_as_runs_are(pair) -> None:
    program, word = pair
    assume(word)
    model = compile(program)
    ends = []
    for start in (model.run, Stream(model).run):
        try:
            ends.append(start(word).output)
        except ModelError as refusal:
            ends.append(str(refusal))
    assert ends[0] == ends[1]


def test_random_stores_hold_more_than_is_guaranteed() -> None:
    """1,000 keys in 256 dimensions: 1 is guaranteed; of 20 random stores of 10 keys, no query of any key fails."""
    program, random = memory(1000, 16, 256), np.random.default_rng(0)
    assert (capacity(program), capacity(program, missing=False)) == (1, 3)
    for _ in range(20):
        store = Store(program, [(int(key), int(random.integers(16))) for key in random.choice(1000, 10, replace=False)])
        assert min(store.query_margin(key) for key in range(1000)) > 0
