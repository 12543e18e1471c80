"""Programs, models, data sets and moments from and to files, by what their names end in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from compiler.files.writing import write_bytes
from compiler.model import Model
from compiler.traces.data_set import DataSet

if TYPE_CHECKING:
    from compiler.fastweight.recurrent_model import RecurrentModel
    from compiler.learning.sums.data_moments import DataMoments
    from compiler.program import Program

MODEL = ".safetensors"
DATA = ".npz"


def load(reference: str | Path) -> Any:
    """The program, model, data set or moments that `reference` names.

    A name that ends in ``.safetensors`` is a model (of one layer, or of the fast-weight family), in ``.npz`` data,
    moments or a model (`load_model`); anything else is a program: a file ``x.attn``, a program of a file
    ``x.attn::name``, or a name of the library, ``parity``.

    Raises
    ------
    FileError, SourceError, UnknownProgramError, DataError
        Where there is no such thing, or it is damaged or mistaken.
    """
    text = str(reference)
    if text.endswith(MODEL):
        from compiler.files.recurrent_file import load_recurrent

        return load_recurrent(text) or load_model(text)
    if text.endswith(DATA):
        from compiler.files.arrays import names_in
        from compiler.files.projections import has_weights

        return load_model(text) if has_weights(names_in(text)) else load_npz(text)
    from compiler.language.load import load as load_program

    return load_program(text)


def load_npz(path: str | Path) -> DataSet | DataMoments:
    """The data set in a file, or the moments. Raises FileError, DataError."""
    from compiler.files.arrays import names_in
    from compiler.files.data_file import load_data
    from compiler.files.moments_file import load_moments

    return load_moments(path) if "moments" in names_in(path) else load_data(path)


def load_model(path: str | Path, *, program: Program | None = None, heads: int | None = None) -> Model:
    """The model in a file: of attnc, or the weights of one layer that something else wrote (docs/files.md).

    Parameters
    ----------
    program
        What the model is to be read as. A model that does not name its coordinates then gets the program's: in the
        order or the basis that is found out, or else in the program's order; `verify` says which.
    heads
        How many heads there are, where projections of all heads are stacked and the file does not say.

    Raises
    ------
    FileError
        For a file that cannot be read or is no model, with the reason, or where `heads` is needed or wrong.
    ModelError, UnsupportedError
        For a model that is not over the program's coordinates.
    """
    from compiler.files.foreign_model import load_any_model
    from compiler.reading import read_as

    model = load_any_model(path, heads=heads)
    return model if program is None else read_as(model, program).model


@overload
def save(thing: Model, path: str | Path) -> None: ...
@overload
def save(thing: DataSet, path: str | Path) -> None: ...
@overload
def save(thing: DataMoments, path: str | Path) -> None: ...
@overload
def save(thing: Program, path: str | Path) -> None: ...
@overload
def save(thing: RecurrentModel, path: str | Path) -> None: ...
def save(thing: Model | DataSet | DataMoments | Program | RecurrentModel, path: str | Path) -> None:
    """Write a model (``.safetensors``), data or moments (``.npz``) or a program (``.attn``), whole or not at all.

    Raises
    ------
    FileError
        Where the file cannot be written, or its name does not end as the kind of thing demands.
    UnsupportedError
        For anything else.
    """
    from compiler.errors import FileError, UnsupportedError
    from compiler.fastweight.recurrent_model import RecurrentModel
    from compiler.learning.sums.data_moments import DataMoments
    from compiler.program import Program

    if not isinstance(thing, Model | DataSet | DataMoments | Program | RecurrentModel):
        hint = "; save its .model" if hasattr(thing, "model") else ""
        what = "a model, a data set, moments or a program"
        raise UnsupportedError(f"save takes {what}, not a {type(thing).__name__}{hint}")
    ending = MODEL if isinstance(thing, Model | RecurrentModel) else ".attn" if isinstance(thing, Program) else DATA
    if not str(path).endswith(ending):
        raise FileError(f"{path}: a {type(thing).__name__} is written to a file whose name ends in {ending}")
    if isinstance(thing, Model):
        from compiler.files.model_file import save_model

        save_model(thing, path)
    elif isinstance(thing, RecurrentModel):
        from compiler.files.recurrent_file import save_recurrent

        save_recurrent(thing, path)
    elif isinstance(thing, DataSet):
        from compiler.files.data_file import save_data

        save_data(thing, path)
    elif isinstance(thing, DataMoments):
        from compiler.files.moments_file import save_moments

        save_moments(thing, path)
    else:
        write_bytes(path, str(thing).encode())
