"""Models trained by gradient descent get a horizon, and the word after it fails."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_and_verify.py"


def test_trained_models_get_a_verdict_with_a_horizon() -> None:
    command = [sys.executable, str(EXAMPLE), "parity", "tomita4"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    horizons = re.findall(r"(\w+): loss \S+ (refuted|proved) \(decisions\), right up to length (\d+|all)", told.stdout)
    assert [name for name, *_ in horizons] == ["parity", "tomita4"]
    assert all(length == "all" or int(length) > 20 for *_, length in horizons), "longer than the words it was taught on"
    assert told.stdout.count("expected '") == sum(verdict == "refuted" for _, verdict, _ in horizons)
