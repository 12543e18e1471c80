"""Models in a basis that is only near, or of other dimensions, judged by their tokens: against running every word."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from simulated_layers import in_another_basis
from turned import least_failure, turned, without

from compiler.errors import ModelError, UnsupportedError
from compiler.language.load import load
from compiler.model import Model
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.reading import read_to_judge
from compiler.vocabulary import Vocabulary
from verify.check_proof import check
from verify.proofs import _weights, check_proof, proof_of
from verify.strategies import automata, mutants
from verify.verdict import BY_NAME
from verify.verify import verify
from verify.vocabulary import _embedded_alike

NAMES = "parity mod3 tomita4 even_pairs flip_flop turnstile no_two_alarms s3 tomita7 mirror".split()
OWN = "the model is judged in coordinates of its own"


def longest(program: Automaton) -> int:
    return {1: 9, 2: 7, 3: 5}.get(len(program.alphabet), 3)


def agrees(program: Automaton, model: Model, *, exactly: bool = False) -> Any:
    """The verdict, whose horizon and least word are those of running all words, as far as these were run."""
    found = verify(program, model)
    most = longest(program) - 2 * exactly
    word = least_failure(program, model, most, exactly=exactly)
    if word is None:
        assert found.verdict == "proved" or found.lengths >= most
    else:
        assert (found.verdict, found.level, found.lengths) == ("refuted", "decisions", len(word) - 1)
        assert found.counterexample.input == word
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("more", [0, 1, 5])
def test_a_compiled_model_that_is_turned(name: str, more: int) -> None:
    program = load(name)
    model = compile(program)
    found = agrees(program, turned(model, model.d + more, more))
    assert found.level == "decisions"
    assert found.lengths == "all" or found.lengths > 1000  # rounding accumulates, slowly
    assert found.witness[0].startswith(OWN)
    assert BY_NAME in found.assumptions


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_a_near_model_that_is_turned(name: str, seed: int) -> None:
    program = load(name)
    model = compile(program)
    size = (0.01, 0.03, 0.06, 0.1)[seed]
    given_model = turned(model, model.d + seed, seed, noise=size, embedding_noise=(seed % 2) * size)
    found = agrees(program, given_model)
    if found.counterexample is not None:
        assert found.counterexample.blame is None
        assert found.lengths == 0 or verify(program, given_model, up_to=found.lengths).verdict == "proved"


@settings(max_examples=60, deadline=None)
@given(automata(max_states=3, max_letters=2).flatmap(lambda p: st.tuples(st.just(p), mutants(compile(p)))), st.data())
def test_a_wrong_model_that_is_turned(pair: Any, data: st.DataObject) -> None:
    """Exactly, as wrong models often tie: an isometry of Fractions, into as many dimensions or more."""
    program, wrong = pair
    more = data.draw(st.integers(1, 2))
    u = np.array([data.draw(st.integers(-2, 2)) for _ in range(wrong.d + more)], dtype=object)
    u[-1] = 1
    M = np.eye(len(u), dtype=int).astype(object) - np.outer(u, u) * Fraction(2, int(u @ u))
    padded = Model.from_arrays(
        *(np.pad(side, [(0, 0), (0, more), (0, more)]) for side in (wrong.V, wrong.Q)),
        tokens={name: np.pad(vector, (0, more)) for name, vector in wrong.tokens.items()},
    )
    given_model = in_another_basis(padded, M, M.T)
    named = replace(wrong, tokens=compile(program).tokens) if wrong.d != compile(program).d else wrong
    assume(not set(wrong.tokens) - set(compile(program).tokens))
    found = agrees(program, given_model, exactly=True)
    assert found.witness[0].startswith(OWN)
    domain = verify(program, given_model, level="domain")
    if found.level == "domain":
        assert domain.verdict == "proved"
    expected = verify(program, named, level="domain")
    if expected.counterexample is None or "the embedding of" not in expected.counterexample.at:
        assert domain.verdict == expected.verdict


@settings(max_examples=40, deadline=None)
@given(automata(max_states=3, max_letters=2), st.integers(0, 1000))
def test_an_exact_model_of_more_dimensions_is_proved(program: Automaton, seed: int) -> None:
    """Any linear map will do, also one that changes angles."""
    model = compile(program)
    rng = np.random.default_rng(seed)
    spread = np.vstack([np.eye(model.d, dtype=int), rng.integers(-1, 2, (2, model.d))]).astype(object)
    back = np.hstack([np.eye(model.d, dtype=int), np.zeros((model.d, 2), dtype=int)]).astype(object)
    V = np.stack([spread @ v @ back for v in model.V.astype(object)])
    Q = np.stack([back.T @ q @ back for q in model.Q.astype(object)])
    tokens = {name: spread @ vector for name, vector in model.tokens.items()}
    found = verify(program, Model.from_arrays(V, Q, tokens=tokens))
    assert (found.verdict, found.level) == ("proved", "domain")


def test_distances_are_those_of_the_model_s_own_embeddings() -> None:
    """A map is found, but it changes angles: near weights are judged where the model is."""
    program = load("flip_flop")
    model = compile(program)
    stretch = np.diag([1, 1, 4, 1, 2, 1, 3, 1][: model.d]).astype(float)
    V, Q = (side + 0.05 * np.random.default_rng(1).normal(size=side.shape) for side in (model.V, model.Q))
    inverse = np.diag(1 / np.diag(stretch))
    tokens = {name: stretch @ vector for name, vector in model.tokens.items()}
    found = agrees(program, Model.from_arrays(stretch @ V @ inverse, inverse @ Q @ inverse, tokens=tokens))
    assert found.level == "decisions"
    assert "changes distances" in found.witness[0]


def test_two_answers_that_share_an_embedding_are_not_told_apart() -> None:
    """Of three answers two are embedded alike, by any pair of them."""
    lowering = lower(load("parity"))
    names = sorted({*lowering.answers.values()})
    for one, other in combinations(names, 2):
        tokens = {name: lowering.tokens[other if name == one else name] for name in lowering.tokens}
        alike = replace(lowering, tokens=Vocabulary.of(tokens, lowering.tokens.d))
        assert [sorted(each) for each in _embedded_alike(alike)] == [[one, other]]
    assert _embedded_alike(lowering) == []


def test_tokens_that_share_an_embedding_are_not_told_apart() -> None:
    """Zero weights and zero embeddings: every answer is the embedding of the right token, and decides nothing."""
    program = load("parity")
    tokens = {name: np.zeros(9) for name in compile(program).tokens}
    blind = Model.from_arrays(np.zeros((1, 9, 9)), np.zeros((1, 9, 9)), tokens=tokens)
    found = verify(program, blind)
    assert (found.verdict, found.level, found.lengths) == ("refuted", "decisions", 0)
    domain = verify(program, blind, level="domain")
    assert domain.verdict == "refuted"
    assert domain.counterexample.input == ("0",)
    assert domain.counterexample.got == "stay + accept, which is embedded just as even -> odd is"
    stored = proof_of(program, blind, found)
    assert check_proof(stored, program, blind) is None
    claim = {"verdict": "proved", "level": "domain", "lengths": "all"}
    assert "read otherwise" in str(check(replace(stored, claim=claim, proof={}), _weights(blind)))
    claim = {"verdict": "proved", "level": "decisions", "lengths": 3}
    assert check(replace(stored, claim=claim), _weights(blind)) is not None


def test_only_tokens_that_runs_use_need_embeddings() -> None:
    transitions = {("p", "a"): "p", ("p", "b"): "q", ("q", "a"): "p", ("q", "b"): "q", ("u", "a"): "q", ("u", "b"): "u"}
    program = Automaton("far", ("a", "b"), ("p", "q", "u"), "p", transitions, frozenset({"q"}))
    model = turned(compile(program), 12, 0, noise=0.02)
    unused = [name for name in model.tokens if name.startswith("u ->")]
    assert unused
    found = agrees(program, without(model, *unused))
    assert found.witness[0].startswith(OWN)
    assert check_proof(proof_of(program, without(model, *unused), found), program, without(model, *unused)) is None
    with pytest.raises(ModelError, match="12 dimensions and no names"):
        verify(program, without(model, "start"))
    with pytest.raises(ModelError, match="12 dimensions and no names"):
        verify(program, without(model, "a"))


@pytest.mark.parametrize("name", ["parity", "mod3", "s3"])
@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_proofs(name: str, noise: float) -> None:
    program = load(name)
    model = turned(compile(program), compile(program).d + 2, 3, noise=noise)
    found = verify(program, model, up_to=40)
    stored = proof_of(program, model, found)
    assert stored.premises["outputs"] is None
    assert check_proof(stored, program, model) is None
    other = turned(compile(program), compile(program).d + 2, 4, noise=noise)
    assert check_proof(stored, program, other) is not None
    assert check(stored, _weights(other)) is not None
    assert "not so" in str(check_proof(replace(stored, premises=stored.premises | {"outputs": []}), program, model))


def test_a_proof_of_level_domain() -> None:
    program = load("parity")
    model = compile(program)
    padded = Model.from_arrays(
        *(np.pad(side, [(0, 0), (0, 1), (0, 1)]) for side in (model.V, model.Q)),
        tokens={name: np.pad(vector, (0, 1)) for name, vector in model.tokens.items()},
    )
    found = verify(program, padded)
    assert (found.verdict, found.level) == ("proved", "domain")
    stored = proof_of(program, padded, found)
    assert check_proof(stored, program, padded) is None
    wrong = Model.from_arrays(padded.V * 2, padded.Q, tokens=padded.tokens)
    assert check(stored, _weights(wrong)) is not None


def test_properties_are_decided_up_to_the_horizon() -> None:
    program = load("elevator")
    model = turned(compile(program), compile(program).d + 1, 0, noise=0.02)
    found = verify(program, model)
    assert isinstance(found.lengths, int)
    (claim,) = found.properties
    assert (claim.verdict, claim.lengths) == ("proved", found.lengths)
    exact = verify(program, turned(compile(program), compile(program).d + 1, 0), up_to=30)
    assert exact.properties[0].verdict == "proved"


@pytest.mark.parametrize("level", ["everywhere", "tested"])
def test_levels_that_need_the_program_s_coordinates(level: Any) -> None:
    program = load("parity")
    with pytest.raises(UnsupportedError, match="needs the coordinates of automaton parity"):
        verify(program, turned(compile(program), 8, 0), level=level)


def test_memories_are_refused_as_before() -> None:
    program = load("capitals")
    model = compile(program)
    with pytest.raises(ModelError, match="dimensions and no names"):
        verify(program, turned(model, model.d + 1, 0))


def test_a_tolerance_is_in_the_model_s_own_distances() -> None:
    """Tokens are at least 1 apart, in a basis of lengths 8 at least 8: a tolerance of 3 is within half of that."""
    program = load("parity")
    model = compile(program)
    M, inverse = (np.diag([each] * model.d).astype(object) for each in (8, Fraction(1, 8)))
    large = in_another_basis(model, M, inverse)
    assert verify(program, large).level == "everywhere"
    for tolerance, verdict in ((3, "proved"), (6, "refuted")):
        found = verify(program, large, tolerance=tolerance)
        assert (found.verdict, found.level) == (verdict, "decisions")
        assert "changes distances" in found.witness[0]
        assert check_proof(proof_of(program, large, found), program, large) is None
    assert verify(program, turned(model, 9, 0, noise=0.01), tolerance=0.2).lengths > 0


def test_an_everywhere_that_nobody_can_have_proved() -> None:
    """The layer of the program with embeddings of another basis: its rules say nothing of its runs."""
    program = load("parity")
    model = compile(program)
    odd = turned(model, model.d, 0)
    blind = Model.from_arrays(model.V, model.Q, tokens=odd.tokens)
    plain = verify(program, model)
    stored = replace(proof_of(program, model, plain), model=read_to_judge(blind, program).model.digest())
    with pytest.raises(UnsupportedError, match="in the program's coordinates"):
        check_proof(stored, program, blind)


def test_a_file(tmp_path: Path) -> None:
    import attnc

    model = turned(compile(load("parity")), 9, 0, noise=0.05)
    tokens = {"tokens": np.array(list(model.tokens)), "embeddings": np.stack(list(model.tokens.values()))}
    np.savez(tmp_path / "m.npz", V=model.V, Q=model.Q, **tokens)
    read = attnc.load_model(tmp_path / "m.npz")
    assert attnc.verify(load("parity"), read).counterexample == verify(load("parity"), model).counterexample
