"""A universal automaton learned from at most 100 random automata runs 1,000 unseen ones, without a wrong token."""

import random

from compiler.learning.learn import learn
from compiler.program.automaton import Automaton
from compiler.program.universal import UniversalAutomaton
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.runtime.stream import Stream
from compiler.traces.program_to_traces import generate
from verify.decompiled import decompile
from verify.verify import verify

BOUNDS = UniversalAutomaton("any", 4, 3)


def unseen(rng: random.Random) -> Automaton:
    """A random automaton, partial or not, of any size within the bounds."""
    states = tuple(f"q{n}" for n in range(rng.randint(1, BOUNDS.states)))
    alphabet = tuple(f"x{n}" for n in range(rng.randint(1, BOUNDS.symbols)))
    partial = len(states) < BOUNDS.states and rng.random() < 0.3
    moves = {(q, s): rng.choice(states) for q in states for s in alphabet if not (partial and rng.random() < 0.2)}
    return Automaton(
        "u", alphabet, states, rng.choice(states), moves, frozenset(q for q in states if rng.random() < 0.5)
    )


def test_learned_from_a_hundred_automata() -> None:
    data = generate(BOUNDS, certified=True)
    assert len(data) <= 100
    learned = learn(data, program=BOUNDS)
    assert (learned.report.exact, learned.report.certified) == (True, True)
    assert verify(BOUNDS, learned.model).verdict == "proved"
    assert decompile(learned.model) == BOUNDS
    stream, rng = Stream(learned.model), random.Random(4)
    lowering = lower(BOUNDS)
    assert isinstance(lowering, LoweredUniversalAutomaton)
    for number in range(1_000):
        given = unseen(rng)
        word = rng.choices(given.alphabet, k=4_000 if number % 50 == 0 else 200)
        running = stream.start(word, given=given)
        if number % 50 == 0:  # ten times as long as the words that it was learned from
            while running.advance():
                pass
            assert running.result().outcome == given.run(word).outcome
        else:
            assert [step.name for step in running.steps()] == lowering.running(given).trace(word)
            assert running.result().outcome == given.run(word).outcome
