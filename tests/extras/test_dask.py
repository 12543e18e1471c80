"""``attnc moments --scheduler`` on a dask cluster of two processes: the same bytes."""

import sys
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from attnc import DataSet, errors, generate, load, moments, random_model, save
from attnc.cli import main
from compiler.learning.sums import plan
from compiler.learning.sums.workers import cluster


@pytest.fixture(scope="module")
def scheduler():
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as made:
        yield made.scheduler_address


def real_data():
    teacher = random_model(3, 2, seed=0)
    Z = np.random.default_rng(0).normal(size=(300, 4, 3))
    return DataSet.of_arrays(Z, np.stack([teacher.answer(z) for z in Z]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("made", [lambda: generate(load("increment"), count=40, lengths=(1, 5)), real_data])
def test_a_cluster_computes_the_same(made, scheduler, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan, "BLOCK", 100)
    data = made()
    assert len(plan.plan_of(data, (1, 1))) > 6
    save(moments(data), "here.npz")
    save(data, "d.npz")
    monkeypatch.setattr(sys, "argv", ["attnc", "moments", "d.npz", "-o", "there.npz", "--scheduler", scheduler])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert Path("there.npz").read_bytes() == Path("here.npz").read_bytes()


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(plan, "BLOCK", 100)
    monkeypatch.setattr("compiler.learning.sums.workers.PATIENCE", 1)
    with pytest.raises(errors.UnsupportedError, match=r"no dask scheduler answers at 'tcp://127.0.0.1:1'"):
        moments(real_data(), hire=cluster("tcp://127.0.0.1:1"))
