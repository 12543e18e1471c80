"""Training one kind of layer on one language, with fixed seeds, and scoring it. This module needs torch.

AdamW on binary cross-entropy at every position, in batches of words of about the same length, with a warm-up and a
cosine; numbers are in compiler/formal/recipe.py. Training stops once validation was perfect several times in a row.
The attempts, each a seed and a learning rate, are made in turn until one ends with every validation word right; else
the one with most of them right is taken, and of equal ones that with the lower loss. Validation words have the lengths
of training: nothing about longer words chooses anything. A cell depends on its layer, its language and the recipe,
not on what ran before it or beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from compiler.formal import recipe
from compiler.formal.batches import PADDING, Batch, draw, score
from compiler.formal.tasks import TASKS
from compiler.formal.torch_model import Model

AREA = 1_000_000
"""How many pairs of tokens are scored at once."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A model, the share of the validation words that it has right, and its mean loss there."""

    model: Model
    score: float
    loss: float


def trained(layer: str, task: str) -> dict[str, float]:
    """The scores of a layer on a language, both by name, on each of `recipe.TESTS`."""
    torch.set_num_threads(1)
    lengths = range(recipe.SHORTEST, recipe.LONGEST + 1)
    words = draw(TASKS[task], lengths, count=recipe.TRAINING_WORDS, seed=0)
    validation = draw(TASKS[task], lengths, count=recipe.VALIDATION_WORDS, seed=1)
    attempts = []
    for seed, rate in recipe.ATTEMPTS:
        torch.manual_seed(seed)
        model = Model(layer, len(TASKS[task].alphabet))
        attempts.append(fit(model, words, validation, seed=seed, rate=rate))
        if attempts[-1].score == 1:
            break
    chosen = max(attempts, key=lambda each: (each.score, -each.loss)).model
    scores = {}
    for seed, (name, (shortest, longest, count)) in enumerate(recipe.TESTS.items(), start=2):
        test = draw(TASKS[task], range(shortest, longest + 1), count=count, seed=seed)
        scores[name] = score(test.labels, answers(chosen, test))
    return scores


def fit(model: Model, words: Batch, validation: Batch, *, seed: int, rate: float) -> Attempt:
    """Train a model; `seed` chooses the batches."""
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate_after)
    by_length = np.argsort((words.labels != PADDING).sum(axis=1), kind="stable")
    perfect = 0
    for step in range(1, recipe.STEPS + 1):
        begin = int(rng.integers(len(words) - recipe.BATCH + 1))
        optimiser.zero_grad()
        loss(model, words.rows(by_length[begin : begin + recipe.BATCH])).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % recipe.CHECK == 0:
            perfect = perfect + 1 if score(validation.labels, answers(model, validation)) == 1 else 0
            if perfect == recipe.PERFECT:
                break
    with torch.no_grad():
        return Attempt(model, score(validation.labels, answers(model, validation)), float(loss(model, validation)))


def rate_after(step: int) -> float:
    """By what the learning rate is multiplied after so many steps: up to 1, then along a cosine down to 0.05."""
    return float(min(1.0, (step + 1) / recipe.WARM_UP) * (0.525 + 0.475 * np.cos(np.pi * step / recipe.STEPS)))


def loss(model: Model, words: Batch) -> torch.Tensor:
    """The mean of the binary cross-entropy over the positions of all words."""
    labels = torch.from_numpy(words.labels)
    asked = labels != PADDING
    logits = model(torch.from_numpy(words.letters))
    return functional.binary_cross_entropy_with_logits(logits[asked], labels[asked].float())


def answers(model: Model, words: Batch) -> NDArray[np.bool_]:
    """Where the model says yes (N, n), computed a few words at a time."""
    at_once = max(1, AREA // words.letters.shape[1] ** 2)
    with torch.no_grad():
        parts = [model(part) > 0 for part in torch.from_numpy(words.letters).split(at_once)]
    found: NDArray[np.bool_] = torch.cat(parts).numpy()
    return found
