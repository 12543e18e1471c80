"""Bad input, damaged files, interruptions: a clear message and exit status 2, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnc.storage import load
from compiler.files.data_file import data_to_bytes
from compiler.files.model_file import model_to_bytes
from compiler.program_to_model import compile
from compiler.traces.program_to_traces import generate

MODEL = model_to_bytes(compile(load("parity")))
DATA = data_to_bytes(generate(load("parity"), certified=True))


Attnc = Callable[..., Any]


def automaton(states: str) -> str:
    return f"automaton a {{\n  alphabet a, b\n  {states}\n}}\n"


SOURCES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "holds no program"),
    "blank": (b" \n\t\n# nothing\n", "holds no program"),
    "binary": (bytes(range(256)) * 10, "not a source file"),
    "zeros": (bytes(1000), "not a source file"),
    "latin-1": ("automaton é {}".encode("latin-1"), "not UTF-8"),
    "10 MB random": (np.random.default_rng(0).integers(32, 127, 10**7).astype(np.uint8).tobytes(), "10,000,000 bytes"),
    "10 MB valid": (automaton("start state q { a -> q }").encode() * 170_000, "more than the"),
    "one long line": (b"x" * 3_000_000, "error"),
    "open parentheses": (automaton("language " + "(" * 100_000).encode(), "nest"),
    "closed parentheses": (automaton(f"language {'(' * 100_000}/a/{')' * 100_000}").encode(), "nest"),
    "braces": (b"{" * 100_000, "error"),
    "automata in automata": (b"automaton a { " * 20, "error"),
    "nots": (automaton("language " + "not " * 100_000 + "/a/").encode(), "nest"),
    "regex groups": (automaton(f"language /{'(' * 100_000}/").encode(), "error"),
    "closed regex groups": (automaton(f"language /{'(' * 100_000}a{')' * 100_000}/").encode(), "error"),
    "regex counts": (automaton("language /a{9999}{9999}/").encode(), "error"),
    "regex count": (automaton("language /a{99999999999999999999}/").encode(), "error"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_bad_source(attnc: Attnc, name: str) -> None:
    content, message = SOURCES[name]
    Path("a.attn").write_bytes(content)
    attnc("check", "a.attn").assert_refused(message)
    assert Path("a.attn").read_bytes() == content
    assert [path.name for path in Path().iterdir()] == ["a.attn"]


@pytest.mark.parametrize("name", ["binary", "10 MB random", "10 MB valid", "braces", "open parentheses"])
def test_bad_source_is_not_formatted_and_not_compiled(attnc: Attnc, name: str) -> None:
    content, message = SOURCES[name]
    Path("a.attn").write_bytes(content)
    for arguments in (("format", "a.attn"), ("compile", "a.attn", "-o", "m.safetensors")):
        attnc(*arguments).assert_refused(message)
    assert Path("a.attn").read_bytes() == content
    assert [path.name for path in Path().iterdir()] == ["a.attn"]


def test_words_with_unknown_symbols(attnc: Attnc) -> None:
    attnc("run", "parity", "01021").assert_refused("symbol 2 at position 3 is not in the alphabet (0, 1)")
    attnc("run", "turnstile", "coin, pish").assert_refused("did you mean push?")
    attnc("run", "parity", "x" * 1_000_000).assert_refused("symbol x at position 0")
    attnc("run", "parity", "0\ud8001").assert_refused("position 1")
    attnc("run", "parity", '"').assert_refused("in quotes")


@pytest.mark.parametrize(
    "reference", ["folder", "./folder", "folder.attn", "gone.attn", "gone/x", "nothing", "x" * 500]
)
def test_programs_that_are_not_there(attnc: Attnc, reference: str) -> None:
    Path("folder").mkdir()
    Path("folder.attn").mkdir()
    for arguments in (("check",), ("show",), ("format",), ("run", "01"), ("verify", "parity")):
        command, *rest = arguments
        result = attnc(command, reference, *rest)
        result.assert_refused()


@pytest.mark.parametrize("reference", ["folder", "gone", "gone/gone", "x" * 500, "pipe"])
def test_models_and_data_that_are_not_there(attnc: Attnc, reference: str) -> None:
    for ending in (".safetensors", ".npz"):
        Path("folder" + ending).mkdir()
        os.mkfifo("pipe" + ending)
    model, data = reference + ".safetensors", reference + ".npz"
    for arguments in (
        ("verify", "parity", model),
        ("decompile", model),
        ("show", model),
        ("run", "parity", "0", "--model", model),
        ("learn", data, "-o", "m.safetensors"),
        ("certify", data, "--for", "parity"),
        ("decompile", data),
    ):
        attnc(*arguments).assert_refused(reference[:30])
    assert not Path("m.safetensors").exists()


def test_a_model_of_another_program(attnc: Attnc) -> None:
    Path("m.safetensors").write_bytes(MODEL)
    Path("d.npz").write_bytes(DATA)
    attnc("verify", "mod3", "m.safetensors").assert_refused("is not over the coordinates of automaton mod3")
    attnc("run", "mod3", "0", "--model", "m.safetensors").assert_refused("it claims to be automaton parity")
    attnc("certify", "d.npz", "--for", "mod3").assert_refused("mod3")


# Outputs


@pytest.mark.parametrize(
    "output", ["gone/m", "folder", "file/m", "folder/../gone/m", "x" * 300], ids=lambda output: output[:20]
)
def test_outputs_that_cannot_be_written(attnc: Attnc, output: str) -> None:
    for ending in (".safetensors", ".npz"):
        Path("folder" + ending).mkdir()
    Path("folder").mkdir()
    Path("file").touch()
    Path("d.npz").write_bytes(DATA)
    model, data = output + ".safetensors", output + ".npz"
    attnc("compile", "parity", "-o", model).assert_refused("cannot be written")
    attnc("learn", "d.npz", "-o", model).assert_refused("cannot be written")
    attnc("data", "parity", "-o", data, "--certified").assert_refused("cannot be written")
    assert sorted(path.name for path in Path().iterdir()) == ["d.npz", "file", *_folders()]
    assert not list(Path("folder").iterdir())


def _folders() -> list[str]:
    return ["folder", "folder.npz", "folder.safetensors"]


@pytest.mark.parametrize("output", ["m", "m.npz", "m.attn", ".safetensors", ""])
def test_outputs_with_another_ending(attnc: Attnc, output: str) -> None:
    attnc("compile", "parity", "-o", output).assert_refused("whose name ends in .safetensors")
    assert not list(Path().iterdir())


@pytest.mark.parametrize("step", ["mkstemp", "fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(attnc: Attnc, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")  # also what root would not see in an unwritable folder

    Path("m.safetensors").write_bytes(b"old")
    home: Any = {"mkstemp": "tempfile.mkstemp", "fsync": "os.fsync", "replace": "pathlib.Path.replace"}[step]
    monkeypatch.setattr(home, fails)
    attnc("compile", "parity", "-o", "m.safetensors").assert_refused("m.safetensors: cannot be written: Permission")
    assert Path("m.safetensors").read_bytes() == b"old"
    assert len(list(Path().iterdir())) == 1


# Interruptions


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace", "pathlib.Path.chmod"])
def test_an_interrupted_write_leaves_the_old_file(attnc: Attnc, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    Path("m.safetensors").write_bytes(b"old")
    monkeypatch.setattr(step, interrupted)
    result = attnc("compile", "parity", "-o", "m.safetensors")
    assert (result.status, result.out) == (130, "")
    assert "interrupted" in result.err
    assert Path("m.safetensors").read_bytes() == b"old"
    assert len(list(Path().iterdir())) == 1


def test_an_interrupted_learner(attnc: Attnc, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    Path("d.npz").write_bytes(DATA)
    monkeypatch.setattr("compiler.learning.data_to_parts.parts_by_reading", interrupted)
    assert attnc("learn", "d.npz", "-o", "m.safetensors").status == 130
    assert [path.name for path in Path().iterdir()] == ["d.npz"]


def test_out_of_memory(attnc: Attnc, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    Path("d.npz").write_bytes(DATA)
    monkeypatch.setattr("compiler.learning.data_to_parts.parts_by_reading", exhausted)
    attnc("learn", "d.npz", "-o", "m.safetensors").assert_refused("out of memory")


def test_a_real_interrupt(folder: Path) -> None:
    (folder / "m.attn").write_text(
        "machine m { blank _; alphabet 1; cells 4; start state q { _ -> stay, q; 1 -> stay, q } }"
    )
    command = [sys.executable, "-m", "attnc", "run", "m.attn", "1", "--max-tokens", "1000000000"]
    for seconds in (2, 4, 8, 16):  # where it came too early there is no run yet
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            time.sleep(seconds)
            assert process.poll() is None, process.communicate()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
        assert process.returncode == 130
        if "unfinished" in out:
            break
    assert "unfinished" in out  # the row of what was run so far
    assert err.strip() == "interrupted; nothing was written half-way"


@pytest.mark.parametrize("arguments", ["list", "list --json", "show parity", "show parity --json", "--help"])
def test_a_broken_pipe_is_quiet(arguments: str, folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "attnc", *arguments.split()]
    with os.fdopen(writing, "wb") as pipe:
        ended = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, cwd=folder, check=False)
    assert (ended.returncode, ended.stderr) == (141, b"")
