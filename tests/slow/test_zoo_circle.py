"""Every automaton of the library through the whole circle, and single-weight mutants of it refuted."""

import numpy as np
import pytest

import programs
from compiler.language.load import load
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.traces.program_to_traces import generate
from verify.decompiled import decompile
from verify.strategies import exchanged, rescaled, sheared
from verify.verify import verify

AUTOMATA = [name for name in programs.names() if programs.family(name) == "automata"]


@pytest.mark.parametrize("name", AUTOMATA)
def test_source_to_weights_to_source(name):
    program = load(name)
    model = compile(program)
    assert verify(program, model).level == "everywhere"
    for example in program.examples:
        assert example.holds(model.run(example.word))
    learned = learn(generate(program, certified=True), program=program)
    assert learned.report.exact
    assert learned.report.certified
    assert verify(program, learned.model).level == "everywhere"
    assert learned.model.rules == model.rules, "the basic solution is the compiled rules"
    assert decompile(learned.model) == program


def changed(model: Model, side: str, place: tuple[int, ...], by: int) -> Model:
    weights = {"V": model.V, "Q": model.Q}
    weights[side][place] += by
    return Model.from_arrays(weights["V"], weights["Q"], coordinates=model.coordinates, tokens=model.tokens)


@pytest.mark.parametrize("name", AUTOMATA)
def test_mutants_are_refuted_by_words_that_differ_and_disguises_are_proved(name):
    program = load(name)
    lowering, model = lower(program), compile(program)
    rng = np.random.default_rng(len(name))
    places = [("V", tuple(place)) for place in np.argwhere(model.V)] + [("Q", tuple(p)) for p in np.argwhere(model.Q)]
    zeros = [("VQ"[n % 2], tuple(rng.integers(0, size) for size in model.V.shape)) for n in range(10)]
    chosen = [places[n] for n in rng.permutation(len(places))[:15]] + zeros
    refuted = 0
    for side, place in chosen:
        mutant = changed(model, side, place, int(rng.choice([-2, -1, 1, 2])))
        verdict = verify(program, mutant, level="domain")
        if verdict:
            assert verdict.level == "domain", "another function, so at most the domain can be the same"
            continue
        refuted += 1
        word = verdict.counterexample.input
        trace = lowering.trace(word)
        Z = np.stack([lowering.tokens[token] for token in trace])
        assert not np.array_equal(mutant.answer(Z[:-1]), Z[-1])
        shorter = [mutant.answer(Z[:n]) for n in range(2, len(Z) - 2, 2)]
        assert all(np.array_equal(answer, Z[2 * n + 2]) for n, answer in enumerate(shorter)), "it parts at the end"
    assert refuted >= min(10, len(places)), "most changes of a weight that is used alter the function"
    for disguise in disguised(model):
        verdict = verify(model, disguise)
        assert verdict.level == "everywhere"
        assert verdict.witness
        assert verify(program, disguise).level == "everywhere"


def disguised(model: Model) -> list[Model]:
    order = tuple(reversed(model.heads))
    made = [
        type(model)(model.coordinates, order, model.tokens, model.program),
        type(model)(model.coordinates, tuple(rescaled(h, -3) for h in model.heads), model.tokens, model.program),
        exchanged(model, len(model.rules) // 2),
    ]
    if len(model.heads) > 1:
        made.append(sheared(sheared(model, 0, 1, 2), 1, 0, -1))
    return made
