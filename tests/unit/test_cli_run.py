"""`attnc run`: words, references, traces, models, machines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnc.cli import STOPPED
from attnc.storage import load, save
from compiler.model import Model
from compiler.program_to_model import compile

TWO = """# the first
automaton a { alphabet x   # a comment
  start accept state q { x -> q } ; example xx accepts }


automaton b { alphabet x
  start state q { x->r }; accept state r { x->q }; example x accepts
}
"""
ENDLESS = "machine m {\n  blank _\n  alphabet 1\n  cells 4\n  start state q { _ -> stay, q; 1 -> stay, q }\n}\n"

Attnc = Callable[..., Any]


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def made(attnc: Attnc, *arguments: str) -> None:
    """A step on the way that must succeed."""
    assert attnc(*arguments).status == 0


def zero() -> Model:
    """A model over the coordinates of parity that answers nothing but zero."""
    zeros = np.zeros((1, 6, 6), dtype=np.int64)
    return Model.from_arrays(zeros, zeros, coordinates=compile(load("parity")).coordinates)


def test_run(attnc: Attnc) -> None:
    result = attnc("run", "parity", "0110", "1", "--json")
    assert result.status == 0
    assert result.json == {
        "program": "parity",
        "kind": "automaton",
        "runs": [
            {"input": list("0110"), "outcome": "accepted", "output": [], "steps": 4, "tokens": 9},
            {"input": ["1"], "outcome": "rejected", "output": [], "steps": 1, "tokens": 3},
        ],
    }
    assert [line.split()[-3] for line in attnc("run", "parity", "0110", "1").out.splitlines()[1:]] == [
        "accepted",
        "rejected",
    ]


@pytest.mark.parametrize(
    ("program", "word", "symbols"),
    [
        ("parity", '""', []),
        ("parity", "", []),
        ("parity", '"01"', ["0", "1"]),
        ("parity", "0, 1,1", ["0", "1", "1"]),
        ("dyck1_depth4", '"(("', ["(", "("]),
        ("dyck1_depth4", "()", ["(", ")"]),
        ("turnstile", "coin, push", ["coin", "push"]),
        ("turnstile", '"coin",push', ["coin", "push"]),
        ("turnstile", '""', []),
    ],
)
def test_words(attnc: Attnc, program: str, word: str, symbols: list[str]) -> None:
    result = attnc("run", program, word, "--json")
    assert (result.status, result.json["runs"][0]["input"]) == (0, symbols)


def test_words_that_begin_with_a_dash(attnc: Attnc) -> None:
    assert attnc("run", "decimal_number", "--json", "--", "-d").json["runs"][0]["input"] == ["-", "d"]


def test_run_gives_outputs_and_machines_and_memories(attnc: Attnc) -> None:
    assert attnc("run", "turnstile", "coin,push", "--json").json["runs"][0]["output"] == ["unlock", "turn"]
    machine = attnc("run", "increment", "1011", "--json").json
    assert (machine["kind"], machine["runs"][0]["output"], machine["runs"][0]["tokens"]) == (
        "machine",
        list("1100"),
        25,
    )
    write("m.attn", ENDLESS.replace("stay", "right"))
    runs = [attnc("run", "m.attn", "1", "--json", *more).json["runs"][0] for more in ((), ("--cells", "9"))]
    assert [(run["outcome"], run["steps"]) for run in runs] == [("overran", 4), ("overran", 9)]
    memory = attnc("run", "capitals", "france = paris, france", "--json")
    assert (memory.status, memory.json["kind"], memory.json["runs"][0]["output"]) == (0, "memory", ["paris"])


def test_references(attnc: Attnc) -> None:
    write("u.attn", TWO)
    Path("folder").mkdir()
    write("folder/u", TWO)
    for reference in ("u.attn::b", "./u.attn::b", "folder/u::b"):
        assert attnc("run", reference, "x", "--json").json["program"] == "b"
    assert attnc("run", "library::parity", "1", "--json").json["program"] == "parity"
    several = attnc("run", "u.attn", "x")
    assert (several.status, "holds 2 programs (a, b); add ::NAME" in several.err) == (2, True)
    assert "has no program 'c'" in attnc("run", "u.attn::c", "x").err


def test_run_trace(attnc: Attnc) -> None:
    result = attnc("run", "turnstile", "coin", "--trace")
    assert [line.split()[:2] for line in result.out.splitlines()[:3]] == [
        ["0", "input"],
        ["1", "input"],
        ["2", "answer"],
    ]
    assert "locked -> open + emit[unlock]" in result.out
    assert "read S[reg, state[locked]] = 1" in result.out
    aside = attnc("run", "turnstile", "coin", "--trace", "--json")
    assert aside.json["runs"][0]["tokens"] == 3
    assert "read S[reg, state[locked]] = 1" in aside.err


def test_run_raw_and_with_a_model(attnc: Attnc) -> None:
    nearest = attnc("run", "parity", "0110", "--json").json
    assert attnc("run", "parity", "0110", "--decode", "raw", "--json").json == nearest
    made(attnc, "compile", "parity", "-o", "m.safetensors")
    assert attnc("run", "parity", "0110", "--model", "m.safetensors", "--json").json == nearest
    other = attnc("run", "mod3", "0", "--model", "m.safetensors")
    assert (other.status, "it claims to be automaton parity" in other.err) == (2, True)
    save(zero(), "z.safetensors")
    differs = attnc("run", "parity", "11", "--model", "z.safetensors", "--decode", "raw", "--json")
    assert (differs.status, "the model differs from the program" in differs.err) == (0, True)


def test_run_unfinished(attnc: Attnc) -> None:
    write("m.attn", ENDLESS)
    result = attnc("run", "m.attn", "1", "--max-tokens", "50", "--json")
    assert (result.status, result.json["runs"][0]["outcome"]) == (3, "unfinished")
    assert result.json["runs"][0]["tokens"] == 50
    layer = attnc("run", "parity", "0110", "1", "--max-tokens", "5", "--json")
    assert (layer.status, [run["outcome"] for run in layer.json["runs"]]) == (3, ["unfinished", "rejected"])
    assert layer.json["runs"][0]["tokens"] <= 5
    assert attnc("run", "parity", "01", "--max-tokens", "5").status == 0


def test_a_raw_run_without_end_is_cut(attnc: Attnc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnc.cli.run_command.DEFAULT_RAW_TOKENS", 3_000)
    write("m.attn", ENDLESS)
    result = attnc("run", "m.attn", "1", "--decode", "raw", "--json")
    assert (result.status, result.json["runs"][0]["outcome"], result.json["runs"][0]["tokens"]) == (
        3,
        "unfinished",
        3_000,
    )
    more = attnc("run", "m.attn", "1", "--decode", "raw", "--max-tokens", "4500", "--json")
    assert more.json["runs"][0]["tokens"] == 4_500


def test_an_interrupted_raw_run_prints_what_it_came_to(attnc: Attnc, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Model.run

    def interrupted(self: Model, word: str, *, max_tokens: int, **options: Any) -> Any:
        if max_tokens > 2_000:
            raise KeyboardInterrupt
        return whole(self, word, max_tokens=max_tokens, **options)

    monkeypatch.setattr(Model, "run", interrupted)
    write("m.attn", ENDLESS)
    told = attnc("run", "m.attn", "1", "--decode", "raw", "--json")
    assert (told.status, told.json["runs"][0]["tokens"], told.err) == (130, 2_000, f"{STOPPED}\n")
    result = attnc("run", "m.attn", "1", "--decode", "raw")
    assert result.status == 130
    assert result.out.splitlines()[1].split()[1] == "unfinished"
    assert result.out.split()[-1] == "2,000"
