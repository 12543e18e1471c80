"""``attnc moments``."""

from __future__ import annotations

import click

from attnc.cli.parameters import Bytes, Shard
from attnc.cli.printing import json_option, note, print_facts, print_json


@click.command("moments")
@click.argument("data")
@click.option("-o", "output", required=True, metavar="M.npz", help="The file of moments.")
@click.option("--shard", type=Shard(), default="1/1", help="Only the i-th of N parts of the data.")
@click.option("--memory", type=Bytes(), default="4GB", show_default=True, help="What sums may use.")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the workers of this dask scheduler.")
@json_option
def command(data: str, output: str, shard: tuple[int, int], memory: int, scheduler: str | None, as_json: bool) -> None:
    """Sum up what learning needs to know of DATA; killed and run again, it goes on where it was."""
    from attnc.cli.progress import progress_bar
    from attnc.storage import DATA
    from compiler.files.data_file import load_data
    from compiler.files.moments_file import save_moments
    from compiler.files.partial_sums import PartialSums
    from compiler.files.writing import check_target
    from compiler.learning.sums.collect import moments
    from compiler.learning.sums.workers import cluster, processes

    check_target(output, DATA)
    partial = PartialSums(output, note)
    hire = processes if scheduler is None else cluster(scheduler)
    loaded = load_data(data)
    with progress_bar("sequences") as told:
        found = moments(loaded, shard=shard, memory=memory, hire=hire, keeper=partial, progress=told)
    save_moments(found, output)
    partial.done()
    begin, end, total = found.sequences
    facts = {"shard": "{}/{}".format(*shard), "sequences": end - begin, "of": total, "samples": found.samples}
    facts |= {"exact": found.exact, "bytes": found.size}
    if as_json:
        print_json(facts)
    else:
        print_facts(facts | {"written": output})
