"""``attnc list``."""

from __future__ import annotations

from itertools import takewhile

import click

import programs
from attnc.cli.printing import json_option, print_json, print_table


@click.command("list")
@json_option
def command(as_json: bool) -> None:
    """List the programs of the library, each with what its text says first."""
    rows = []
    for name in programs.names():
        lines = programs.source(name).read_text(encoding="utf-8").splitlines()
        comment = " ".join(line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), lines))
        sentence = comment.partition(". ")[0].rstrip(".") + "."
        rows.append({"program": name, "family": programs.family(name), "about": sentence})
    if as_json:
        print_json({"programs": rows})
    else:
        print_table(("program", "family", "about"), (tuple(row.values()) for row in rows))
