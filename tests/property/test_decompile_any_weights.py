"""Every family decompiles from any weights that compute it on its domain, and from no others."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.random import Generator

from compiler.errors import DecompileError
from compiler.language.load import load
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.program import Program
from compiler.program.machine import Machine
from compiler.program.memory import Memory
from compiler.program.universal import UniversalAutomaton, UniversalMachine
from compiler.program_to_model import compile
from compiler.traces.program_to_traces import generate
from verify.decompiled import decompile
from verify.strategies import mutants
from verify.verify import verify

INCREMENT = load("increment")
assert isinstance(INCREMENT, Machine)
PROGRAMS: tuple[Program, ...] = (
    replace(load("mod3"), examples=()),
    replace(INCREMENT, cells=4, examples=()),
    Memory("book", ("a", "b"), ("x", "y"), "latest", (("a", "x"),)),
    Memory("few", ("a", "b", "c"), ("x", "y"), dimensions=8, seed=1),
    Memory("vectors", 2, 3, "sum"),
    UniversalAutomaton("small", 2, 2),
    UniversalMachine("short", 2, 2, 2),
)
CLAIMED = (Machine,)
"""The weights of a machine do not say where its runs begin: it is read with the machine that the model claims to be."""


def named(program: Program) -> str:
    return f"{program.kind} {program.name}"


def nameless(model: Model) -> Model:
    """The model without its claim, where it can do without."""
    claim = model.program
    dense = isinstance(claim, Memory) and claim.dimensions is not None
    return model if dense or isinstance(claim, CLAIMED) else replace(model, program=None)


def rebuilt(model: Model, v: object, q: object) -> Model:
    return Model.from_arrays(v, q, coordinates=model.coordinates, tokens=model.tokens, program=model.program)


def mixed(model: Model, random: Generator) -> Model:
    """V' = M V and Q' = M^-T Q with a random invertible M over all heads."""
    size = len(model.heads)
    mixing, inverse = np.eye(size, dtype=np.int64), np.eye(size, dtype=np.int64)
    for _ in range(2 * size * (size > 1)):
        i, j = random.permutation(size)[:2]
        mixing[i] += mixing[j]
        inverse[:, j] -= inverse[:, i]
    order = random.permutation(size)
    mixing, inverse = mixing[order], inverse[:, order]
    assert np.array_equal(mixing @ inverse, np.eye(size))
    v, q = np.tensordot(mixing, model.V, 1), np.tensordot(inverse.T, model.Q, 1)
    return rebuilt(model, v * 2, np.array([Fraction(int(x), 2) for x in q.ravel()], dtype=object).reshape(q.shape))


def split(model: Model, random: Generator) -> Model:
    """Each head in two that add up to it, and a pair of heads that cancel."""
    v, q = model.V, model.Q
    part = random.integers(0, 2, size=v.shape) * v
    more = random.integers(-1, 2, size=(2, 1, model.d, model.d))
    return rebuilt(model, np.concatenate([part, v - part, more[0], more[0]]), np.concatenate([q, q, more[1], -more[1]]))


def merged(model: Model, random: Generator) -> Model:
    """As few heads as there are independent V: row by row of W, so another number than before."""
    del random
    form = model.rules
    spans: dict[tuple[int, int], list[tuple[int, int, object]]] = {}
    for (e, b, c, a), weight in zip(form.index.tolist(), form.weights.tolist(), strict=True):
        spans.setdefault((c, e), []).append((a, b, weight))
    v = np.zeros((len(spans), model.d, model.d), dtype=form.weights.dtype)
    q = np.zeros(v.shape, dtype=np.int64)
    for n, ((c, e), entries) in enumerate(spans.items()):
        q[n, c, e] = 1
        for a, b, weight in entries:
            v[n, a, b] = weight
    return rebuilt(model, v, q)


def outside(model: Model, random: Generator) -> Model:
    """Rules on pairs of coordinates that no token has, where the program has tokens."""
    tokens = model.vocabulary.dense() != 0
    together = tokens.T.astype(int) @ tokens.astype(int)
    apart = np.argwhere(together == 0)
    if not len(tokens) or not len(apart):
        return model
    v, q = np.zeros((2, 5, model.d, model.d), dtype=np.int64)
    for n, (b, c) in enumerate(apart[random.integers(len(apart), size=5)].tolist()):
        v[n, random.integers(model.d), b], q[n, c, random.integers(model.d)] = 1, 1
    return rebuilt(model, np.concatenate([model.V, v]), np.concatenate([model.Q, q]))


CHANGES: tuple[Callable[[Model, Generator], Model], ...] = (mixed, split, merged, outside)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("program", PROGRAMS, ids=named)
@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_any_weights(program: Program, change: Callable[[Model, Generator], Model], seed: int) -> None:
    model = nameless(change(compile(program), np.random.default_rng(seed)))
    assert replace(decompile(model), name=program.name) == program  # type: ignore[call-arg]


@pytest.mark.parametrize("program", PROGRAMS, ids=named)
def test_compiled_and_learned(program: Program) -> None:
    learned = learn(generate(program, certified=True), program=program)
    for model in (compile(program), learned.model):
        assert replace(decompile(nameless(model)), name=program.name) == program  # type: ignore[call-arg]


@pytest.mark.parametrize("program", PROGRAMS, ids=named)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_mutant_is_what_is_read_or_refused_with_a_reason(program: Program, data: st.DataObject) -> None:
    model = data.draw(mutants(compile(program)))
    same = verify(program, model, level="domain").verdict
    try:
        read = decompile(model)
    except DecompileError as refused:
        assert same != "proved"
        assert len(str(refused)) > 20
        return
    assert verify(read, model).verdict == "proved"
    assert same == "proved" or read != program


def test_what_no_run_reaches_does_not_matter() -> None:
    """Carrying over a blank in cell 2 is never reached; the answer there is made one that no machine gives."""
    program = replace(load("increment"), cells=4, head=1, examples=())
    model = compile(program)
    V = model.V
    head = [head.name for head in model.heads].index("in carry")
    V[head, model.coordinates.index("cell[0]"), model.coordinates.index("symbol[2,_]")] += 1
    strange = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens, program=program)
    assert strange.rules != model.rules
    assert verify(program, strange).level == "domain"
    assert decompile(strange) == program
