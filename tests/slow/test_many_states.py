"""An automaton of 1,000 states and 4 letters: taught, learned exactly, certified, and right on a long word."""

import numpy as np
from slow.test_random_automata import random_automaton

from compiler.learning.learn import learn
from compiler.model import Model
from compiler.program_to_rules.lower import lower
from compiler.traces.program_to_traces import generate
from verify.strategies import exchanged, sheared
from verify.verify import verify


def test_a_thousand_states_and_four_letters():
    program = random_automaton(1_000, 4, 0)
    learned = learn(generate(program, certified=True), program=program)
    assert learned.report.exact
    assert learned.report.certified
    assert learned.report.rank == learned.report.samples
    assert verify(program, learned.model).lengths == "all"
    word = [program.alphabet[n] for n in np.random.default_rng(0).integers(0, 4, size=5_000)]
    assert list(learned.model.run(word).tokens) == lower(program).trace(word)


def test_other_weights_of_a_hundred_states_are_proved():
    """Learned from random words, mixed and exchanged: no weight is that of the compiled model."""
    program = random_automaton(100, 4, 1)
    learned = learn(generate(program, certified=True), program=program).model
    model = learned
    for first, second, factor in ((0, 1, 2), (2, 3, -1), (1, 2, 3), (3, 0, -2)):
        model = sheared(model, first, second, factor)
    for number in (10, 200, 400):
        model = exchanged(model, number)
    assert verify(program, model).lengths == "all"
    off = model.V
    off[0, 1, program.states.index("q5") + 1] += 1
    wrong = Model.from_arrays(off, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    verdict = verify(program, wrong)
    assert verdict.level in ("decisions", "domain")
