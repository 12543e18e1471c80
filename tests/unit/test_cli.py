"""The command line, through `main`: what is printed where, JSON objects, exit statuses."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import programs
from attnc.cli import COMMANDS
from attnc.storage import load, save
from attnc.version import __version__
from compiler.model import Model
from compiler.program import UniversalMachine
from compiler.program_to_model import compile
from compiler.random_model import random_model

BROKEN = "automaton a {\n  alphabet 0, 1\n  start state q { 0 -> r; 1 -> q }\n}\n"
UNTIDY = """# the first
automaton a { alphabet x   # a comment
  start accept state q { x -> q } ; example xx accepts }


automaton b { alphabet x
  start state q { x->r }; accept state r { x->q }; example x accepts
}
"""
FAILING = (
    "automaton a {\n  alphabet x\n  start accept state q { x -> q }\n  example xx accepts\n  example x rejects\n}\n"
)


Attnc = Callable[..., Any]


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def made(attnc: Attnc, *arguments: str) -> None:
    """A step on the way that must succeed."""
    assert attnc(*arguments).status == 0


def mutant() -> Model:
    """Parity with the sign of one weight changed."""
    model = compile(load("parity"))
    V = model.V
    V[tuple(place[0] for place in V.nonzero())] *= -1
    return Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens, program=model.program)


def zero() -> Model:
    """A model over the coordinates of parity that answers nothing but zero."""
    zeros = np.zeros((1, 6, 6), dtype=np.int64)
    return Model.from_arrays(zeros, zeros, coordinates=compile(load("parity")).coordinates)


def test_help_lists_every_command(attnc: Attnc) -> None:
    result = attnc("--help")
    assert result.status == 0
    assert all(f"  {name} " in result.out for name in COMMANDS)
    assert attnc("--version").out == f"attnc {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(attnc: Attnc, name: str) -> None:
    result = attnc(name, "--help")
    assert (result.status, result.err) == (0, "")
    assert f"attnc {name}" in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compil",), "did you mean compile?"),
        (("zzz",), "`attnc --help` lists them"),
        (("run",), "Missing argument 'PROGRAM'"),
        (("run", "parity"), "Missing argument 'WORD...'"),
        (("run", "parity", "0", "--colour"), "No such option"),
        (("run", "parity", "0", "--decode", "far"), "'far' is not one of"),
        (("compile", "parity"), "Missing option '-o'"),
        (("data", "parity", "-o", "d.npz", "--lengths", "a:b"), "expected A:B"),
        (("data", "parity", "-o", "d.npz", "--lengths", "5:2"), "5"),
        (("data", "parity", "-o", "d.npz", "--certified", "-n", "5"), "leave out -n"),
        (("learn", "d.npz", "-o", "m.safetensors", "--require", "certified"), "needs --for"),
        (("verify", "parity", "parity", "--level", "domain", "--up-to", "3"), "every length"),
        (("run", "pairity", "0"), "did you mean parity?"),
        (("run", "parity", "012"), "symbol 2 at position 2 is not in the alphabet (0, 1)"),
        (("run", "parity", '"01'), "cannot read"),
        (("run", "parity", "0", "--given", "mod3"), "--given"),
        (("run", "parity", "0", "--cells", "3"), "--cells"),
        (("compile", "parity", "-o", "m.safetensors", "--cells", "5"), "--cells"),
        (("verify", "parity", "mod3", "--level", "everywhere"), "domain"),
    ],
)
def test_usage_and_bad_input(attnc: Attnc, arguments: tuple[str, ...], message: str) -> None:
    result = attnc(*arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.err
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("run", "parity", "012", "--json"), 2, "symbol 2 at position 2 is not in the alphabet (0, 1)"),
        (("run", "--json", "pairity", "0"), 2, "did you mean parity?"),
        (("verify", "parity", "--json"), 2, "Missing argument 'B'"),
        (("compil", "--json"), 2, "did you mean compile?"),
        (("check", "b.attn", "--json"), 2, "2 errors"),
        (("verify", "parity", "m.safetensors", "--json"), 2, "not over the coordinates of automaton parity"),
        (("decompile", "m.safetensors", "--json"), 3, "no coordinate named state[...]"),
    ],
)
def test_failures_with_json_are_one_object_and_the_same_diagnostic(
    attnc: Attnc, arguments: tuple[str, ...], status: int, message: str
) -> None:
    write("b.attn", BROKEN + BROKEN.replace(" a ", " b "))
    save(random_model(4, 2, seed=0), "m.safetensors")
    result = attnc(*arguments)
    assert (result.status, list(result.json)) == (status, ["error"])
    assert message in result.json["error"]
    assert result.json["error"] in result.err
    plain = attnc(*(argument for argument in arguments if argument != "--json"))
    assert (plain.status, plain.out, plain.err) == (status, "", result.err)


def test_json_as_a_word_is_not_the_option(attnc: Attnc) -> None:
    assert attnc("run", "parity", "--", "--json").out == ""


def test_list(attnc: Attnc) -> None:
    assert all(name in attnc("list").out for name in programs.names())
    rows = attnc("list", "--json").json["programs"]
    assert [row["program"] for row in rows] == list(programs.names())
    assert {"program": "parity", "family": "automata", "about": "Words with an even number of ones."} in rows


def test_check(attnc: Attnc) -> None:
    write("u.attn", UNTIDY)
    assert attnc("check", "u.attn").status == 0
    rows = [{"program": name, "kind": "automaton", "examples": 1, "properties": 0, "failed": 0} for name in "ab"]
    assert "properties" not in attnc("check", "u.attn").out
    assert attnc("check", "u.attn", "--json").json == {"programs": rows, "warnings": 0}
    assert attnc("check", "./u.attn::b", "--json").json["programs"] == rows[1:]
    assert attnc("check", "library::parity", "--json").json == attnc("check", "parity", "--json").json


def test_check_points_at_the_example_that_fails(attnc: Attnc) -> None:
    write("f.attn", FAILING)
    result = attnc("check", "f.attn", "--json")
    assert result.status == 1
    assert result.json["programs"][0]["failed"] == 1
    where, line, caret, *rest = result.err.splitlines()
    assert re.fullmatch(r"f.attn:5:\d+: error: this example fails: expected rejects, got accepted", where)
    assert (line, rest) == (" 5 |   example x rejects", [])
    assert re.fullmatch(r"   \| +\^+", caret)


def test_check_reports_all_mistakes_and_warnings(attnc: Attnc) -> None:
    write("b.attn", BROKEN + BROKEN.replace(" a ", " b "))
    result = attnc("check", "b.attn")
    assert (result.status, result.out) == (2, "")
    assert result.err.count("error: ") == 2
    assert result.err.endswith("2 errors\n")
    write("w.attn", "automaton a {\n  alphabet 0, 1\n  start accept state q { 0 -> q }\n  example 1 rejects\n}\n")
    warned = attnc("check", "w.attn", "--json")
    assert (warned.status, warned.json["warnings"]) == (0, warned.err.count("warning: "))
    assert re.search(r"^w.attn:3:\d+: warning: .*has no rule for", warned.err, re.MULTILINE)


def test_format(attnc: Attnc) -> None:
    write("u.attn", UNTIDY)
    checked = attnc("format", "--check", "u.attn")
    assert (checked.status, checked.out, Path("u.attn").read_text()) == (1, "", UNTIDY)
    assert "is not in the layout" in checked.err
    assert attnc("format", "u.attn", "--json").json == {"changed": ["u.attn"], "printed": {}}
    text = Path("u.attn").read_text()
    assert text != UNTIDY
    assert [text.count(comment) for comment in ("# the first\n", "# a comment\n")] == [1, 1]
    assert load("u.attn::a").name == "a"
    again = attnc("format", "u.attn")
    assert (again.status, again.out, again.err) == (0, "", "")
    assert attnc("format", "--check", "u.attn").status == 0


def test_format_leaves_a_broken_file_alone(attnc: Attnc) -> None:
    for broken in (BROKEN.replace("->", "=>"), BROKEN[:-2], "automaton {{{", "\x00"):
        Path("b.attn").write_bytes(broken.encode())
        assert attnc("format", "b.attn").status == 2
        assert Path("b.attn").read_bytes() == broken.encode()
    assert [path.name for path in Path().iterdir()] == ["b.attn"]


def test_format_prints_library_programs(attnc: Attnc) -> None:
    text = programs.source("parity").read_text(encoding="utf-8")
    assert attnc("format", "parity").out == text
    assert attnc("format", "parity", "--json").json == {"changed": [], "printed": {"parity": text}}


def test_show(attnc: Attnc) -> None:
    result = attnc("show", "parity")
    assert result.status == 0
    model = compile(load("parity"))
    assert str(load("parity")) in result.out
    for part in (*model.coordinates, *model.tokens, *map(str, model.rules), *(head.name for head in model.heads)):
        assert part in result.out
    shown = attnc("show", "parity", "--json").json
    assert list(shown) == ["program", "coordinates", "tokens", "rules", "heads"]
    assert shown["coordinates"] == list(model.coordinates)
    assert sorted(rule for head in shown["heads"] for rule in head["rules"]) == sorted(shown["rules"])
    save(model, "m.safetensors")
    assert attnc("show", "m.safetensors", "--json").json == shown


def test_show_of_what_has_no_construction(attnc: Attnc) -> None:
    write("u.attn", "universal automaton u { states 20000; symbols 2 }")
    result = attnc("show", "u.attn")
    assert (result.status, result.out) == (0, str(load("u.attn")))
    assert "universal automaton u" in result.err
    assert attnc("show", "u.attn", "--json").json["rules"] is None


def test_compile(attnc: Attnc) -> None:
    result = attnc("compile", "parity", "-o", "m.safetensors", "--json")
    assert (result.status, result.err) == (0, "")
    expected = {"program": "parity", "kind": "automaton", "dimension": 6, "heads": 2, "rules": 10, "entries": 12}
    assert list(result.json.items()) == list(expected.items())
    model = load("m.safetensors")
    assert np.array_equal(model.V, compile(load("parity")).V)
    assert "m.safetensors" in attnc("compile", "parity", "-o", "m.safetensors").out


def test_compile_minimises(attnc: Attnc) -> None:
    states = "start accept state q { x -> r }; accept state r { x -> q }"
    write("two.attn", f"automaton two {{ alphabet x; {states} }}")
    sizes = [
        attnc("compile", "two.attn", "-o", "m.safetensors", "--json", *more).json["dimension"]
        for more in ((), ("--minimise",))
    ]
    assert sizes[1] < sizes[0]
    assert attnc("verify", "two.attn", "m.safetensors").status == 2  # other states, so other coordinates


def test_what_data_leave_open_is_shown(attnc: Attnc) -> None:
    attnc("data", "parity", "-o", "d.npz", "-n", "1", "--lengths", "2:2")
    found = attnc("certify", "d.npz", "--for", "parity", "--json")
    assert found.status == 1
    shown = found.json["witness"]
    assert shown["rule"].startswith("if the last token has ")
    assert shown["answers"][0] != shown["answers"][1]
    text = " ".join(attnc("certify", "d.npz", "--for", "parity").out.split())
    assert f"A rule that they do not determine: {shown['rule']}." in text
    assert text.endswith(f"the learned one answers {shown['answers'][0]}, the other {shown['answers'][1]}.")
    attnc("data", "parity", "-o", "all.npz", "--certified")
    assert attnc("certify", "all.npz", "--for", "parity", "--json").json["witness"] is None


def test_the_circle(attnc: Attnc) -> None:
    taught = attnc("data", "parity", "-o", "d.npz", "--certified", "--json")
    assert taught.json["certified"] is True
    assert taught.json["samples"] == taught.json["least_samples"] == taught.json["rank"] == taught.json["span"]
    assert taught.json["ratio"] == 1
    certified = attnc("certify", "d.npz", "--for", "parity", "--json")
    assert (certified.status, certified.json["certified"], certified.json["undetermined"]) == (0, True, None)
    arguments = ("learn", "d.npz", "-o", "m.safetensors", "--for", "parity", "--require", "certified", "--json")
    learned = attnc(*arguments)
    assert learned.status == 0
    assert list(learned.json) == [
        *("samples", "features", "live", "rank", "blocks"),
        *("residual", "exact", "certified", "heads", "seconds"),
        *("solver", "ridge", "lambda_min", "condition", "fewest_bound", "minimal"),
        "redundant",
    ]
    assert learned.json["redundant"] is None
    assert [learned.json[key] for key in ("residual", "exact", "certified")] == [0.0, True, True]
    verdict = attnc("verify", "parity", "m.safetensors", "--json")
    assert verdict.status == 0
    fields = ("verdict", "level", "lengths", "counterexample", "assumptions", "program", "model", "seconds")
    assert set(fields) <= set(verdict.json)
    assert [verdict.json[key] for key in fields[:4]] == ["proved", "everywhere", "all", None]
    read = attnc("decompile", "m.safetensors")
    write("r.attn", read.out)
    assert load("r.attn") == load("parity")
    told = attnc("decompile", "m.safetensors", "--json").json
    assert told == {"program": "parity", "kind": "automaton", "text": read.out}


def test_certificates_are_stored_and_checked(attnc: Attnc) -> None:
    for name in ("parity", "capitals"):
        made(attnc, "data", name, "--certified", "-o", f"{name}.npz")
        assert attnc("certify", f"{name}.npz", "--for", name, "--certificate", f"{name}.json").status == 0
        accepted = attnc("certify", f"{name}.npz", "--for", name, "--check", f"{name}.json")
        assert (accepted.status, accepted.out) == (0, "accepted: the data are certified\n")
    made(attnc, "data", "parity", "-o", "other.npz")
    told = attnc("certify", "other.npz", "--for", "parity", "--check", "parity.json", "--json")
    assert (told.status, told.json) == (1, {"accepted": False, "reason": "it is of other data"})
    assert "another program" in attnc("certify", "capitals.npz", "--for", "capitals", "--check", "parity.json").out
    attnc("certify", "parity.npz", "--for", "parity", "--check", "parity.npz").assert_refused("no certificate")
    both = ("--check", "parity.json", "--certificate", "c.json")
    assert attnc("certify", "parity.npz", "--for", "parity", *both).status == 2
    attnc("certify", "parity.npz", "--for", "parity", "--certificate", "c.txt").assert_refused(".json")


def test_data_by_count(attnc: Attnc) -> None:
    arguments = ("data", "mod3", "-n", "7", "--lengths", "2:3", "--seed", "5")
    assert attnc(*arguments, "-o", "a.npz", "--json").json["sequences"] == 7
    made(attnc, *arguments, "-o", "b.npz")
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()
    made(attnc, *arguments[:-1], "6", "-o", "b.npz")
    assert Path("a.npz").read_bytes() != Path("b.npz").read_bytes()


def test_requirements_that_are_not_met(attnc: Attnc) -> None:
    made(attnc, "data", "mod3", "-n", "1", "--lengths", "1", "-o", "d.npz")
    poor = attnc("certify", "d.npz", "--for", "mod3")
    assert (poor.status, "leave open" in poor.out) == (1, True)
    told = attnc("certify", "d.npz", "--for", "mod3", "--json").json
    assert told["undetermined"] == told["witness"]["input"]
    assert told["witness"]["rule"] in poor.out
    assert len(set(told["witness"]["answers"])) == 2
    assert attnc("certify", "d.npz", "--for", "mod3", "--certificate", "c.json").status == 1
    assert not Path("c.json").exists()
    learned = attnc("learn", "d.npz", "-o", "m.safetensors", "--for", "mod3", "--require", "certified")
    assert (learned.status, "the result is not certified" in learned.err) == (1, True)
    np.savez("f.npz", tokens=[[[0.5, 1.0]]], targets=[[0.25, 1.0]])
    real = attnc("learn", "f.npz", "-o", "m.safetensors", "--require", "exact", "--json")
    assert (real.status, real.json["exact"], real.json["certified"]) == (1, False, None)
    assert attnc("learn", "f.npz", "-o", "m.safetensors").status == 0
    assert attnc("learn", "d.npz", "-o", "m.safetensors", "--for", "parity").status == 2


def test_the_fewest_heads_are_learned_where_they_are_asked_for(attnc: Attnc) -> None:
    made(attnc, "data", "flip_flop", "--certified", "-o", "d.npz")
    plain = attnc("learn", "d.npz", "-o", "m.safetensors", "--json").json
    assert [plain[key] for key in ("heads", "fewest_bound", "minimal")] == [3, None, None]
    few = attnc("learn", "d.npz", "-o", "m.safetensors", "--fewest", "heads", "--json").json
    assert [few[key] for key in ("heads", "fewest_bound", "minimal", "exact")] == [2, 2, "proved", True]
    assert attnc("verify", "flip_flop", "m.safetensors", "--json").json["verdict"] == "proved"
    assert attnc("learn", "d.npz", "-o", "m.safetensors", "--fewest", "tokens").status == 2


def test_verify_refutes_with_a_counterexample(attnc: Attnc) -> None:
    save(mutant(), "x.safetensors")
    told = attnc("verify", "parity", "x.safetensors", "--level", "domain", "--json")
    assert (told.status, told.json["verdict"], told.json["lengths"]) == (1, "refuted", None)
    assert list(told.json["counterexample"]) == ["input", "expected", "got", "at", "blame", "repeated"]
    assert "counterexample" in attnc("verify", "parity", "x.safetensors", "--level", "domain").out
    save(zero(), "x.safetensors")
    tested = attnc("verify", "x.safetensors", "parity", "--level", "tested", "--up-to", "4", "--json")
    assert (tested.status, tested.json["verdict"], tested.json["level"]) == (1, "refuted", "tested")


def test_verify_levels_and_kinds(attnc: Attnc) -> None:
    made(attnc, "compile", "parity", "-o", "m.safetensors")
    tested = attnc("verify", "parity", "m.safetensors", "--level", "tested", "--up-to", "3", "--json")
    assert (tested.status, tested.json["verdict"], tested.json["lengths"]) == (3, "undecided", 3)
    for level in ("domain", "everywhere"):
        assert attnc("verify", "parity", "m.safetensors", "--level", level, "--json").json["level"] == level
    assert attnc("verify", "m.safetensors", "m.safetensors").status == 0
    assert attnc("verify", "parity", "parity").status == 0
    programs_differ = attnc("verify", "parity", "tomita1", "--json")
    assert (programs_differ.status, programs_differ.json["counterexample"]["input"]) == (1, ["0"])
    assert attnc("verify", "mod3", "m.safetensors").status == 2


def test_decompile_of_what_is_no_program(attnc: Attnc) -> None:
    save(random_model(4, 2, seed=0), "m.safetensors")
    result = attnc("decompile", "m.safetensors")
    assert (result.status, result.out) == (3, "")
    assert result.err.startswith("error: ")


def test_demo(attnc: Attnc, monkeypatch: pytest.MonkeyPatch) -> None:
    from attnc.cli import demo_command

    monkeypatch.setattr(demo_command, "AUTOMATA", (("parity", "0110"), ("s3", "tct")))
    monkeypatch.setattr(demo_command, "BOUNDS", UniversalMachine("any", 2, 2, 2))
    monkeypatch.setattr(demo_command, "CHAMPION", "m.attn")
    write("m.attn", "machine m { blank 0; alphabet 1; cells 2; start state q { 0 -> write 1, right, q; 1 -> halt } }")
    result = attnc("demo")
    assert result.status == 0
    assert all(line.startswith("     ... ") for line in result.err.splitlines())
    assert result.out.count("proved") == 6
    assert result.out.count("refuted") == 3
    assert result.out.count("ends with: overran after 1 steps, tape 1.") == 2
    Path("m.attn").unlink()
    assert not list(Path().iterdir())
