"""What is shown to readers, at its full size: `attnc demo`, of which the README quotes lines, and Turing's circle."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from attnc.cli import main

ROOT = Path(__file__).parents[2]


def test_the_demo_says_what_the_readme_quotes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (quoted,) = re.findall(r"^```text\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    monkeypatch.setattr(sys, "argv", ["attnc", "demo"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    said = capsys.readouterr().out.splitlines()
    place = said.index("Turing's circle")
    for line in quoted.splitlines():
        place = said.index(line, place)


def test_turings_circle(capsys: pytest.CaptureFixture[str]) -> None:
    """It asserts what it claims."""
    runpy.run_path(str(ROOT / "examples" / "turings_circle.py"), run_name="__main__")
    assert "halted after 6 steps, tape 1111" in capsys.readouterr().out
