"""Random automata of 50 states and 4 letters: exact, certified, and right on words a hundred times longer."""

import numpy as np
import pytest

from compiler.learning.learn import learn
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.traces.program_to_traces import generate
from verify.verify import verify


def random_automaton(states: int, letters: int, seed: int) -> Automaton:
    rng = np.random.default_rng(seed)
    names = tuple(f"q{number}" for number in range(states))
    alphabet = tuple(f"s{number}" for number in range(letters))
    moves = {(q, s): names[rng.integers(states)] for q in names for s in alphabet}
    accept = frozenset(q for q in names if rng.random() < 0.5)
    return Automaton("random", alphabet, names, names[0], moves, accept)


@pytest.mark.parametrize("seed", range(3))
def test_fifty_states_and_four_letters(seed):
    program = random_automaton(50, 4, seed)
    model = compile(program)
    assert len(model.heads) == 4
    learned = learn(generate(program, certified=True), program=program)
    assert learned.report.exact
    assert learned.report.certified
    assert verify(program, learned.model)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        word = [program.alphabet[n] for n in rng.integers(0, 4, size=1_000)]
        assert list(learned.model.run(word).tokens) == lower(program).trace(word)


def test_more_letters_than_states_makes_one_head_a_state():
    program = random_automaton(4, 30, 0)
    model = compile(program)
    assert len(model.heads) == len(program.states) + 1
    assert all(head.name.startswith("to ") for head in model.heads)
    assert verify(program, model).level == "everywhere"
