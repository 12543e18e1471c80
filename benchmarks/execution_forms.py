"""Cost against length of the recurrent, chunkwise and attention forms of a linear Transformer and of DeltaNet.

Usage: python benchmarks/execution_forms.py [--repeats N] [--svg FILE]. One process with one BLAS thread; all forms of a
length are measured side by side, in turns. Exponents are slopes of log(least processor seconds) against log(length)
over lengths from 512 on; the crossing is the length from which the chunkwise form stays below the attention form,
between two measured ones by log-linear interpolation. --svg plots them (matplotlib, which `make test` does not
install).
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
from collections.abc import Callable
from time import process_time

import numpy as np
from rich.console import Console
from rich.table import Table

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.forms import chunkwise, parallel
from compiler.fastweight.layer import run
from compiler.fastweight.linear_transformer import LinearTransformer

HEADS, D, CHUNK = 2, 64, 64
LENGTHS = [2**e for e in range(5, 15)]
LONG, LONGEST_SQUARE = 512, 4_096
FORMS = ("recurrent", "chunkwise", "attention")
Form = Callable[[np.ndarray], np.ndarray]
Seconds = dict[str, dict[int, float]]


def families() -> dict[str, dict[str, Form]]:
    """The forms of both families, from tokens (1, n, D) to answers."""
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=(HEADS, D, D)) / np.sqrt(D) for _ in range(3))
    linear = LinearTransformer(q, k, v, normalise=True)
    delta = DeltaProduct(q, k[None], v[None], rng.normal(size=(1, HEADS, D)) / np.sqrt(D), beta_max=2)
    return {
        "linear Transformer": {
            "recurrent": lambda X: run(linear, X),
            "chunkwise": lambda X: chunkwise.linear_transformer(linear, X, CHUNK),
            "attention": lambda X: parallel.linear_transformer(linear, X),
        },
        "DeltaNet": {
            "recurrent": lambda X: run(delta, X),
            "chunkwise": lambda X: chunkwise.delta_product(delta, X, CHUNK),
            "attention": lambda X: parallel.delta_product(delta, X),
        },
    }


def measured(forms: dict[str, Form], repeats: int) -> tuple[Seconds, float]:
    """The least processor seconds of each form at each length, and how far answers differ, relative to the largest."""
    seconds: Seconds = {form: {} for form in FORMS}
    difference = 0.0
    for n in LENGTHS:
        X = np.random.default_rng(n).normal(size=(1, n, D))
        fitting = [form for form in FORMS if form != "attention" or n <= LONGEST_SQUARE]
        for _ in range(repeats):
            answers = {}
            for form in fitting:
                began = process_time()
                answers[form] = forms[form](X)
                seconds[form][n] = min(process_time() - began, seconds[form].get(n, np.inf))
        wanted = answers["recurrent"]
        worst = max(float(np.abs(found - wanted).max()) for found in answers.values())
        difference = max(difference, worst / float(np.abs(wanted).max()))
    return seconds, difference


def exponent(by_length: dict[int, float]) -> float:
    """The slope over the lengths at which what is fixed counts little."""
    long = [n for n in by_length if n >= LONG]
    return float(np.polyfit(np.log(long), np.log([by_length[n] for n in long]), 1)[0])


def crossing(seconds: Seconds) -> float | None:
    """Where the chunkwise form has fallen below the attention form for good; None where no such length was measured."""
    lengths = sorted(seconds["attention"])
    ratios = np.log([seconds["chunkwise"][n] / seconds["attention"][n] for n in lengths])
    above = np.flatnonzero(ratios >= 0)
    if not len(above) or above[-1] == len(lengths) - 1:
        return None
    last = above[-1]
    part = ratios[last] / (ratios[last] - ratios[last + 1])
    return float(lengths[last] * (lengths[last + 1] / lengths[last]) ** part)


def table(family: str, seconds: Seconds, difference: float) -> Table:
    """Milliseconds by length and form."""
    meet = crossing(seconds)
    at = "none" if meet is None else f"n = {meet:.0f}"
    shown = Table(title=f"{family}, ms of processor time", caption=f"crossing: {at}; forms differ by {difference:.0e}")
    for name in ("n", *FORMS, "recurrent / chunkwise"):
        shown.add_column(name, justify="right")
    for n in LENGTHS:
        row = (f"{1e3 * seconds[form][n]:.2f}" if n in seconds[form] else "" for form in FORMS)
        shown.add_row(f"{n:,}", *row, f"{seconds['recurrent'][n] / seconds['chunkwise'][n]:.1f}")
    shown.add_row("exponent", *(f"{exponent(seconds[form]):.2f}" for form in FORMS), "")
    return shown


def plot(found: dict[str, Seconds], svg: str) -> None:
    """Seconds against length, a panel for each family."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, (family, seconds) in zip(figure.subplots(1, 2, sharey=True), found.items(), strict=True):
        for form, by_length in seconds.items():
            axes.loglog(
                *zip(*by_length.items(), strict=True), "o-", label=f"{form}, exponent {exponent(by_length):.2f}"
            )
        meet = crossing(seconds)
        if meet is not None:
            axes.axvline(meet, color="grey", linestyle=":", label=f"crossing at {meet:.0f}")
        axes.set(title=family, xlabel="length", ylabel="seconds")
        axes.legend(fontsize="small")
    figure.savefig(svg, metadata={"Date": None})


def main() -> None:
    """Measure, print, plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--svg")
    given = parser.parse_args()
    found = {}
    for family, forms in families().items():
        found[family], difference = measured(forms, given.repeats)
        Console(width=120).print(table(family, found[family], difference))
    if given.svg is not None:
        plot(found, given.svg)


if __name__ == "__main__":
    main()
