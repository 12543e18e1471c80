"""The table of formal languages: its statements, its file, going on where it was stopped, and the command."""

import json
import os
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import attnc
from attnc.cli import bench_command
from compiler.errors import AttncError, FileError
from compiler.fastweight.automata.additive import additive_stack
from compiler.fastweight.automata.table_to_stack import recurrent_delta_stack, self_referential_stack
from compiler.fastweight.automata.transitions import transitions
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.layer import Floats, run
from compiler.files.formal_file import save_table, trained_in
from compiler.formal import recipe as recipe_module
from compiler.formal import training
from compiler.formal.expressible import EXPRESSIBLE
from compiler.formal.layers import LAYERS
from compiler.formal.recipe import recipe
from compiler.formal.table import Cell, table
from compiler.formal.tasks import TASKS
from compiler.formal.training import Key, Scores, train_cells

KEYS = list(product(["linear", "lstm"], ["parity", "Dyck-1"]))


def invented(key: Key) -> Scores:
    return {"2-50": 1.0, "51-100": len(key[0]) / 20, "200": len(key[1]) / 20, "500": 0.0}


def test_every_cell_has_a_statement_with_a_reason() -> None:
    assert set(EXPRESSIBLE) == set(product(LAYERS, TASKS))
    assert all(reason for _, reason in EXPRESSIBLE.values())


@pytest.mark.parametrize(("name", "task"), [("parity", "parity"), ("even_a", "(aa)*"), ("abab_star", "(abab)*")])
def test_statements_on_regular_languages_are_those_of_the_compilers(name: str, task: str) -> None:
    given = transitions(attnc.load(name))
    assert additive_stack(given) is None
    assert all(EXPRESSIBLE[layer, task][0] is False for layer in ("linear", "linear-normalised", "softmax"))
    assert self_referential_stack(given)
    assert recurrent_delta_stack(given)
    assert all(EXPRESSIBLE[layer, task][0] for layer in ("srwm", "recurrent-delta", "deltaproduct"))


def test_two_reflections_count_and_rate_one_resets() -> None:
    """The construction of "deltaproduct": +1, -1, reset and nothing, as tokens that are unit vectors."""
    never, half, always = -1000.0, 0.0, 1000.0
    ones = np.ones((1, 1, 4))
    rates = np.array([[[always, always, half, never]], [[always, always, never, never]]])
    values = np.array([[[[0.0, 0, 0, 0]]], [[[0.5, -0.5, 0, 0]]]])
    layer = DeltaProduct(ones, np.stack([ones, ones]), values, rates, beta_max=2)
    letters = np.random.default_rng(0).choice(4, size=5_000, p=[0.4, 0.3, 0.01, 0.29])
    assert np.array_equal(run(layer, np.eye(4)[letters][None])[0, :, 0], counted(letters))


def test_one_reflection_counts_where_the_parity_of_the_position_is_known() -> None:
    """The construction of "deltanet-negative": tokens 0 to 3 as above, at odd positions, and 4 to 7 at even ones."""
    ones, always, half = np.ones((1, 1, 8)), 1000.0, 0.0
    rates = np.array([[[always, always, half, always] * 2]])
    values = np.array([[[[-0.5, 0.5, 0, 0, 0.5, -0.5, 0, 0]]]])
    letters = np.random.default_rng(1).choice(4, size=5_000, p=[0.4, 0.3, 0.01, 0.29])
    even = np.arange(1, 5_001) % 2 == 0
    answers = run(DeltaProduct(ones, ones[None], values, rates, beta_max=2), np.eye(8)[letters + 4 * even][None])[
        0, :, 0
    ]
    assert np.array_equal(np.where(even, answers, -answers), counted(letters))


def counted(letters: np.ndarray) -> Floats:
    count, found = 0, []
    for letter in letters:
        count = (count + 1, count - 1, 0, count)[letter]
        found.append(count)
    return np.array(found, dtype=float)


def test_the_table_takes_what_it_is_given() -> None:
    cells = table(KEYS[:2], expressible={KEYS[0]: (True, "why")}, compiled={KEYS[1]: 10_000}, trained={})
    assert cells == [
        Cell("linear", "parity", True, "why", None, None),
        Cell("linear", "Dyck-1", None, "not settled here", 10_000, None),
    ]
    assert cells[0].record()["expressible"] is True


def test_cells_are_the_same_in_processes_and_here() -> None:
    here = dict(train_cells(KEYS, processes=1, train=invented))
    assert here == {key: invented(key) for key in KEYS}
    assert dict(train_cells(KEYS, processes=2, train=len)) == dict.fromkeys(KEYS, 2)  # a function that processes know
    assert dict(train_cells([])) == {}


def test_a_process_that_is_killed_is_told() -> None:
    with pytest.raises(AttncError, match="ended from outside"):
        list(train_cells([3, 4], processes=2, train=os._exit))


def test_a_file_gives_back_what_was_trained(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    known = {KEYS[1]: invented(KEYS[1])}
    save_table(path, table(KEYS, compiled={}, trained=known), recipe())
    assert trained_in(path) == (known, recipe())
    assert not list(tmp_path.glob(".attnc-*"))


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"cells":3,"recipe":{}}', '{"cells":[{}],"recipe":{}}', '{"cells":["ab"],"recipe":{}}']
)
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(FileError, match="no table of formal languages"):
        trained_in(path)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Key]:
    """What is trained, by invented scores instead of torch; the fourth cell is interrupted, once."""
    asked: list[Key] = []

    def train(key: Key) -> Scores:
        asked.append(key)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return invented(key)

    monkeypatch.setattr(recipe_module, "has_torch", lambda: True)
    monkeypatch.setattr(training, "train_cells", lambda keys: train_cells(keys, processes=1, train=train))
    return asked


def formal(*arguments: str) -> str:
    found = CliRunner().invoke(bench_command.command, ["formal", *arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.stderr
    return found.stdout


SOME = ("--layer", "linear", "--layer", "lstm", "--task", "parity", "--task", "Dyck-1", "--task", "(aa)*")


def test_interrupted_and_run_again_it_gives_the_same_file(tmp_path: Path, calls: list[Key]) -> None:
    path, other = tmp_path / "t.json", tmp_path / "other.json"
    found = CliRunner().invoke(bench_command.command, ["formal", *SOME, "-o", str(path)])
    assert found.exit_code != 0
    assert len(trained_in(path)[0]) == 3
    formal(*SOME, "-o", str(path))
    assert len(calls) == 4 + 3  # what was finished is not done again
    formal(*SOME, "-o", str(path))
    assert len(calls) == 7
    formal(*SOME, "-o", str(other))
    assert len(calls) == 13
    assert path.read_bytes() == other.read_bytes()


def test_what_a_file_has_of_other_cells_is_kept(tmp_path: Path, calls: list[Key]) -> None:
    path = tmp_path / "t.json"
    formal("--layer", "srwm", "--task", "parity", "-o", str(path))
    formal("--layer", "linear", "--task", "parity", "-o", str(path))
    assert set(trained_in(path)[0]) == {("srwm", "parity"), ("linear", "parity")}
    assert calls == [("srwm", "parity"), ("linear", "parity")]


def test_results_of_another_recipe_are_not_overwritten(tmp_path: Path, calls: list[Key]) -> None:
    path = tmp_path / "t.json"
    save_table(path, table(KEYS, compiled={}, trained={KEYS[0]: invented(KEYS[0])}), recipe() | {"torch": "0.1"})
    before = path.read_bytes()
    with pytest.raises(FileError, match="another recipe"):
        formal(*SOME, "-o", str(path))
    assert path.read_bytes() == before
    assert calls == []


@pytest.mark.usefixtures("calls")
def test_the_command_prints_a_table_or_one_object(tmp_path: Path) -> None:
    path = str(tmp_path / "t.json")
    arguments = ("--layer", "lstm", "--task", "parity", "--task", "Dyck-1", "-o", path)
    printed = formal(*arguments)
    assert "100 20 30 0" in printed
    assert "Dyck-1" in printed
    assert formal(*arguments) == printed  # from the file
    found = json.loads(formal("--layer", "lstm", "--task", "parity", "--json"))
    assert found["cells"][0]["trained"] == invented(("lstm", "parity"))
    assert found["recipe"] == recipe()


def test_without_torch_the_other_columns_are_printed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recipe_module, "has_torch", lambda: False)
    path = tmp_path / "t.json"
    found = CliRunner().invoke(bench_command.command, ["formal", "--layer", "linear", "-o", str(path)])
    assert found.exit_code == 0
    assert "pip install 'attnc[torch]'" in found.stderr
    assert "no / -" in found.stdout
    assert len(json.loads(path.read_text())["cells"]) == len(LAYERS) * len(TASKS)


def test_bad_names_are_told(tmp_path: Path) -> None:
    for arguments in (["--layer", "rnn"], ["--task", "dyck"]):
        assert CliRunner().invoke(bench_command.command, ["formal", *arguments]).exit_code == 2
    with pytest.raises(FileError, match="json"):
        formal("-o", str(tmp_path / "t.txt"))
