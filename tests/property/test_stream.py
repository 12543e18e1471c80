"""Streams against the naive run: programs, other models of them, floats, counters that could overflow, cuts."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.errors import ModelError
from compiler.model import Model
from compiler.program import Automaton, Machine, Memory, UniversalMachine
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.runtime import kernel, running
from compiler.runtime.stream import Stream
from verify.strategies import automata, inputs, machines, memories, mutants, rescaled, runs_of

Family = Automaton | Machine | Memory
MOST = 40
Trace = tuple[Any, ...]


programs = automata() | memories(max_keys=4) | machines(max_steps=MOST) | machines(max_steps=None)
dense = st.builds(replace, memories(max_keys=4), dimensions=st.integers(2, 8), seed=st.integers(0, 99))
runs = runs_of(programs, max_size=8)


def naive(model: Model, word: Trace, most: int) -> Trace:
    run = model.run(word, max_tokens=most)
    return run.outcome, run.output, run.steps, len(run.tokens), run.tokens


def streamed(model: Model, word: Trace, most: int, dtype: type | None = None) -> Trace:
    """The run at once, which must be the run a token at a time."""
    stream = Stream(model, dtype=dtype)
    run, slow = stream.run(word, max_tokens=most), stream.start(word, max_tokens=most)
    tokens = tuple(step.name for step in slow.steps() if step.fed)
    assert slow.result() == run
    return (*run, tokens)


def found(work: Callable[..., Trace], *arguments: Any) -> Trace | str:
    """What it returns, or in brief why it is refused."""
    try:
        return work(*arguments)
    except ModelError as refusal:
        kinds = ("equally near", "is no number of writes", "margin", "62 bits", "64 bits")
        return next(kind for kind in kinds if kind in str(refusal))


def with_weights(model: Model, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Model:
    def changed(matrix: Sparse) -> Sparse:
        return Sparse(matrix.rows, matrix.columns, change(matrix.weights))

    return replace(model, heads=tuple(Head(head.name, changed(head.V), changed(head.Q)) for head in model.heads))


@settings(max_examples=300)
@given(runs | runs_of(dense, max_size=8), st.integers(0, MOST))
def test_programs(pair: tuple[Family, Trace], most: int) -> None:
    """Dense memories are refused where the naive run is."""
    model = compile(pair[0])
    assert found(streamed, model, pair[1], most) == found(naive, model, pair[1], most)


@settings(max_examples=400)
@given(runs, st.data())
def test_integer_mutants(pair: tuple[Family, Trace], data: st.DataObject) -> None:
    """Their answers are often no tokens: the nearest counts, and a tie is an error in both."""
    program, word = pair
    model = compile(program)
    for _ in range(data.draw(st.integers(1, 3))):
        model = data.draw(mutants(model))
    assert found(streamed, model, word, MOST) == found(naive, model, word, MOST)


@settings(max_examples=200)
@given(runs, st.data())
def test_rational_models(pair: tuple[Family, Trace], data: st.DataObject) -> None:
    """Rescaled heads are the same; with weights that are a little off, nearness is decided exactly."""
    program, word = pair
    model = compile(program)
    parts = st.builds(Fraction, st.sampled_from([-7, -1, 1, 2, 3]), st.sampled_from([1, 2, 3, 5]))
    factors = data.draw(st.lists(parts, min_size=len(model.heads), max_size=len(model.heads)))
    same = replace(model, heads=tuple(map(rescaled, model.heads, factors)))
    assert streamed(same, word, MOST) == naive(same, word, MOST) == naive(model, word, MOST)
    off = data.draw(st.lists(st.sampled_from([0, 0, 0, Fraction(1, 2), Fraction(-1, 3)]), min_size=4, max_size=9))
    other = with_weights(model, lambda w: w.astype(object) + np.resize(np.array(off, dtype=object), len(w)))
    assert found(streamed, other, word, MOST) == found(naive, other, word, MOST)


@settings(max_examples=200)
@given(runs, st.integers(0, 2**32), st.sampled_from([1e-9, 1e-3, 0.02]))
def test_noisy_models_in_floats(pair: tuple[Family, Trace], seed: int, size: float) -> None:
    """A little noise is decoded away, in both formats; counters that are never read may grow."""
    program, word = pair
    rng, model = np.random.default_rng(seed), compile(program)
    noisy = with_weights(model, lambda w: w + rng.uniform(-size / 8, size / 8, size=len(w)))
    expected = naive(model, word, MOST)
    assert naive(noisy, word, MOST) == expected
    for dtype in (None, np.float64, np.float32):
        assert streamed(noisy, word, MOST, dtype) == expected
        assert streamed(model, word, MOST, dtype) == expected


@settings(max_examples=200)
@given(runs, st.data())
def test_float_models_that_are_far_off(pair: tuple[Family, Trace], data: st.DataObject) -> None:
    """Multiples of 1/4 are exact in floats, so ties and all else are the same as in the naive run."""
    program, word = pair
    off = data.draw(st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.25, -0.5]), min_size=3, max_size=9))
    model = with_weights(compile(program), lambda w: w + np.resize(off, len(w)))
    assert found(streamed, model, word, MOST) == found(naive, model, word, MOST)


@settings(max_examples=200)
@given(runs, st.sampled_from([2, -1, 0.75, Fraction(2, 3), Fraction(1, 3), "noise", "equal"]), st.integers(0, 2**32))
def test_models_with_their_own_embeddings(pair: tuple[Family, Trace], how: Any, seed: int) -> None:
    """Doubled, turned round, rationals, floats, and two tokens of one kind with the same vector."""
    program, word = pair
    model, rng = compile(program), np.random.default_rng(seed)
    tokens = dict(model.tokens)
    if how == "noise":
        tokens = {name: vector + rng.normal(scale=0.03, size=model.d) for name, vector in tokens.items()}
    elif how == "equal":
        first, second = rng.choice(list(tokens), size=2)
        tokens[second] = tokens[first]
    else:
        kind = object if isinstance(how, Fraction) else type(how)
        tokens = {name: vector.astype(kind) * how for name, vector in tokens.items()}
    other = replace(model, tokens=tokens)
    assert found(streamed, other, word, MOST) == found(naive, other, word, MOST)


@settings(max_examples=600)
@given(programs, st.integers(0, 2**32), st.sampled_from(["shuffled", "exchanged", "repeated"]))
def test_models_whose_tokens_mean_something_else(program: Family, seed: int, how: str) -> None:
    """Vectors moved among the names: S leaves the domain, and counts 2, -1, .. where a program has 0 and 1."""
    rng, model, kinds = np.random.default_rng(seed), compile(program), lower(program).replies
    vocabulary, order = model.vocabulary, np.arange(len(kinds))
    for kind in (0, 1, 2):
        some = rng.permutation(order[kinds == kind])[: 2 if how == "exchanged" else None]
        order[np.sort(some)] = some
    if how == "repeated":
        order = np.where(rng.random(len(order)) < 0.3, rng.choice(order, size=len(order)), order)
    tokens = {name: vocabulary.vector(number) for name, number in zip(vocabulary, order.tolist(), strict=True)}
    choices = lower(program).items()
    longest = lower(program).longest
    length = 30 if longest is None else longest
    word = tuple(choices[n] for n in rng.integers(len(choices) or 1, size=length if choices else 0))
    other = replace(model, tokens=tokens)
    assert found(streamed, other, word, 90) == found(naive, other, word, 90)


@settings(max_examples=300)
@given(programs.filter(lambda p: getattr(p, "write", None) != "sum"), st.integers(30, 61), st.data())
def test_huge_weights_are_right_or_refused(program: Family, power: int, data: st.DataObject) -> None:
    """Never wrong: 64-bit counters must not wrap round unnoticed."""
    word = data.draw(inputs(program, max_size=8))
    model = compile(program)
    where = data.draw(st.lists(st.sampled_from([0, 0, 1]), min_size=2, max_size=9))
    factors = [2 ** (power * each) for each in where]
    huge = with_weights(model, lambda w: w.astype(object) * np.resize(np.array(factors, dtype=object), len(w)))
    times = 2 ** data.draw(st.sampled_from([0, 0, 10, 31, 40]))
    huge = replace(huge, tokens={name: times * vector for name, vector in model.tokens.items()})
    mine = found(streamed, huge, word, MOST)
    assert mine in ("62 bits", "64 bits") or mine == found(naive, huge, word, MOST)


@settings(max_examples=60)
@given(programs, st.data())
def test_a_run_cut_short_is_the_beginning_of_the_whole_run(program: Family, data: st.DataObject) -> None:
    """At every number of tokens: outcome, output and steps are those of the naive run, and the tokens are a prefix."""
    word = data.draw(inputs(program, max_size=5))
    model = compile(program)
    whole = streamed(model, word, MOST)
    for most in range(min(whole[3] + 2, MOST + 1)):
        cut = streamed(model, word, most)
        assert cut == naive(model, word, most)
        assert cut[4] == whole[4][:most]
        assert (cut == whole) if most >= whole[3] else (cut[0] == "unfinished" and cut[3] == most)
        assert cut[1] == whole[1][: len(cut[1])] or isinstance(program, Machine)


@settings(max_examples=60)
@given(programs, st.data())
def test_stretches_and_records_of_any_size_are_one_run(program: Family, data: st.DataObject) -> None:
    word = data.draw(inputs(program, max_size=30))
    stream = Stream(compile(program))
    whole = stream.run(word, max_tokens=99)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "RECORDS", data.draw(st.integers(1, 9)))
        assert stream.run(word, max_tokens=99) == whole
        started = stream.start(word, max_tokens=99)
        while started.advance(data.draw(st.integers(1, 9))):
            assert started.result().outcome == "unfinished"
        assert started.result() == whole


@settings(max_examples=40)
@given(programs, st.data())
def test_many_are_one_by_one(program: Family, data: st.DataObject) -> None:
    several = data.draw(st.lists(inputs(program, max_size=8), max_size=9))
    stream = Stream(compile(program))
    assert stream.run_many(several, max_tokens=30) == [stream.run(word, max_tokens=30) for word in several]


@settings(max_examples=5)
@given(automata(max_states=9), st.integers(0, 2**32))
def test_long_words(program: Automaton, seed: int) -> None:
    word = "".join(np.random.default_rng(seed).choice(list(program.alphabet), size=100_000))
    run, own = Stream(compile(program)).run(word), program.run(word)
    assert (run.outcome, run.output, run.steps, run.tokens) == (own.outcome, own.output, own.steps, 200_001)


def check_writes(stream: Stream, tokens: list[int]) -> None:
    """Feed tokens by number, nothing asked: the entries of S are the sums, and each row lists those that are not 0."""
    tables, vocabulary = stream.compiled.tables, stream.vocabulary
    silent = tables.hot.copy()
    silent[:, kernel.ASK] = 0
    state, counters = stream.compiled.state(), np.zeros(9, dtype=np.int64)
    counters[[kernel.NEXT, kernel.LAST, kernel.ENDED]] = -1
    counters[kernel.MOST_FED] = counters[kernel.MOST_ANSWERED] = 2**62
    fed, records = np.array(tokens, dtype=np.int32), np.zeros((0, 2), dtype=np.int32)
    tables = tables._replace(hot=silent)
    assert kernel.advance(tables, stream.compiled.words, state, fed, counters, records) == kernel.DONE
    Z = vocabulary.dense(tokens) if tokens else np.zeros((0, vocabulary.d), dtype=np.int64)
    memory = Z.T @ Z
    assert state.S.tolist() == [memory[b, c] for b, c in stream.compiled.pairs.tolist()]
    for row, (begin, end) in enumerate(zip(tables.row_begin[:-1].tolist(), tables.row_begin[1:].tolist(), strict=True)):
        live = state.listed[begin : begin + state.live[row]]
        assert sorted(live.tolist()) == [slot for slot in range(begin, end) if state.S[slot] != 0]
        assert [int(state.place[slot]) for slot in live] == list(range(begin, begin + len(live)))


@settings(max_examples=200)
@given(programs, st.data())
def test_any_tokens_in_any_order(program: Family, data: st.DataObject) -> None:
    stream = Stream(compile(program))
    check_writes(stream, data.draw(st.lists(st.integers(0, len(stream.vocabulary) - 1), max_size=40)))


def test_single_writes_in_any_order() -> None:
    """Of a universal machine's tokens those that write to the first cell, from every content, met in runs or not."""
    stream = Stream(compile(UniversalMachine("any", 2, 3, 2)))
    tables, rng = stream.compiled.tables, np.random.default_rng(0)
    first = tables.write_ends[:-1][np.diff(tables.write_ends) == 1]
    of_slot = {(int(tables.write_slot[n]), int(tables.write_delta[n])): n for n in first if tables.write_slot[n] < 3}
    tokens = [int(np.searchsorted(tables.write_ends, n, side="right")) - 1 for n in of_slot.values()]
    assert len(tokens) == 6, "three symbols, written and taken away"
    for _ in range(300):
        check_writes(stream, rng.choice(tokens, size=rng.integers(1, 12)).tolist())
