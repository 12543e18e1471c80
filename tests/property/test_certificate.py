"""The certificate against an independent one: float ranks of explicit features over explicit runs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.learning.certificate import certify
from compiler.learning.features import features
from compiler.learning.learn import learn
from compiler.program.automaton import Automaton
from compiler.program_to_rules.lower import lower
from compiler.traces.program_to_traces import generate, runs_to_data
from verify.strategies import automata, words
from verify.verify import verify

small = automata(max_states=3, max_letters=2)


def explicit(data) -> np.ndarray:
    """The features of every supervised position, one row each, by the definition."""
    rows = []
    for sequence in data.sequences():
        Z = data.tokens[sequence]
        rows += [features(Z[: n + 1]) for n in np.flatnonzero(data.supervised[sequence])]
    return np.array(rows, dtype=float)


def all_runs(program: Automaton, length: int):
    from itertools import product

    return runs_to_data(lower(program), list(product(program.alphabet, repeat=length)))


@settings(max_examples=80)
@given(small.flatmap(lambda p: st.tuples(st.just(p), st.lists(words(p.alphabet, max_size=8), min_size=1, max_size=3))))
def test_certified_means_that_the_row_space_holds_all_longer_runs(pair) -> None:
    program, chosen = pair
    chosen = [word for word in chosen if word]
    if not chosen:
        return
    data = runs_to_data(lower(program), chosen)
    found = certify(data, program)
    ours, everything = explicit(data), explicit(all_runs(program, 7))
    rank = np.linalg.matrix_rank(ours)
    spans = np.linalg.matrix_rank(np.vstack([ours, everything])) == rank
    assert found.certified == spans
    assert found.rank == rank
    assert found.span == np.linalg.matrix_rank(everything)
    if not found.certified:
        left_open = explicit(runs_to_data(lower(program), [found.undetermined]))[-1]
        assert np.linalg.matrix_rank(np.vstack([ours, left_open])) == rank + 1


@settings(max_examples=60)
@given(automata(max_states=5, max_letters=3))
def test_teaching_sets_are_certified_and_small(program: Automaton) -> None:
    data = generate(program, certified=True)
    found = certify(data, program)
    assert found.certified
    assert found.rank == found.span == data.samples, "no sample can be left out"


@settings(max_examples=40)
@given(small, st.integers(0, 10))
def test_whatever_is_certified_is_proved(program: Automaton, seed: int) -> None:
    learned = learn(generate(program, count=4, lengths=(1, 12), seed=seed), program=program)
    assert learned.report.exact
    if learned.report.certified:
        assert verify(program, learned.model)
