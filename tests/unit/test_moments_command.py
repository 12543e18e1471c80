"""``attnc moments``, ``attnc reduce`` and ``attnc learn`` on moments: killed, resumed, and given other things."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from attnc.storage import load, save
from compiler.errors import DataError, FileError
from compiler.files import partial_sums
from compiler.learning.learn import learn
from compiler.learning.sums import plan
from compiler.learning.sums.collect import moments
from compiler.learning.sums.data_moments import reduce
from compiler.learning.sums.workers import processes
from compiler.random_model import random_model
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate

KILLED = """
import os, signal, sys
from compiler.files import partial_sums, writing
from compiler.learning.sums import plan, workers
plan.BLOCK, partial_sums.EVERY, partial_sums.SHARE, workers.FEWEST = 60, 0, 0, 1000
where, count, saved, synced = sys.argv.pop(1), 0, partial_sums.save_moments, os.fsync

def die_third():
    global count
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)

if where == "after":
    partial_sums.save_moments = lambda *given: (saved(*given), die_third())
if where == "within":
    writing.os.fsync = lambda file: (die_third(), synced(file))
from attnc.cli import main
main()
"""


def killed(where, *arguments):
    return subprocess.run(
        [sys.executable, "-c", KILLED, where, *arguments], capture_output=True, text=True, timeout=100
    )


def real_data():
    teacher = random_model(3, 2, seed=0)
    Z = np.random.default_rng(0).normal(size=(200, 4, 3))
    return DataSet.of_arrays(Z, np.stack([teacher.answer(z) for z in Z]))


@pytest.fixture(params=["integers", "floats"])
def data(request, folder):
    made = generate(load("increment"), count=40, lengths=(1, 5)) if request.param == "integers" else real_data()
    save(made, folder / "d.npz")
    return made


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("where", ["within", "after"])
def test_killed_and_run_again_gives_the_same_bytes(where):
    assert killed("never", "moments", "d.npz", "-o", "whole.npz").returncode == 0
    assert killed(where, "moments", "d.npz", "-o", "m.npz").returncode == -9
    assert not Path("m.npz").exists()
    kept = load_partial()
    assert 0 < kept.sequences[1] < kept.sequences[2]
    again = killed("never", "moments", "d.npz", "-o", "m.npz")
    assert f"going on after sequence {kept.sequences[1]}" in again.stderr
    assert Path("m.npz").read_bytes() == Path("whole.npz").read_bytes()
    assert not Path("m.npz.partial").exists()


def load_partial():
    from compiler.files.moments_file import load_moments

    return load_moments("m.npz.partial")


@pytest.mark.parametrize("change", ["other data", "other shard", "other count", "damaged", "other plan"])
def test_a_partial_sum_of_something_else_is_not_taken(attnc, change, monkeypatch):
    data = real_data()
    save(data, "d.npz")
    monkeypatch.setattr(plan, "BLOCK", 60)
    with monkeypatch.context() as keeping:
        keeping.setattr(partial_sums, "EVERY", 0)
        keeping.setattr(partial_sums, "SHARE", 0)
        keeping.setattr(partial_sums.PartialSums, "done", lambda _: None)
        before = {"other shard": "2/2", "other count": "1/3"}.get(change, "1/2")
        attnc("moments", "d.npz", "-o", "m.npz", "--shard", before)
    assert Path("m.npz.partial").exists()
    if change == "other data":  # of the same shape, with the same plan
        save(replace(data, targets=data.targets * 2), "d.npz")
    if change == "damaged":
        Path("m.npz.partial").write_bytes(b"PK")
    if change == "other plan":
        monkeypatch.setattr(plan, "BLOCK", 101)
    result = attnc("moments", "d.npz", "-o", "m.npz", "--shard", "1/2")
    assert result.status == 0
    assert "beginning anew" in result.err
    attnc("moments", "d.npz", "-o", "good.npz", "--shard", "1/2")
    assert Path("m.npz").read_bytes() == Path("good.npz").read_bytes()
    assert not Path("m.npz.partial").exists()


def test_the_circle_through_shards(attnc):
    attnc("data", "parity", "-o", "d.npz", "--certified")
    attnc("learn", "d.npz", "-o", "direct.safetensors", "--for", "parity")
    for shard in ("1/3", "2/3", "3/3"):
        result = attnc("moments", "d.npz", "-o", f"m{shard[0]}.npz", "--shard", shard, "--json")
        assert result.status == 0
        assert set(result.json) == {"shard", "sequences", "of", "samples", "exact", "bytes"}
        assert result.json["shard"] == shard
    reduced = attnc("reduce", "m3.npz", "m1.npz", "m2.npz", "-o", "m.npz", "--json")
    assert reduced.json == {"shards": 3, "sequences": 1, "samples": 10, "exact": True}
    learned = attnc("learn", "m.npz", "-o", "l.safetensors", "--for", "parity", "--require", "certified", "--json")
    assert learned.status == 0
    assert learned.json["exact"]
    assert learned.json["certified"]
    assert Path("l.safetensors").read_bytes() == Path("direct.safetensors").read_bytes()


@pytest.mark.usefixtures("data")
def test_what_reduce_refuses(attnc):
    for i in (1, 2, 3):
        attnc("moments", "d.npz", "-o", f"m{i}.npz", "--shard", f"{i}/3")
    attnc("moments", "d.npz", "-o", "half.npz", "--shard", "1/2")
    save(DataSet.of_arrays(np.ones((2, 1, 3)) / 2, np.ones((2, 3))), "other.npz")
    attnc("moments", "other.npz", "-o", "other3.npz", "--shard", "3/3")
    attnc("reduce", "m1.npz", "m3.npz", "-o", "m.npz").assert_refused("missing: shard 2 of 3")
    attnc("reduce", "m1.npz", "m2.npz", "m3.npz", "m2.npz", "-o", "m.npz").assert_refused("given twice: shard 2 of 3")
    attnc("reduce", "half.npz", "m2.npz", "m3.npz", "-o", "m.npz").assert_refused("different partitions")
    attnc("reduce", "m1.npz", "m2.npz", "other3.npz", "-o", "m.npz").assert_refused(
        "3/3 is of other data than shard 1/3"
    )
    attnc("reduce", "m1.npz", "d.npz", "-o", "m.npz").assert_refused("d.npz: not a file of moments")
    attnc("reduce", "m1.npz", "-o", "m.txt").assert_refused("ends in .npz")
    attnc("learn", "m1.npz", "-o", "m.safetensors").assert_refused("moments of shard 1 of 3")
    attnc("certify", "m1.npz", "--for", "parity").assert_refused("not a data set")
    assert not Path("m.npz").exists()


def test_what_moments_refuses(attnc):
    save(real_data(), "d.npz")
    for shard in ("0/2", "3/2", "1", "a/b", "-1/2"):
        assert attnc("moments", "d.npz", "-o", "m.npz", "--shard", shard).status == 2
    attnc("moments", "d.npz", "-o", "m.npz", "--memory", "1KB").assert_refused("are allowed")
    attnc("moments", "none.npz", "-o", "m.npz").assert_refused("none.npz")
    assert not list(Path().glob("m.npz*"))
    for shard in ((0, 2), (3, 2), (1.0, 2), "12", None):
        with pytest.raises(DataError, match="shard"):
            moments(real_data(), shard=shard)
    with pytest.raises(DataError, match="not of a list"):
        moments([])
    with pytest.raises(DataError, match="no moments"):
        reduce([])
    with pytest.raises(DataError, match="not a DataSet"):
        reduce([real_data()])


def test_what_learning_from_moments_refuses():
    few = DataSet.of_arrays(np.random.default_rng(0).normal(size=(5, 4, 3)), np.ones((5, 3)))
    with pytest.raises(DataError, match="singular"):
        learn(moments(few))
    assert learn(moments(few), ridge=1e-3).report.solver == "Cholesky"
    with pytest.raises(DataError, match="cross-validation needs the data"):
        learn(moments(few), ridge="cv")
    locks = load("locks")
    found = moments(generate(locks, count=5, lengths=(1, 5)))
    assert learn(found).report.certified is None
    with pytest.raises(DataError, match="certify the data"):
        learn(found, program=locks)
    with pytest.raises(DataError, match="coordinates"):
        learn(found, program=load("parity"))


@pytest.mark.usefixtures("folder")
def test_processes_compute_the_same(monkeypatch):
    data = generate(load("increment"), count=40, lengths=(1, 5))
    monkeypatch.setattr(plan, "BLOCK", 100)
    assert len(plan.plan_of(data, (1, 1))) >= 6
    seen = []
    save(moments(data, hire=processes, progress=lambda *at: seen.append(at)), "there.npz")
    save(moments(data), "here.npz")
    assert Path("there.npz").read_bytes() == Path("here.npz").read_bytes()
    assert seen[0] == (0, 40)
    assert seen[-1] == (40, 40)


def edited(path, **changes):
    with np.load(path) as archive:
        arrays = dict(archive)
    for name, change in changes.items():
        if change is None:
            del arrays[name]
        else:
            arrays[name] = change(arrays.get(name))
    np.savez("edited.npz", **arrays)
    return "edited.npz"


EDITS = {
    "another format": ({"moments": lambda a: a + 1}, "format 2"),
    "no digest": ({"digest": None}, "no array 'digest'"),
    "digest of nothing": ({"digest": lambda _: np.array("x" * 64)}, "SHA-256"),
    "a further array": ({"tokens": lambda _: np.zeros(1)}, "'tokens'"),
    "shard of none": ({"shard": lambda _: np.array([3, 2])}, "no shard 3 of 2"),
    "shard of floats": ({"shard": lambda _: np.array([1.0, 1.0])}, "shard is float64"),
    "sequences backwards": ({"sequences": lambda a: a[::-1]}, "no sequences"),
    "pickle": (
        {"gram": lambda _: np.array([{}], dtype=object), "products": lambda _: np.array([{}], dtype=object)},
        "",
    ),
}
COUNTED = {
    "gram of floats": ({"gram": lambda a: a + 0.5}, "gram are no integers"),
    "gram of words": ({"gram": lambda a: np.full(a.shape, "one")}, "'one', which is no integer"),
    "gram too short": ({"gram": lambda a: a[:, 1:]}, "gram has shape"),
    "types that descend": ({"types": lambda a: a[::-1]}, "types do not ascend"),
    "lasts beyond": ({"lasts": lambda a: a + 100}, "lasts do not ascend"),
    "negative": ({"energy": lambda a: -a - 1}, "negative"),
    "both kinds": ({"products": lambda _: np.zeros((1, 1))}, "no place beside"),
}
PAIRED = {
    "NaN": ({"products": lambda a: a * np.nan}, "NaN"),
    "infinity": ({"cross": lambda a: a + np.inf}, "infinity"),
    "products too short": ({"products": lambda a: a[:, 1:]}, "products have shape"),
    "integers beside floats": ({"cross": lambda a: a.astype(np.int64)}, "side by side"),
    "classes with a gap": ({"coordinates": lambda a: a + 1}, "number classes"),
    "pairs that descend": ({"pairs": lambda a: a[::-1]}, "do not ascend"),
    "pairs beyond": ({"pairs": lambda a: a + 5}, "a coordinate 7, and there are 3"),
    "samples negative": ({"samples": lambda a: -a}, "negative"),
    "samples of floats": ({"samples": lambda a: a * 1.0}, "no integers"),
    "unanswered NaN": ({"unanswered": lambda a: a * np.nan}, "unanswered is nan"),
    "a denominator": ({"denominator": lambda _: np.array(2)}, "for integer targets"),
}


@pytest.mark.parametrize("name", [*EDITS, *COUNTED, *PAIRED])
def test_edited_files_are_refused_with_the_reason(attnc, name):
    changes, reason = (EDITS | COUNTED | PAIRED)[name]
    save(real_data() if name in PAIRED else generate(load("increment"), count=5, lengths=(1, 3)), "d.npz")
    attnc("moments", "d.npz", "-o", "m.npz")
    path = edited("m.npz", **{key: value for key, value in changes.items() if name != "pickle" or key == "gram"})
    attnc("learn", path, "-o", "x.safetensors").assert_refused("edited.npz", reason)
    attnc("reduce", path, "-o", "x.npz").assert_refused("edited.npz", reason)


@pytest.mark.usefixtures("folder")
def test_integers_beyond_64_bits_come_back():
    tokens = np.array([[[2**20, 1]], [[1, 2**20]], [[2**20, 3]]])
    data = DataSet.of_arrays(tokens, np.array([[2**40, 1], [2**50, 2], [1, 2**62]]))
    found = moments(data)
    save(found, "m.npz")
    with np.load("m.npz") as archive:
        assert archive["energy"].dtype.kind == "U"
    again = load("m.npz")
    assert learn(again).model.rules == learn(found).model.rules
    save(again, "again.npz")
    assert Path("again.npz").read_bytes() == Path("m.npz").read_bytes()


@pytest.mark.usefixtures("folder")
def test_moments_of_nothing_real_do_not_break_the_learner():
    """A file that fits together, but is no sum over samples: an answer or a reason, nothing else."""
    save(moments(generate(load("parity"), certified=True)), "m.npz")
    rng = np.random.default_rng(0)
    for _ in range(20):
        shaken = {
            "gram": lambda a: np.abs(a + rng.integers(-3, 4, size=a.shape)),
            "cross": lambda a: a + rng.integers(-3, 4, size=a.shape),
        }
        try:
            learn(load(edited("m.npz", **shaken)))
        except (DataError, FileError) as problem:
            assert "no moments" in str(problem)
