"""A program compiled to a member of the fast-weight family, as users meet it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from compiler.errors import UnsupportedError
from compiler.fastweight.automata.transitions import Shown
from compiler.fastweight.counters.memory_to_counts import Counts
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.kernels.precision import Precision
from compiler.fastweight.layer import Layer, run
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.memory_to_stack import requests_of
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.self_referential import SelfReferential
from compiler.fastweight.stack import Stack
from compiler.fastweight.target import Target
from compiler.program import Automaton, Memory
from compiler.program.run import Item, Run


class LayerSize(NamedTuple):
    """How large a layer is.

    `tokens` is the size of its vocabulary, `steps` the corrections of the fast weights at each token; keys and values
    are those of one head.
    """

    layer: str
    tokens: int
    heads: int
    keys: int
    values: int
    steps: int


@dataclass(frozen=True, eq=False)
class RecurrentModel:
    """A stack of layers that runs a program in real time: a token for each symbol, an answer for each token.

    Attributes
    ----------
    program, target
        What was compiled, and to what.
    core
        A stack for automata and for memories that keep a write; counts for memories that add up named values; for real
        keys and values the layer itself.
    """

    program: Automaton | Memory
    target: Target
    core: Stack[Any] | Counts | LinearTransformer

    @property
    def layers(self) -> tuple[Layer[Any], ...]:
        """The layers, from below."""
        if isinstance(self.core, Stack):
            return tuple(stage.layer for stage in self.core.stages)
        return (self.core.layer if isinstance(self.core, Counts) else self.core,)

    @property
    def sizes(self) -> tuple[LayerSize, ...]:
        """How large the layers are."""
        core = self.core
        if isinstance(core, Stack):
            stages = [len(stage.masks) for stage in core.stages]
        else:
            stages = [len(core.embedded) if isinstance(core, Counts) else core.inputs]
        return tuple(_size(layer, tokens) for layer, tokens in zip(self.layers, stages, strict=True))

    def run(self, word: str | Iterable[Item], *, precision: Precision = "float32") -> Run:
        """Run a word as the program's `run` does, in arithmetic of a given precision.

        Raises
        ------
        WordError
            For symbols that the program does not know.
        UnsupportedError
            For memories of real vectors (see `recall`), and a precision with too few bits for this model.
        UndecodedError
            For counts that have no room in this precision, and for answers that mean nothing, which no model that was
            compiled gives.
        """
        if isinstance(self.core, LinearTransformer):
            raise UnsupportedError(f"memory {self.program.name} holds real vectors; give arrays to `recall`")
        symbols = self.program.word(word)  # type: ignore[arg-type]
        numbers = np.array([self._numbers[symbol] for symbol in symbols], dtype=np.int64)
        shown = list(self.core.run(numbers, precision=precision))
        if isinstance(self.program, Memory):
            answers = tuple(answer for answer in shown if answer is not None)
            return Run(symbols, "answered", answers, len(symbols))
        last: Shown = shown[-1]
        outcome = "answered" if last.accepts is None else "accepted" if last.accepts else "rejected"
        output = tuple(each.output for each in shown if each.output is not None)
        return Run(symbols, outcome, output, len(symbols))  # type: ignore[arg-type]

    def recall(self, keys: ArrayLike, values: ArrayLike, query: ArrayLike) -> NDArray[np.float64]:
        """The answer of a memory of real vectors to a query (n,), after keys (m, n) and values (m, p)."""
        if not isinstance(self.core, LinearTransformer):
            raise UnsupportedError(f"{self.program.name} holds no real vectors; give a word to `run`")
        k, v, q = (np.asarray(each, dtype=np.float64) for each in (keys, values, query))
        tokens = np.zeros((1, len(k) + 1, self.core.inputs))
        tokens[0, :-1, : k.shape[1]], tokens[0, :-1, k.shape[1] : -k.shape[1]] = k, v
        tokens[0, -1, -k.shape[1] :] = q
        return np.asarray(run(self.core, tokens)[0, -1])

    @cached_property
    def _numbers(self) -> dict[Any, int]:
        if isinstance(self.program, Automaton):
            return {symbol: number for number, symbol in enumerate(self.program.alphabet)}
        return {request: number for number, request in enumerate(requests_of(self.program))}


def _size(layer: Layer[Any], tokens: int) -> LayerSize:
    if isinstance(layer, DeltaProduct):
        steps, heads, keys, _ = layer.W_k.shape
        net = "DeltaNet" if layer.beta_max == 1 else "DeltaNet, rates up to 2"
        name = net if steps == 1 and layer.w_alpha is None else "DeltaProduct"
        return LayerSize(name, tokens, heads, keys, layer.W_v.shape[2], steps)
    if isinstance(layer, SelfReferential):
        heads, _, columns = layer.W_0.shape
        return LayerSize("self-referential weights", tokens, heads, columns, layer.blocks[0], 1)
    assert isinstance(layer, LinearTransformer | RecurrentDelta)
    name = "linear Transformer" if isinstance(layer, LinearTransformer) else "Recurrent Delta network"
    heads, keys, _ = layer.W_k.shape
    return LayerSize(name, tokens, heads, keys, layer.W_v.shape[1], 1)
