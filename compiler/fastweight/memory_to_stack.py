"""Associative memories as stacks: a key is a key, and the last value written is what the delta rule keeps.

A request is a letter: "k = v" writes, "k" asks. Values have the numbers 1, 2, ..., in bits; 0 is absent.

latest      One layer. With keys that are unit vectors and rate 1 the delta rule W <- W + (v - W k) k^T puts v in the
            place of what W had for k, and leaves the rest. Self-referential weights have a column for each key and
            each value; a write queries the value's column and has the key's column as key, so the value's column is
            copied.
first       Two layers. The first finds out whether a key is written for the first time: with rate 3/4 and value 1
            the delta rule brings 0 to 3/4, then to 15/16, and so on; a linear Transformer counts 1, 2, ...;
            self-referential weights read a column before a column that says 1 is put in its place. The second layer
            stores what is written first, as above or, being written once, by adding. Keys that are stored from the
            start always answer alike.

Memories that add up all writes are in `compiler.fastweight.counters.memory_to_counts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from compiler.errors import UnsupportedError
from compiler.fastweight.automata.cascade_to_stack import THREE_QUARTERS
from compiler.fastweight.automata.table_to_stack import LARGE
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.layer import Floats, Layer
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.self_referential import SelfReferential
from compiler.fastweight.stack import Stack, Stage
from compiler.fastweight.target import Target
from compiler.program.memory import ABSENT, Memory
from compiler.program.run import Item


class Request(NamedTuple):
    """A write (a key and a value), a question (a key), or what is known already (neither a key nor unknown)."""

    key: int | None
    value: int | None
    known: int = 0


def spelled(memory: Memory) -> tuple[str, ...]:
    """The requests of a memory of named keys, as letters."""
    return tuple(each if isinstance(each, str) else " = ".join(each) for each in requests_of(memory))


def requests_of(memory: Memory) -> tuple[Item, ...]:
    """The requests of a memory of named keys, in the order in which they are letters: writes, then questions."""
    keys, values = _names(memory)
    return (*((key, value) for key in keys for value in values), *keys)


def memory_stack(memory: Memory, target: Target) -> Stack[str | None]:
    """The stack of a memory that keeps the latest write or the first, which is the same where there is but one value.

    Raises UnsupportedError for real keys. The latest of several values is beyond linear Transformers.
    """
    keys, values = _names(memory)
    stored = {keys.index(key): values.index(value) for key, value in memory.stored}
    requests = [Request(k, v) for k in range(len(keys)) for v in range(len(values))]
    tokens = [Request(None, None), *requests, *(Request(k, None) for k in range(len(keys)))]
    shown: tuple[str | None, ...] = (None, ABSENT, *values)
    if memory.write == "latest" and target != "linear":
        return Stack(spelled(memory), (_storing(target, tokens, len(keys), len(values), stored),), shown)
    flags, following = _flags(target, tokens, len(keys), stored)
    return Stack(spelled(memory), (flags, _storing(target, following, len(keys), len(values), {})), shown)


def _names(memory: Memory) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if isinstance(memory.keys, int) or isinstance(memory.values, int):
        raise UnsupportedError(f"memory {memory.name} holds real vectors, which are no letters")
    return memory.keys, memory.values


def _storing(target: Target, tokens: Sequence[Request], keys: int, values: int, stored: Mapping[int, int]) -> Stage:
    """The layer that stores values; what it shows is 0 for nothing, 1 for absent, and then the values."""
    bits = values.bit_length()
    codes = np.array([[1 + value >> bit & 1 for bit in range(bits)] for value in range(-1, values)], dtype=np.float64)
    first = np.zeros((bits, keys))
    for key, value in stored.items():
        first[:, key] = codes[1 + value]
    layer, embeddings = _keeping(target, tokens, codes, first, LARGE)
    asks = np.array([token.key is not None and token.value is None for token in tokens])
    masks = np.repeat(asks[:, None].astype(np.int64), layer.outputs, axis=1)
    table = {(n, (0,) * bits): token.known for n, token in enumerate(tokens) if not asks[n]}
    for n in np.flatnonzero(asks).tolist():
        table |= {(n, tuple(code.astype(int).tolist())): 1 + number for number, code in enumerate(codes)}
    return Stage(layer, ((0.5,),) * bits, masks, table, embeddings)


def _flags(
    target: Target, tokens: Sequence[Request], keys: int, stored: Mapping[int, int]
) -> tuple[Stage, list[Request]]:
    """The layer that tells first writes from others, and the tokens of the next one, whose first writes are all."""
    flags = [Request(token.key, None if token.value is None else 0) for token in tokens]
    layer, embeddings = _keeping(target, flags, np.array([[0.0], [1.0]]), np.zeros((1, keys)), THREE_QUARTERS)
    threshold = {"linear": 1.5, "srwm": 0.5}.get(target, 27 / 32)
    following: dict[Request, int] = {}
    table: dict[tuple[int, tuple[int, ...]], int] = {}
    masks = np.zeros((len(tokens), 1), dtype=np.int64)
    nothing = Request(None, None)
    for n, token in enumerate(tokens):
        settled = token.key in stored
        writes = token.value is not None and not settled
        masks[n] = writes
        known = Request(None, None, 2 + stored[token.key]) if settled and token.value is None else nothing  # type: ignore[index]
        table[n, (0,)] = following.setdefault(known if settled else token, len(following))
        if writes:
            table[n, (1,)] = following.setdefault(nothing, len(following))
    return Stage(layer, ((threshold,),), masks, table, embeddings), list(following)


def _keeping(
    target: Target, tokens: Sequence[Request], codes: Floats, first: Floats, rate: float
) -> tuple[Layer[Any], Floats | None]:
    """A layer that keeps for each key a code, the rows of `codes` after the first, written at a rate (a logit)."""
    if target == "srwm":
        return _columns(tokens, codes, first)
    (bits, keys), count = first.shape, len(tokens)
    key, value, rates = np.zeros((1, keys, count)), np.zeros((1, bits, count)), np.full((1, count), -LARGE)
    for n, token in enumerate(tokens):
        if token.key is not None:
            key[0, token.key, n] = 1
        if token.value is not None:
            value[0, :, n] = codes[1 + token.value]
            rates[0, n] = rate
    if target == "linear":
        return LinearTransformer(key, key * (rates > -LARGE), value, "identity"), None
    if target == "recurrent-delta":
        none, more = np.zeros((1, keys, bits)), np.zeros((1, bits, bits))
        logits = LARGE * key
        return RecurrentDelta(logits, logits, value, rates, none, none, more, np.zeros((1, bits)), first[None]), None
    return DeltaProduct(key, key[None], value[None], rates[None], W_0=first[None]), None


def _columns(tokens: Sequence[Request], codes: Floats, first: Floats) -> tuple[Layer[Any], Floats]:
    """Self-referential weights with a column for each key, each code, each pair of them that is written, and none."""
    bits, keys = first.shape
    pairs = sorted({(token.key, token.value) for token in tokens if token.key is not None and token.value is not None})
    columns = keys + len(codes) - 1 + len(pairs) + 1
    W = np.zeros((1, bits + 2 * columns + 4, columns))
    W[0, -4:, -1] = -LARGE
    W[0, :bits, :keys] = first
    W[0, :bits, keys : keys + len(codes) - 1] = codes[1:].T
    embeddings = np.zeros((len(tokens), columns))
    for n, (key, value) in enumerate(pairs):
        column = columns - 1 - len(pairs) + n
        W[0, bits + keys + value, column] = LARGE
        W[0, bits + columns + key, column] = LARGE
        W[0, -4:, column] = LARGE
    for n, token in enumerate(tokens):
        if token.key is not None:
            embeddings[n, token.key] = 1
        written = [place for place, pair in enumerate(pairs) if pair == (token.key, token.value)]
        embeddings[n, columns - 1 - len(pairs) + written[0] if written else -1] = 1
    return SelfReferential(W), embeddings
