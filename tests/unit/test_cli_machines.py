"""`attnc run` on machines and memories: tables, traces, tapes of another length, runs that do not end, Ctrl-C."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from attnc.storage import load, save
from compiler.model import Model
from compiler.program_to_model import compile

ENDLESS = "machine m {\n  blank _\n  alphabet 1\n  cells 4\n  start state q { _ -> write 1, stay; 1 -> stay }\n}\n"
GROWS = "machine grows {\n  blank _\n  alphabet 1\n  cells 9\n  start state q { _ -> write 1, right; 1 -> right }\n}\n"
LEFT = "machine back {\n  blank _\n  alphabet 1, x\n  cells 9\n  head 4\n  start state q { _, 1, x -> left }\n}\n"

Attnc = Callable[..., Any]


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The rows of a table below its header, cell by cell."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()[1:]]


def test_tables(attnc: Attnc) -> None:
    result = attnc("run", "increment", "1011", "", "111")
    assert (result.status, result.err) == (0, "")
    assert result.out.split()[:5] == ["input", "outcome", "output", "steps", "tokens"]
    assert rows(result.out) == [
        ["1011", "halted", "1100", "8", "25"],
        ['""', "halted", "1", "2", "19"],
        ["111", "halted", "1000", "8", "25"],
    ]
    result = attnc("run", "registers", '"register A" = one, "register A"', '"index X"', '"stack pointer"')
    assert [row[1:] for row in rows(result.out)] == [
        ["answered", "one", "2", "11"],
        ["answered", '"absent"', "1", "9"],
        ["answered", '"top of memory"', "1", "9"],
    ]


def test_json(attnc: Attnc) -> None:
    result = attnc("run", "palindrome", "aba", "ab", "--json")
    assert (result.json["program"], result.json["kind"]) == ("palindrome", "machine")
    own = [load("palindrome").run(word) for word in ("aba", "ab")]
    assert [(run["outcome"], run["steps"], run["output"]) for run in result.json["runs"]] == [
        (run.outcome, run.steps, list(run.output)) for run in own
    ]
    result = attnc("run", "votes", "holiday = yes, holiday = no, holiday, bridge", "", "--json")
    first, second = result.json["runs"]
    assert first == {
        "input": ["holiday = yes", "holiday = no", "holiday", "bridge"],
        "outcome": "answered",
        "output": ["yes+no", "absent"],
        "steps": 4,
        "tokens": 3 + 2 * 2 + 2,
    }
    assert (second["input"], second["output"], second["steps"], second["tokens"]) == ([], [], 0, 3)


@pytest.mark.parametrize(
    ("program", "word"),
    [
        ("increment", "1011"),
        ("add_binary", "10+1"),
        ("locks", "table = writer, table = reader, table"),
        ("votes", "budget"),
    ],
)
def test_all_ways_to_run_are_the_same(attnc: Attnc, program: str, word: str) -> None:
    expected = attnc("run", program, word, "--json").json
    assert attnc("run", program, word, "--decode", "raw", "--json").json == expected
    assert attnc("run", program, word, "--trace", "--json").json == expected
    assert attnc("compile", program, "-o", "m.safetensors").status == 0
    result = attnc("run", program, word, "--model", "m.safetensors", "--json")
    assert (result.status, result.json, result.err) == (0, expected, "")


def test_the_trace_of_a_machine_shows_its_tape(attnc: Attnc) -> None:
    lines = [line.split() for line in attnc("run", "increment", "101", "--trace", "--cells", "6").out.splitlines()]
    assert lines[0] == ["0", "input", "0=_"]
    assert lines[6] == ["6", "input", "scan@1", "_[1]01__"]
    assert lines[7] == ["7", "answer", "scan@2", "_1[0]1__", "read", "S[cell[1],", "symbol[1,1]]", "=", "1"]
    assert [line[-6] for line in lines[7:13]] == ["_1[0]1__", "_10[1]__", "_101[_]_", "_10[1]__", "_1[0]0__", "_110__"]
    assert lines[13][0] == "input", "and the table behind it"
    assert rows("\n".join(map("  ".join, lines[13:]))) == [["101", "halted", "110", "6", "13"]]


def test_the_trace_of_a_long_tape_shows_what_is_near(attnc: Attnc) -> None:
    out = attnc("run", "busy_beaver_4", "", "--trace", "--cells", "200", "--max-tokens", "203").out
    tapes = [part for line in out.splitlines() for part in line.split() if part.startswith("0000")]
    assert tapes == [
        "0" * 16 + "[0]" + "0" * 30 + "...",
        "0" * 16 + "1[0]" + "0" * 30 + "...",
        "0" * 16 + "[1]1" + "0" * 29 + "...",
    ]
    far = attnc("run", "busy_beaver_5", "", "--trace", "--max-tokens", "13001").out.splitlines()[13_000]
    assert far.split()[2:] == ["A@12500", "..." + "0" * 30 + "[0]" + "0" * 30 + "..."]


def test_the_trace_of_a_memory(attnc: Attnc) -> None:
    lines = attnc("run", "capitals", "france = paris, france, peru", "--trace").out.splitlines()
    kinds = [line.split()[0] if line.split()[0] == "said" else line.split()[1] for line in lines[:9]]
    assert kinds == ["input"] * 4 + ["answer", "input", "said", "input", "said"]
    assert lines[6].split() == ["said", "paris", "read", "S[key[france],", "value[paris]]", "=", "1"]
    assert lines[8].split() == ["said", "absent", "read", "S[key[peru],", "value[absent]]", "=", "1"]


def test_tapes_of_another_length(attnc: Attnc) -> None:
    write("m.attn", GROWS)
    for cells in (1, 2, 9, 500):
        run = attnc("run", "m.attn", "1", "--cells", str(cells), "--json").json["runs"][0]
        assert (run["outcome"], run["output"], run["steps"], run["tokens"]) == (
            "overran",
            ["1"] * cells,
            cells,
            2 * cells + 1,
        )
    refused = attnc("run", "m.attn", "1", "--cells", "0")
    assert (refused.status, refused.out) == (2, "")
    assert "0 is not in the range x>=1" in refused.err
    attnc("run", "m.attn", "11", "--cells", "1").assert_refused("the input has 2 symbols", "only 1 fit", "more cells")
    write("l.attn", LEFT)
    attnc("run", "l.attn", "1", "--cells", "4").assert_refused("its head starts at cell 4 of 4")
    assert attnc("run", "l.attn", "1", "--cells", "5", "--json").json["runs"][0]["outcome"] == "overran"
    attnc("run", "l.attn", "11", "--cells", "5").assert_refused("from cell 4 of 5 only 1 fit")
    attnc("run", "votes", "budget", "--cells", "5").assert_refused("memory votes has none")


def test_words_that_are_none(attnc: Attnc) -> None:
    attnc("run", "increment", "10", "12").assert_refused("symbol 2 at position 1 is not in the alphabet (0, 1)")
    attnc("run", "palindrome", "ab_").assert_refused("is not in the alphabet")
    attnc("run", "increment", "1" * 16).assert_refused("16 symbols", "only 15 fit")
    attnc("run", "capitals", "france = rome").assert_refused("value rome at position 0 is not among the values")
    attnc("run", "capitals", "spain").assert_refused("key spain at position 0 is not among the keys")
    attnc("run", "capitals", "france = paris = lima").assert_refused("expected a key, or key = value")
    attnc("run", "capitals", "france, , peru").assert_refused()


def test_runs_that_are_cut_show_what_they_came_to(attnc: Attnc) -> None:
    write("g.attn", GROWS)
    for most, output in ((4, []), (10, []), (11, ["1"]), (15, ["1"] * 5)):
        result = attnc("run", "g.attn", "", "--max-tokens", str(most), "--json")
        run = result.json["runs"][0]
        assert (result.status, run["outcome"], run["output"], run["tokens"]) == (3, "unfinished", output, most)
        assert run["steps"] == max(0, most - 10)
    result = attnc("run", "g.attn", "", "1", "--max-tokens", "19")
    assert result.status == 0, "one token a step: 9 cells, the start, and 9 steps"
    result = attnc("run", "votes", "budget, budget = no, budget", "budget", "--max-tokens", "5", "--json")
    assert result.status == 3
    assert [(run["outcome"], run["output"]) for run in result.json["runs"]] == [
        ("unfinished", ["yes"]),
        ("answered", ["yes"]),
    ]
    assert attnc("run", "votes", "budget", "--max-tokens", "4", "--json").json["runs"][0]["outcome"] == "answered"
    for most in ("0", "-1", "x"):
        assert attnc("run", "g.attn", "1", "--max-tokens", most).status == 2


def test_a_machine_that_never_halts_is_cut(attnc: Attnc) -> None:
    write("m.attn", ENDLESS)
    result = attnc("run", "m.attn", "1", "--max-tokens", "5000000", "--json")
    run = {"input": ["1"], "outcome": "unfinished", "output": ["1"], "steps": 4_999_995, "tokens": 5_000_000}
    assert (result.status, result.json["runs"]) == (3, [run])


def test_a_model_that_is_another_machine_is_noticed(attnc: Attnc) -> None:
    model = compile(load("increment"))
    heads = tuple(model.heads[n] for n in range(1))
    save(Model(model.coordinates, heads, model.tokens), "m.safetensors")
    result = attnc("run", "increment", "1", "--model", "m.safetensors")
    assert result.status in (0, 2)
    assert "differs from the program" in result.err or "equally near" in result.err


def interrupted(arguments: Sequence[str], folder: Path, wait: Callable[[subprocess.Popen[str]], None]) -> Any:
    """Status, stdout and stderr of a command that is interrupted once `wait` returns."""
    command = [sys.executable, "-c", "from attnc.cli import main; main()", *arguments]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as running:
        wait(running)
        for _ in range(6):  # an interrupt that comes while numba looks up a type is lost, so people press again
            running.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, err = running.communicate(timeout=10)
                return running.returncode, out, err
        running.kill()
        raise AssertionError("interrupts were ignored")


def test_ctrl_c_in_a_trace_prints_what_the_run_came_to(folder: Path) -> None:
    write("m.attn", ENDLESS)

    def until_it_runs(running: subprocess.Popen[str]) -> None:
        assert running.stdout
        while "answer" not in running.stdout.readline():
            assert running.poll() is None

    status, out, err = interrupted(["run", "m.attn", "", "--trace"], folder, until_it_runs)
    assert (status, err.strip()) == (130, "interrupted; nothing was written half-way")
    (row,) = rows(out[out.index("input  outcome") :])
    assert row[:3] == ['""', "unfinished", "1"]


def test_ctrl_c_in_a_run_prints_what_it_came_to(folder: Path) -> None:
    """Where it came too early there is no run yet, and more time is given."""
    write("m.attn", ENDLESS)
    for seconds in (1, 2, 4, 8, 16):

        def after(running: subprocess.Popen[str], seconds: float = seconds) -> None:
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(seconds)

        status, out, err = interrupted(["run", "m.attn", "1", "--json"], folder, after)
        found = json.loads(out).get("runs") if status == 130 and out else []
        if found and found[0]["tokens"]:
            break
    assert (status, err.strip()) == (130, "interrupted; nothing was written half-way")
    (run,) = found
    assert (run["outcome"], run["output"], run["input"]) == ("unfinished", ["1"], ["1"])
    assert run["tokens"] == run["steps"] + 5 > 1_000


def test_verify_says_that_the_tapes_differ(attnc: Attnc) -> None:
    assert attnc("compile", "increment", "--cells", "8", "-o", "m8.safetensors").status == 0
    result = attnc("verify", "increment", "m8.safetensors")
    assert result.status == 2
    assert "The tapes differ, 8 cells in the model against 16 in the program: compile with --cells 16" in result.err
    assert "attnc decompile" in result.err
