"""Learning real-valued data, beside scikit-learn and Adam in torch on the same data in the same run.

Usage: python benchmarks/learning.py [compare|large|adam|cost] [--svg FILE]

compare   d = 16, N = 1.5 psi: attnc.learn, LinearRegression and Ridge(solver="cholesky") on explicit features, in turn,
          each in a process of its own: medians of five, the ratios, the error of the rules, the peak of memory above
          the interpreter with its data.
large     d = 24 and d = 32 by attnc.learn alone: seconds and peak memory, beside the size of the Gram matrix.
adam      d = 8: the seconds in which each reaches a mean squared error of 1e-6, and the error where it ends.
cost      Seconds against N and against d, with fitted exponents; --svg plots them (matplotlib).

It needs the environment of `make test-extras` (scikit-learn, torch). Two threads, as many as a small machine has.
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "2"

import argparse
import json
import subprocess
import sys
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter

import numpy as np
from rich.console import Console
from rich.table import Table

import attnc

CONTENDERS = ("attnc", "LinearRegression", "Ridge")


def psi(d: int) -> int:
    """The number of features."""
    return d * d * (d + 1) // 2


def teacher_data(d: int, count: int, n: int = 8) -> tuple[attnc.DataSet, attnc.Model]:
    """Gaussian sequences with the answers of a random teacher of four heads at their ends."""
    rng = np.random.default_rng(0)
    teacher = attnc.random_model(d, 4, seed=0)
    Z = rng.normal(size=(count, n, d))
    y = np.zeros((count, d))
    for begin in range(0, count, 1_000):
        z = Z[begin : begin + 1_000]
        memory = z.transpose(0, 2, 1) @ z
        for v, q in zip(teacher.V, teacher.Q, strict=True):
            y[begin : begin + 1_000] += (memory @ (z[:, -1] @ q.T)[:, :, None])[:, :, 0] @ v.T
    return attnc.DataSet.of_arrays(Z, y), teacher


def explicit(data: attnc.DataSet, n: int = 8) -> np.ndarray:
    """The features (N, psi) of all samples."""
    z = data.tokens.reshape(-1, n, data.d)
    low, high = np.triu_indices(data.d)
    memory = (z.transpose(0, 2, 1) @ z)[:, low, high]
    return (z[:, -1][:, :, None] * memory[:, None, :]).reshape(len(z), -1)


def rules_of(model: attnc.Model) -> np.ndarray:
    """The rules as a matrix (psi, d)."""
    d, form = model.d, model.rules
    low, high = np.triu_indices(d)
    place = np.zeros((d, d), dtype=np.int64)
    place[low, high] = np.arange(len(low))
    e, b, c, a = form.index.T
    found = np.zeros((psi(d), d))
    found[e * len(low) + place[b, c], a] = form.weights
    return found


def fitted(contender: str, d: int, count: int) -> dict[str, float]:
    """One contender in this process: seconds, the largest error of a rule, and peak memory above that of the data."""
    data, teacher = teacher_data(d, count)
    truth = rules_of(teacher)
    attnc.learn(teacher_data(3, 100)[0])
    if contender != "attnc":
        import sklearn.linear_model as theirs

        theirs.LinearRegression().fit(np.eye(3), np.eye(3))
    before = getrusage(RUSAGE_SELF).ru_maxrss
    began = perf_counter()
    if contender == "attnc":
        learned = attnc.learn(data)
        seconds, found = perf_counter() - began, rules_of(learned.model)
    else:
        kind = theirs.LinearRegression if contender == "LinearRegression" else theirs.Ridge
        chosen = {} if contender == "LinearRegression" else {"alpha": 1e-10, "solver": "cholesky"}
        model = kind(fit_intercept=False, **chosen).fit(explicit(data), data.targets[data.supervised])
        seconds, found = perf_counter() - began, model.coef_.T
    peak = getrusage(RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "error": float(np.abs(found - truth).max()), "megabytes": (peak - before) / 1024}


def measured(contender: str, d: int, count: int) -> dict[str, float]:
    """`fitted` in a process of its own."""
    command = [sys.executable, __file__, "one", contender, str(d), str(count)]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(made.stdout)


def compare(repeats: int = 5, d: int = 16) -> None:
    """The table of `compare`."""
    count = int(1.5 * psi(d))
    runs = {each: [] for each in CONTENDERS}
    for _ in range(repeats):
        for each in CONTENDERS:
            runs[each].append(measured(each, d, count))
    table = Table(title=f"d = {d}, psi = {psi(d):,}, N = {count:,}; medians of {repeats}, in turn")
    for name in ("", "seconds", "least", "/ attnc", "error of a rule", "peak MB above data"):
        table.add_column(name, justify="right")
    base = median(run["seconds"] for run in runs["attnc"])
    for each, found in runs.items():
        seconds = [run["seconds"] for run in found]
        row = f"{median(seconds):.3f}", f"{min(seconds):.3f}", f"{median(seconds) / base:.2f}"
        table.add_row(each, *row, f"{found[0]['error']:.1e}", f"{median(run['megabytes'] for run in found):.0f}")
    Console(width=120).print(table)


def large() -> None:
    """The table of `large`."""
    table = Table(title="attnc.learn, N = 1.5 psi, N tokens of 8")
    for name in ("d", "psi", "seconds", "error of a rule", "peak MB above data", "MB of the Gram matrix", "ratio"):
        table.add_column(name, justify="right")
    for d in (24, 32):
        found, gram = measured("attnc", d, int(1.5 * psi(d))), psi(d) ** 2 * 8 / 2**20
        row = f"{found['seconds']:.1f}", f"{found['error']:.1e}", f"{found['megabytes']:.0f}"
        table.add_row(str(d), f"{psi(d):,}", *row, f"{gram:.0f}", f"{found['megabytes'] / gram:.2f}")
    Console(width=120).print(table)


def adam(d: int = 8, seconds: float = 60.0) -> None:
    """The table of `adam`: heads V, Q of a layer trained from a random start, full batches."""
    import torch

    torch.manual_seed(0)
    data, _ = teacher_data(d, int(1.5 * psi(d)))
    began = perf_counter()
    learned = attnc.learn(data)
    ours = perf_counter() - began
    z = torch.tensor(data.tokens.reshape(-1, 8, d))
    y = torch.tensor(data.targets[data.supervised])
    memory = z.transpose(1, 2) @ z
    table = Table(title=f"d = {d}, N = {len(z):,}, teacher of 4 heads; Adam for at most {seconds:.0f} s")
    for name in ("", "seconds to 1e-6", "seconds", "mean squared error at the end"):
        table.add_column(name, justify="right")
    table.add_row("attnc", f"{ours:.3f}", f"{ours:.3f}", f"{learned.report.residual**2 / d:.1e}")
    for heads in (4, 8):
        V, Q = (torch.nn.Parameter(torch.randn(heads, d, d, dtype=torch.float64) / d) for _ in range(2))
        optimiser = torch.optim.Adam([V, Q], lr=1e-2)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, patience=200)
        began, reached, error = perf_counter(), None, np.inf
        while perf_counter() - began < seconds:
            optimiser.zero_grad()
            answers = torch.einsum("hab,nbc,hce,ne->na", V, memory, Q, z[:, -1])
            loss = (answers - y).square().mean()
            loss.backward()
            optimiser.step()
            schedule.step(loss.detach())
            error = float(loss.detach())
            if reached is None and error <= 1e-6:
                reached = perf_counter() - began
            if error < 1e-13:
                break
        shown = "never" if reached is None else f"{reached:.1f}"
        table.add_row(f"Adam, {heads} heads", shown, f"{perf_counter() - began:.1f}", f"{error:.1e}")
    Console(width=120).print(table)


def cost(svg: str | None) -> None:
    """Seconds against N at d = 12, and against d at N = 1.5 psi, with the exponents of fits on the larger half."""
    counts = [int(psi(12) * factor) for factor in (2, 4, 8, 16, 32)]
    by_count = [min(measured("attnc", 12, count)["seconds"] for _ in range(3)) for count in counts]
    sizes = [8, 12, 16, 20, 24]
    by_size = [min(measured("attnc", d, int(1.5 * psi(d)))["seconds"] for _ in range(2)) for d in sizes]
    lines = {}
    for name, xs, seconds in (("N (d = 12)", counts, by_count), ("d (N = 1.5 psi)", sizes, by_size)):
        slope, offset = np.polyfit(np.log(xs[2:]), np.log(seconds[2:]), 1)
        lines[name] = xs, seconds, slope, offset
        table = Table(title=f"seconds against {name}: exponent {slope:.2f}")
        for x in xs:
            table.add_column(f"{x:,}", justify="right")
        table.add_row(*(f"{each:.3f}" for each in seconds))
        Console(width=120).print(table)
    if svg is None:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, (name, (xs, seconds, slope, offset)) in zip(figure.subplots(1, 2), lines.items(), strict=True):
        axes.loglog(xs, seconds, "o")
        axes.loglog(xs[2:], np.exp(offset) * np.array(xs[2:], dtype=float) ** slope, label=f"exponent {slope:.2f}")
        axes.set(xlabel=name, ylabel="seconds")
        axes.legend()
    figure.savefig(svg, metadata={"Date": None})


def main() -> None:
    """Run what is asked for; `one` is a contender in its own process."""
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(fitted(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["compare", "large", "adam", "cost"])
    parser.add_argument("--svg")
    given = parser.parse_args()
    if given.what == "cost":
        cost(given.svg)
    else:
        {"compare": compare, "large": large, "adam": adam}[given.what]()


if __name__ == "__main__":
    main()
