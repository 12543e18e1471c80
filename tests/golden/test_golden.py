"""Bad programs and exactly what is said of them.

Each `bad/NAME.attn` holds mistakes; `bad/NAME.txt` holds the rendered errors, in order. With ATTNC_REGOLD=1 in the
environment the .txt files are written instead of compared; read the difference before it is kept.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compiler.errors import SourceError
from compiler.language.syntax_to_program import Workspace

BAD = Path(__file__).parent / "bad"
CASES = sorted(path.stem for path in BAD.glob("*.attn"))


def diagnosed(name: str) -> str:
    """Every error of a bad program; "" where there is none."""
    try:
        Workspace().file(Path(name)).check_all()
    except SourceError as error:
        return "\n".join(each.render() for each in error.diagnostics) + "\n"
    return ""


@pytest.mark.parametrize("case", CASES)
def test_messages_are_the_golden_ones(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("programs.names", lambda: ("parity", "turnstile"))  # the library grows; hints name its programs
    monkeypatch.chdir(BAD)  # messages name files as they were given, imports from the folder of the importing file
    found = diagnosed(f"{case}.attn")
    golden = BAD / f"{case}.txt"
    if os.environ.get("ATTNC_REGOLD") == "1":
        golden.write_text(found, encoding="utf-8")
    assert found, f"{case}.attn has no mistake"
    assert found == golden.read_text(encoding="utf-8")


def test_every_golden_file_has_its_program() -> None:
    assert sorted(path.stem for path in BAD.glob("*.txt")) == CASES
    assert len(CASES) >= 45
