"""``attnc learn --features``: what is printed, and what is in the JSON object."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Attnc = Callable[..., Any]


def test_features_that_tell_nothing_are_named(attnc: Attnc) -> None:
    assert attnc("data", "any_dfa", "--certified", "-o", "d.npz").status == 0
    told = attnc("learn", "d.npz", "-o", "m.safetensors", "--features", "--json").json["redundant"]
    assert (told["zero"], told["repeated"], len(told["apart"]), len(told["silent"])) == (5753, 240, 203, 68)
    first = [{"feature": ["reg", "reg", "key[0,0]"], "factor": "1"}]
    assert told["duplicates"][0] == [*first, {"feature": ["reg", "state[0]", "key[0,0]"], "factor": "-1"}]
    text = attnc("learn", "d.npz", "-o", "m.safetensors", "--features").out
    assert "Of 8,125 features 5,753 are zero on all samples:" in text
    assert "5 coordinates e that no last token has: value[0], value[1], value[2], value[3], accept\n" in text
    assert "203 pairs that no token has both of: {reg, value[0]}," in text
    assert "68 other features e {b, c}: reg {reg, state[0]}," in text
    assert "... (44 more)\n240 are multiples of one before them, in 240 classes:" in text
    assert "\n  reg {reg, key[0,0]} = -reg {state[0], key[0,0]}\n" in text
    assert text.endswith("and 216 more; --json has all\n")
    assert attnc("moments", "d.npz", "-o", "s.npz").status == 0
    refused = attnc("learn", "s.npz", "-o", "n.safetensors", "--features")
    assert refused.status == 2
    assert "learn from the data themselves" in refused.err
    assert not Path("n.safetensors").exists()


def test_factors_are_written_as_they_multiply(attnc: Attnc) -> None:
    X = np.random.default_rng(0).normal(size=(20, 3, 2))
    X[:, :, 1] = 2 * X[:, :, 0]
    np.savez("d.npz", tokens=X, targets=X[:, -1])
    text = attnc("learn", "d.npz", "-o", "m.safetensors", "--features").out
    assert "0 coordinates e that no last token has: none\n" in text
    assert "\n  x[0] {x[0]} = 1/2 x[0] {x[0], x[1]} = 1/4 x[0] {x[1]} = 1/2 x[1] {x[0]}" in text
