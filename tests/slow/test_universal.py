"""A thousand random machines and automata each on few universal layers, every token; the champion of the zoo."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from simulated import ENDS, Token, Tokens, random_machine, token

import attnc
import programs
from compiler.language.load import load
from compiler.program import Automaton, Machine, UniversalAutomaton, UniversalMachine
from compiler.runtime.stream import Stream

MACHINES = [UniversalMachine("any", *bounds) for bounds in ((3, 2, 8), (4, 2, 32), (5, 3, 9), (2, 5, 12), (6, 4, 7))]
AUTOMATA = [UniversalAutomaton("any", *bounds) for bounds in ((4, 3), (7, 2), (12, 4), (30, 2))]


def machine_tokens(bounds: UniversalMachine, program: Machine, word: list[str], most: int) -> Iterator[Token]:
    """What the layer answers once the prompt is given, by a simulator of its own."""
    state_of = {name: n for n, name in enumerate(sorted(program.states, key=lambda q: q != program.start))}
    symbol_of = {name: n for n, name in enumerate(dict.fromkeys("_" + "".join((*program.alphabet, *program.marks))))}
    p = program.head + (bounds.cells - program.cells) // 2
    tape = dict.fromkeys(range(bounds.cells), "_") | {p + n: symbol for n, symbol in enumerate(word)}
    state = program.start
    for _ in range(most):
        read, action = symbol_of[tape[p]], program.actions[state, tape[p]]
        yield token(f"at[{state_of[state]},{read},{p}]", f"cell[{p}]", without=[f"symbol[{p},{read}]"])
        written = f"cell[{p}]", f"symbol[{p},{symbol_of[action.write]}]"
        tape[p], p, state = action.write, p + action.move, action.target or ""
        end = ENDS[action.stop] if action.stop else f"conf[{state_of[state]},{p}]" if p in tape else "overran"
        yield token(*written, end)
        if not end.startswith("conf"):
            return


def registers_tokens(bounds: UniversalMachine, program: Machine, word: list[str], most: int) -> Iterator[Token]:
    """The same of the construction that has registers for position and state."""
    state_of = {name: n for n, name in enumerate(sorted(program.states, key=lambda q: q != program.start))}
    symbol_of = {name: n for n, name in enumerate(dict.fromkeys("_" + "".join((*program.alphabet, *program.marks))))}
    p = program.head + (bounds.cells - program.cells) // 2
    tape = dict.fromkeys(range(bounds.cells), "_") | {p + n: symbol for n, symbol in enumerate(word)}
    state = program.start
    for _ in range(most):
        read, action = symbol_of[tape[p]], program.actions[state, tape[p]]
        yield token(f"saw[{read}]", f"cell[{p}]", without=[f"symbol[{read}]"])
        yield token(f"key[{state_of[state]},{read}]", "reg", without=[f"state[{state_of[state]}]"])
        tape[p], state = action.write, action.target or ""
        written = f"cell[{p}]", f"symbol[{symbol_of[action.write]}]"
        if action.stop:
            yield token(*written, ENDS[action.stop])
            return
        go = {-1: "left", 0: "stay", 1: "right"}[action.move]
        yield token(*written, "reg", f"state[{state_of[state]}]", f"go[{go}]")
        left, p = p, p + action.move
        if p not in tape:
            yield token("pos", "overran", without=[f"cell[{left}]"])
            return
        moved = token(f"cell[{p}]", without=[f"cell[{left}]"]) if p != left else token()
        yield moved | token("pos", f"here[{p}]")


@pytest.mark.parametrize("fewest", [None, "dimensions"])
def test_a_thousand_machines(fewest: Any) -> None:
    rng = random.Random(2410_10101)
    ends: Counter[str] = Counter()
    smaller: Counter[str] = Counter()
    simulated = machine_tokens if fewest is None else registers_tokens
    for bounds in MACHINES:
        stream = Stream(attnc.compile(bounds, fewest=fewest))
        known, prompt = Tokens(stream), bounds.cells + bounds.states * bounds.symbols + 1
        for number in range(200):
            program = random_machine(rng, bounds)
            word = rng.choices(program.alphabet, k=rng.randint(0, program.cells - program.head))
            expected = list(simulated(bounds, program, word, 100))
            running = stream.start(word, given=program, max_tokens=prompt + len(expected))
            assert [known[step.name] for step in running.steps()][prompt:] == expected, number
            run, interpreted = running.result(), bounds.run(word, given=program, steps=100)
            ends[run.outcome] += 1
            assert (run.outcome, run.output) == (interpreted.outcome, interpreted.output)
            for name in ("states", "cells"):
                sizes = (len(program.states), bounds.states) if name == "states" else (program.cells, bounds.cells)
                smaller[name] += sizes[0] < sizes[1]
            smaller["symbols"] += len(program.symbols) < bounds.symbols
    assert min(ends[outcome] for outcome in ("unfinished", "overran", *ENDS)) > 50, "all ways to end were seen"
    assert min(smaller.values()) > 400, "and machines smaller than each bound"


def random_automaton(rng: random.Random, bounds: UniversalAutomaton) -> Automaton:
    partial = bounds.states > 1 and rng.random() < 0.5
    states = tuple(f"q{n}" for n in range(rng.randint(1, bounds.states - partial)))
    alphabet = tuple("abcd"[: rng.randint(1, bounds.symbols)])
    moves = {(q, s): rng.choice(states) for q in states for s in alphabet if not partial or rng.random() < 0.9}
    return Automaton(
        "random", alphabet, states, rng.choice(states), moves, frozenset(q for q in states if rng.random() < 0.5)
    )


def automaton_tokens(program: Automaton, word: list[str]) -> Iterator[Token]:
    """What follows the prompt, by a simulator of its own."""
    names = sorted(program.states, key=lambda q: q != program.start)
    q: str | None = program.start
    for symbol in word:
        s, number = program.alphabet.index(symbol), len(names) if q is None else names.index(q)
        yield token(f"symbol[{s}]")
        yield token(f"key[{number},{s}]", "reg", without=[f"state[{number}]"])
        q = None if q is None else program.transitions.get((q, symbol))
        accepts = program.accept is not None and q in program.accept
        number = len(names) if q is None else names.index(q)
        yield token("reg", f"state[{number}]", *["accept"] * accepts)


def test_a_thousand_automata() -> None:
    rng = random.Random(2310_16076)
    seen: Counter[str] = Counter()
    for bounds in AUTOMATA:
        stream = Stream(attnc.compile(bounds))
        known, prompt = Tokens(stream), bounds.states * bounds.symbols + 1
        for _ in range(250):
            program = random_automaton(rng, bounds)
            word = rng.choices(program.alphabet, k=rng.randint(0, 60))
            running = stream.start(word, given=program)
            assert [known[step.name] for step in running.steps()][prompt:] == list(automaton_tokens(program, word))
            assert running.result().outcome == program.run(word).outcome
            seen[running.result().outcome] += 1
            seen["partial"] += len(program.transitions) < len(program.states) * len(program.alphabet)
    assert min(seen.values()) > 200


def test_the_champion_on_the_zoos_tape() -> None:
    """Compiled once for every machine of five states; until it leaves the tape, as the machine compiled by itself."""
    program = load(f"{programs.source('any_champion')}::five_states")
    universal, alone = Stream(attnc.compile(load("any_champion"))), Stream(attnc.compile(program))
    run, special = universal.run("", given=program), alone.run("")
    assert (run.outcome, run.steps, run.output) == ("overran", 288_184, special.output)
    assert (special.outcome, special.steps, special.tokens) == ("overran", 288_184, 1_025 + 288_184)
    assert run.tokens == 1_024 + 10 + 1 + 2 * 288_184
    beaver = universal.run("", given=load("busy_beaver_4"))
    assert (beaver.outcome, beaver.steps, beaver.output.count("1")) == ("halted", 107, 13)


def test_champions_through_registers() -> None:
    """The same runs in a ninth of the dimensions and eight heads; four tokens a step, three in the last if it stops."""
    bounds = load("any_champion")
    usual, model = attnc.compile(bounds), attnc.compile(bounds, fewest="dimensions")
    assert attnc.compile(bounds, fewest="heads").digest() == model.digest()
    assert [(each.d, len(each.heads)) for each in (usual, model)] == [(18_482, 1_029), (2_081, 8)]
    stream, prompt = Stream(model), 1_024 + 10 + 1
    beaver = stream.run("", given=load("busy_beaver_4"))
    assert (beaver.outcome, beaver.steps, beaver.output.count("1")) == ("halted", 107, 13)
    assert beaver.tokens == prompt + 4 * 107 - 1
    program = load(f"{programs.source('any_champion')}::five_states")
    run, other = stream.run("", given=program), Stream(usual).run("", given=program)
    assert run[:3] == other[:3]
    assert (run.outcome, run.steps, run.tokens) == ("overran", 288_184, prompt + 4 * 288_184)
