"""Models that are only near to a program, as trained ones are, and what the layer makes of a word."""

from collections.abc import Sequence

import numpy as np

from compiler.errors import ModelError
from compiler.model import Model
from compiler.program import Program
from compiler.program_to_rules.lower import lower


def noisy(model: Model, size: float, seed: int = 0) -> Model:
    """The model with Gaussian noise of this size on every weight of V and Q."""
    rng = np.random.default_rng(seed)
    v, q = (w + size * rng.normal(size=w.shape) for w in (model.V, model.Q))
    return Model.from_arrays(v, q, coordinates=model.coordinates, tokens=model.tokens, program=model.program)


def fails(program: Program, model: Model, word: Sequence[str]) -> bool:
    """Whether the run of the model on a word is not the program's, token by token."""
    try:
        return list(model.run(word).tokens) != lower(program).trace(word)
    except ModelError:
        return True
