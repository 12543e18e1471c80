"""A model seen as a model of a given program: coordinates matched by name, and its embeddings of the tokens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from compiler.attention import Head, Sparse
from compiler.errors import ModelError
from compiler.model import Model
from compiler.program import Machine, Program
from compiler.program_to_rules.lower import lowering_for
from compiler.vocabulary import Vocabulary


def model_for_program(model: Model, program: Program) -> Model:
    """`model` with its coordinates in the order of `program`'s, and the claim to be that program.

    The tokens are the program's, by name; where the model has an embedding of a token, its own is kept.

    Raises
    ------
    ModelError
        Where the model's coordinates are not those of the program.
    UnsupportedError
        For a family of programs that has no construction.
    """
    lowering = lowering_for(program, model.coordinates)
    wanted = lowering.coordinates
    if set(model.coordinates) != set(wanted):
        missing = [name for name in wanted if name not in model.coordinates]
        extra = [name for name in model.coordinates if name not in wanted]
        claim = f" (it claims to be {model.program.kind} {model.program.name})" if model.program else ""
        lacking = f"it has no coordinate {missing[0]}" if missing else f"it has a coordinate {extra[0]} of its own"
        raise ModelError(
            f"the model{claim} is not over the coordinates of {program.kind} {program.name}: {model.d} coordinates "
            f"against {len(wanted)}, {lacking}. {_hint(model.program, program)}"
        )
    fitted = reordered(model, wanted)
    own, given = fitted.vocabulary, lowering.tokens
    if own.names == given.names:
        return replace(fitted, program=program)
    entries = [own.entries(own.numbers[n]) if n in own else given.entries(k) for k, n in enumerate(given.names)]
    return replace(fitted, tokens=Vocabulary.joined(given.names, given.d, entries), program=program)


def _hint(claimed: Program | None, wanted: Program) -> str:
    """What to do about coordinates that are not those of the program that is wanted."""
    if isinstance(claimed, Machine) and isinstance(wanted, Machine) and claimed.cells != wanted.cells:
        return (
            f"The tapes differ, {claimed.cells:,} cells in the model against {wanted.cells:,} in the program: compile "
            f"with --cells {wanted.cells}, or see with `attnc decompile` what the model runs"
        )
    return "If it was minimised or renamed, decompile it and compare the programs"


def reordered(model: Model, coordinates: tuple[str, ...]) -> Model:
    """`model` with its coordinates (and embeddings) in another order; `coordinates` are the same names."""
    if model.coordinates == coordinates:
        return model
    place = {name: number for number, name in enumerate(coordinates)}
    moved = np.array([place[name] for name in model.coordinates], dtype=np.int32)

    def move(matrix: Sparse) -> Sparse:
        return Sparse(moved[matrix.rows], moved[matrix.columns], matrix.weights)

    heads = tuple(Head(head.name, move(head.V), move(head.Q)) for head in model.heads)
    return Model(coordinates, heads, model.vocabulary.moved(moved), model.program)
