"""Models of the fast-weight family as ``.safetensors`` files (docs/files.md): layers as tensors, tables as integers.

One metadata key, ``attnc recurrent``, holds canonical JSON: format, program text, target, and for each layer its kind
and what is no array. A digest covers all of it. Nothing in a file is executed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from compiler.errors import AttncError, FileError
from compiler.fastweight.automata.transitions import Shown
from compiler.fastweight.counters.memory_to_counts import Counts
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.layer import Layer
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.memory_to_stack import spelled
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.recurrent_model import RecurrentModel
from compiler.fastweight.self_referential import SelfReferential
from compiler.fastweight.stack import Stack, Stage
from compiler.fastweight.target import TARGETS
from compiler.files.canonical_json import canonical
from compiler.files.program_text import program_from_text
from compiler.files.recurrent_check import check_model
from compiler.files.writing import read_bytes, write_bytes
from compiler.program import Automaton, Memory
from compiler.program.memory import ABSENT

FORMAT = 1
KEY = "attnc recurrent"
MAX_BYTES = 4 * 2**30
LAYERS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (DeltaProduct, LinearTransformer, RecurrentDelta, SelfReferential)
}
Tensors = dict[str, NDArray[Any]]


def recurrent_to_bytes(model: RecurrentModel) -> bytes:
    """The content of a model's file: the same bytes for the same model."""
    described, tensors = _described(model, str(model.program))
    return bytes(save_tensors(tensors, metadata={KEY: canonical(described).decode()}))


def _described(model: RecurrentModel, text: str) -> tuple[dict[str, Any], Tensors]:
    """What a file says of a model whose program has this text, and its tensors."""
    core, tensors = model.core, dict[str, NDArray[Any]]()
    described: dict[str, Any] = {"format": FORMAT, "program": text, "target": model.target, "shown": None}
    if isinstance(core, Stack):
        described["layers"] = [_stage_out(stage, f"{n}.", tensors) for n, stage in enumerate(core.stages)]
        described["shown"] = [list(each) if isinstance(each, Shown) else each for each in core.shown]
    else:
        described["layers"] = [_layer_out(model.layers[0], "0.", tensors)]
    if isinstance(core, Counts):
        tensors["stored"] = core.stored
        if core.embeddings is not None:
            tensors["0.embeddings"] = core.embeddings
    described["digest"] = _digest(described, tensors)
    return described, tensors


def save_recurrent(model: RecurrentModel, path: str | Path) -> None:
    """Write `model` to `path`, whole or not at all. Raises FileError."""
    write_bytes(path, recurrent_to_bytes(model))


def load_recurrent(path: str | Path) -> RecurrentModel | None:
    """The model at `path`; None for a file that is something else.

    Raises
    ------
    FileError
        For a file that cannot be read, or was changed after it was written.
    """
    data = read_bytes(path, MAX_BYTES)
    try:
        text = _metadata(data)
        if text is None:
            return None
        described, tensors = json.loads(text), load_tensors(data)
        if canonical(described).decode() != text or described.get("digest") != _digest(described, tensors):
            raise FileError("its digest does not match its content: it was changed after it was written")
        if described.get("format") != FORMAT:
            raise FileError(f"format {described.get('format')!r}; this version reads format {FORMAT}")
        model = _model(described, tensors)
        check_model(model)
        if _described(model, described["program"])[0] != described:
            raise FileError("it holds more than its model")
        return model
    except FileError as problem:
        raise FileError(f"{path}: {problem}") from None
    except (AttncError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise FileError(f"{path}: not a valid model: {error or type(error).__name__}") from None
    except Exception as error:  # whatever the parsers of foreign bytes raise
        raise FileError(f"{path}: not a model file, or a damaged one: {error or type(error).__name__}") from None


def _metadata(data: bytes) -> str | None:
    """The text under the key; None in any other file."""
    length = int.from_bytes(data[:8], "little")
    if length > len(data) - 8 or data[8:9] != b"{":
        return None
    try:
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__")
    except (ValueError, AttributeError, RecursionError):
        return None
    return metadata[KEY] if isinstance(metadata, dict) and list(metadata) == [KEY] else None


def _digest(described: Mapping[str, Any], tensors: Tensors) -> str:
    found = hashlib.sha256(canonical({key: value for key, value in described.items() if key != "digest"}))
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        found.update(canonical([name, array.dtype.str, list(array.shape)]))
        found.update(array.tobytes())
    return found.hexdigest()


def _layer_out(layer: Layer[Any], prefix: str, tensors: Tensors) -> dict[str, Any]:
    """What of a layer is no array; its arrays are put among the tensors."""
    said: dict[str, Any] = {"kind": type(layer).__name__}
    for field in fields(layer):  # type: ignore[arg-type]
        value = getattr(layer, field.name)
        if isinstance(value, np.ndarray):
            tensors[prefix + field.name] = np.ascontiguousarray(value)
        else:
            said[field.name] = value
    return said


def _layer_in(said: Mapping[str, Any], prefix: str, tensors: Tensors) -> Layer[Any]:
    kind = LAYERS[said["kind"]]
    own = {key: value for key, value in said.items() if key not in ("kind", "thresholds")}
    names = {field.name for field in fields(kind)} - set(own)
    arrays = {name: tensors[prefix + name] for name in names if prefix + name in tensors}
    if any(not np.isfinite(array).all() or array.dtype != np.float64 for array in arrays.values()):
        raise FileError("a weight is no finite float64")
    layer: Layer[Any] = kind(**own, **arrays)
    return layer


def _stage_out(stage: Stage, prefix: str, tensors: Tensors) -> dict[str, Any]:
    tensors[prefix + "masks"] = stage.masks
    tensors[prefix + "table"] = np.array([[token, *digits, after] for (token, digits), after in stage.table.items()])
    if stage.embeddings is not None:
        tensors[prefix + "embeddings"] = stage.embeddings
    return _layer_out(stage.layer, prefix, tensors) | {"thresholds": [list(each) for each in stage.thresholds]}


def _stage_in(said: Mapping[str, Any], prefix: str, tensors: Tensors) -> Stage:
    layer = _layer_in(said, prefix, tensors)
    thresholds = tuple(tuple(map(float, each)) for each in said["thresholds"])
    masks, rows, embeddings = (tensors.get(prefix + name) for name in ("masks", "table", "embeddings"))
    if masks is None or rows is None or masks.dtype != np.int64 or rows.dtype != np.int64:
        raise FileError("masks and tables are integers")
    tokens = layer.inputs if embeddings is None else len(embeddings)
    fits = embeddings is None or (embeddings.shape == (tokens, layer.inputs) and embeddings.dtype == np.float64)
    if not fits or masks.shape != (tokens, layer.outputs) or len(thresholds) != layer.outputs:
        raise FileError("the shapes of a stage do not fit together")
    if rows.ndim != 2 or rows.shape[1] != layer.outputs + 2 or ((rows[:, 0] < 0) | (rows[:, 0] >= tokens)).any():
        raise FileError("a table is not one of its stage")
    table = {(row[0], tuple(row[1:-1])): row[-1] for row in rows.tolist()}
    return Stage(layer, thresholds, masks, table, embeddings)


def _model(described: Mapping[str, Any], tensors: Tensors) -> RecurrentModel:
    program, target = program_from_text(described["program"]), described["target"]
    if target not in TARGETS or not isinstance(program, Automaton | Memory):
        raise FileError("it is of no target, or no automaton or memory")
    said = described["layers"]
    if described["shown"] is None and isinstance(program, Memory):
        layer = _layer_in(said[0], "0.", tensors)
        if not isinstance(program.values, tuple):
            return RecurrentModel(program, target, layer)  # type: ignore[arg-type]
        counts = Counts(spelled(program), program.values, layer, tensors["stored"], tensors.get("0.embeddings"))  # type: ignore[arg-type]
        return RecurrentModel(program, target, counts)
    stages = tuple(_stage_in(each, f"{n}.", tensors) for n, each in enumerate(said))
    letters = program.alphabet if isinstance(program, Automaton) else spelled(program)
    if (len(stages[0].masks) if stages else len(described["shown"])) != 1 + len(letters):
        raise FileError("it does not read the letters of its program")
    follow = [*(len(stage.masks) for stage in stages[1:]), len(described["shown"])]
    for stage, after in zip(stages, follow, strict=False):
        if not all(0 <= number < after for number in stage.table.values()):
            raise FileError("a table names tokens that there are not")
    if isinstance(program, Automaton):
        shown = tuple(Shown(*each) for each in described["shown"])
        return RecurrentModel(program, target, Stack(program.alphabet, stages, shown))
    if described["shown"] != [None, ABSENT, *program.values]:  # type: ignore[misc]
        raise FileError("it shows what its program does not")
    return RecurrentModel(program, target, Stack(spelled(program), stages, tuple(described["shown"])))
