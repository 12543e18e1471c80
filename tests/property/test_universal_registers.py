"""Universal machines with registers for position and state, against a simulator of their own: every token, the tape."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import UnsupportedError
from compiler.heads_to_rules import heads_to_rules
from compiler.model import Model
from compiler.program import Machine, UniversalMachine
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower, lowering_for
from compiler.program_to_rules.lowering import Asks
from compiler.program_to_rules.universal_machine_registers import (
    LoweredRegistersMachine,
    registers_size,
    universal_machine_registers,
)
from compiler.runtime.stream import Stream
from verify.strategies import machines, runs_of
from verify.verify import verify

Token = dict[str, int]
Case = tuple[UniversalMachine, Machine, tuple[str, ...]]
MOST = 25
"""The most steps that are looked at."""
MOVES = {-1: "left", 0: "stay", 1: "right"}
STOPS = {"accepted": "accept", "rejected": "reject", "halted": "halt"}
bounds = st.builds(UniversalMachine, st.just("any"), st.integers(1, 3), st.integers(1, 3), st.integers(1, 6))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Machines of all sizes up to the bounds, some with a bound on their steps."""
    within = draw(bounds)
    sizes = {"max_states": within.states, "max_symbols": within.symbols, "max_cells": within.cells}
    return within, *draw(runs_of(machines(**sizes, max_steps=MOST) | machines(**sizes, max_steps=None)))


@cache
def made(states: int, symbols: int, cells: int) -> tuple[Model, Stream]:
    lowering = universal_machine_registers(UniversalMachine("any", states, symbols, cells))
    model = Model(lowering.coordinates, lowering.heads, lowering.tokens, lowering.program)
    return model, Stream(model)


def of(within: UniversalMachine) -> tuple[Model, Stream]:
    return made(within.states, within.symbols, within.cells)


def tokens(case: Case) -> Iterator[tuple[Token, str, int | None]]:
    """What the layer is given and answers, by the meaning of coordinates; the tape and the head at that token."""
    within, program, word = case
    states = [program.start] + [q for q in program.states if q != program.start]
    symbols = ["_"] + [g for g in (*program.alphabet, *program.marks) if g != "_"]
    head = program.head + (within.cells - program.cells) // 2
    tape = ["_"] * head + list(word) + ["_"] * (within.cells - head - len(word))
    for cell, symbol in enumerate(tape):
        yield {f"cell[{cell}]": 1, f"symbol[{symbols.index(symbol)}]": 1}, "".join(tape[: cell + 1]), None
    for q, g in product(range(within.states), range(within.symbols)):
        entry = {f"key[{q},{g}]": 1}
        if q < len(states) and g < len(symbols):
            action = program.actions[states[q], symbols[g]]
            entry |= {f"symbol[{symbols.index(action.write)}]": 1}
            if action.stop:
                entry |= {STOPS[action.stop]: 1}
            else:
                entry |= {f"go[{MOVES[action.move]}]": 1, f"value[{states.index(action.target or '')}]": 1}
        else:
            entry |= {f"symbol[{g}]": 1, "halt": 1}
        yield entry, "".join(tape), None
    yield {"pos": 1, f"cell[{head}]": 1, f"here[{head}]": 1, "reg": 1, "state[0]": 1}, "".join(tape), head
    state = program.start
    for _ in range(MOST if program.steps is None else program.steps):
        q, g = states.index(state), symbols.index(tape[head])
        yield {f"saw[{g}]": 1, f"cell[{head}]": 1, f"symbol[{g}]": -1}, "".join(tape), head
        yield {f"key[{q},{g}]": 1, "reg": 1, f"state[{q}]": -1}, "".join(tape), head
        action = program.actions[state, tape[head]]
        tape[head] = action.write
        written = {f"cell[{head}]": 1, f"symbol[{symbols.index(action.write)}]": 1}
        if action.stop:
            yield written | {STOPS[action.stop]: 1}, "".join(tape), None
            return
        state = action.target or ""
        entered = {"reg": 1, f"state[{states.index(state)}]": 1}
        yield written | entered | {f"go[{MOVES[action.move]}]": 1}, "".join(tape), head
        to = head + action.move
        if not 0 <= to < within.cells:
            yield {"pos": 1, f"cell[{head}]": -1, "overran": 1}, "".join(tape), None
            return
        moved = {f"cell[{to}]": 1, f"cell[{head}]": -1} if action.move else {}
        head = to
        yield {"pos": 1, f"here[{head}]": 1} | moved, "".join(tape), head


def meaning(stream: Stream, name: str) -> Token:
    places, values = stream.vocabulary.entries(stream.vocabulary.numbers[name])
    return {stream.lowering.coordinates[p]: v for p, v in zip(places.tolist(), values.tolist(), strict=True)}


@settings(max_examples=250)
@given(cases())
def test_every_token_is_the_simulators(case: Case) -> None:
    within, program, word = case
    model, stream = of(within)
    expected = [token for token, _, _ in tokens(case)]
    slow = stream.start(word, given=program, max_tokens=len(expected))
    assert [meaning(stream, step.name) for step in slow.steps()] == expected
    naive = model.run(word, given=program, max_tokens=len(expected))
    raw = model.run(word, given=program, max_tokens=len(expected), decode="raw")
    assert [meaning(stream, name) for name in naive.tokens] == expected
    assert (raw.tokens, raw.outcome, raw.output) == (naive.tokens, naive.outcome, naive.output)
    run = stream.run(word, given=program, max_tokens=len(expected))
    assert run == slow.result() == (naive.outcome, naive.output, naive.steps, len(expected))
    interpreted = within.run(word, given=program, steps=MOST)
    assert run[:3] == (interpreted.outcome, interpreted.output, interpreted.steps)
    turns = list(stream.lowering.running(program).dialogue(program.word(word), limit=len(expected)))
    assert [meaning(stream, name) for name, _ in turns] == expected
    for (_, answer), (name, _) in pairwise(turns):
        assert answer is None or answer == name


@given(cases())
def test_what_is_read_is_zero_or_one(case: Case) -> None:
    """The invariant: at every token every entry of S that a rule reads is 0 or 1; position and state are one-hot."""
    within = case[0]
    _, stream = of(within)
    form, place = stream.lowering.form, {name: n for n, name in enumerate(stream.lowering.coordinates)}
    S = np.zeros((form.d, form.d), dtype=np.int64)
    for token, tape, head in tokens(case):
        z = np.zeros(form.d, dtype=np.int64)
        z[[place[name] for name in token]] = list(token.values())
        S += np.outer(z, z)
        assert set(S[form.index[:, 1], form.index[:, 2]].tolist()) <= {0, 1}
        position = [S[place["pos"], place[f"cell[{p}]"]] for p in range(within.cells)]
        assert head is None or position == [int(p == head) for p in range(within.cells)]
        if any(name.startswith("here[") for name in token):
            assert sum(S[place["reg"], place[f"state[{q}]"]] for q in range(within.states)) == 1
            for p in range(len(tape)):
                assert sum(S[place[f"cell[{p}]"], place[f"symbol[{g}]"]] for g in range(within.symbols)) == 1


@settings(max_examples=60)
@given(cases())
def test_cut_anywhere_it_shows_the_tape(case: Case) -> None:
    """Also in the middle of a step, where the cell under the head is empty in S; a step is done when it has written."""
    within, program, word = case
    _, stream = of(within)
    seen = list(tokens(case))
    given_first = within.cells + within.states * within.symbols + 1
    for most in range(1, len(seen)):
        run = stream.run(word, given=program, max_tokens=most)
        steps = (max(0, most - given_first) + 1) // 4
        assert run == ("unfinished", tuple(seen[most - 1][1].strip("_")), steps, most)
    running = stream.start(word, given=program, max_tokens=len(seen))
    for step, (_, tape, head) in zip(running.steps(), seen, strict=True):
        picture = running.lowering.picture(running.recall, step.name)
        assert (picture is None) == (running.tokens < given_first)
        if picture is not None:
            assert picture == (tape if head is None else f"{tape[:head]}[{tape[head]}]{tape[head + 1 :]}")


@given(cases(), st.integers(0, MOST))
def test_a_bound_on_steps_is_met_after_so_many(case: Case, most: int) -> None:
    within, program, word = case
    _, stream = of(within)
    free = stream.run(word, given=replace(program, steps=None), max_tokens=10 + 100 * MOST)
    bound = stream.run(word, given=replace(program, steps=most))
    if free.steps > most or free.outcome == "unfinished":
        prompt = within.cells + within.states * within.symbols + 1
        assert bound[::2] + bound[3:] == ("unfinished", most, prompt + 4 * most)
    else:
        assert bound == free


@given(bounds)
def test_sizes(within: UniversalMachine) -> None:
    model, stream = of(within)
    lowering, Q, G, n = stream.lowering, within.states, within.symbols, within.cells
    assert (model.d, len(model.heads)) == registers_size(within) == (2 * n + 2 * G + 2 * Q + Q * G + 9, G + 6)
    assert heads_to_rules(model.heads, model.coordinates) == lowering.form, "on all inputs"
    assert set(model.entries().tolist()) <= {-1, 0, 1}
    assert lowering.form.violations() == []
    assert set(np.unique(stream.vocabulary.values_of_entries)) <= {-1, 0, 1}
    actions = G * (3 * Q + 3)
    assert len(stream.vocabulary) == n * (2 * G + actions + 4) + Q * G * (actions + 1) - (n == 1)
    assert lowering_for(within, model.coordinates[::-1]).coordinates == model.coordinates
    assert verify(within, replace(model, program=None)).level == "everywhere"


@given(bounds)
def test_tokens_are_different_and_ask_by_their_coordinates(within: UniversalMachine) -> None:
    _, stream = of(within)
    names = stream.vocabulary.names
    assert len({tuple(sorted(meaning(stream, name).items())) for name in names}) == len(names)
    for name, asks in zip(names, stream.lowering.asks.tolist(), strict=True):
        token = meaning(stream, name)
        kinds = {each.split("[")[0] for each in token}
        given_only = "key" in kinds and "reg" not in kinds
        asking = not given_only and not kinds.isdisjoint({"here", "saw", "key", "go"})
        assert asks == (Asks.APPENDED if asking else Asks.NOTHING), name


@given(bounds)
def test_fewest_takes_the_construction_that_has_fewest(within: UniversalMachine) -> None:
    usual, registers = compile(within), of(within)[0]
    fewest = {each: compile(within, fewest=each) for each in ("heads", "dimensions")}  # type: ignore[arg-type]
    assert len(fewest["heads"].heads) == min(len(usual.heads), len(registers.heads))
    assert fewest["dimensions"].d == min(usual.d, registers.d)
    assert {model.digest() for model in fewest.values()} <= {usual.digest(), registers.digest()}
    assert compile(within, fewest="tokens").digest() == usual.digest()


def test_the_bound_from_below_on_what_is_compiled() -> None:
    """The starts are linearly independent, so d >= n, in both constructions."""
    for model in (made(2, 2, 6)[0], compile(UniversalMachine("any", 2, 2, 6))):
        starts = np.stack([model.tokens[f"0@{p}"] for p in range(6)])
        assert np.linalg.matrix_rank(starts) == 6 <= model.d


def test_bounds_too_large_for_one_construction_may_do_for_the_other() -> None:
    large = UniversalMachine("any", 20, 4, 1000)
    with pytest.raises(UnsupportedError, match=r"some .* rules"):
        lower(large)
    lowering = lower(large, fewest="heads")
    assert isinstance(lowering, LoweredRegistersMachine)
    assert (len(lowering.coordinates), len(lowering.heads)) == (2137, 10)
    with pytest.raises(UnsupportedError, match=r"its vocabulary would have some 1,0.* tokens"):
        lower(UniversalMachine("any", 20, 4, 4000), fewest="dimensions")
