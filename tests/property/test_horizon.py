"""The horizon against brute force: every word up to a length, run by the layer with its decisions fed back."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perturbed import fails, noisy

from compiler.domain.token_graph import token_graph
from compiler.errors import UnsupportedError
from compiler.language.load import load
from compiler.model import Model
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify import horizon as searched
from verify.answers import ModelAnswers
from verify.cycle_means import NEVER, cycle_mean, first_steps, least_steps, potentials, witness
from verify.horizon import Decisions
from verify.long_walks import turns
from verify.strategies import automata, mutants
from verify.verify import verify

NAMES = "parity mod3 tomita4 even_pairs flip_flop turnstile no_two_alarms s3 tomita7 mirror".split()


def first_failure(program, model, longest: int):
    """The least word that fails, by running words in order; only after words that do not."""
    alive = [()]
    for _ in range(longest):
        after = []
        for word in alive:
            for symbol in program.alphabet:
                if fails(program, model, (*word, symbol)):
                    return (*word, symbol)
                after.append((*word, symbol))
        alive = after
    return None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_the_horizon_is_that_of_brute_force(name: str, seed: int) -> None:
    program = load(name)
    size = (0.02, 0.05, 0.1, 0.2)[seed]
    model = noisy(compile(program), size, seed)
    found = verify(program, model)
    assert found.level == "decisions"
    longest = {2: 8, 3: 6}.get(len(program.alphabet), 4)
    word = first_failure(program, model, longest)
    if word is None:
        assert found.lengths == "all" or found.lengths >= longest
    else:
        assert (found.verdict, found.lengths) == ("refuted", len(word) - 1)
        assert found.counterexample.input == word
    if found.counterexample is not None:
        assert fails(program, model, found.counterexample.input)
        assert found.counterexample.got == nearest(program, model, found.counterexample.input)
        assert not any("maybe not the first" in line or "moved by" in line for line in found.assumptions)


def nearest(program, model, word) -> str:
    """The answer token that is nearest to the model's answer at the end of the program's run on a word."""
    lowering = lower(program)
    y = model.answer(np.stack([lowering.tokens[name] for name in lowering.trace(word)[:-1]]))
    return min({*lowering.answers.values()}, key=lambda name: np.linalg.norm(y - lowering.tokens[name]))


@settings(max_examples=60)
@given(automata(max_states=4, max_letters=2).flatmap(lambda p: st.tuples(st.just(p), mutants(compile(p)))))
def test_mutants_fail_where_they_are_said_to(pair) -> None:
    program, model = pair
    found = verify(program, model)
    word = first_failure(program, model, 5)
    if found.counterexample is None:
        assert word is None
    elif word is None:
        assert len(found.counterexample.input) != 0
        assert found.lengths is None or found.lengths >= 5
    elif found.level == "decisions" and found.lengths is not None and "embedding" not in found.counterexample.at:
        assert found.counterexample.input == word


def test_the_search_over_the_integers_is_that_with_rounding() -> None:
    program = load("mod3")
    model = noisy(compile(program), 0.001, 0)
    graph = token_graph(lower(program))
    decisions = Decisions(graph, ModelAnswers(model.heads, graph).to)
    assert not any(each.exact for each in decisions.floors.values())
    found = decisions.horizon()
    assert found.lengths > 50
    assert found.word is not None
    least = min(
        next((k for k, left in decisions._exactly(question, found.lengths) if left <= 0), 10**9)
        for _, question in decisions._bounds()
    )
    assert least == found.lengths


def test_beyond_the_search_there_is_a_bound(monkeypatch) -> None:
    program = load("mod3")
    model = noisy(compile(program), 0.001, 0)
    exact = verify(program, model).lengths
    monkeypatch.setattr(searched, "MOST_STEPS", 20)
    found = verify(program, model)
    assert (found.verdict, found.level, found.counterexample) == ("undecided", "decisions", None)
    assert 20 < found.lengths <= exact
    assert verify(program, model, up_to=found.lengths)
    assert verify(program, model, up_to=found.lengths + 1).verdict == "undecided"


def test_up_to() -> None:
    program = load("parity")
    model = noisy(compile(program), 0.1, 1)
    horizon = verify(program, model).lengths
    for length in (1, horizon, horizon + 1, horizon + 50):
        found = verify(program, model, level="decisions", up_to=length)
        assert found.verdict == ("proved" if length <= horizon else "refuted")
        assert found.lengths == (length if length <= horizon else horizon)
        assert verify(program, compile(program), level="decisions", up_to=length).lengths == length


def test_a_program_decides_as_itself_at_every_length() -> None:
    for name in NAMES:
        found = verify(load(name), compile(load(name)), level="decisions")
        assert (found.verdict, found.lengths) == ("proved", "all")


def test_a_tie_decides_nothing() -> None:
    program = Automaton("swap", ("a",), ("p", "q"), "p", {("p", "a"): "q", ("q", "a"): "p"}, frozenset({"p"}))
    program = replace(program, accept=None, mealy=dict.fromkeys(program.transitions, "x"))
    model = compile(program)
    nothing = Model.from_arrays(0 * model.V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    found = verify(program, nothing)
    assert (found.verdict, found.level, found.lengths) == ("refuted", "decisions", 0)
    assert "a tie between" in found.counterexample.got
    three = compile(load("s3"))
    nothing = Model.from_arrays(0 * three.V, three.Q, coordinates=three.coordinates, tokens=three.tokens)
    assert verify(load("s3"), nothing).counterexample.got.count(" and ") == 1, "two of three are named"


def test_an_empty_word_that_is_misread_leaves_no_length() -> None:
    program = load("parity")
    model = compile(program)
    tokens = {name: np.array(vector) for name, vector in model.tokens.items()}
    tokens["start"][model.coordinates.index("accept")] = 0
    found = verify(program, Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=tokens))
    assert (found.verdict, found.lengths, found.counterexample.input) == ("refuted", None, ())


def chain(length: int) -> Automaton:
    states = tuple(f"p{n}" for n in range(length + 1))
    moves = {(p, "a"): q for p, q in zip(states, (*states[1:], states[-1]), strict=True)}
    return Automaton("chain", ("a",), states, "p0", moves, frozenset({states[-1]}))


def wrong_at(length: int, decided: int, misread: int) -> tuple[Automaton, Model]:
    """A chain, and a model that decides wrongly at one length, and from another one on says accept where it must not.

    Lengths of zero leave it right.
    """
    program = chain(length)
    model = compile(program)
    place = {name: number for number, name in enumerate(model.coordinates)}
    V, tokens = model.V, {name: np.array(vector) for name, vector in model.tokens.items()}
    if decided:
        V[:, place[f"state[p{decided}]"], place[f"state[p{decided - 1}]"]] *= -3
    if misread:
        tokens[lower(program).trace(("a",) * misread)[-1]][place["accept"]] = misread != length
    return program, Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=tokens)


@pytest.mark.parametrize(("decided", "misread"), list(product(range(5), repeat=2)))
def test_the_first_of_a_wrong_decision_and_a_token_that_is_misread_is_shown(decided: int, misread: int) -> None:
    program, model = wrong_at(4, decided, misread)
    first = min((n for n in (decided, misread) if n), default=0)
    what = "the embedding of" if misread == first else "the answer to a"
    for expected, level in ((program, "decisions"), (program, "domain"), (compile(program), "domain")):
        found = verify(expected, model, level=level)
        if not first:
            assert (found.verdict, found.lengths, found.counterexample) == ("proved", "all", None)
            continue
        assert (found.verdict, found.counterexample.input) == ("refuted", ("a",) * first)
        assert found.lengths == (first - 1 if level == "decisions" else None)
        assert found.counterexample.at.startswith(what)
        assert found.counterexample.at.endswith(f"token {2 * first}")
        if misread == first:
            says = ["which says no output", "which says accept"]
            ends = found.counterexample.expected, found.counterexample.got
            assert [text.partition(", ")[2] for text in ends] == (says if first < 4 else says[::-1])


@pytest.mark.parametrize("misread", [3, 6, 7])
def test_tokens_that_are_misread_where_the_search_ends_at_a_bound(misread: int, monkeypatch) -> None:
    monkeypatch.setattr(searched, "MOST_STEPS", 5)
    program, model = wrong_at(18, 0, misread)
    found = verify(program, noisy(model, 0.01), level="decisions")
    assert (found.verdict, found.lengths) == (("undecided", 6) if misread > 6 else ("refuted", misread - 1))


def test_a_wrong_decision_that_does_not_replay_is_never_shown(monkeypatch) -> None:
    program = load("parity")
    monkeypatch.setattr(Decisions, "horizon", lambda _: searched.Horizon(1, ("0", "1")))
    with pytest.raises(ArithmeticError, match="does not replay"):
        verify(program, compile(program), level="decisions")


def test_many_margins_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(searched, "MOST_WORK", 10)
    program = load("parity")
    model = noisy(compile(program), 0.1, 1)
    assert verify(program, model).level == "domain"
    with pytest.raises(UnsupportedError, match="too many"):
        verify(program, model, level="decisions")


graphs = st.integers(1, 5).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(-6, 9)), min_size=1, max_size=12),
        st.integers(0, 40),
        st.integers(0, n - 1),
    )
)


@settings(max_examples=300)
@given(graphs)
def test_bounds_and_first_lengths_by_enumeration(drawn) -> None:
    n, edges, base, end = drawn
    source, target, weights = (np.array(each, dtype=np.int64) for each in zip(*edges, strict=True))
    ends, pi, table = np.array([end]), np.zeros(n, dtype=np.int64), np.empty((n + 1, n))
    mu = int(witness(source, target, weights, pi, table))
    assert ((weights - mu + pi[source] - pi[target]) >= 0).all()
    sums, first = {0: base}, None
    for k in range(60):
        if first is None and sums.get(end, 1) <= 0:
            first = k
        after: dict[int, int] = {}
        for a, b, w in edges:
            if a in sums:
                after[b] = min(after.get(b, 10**9), sums[a] + w)
        sums = after
    bound = int(least_steps(0, base, ends, mu, pi))
    found = int(first_steps(0, source, target, weights, base, ends, mu, pi, 59))
    assert found == (-1 if first is None else first)
    assert first is None or bound <= first
    assert mu < 0 or bound == NEVER or bound == 0


def simple_cycles(n: int, edges):
    """Means of all cycles without a repeated node."""
    for length in range(1, n + 1):
        for walk in product(range(len(edges)), repeat=length):
            nodes = [edges[e][0] for e in walk]
            if len(set(nodes)) == length and all(
                edges[e][1] == edges[walk[(i + 1) % length]][0] for i, e in enumerate(walk)
            ):
                yield Fraction(sum(edges[e][2] for e in walk), length)


@settings(max_examples=150)
@given(graphs.filter(lambda drawn: drawn[0] <= 3 and len(drawn[1]) <= 7))
def test_cycle_means(drawn) -> None:
    n, edges, *_ = drawn
    means = list(simple_cycles(n, edges))
    source, target, weights = (np.array(each, dtype=np.int64) for each in zip(*edges, strict=True))
    pi = np.zeros(n, dtype=np.int64)
    assert bool(potentials(source, target, weights, 0, pi)) == (min(means, default=0) >= 0)
    if means:
        assert cycle_mean(source, target, weights, np.empty((n + 1, n))) == pytest.approx(float(min(means)))


def test_models_with_embeddings_of_their_own() -> None:
    program = load("mod3")
    model = noisy(compile(program), 0.02, 3)
    tokens = {name: vector * 1.01 for name, vector in model.tokens.items()}
    own = replace(model, tokens=tokens)
    word = first_failure(program, own, 7)
    found = verify(program, own)
    assert word is None
    assert found.lengths >= 7
    assert fails(program, own, found.counterexample.input)


def test_a_model_of_another_program_is_judged_with_the_tokens_of_this_one() -> None:
    moves = {("p", "a"): "p", ("q", "a"): "p"}
    program = Automaton("stays", ("a",), ("p", "q"), "p", moves, frozenset({"q"}))
    other = compile(replace(program, name="goes", transitions=moves | {("p", "a"): "q"}))
    assert other.run("a").outcome == "accepted"
    found = verify(program, other)
    assert (found.verdict, found.level) == ("proved", "decisions")
    assert "claims to be another program" in found.assumptions[-1]
    assert replace(other, program=program, tokens=compile(program).tokens).run("a").outcome == "rejected"
    near = noisy(compile(program), 0.01, 0)
    for own in (near, replace(near, program=None)):
        assert "claims" not in verify(program, own).assumptions[-1]


@pytest.mark.parametrize("name", ["parity", "mod3", "tomita4", "flip_flop"])
@pytest.mark.parametrize("seed", range(3))
def test_long_words_are_computed_as_they_are_searched(monkeypatch, name: str, seed: int) -> None:
    program = load(name)
    model = noisy(compile(program), 0.001, seed)
    searching = verify(program, model)
    nodes = len(token_graph(lower(program)).words)
    monkeypatch.setattr(searched, "MOST_STEPS", 2 * turns(nodes))
    found = verify(program, model)
    assert (found.verdict, found.lengths) == ("refuted", searching.lengths)
    shown = found.counterexample
    begin, end, times = shown.repeated
    word = (*shown.input[:begin], *shown.input[begin:end] * times, *shown.input[end:])
    assert len(word) == found.lengths + 1
    assert fails(program, model, word)
    assert shown.at == f"the answer to {lower(program).letters[word[-1]]}, token {len(lower(program).trace(word)) - 1}"
    assert "maybe not the first" in found.assumptions[-1]


def test_a_word_that_is_too_long_to_list() -> None:
    program = load("mod3")
    model = noisy(compile(program), 1e-9, 0)
    found = verify(program, model)
    begin, end, times = found.counterexample.repeated
    shown = found.counterexample.input
    assert found.lengths == len(shown) - 1 + (times - 1) * (end - begin)
    assert found.lengths > 100_000_000
    nearly = verify(program, noisy(compile(program), 1e-6, 0)).lengths
    assert abs(found.lengths / nearly / 1000 - 1) < 1e-3


def test_a_chain_that_is_longer_than_the_search_is_not_proved(monkeypatch) -> None:
    """Without negative cycles a margin may fail once, at a length beyond those that are searched."""
    length = 12
    states = tuple(f"q{n}" for n in range(length))
    moves = {(a, "x"): b for a, b in zip(states, (*states[1:], states[-1]), strict=True)}
    program = Automaton("chain", ("x",), states, "q0", moves, frozenset({states[-1]}))
    model = compile(program)
    v, q = model.V.astype(float), model.Q.astype(float)
    late = model.coordinates.index(f"state[{states[-2]}]")
    v[:, :, late] *= 0.3
    wrong = Model.from_arrays(v, q, coordinates=model.coordinates, tokens=model.tokens, program=program)
    exact = verify(program, wrong)
    assert exact.verdict == "refuted"
    monkeypatch.setattr(searched, "MOST_STEPS", exact.lengths - 2)
    found = verify(program, wrong, level="decisions")
    assert found.verdict != "proved"
