"""Properties on the command line: ``attnc check`` decides them on programs, ``attnc verify`` on models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attnc.storage import load
from compiler.language.load import load as library
from compiler.model import Model
from compiler.program import Automaton

Attnc = Callable[..., Any]

LIGHT = """automaton light {
  alphabet tick, fault
  start state red emits stop { tick -> green; fault -> red }
  state green emits go { tick -> red; fault -> green }
  always red_first
  never /.* go go .*/
}
automaton ends_in_b { alphabet a, b; language /.*b/; never /a{3}b/ }
automaton red_first { alphabet stop, go; language /stop .*/ }
"""


def test_check_points_at_the_property_that_fails_and_at_the_least_word(attnc: Attnc) -> None:
    Path("f.attn").write_text(LIGHT, encoding="utf-8")
    result = attnc("check", "f.attn", "--json")
    assert result.status == 1
    assert [(row["properties"], row["failed"]) for row in result.json["programs"]] == [(2, 1), (1, 1), (0, 0)]
    assert "f.attn:6:3: error: this property fails on tick, fault: the output is stop, go, go\n" in result.err
    assert "f.attn:8:54: error: this property fails on aaab: accepted\n" in result.err
    assert "properties" in attnc("check", "f.attn::light").out
    assert attnc("check", "f.attn::red_first").status == 0


def test_verify_decides_properties_on_the_model(attnc: Attnc) -> None:
    text = LIGHT[: LIGHT.index("automaton ends")] + "automaton red_first { alphabet stop, go; language /stop .*/ }\n"
    Path("f.attn").write_text(text, encoding="utf-8")
    Path("g.attn").write_text(text.replace("fault -> green", "fault -> red"), encoding="utf-8")
    assert attnc("compile", "f.attn::light", "-o", "f.safetensors").status == 0
    assert attnc("compile", "g.attn::light", "-o", "g.safetensors").status == 0
    same = attnc("verify", "f.attn::light", "f.safetensors")
    assert same.status == 0  # equality decides it
    assert "  always red_first: proved, at every length (the model's runs are the program's)\n" in same.out
    assert "  never /.* go go .*/: refuted by tick, fault (the model's runs are the program's)\n" in same.out
    other = attnc("verify", "f.attn::light", "g.safetensors", "--json")
    assert (other.status, other.json["verdict"]) == (1, "refuted")
    because = "the model's runs are those of the automaton that was read from it, with a proof"
    proved = {"verdict": "proved", "lengths": "all", "word": None, "because": because}
    clauses = ("always red_first", "never /.* go go .*/")
    assert other.json["properties"] == [{"clause": clause, **proved} for clause in clauses]
    swapped = attnc("verify", "g.attn::light", "f.safetensors", "--json").json["properties"]
    assert [(each["verdict"], each["word"]) for each in swapped] == [("proved", None), ("refuted", ["tick", "fault"])]
    assert attnc("compile", "parity", "-o", "p.safetensors").status == 0
    assert attnc("verify", "parity", "p.safetensors", "--json").json["properties"] == []


def test_models_carry_the_properties_of_their_program(attnc: Attnc) -> None:
    assert attnc("compile", "traffic_light", "-o", "t.safetensors").status == 0
    model = load("t.safetensors")
    assert isinstance(model, Model)
    assert isinstance(model.program, Automaton)
    assert model.program.properties == library("traffic_light").properties != ()
    assert (
        "  never /.* [^ready] go .*/: proved, at every length" in attnc("verify", "traffic_light", "t.safetensors").out
    )
