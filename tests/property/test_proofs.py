"""Stored proofs: accepted as written, and refused when claim, witness, premises or weights are others."""

import copy
import json
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from perturbed import noisy

from compiler.errors import FileError, UnsupportedError
from compiler.files.certificate_file import load_certificate
from compiler.files.proof_file import load_proof, proof_from_bytes, proof_to_bytes, save_proof
from compiler.language.load import load
from compiler.model import Model
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from verify.check_proof import Weights, check
from verify.proofs import check_proof, proof_of
from verify.strategies import automata, mutants
from verify.verify import verify

LIBRARY = ("parity", "mod3", "s3", "turnstile", "increment", "capitals", "any_dfa", "busy_beaver_3", "votes")


def proved(program, model, **how):
    return proof_of(program, model, verify(program, model, **how))


def other(stored, **changes):
    """The proof with a copy of its parts, changed."""
    parts = {name: copy.deepcopy(getattr(stored, name)) for name in ("claim", "premises", "proof")}
    for name, change in changes.items():
        change(parts[name])
    return replace(stored, **parts)


@pytest.mark.parametrize("name", LIBRARY)
def test_what_is_written_is_read_and_accepted(name, tmp_path):
    program = load(name)
    model = compile(program)
    stored = proved(program, model)
    save_proof(stored, tmp_path / "p.json")
    assert load_proof(tmp_path / "p.json") == stored
    assert check_proof(stored, program, model) is None
    changed = Model.from_arrays(2 * model.V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    assert check_proof(stored, program, changed) == "it is for another program or another model"
    assert "lengths" in stored.claim


@settings(max_examples=80)
@given(automata(max_states=4, max_letters=2).flatmap(lambda p: st.tuples(st.just(p), mutants(compile(p)))))
def test_every_verdict_on_a_mutant_has_a_proof_and_the_opposite_has_none(pair):
    program, model = pair
    for level in (None, "decisions", "everywhere"):
        verdict = verify(program, model, level=level)
        stored = proof_of(program, model, verdict)
        assert check_proof(proof_from_bytes(proof_to_bytes(stored)), program, model) is None
        opposite = {"proved": "refuted", "refuted": "proved"}[verdict.verdict]
        lengths = "all" if opposite == "proved" else verdict.lengths
        wrong = other(stored, claim=lambda c, v=opposite, n=lengths: c.update(verdict=v, lengths=n))
        assert check_proof(wrong, program, model) is not None


def with_lengths(lengths):
    return lambda claim: claim.update(lengths=lengths)


@pytest.mark.parametrize("name", ["parity", "mod3", "s3", "turnstile"])
def test_no_longer_horizon_is_accepted_and_no_other_word(name):
    program = load(name)
    model = noisy(compile(program), 0.03)
    stored = proved(program, model)
    horizon = stored.claim["lengths"]
    assert stored.claim["verdict"] == "refuted"
    for lengths in (horizon + 1, horizon + 10, "all", None, -1, True, str(horizon)):
        assert check_proof(other(stored, claim=with_lengths(lengths)), program, model) is not None, lengths
        as_proved = other(stored, claim=lambda c, n=lengths: c.update(verdict="proved", lengths=n))
        assert check_proof(as_proved, program, model) is not None, lengths
    shorter = other(stored, claim=lambda c: c.update(verdict="proved", lengths=horizon))
    assert check_proof(shorter, program, model) is None, "up to the horizon it is proved"

    def cut(proof):
        proof["word"].pop()

    def nothing(proof):
        proof["word"] = []

    for change in (cut, nothing):
        assert check_proof(other(stored, proof=change), program, model) is not None


def test_witnesses_are_checked_on_every_edge():
    program = load("mod3")
    model = noisy(compile(program), 0.001)
    stored = proved(program, model)
    refused = 0
    for letter, entry in stored.proof["witnesses"].items():
        for number, (_, _, mu, pi) in enumerate(entry["margins"]):

            def harder(proof, letter=letter, number=number, mu=mu):
                proof["witnesses"][letter]["margins"][number][2] = mu + abs(mu) // 2 + 10**6

            def lifted(proof, letter=letter, number=number, pi=pi):
                proof["witnesses"][letter]["margins"][number][3] = [x + (n == 1) * 2**58 for n, x in enumerate(pi)]

            def gone(proof, letter=letter, number=number):
                del proof["witnesses"][letter]["margins"][number]

            def rational(proof, letter=letter, number=number, mu=mu):
                proof["witnesses"][letter]["margins"][number][2] = float(mu)

            for change in (harder, lifted, gone, rational):
                refused += check_proof(other(stored, proof=change), program, model) is not None
            assert check_proof(other(stored, proof=gone), program, model) is not None
            assert check_proof(other(stored, proof=lifted), program, model) is not None
            assert check_proof(other(stored, proof=rational), program, model) is not None
    assert refused


PREMISES = {
    "tokens": lambda p: p["tokens"][0].pop(),
    "start": lambda p: p["start"].append(p["start"][0]),
    "edges": lambda p: p["edges"].pop(),
    "choices": lambda p: p["choices"].pop(),
    "says": lambda p: p["says"][0][1].append(0),
    "outputs": lambda p: p["outputs"].pop(),
    "dimension": lambda p: p.update(dimension=p["dimension"] + 1),
    "kind": lambda p: p.update(kind="rules"),
    "nothing": lambda p: p.clear(),
}


@pytest.mark.parametrize("change", PREMISES.values(), ids=PREMISES)
def test_other_premises_are_not_the_programs(change):
    program = load("parity")
    model = noisy(compile(program), 0.05)
    stored = other(proved(program, model), premises=change)
    assert check_proof(stored, program, model) == "what it says of the program is not so"


def test_the_domain_is_checked_at_the_start_and_on_every_edge():
    program = load("mod3")
    model = compile(program)
    stored = proved(program, model, level="domain")
    assert stored.premises["kind"] == "walks"
    for place in np.argwhere(model.V).tolist():
        V = model.V
        V[tuple(place)] += 1
        assert check(stored, entries(V, model.Q)) is not None, place
    free = model.V
    free[0, 0, model.coordinates.index("symbol[0]")] += 1
    wide = compile(program)
    assert check(stored, entries(wide.V, wide.Q)) is None


def entries(V, Q) -> Weights:
    def listed(matrix):
        return [(r, c, Fraction(matrix[r, c])) for r, c in np.argwhere(matrix).tolist()]

    return Weights(V.shape[1], [(listed(v), listed(q)) for v, q in zip(V, Q, strict=True)])


def test_rules_are_compared_one_by_one():
    for name in ("parity", "increment"):
        program = load(name)
        model = compile(program)
        stored = proved(program, model)
        for matrix in ("V", "Q"):
            weights = {"V": model.V, "Q": model.Q}
            for place in np.argwhere(weights[matrix]).tolist()[:20]:
                changed = {side: array.copy() for side, array in weights.items()}
                changed[matrix][tuple(place)] *= -1
                assert check(stored, entries(**changed)) is not None, (name, matrix, place)


def test_a_misread_token_is_shown():
    program = load("parity")
    model = compile(program)
    for name in ("start", "stay + accept"):
        tokens = {token: np.array(vector) for token, vector in model.tokens.items()}
        tokens[name][model.coordinates.index("accept")] = 0
        changed = Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=tokens)
        stored = proved(program, changed)
        assert stored.claim["verdict"] == "refuted"
        assert check_proof(stored, program, changed) is None
        said = other(stored, claim=lambda c: c.update(verdict="proved", lengths="all"))
        assert check_proof(said, program, changed) is not None


def test_what_the_checker_does_not_accept_is_not_stored(monkeypatch):
    monkeypatch.setattr("verify.proofs.check", lambda *_: "for no reason")
    with pytest.raises(UnsupportedError, match="cannot store why the model is proved: for no reason"):
        proved(load("parity"), compile(load("parity")))


@pytest.mark.parametrize("level", ["tested"])
def test_what_has_no_proof_is_refused(level):
    program = load("parity")
    with pytest.raises(UnsupportedError):
        proved(program, noisy(compile(program), 0.1), level=level)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"format":1}', b"\x80\x04pickle", b"[" * 100_000, b'{"a":NaN}'],
    ids=["empty", "list", "object", "keys", "pickle", "deep", "nan"],
)
def test_other_files_are_refused(content):
    with pytest.raises(FileError):
        proof_from_bytes(content)


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", '"\\ud800"', "[" * 5_000 + "]" * 5_000], ids=["nan", "inf", "half", "deep"]
)
def test_values_that_have_no_canonical_text_are_refused(value, tmp_path):
    keys = {"claim": "{}", "format": "1", "model": '""', "premises": "{}", "program": '""', "proof": f'{{"a":{value}}}'}
    content = "{" + ",".join(f'"{key}":{text}' for key, text in keys.items()) + "}"
    (tmp_path / "p.json").write_text(content)
    with pytest.raises(FileError, match=r"p\.json: no proof"):
        load_proof(tmp_path / "p.json")
    of_data = content.replace('"claim":{},', "").replace('"model":', '"data":')
    ordered = sorted(json.loads(of_data.replace(value, "0")))
    assert ordered == ["data", "format", "premises", "program", "proof"]
    (tmp_path / "c.json").write_text(of_data)
    with pytest.raises(FileError, match=r"c\.json: no certificate"):
        load_certificate(tmp_path / "c.json")


def test_numbers_in_a_proof_cost_what_they_say():
    """A fraction in a premise is read as an exact number, and nothing else is."""
    program = load("parity")
    model = noisy(compile(program), 0.05)
    stored = proved(program, model)
    for value in (1.5, None, [1], "x", "1e9999999", True):
        changed = other(stored, proof=lambda p, v=value: next(iter(p["witnesses"].values())).update(unit=v))
        assert check_proof(changed, program, model) is not None, value


# What the checker itself rejects, whoever made the premises.


def checked(stored, model: Model):
    return check(stored, entries(model.V, model.Q))


noises = st.tuples(st.sampled_from([0.02, 0.05, 0.1, 0.3]), st.integers(0, 1000))


@settings(max_examples=60)
@given(automata(max_states=4, max_letters=2), noises)
def test_no_claim_beyond_the_horizon_is_accepted(program, noise):
    model = noisy(compile(program), *noise)
    verdict = verify(program, model, level="decisions")
    if verdict.verdict == "undecided":
        return
    stored = proof_of(program, model, verdict)
    assert checked(stored, model) is None
    if verdict.lengths in ("all", None):
        return

    def shifted(proof):
        for entry in proof["witnesses"].values():
            for margin in entry["margins"]:
                margin[3] = [x + 2**59 for x in margin[3]]

    for beyond in (1, 2, 5, "all"):
        lengths = beyond if beyond == "all" else verdict.lengths + beyond
        claim = {"verdict": "proved", "level": "decisions", "lengths": lengths}
        assert checked(replace(stored, claim=claim), model) is not None
        assert checked(replace(other(stored, proof=shifted), claim=claim), model) is not None


def test_a_margin_of_zero_is_not_positive():
    moves = {("p", "a"): "q", ("q", "a"): "p"}
    program = Automaton("swap", ("a",), ("p", "q"), "p", moves, None, mealy=dict.fromkeys(moves, "x"))
    model = compile(program)
    stored = proved(program, model, level="decisions")
    nothing = Model.from_arrays(0 * model.V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    flat = proved(program, nothing)
    claimed = replace(flat, claim=stored.claim)
    assert checked(claimed, nothing) is not None


def test_a_tight_witness_is_tight():
    program = load("parity")
    model = compile(program)
    stored = proved(program, model, level="decisions")
    assert stored.claim["lengths"] == "all"
    for letter, entry in stored.proof["witnesses"].items():
        for number in range(len(entry["margins"])):

            def raised(proof, letter=letter, number=number):
                proof["witnesses"][letter]["margins"][number][2] += 1

            assert checked(other(stored, proof=raised), model) == "a witness fails on an edge"


def test_a_word_that_does_not_fail_is_no_failure():
    program = load("parity")
    model = compile(program)
    stored = proved(program, model, level="decisions")
    letters = [int(letter) for letter in stored.proof["witnesses"]]
    claim = {"verdict": "refuted", "level": "decisions", "lengths": 2}
    for word in ([letters[0]] * 3, [letters[1]] * 3, [*letters, letters[0]]):
        false = replace(stored, claim=claim, proof=stored.proof | {"word": word})
        assert checked(false, model) == "its word does not fail"
    empty = replace(stored, claim=claim | {"lengths": None}, proof=stored.proof | {"word": []})
    assert checked(empty, model) == "the empty word does not fail"


@pytest.mark.parametrize("level", ["domain", "decisions"])
def test_walks_say_what_they_must(level):
    program = load("parity")
    model = compile(program)
    stored = proved(program, model, level=level)
    assert checked(stored, model) is None
    wide = Weights(model.d + 1, entries(model.V, model.Q).heads)
    assert check(stored, wide) == "it is for layers of another dimension"

    def reads(premises):
        token, places = premises["says"][0]
        premises["says"][0] = [token, [] if places else premises["outputs"]]

    def forked(premises):
        source, letter, answer, target = premises["edges"][0]
        premises["edges"].append([source, letter, answer, 1 - target])

    def headless(premises):
        premises["start"] = []

    def gone(premises):
        premises["choices"].remove(premises["edges"][0][2])

    reasons = {
        reads: "a token is read otherwise",
        forked: "a node lacks a letter",
        gone: "an answer is no choice",
    }
    for change, reason in reasons.items():
        assert checked(other(stored, premises=change), model) == reason
    if level == "domain":
        assert checked(other(stored, premises=headless), model) == "the answer at the start is another"
    else:
        first = str(stored.premises["edges"][0][1])
        negative = other(stored, proof=lambda proof: proof["witnesses"][first].update(unit="-1/1"))
        assert checked(negative, model) == "a unit is positive"


def test_a_misread_token_counts_from_the_length_at_which_it_comes():
    program = load("parity")
    model = compile(program)
    tokens = {token: np.array(vector) for token, vector in model.tokens.items()}
    tokens["even -> odd"][model.coordinates.index("accept")] = 1
    changed = Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=tokens)
    stored = proved(program, changed)
    claim = {"verdict": "proved", "level": "decisions"}
    assert stored.claim["lengths"] == 0
    assert checked(replace(stored, claim=claim | {"lengths": 0}), changed) is None
    assert checked(replace(stored, claim=claim | {"lengths": 1}), changed) == "a token is read otherwise"


def test_tokens_on_which_both_answer_alike_refute_nothing():
    program = load("parity")
    model = noisy(compile(program), 0.1)
    stored = proved(program, model, level="everywhere")
    assert checked(stored, model) is None
    alike = other(stored, proof=lambda proof: proof.update(tokens=[[0] * model.d]))
    assert checked(alike, model) == "both answer alike on its tokens"


def test_every_state_that_gives_an_answer_counts():
    """Only the second of two states that answer alike is decided wrongly, and no cycle makes it worse."""
    moves = {("p", "go"): "q", ("q", "go"): "q", ("p", "hold"): "p", ("q", "hold"): "q"}
    program = Automaton("latch", ("go", "hold"), ("p", "q"), "p", moves, None, mealy=dict.fromkeys(moves, "x"))
    model = compile(program)
    tried = 0
    for place, by in product(np.ndindex(model.V.shape), (-4, 4)):
        V = model.V
        V[place] += by
        changed = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
        verdict = verify(program, changed, level="decisions")
        if verdict.verdict == "refuted" and verdict.counterexample.input == ("go", "hold"):
            stored = proof_of(program, changed, verdict)
            claim = {"verdict": "proved", "level": "decisions", "lengths": "all"}
            assert checked(replace(stored, claim=claim), changed) is not None
            tried += 1
    assert tried
