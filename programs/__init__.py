"""The library of programs: source text found by name. This package hands out text and computes nothing.

>>> "parity" in names()
True
>>> source("parity").name
'parity.attn'
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

FAMILIES = ("automata", "memories", "machines", "grammars", "universal")


@cache
def _sources() -> dict[str, Traversable]:
    found: dict[str, Traversable] = {}
    for family in FAMILIES:
        folder = files(__name__) / family
        if folder.is_dir():
            for entry in sorted(folder.iterdir(), key=lambda each: each.name):
                if entry.name.endswith(".attn"):
                    found[entry.name.removesuffix(".attn")] = entry
    return found


def names() -> tuple[str, ...]:
    """The names of the library's programs: each lives in a file of its own that goes by its name."""
    return tuple(_sources())


def family(name: str) -> str:
    """The folder that holds the program `name`: one of `FAMILIES`. Raises KeyError for an unknown name."""
    return next(each for each in FAMILIES if (files(__name__) / each / _sources()[name].name).is_file())


def source(name: str) -> Traversable:
    """The file that holds the program `name`. Raises KeyError for an unknown name."""
    return _sources()[name]
