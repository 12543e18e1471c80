"""``attnc list``."""

from __future__ import annotations

import click

import programs
from attnc.cli.printing import json_option, print_json, print_table


@click.command("list")
@json_option
def command(as_json: bool) -> None:
    """List the programs of the library, each with the first line of its text."""
    rows = []
    for name in programs.names():
        first = programs.source(name).read_text(encoding="utf-8").partition("\n")[0]
        rows.append({"program": name, "family": programs.family(name), "about": first.lstrip("# ")})
    if as_json:
        print_json({"programs": rows})
    else:
        print_table(("program", "family", "about"), (tuple(row.values()) for row in rows))
