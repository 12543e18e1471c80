"""The command line as tests see it: the real `main`, in an empty folder, with its exit status and output."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SOON = 20
"""Seconds within which any command of these tests ends, on a busy machine."""


class Result(NamedTuple):
    """What a command left: exit status, stdout, stderr."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        assert len(self.out.splitlines()) == 1
        return json.loads(self.out)

    def assert_refused(self, *parts: str) -> None:
        """Status 2, and one paragraph on stderr, and only there, which says why."""
        assert (self.status, self.out) == (2, ""), self
        assert "error: " in self.err
        assert "\n\n" not in self.err.strip()
        assert len(self.err) < 20_000
        for part in parts:
            assert part in self.err


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def attnc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> Callable[..., Result]:
    """Runs a command; whatever happens, it ends soon, shows no traceback and leaves no temporary file."""

    def run(*arguments: str) -> Result:
        from attnc.cli import main

        monkeypatch.setattr(sys, "argv", ["attnc", *arguments])
        began = time.monotonic()
        with pytest.raises(SystemExit) as ended:
            main()
        assert time.monotonic() - began < SOON
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert "mistake in attnc" not in captured.err
        assert not list(folder.rglob(".attnc-*"))
        return Result(ended.value.code, *captured)

    return run
