"""What `fewest` means for every family, in Python and on the command line; models of it in files."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attnc.storage import load, save
from compiler.errors import ModelError, UnsupportedError
from compiler.language.load import load as load_program
from compiler.program import UniversalAutomaton
from compiler.program_to_model import compile
from verify.decompiled import decompile
from verify.verify import verify

Attnc = Callable[..., Any]
ANY_DFA = {"heads": (38, 3), "dimensions": (21, 5), "tokens": (25, 4)}
ANY_SMALL = {"heads": (93, 8), "dimensions": (93, 8), "tokens": (522, 36)}


@pytest.mark.parametrize("measure", ANY_DFA)
def test_a_family_of_one_construction_has_that(measure: Any) -> None:
    for name in ("parity", "capitals", "increment", "vectors"):
        program = load_program(name)
        assert compile(program, fewest=measure).digest() == compile(program).digest()
    program = load_program("mod3")
    both = compile(program, fewest=measure, minimise=True)
    assert both.digest() == compile(program.minimised()).digest()  # type: ignore[union-attr]


@pytest.mark.parametrize("measure", ANY_DFA)
def test_files_of_a_universal_automaton(attnc: Attnc, measure: str) -> None:
    facts = attnc("compile", "any_dfa", "-o", "m.safetensors", "--fewest", measure, "--json").json
    assert (facts["dimension"], facts["heads"]) == ANY_DFA[measure]
    text = attnc("compile", "any_dfa", "-o", "m.safetensors", "--fewest", measure).out
    assert f"dimension {ANY_DFA[measure][0]}" in " ".join(text.split())
    assert f"heads {ANY_DFA[measure][1]}" in " ".join(text.split())
    model = load("m.safetensors")
    assert model.digest() == compile(load_program("any_dfa"), fewest=measure).digest()  # type: ignore[arg-type]
    save(model, "again.safetensors")
    assert Path("again.safetensors").read_bytes() == Path("m.safetensors").read_bytes()
    word = ("any_dfa", "--given", "mod3", "111", "1", '""', "--json")
    rows = attnc("run", *word, "--model", "m.safetensors").json["runs"]
    assert rows == attnc("run", *word).json["runs"]
    assert rows == attnc("run", *word, "--model", "m.safetensors", "--decode", "raw").json["runs"]
    judged = attnc("verify", "any_dfa", "m.safetensors", "--json")
    assert (judged.status, judged.json["verdict"], judged.json["lengths"]) == (0, "proved", "all")
    assert judged.json["level"] == ("domain" if measure == "heads" else "everywhere")
    assert attnc("verify", "m.safetensors", "again.safetensors", "--json").json["verdict"] == "proved"
    assert "universal automaton" in attnc("decompile", "m.safetensors").out
    assert decompile(model) == model.program


@pytest.mark.parametrize("measure", ANY_SMALL)
def test_files_of_a_universal_machine(attnc: Attnc, measure: str) -> None:
    facts = attnc("compile", "any_small", "-o", "m.safetensors", "--fewest", measure, "--json").json
    assert (facts["dimension"], facts["heads"]) == ANY_SMALL[measure]
    model = load("m.safetensors")
    assert model.digest() == compile(load_program("any_small"), fewest=measure).digest()  # type: ignore[arg-type]
    save(model, "again.safetensors")
    assert Path("again.safetensors").read_bytes() == Path("m.safetensors").read_bytes()
    word = ("any_small", "--given", "busy_beaver_3", '""', "--json")
    rows = attnc("run", *word, "--model", "m.safetensors").json["runs"]
    assert rows == attnc("run", *word, "--model", "m.safetensors", "--decode", "raw").json["runs"]
    usual = attnc("run", *word).json["runs"]
    for row, other in zip(rows, usual, strict=True):
        for key in ("outcome", "steps", "output"):
            assert row[key] == other[key]
    judged = attnc("verify", "any_small", "m.safetensors", "--json")
    assert (judged.status, judged.json["verdict"]) == (0, "proved")
    assert judged.json["level"] == ("domain" if measure == "tokens" else "everywhere")
    assert decompile(model) == model.program


def test_the_sizes_of_universal_machines_in_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "universal.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (any_[a-z]+) \| (`dimensions`)? ?\| ([0-9,]+) \|(.*) \|$", text, re.MULTILINE)
    assert len(rows) == 6
    for name, chosen, d, others in rows:
        model = compile(load_program(name), fewest="dimensions" if chosen else None)
        sizes = [model.d, len(model.heads), len(model.live_rules)]
        sizes += [sum(len(head.V.weights) + len(head.Q.weights) for head in model.heads), len(model.vocabulary)]
        shown = [d, *(each.strip() for each in others.split("|"))]
        assert [f"{size:,}" for size in sizes] == shown, name


def test_a_trace_through_registers_shows_the_tape(attnc: Attnc) -> None:
    attnc("compile", "any_small", "-o", "m.safetensors", "--fewest", "dimensions")
    traced = attnc("run", "any_small", "--given", "busy_beaver_2", '""', "--model", "m.safetensors", "--trace").out
    assert "saw 0@16" in traced
    assert "halt 1@" in traced


def test_heads_are_made_fewer_where_the_same_function_allows_it(attnc: Attnc) -> None:
    program = load_program("flip_flop")
    few = compile(program, fewest="heads")
    assert (len(few.heads), len(compile(program).heads)) == (2, 3)
    assert few.rules == compile(program).rules
    facts = attnc("compile", "flip_flop", "-o", "m.safetensors", "--fewest", "heads", "--json").json
    assert [facts[name] for name in ("heads", "fewest_bound", "minimal")] == [2, 2, "proved"]
    assert "fewest_bound" not in attnc("compile", "flip_flop", "-o", "m.safetensors", "--json").json
    assert attnc("verify", "flip_flop", "m.safetensors", "--json").json["level"] == "everywhere"


def test_constructions_are_not_mistaken_for_each_other(attnc: Attnc) -> None:
    for measure in ("heads", "dimensions"):
        attnc("compile", "any_dfa", "-o", f"{measure}.safetensors", "--fewest", measure)
    attnc("verify", "heads.safetensors", "dimensions.safetensors").assert_refused("over different coordinates")
    smaller = UniversalAutomaton("small", 3, 3)
    with pytest.raises(ModelError, match="not over the coordinates of universal automaton small: 21 coordinates"):
        verify(smaller, load("dimensions.safetensors"))


def test_refusals(attnc: Attnc) -> None:
    parity: Any = load_program("parity")
    for wrong in ("layers", "", 1, "Heads"):
        with pytest.raises(UnsupportedError, match="expected heads, dimensions or tokens"):
            compile(parity, fewest=wrong)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match="fewest='heads' chooses among constructions with registers"):
        compile(parity, fewest="heads", construction="history", bound=3)
    wrong = attnc("compile", "parity", "-o", "m.safetensors", "--fewest", "layers")
    assert (wrong.status, "'heads', 'dimensions', 'tokens'" in wrong.err) == (2, True)
    history = ("--construction", "history", "--bound", "3", "--fewest", "tokens")
    attnc("compile", "parity", "-o", "m.safetensors", *history).assert_refused("leave out history")
    assert not Path("m.safetensors").exists()
