"""``attnc verify --proof`` and ``--check``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attnc import Model, load_model, save

Attnc = Callable[..., Any]


def test_a_proof_is_stored_and_checked(attnc: Attnc) -> None:
    assert attnc("compile", "parity", "-o", "m.safetensors").status == 0
    for order in (("parity", "m.safetensors"), ("m.safetensors", "parity")):
        assert attnc("verify", *order, "--proof", "p.json").status == 0
        accepted = attnc("verify", *order, "--check", "p.json")
        assert (accepted.status, accepted.out[:33]) == (0, "accepted: proved (everywhere, len")
    found = attnc("verify", "parity", "m.safetensors", "--check", "p.json", "--json").json
    assert found["accepted"]
    assert found["claim"] == {"verdict": "proved", "level": "everywhere", "lengths": "all"}
    rejected = attnc("verify", "mod3", "m.safetensors", "--check", "p.json")
    assert rejected.status == 2
    assert attnc("compile", "tomita1", "-o", "t.safetensors").status == 0
    other = attnc("verify", "tomita1", "t.safetensors", "--check", "p.json")
    assert (other.status, other.out) == (1, "rejected: it is for another program or another model\n")


def test_a_tolerance_on_the_command_line(attnc: Attnc) -> None:
    assert attnc("compile", "parity", "-o", "m.safetensors").status == 0
    found = attnc("verify", "parity", "m.safetensors", "--tolerance", "0.1", "--json").json
    assert (found["verdict"], found["level"], found["tolerance"]) == ("proved", "decisions", "1/10")
    told = attnc("verify", "parity", "m.safetensors", "--tolerance", "3/2").out
    assert "where it is moved by 3/2" in told
    assert attnc("verify", "parity", "m.safetensors", "--json").json["tolerance"] == "0"


def test_usage_of_proofs(attnc: Attnc) -> None:
    assert attnc("compile", "parity", "-o", "m.safetensors").status == 0
    pair = "verify", "parity", "m.safetensors"
    Path("other.json").write_bytes(b"\x80\x04K")
    for arguments, message in (
        (("verify", "parity", "parity", "--proof", "p.json"), "a program and a model"),
        ((*pair, "--proof", "p.txt"), ".json"),
        ((*pair, "--check", "p.json"), "p.json"),
        ((*pair, "--check", "p.json", "--up-to", "3"), "no other option"),
        ((*pair, "--check", "p.json", "--tolerance", "0.1"), "no other option"),
        ((*pair, "--tolerance", "-1"), "no distance"),
        ((*pair, "--tolerance", "1/0"), "divides by zero"),
        ((*pair, "--tolerance", "nan"), "no distance"),
        ((*pair, "--tolerance", "0.1", "--level", "domain"), "for the decisions"),
        ((*pair, "--level", "tested", "--proof", "p.json"), "proof"),
        ((*pair, "--check", "other.json"), "no proof"),
    ):
        told = attnc(*arguments)
        assert (told.status, told.out) == (2, ""), arguments
        assert message in told.err
    assert not Path("p.json").exists()


def test_an_input_that_refutes_is_stored_and_checked(attnc: Attnc) -> None:
    assert attnc("compile", "capitals", "-o", "m.safetensors").status == 0
    model = load_model("m.safetensors")
    V = model.V
    V[0, 0, 0] += 1
    save(Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens), "w.safetensors")
    found = attnc("verify", "capitals", "w.safetensors", "--level", "domain", "--proof", "p.json")
    assert (found.status, found.out[:16]) == (1, "refuted (domain)")
    accepted = attnc("verify", "capitals", "w.safetensors", "--check", "p.json")
    assert (accepted.status, accepted.out[:26]) == (0, "accepted: refuted (domain)")
    assert attnc("verify", "capitals", "m.safetensors", "--check", "p.json").status == 1
