"""The command line on universal programs, and on models of more lines than anybody reads."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attnc.cli.show_command import MOST_LINES
from attnc.storage import load, save
from compiler.domain.closing import closed
from compiler.domain.guarded import system_of
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.traces import certified_runs

SOURCE = """universal machine any { states 4; symbols 2; cells 32; example busy_beaver_3("") gives 11111 }
universal automaton some { states 3; symbols 2; example parity(1) rejects; example ones(11) accepts }
automaton ones { alphabet 1; start accept state q { 1 -> q } }
machine endless { blank _; alphabet 1; cells 3; start state q { _ -> write 1, stay; 1 -> write _, stay } }
machine bounded { blank _; alphabet 1; cells 3; steps 3; start state q { _ -> write 1, stay; 1 -> write _, stay } }
machine wide { blank _; alphabet 0, 1; cells 33; start state a { else -> right, b }; state b { else -> c }
  state c { else -> d }; state d { else -> e }; state e { else -> a } }
"""

Attnc = Callable[..., Any]


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def run(attnc: Attnc, *arguments: str) -> list[Any]:
    """Outcome, output, steps and tokens of the only run."""
    result = attnc("run", *arguments, "--json")
    (row,) = result.json["runs"]
    return [result.status, row["outcome"], "".join(row["output"]), row["steps"], row["tokens"]]


def test_run_goes_through_the_layer(attnc: Attnc) -> None:
    write("u.attn", SOURCE)
    beaver = ("u.attn::any", "--given", "busy_beaver_4", '""')
    assert run(attnc, *beaver) == [0, "halted", "10111111111111", 107, 32 + 8 + 1 + 2 * 107]
    assert run(attnc, *beaver, "--decode", "raw") == run(attnc, *beaver)
    assert run(attnc, "u.attn::some", "--given", "parity", "0110") == [0, "accepted", "", 4, 6 + 1 + 3 * 4]
    assert run(attnc, "u.attn::some", "--given", "u.attn::ones", '""') == [0, "accepted", "", 0, 7]
    result = attnc("run", "any_dfa", "--given", "mod3", "111", "1", "--json")
    assert result.json["kind"] == "universal automaton"
    assert [row["outcome"] for row in result.json["runs"]] == ["accepted", "rejected"]


def test_runs_end_at_bounds_on_tokens_and_on_steps(attnc: Attnc) -> None:
    write("u.attn", SOURCE)
    given = 32 + 8 + 1
    for most, steps, output in ((given, 0, ""), (given + 1, 0, ""), (given + 2, 1, "1"), (given + 3, 1, "1")):
        found = run(attnc, "u.attn::any", "--given", "u.attn::endless", '""', "--max-tokens", str(most))
        assert found == [3, "unfinished", output, steps, most]
    assert run(attnc, "u.attn::any", "--given", "u.attn::bounded", '""') == [3, "unfinished", "1", 3, given + 6]


def test_trace(attnc: Attnc) -> None:
    lines = attnc("run", "any_small", "--given", "busy_beaver_2", '""', "--trace").out.splitlines()
    assert [line.split()[:4] for line in lines[:2]] == [["0", "input", "0=0"], ["1", "input", "1=0"]]
    assert lines[32].split()[2:] == ["0,0:", "write", "1,", "right,", "1"]
    assert lines[40].split()[2:] == ["0@16", "0" * 16 + "[0]" + "0" * 15]
    assert lines[41].split()[2:5] == ["at", "0,0@16", "0" * 16 + "[0]" + "0" * 15]
    assert lines[42].split()[2:5] == ["1@17", "1@16", "0" * 16 + "1[0]" + "0" * 14]
    assert "S[key[0,0], act[write 1, right, 1]] = 1" in lines[42]
    aside = attnc("run", "any_small", "--given", "busy_beaver_2", '""', "--trace", "--json")
    assert (aside.json["runs"][0]["steps"], aside.err.splitlines()) == (6, lines[: len(aside.err.splitlines())])


def test_a_model_from_a_file(attnc: Attnc) -> None:
    write("u.attn", SOURCE)
    for name, given, word in (("any", "busy_beaver_3", '""'), ("some", "u.attn::ones", "111")):
        arguments = (f"u.attn::{name}", "--given", given, word)
        file = f"{name}.safetensors"
        compiled = attnc("compile", f"u.attn::{name}", "-o", file, "--json").json
        model = load(file)
        assert (compiled["dimension"], compiled["heads"], compiled["rules"]) == (
            model.d,
            len(model.heads),
            len(model.live_rules),
        )
        assert run(attnc, *arguments, "--model", file) == run(attnc, *arguments)
        save(model, "again.safetensors")
        assert Path("again.safetensors").read_bytes() == Path(file).read_bytes()
        assert model.digest() == compile(load(f"u.attn::{name}")).digest()
        assert str(model.program) == str(load(f"u.attn::{name}")), "the text is in the file, without its examples"
    other = attnc("run", "any_tiny", "--given", "any_small", '""', "--model", "any.safetensors")
    other.assert_refused("any_tiny runs machines, not universal machine any_small")


def test_another_model_is_noticed(attnc: Attnc) -> None:
    """A universal machine whose action `write 1` writes 0: what it does is not what the given machine does."""
    model = compile(load("any_small"))
    head = next(head for head in model.heads if head.name == "at cell 16")
    places = {name: number for number, name in enumerate(model.coordinates)}
    rows = head.V.rows.copy()
    rows[head.V.rows == places["symbol[16,1]"]] = places["symbol[16,0]"]
    wrong = replace(head, V=replace(head.V, rows=rows))
    heads = tuple(wrong if each is head else each for each in model.heads)
    save(Model(model.coordinates, heads, model.tokens), "m.safetensors")
    result = attnc("run", "any_small", "--given", "busy_beaver_2", '""', "--model", "m.safetensors")
    assert "the model differs from the program" in result.err


def test_certified_data_say_what_they_show(attnc: Attnc) -> None:
    write("u.attn", "universal machine tiny { states 2; symbols 2; cells 2 }\n" + SOURCE)
    made = attnc("data", "u.attn::tiny", "-o", "d.npz", "--certified", "--json")
    facts = made.json
    lowering = lower(load("u.attn::tiny"))
    asked = int((lowering.asks != 0).sum())
    ends = int(((lowering.asks == 0) & (lowering.replies != 0)).sum())  # a run is kept up to its last question
    assert (facts["token_types"], facts["points"]) == (len(lowering.tokens) - ends, asked)
    assert facts["hull"] == facts["span"] == sum(hull.dimension for hull in closed(system_of(lowering), {}).values())
    assert facts["traces_kept"] == facts["sequences"] == len(load("d.npz"))
    assert facts["certified"]
    assert "5,000 runs show " in made.err
    table = {
        line.rsplit(None, 1)[0].strip(): line.rsplit(None, 1)[1]
        for line in attnc("data", "parity", "-o", "p.npz", "--certified").out.splitlines()
    }
    assert {"token types", "points", "hull", "traces kept"} <= set(table)
    assert "hull" not in attnc("data", "parity", "-o", "r.npz", "--json").json


def test_an_interrupt_leaves_no_data(attnc: Attnc, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(certified_runs, "aimed", interrupted)
    write("u.attn", "universal machine tiny { states 2; symbols 2; cells 2 }\n")
    assert attnc("data", "u.attn::tiny", "-o", "d.npz", "--certified").status == 130
    assert [path.name for path in Path().iterdir()] == ["u.attn"]


def test_refusals(attnc: Attnc) -> None:
    write("u.attn", SOURCE)
    attnc("run", "u.attn::any", "01").assert_refused("name a machine with --given PROGRAM")
    attnc("run", "u.attn::some", "01").assert_refused("name an automaton with --given PROGRAM")
    attnc("run", "parity", "01", "--given", "mod3").assert_refused("--given names what a universal program runs")
    attnc("run", "u.attn::any", "01", "--given", "parity").assert_refused("runs machines, not automaton parity")
    attnc("run", "u.attn::some", "01", "--given", "turnstile").assert_refused("runs acceptors, and turnstile emits")
    attnc("run", "u.attn::some", "01", "--given", "nothing").assert_refused("has no program 'nothing'")
    attnc("run", "u.attn::any", "01", "--given", "u.attn::wide").assert_refused(
        "machine wide has 5 states and 3 symbols (the blank is one) and 33 cells; "
        "any runs at most 4 states and 2 symbols and 32 cells"
    )
    only_symbols = attnc("run", "any_small", "01", "--given", "increment")
    only_symbols.assert_refused("increment has 3 symbols (the blank is one); any_small runs at most 2 symbols\n")
    attnc("run", "u.attn::some", "01", "--given", "utf8").assert_refused(
        "automaton utf8 has 5 states (one is the sink of its missing rules) and 5 symbols; "
        "some runs at most 3 states and 2 symbols"
    )
    attnc("run", "u.attn::any", "12", "--given", "busy_beaver_2").assert_refused("symbol 2 at position 1")
    attnc("run", "u.attn::any", "01", "--given", "busy_beaver_2", "--cells", "9").assert_refused("--cells")
    attnc("compile", "any_small", "-o", "m.safetensors", "--cells", "9").assert_refused("--cells")
    attnc("run", "any_champion", "1", "--given", "busy_beaver_2", "--decode", "raw").assert_refused(
        "run it as a stream"
    )


def test_check_and_format_and_list(attnc: Attnc) -> None:
    write("u.attn", SOURCE.replace("gives 11111", "gives 1111"))
    result = attnc("check", "u.attn")
    assert result.status == 1
    assert "expected gives 1, 1, 1, 1, got halted, output 1, 1, 1, 1, 1" in result.err
    listed = {row["program"]: row for row in attnc("list", "--json").json["programs"]}
    assert listed["any_champion"]["family"] == "universal"
    assert attnc("format", "any_small").out.startswith("# Runs every Turing machine")


def test_long_listings_are_cut(attnc: Attnc) -> None:
    model = compile(load("any_small"))
    assert len(model.tokens) > MOST_LINES
    cut, whole = attnc("show", "any_small").out, attnc("show", "any_small", "--all").out
    assert len(cut.splitlines()) < 4 * MOST_LINES
    assert f"... {len(model.tokens) - MOST_LINES:,} more lines; --all prints them" in cut
    assert "more heads; --all prints them" in cut
    assert "--all" not in whole
    rules = sum(line.startswith("  if the last token has") for line in whole.splitlines())
    assert rules == len(model.live_rules)
    shown = json.loads(attnc("show", "any_small", "--json").out)
    assert (len(shown["rules"]), len(shown["tokens"])) == (rules, len(model.tokens))
