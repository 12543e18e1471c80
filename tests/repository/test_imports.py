"""Heavy imports happen inside the commands that need them."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numba", "scipy", "networkx", "hypothesis")
LIST = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "


def loaded(code: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after `code`."""
    ended = subprocess.run([sys.executable, "-c", LIST + code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in ended.stderr.split()}


def command(*arguments: str) -> str:
    return f"sys.argv = {['attnc', *arguments]}; from attnc.cli import main; main()"


def test_importing_attnc_loads_not_even_numpy() -> None:
    assert not loaded("import attnc") & {"numpy", "lark", "click", "rich", "compiler", *HEAVY}


def test_names_are_loaded_when_they_are_used() -> None:
    assert "lark" in loaded("import attnc; attnc.parse")


def test_every_public_name_is_there() -> None:
    loaded("import attnc; [getattr(attnc, name) for name in dir(attnc)]; from attnc import *")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("run", "--help"), ("list",)], ids=" ".join)
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert not loaded(command(*arguments)) & {*HEAVY}


def test_help_loads_no_numpy_and_no_parser() -> None:
    assert not loaded(command("--help")) & {"numpy", "lark", "safetensors", "flint"}


def test_check_loads_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "a.attn"
    path.write_text("automaton a { alphabet x; start accept state q { x -> q }; example x accepts }")
    found = loaded(command("check", str(path)))
    assert "lark" in found
    assert not found & {*HEAVY, "flint", "safetensors"}
