"""The compiled library does not change by accident: a change here is explained in CHANGELOG.md.

Set ATTNC_REGOLD=1 to write the digests anew.
"""

import json
import os
from pathlib import Path

import programs
from compiler.language.load import load
from compiler.program_to_model import compile

GOLDEN = Path(__file__).with_name("digests.json")


def test_compiled_library_is_as_it_was():
    automata = [name for name in programs.names() if programs.family(name) == "automata"]
    found = {}
    for name in automata:
        model = compile(load(name))
        found[name] = {"rules": model.rules.digest(), "model": model.digest()}
    for name in (name for name in programs.names() if programs.family(name) == "universal"):
        found[name] = {"model": compile(load(name)).digest()}  # their rules would be 1,136,640 for any_champion
    if os.environ.get("ATTNC_REGOLD") == "1":
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(GOLDEN.read_text())
