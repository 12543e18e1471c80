"""Counter languages as stacks: a layer whose heads are counters, and layers above that run the finite control.

`deltanet`            `compiler.fastweight.counters.halves`
`delta-rnn`           the same
`linear`              adds with v = c and the key 1; it has no way to zero.
`deltaproduct`        adds in two steps of rate 2, W -> -W and then -W -> c + W (v = c / 2); the decay 0 sets to zero.
`deltanet-negative`   DeltaNet with rates to 2 has one step. A layer below knows the parity p = +-1 of the position, by
                      W <- 1 - W. With rate 2 and v = p c / 2 the counter's W <- 2 v - W is p S, S the sum so far, as p
                      turns round at each letter: 2 v - W is p c + p S. Rate 1 with v = 0 sets to zero.
`srwm`                `compiler.fastweight.counters.columns`
`recurrent-delta`     `compiler.fastweight.counters.bits`

Counters are below 2^23 in float32, and for recurrent-delta in every precision; a run that comes to more is refused, and
so are words of more than 149 letters by what halves in float32. The control is compiled like any other automaton.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from compiler.errors import UnsupportedError
from compiler.fastweight.automata.additive import additive_stack
from compiler.fastweight.automata.cascade_to_delta_rnn import delta_rnn_stack
from compiler.fastweight.automata.cascade_to_stack import cascade_to_stack
from compiler.fastweight.automata.holonomy_to_cascade import holonomy_cascade
from compiler.fastweight.automata.table_to_stack import LARGE, recurrent_delta_stack, self_referential_stack
from compiler.fastweight.automata.transitions import Shown, Transitions
from compiler.fastweight.counters import bits as in_bits
from compiler.fastweight.counters import columns, halves
from compiler.fastweight.counters.bits import BITS, QUESTIONS
from compiler.fastweight.counters.languages import CounterLanguage, Signs, control, named
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.layer import Floats, Layer
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.stack import NO_ROOM, Stack, Stage

Counter: TypeAlias = Literal[
    "linear", "deltanet", "delta-rnn", "deltanet-negative", "deltaproduct", "recurrent-delta", "srwm"
]
"""The layers that count; names other than those of targets are those of the formal-language suite."""
COUNTERS: tuple[Counter, ...] = get_args(Counter)

Adds: TypeAlias = Sequence[tuple[int, ...] | None]
"""What each letter adds to each counter; None sets all to zero."""
Table: TypeAlias = dict[tuple[int, tuple[int, ...]], int]
"""That of a stage."""
Following: TypeAlias = Mapping[tuple[int, Signs], int]
"""What follows a letter, by number, and the signs after it."""


def counter_stack(language: CounterLanguage, layer: Counter, *, bits: int = BITS) -> Stack[Shown] | None:
    """The stack of such layers that shows whether prefixes are in the language; None where there is none.

    `bits` is the width of counters that are kept in bits. Raises UnsupportedError for a letter that adds something else
    than -1, 0 or 1 to a counter of `deltanet`, `delta-rnn`, `recurrent-delta` or `srwm`.
    """
    adds = [language.adds[letter] for letter in language.letters]
    if layer == "linear" and None in adds:
        return None
    over = control(language)
    above = _above(over, layer)
    if above is None:
        return None
    tokens = {name: 1 + n for n, name in enumerate(over.letters)}
    signs = list(product((-1, 0, 1), repeat=language.counters))
    following = {(n, each): tokens[named(letter, each)] for n, letter in enumerate(language.letters) for each in signs}
    below = _below(adds, following, layer, bits)
    return Stack(language.letters, (*below, *above.stages), above.shown)


def _above(over: Transitions, layer: Counter) -> Stack[Shown] | None:
    """The control."""
    match layer:
        case "linear":
            return additive_stack(over)
        case "srwm":
            return self_referential_stack(over)
        case "recurrent-delta":
            return recurrent_delta_stack(over)
    cascade = holonomy_cascade(over)
    if layer == "delta-rnn":
        return delta_rnn_stack(cascade)
    permutes = any(component.permutes for level in cascade.levels for component in level.components)
    return None if permutes and layer == "deltanet" else cascade_to_stack(cascade)


def _below(adds: Adds, following: Following, layer: Counter, bits: int) -> tuple[Stage, ...]:
    """The counters."""
    match layer:
        case "linear":
            return (_signed(_added(adds), _plain(following)),)
        case "deltaproduct":
            return (_signed(_reflected(adds), _plain(following)),)
        case "deltanet-negative":
            return _turned(adds, following)
    if any(abs(each) > 1 for added in adds for each in added or ()):
        raise UnsupportedError(f"a letter adds more than 1; {layer} counts in steps of 1")
    if layer == "recurrent-delta":
        return (_in_bits(adds, following, bits),)
    if layer in ("deltanet", "delta-rnn"):
        return (_halved(adds, following, recurrent=layer == "delta-rnn"),)
    made, embeddings = columns.counters(adds)
    return (_signed(made, _plain(following), embeddings),)


def _plain(following: Following) -> Following:
    """By tokens, of which 0 is the beginning."""
    signs = len(next(iter(following))[1])
    return {(0, (0,) * signs): 0} | {(1 + letter, each): follows for (letter, each), follows in following.items()}


def _signed(layer: Layer[Any], following: Following, embeddings: Floats | None = None) -> Stage:
    """The stage of a layer whose first answers are the counters; what others it has only need room."""
    counters, tokens = len(next(iter(following))[1]), 1 + max(token for token, _ in following)
    unread = layer.outputs - counters
    thresholds = ((-0.5, 0.5),) * counters + ((),) * unread
    masks = np.tile([3] * counters + [0] * unread, (tokens, 1))
    return Stage(layer, thresholds, masks, _by_digits(following, unread), embeddings, counts=True)


def _by_digits(following: Following, unread: int = 0) -> Table:
    """What follows tokens and signs, as a table over the digits of signs and of answers that are not read."""
    return {
        (token, tuple(1 + sign for sign in signs) + (0,) * unread): follows
        for (token, signs), follows in following.items()
    }


def _added(adds: Adds) -> LinearTransformer:
    values = _values(adds)
    ones = np.ones((len(values), 1, values.shape[1]))
    return LinearTransformer(ones, ones, values[:, None], "identity")


def _reflected(adds: Adds) -> DeltaProduct:
    added = _values(adds)
    heads, tokens = added.shape
    values, ones = np.stack([0 * added, added / 2])[:, :, None], np.ones((heads, 1, tokens))
    rates = np.where(added != 0, LARGE, -LARGE)
    resets = np.array([False, *(each is None for each in adds)])
    decays = np.tile(np.where(resets, -LARGE, LARGE), (heads, 1)) if resets.any() else None
    return DeltaProduct(ones, np.stack([ones, ones]), values, np.stack([rates, rates]), decays, beta_max=2)


def _turned(adds: Adds, following: Following) -> tuple[Stage, Stage]:
    """Two stages: the parity of the position, then counters that turn round with it."""
    tokens = 1 + len(adds)
    table: Table = {(0, (0,)): 0}
    for token, odd in product(range(1, tokens), (0, 1)):
        table[token, (odd,)] = 2 * token - 1 + odd
    masks = np.ones((tokens, 1), dtype=np.int64)
    parity = Stage(_one_step(np.full((1, tokens), 0.5), [-LARGE, *[LARGE] * len(adds)]), ((0.5,),), masks, table)
    values = np.repeat(_values(adds), 2, axis=1)[:, 1:] * np.resize([1, -1], 2 * tokens - 1) / 2
    rates = np.repeat([-LARGE, *(0 if each is None else LARGE for each in adds)], 2)[1:]
    turned = {(0, (0,) * len(values)): 0}
    for ((letter, signs), follows), odd in product(following.items(), (0, 1)):
        turned[1 + 2 * letter + odd, tuple(sign if odd else -sign for sign in signs)] = follows
    return parity, _signed(_one_step(values, rates.tolist()), turned)


def _one_step(values: Floats, rates: Sequence[float]) -> DeltaProduct:
    """DeltaNet with rates to 2 and the key 1, from values (heads, tokens) and the logits of rates."""
    ones = np.ones((len(values), 1, values.shape[1]))
    return DeltaProduct(ones, ones[None], values[None, :, None], np.tile(rates, (1, len(values), 1)), beta_max=2)


def _halved(adds: Adds, following: Following, *, recurrent: bool) -> Stage:
    """The stage of weights that are halved, which compares their differences."""
    layer = halves.counters(adds, recurrent=recurrent)
    counters = layer.outputs // 2
    thresholds, masks = (halves.THRESHOLDS,) * counters, np.full((1 + len(adds), counters), 3)
    table = _by_digits(_plain(following))
    return Stage(layer, thresholds, masks, table, reads=halves.differences(counters), halves=True)


def _values(adds: Adds) -> Floats:
    """(counters, tokens): what tokens add."""
    counters = max(len(added) for added in adds if added is not None)
    nothing = (0,) * counters
    return np.array([nothing, *(added or nothing for added in adds)], dtype=np.float64).T


def _in_bits(adds: Adds, following: Following, bits: int) -> Stage:
    """The stage of counters in bits: of each it reads the two signs, and whether it is 0."""
    layer = in_bits.counters(adds, bits)
    counters = len(layer.W_q)
    nothing = (0,) * layer.outputs
    thresholds = (((),) * (bits - 2) + ((0.0,),) * (2 + len(QUESTIONS))) * counters
    masks: list[tuple[int, ...]] = [nothing]
    table: Table = {(0, nothing): 0}
    for letter, added in enumerate(adds):
        readings = [_readings(each, bits) for each in added or (None,) * counters]
        masks.append(tuple(max(digit) for mine in readings for digit in zip(*mine, strict=True)))
        for each in product(*(mine.items() for mine in readings)):
            digits, signs = tuple(digit for one, _ in each for digit in one), tuple(sign for _, sign in each)
            table[1 + letter, digits] = following.get((letter, signs), NO_ROOM)
    return Stage(layer, thresholds, np.array(masks, dtype=np.int64), table)


def _readings(added: int | None, bits: int) -> dict[tuple[int, ...], int]:
    """The sign of a counter, by the digits that count after something was added; 2 where it has no room."""
    unread = (0,) * (bits - 2)
    if added is None:
        return {(*unread, 0, 0, *(0,) * len(QUESTIONS)): 0}
    no, yes = (0,) * len(QUESTIONS), tuple(int(each == added) for each in QUESTIONS)
    signs = {(0, 0): 1, (1, 1): -1, (0, 1): 2, (1, 0): 2}
    return {(*unread, 0, 0, *yes): 0} | {(*unread, *both, *no): sign for both, sign in signs.items()}
