"""Stored refutations at level domain: an input, the program's run on it, and an exact answer that is another one."""

import copy
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.domain.real_memory_span import keys_of
from compiler.errors import UnsupportedError
from compiler.files.proof_file import StoredProof, proof_from_bytes, proof_to_bytes
from compiler.language.load import load
from compiler.model import Model
from compiler.program import Memory
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify.check_proof import Weights, check
from verify.hull_proofs import hull_premises
from verify.proofs import _weights, check_proof, proof_of
from verify.strategies import automata, machines, mutants
from verify.system_verdict import LIVE
from verify.verify import verify

REFUTED = {"verdict": "refuted", "level": "domain", "lengths": None}
PROVED = {"verdict": "proved", "level": "domain", "lengths": "all"}
PROGRAMS = (
    replace(load("increment"), cells=4, examples=()),
    Memory("m", ("a", "b"), ("x", "y"), "latest"),
    Memory("m", ("a", "b"), ("x",), "first", (("b", "x"),)),
    Memory("m", ("a", "b"), ("x",), "sum"),
    Memory("tiny", ("a", "b", "c"), ("x", "y"), dimensions=8, seed=1),
    replace(load("any_dfa"), states=2, symbols=2, examples=()),
    replace(load("any_tiny"), states=1, symbols=2, cells=2, examples=()),
    replace(load("vectors"), keys=2, values=2, examples=()),
)


def wrong(model: Model, number: int = 0) -> Model:
    """The model with another weight of V."""
    head = model.heads[number % len(model.heads)]
    weights = head.V.weights.copy()
    weights[number % len(weights)] += 1
    changed = replace(head, V=replace(head.V, weights=weights))
    return replace(model, heads=tuple(changed if each is head else each for each in model.heads))


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_difference_on_a_run_is_stored_and_checked(number):
    program = PROGRAMS[number]
    model = compile(program)
    for at in range(4):
        changed = wrong(model, at)
        verdict = verify(program, changed, level="domain")
        if verdict.verdict == "proved":
            continue
        stored = proof_of(program, changed, verdict)
        assert stored.claim == REFUTED
        assert check_proof(proof_from_bytes(proof_to_bytes(stored)), program, changed) is None
        right = replace(stored, model=model.digest())
        assert check_proof(right, program, model) is not None, "the program's own model"
        assert check_proof(replace(stored, claim=PROVED), program, changed) is not None
        break
    else:
        raise AssertionError("no wrong model is refuted")


def test_a_run_is_checked_by_hand():
    """Two tokens, a and b with its half; y[0] = 6 S[1, 2] z[0]."""
    layer = Weights(3, [([(0, 1, Fraction(2))], [(2, 0, Fraction(3))])])
    tokens = [[[1, 1], [2, 1]], [[0, 1], [1, "1/2"], [2, 1]]]

    def run(wanted, tokens=tokens, claim=REFUTED):
        return check(
            StoredProof("", "", claim, {"kind": "run", "dimension": 3, "tokens": tokens, "wanted": wanted}, {}), layer
        )

    alike = "the answer to its last token is the one that is wanted"
    assert run([[0, 9]]) == alike
    assert run([[0, "18/2"]]) == alike
    assert run([[0, 9], [1, 0]]) == alike
    assert run([[0, 8]]) is None
    assert run([[0, 9], [1, 1]]) is None
    assert run([]) is None
    assert run([[0, 6]], tokens[:1]) is None, "not asked: nothing"
    assert run([], tokens[:1]) == alike
    assert run([[0, 9]], [tokens[1], tokens[0]]) is None, "the last token asks"
    assert run([[0, "9.0"]]) == "'9.0' is no exact number"
    assert run([[0, 9.5]]) == "9.5 is no exact number"
    assert run([[3, 9]]) == "a token leaves the layer"
    assert "malformed" in str(run([[0, 9]], []))
    for change in ({"verdict": "proved"}, {"level": "everywhere"}, {"level": "decisions"}, {"lengths": 3}):
        assert run([[0, 8]], claim=REFUTED | change) == "one run does not show this"


@pytest.mark.parametrize("number", [0, 1, 5, 6])
def test_what_is_said_of_the_run_is_made_anew(number):
    """Another input, a token more or less, another wanted answer."""
    program = PROGRAMS[number]
    for at in range(8):
        changed = wrong(compile(program), at)
        verdict = verify(program, changed, level="domain")
        if verdict.counterexample is not None and verdict.counterexample.input:
            break
    stored = proof_of(program, changed, verdict)

    def spoiled(part, **change):
        return replace(stored, **{part: getattr(stored, part) | change})

    said = stored.premises
    assert (
        check_proof(spoiled("premises", wanted=[[0, 1]]), program, changed) == "what it says of the program is not so"
    )
    assert check_proof(spoiled("premises", tokens=said["tokens"][1:]), program, changed) is not None
    for other in (
        spoiled("proof", tokens=stored.proof["tokens"] - 1),
        spoiled("proof", word=[*stored.proof["word"], "nobody"]),
        spoiled("proof", word=stored.proof["word"][:-1]),
        spoiled("proof", word="a"),
        spoiled("proof", word=[1]),
        spoiled("proof", tokens=10**9),
        spoiled("proof", tokens=0),
        spoiled("proof", tokens=True),
        spoiled("proof", tokens=str(stored.proof["tokens"])),
    ):
        with suppress(UnsupportedError):
            assert check_proof(other, program, changed) is not None


@settings(max_examples=25)
@given(
    st.one_of(
        machines(max_states=2, max_symbols=2, max_cells=3, max_steps=None), st.sampled_from(PROGRAMS[1:4])
    ).flatmap(lambda program: st.tuples(st.just(program), mutants(compile(program))))
)
def test_every_verdict_on_a_mutant_has_a_proof(pair):
    """Proved by rules or hulls, or refuted by a run; the other verdict has none."""
    program, model = pair
    verdict = verify(program, model, level="domain")
    stored = proof_of(program, model, verdict)
    assert check_proof(proof_from_bytes(proof_to_bytes(stored)), program, model) is None
    opposite = PROVED if verdict.verdict == "refuted" else REFUTED
    assert check_proof(replace(stored, claim=opposite), program, model) is not None


@settings(max_examples=40)
@given(automata(max_states=3, max_letters=2).flatmap(lambda p: st.tuples(st.just(p), mutants(compile(p)))))
def test_the_domain_of_automata_is_stored_either_way(pair):
    program, model = pair
    verdict = verify(program, model, level="domain")
    stored = proof_of(program, model, verdict)
    assert check_proof(proof_from_bytes(proof_to_bytes(stored)), program, model) is None
    if verdict.verdict == "proved":
        for word in ([], [1], [1, 2]):
            false = replace(stored, claim=REFUTED, proof={"word": word})
            assert check_proof(false, program, model) is not None
    else:
        assert check_proof(replace(stored, claim=PROVED), program, model) is not None
        assert (
            check_proof(replace(stored, claim=REFUTED | {"lengths": 1}), program, model)
            == "this is not what a word shows"
        )


def test_words_that_show_no_difference():
    program = load("parity")
    model = compile(program)
    stored = proof_of(program, model, verify(program, model, level="domain"))
    letters = sorted({edge[1] for edge in stored.premises["edges"]})
    for word in ([letters[0]], [letters[1]], letters, [letters[1]] * 3):
        false = replace(stored, claim=REFUTED, proof={"word": word})
        assert check(false, _weights(model)) == "the last answer on its word is the program's"
    assert (
        check(replace(stored, claim=REFUTED, proof={"word": []}), _weights(model))
        == "the empty word shows no difference"
    )
    tokens = {name: np.array(vector) for name, vector in model.tokens.items()}
    tokens["start"][model.coordinates.index("accept")] = 0
    silent = Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=tokens)
    empty = proof_of(program, silent, verify(program, silent, level="domain"))
    assert (empty.claim, empty.proof) == (REFUTED, {"word": []})
    assert check_proof(empty, program, silent) is None


def test_only_queries_count_for_memories_of_vectors():
    """A query has no value; rules that read one at the last token say nothing."""
    program = PROGRAMS[-1]
    model = compile(program)
    V, Q = (np.concatenate([each, np.zeros_like(each[:1])]) for each in (model.V, model.Q))
    V[-1, 0, 0] = Q[-1, 0, keys_of(lower(program))] = 1
    same = Model.from_arrays(V, Q, coordinates=model.coordinates, tokens=model.tokens)
    verdict = verify(program, same)
    assert (verdict.verdict, verdict.level) == ("proved", "domain")
    stored = proof_of(program, same, verdict)
    assert check_proof(stored, program, same) is None
    assert check(replace(stored, premises=stored.premises | {"last": model.d}), _weights(same)) is not None
    assert (
        check(replace(stored, claim=PROVED | {"level": "everywhere"}), _weights(same))
        == "rules do not speak of this level"
    )
    other = wrong(model)
    refuted = proof_of(program, other, verify(program, other))
    assert check_proof(refuted, program, other) is None
    valued = copy.deepcopy(refuted)
    valued.proof["tokens"][-1][-1] = 1
    assert check(valued, _weights(other)) == "its last token has what last tokens do not have"
    forged = {"kind": "rules", "dimension": model.d, "rules": [], "live": []}
    assert check_proof(replace(refuted, claim=PROVED, premises=forged), program, other) is not None


@pytest.mark.parametrize("number", [0, 1])
def test_a_model_that_embeds_its_tokens_otherwise_has_no_proof_at_level_domain(number):
    """The rules are right, and what is fed back is not."""
    program = PROGRAMS[number]
    model = compile(program)
    stored = proof_of(program, model, verify(program, model, level="domain"))
    tokens = {name: np.array(vector) for name, vector in model.tokens.items()}
    name = next(name for name, answer in lower(program).dialogue(lower(program).items()[:1]) if answer is not None)
    tokens[name] = 2 * tokens[name]
    other = Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=tokens)
    assert verify(program, other, level="domain").verdict == "undecided"
    with pytest.raises(UnsupportedError, match="otherwise than the program"):
        check_proof(replace(stored, model=other.digest(), claim=PROVED), program, other)


def test_what_every_input_shows_has_a_proof_by_hulls():
    """A rule too many about the cell before the head, which no input reaches."""
    program = PROGRAMS[0]
    model = wrong(compile(program))
    verdict = verify(program, model)
    assert (verdict.verdict, verdict.level, LIVE in verdict.assumptions) == ("proved", "domain", False)
    stored = proof_of(program, model, verdict)
    assert stored.premises["kind"] == "guarded"
    assert check_proof(stored, program, model) is None


@pytest.mark.parametrize(("name", "size"), [("dense_capitals", "15,025 tokens"), ("any_small", "1,540 tokens")])
def test_what_is_too_large_is_refused_with_its_size(name, size):
    with pytest.raises(UnsupportedError, match=size):
        hull_premises(lower(load(name)))
