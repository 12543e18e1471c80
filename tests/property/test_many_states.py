"""What lets automata of many states be taught, learned and certified, against the general ways for small ones."""

from dataclasses import replace

import numpy as np
import pytest
from flint import fmpz_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from compiler.domain.known_steps import KnownSteps
from compiler.domain.token_graph import token_graph
from compiler.language.load import load
from compiler.learning.by_letters import parts_by_letters
from compiler.learning.certificate import certificate_of_features
from compiler.learning.features import blocks_of
from compiler.learning.moments import moments_of, solved_block
from compiler.learning.parts import exact_part
from compiler.learning.walk_certificate import certificate_of_walks
from compiler.program_to_rules.lower import lower
from compiler.rules import Form
from compiler.spans import PRIME
from compiler.sparse_rank import sparse_rank
from compiler.traces.program_to_traces import generate, runs_to_data, turns_to_data
from compiler.traces.teaching import wanted_turns
from compiler.traces.teaching_by_steps import words_by_steps
from verify.strategies import automata, words

matrices = st.integers(1, 7).flatmap(
    lambda n: st.lists(
        st.lists(st.sampled_from([0, 0, 0, 0, 1, -1, 2]), min_size=n, max_size=n), min_size=1, max_size=8
    )
)
some_data = automata(max_states=4, max_letters=3).flatmap(
    lambda p: st.tuples(st.just(p), st.lists(words(p.alphabet, max_size=8).filter(bool), min_size=1, max_size=6))
)


def by_features(data, lowering):
    """The certificate of features, by elimination."""
    found, _ = certificate_of_features(lowering, lambda: [solved_block(moments_of(block)) for block in blocks_of(data)])
    return found


@given(matrices)
def test_the_rank_is_that_of_flint(rows):
    assert sparse_rank(csr_array(np.array(rows))) == fmpz_mat(rows).rank()


@settings(max_examples=60)
@given(automata(max_states=6, max_letters=3), st.randoms(use_true_random=False))
def test_known_steps_are_what_others_span(program, random):
    graph = token_graph(lower(program))
    known, taken = KnownSteps(graph), []
    for edge in random.sample(graph.edges, len(graph.edges)):
        counts = [graph.counts(each.tokens).tolist() for each in (*taken, edge)]
        spanned = bool(taken) and fmpz_mat(counts).rank() == fmpz_mat(counts[:-1]).rank()
        assert (edge in known) == spanned
        assert known.learn(edge) == (not spanned)
        taken.append(edge)


@settings(max_examples=60)
@given(automata(max_states=6, max_letters=3))
def test_walks_that_make_steps_known_are_certified_and_every_sample_counts(program):
    lowering = lower(program)
    graph = token_graph(lowering)
    data = turns_to_data(lowering, [wanted_turns(lowering.dialogue(word), new) for word, new in words_by_steps(graph)])
    assert by_features(data, lowering).certified
    known = KnownSteps(graph)
    assert data.samples == len(program.alphabet) * (1 + sum(known.learn(edge) for edge in graph.edges))
    assert certificate_of_walks(data, lowering) == by_features(data, lowering)


@settings(max_examples=150)
@given(some_data, st.data())
def test_a_certificate_of_walks_is_one_of_features(pair, draw):
    """Runs that are no runs of the program, and samples that are left out, among them."""
    program, chosen = pair
    lowering = lower(program)
    data = runs_to_data(lowering, chosen)
    if draw.draw(st.booleans()):
        data = generate(program, certified=True)
    change = draw.draw(st.sampled_from(["none", "a token", "samples", "an answer asked"]))
    at = draw.draw(st.integers(0, len(data.tokens) - 1))
    if change == "a token":
        tokens = data.tokens.copy()
        tokens[at] = tokens[draw.draw(st.integers(0, len(tokens) - 1))]
        data = replace(data, tokens=tokens)
    elif change == "samples":
        supervised = data.supervised & (np.arange(len(data.tokens)) % (at + 2) != 0)
        data = replace(data, supervised=supervised if supervised.any() else data.supervised)
    elif change == "an answer asked":
        supervised = data.supervised.copy()
        supervised[at] = True
        data = replace(data, supervised=supervised)
    found = certificate_of_walks(data, lowering)
    if found is not None:
        assert found == by_features(data, lowering)
        assert found.certified


@pytest.mark.parametrize("name", ["parity", "mod3", "tomita4", "turnstile"])
def test_the_walks_of_the_library_are_certified_without_features(name):
    program = load(name)
    assert certificate_of_walks(generate(program, certified=True), lower(program)) is not None


def with_run(data, lowering, names, asked):
    """The data with one more run, by the names of its tokens, asked at some of them."""
    vectors = np.stack([lowering.tokens[name] for name in names])
    return replace(
        data,
        tokens=np.concatenate([data.tokens, vectors]),
        offsets=np.append(data.offsets, len(data.tokens) + len(names)),
        targets=np.concatenate([data.targets, vectors]),
        supervised=np.append(data.supervised, [n in asked for n in range(len(names))]),
    )


def test_runs_that_are_no_walks_are_left_to_features():
    program = load("mod3")
    lowering, data = lower(program), generate(program, certified=True)
    (start,), letter = lowering.start, lowering.letters["1"]
    right, wrong = lowering.answers["r0", "1"], lowering.answers["r1", "1"]
    assert certificate_of_walks(with_run(data, lowering, [start, letter, right, letter], {1, 3}), lowering) is not None
    for names, asked in (
        ([start, letter, wrong, letter], {1, 3}),
        ([start, letter, right, letter], {0}),
        ([start, letter, right, letter], {2}),
        ([letter, right, letter], {0}),
        ([start, letter, letter], {1}),
    ):
        assert certificate_of_walks(with_run(data, lowering, names, asked), lowering) is None, names


def test_each_letter_must_be_asked_after_all_that_can_be():
    program = load("mod3")
    lowering, data = lower(program), generate(program, certified=True)
    last = data.tokens[data.supervised]
    for letter in lowering.letters.values():
        others = data.supervised.copy()
        others[data.supervised] = (last != lowering.tokens[letter]).any(axis=1)
        assert certificate_of_walks(replace(data, supervised=others), lowering) is None
    for sample in np.flatnonzero(data.supervised):
        others = data.supervised.copy()
        others[sample] = False
        assert certificate_of_walks(replace(data, supervised=others), lowering) is None


def test_rules_by_letters_fit_over_the_integers_not_only_modulo_a_prime():
    data = generate(load("mod3"), certified=True)
    targets = data.targets.copy()
    targets[np.flatnonzero(data.supervised)[-1], 0] += PRIME
    assert parts_by_letters(data) is not None
    assert parts_by_letters(replace(data, targets=targets)) is None


@settings(max_examples=100)
@given(some_data, st.booleans())
def test_rules_by_letters_are_those_of_the_moments(pair, noisy):
    program, chosen = pair
    data = runs_to_data(lower(program), chosen)
    if noisy:
        targets = data.targets.copy()
        targets[np.flatnonzero(data.supervised)[-1], 0] += 5
        data = replace(data, targets=targets)
    found = parts_by_letters(data)
    blocks = [exact_part(solved_block(moments_of(block))) for block in blocks_of(data)]
    if found is None:
        assert noisy
        assert any(part.error for part in blocks)
        return
    assert not any(part.error for part in blocks)
    names = tuple(f"x[{number}]" for number in range(data.d))

    def form(parts):
        kept = [part for part in parts if len(part.weights)]
        if not kept:
            return Form.of(names, [])
        places, weights = (np.concatenate([getattr(part, each) for part in kept]) for each in ("places", "weights"))
        return Form.canonical(names, places, weights)

    assert form(found) == form(blocks)
    for each in ("rank", "live"):
        assert sum(getattr(part, each) for part in found) == sum(getattr(part, each) for part in blocks)
