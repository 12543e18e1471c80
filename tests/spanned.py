"""Models that are programs only by what their runs span: compiled ones and rules that vanish on every run."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from flint import fmpz_mat

from compiler.attention import Head, Sparse
from compiler.domain.closing import closed
from compiler.domain.guarded import system_of
from compiler.domain.histories import on_own_inputs
from compiler.domain.hulls import Hull
from compiler.domain.system import IDLE, System
from compiler.model import Model
from compiler.program import Program
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.program_to_rules.machine import LoweredMachine

MOST_ENTRIES = 30
"""The entries of S that are combined: more take longer."""
MOST_HEADS = 20


def hulls_of(program: Program) -> tuple[System, Mapping[int, Hull]]:
    """The guarded system of a program and its closed hulls."""
    system = system_of(lower(program))
    if isinstance(system.lowering, LoweredMachine):
        system = on_own_inputs(system)
    return system, closed(system, {})


def spanned(program: Program, seed: int = 0) -> Model:
    """A model whose rules are not the program's, and which answers as it does wherever its runs can lead.

    To the answer is added a combination of entries of S that is zero in all hulls of the questions with some
    coordinate, as a rule that reads this coordinate of the last token: entries which are nothing yet or no more, and
    those that tell each other (of a cell it holds one).
    """
    system, hulls = hulls_of(program)
    model, random = compile(program), np.random.default_rng(seed)
    asked = system.asked_at
    pairs = system.lowering.tokens.pairs()
    heads: list[Head] = []
    for e in random.permutation(system.lowering.form.d).tolist():
        rows = [hulls[at].basis for at in hulls if at != IDLE and system.vectors[asked[at], e]]
        if not rows or len(heads) > MOST_HEADS:
            continue
        chosen = pairs[np.sort(random.permutation(len(pairs))[:MOST_ENTRIES])]
        entries = np.stack([system.entry((b, c)) for b, c in chosen.tolist()], axis=1)
        values = np.concatenate(rows)[:, 1:] @ entries
        values = np.unique(values, axis=0)
        basis, nullity = fmpz_mat(values.tolist()).nullspace()
        for column in range(nullity):
            weights = [int(basis[row, column]) for row in range(len(chosen))]
            a = int(random.integers(model.d))
            heads += [_rule(a, int(b), int(c), e, w) for (b, c), w in zip(chosen, weights, strict=True) if w]
    return replace(model, heads=(*model.heads, *heads))


def _rule(a: int, b: int, c: int, e: int, weight: int) -> Head:
    """A head of one rule."""
    return Head(f"{a} {b} {c} {e}", _one(a, b, weight), _one(c, e, 1))


def _one(row: int, column: int, weight: int) -> Sparse:
    return Sparse(np.array([row], dtype=np.int32), np.array([column], dtype=np.int32), np.array([weight]))
