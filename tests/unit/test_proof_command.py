"""``attnc verify --proof`` and ``--check``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def test_usage_of_proofs(attnc: Attnc) -> None:
    assert attnc("compile", "parity", "-o", "m.safetensors").status == 0
    pair = "verify", "parity", "m.safetensors"
    Path("other.json").write_bytes(b"\x80\x04K")
    for arguments, message in (
        (("verify", "parity", "parity", "--proof", "p.json"), "a program and a model"),
        ((*pair, "--proof", "p.txt"), ".json"),
        ((*pair, "--check", "p.json"), "p.json"),
        ((*pair, "--check", "p.json", "--up-to", "3"), "no other option"),
        ((*pair, "--level", "tested", "--proof", "p.json"), "proof"),
        ((*pair, "--check", "other.json"), "no proof"),
    ):
        told = attnc(*arguments)
        assert (told.status, told.out) == (2, ""), arguments
        assert message in told.err
    assert not Path("p.json").exists()
