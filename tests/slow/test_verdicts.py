"""Verdicts on mutants and disguises of every program of the library: never a wrong one, and no crash.

A verdict on a mutant is judged by what the layer does: a counterexample must fail when it is run and no shorter word
that is tried may; a model that is proved must run as the program on words that are tried.
"""

from dataclasses import replace

import numpy as np
import pytest
from perturbed import fails
from slow.test_zoo_circle import AUTOMATA, changed, disguised

import programs
from compiler.language.load import load
from compiler.program.machine import Machine
from compiler.program_to_model import compile
from verify.strategies import rescaled
from verify.verify import verify

MUTANTS = 42
SYSTEMS = [
    name
    for name in programs.names()
    if programs.family(name) in ("machines", "memories") and name not in ("dense_capitals", "vectors")
]


def mutants_of(model, seed: int, count: int):
    """Models with one weight changed by -2 to 2, or by a small float: used ones and zeros."""
    rng = np.random.default_rng(seed)
    used = {side: np.argwhere(getattr(model, side)) for side in "VQ"}
    for number in range(count):
        side = "VQ"[number % 2]
        place = tuple(rng.choice(used[side])) if number % 3 else tuple(rng.integers(0, n) for n in model.V.shape)
        by = int(rng.choice([-2, -1, 1, 2])) if number % 4 else float(rng.normal() / 4)
        yield changed(model if number % 4 else as_floats(model), side, place, by)


def as_floats(model):
    return type(model).from_arrays(
        model.V.astype(float), model.Q.astype(float), coordinates=model.coordinates, tokens=model.tokens
    )


@pytest.mark.parametrize("name", AUTOMATA)
def test_mutants_of_automata(name):
    program = load(name)
    model = compile(program)
    large = len(program.states) > 30
    rng = np.random.default_rng(1)
    for mutant in mutants_of(model, len(name), 8 if large else MUTANTS):
        verdict = verify(program, mutant)
        mutant = replace(mutant, program=program)
        if verdict.counterexample is not None:
            word = verdict.counterexample.input
            assert verdict.level == "decisions"
            assert fails(program, mutant, word)
            if word:
                shorter = [program.alphabet[n] for n in rng.integers(0, len(program.alphabet), size=len(word) - 1)]
                assert not fails(program, mutant, shorter)
        else:
            assert verdict.verdict == "proved" or verdict.lengths > 100_000
            words = [[program.alphabet[n] for n in rng.integers(0, len(program.alphabet), size=60)] for _ in range(3)]
            assert not any(fails(program, mutant, word) for word in words)


@pytest.mark.parametrize("name", AUTOMATA)
def test_disguises_of_automata(name):
    program = load(name)
    model = compile(program)
    shown = [
        disguise
        for factor in ((2, -5) if len(program.states) > 30 else (2, 3, 5, 7, 11, 13, -1, -2, -3, -5, -7, -11, -13))
        for disguise in disguised(replace(model, heads=tuple(rescaled(head, factor) for head in model.heads)))
    ]
    for disguise in shown:
        assert verify(program, disguise).level == "everywhere"


@pytest.mark.parametrize("name", SYSTEMS)
def test_mutants_and_disguises_of_memories_and_machines(name):
    program = load(name)
    if isinstance(program, Machine):
        program = replace(program, cells=3, head=min(program.head, 1), examples=())
    model = compile(program)
    for disguise in disguised(model):
        assert verify(program, disguise), name
    for mutant in mutants_of(model, len(name), 6):
        verdict = verify(program, mutant)
        if verdict.counterexample is not None and verdict.level == "domain":
            assert verdict.counterexample.expected != verdict.counterexample.got
        elif verdict.verdict == "proved":
            assert verdict.level in ("domain", "everywhere")
