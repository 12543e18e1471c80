"""Programs, models and data sets from and to files, by what their names end in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from compiler.files.writing import write_bytes
from compiler.model import Model
from compiler.traces.data_set import DataSet

if TYPE_CHECKING:
    from compiler.program import Program

MODEL = ".safetensors"
DATA = ".npz"


def load(reference: str | Path) -> Any:
    """The program, model or data set that `reference` names.

    A name that ends in ``.safetensors`` is a model, in ``.npz`` a data set; anything else is a program: a file
    ``x.attn``, a program of a file ``x.attn::name``, or a name of the library, such as ``parity``.

    Raises
    ------
    FileError, SourceError, UnknownProgramError, DataError
        Where there is no such thing, or it is damaged or mistaken.
    """
    text = str(reference)
    if text.endswith(MODEL):
        from compiler.files.model_file import load_model

        return load_model(text)
    if text.endswith(DATA):
        from compiler.files.data_file import load_data

        return load_data(text)
    from compiler.language.load import load as load_program

    return load_program(text)


@overload
def save(thing: Model, path: str | Path) -> None: ...
@overload
def save(thing: DataSet, path: str | Path) -> None: ...
@overload
def save(thing: Program, path: str | Path) -> None: ...
def save(thing: Model | DataSet | Program, path: str | Path) -> None:
    """Write a model (``.safetensors``), a data set (``.npz``) or a program (``.attn``), whole or not at all.

    Raises
    ------
    FileError
        Where the file cannot be written, or its name does not end as the kind of thing demands.
    UnsupportedError
        For anything else.
    """
    from compiler.errors import FileError, UnsupportedError
    from compiler.program import Program

    if not isinstance(thing, Model | DataSet | Program):
        hint = "; save its .model" if hasattr(thing, "model") else ""
        raise UnsupportedError(f"save takes a model, a data set or a program, not a {type(thing).__name__}{hint}")
    ending = MODEL if isinstance(thing, Model) else DATA if isinstance(thing, DataSet) else ".attn"
    if not str(path).endswith(ending):
        raise FileError(f"{path}: a {type(thing).__name__} is written to a file whose name ends in {ending}")
    if isinstance(thing, Model):
        from compiler.files.model_file import save_model

        save_model(thing, path)
    elif isinstance(thing, DataSet):
        from compiler.files.data_file import save_data

        save_data(thing, path)
    else:
        write_bytes(path, str(thing).encode())
