"""Universal programs as layers against simulators of their own: every token, the tape, the end, what is never met."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import UnsupportedError
from compiler.heads_to_rules import heads_to_rules
from compiler.model import Model
from compiler.program import Automaton, Machine, UniversalAutomaton, UniversalMachine
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.lowering import Asks
from compiler.runtime.stream import Stream
from verify.strategies import automata, inputs, machines, runs_of, words

Token = dict[str, int]
Universal = UniversalAutomaton | UniversalMachine
Given = Automaton | Machine
Case = tuple[Universal, Given, tuple[str, ...]]
MOST = 25
"""The most steps of a machine that are looked at."""
MOVES = {-1: "left", 0: "stay", 1: "right"}
STOPS = {"accepted": "accept", "rejected": "reject", "halted": "halt"}


def fitting(bounds: UniversalMachine) -> st.SearchStrategy[Machine]:
    """Machines of all sizes up to the bounds, some with a bound on their steps."""
    sizes = {"max_states": bounds.states, "max_symbols": bounds.symbols, "max_cells": bounds.cells}
    return machines(**sizes, max_steps=MOST) | machines(**sizes, max_steps=None)


machine_bounds = st.builds(
    UniversalMachine, st.just("any"), st.integers(1, 3), st.integers(1, 3), st.integers(1, 6)
)  # fmt: skip
automaton_bounds = st.builds(UniversalAutomaton, st.just("any"), st.integers(1, 5), st.integers(1, 3))


@st.composite
def machine_cases(draw: st.DrawFn) -> Case:
    bounds = draw(machine_bounds)
    return bounds, *draw(runs_of(fitting(bounds)))


@st.composite
def automaton_cases(draw: st.DrawFn) -> Case:
    """Automata of all sizes up to the bounds; a partial one needs one state fewer."""
    bounds = draw(automaton_bounds)
    acceptors = automata(max_states=bounds.states, max_letters=bounds.symbols, kinds=("acceptor",))
    program = draw(acceptors)
    if len(program.states) == bounds.states and len(program.transitions) < bounds.states * len(program.alphabet):
        whole = {(q, s): program.start for q in program.states for s in program.alphabet}
        program = replace(program, transitions=whole | dict(program.transitions))
    return bounds, program, draw(words(program.alphabet, max_size=8))


cases = machine_cases() | automaton_cases()


@cache
def streams(states: int, symbols: int, cells: int | None = None) -> tuple[Model, Stream]:
    made = UniversalMachine("any", states, symbols, cells) if cells else UniversalAutomaton("any", states, symbols)
    model = compile(made)
    return model, Stream(model)


def compiled(bounds: Universal) -> tuple[Model, Stream]:
    return streams(bounds.states, bounds.symbols, getattr(bounds, "cells", None))


def automaton_tokens(bounds: UniversalAutomaton, program: Automaton, word: tuple[str, ...]) -> Iterator[Token]:
    """What the layer is given and answers, by the meaning of coordinates."""
    order = [program.start] + [q for q in program.states if q != program.start]

    def entry(q: int, s: int) -> int:
        if q < len(order) and s < len(program.alphabet):
            target = program.transitions.get((order[q], program.alphabet[s]))
            return len(order) if target is None else order.index(target)
        return q

    def accept(r: int) -> Token:
        return {"accept": 1} if r < len(order) and order[r] in (program.accept or ()) else {}

    for q in range(bounds.states):
        for s in range(bounds.symbols):
            yield {f"key[{q},{s}]": 1, f"value[{entry(q, s)}]": 1} | accept(entry(q, s))
    yield {"reg": 1, "state[0]": 1} | accept(0)
    q = 0
    for symbol in word:
        s = program.alphabet.index(symbol)
        yield {f"symbol[{s}]": 1}
        yield {f"key[{q},{s}]": 1, "reg": 1, f"state[{q}]": -1}
        q = entry(q, s)
        yield {"reg": 1, f"state[{q}]": 1} | accept(q)


def machine_tokens(bounds: UniversalMachine, program: Machine, word: tuple[str, ...]) -> Iterator[tuple[Token, str]]:
    """What the layer is given and answers, by the meaning of coordinates, and the tape while that is the last token."""
    states = [program.start] + [q for q in program.states if q != program.start]
    symbols = ["_"] + [g for g in (*program.alphabet, *program.marks) if g != "_"]
    head = program.head + (bounds.cells - program.cells) // 2
    tape = ["_"] * head + list(word) + ["_"] * (bounds.cells - head - len(word))
    for cell, symbol in enumerate(tape):
        yield {f"cell[{cell}]": 1, f"symbol[{cell},{symbols.index(symbol)}]": 1}, "".join(tape[: cell + 1])
    for q in range(bounds.states):
        for g in range(bounds.symbols):
            said = f"write {g}, halt"
            if q < len(states) and g < len(symbols):
                action = program.actions[states[q], symbols[g]]
                said = f"write {symbols.index(action.write)}, "
                if action.stop:
                    said += STOPS[action.stop]
                else:
                    said += f"{MOVES[action.move]}, {states.index(action.target or '')}"
            yield {f"key[{q},{g}]": 1, f"act[{said}]": 1}, "".join(tape)
    yield {f"conf[0,{head}]": 1}, "".join(tape)
    state: str | None = program.start
    for _ in range(MOST if program.steps is None else program.steps):
        q, read = states.index(state or ""), symbols.index(tape[head])
        yield {f"cell[{head}]": 1, f"symbol[{head},{read}]": -1, f"at[{q},{read},{head}]": 1}, "".join(tape)
        action = program.actions[state or "", tape[head]]
        tape[head], state = action.write, action.target
        written = {f"cell[{head}]": 1, f"symbol[{head},{symbols.index(action.write)}]": 1}
        head += action.move
        end = STOPS[action.stop] if action.stop else "overran"
        goes_on = state is not None and 0 <= head < bounds.cells
        yield written | {f"conf[{states.index(state or '')},{head}]" if goes_on else end: 1}, "".join(tape)
        if not goes_on:
            return


def tokens(case: Case) -> list[Token]:
    bounds, program, word = case
    if isinstance(bounds, UniversalAutomaton):
        assert isinstance(program, Automaton)
        return list(automaton_tokens(bounds, program, word))
    assert isinstance(program, Machine)
    return [token for token, _ in machine_tokens(bounds, program, word)]


def meaning(stream: Stream, name: str) -> Token:
    places, values = stream.vocabulary.entries(stream.vocabulary.numbers[name])
    return {stream.lowering.coordinates[p]: v for p, v in zip(places.tolist(), values.tolist(), strict=True)}


@settings(max_examples=200)
@given(cases)
def test_every_token_is_the_simulators(case: Case) -> None:
    bounds, program, word = case
    model, stream = compiled(bounds)
    expected = tokens(case)
    slow = stream.start(word, given=program, max_tokens=len(expected))
    assert [meaning(stream, step.name) for step in slow.steps()] == expected
    run = slow.result()
    naive = model.run(word, given=program, max_tokens=len(expected))
    assert [meaning(stream, name) for name in naive.tokens] == expected
    assert run == (naive.outcome, naive.output, naive.steps, len(naive.tokens))
    assert run == stream.run(word, given=program, max_tokens=len(expected))
    raw = model.run(word, given=program, max_tokens=len(expected), decode="raw")
    assert (raw.tokens, raw.outcome, raw.output) == (naive.tokens, naive.outcome, naive.output)
    more = {} if isinstance(program, Automaton) else {"steps": MOST}
    interpreted = bounds.run(word, given=program, **more)  # type: ignore[arg-type, call-arg]
    assert (run.outcome, run.output, run.steps) == (interpreted.outcome, interpreted.output, interpreted.steps)
    spoken = stream.lowering.running(program).dialogue(program.word(word), limit=len(expected))
    turns = list(spoken)
    assert [meaning(stream, name) for name, _ in turns] == expected
    answers = [answer for _, answer in turns if answer is not None]
    names = [name for name, _ in turns]
    asked = [n for n, (_, answer) in enumerate(turns) if answer is not None]
    assert all(n + 1 == len(names) or names[n + 1] == answer for n, answer in zip(asked, answers, strict=True))


@given(cases)
def test_what_is_read_is_zero_or_one(case: Case) -> None:
    """The invariant: along a run every entry of S that a rule reads is 0 or 1."""
    bounds, program, word = case
    model, stream = compiled(bounds)
    numbers = stream.vocabulary.numbers
    expected = tokens(case)
    names = [step.name for step in stream.start(word, given=program, max_tokens=len(expected)).steps()]
    b, c = stream.lowering.form.index[:, 1], stream.lowering.form.index[:, 2]
    read = dict.fromkeys(zip(b.tolist(), c.tolist(), strict=True), 0)
    for name in names:
        places, values = stream.vocabulary.entries(numbers[name])
        entries = dict(zip(places.tolist(), values.tolist(), strict=True))
        for i in entries:
            for j in entries:
                if (i, j) in read:
                    read[i, j] += entries[i] * entries[j]
        assert set(read.values()) <= {0, 1}
    assert model.coordinates == stream.lowering.coordinates


@settings(max_examples=60)
@given(machine_cases())
def test_cut_anywhere_it_shows_the_tape(case: Case) -> None:
    """Also in the middle of a step, where the cell under the head is empty in S."""
    bounds, program, word = case
    assert isinstance(bounds, UniversalMachine)
    assert isinstance(program, Machine)
    model, stream = compiled(bounds)
    seen = list(machine_tokens(bounds, program, word))
    given_first = bounds.cells + bounds.states * bounds.symbols + 1
    for most in range(1, len(seen)):
        run = stream.run(word, given=program, max_tokens=most)
        steps = max(0, most - given_first) // 2
        assert run == ("unfinished", tuple(seen[most - 1][1].strip("_")), steps, most)
    most = len(seen) // 2
    naive = model.run(word, given=program, max_tokens=most)
    assert stream.run(word, given=program, max_tokens=most)[:2] == (naive.outcome, naive.output)
    slow = stream.start(word, given=program, max_tokens=len(seen))
    for step, (_, tape) in zip(slow.steps(), seen, strict=True):
        picture = slow.lowering.picture(slow.recall, step.name)
        assert picture is None or picture.replace("[", "").replace("]", "") == tape
        assert (picture is None) == (slow.tokens < given_first)


@given(machine_cases(), st.integers(0, MOST))
def test_a_bound_on_steps_is_met_after_so_many(case: Case, most: int) -> None:
    bounds, program, word = case
    assert isinstance(program, Machine)
    _, stream = compiled(bounds)
    free = stream.run(word, given=replace(program, steps=None), max_tokens=10 + 100 * MOST)
    bound = stream.run(word, given=replace(program, steps=most))
    if free.steps > most or free.outcome == "unfinished":
        assert bound[::2] == ("unfinished", most)
        assert bound.tokens == bounds.cells + bounds.states * bounds.symbols + 1 + 2 * most  # type: ignore[union-attr]
    else:
        assert bound == free


@given(cases, st.randoms(use_true_random=False))
def test_what_fills_the_table_is_never_met(case: Case, random: Any) -> None:
    """Whatever stands there, the run is the same: other entries of the vocabulary are put in its places."""
    bounds, program, word = case
    model, stream = compiled(bounds)
    machine = isinstance(program, Machine)
    symbols = program.symbols if isinstance(program, Machine) else program.alphabet
    sink = 0 if machine else len(program.transitions) < len(program.states) * len(symbols)  # type: ignore[union-attr]
    running = stream.start(word, given=program, max_tokens=200)
    first = bounds.cells if isinstance(bounds, UniversalMachine) else 0
    for q in range(bounds.states):
        for s in range(bounds.symbols):
            if q < len(program.states) + sink and s < len(symbols):
                continue
            at, begins = first + q * bounds.symbols + s, f"{q},{s}"
            names = enumerate(stream.vocabulary.names)
            others = [number for number, name in names if name.startswith((f"{begins} ", f"{begins}:"))]
            assert int(running.inputs[at]) in others
            running.inputs[at] = random.choice(others)
    while running.advance():
        pass
    assert running.result() == stream.run(word, given=program, max_tokens=200)
    assert model.program is not None


@given(automaton_bounds)
def test_sizes_of_universal_automata(bounds: UniversalAutomaton) -> None:
    model, stream = compiled(bounds)
    form, Q, A = stream.lowering.form, bounds.states, bounds.symbols
    assert (model.d, len(model.heads)) == (2 + 2 * Q + A + Q * A, A + 1)
    assert heads_to_rules(model.heads, model.coordinates) == form, "on all inputs"
    assert set(model.entries().tolist()) <= {-1, 0, 1}
    assert form.violations() == []
    assert set(np.unique(stream.vocabulary.values_of_entries)) <= {-1, 0, 1}


@given(machine_bounds)
def test_sizes_of_universal_machines(bounds: UniversalMachine) -> None:
    model, stream = compiled(bounds)
    form, Q, G, n = stream.lowering.form, bounds.states, bounds.symbols, bounds.cells
    assert (model.d, len(model.heads)) == (n * (1 + G + Q + Q * G) + Q * G + G * (3 * Q + 3) + 4, Q + n)
    assert model.live_rules == form, "on the domain"
    assert set(model.entries().tolist()) <= {-1, 0, 1}
    assert form.violations() == []
    assert set(np.unique(stream.vocabulary.values_of_entries)) <= {-1, 0, 1}


@given(machine_bounds | automaton_bounds)
def test_tokens_are_different_and_ask_by_their_coordinates(bounds: Universal) -> None:
    _, stream = compiled(bounds)
    names = stream.vocabulary.names
    assert len({tuple(sorted(meaning(stream, name).items())) for name in names}) == len(names)
    for name, asks in zip(names, stream.lowering.asks.tolist(), strict=True):
        token = meaning(stream, name)
        if isinstance(bounds, UniversalMachine):
            asking = any(each.startswith(("conf[", "at[")) for each in token)
        else:
            asking = any(each.startswith("symbol[") for each in token) or -1 in token.values()
        assert asks == (Asks.APPENDED if asking else Asks.NOTHING), name


@settings(max_examples=60)
@given(st.data())
def test_runs_of_several_programs_on_one_stream(data: st.DataObject) -> None:
    """A step of each in turn; and words at once, on all cores."""
    bounds = data.draw(machine_bounds | automaton_bounds)
    model, stream = compiled(bounds)
    if isinstance(bounds, UniversalMachine):
        programs: list[Any] = data.draw(st.lists(fitting(bounds), min_size=2, max_size=3))
    else:
        wanted = automata(
            max_states=bounds.states, max_letters=bounds.symbols, kinds=("acceptor",), partial=False
        )  # fmt: skip
        programs = data.draw(st.lists(wanted, min_size=2, max_size=3))
    most = 100
    written = [data.draw(inputs(p, max_size=9)) for p in programs]
    alone = [stream.run(word, given=p, max_tokens=most) for p, word in zip(programs, written, strict=True)]
    together = [stream.start(word, given=p, max_tokens=most) for p, word in zip(programs, written, strict=True)]
    waiting = list(together)
    while waiting:
        waiting = [running for running in waiting if running.advance(1)]
    assert [running.result() for running in together] == alone
    same = [written[0], (), written[0]]
    assert stream.run_many(same, given=programs[0], max_tokens=most) == [
        stream.run(word, given=programs[0], max_tokens=most) for word in same
    ]
    assert compile(bounds).digest() == model.digest()


def test_without_a_program_or_beyond_the_bounds_nothing_runs() -> None:
    ones = Automaton("ones", ("1", "2"), ("q", "r"), "q", {}, frozenset())
    for bounds in (UniversalMachine("any", 1, 1, 1), UniversalAutomaton("any", 1, 1)):
        model, stream = compiled(bounds)
        for run in (model.run, stream.run, stream.start, stream.run_many):
            word: Any = [""] if run == stream.run_many else ""
            with pytest.raises(UnsupportedError, match="runs another program; name it"):
                run(word)
            beyond = r"3 states .* and 2 symbols; any runs at most 1 states and 1 symbols"
            with pytest.raises(UnsupportedError, match=f"runs machines, not automaton ones|{beyond}"):
                run(word, given=ones)
    with pytest.raises(UnsupportedError, match="over 1,000,000 tokens"):
        lower(UniversalAutomaton("any", 1000, 2))
    with pytest.raises(UnsupportedError, match=r"some .* rules"):
        lower(UniversalMachine("any", 20, 4, 1000))
