"""An automaton of 1,000 states and 4 letters: taught, learned exactly, certified, and right on a long word."""

import numpy as np
from slow.test_random_automata import random_automaton

from compiler.learning.learn import learn
from compiler.program_to_rules.lower import lower
from compiler.traces.program_to_traces import generate
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
