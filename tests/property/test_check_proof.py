"""The checker by hand-made layers: rules with weights, tokens that are no units, and what each refusal says."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from compiler.files.proof_file import StoredProof
from compiler.language.load import load
from compiler.model import Model
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify.check_proof import Weights, check
from verify.proofs import _weights, check_proof, proof_of
from verify.verify import verify

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def layer(d: int, *heads) -> Weights:
    return Weights(
        d, [([(r, c, Fraction(w)) for r, c, w in v], [(r, c, Fraction(w)) for r, c, w in q]) for v, q in heads]
    )


def stored(claim, premises, **proof) -> StoredProof:
    return StoredProof("", "", claim, premises, proof)


def rules(*listed, live=None, d: int = 3):
    return {"kind": "rules", "dimension": d, "rules": [list(each) for each in listed], "live": live}


PROVED = {"verdict": "proved", "level": "everywhere", "lengths": "all"}
REFUTED = {"verdict": "refuted", "level": "everywhere", "lengths": None}
SIX = layer(3, ([(0, 1, 2)], [(2, 0, 3)]))
"""y[0] = 6 S[1, 2] z[0]."""


def test_weights_are_multiplied_and_added():
    assert check(stored(PROVED, rules((0, 1, 2, 0, 6))), SIX) is None
    assert check(stored(PROVED, rules((0, 2, 1, 0, 6))), SIX) is None, "b and c are exchanged"
    assert check(stored(PROVED, rules((0, 1, 2, 0, 4), (0, 2, 1, 0, 2))), SIX) is None, "what is listed twice is added"
    assert check(stored(PROVED, rules((0, 1, 2, 0, "12/2"))), SIX) is None
    split = layer(3, ([(0, 1, HALF)], [(2, 0, 6)]), ([(0, 2, 9)], [(1, 0, THIRD)]))
    assert check(stored(PROVED, rules((0, 1, 2, 0, 6))), split) is None, "heads are added"
    for other in ((0, 1, 2, 0, 5), (0, 1, 1, 0, 6), (1, 1, 2, 0, 6), (0, 1, 2, 1, 6)):
        assert check(stored(PROVED, rules(other)), SIX) == "the rules of the weights are others"
    assert check(stored(PROVED, rules((0, 1, 2, 0, 6), (0, 0, 0, 0, 1))), SIX) == "the rules of the weights are others"
    assert check(stored(PROVED, rules((0, 1, 2, 0, 6), (0, 0, 0, 0, 0))), SIX) is None
    for text in ("6", "6.0", "6e0", " 6/1", "6/-1"):
        assert check(stored(PROVED, rules((0, 1, 2, 0, text))), SIX) == f"{text!r} is no exact number"
    assert check(stored(PROVED, {"kind": "rules"}), SIX) == "it is malformed: KeyError 'dimension'"


def test_only_live_pairs_count_on_the_domain():
    claim = PROVED | {"level": "domain"}
    more = layer(3, ([(0, 1, 2), (0, 0, 1)], [(2, 0, 3)]))
    assert check(stored(claim, rules((0, 1, 2, 0, 6), live=[[1, 2]])), more) is None, "0 and 2 never stand together"
    others = "the rules of the weights are others"
    assert check(stored(claim, rules((0, 1, 2, 0, 6), live=[[1, 2], [0, 2]])), more) == others
    assert check(stored(claim, rules((0, 1, 2, 0, 6), live=[[2, 1, 0]])), more) == others
    assert check(stored(claim, rules((0, 1, 1, 0, 6), live=[[0]])), SIX) is None, "nothing is live"
    squares = layer(3, ([(0, 1, 2)], [(1, 0, 3)]))
    assert check(stored(claim, rules((0, 1, 1, 0, 6), live=[[1]])), squares) is None
    assert check(stored(claim, rules((0, 1, 1, 0, 5), live=[[1]])), squares) == others


def test_what_rules_do_not_speak_of():
    level = "rules do not speak of this level"
    assert check(stored(PROVED, rules((0, 1, 2, 0, 6), live=[[1, 2]])), SIX) == level
    for other in ("domain", "decisions", "tested"):
        assert check(stored(PROVED | {"level": other}, rules((0, 1, 2, 0, 6))), SIX) == level
    assert check(stored(PROVED | {"lengths": 5}, rules((0, 1, 2, 0, 6))), SIX) is not None
    wrong = rules((0, 1, 2, 0, 5))
    tokens = [[1, 1, 1]]
    assert check(stored(REFUTED, wrong, tokens=tokens), SIX) is None
    show = "rules do not show this"
    assert check(stored(REFUTED | {"lengths": 3}, wrong, tokens=tokens), SIX) == show
    assert check(stored(REFUTED | {"verdict": "undecided"}, wrong, tokens=tokens), SIX) == show
    live = rules((0, 1, 2, 0, 5), live=[[1, 2]])
    assert check(stored(REFUTED | {"level": "domain"}, live, tokens=tokens), SIX) == show


def test_a_real_input_refutes_only_if_the_answers_differ_on_it():
    wrong = rules((0, 1, 2, 0, 5))
    alike = "both answer alike on its tokens"
    for tokens in ([[1, 1, 0]], [[0, 1, 1]], [[1, 0, 1], [1, 1, 0]], [[0, 1, 1], [0, 0, 0]], [[1, 1, 1], [1, 1, -1]]):
        assert check(stored(REFUTED, wrong, tokens=tokens), SIX) == alike, tokens
    for tokens in ([["1/2", 1, 1]], [[0, 1, 1], [1, 0, 0]], [[1, 1, 1], [1, 2, -1]]):
        assert check(stored(REFUTED, wrong, tokens=tokens), SIX) is None, tokens
    dimension = "its tokens have another dimension"
    assert check(stored(REFUTED, wrong, tokens=[[1, 1, 1, 1]]), SIX) == dimension
    assert check(stored(REFUTED, wrong, tokens=[[1, 1, 1], [1, 1]]), SIX) == dimension
    two = rules((0, 1, 2, 0, 5), (0, 1, 1, 0, -1))
    assert check(stored(REFUTED, two, tokens=[[1, 1, -1]]), SIX) == alike, "differences of several rules are added"


def scaled_and_noisy(name: str, size: float, factor) -> Model:
    """Embeddings of the model's own: entries that are no units."""
    model = compile(load(name))
    rng = np.random.default_rng(3)
    v, q = (w + size * rng.normal(size=w.shape) for w in (model.V, model.Q))
    tokens = {token: vector * factor for token, vector in model.tokens.items()}
    return Model.from_arrays(v, q, coordinates=model.coordinates, tokens=tokens)


@pytest.mark.parametrize(("factor", "tolerance"), [(1.25, 0), (3.0, 0), (0.75, 0), (1.25, 0.2), (3.0, 0.5)])
def test_tokens_that_are_no_units(factor, tolerance):
    program = load("mod3")
    model = scaled_and_noisy("mod3", 0.003, factor)
    verdict = verify(program, model, level="decisions", tolerance=tolerance)
    assert verdict.verdict == "refuted"
    proof = proof_of(program, model, verdict)
    assert check_proof(proof, program, model) is None
    assert verdict.lengths is not None
    beyond = "a margin is not positive within the lengths that are claimed"
    for lengths, reason in ((verdict.lengths + 1, beyond), ("all", "a margin may fall without end")):
        claim = proof.claim | {"verdict": "proved", "lengths": lengths}
        assert check_proof(replace(proof, claim=claim), program, model) == reason
    first = next(iter(proof.proof["witnesses"].values()))["margins"][0]
    for place, value in ((2, float(first[2])), (3, first[3][:-1]), (3, [str(x) for x in first[3]])):
        kept, first[place] = first[place], value
        assert check_proof(proof, program, model) == "a witness is made of integers"
        first[place] = kept


def test_the_domain_with_tokens_that_are_no_units_and_with_what_is_added_to_an_answer():
    program = load("mod3")
    model = compile(program)
    doubled = {token: 2 * vector for token, vector in model.tokens.items()}
    for by_v, by_q in ((4, 1), (Fraction(20, 3), Fraction(3, 5)), (1, 4)):
        matrices = [each.astype(object) / Fraction(by) for each, by in ((model.V, by_v), (model.Q, by_q))]
        wide = Model.from_arrays(*matrices, coordinates=model.coordinates, tokens=doubled)
        proof = proof_of(program, wide, verify(program, wide, level="domain"))
        assert check_proof(proof, program, wide) is None
    for number in range(model.d):
        V = model.V
        V[0, number, model.coordinates.index("reg")] += 1
        added = Weights(
            model.d,
            [
                (
                    [(r, c, Fraction(v[r, c])) for r, c in np.argwhere(v).tolist()],
                    [(r, c, Fraction(q[r, c]) / 4) for r, c in np.argwhere(q).tolist()],
                )
                for v, q in zip(V, model.Q, strict=True)
            ],
        )
        assert check(proof, added) in (
            "the answer at the start is another",
            "what an edge adds to an answer is something else",
        )


def test_what_is_added_to_an_answer_by_one_is_seen():
    """An entry that the program's answers never have, and that is 1 after every step."""
    program = load("mod3")
    model = compile(program)
    proof = proof_of(program, model, verify(program, model, level="domain"))
    reg = model.coordinates.index("reg")
    for coordinate in ("symbol[0]", "symbol[1]"):
        V = model.V
        V[:, model.coordinates.index(coordinate), reg] += 1
        heads = [
            tuple([(r, c, Fraction(w[r, c])) for r, c in np.argwhere(w).tolist()] for w in pair)
            for pair in zip(V, model.Q, strict=True)
        ]
        assert check(proof, Weights(model.d, heads)) is not None


def test_what_cancels_adds_nothing():
    """Two heads that write where no answer has an entry, one against the other."""
    program = load("mod3")
    model = compile(program)
    proof = proof_of(program, model, verify(program, model, level="domain"))
    listed = [
        ([(r, c, Fraction(v[r, c])) for r, c in np.argwhere(v)], [(r, c, Fraction(q[r, c])) for r, c in np.argwhere(q)])
        for v, q in zip(model.V, model.Q, strict=True)
    ]
    symbol, reg = model.coordinates.index("symbol[0]"), model.coordinates.index("reg")
    aside = [([(symbol, reg, sign)], listed[0][1]) for sign in (Fraction(1), Fraction(-1))]
    assert check(proof, Weights(model.d, [*listed, *aside])) is None
    assert check(proof, Weights(model.d, [*listed, aside[0]])) is not None


def test_what_walks_do_not_speak_of():
    program = load("mod3")
    model = compile(program)
    for level in ("domain", "decisions"):
        proof = proof_of(program, model, verify(program, model, level=level))
        heads = [
            tuple([(r, c, Fraction(w[r, c])) for r, c in np.argwhere(w)] for w in pair)
            for pair in zip(model.V, model.Q, strict=True)
        ]
        for other in ({"level": "everywhere"}, {"level": "tested"}, {"level": level, "verdict": "undecided"}):
            said = check(replace(proof, claim=proof.claim | other), Weights(model.d, heads))
            assert said in ("walks do not speak of this", "this is not what walks prove")


def test_potentials_that_are_far_below_prove_nothing():
    program = load("mod3")
    model = scaled_and_noisy("mod3", 0.003, 1.0)
    proof = proof_of(program, model, verify(program, model, level="decisions"))
    claim = {"verdict": "proved", "level": "decisions", "lengths": "all"}
    for far in (-(2**59), 2**59):
        for letter in proof.proof["witnesses"].values():
            letter["margins"] = [[t, w, 0, [far] * len(pi)] for t, w, _, pi in letter["margins"]]
        assert check_proof(replace(proof, claim=claim), program, model) == "a witness fails on an edge"


def test_an_edge_that_adds_something_else_is_named():
    """The start alone is right: what differs is read from answers only."""
    program = load("mod3")
    model = compile(program)
    proof = proof_of(program, model, verify(program, model, level="domain"))
    V = model.V
    r2 = model.coordinates.index("state[r2]")
    V[:, r2, r2] += 1
    heads = [
        tuple([(r, c, Fraction(w[r, c])) for r, c in np.argwhere(w).tolist()] for w in pair)
        for pair in zip(V, model.Q, strict=True)
    ]
    assert check(proof, Weights(model.d, heads)) == "what an edge adds to an answer is something else"


def test_a_token_that_is_misread_counts_from_its_first_length_on():
    """Along a chain of states, one token after the other."""
    states = ("p0", "p1", "p2", "p3", "p4")
    moves = {(p, "a"): q for p, q in zip(states, (*states[1:], "p4"), strict=True)}
    program = Automaton("chain", ("a",), states, "p0", moves, frozenset({"p4"}))
    model = compile(program)
    accept = model.coordinates.index("accept")
    for first in range(1, 5):
        tokens = {name: np.array(vector) for name, vector in model.tokens.items()}
        tokens[lower(program).trace(("a",) * first)[-1]][accept] = first != 4
        changed = Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=tokens)
        proof = proof_of(program, changed, verify(program, changed, level="decisions"))
        for lengths, reason in ((first - 1, None), (first, "a token is read otherwise")):
            claim = {"verdict": "proved", "level": "decisions", "lengths": lengths}
            assert check_proof(replace(proof, claim=claim), program, changed) == reason


def check_of(stored, model: Model):
    """What the checker itself says, whoever made the premises."""
    return check(stored, _weights(model))


@pytest.mark.parametrize(("entry", "lengths"), [(0.4, "all"), (0.5, "all"), (0.51, 0)])
def test_an_entry_is_set_above_one_half(entry, lengths):
    program = load("parity")
    model = compile(program)
    tokens = {token: np.array(vector, dtype=float) for token, vector in model.tokens.items()}
    tokens["even -> odd"][model.coordinates.index("accept")] = entry
    changed = Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=tokens)
    verdict = verify(program, changed, level="decisions")
    assert verdict.lengths == lengths
    assert check_of(proof_of(program, changed, verdict), changed) is None


def test_a_start_that_is_misread_leaves_not_even_the_empty_word():
    program = load("parity")
    model = compile(program)
    tokens = {token: np.array(vector) for token, vector in model.tokens.items()}
    tokens["start"][model.coordinates.index("accept")] = 0
    changed = Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=tokens)
    stored = proof_of(program, changed, verify(program, changed))
    assert stored.claim["lengths"] is None
    claim = {"verdict": "proved", "level": "decisions", "lengths": 0}
    assert check_of(replace(stored, claim=claim), changed) == "a token is read otherwise"


def test_tokens_stay_within_the_layer():
    program = load("parity")
    model = compile(program)
    stored = proof_of(program, model, verify(program, model, level="domain"))
    for place in (-1, model.d):
        first, *rest = stored.premises["tokens"]
        wide = replace(stored, premises=stored.premises | {"tokens": [[*first, [place, 1]], *rest]})
        assert check_of(wide, model) == "a token leaves the layer"
