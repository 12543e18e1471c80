"""What belongs to the repository: packages with all their files, modules with docstrings, nothing of one machine."""

import ast
import re
import subprocess
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("attnc", "compiler", "programs", "verify")
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "tools"}
LONGEST = 400
MACHINE = re.compile(r"(?<![\w.:~/*-])/(?:work|home|root|Users|tmp|var|private)/\w")


def tracked() -> list[Path]:
    """The files of the repository that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


FILES = tracked()
PYTHON = [path for path in FILES if path.suffix == ".py"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_wheel_holds_the_four_packages() -> None:
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": list(PACKAGES)}
    assert PROJECT["project"]["scripts"] == {"attnc": "attnc.cli:main"}
    for path in FILES:
        inside = path.relative_to(ROOT).parts
        if path.suffix == ".lark" or path.name == "py.typed" or (path.suffix == ".attn" and inside[0] != "tests"):
            assert inside[0] in (*PACKAGES, "examples", "docs"), path


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_have_what_they_need(package: str) -> None:
    assert (files(package) / "py.typed").is_file()
    folders = {path.parent for path in PYTHON if path.relative_to(ROOT).parts[0] == package}
    assert all((folder / "__init__.py").is_file() for folder in folders)


def test_packages_hold_their_data() -> None:
    assert "automaton" in (files("compiler.language") / "grammar.lark").read_text(encoding="utf-8")
    assert (files("programs") / "automata" / "parity.attn").is_file()


def test_metadata_name_files_that_exist() -> None:
    project = PROJECT["project"]
    for path in (project["readme"], *project["license-files"], PROJECT["tool"]["hatch"]["version"]["path"]):
        assert (ROOT / path).is_file()


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_modules(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert text.count("\n") <= LONGEST
    assert path.stem not in DRAWERS


def test_no_path_of_a_machine() -> None:
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in FILES if path != Path(__file__)}
    found = [f"{name(path)}: {match[0]}" for path, text in texts.items() for match in MACHINE.finditer(text)]
    assert found == []


@pytest.mark.parametrize("text", [f"see /{'work'}/main", f'"/{"tm"}p/x"', "(/home/me)", "cd /Users/me"])
def test_paths_of_a_machine_would_be_found(text: str) -> None:
    assert MACHINE.search(text)
