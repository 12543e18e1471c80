"""Whether the parts of a model fit together: compiled loops index its arrays without looking."""

from __future__ import annotations

from math import isfinite

import numpy as np

from compiler.errors import ModelError
from compiler.fastweight.automata.transitions import Shown
from compiler.fastweight.counters.memory_to_counts import Counts
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.recurrent_model import RecurrentModel
from compiler.fastweight.self_referential import SelfReferential
from compiler.fastweight.stack import Stack, Stage
from compiler.program import Memory

MOST_BITS = 62
"""The most bits of a count."""


def check_model(model: RecurrentModel) -> None:
    """Raise ModelError unless layers are of the target, and tables and counts of their layers and of the program."""
    program, core = model.program, model.core
    if not all(_is_of(layer, model.target) for layer in model.layers):
        raise ModelError(f"a layer is none of {model.target}")
    adds = isinstance(program, Memory) and (program.write == "sum" or isinstance(program.keys, int))
    if adds == isinstance(core, Stack):
        raise ModelError("it does not work as its program does")
    if isinstance(core, Stack):
        for stage in core.stages:
            _check_stage(stage)
        for each in core.shown:
            if isinstance(each, Shown) and not (
                (each.accepts is None or isinstance(each.accepts, bool)) and isinstance(each.output, str | None)
            ):
                raise ModelError(f"it shows {each}, which no automaton does")
    elif isinstance(core, Counts):
        _check_counts(core, program.keys)  # type: ignore[union-attr]
    elif isinstance(program, Memory):
        n, m = program.keys, program.values
        reals = isinstance(core, LinearTransformer) and isinstance(n, int) and isinstance(m, int)
        if not reals or (core.inputs, core.outputs) != (n + m + n, m):  # type: ignore[operator]
            raise ModelError("its layer is none of its vectors")


def _is_of(layer: object, target: str) -> bool:
    match layer:
        case LinearTransformer():
            return target == "linear" and layer.normalise is False
        case DeltaProduct():
            plain = layer.beta_max == 1 and len(layer.W_k) == 1 and layer.w_alpha is None
            return target == "deltaproduct" or (target == "delta" and plain)
        case RecurrentDelta():
            return target == "recurrent-delta"
        case SelfReferential():
            return target == "srwm"
    return False


def _check_stage(stage: Stage) -> None:
    for each in stage.thresholds:
        if not all(map(isfinite, each)) or list(each) != sorted(set(each)):
            raise ModelError("thresholds are finite and increase")
    for _, digits in stage.table:
        if not all(0 <= digit <= len(each) for digit, each in zip(digits, stage.thresholds, strict=True)):
            raise ModelError("a table has digits that there are not")


def _check_counts(counts: Counts, keys: object) -> None:
    stored, shape = counts.stored, (len(keys) if isinstance(keys, tuple) else 0, len(counts.values))
    if stored.dtype != np.int64 or stored.shape != shape or (stored < 0).any():
        raise ModelError(f"stored counts are integers of the shape {shape}")
    layer, tokens, embeddings = counts.layer, 1 + len(counts.letters), counts.embeddings
    if embeddings is not None and (embeddings.dtype != np.float64 or not np.isfinite(embeddings).all()):
        raise ModelError("an embedding is no finite float64")
    if ((layer.inputs,) * 2 if embeddings is None else embeddings.shape) != (tokens, layer.inputs):
        raise ModelError("its layer does not read the requests of its program")
    bits = counts.bits
    if layer.outputs != (bits * stored.size or shape[1]) or (bits and not 2 <= bits <= MOST_BITS):
        raise ModelError("its layer does not count the values of its program")
