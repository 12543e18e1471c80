"""Models in coordinates of their own, as training leaves them, and runs of words by the definition of the layer."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ortho_group

from compiler.model import Model
from compiler.program.automaton import Automaton
from compiler.program_to_rules.lower import lower


def turned(model: Model, d: int, seed: int, *, noise: float = 0.0, embedding_noise: float = 0.0) -> Model:
    """The model without names in a random basis of floats in d dimensions, at least its own; with Gaussian noise."""
    rng = np.random.default_rng(seed)
    basis = ortho_group.rvs(d, random_state=rng)[:, : model.d]
    V, Q = (basis @ side.astype(float) @ basis.T for side in (model.V, model.Q))
    V, Q = (side + noise * rng.normal(size=side.shape) for side in (V, Q))
    tokens = {name: basis @ vector for name, vector in model.tokens.items()}
    return Model.from_arrays(
        V, Q, tokens={name: vector + embedding_noise * rng.normal(size=d) for name, vector in tokens.items()}
    )


def least_failure(program: Automaton, model: Model, longest: int, *, exactly: bool = False) -> tuple[str, ...] | None:
    """The least word of up to `longest` symbols at whose end the nearest embedding is not the program's token.

    Every answer is compared with the embeddings of all answers, and the right one is fed back while none was wrong.
    """
    lowering = lower(program)
    answers = sorted(set(lowering.answers.values()) & set(model.tokens))
    kind = _exact if exactly else (lambda array: array.astype(float))
    V, Q = kind(model.V), kind(model.Q)
    tokens = {name: kind(vector) for name, vector in model.tokens.items()}
    choices = np.stack([tokens[name] for name in answers])
    memory = sum(np.outer(tokens[name], tokens[name]) for name in lowering.start)
    alive: list[tuple[tuple[str, ...], str, Any]] = [((), program.start, memory)]
    for _ in range(longest):
        after = []
        for word, state, memory in alive:
            for symbol in program.alphabet:
                last = tokens[lowering.letters[symbol]]
                here = memory + np.outer(last, last)
                y = sum(v @ (here @ (q @ last)) for v, q in zip(V, Q, strict=True))
                far = ((choices - y) ** 2).sum(axis=1)
                right = answers.index(lowering.answers[state, symbol])
                others = np.delete(far, right)
                assert exactly or len(others) == 0 or abs(others.min() - far[right]) > 1e-9, "too near for floats"
                if len(others) and others.min() <= far[right]:
                    return (*word, symbol)
                appended = choices[right]
                after.append(((*word, symbol), lowering.next_state(state, symbol), here + np.outer(appended, appended)))
        alive = after
    return None


def without(model: Model, *names: str) -> Model:
    """The model without the embeddings of some tokens."""
    return replace(model, tokens={name: vector for name, vector in model.tokens.items() if name not in names})


def _exact(array: NDArray[Any]) -> NDArray[Any]:
    made = np.empty(array.size, dtype=object)
    made[:] = [Fraction(value) for value in array.ravel().tolist()]
    return made.reshape(array.shape)
