"""The examples in docstrings are true."""

import doctest
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

PACKAGES = ("attnc", "compiler", "programs", "verify")
EXTRAS = {"torch"}


def modules() -> Iterator[str]:
    for package in PACKAGES:
        yield package
        found = import_module(package)
        yield from (each.name for each in pkgutil.walk_packages(found.__path__, f"{package}."))


def importable(name: str) -> bool:
    """Whether a module can be imported: some need an optional extra."""
    try:
        import_module(name)
    except ModuleNotFoundError as missing:
        return missing.name not in EXTRAS
    return True


ALL = [name for name in modules() if not name.endswith("__main__")]
MODULES = [name for name in ALL if importable(name)]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_modules_and_examples_are_found() -> None:
    assert {"attnc.cli.run_command", "compiler.files.model_file", "verify.verify"} <= set(MODULES)
    assert {name.rpartition(".")[0] for name in set(ALL) - set(MODULES)} <= {"compiler.formal"}, "those that train"
    assert len(MODULES) >= len(ALL) - 4
    finder = doctest.DocTestFinder()
    found = [import_module(name) for name in MODULES]
    assert sum(len(each.examples) for module in found for each in finder.find(module)) > 40


DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", sorted(page.name for page in DOCS.glob("*.md") if ">>>" in page.read_text("utf-8")))
def test_pages(page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # what the examples write
    found = doctest.testfile(str(DOCS / page), module_relative=False)
    assert found.failed == 0
    assert found.attempted > (30 if page == "python.md" else 3)
