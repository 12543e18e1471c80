"""Decompiling: from any weights that compute an automaton, and never by a guess."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from compiler.errors import DecompileError
from compiler.language.load import load
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify.decompiled import decompile
from verify.strategies import automata, disguises, mutants
from verify.verify import verify


@settings(max_examples=80)
@given(automata(max_states=4).flatmap(lambda p: disguises(compile(p))))
def test_disguised_models_decompile_to_their_program(model):
    program = decompile(replace(model, program=None))
    assert verify(model.program, program)


@settings(max_examples=80)
@given(automata(max_states=3, max_letters=2).flatmap(lambda p: mutants(compile(p))))
def test_a_mutant_is_read_as_what_it_is_or_refused(mutant):
    try:
        program = decompile(mutant)
    except DecompileError:
        return
    lowering = lower(program)
    for word in [(s,) * n for s in program.alphabet for n in range(1, 5)]:
        Z = np.stack([mutant.tokens[name] for name in ("start",)])
        for symbol, expected in zip(word, lowering.path(word)[1:], strict=True):
            Z = np.vstack([Z, np.eye(mutant.d, dtype=np.int64)[mutant.coordinates.index(f"symbol[{symbol}]")]])
            answer = mutant.answer(Z)
            Z = np.vstack([Z, answer])
            if (place := f"state[{expected}]") in mutant.coordinates and expected in program.states:
                held = (Z.T @ Z)[mutant.coordinates.index("reg"), mutant.coordinates.index(place)]
                assert held == 1, "the register holds the state that the program is in"


def counting(model: Model) -> Model:
    """A model whose answer to a symbol grows with the number of symbols read: no automaton."""
    V, Q = model.V, model.Q
    symbol = model.coordinates.index("symbol[1]")
    V = np.concatenate([V, np.zeros_like(V[:1])])
    Q = np.concatenate([Q, np.zeros_like(Q[:1])])
    V[-1, model.coordinates.index("accept"), symbol] = 1
    Q[-1, symbol, symbol] = 1
    return Model.from_arrays(V, Q, coordinates=model.coordinates, tokens=model.tokens)


def renamed(model: Model, old: str, new: str) -> Model:
    names = tuple(name.replace(old, new) for name in model.coordinates)
    return Model(names, model.heads, model.tokens)


PARITY = compile(load("parity"))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (counting(PARITY), "the answer to 1 in state odd has its outputs"),
        (renamed(PARITY, "state", "stage"), r"no coordinate named state\[...\]"),
        (renamed(PARITY, "symbol", "letter"), r"no coordinate named symbol\[...\]"),
        (renamed(PARITY, "reg", "register"), "no coordinate reg"),
        (Model(PARITY.coordinates, PARITY.heads), "no token start"),
        (Model(PARITY.coordinates, PARITY.heads, {"start": np.zeros(6)}), "names 0 states"),
        (Model(PARITY.coordinates, PARITY.heads, {"start": np.full(6, 0.5)}), "no integers"),
        (Model(PARITY.coordinates, (), PARITY.tokens), "does not have coordinate reg = 1"),
        (Model.from_arrays(PARITY.V / 3, PARITY.Q, coordinates=PARITY.coordinates, tokens=PARITY.tokens), "no integer"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(model, message):
    with pytest.raises(DecompileError, match=message):
        decompile(model)


def test_a_model_that_is_right_for_long_and_then_wrong_is_refused():
    """The first four visits of a state look alike; only the proof over all words can refuse this model."""
    program = load("mod5")
    model = compile(program)
    V, Q = model.V, model.Q
    place = {name: number for number, name in enumerate(model.coordinates)}
    far, start = place["state[r4]"], place["state[r0]"]
    V = np.concatenate([V, np.zeros_like(V[:1])])
    Q = np.concatenate([Q, np.zeros_like(Q[:1])])
    V[-1, place["accept"], far] = 1
    Q[-1, start, place["symbol[1]"]] = 1
    spoiled = Model.from_arrays(V, Q, coordinates=model.coordinates, tokens=model.tokens)
    with pytest.raises(DecompileError, match=r"is not the one that it gives|in a way that no automaton has|on one way"):
        decompile(spoiled)


@pytest.mark.parametrize("name", ["parity", "increment"])
def test_a_history_is_refused_as_one(name):
    model = compile(load(name), construction="history", bound=3)
    for each in (model, replace(model, program=None)):
        with pytest.raises(DecompileError, match="the model is a history"):
            decompile(each)
