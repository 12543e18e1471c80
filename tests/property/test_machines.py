"""Machines as layers against a simulator of their own: every token by its meaning, the tape after each, the end."""

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.attention import attention
from compiler.program.machine import Machine
from compiler.program.words import spell
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.lowering import Asks
from compiler.program_to_rules.machine import LoweredMachine
from compiler.rules import Form
from compiler.runtime.stream import Stream
from verify.strategies import machines, runs_of

MOST = 60
"""The most steps that are looked at."""
COORDINATE = {"accepted": "accept", "rejected": "reject", "halted": "halt", "overran": "overran"}
Token = dict[str, int]
Pair = tuple[Machine, tuple[str, ...]]


drawn_machines = st.one_of(
    [machines(max_states=4, max_symbols=4, max_cells=8, max_steps=bound) for bound in (MOST, None)]
)
runs = runs_of(drawn_machines)


class Seen(NamedTuple):
    """A token by its non-zero coordinates, and the tape when it is the last one (of cells that were ever told)."""

    token: Token
    tape: dict[int, str]
    cell: int | None = None


def simulate(program: Machine, word: tuple[str, ...]) -> Iterator[Seen | str]:
    """What the layer should be given and answer, by the meaning of coordinates; last, the outcome if there is one."""
    full = dict.fromkeys(range(program.cells), program.blank) | {program.head + n: s for n, s in enumerate(word)}
    tape: dict[int, str] = {}
    for cell in range(program.cells):
        tape[cell] = full[cell]
        yield Seen({f"cell[{cell}]": 1, f"symbol[{cell},{spell(tape[cell])}]": 1}, dict(tape))
    state, head = program.start, program.head
    yield Seen({f"conf[{state},{head}]": 1}, dict(tape), head)
    for _ in range(MOST if program.steps is None else program.steps):
        write, move, target, stop = (lambda a: (a.write, a.move, a.target, a.stop))(program.actions[state, tape[head]])
        written = {f"symbol[{head},{spell(write)}]": 1, f"symbol[{head},{spell(tape[head])}]": -1, f"cell[{head}]": 1}
        token = written if write != tape[head] else {}
        tape[head] = write
        head += move
        outcome = stop or (None if 0 <= head < program.cells else "overran")
        end = COORDINATE[outcome] if outcome else f"conf[{target},{head}]"
        yield Seen(token | {end: 1}, dict(tape), None if outcome else head)
        if outcome:
            yield outcome
            return
        assert target is not None
        state = target
    if program.steps is not None:
        yield "unfinished"


def tokens_and_outcome(pair: Pair) -> tuple[list[Seen], str | None]:
    found = list(simulate(*pair))
    ended = found.pop() if isinstance(found[-1], str) else None
    return found, ended  # type: ignore[return-value]


def printed(program: Machine, tape: dict[int, str]) -> tuple[str, ...]:
    return tuple("".join(tape.get(cell, "_") for cell in range(program.cells)).strip("_"))


def meaning(lowering: LoweredMachine, name: str) -> Token:
    places, values = lowering.tokens.entries(lowering.tokens.numbers[name])
    return {lowering.coordinates[p]: v for p, v in zip(places.tolist(), values.tolist(), strict=True)}


@given(drawn_machines)
def test_sizes_are_those_of_the_statement(program: Machine) -> None:
    lowering, model = lower(program), compile(program)
    actions = program.actions.values()
    stops = {a.stop for a in actions if a.stop} | {"overran" for a in actions if a.target and a.move}
    n, states, symbols = program.cells, len(program.states), len(program.symbols)
    assert model.d == n * (states + symbols + 1) + len(stops)
    assert [head.name for head in model.heads] == [f"in {q}" for q in program.states]
    assert set(model.entries().tolist()) <= {-1, 1}
    assert lowering.form.violations() == []
    assert set(lowering.form.weights.tolist()) <= {-1, 1}
    rows = {tuple(vector.tolist()) for vector in lowering.tokens.values()}
    assert len(rows) == len(lowering.tokens) == len(set(lowering.tokens.names))
    assert {value for row in rows for value in row} <= {-1, 0, 1}


@given(drawn_machines)
def test_tokens_ask_and_reply_by_their_coordinates(program: Machine) -> None:
    lowering = lower(program)
    for number, name in enumerate(lowering.tokens.names):
        token = meaning(lowering, name)
        asks = any(coordinate.startswith("conf") for coordinate in token)
        prompt = not asks and token.keys().isdisjoint(COORDINATE.values())
        assert lowering.asks[number] == (Asks.APPENDED if asks else Asks.NOTHING)
        assert lowering.replies[number] == (Asks.NOTHING if prompt else Asks.APPENDED)
        assert (lowering.picture(lambda *pair: sum(pair) * 0, name) is None) == prompt


@given(drawn_machines, st.data())
def test_heads_are_the_rules_on_the_domain(program: Machine, data: st.DataObject) -> None:
    """By the live rules, and on tokens of the vocabulary in an order that no run has."""
    lowering, model = lower(program), compile(program)
    pairs = {
        (b, c) for token in lowering.tokens.values() for b, c in combinations_with_replacement(np.flatnonzero(token), 2)
    }
    live = [(b, c) in pairs for _, b, c, _ in lowering.form.index.tolist()]
    assert model.live_rules == Form(lowering.coordinates, lowering.form.index[live], lowering.form.weights[live])
    chosen = data.draw(st.lists(st.sampled_from(range(len(lowering.tokens))), min_size=1, max_size=12))
    Z = lowering.tokens.dense(chosen)
    answer = attention(model.V, model.Q, Z)
    assert np.array_equal(lowering.form.answer(Z.T @ Z, Z[-1]), answer)


@settings(max_examples=400)
@given(runs)
def test_every_execution_is_the_simulator(pair: Pair) -> None:
    """The program's own dialogue, the naive run nearest and raw, and the stream: tokens, outcome, output, steps."""
    program, word = pair
    expected, ended = tokens_and_outcome(pair)
    lowering, model = lower(program), compile(program)
    names = [name for name, _ in lowering.dialogue(word, len(expected))]
    assert [meaning(lowering, name) for name in names] == [seen.token for seen in expected]
    answers = [answer for _, answer in lowering.dialogue(word, len(expected))]
    assert answers[:-1] == [*[None] * program.cells, *names[program.cells + 1 :]]
    assert (answers[-1] is None) == (ended is not None)
    steps = len(expected) - program.cells - 1
    wanted = (ended or "unfinished", printed(program, expected[-1].tape), steps)
    for decode in ("nearest", "raw"):
        run = model.run(word, decode=decode, max_tokens=len(expected))
        assert list(run.tokens) == names
        assert (run.outcome, run.output, run.steps) == wanted
    stream = Stream(model)
    assert stream.run(word, max_tokens=len(expected)) == (*wanted, len(expected))
    assert [step.name for step in stream.start(word, max_tokens=len(expected)).steps()] == names
    own = program.run(word, steps=MOST)
    assert (own.outcome, own.output, own.steps) == wanted


@settings(max_examples=200)
@given(runs)
def test_the_registers_hold_the_tape_at_every_step(pair: Pair) -> None:
    """S[cell p, symbol p,g] is 1 for what cell p holds and 0 otherwise, and a configuration reads just that."""
    program, word = pair
    expected, _ = tokens_and_outcome(pair)
    lowering = lower(program)
    running = Stream(compile(program)).start(word, max_tokens=len(expected))
    names = [spell(symbol) for symbol in program.symbols]
    place = {name: number for number, name in enumerate(lowering.coordinates)}
    for step, seen in zip(running.steps(), expected, strict=True):
        registers = {
            (p, g): running.recall(place[f"cell[{p}]"], place[f"symbol[{p},{g}]"])
            for p in range(program.cells)
            for g in names
        }
        assert registers == {(p, g): int(p in seen.tape and spell(seen.tape[p]) == g) for p, g in registers}
        read = [(lowering.coordinates[b], lowering.coordinates[c], value) for b, c, value in running.read()]
        p = seen.cell
        assert read == ([] if p is None else [(f"cell[{p}]", f"symbol[{p},{spell(seen.tape[p])}]", 1)])
        if len(seen.tape) == program.cells:
            cells = [seen.tape[cell] for cell in range(program.cells)]
            shown = "".join(f"[{symbol}]" if cell == p else symbol for cell, symbol in enumerate(cells))
            assert lowering.tape(running.recall) == cells
            prompt = lowering.replies[lowering.tokens.numbers[step.name]] == Asks.NOTHING
            assert lowering.picture(running.recall, step.name) == (None if prompt else shown)


@given(runs)
def test_a_bound_on_steps_stops_the_layer_as_it_stops_the_program(pair: Pair) -> None:
    program, word = pair
    stream = Stream(compile(program))
    run = stream.run(word) if program.steps is not None else stream.run(word, max_tokens=program.cells + 1)
    own = program.run(word, steps=0 if program.steps is None else None)
    assert (run.outcome, run.output, run.steps) == (own.outcome, own.output, own.steps)
