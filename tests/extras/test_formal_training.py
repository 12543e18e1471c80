"""Training on formal languages: what is learned in seconds, the same each time, wherever it is computed."""

import json

import pytest
from click.testing import CliRunner

from attnc.cli import bench_command
from compiler.formal import recipe, trained
from compiler.formal.training import train_cells


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(recipe, "TESTS", {"2-50": (2, 50, 64), "51-100": (51, 100, 64)})
    monkeypatch.setattr(recipe, "TRAINING_WORDS", 512)


@pytest.mark.usefixtures("small")
def test_reflections_learn_parity_and_sums_do_not(monkeypatch):
    monkeypatch.setattr(recipe, "PERFECT", 1)
    found = dict(train_cells([("deltanet-negative", "parity")], processes=1))
    assert found["deltanet-negative", "parity"]["2-50"] > 0.95
    monkeypatch.setattr(recipe, "STEPS", 100)
    assert trained.trained("linear", "parity")["2-50"] < 0.6


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("layer", ["srwm", "lstm"])
def test_the_same_each_time(monkeypatch, layer):
    monkeypatch.setattr(recipe, "STEPS", 3)
    assert trained.trained(layer, "reset Dyck-1") == trained.trained(layer, "reset Dyck-1")


@pytest.mark.usefixtures("small")
def test_of_two_attempts_the_better_on_the_validation_words_is_taken(monkeypatch):
    made = []

    def fit(model, words, validation, *, seed, rate):
        assert words.labels.shape[1] == validation.labels.shape[1] == 50  # nothing longer
        made.append(trained.Attempt(model, {1: 0.5, 2: 0.5, 3: 0.4}[seed], rate))
        return made[-1]

    def answers(model, test):
        assert model is made[1].model
        return test.labels == 1

    monkeypatch.setattr(recipe, "ATTEMPTS", ((1, 0.3), (2, 0.1), (3, 0.05)))
    monkeypatch.setattr(trained, "fit", fit)
    monkeypatch.setattr(trained, "answers", answers)
    assert trained.trained("lstm", "parity") == {"2-50": 1, "51-100": 1}
    assert len(made) == 3


@pytest.mark.usefixtures("small")
def test_training_ends_after_perfect_validations(monkeypatch):
    scored = []
    monkeypatch.setattr(trained, "score", lambda *_: scored.append(1) or 1.0)
    trained.trained("lstm", "parity")
    assert len(scored) == recipe.PERFECT + 1 + len(recipe.TESTS)  # and the second attempt is not made


def test_the_command_trains_in_processes(tmp_path):
    path = tmp_path / "t.json"
    arguments = ["formal", "--layer", "lstm", "--task", "(aa)*", "--task", "parity", "-o", str(path)]
    found = CliRunner().invoke(bench_command.command, arguments, catch_exceptions=False)
    assert found.exit_code == 0
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["trained"]]
    assert [cell["task"] for cell in cells] == ["parity", "(aa)*"]
    assert all(cell["trained"]["2-50"] > 0.95 for cell in cells)
