"""What users name on the command line: a program or a model."""

from __future__ import annotations

import click

from compiler.errors import FileError
from compiler.language.load import load
from compiler.model import Model
from compiler.program import Program

MODEL_ENDINGS = (".safetensors", ".npz")


heads_option = click.option(
    "--heads", type=click.IntRange(min=1), metavar="N", help="Stacked projections in a model's file are of N heads."
)


def model_or_program(reference: str, heads: int | None = None) -> Model | Program:
    """The model (by its file's ending) or the program that `reference` names. Raises as `load` does."""
    return load_model_file(reference, heads) if reference.endswith(MODEL_ENDINGS) else load(reference)


def load_model_file(reference: str, heads: int | None = None) -> Model:
    """The model in a file, with the number of its heads where the file does not say. Raises FileError."""
    from compiler.files.foreign_model import load_any_model

    if not reference.endswith(MODEL_ENDINGS):
        raise FileError(f"{reference}: expected a model, a file whose name ends in {' or '.join(MODEL_ENDINGS)}")
    if reference.endswith(MODEL_ENDINGS[0]):
        from compiler.files.recurrent_file import load_recurrent

        if load_recurrent(reference) is not None:
            raise FileError(f"{reference}: a model of the fast-weight family, which only `attnc run --model` takes")
    return load_any_model(reference, heads=heads)
