"""``attnc reduce``."""

from __future__ import annotations

import click

from attnc.cli.printing import json_option, print_facts, print_json


@click.command("reduce")
@click.argument("shards", nargs=-1, required=True)
@click.option("-o", "output", required=True, metavar="M.npz", help="The file of the whole data's moments.")
@json_option
def command(shards: tuple[str, ...], output: str, as_json: bool) -> None:
    """Add up the moments of all SHARDS of a data set, given in any order."""
    from attnc.storage import DATA
    from compiler.files.moments_file import load_moments, save_moments
    from compiler.files.writing import check_target
    from compiler.learning.sums.data_moments import reduce

    check_target(output, DATA)
    found = reduce(map(load_moments, shards))
    save_moments(found, output)
    facts = {"shards": len(shards), "sequences": found.sequences[2], "samples": found.samples, "exact": found.exact}
    if as_json:
        print_json(facts)
    else:
        print_facts(facts | {"written": output})
