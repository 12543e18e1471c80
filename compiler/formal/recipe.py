"""How models are trained and scored, in numbers. Nothing here needs torch."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

WIDTH, HEADS, SIZE, BLOCKS = 32, 2, 8, 2
"""The dimension between layers, the heads of a layer, the dimension of keys and values, and the number of blocks."""
SHORTEST, LONGEST = 2, 50
"""The lengths of the words for training and validation."""
TRAINING_WORDS, VALIDATION_WORDS = 4096, 512
TESTS = {"2-50": (2, 50, 512), "51-100": (51, 100, 512), "200": (200, 200, 128), "500": (500, 500, 64)}
"""The sets that are scored: the shortest and the longest length, and the number of words."""
BATCH, STEPS, WARM_UP = 32, 800, 50
CHECK, PERFECT = 100, 3
"""Validation comes every `CHECK` steps; training ends after `PERFECT` perfect ones in a row."""
ATTEMPTS = ((1, 1e-2), (2, 3e-3))
"""(seed, learning rate), tried in turn until one is perfect on the validation words."""


def has_torch() -> bool:
    """Whether models can be trained here."""
    return find_spec("torch") is not None


def recipe() -> dict[str, Any]:
    """All that the trained column depends on besides the code: the numbers above, and the version of torch."""
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = None
    return {
        "model": {"width": WIDTH, "heads": HEADS, "size": SIZE, "blocks": BLOCKS},
        "words": {"lengths": [SHORTEST, LONGEST], "training": TRAINING_WORDS, "validation": VALIDATION_WORDS},
        "tests": {name: list(each) for name, each in TESTS.items()},
        "training": {"batch": BATCH, "steps": STEPS, "warm_up": WARM_UP, "check": CHECK, "perfect": PERFECT},
        "attempts": [list(each) for each in ATTEMPTS],
        "torch": torch,
    }
