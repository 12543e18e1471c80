"""What users name on the command line: a program or a model."""

from __future__ import annotations

from pathlib import Path

from compiler.errors import FileError
from compiler.language.load import load
from compiler.model import Model
from compiler.program import Program

MODEL_ENDINGS = (".safetensors", ".npz")


def model_or_program(reference: str) -> Model | Program:
    """The model (by its file's ending) or the program that `reference` names. Raises as `load` does."""
    return load_model_file(reference) if reference.endswith(MODEL_ENDINGS) else load(reference)


def load_model_file(reference: str) -> Model:
    """The model in a file. Raises FileError."""
    from compiler.files.model_file import load_model

    if not reference.endswith(MODEL_ENDINGS):
        raise FileError(f"{reference}: expected a model, a file whose name ends in .safetensors")
    if Path(reference).suffix == ".npz":
        raise FileError(f"{reference}: this version reads models from .safetensors files; .npz holds data")
    return load_model(reference)
