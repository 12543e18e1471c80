"""A cascade as a stack: each level a layer of DeltaNet, or of DeltaProduct where it permutes three points or more.

Both kinds keep the point of each component, and what it was before the last reset, in a row of fast weights.

A level that permutes nothing is a DeltaNet layer with one key, 1, and the bits of a point as values. A reset to c has
the rate 3/4, W <- W / 4 + (3/4) c, and all else the rate 0. So W = (3/4) (c_0 + c_1 / 4 + c_2 / 16 + ...) with c_0 the
last reset, c_1 the one before, and so on: entries are in [0, 1/16], 3/16 + [0, 1/16], 3/4 + ..., or 15/16 + [0, 1/16],
and thresholds 1/8, 1/2 and 7/8 tell the bits of c_0 and c_1. An error e made at each token by rounding adds up to 4 e
/ 3, as W is divided by 4 at each reset and is left alone otherwise.

The exchange of two points fits in: with rate 2 and value 1/2, W <- 1 - W turns all digits round, (3/4) (1 + 1/4 + ...)
being 1. (Rounding errors do not add up: with p bits numbers from 1/2 to 1 are multiples of 2^-p, and exchanges of such
numbers are exact until the next reset.) So parity is a DeltaNet layer with one key, with rates up to 2.

A level that permutes n >= 3 points is a DeltaProduct layer over 2 n keys, two for each point. A row w is 1 on both
keys of the point; the exchange of i and j is the reflection with rate 2 and the key 1/2, 1/2 on i, -1/2, -1/2 on j, of
length 1: w k is w_i - w_j, and w - 2 (w k) k exchanges the entries. (With entries 0 and 1 this is exact in any binary
precision; beside 1 an entry below its last bit may be lost.) A permutation takes n - cycles exchanges. A reset to c
divides w by 4, by the decay, and writes 1 on the two keys of c, in two steps with rate 1. So the point has 1; the one
before the last reset, if it is another, 1/4; and points of earlier resets 1/16 and less, at most 1/12 together.
Permutations move them all alike. Points are numbered from 1, and for each bit there is a head that reads the sum over
the points with that bit: thresholds 3/16, 5/8 and 19/16 tell the bits of the point and of the one before, which is
read as 0 if it was the same.

What stood at a level before a token follows: after a reset it is read, and a permutation can be undone.
"""

from __future__ import annotations

from math import log

import numpy as np

from compiler.fastweight.automata.cascade import Action, Cascade, Level, Reset
from compiler.fastweight.automata.transitions import Shown
from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.stack import Stack, Stage

LARGE = 1000.0
"""A logit at which a sigmoid is 1, and 0 on the other side, in every precision."""
THREE_QUARTERS, THREE_EIGHTHS, QUARTER = log(3), log(3 / 5), -log(3)
NEW, BOTH = 2, 3
"""Masks of a digit: its bit of the point now, and both."""


def cascade_to_stack(cascade: Cascade) -> Stack[Shown]:
    """The stack that shows what `cascade` shows."""
    return Stack(cascade.letters, tuple(_stage(level) for level in cascade.levels), cascade.shown)


def _stage(level: Level) -> Stage:
    permutes = any(component.permutes and component.points > 2 for component in level.components)
    layer, places = (_reflections if permutes else _slots)(level)
    first, thresholds = (1, (3 / 16, 5 / 8, 19 / 16)) if permutes else (0, (1 / 8, 1 / 2, 7 / 8))
    masks = np.zeros((level.tokens, layer.outputs), dtype=np.int64)
    for component, mine in zip(level.components, places, strict=True):
        reads = [isinstance(action, Reset) and token > 0 for token, action in enumerate(component.actions)]
        masks[:, mine] = np.where(reads, BOTH, NEW)[:, None]
    table: dict[tuple[int, tuple[int, ...]], int] = {}
    for (token, reading), follows in level.after.items():
        digits = np.zeros(layer.outputs, dtype=np.int64)
        for mine, before, after in zip(places, *reading, strict=True):
            old = 0 if before is None or (permutes and before == after) else before + first
            digits[mine] = [2 * (after + first >> bit & 1) + (old >> bit & 1) for bit in range(len(mine))]
        read = tuple((digits & masks[token]).tolist())
        if table.setdefault((token, read), follows) != follows:
            raise ArithmeticError("two readings of a level have the same digits; this is a mistake of the compiler")
    return Stage(layer, (thresholds,) * layer.outputs, masks, table)


def _slots(level: Level) -> tuple[DeltaProduct, list[list[int]]]:
    """A head of DeltaNet for each component, and the entries of answers that are its bits."""
    bits = [(component.points - 1).bit_length() for component in level.components]
    heads, rows, tokens = len(bits), max(bits), level.tokens
    values, rates = np.zeros((1, heads, rows, tokens)), np.full((1, heads, tokens), -LARGE)
    turns = any(component.permutes for component in level.components)
    for h, component in enumerate(level.components):
        for token, action in enumerate(component.actions):
            if isinstance(action, Reset):
                rates[0, h, token] = THREE_EIGHTHS if turns else THREE_QUARTERS
                values[0, h, :, token] = [action.point >> bit & 1 for bit in range(rows)]
            elif action.moves:
                rates[0, h, token], values[0, h, :, token] = LARGE, 1 / 2
    ones = np.ones((heads, 1, tokens))
    places = [[h * rows + bit for bit in range(mine)] for h, mine in enumerate(bits)]
    return DeltaProduct(ones, ones[None], values, rates, beta_max=2 if turns else 1), places


def _reflections(level: Level) -> tuple[DeltaProduct, list[list[int]]]:
    """For each bit of each component a head of DeltaProduct, and the entries of answers that are the bits."""
    bits = [component.points.bit_length() for component in level.components]
    swaps = [[_swaps(action) for action in component.actions] for component in level.components]
    steps = max(2, *(len(each) for mine in swaps for each in mine))
    heads, columns, tokens = sum(bits), 2 * max(component.points for component in level.components), level.tokens
    keys, values = np.zeros((steps, heads, columns, tokens)), np.zeros((steps, heads, 1, tokens))
    rates, decays = np.full((steps, heads, tokens), -LARGE), np.full((heads, tokens), LARGE)
    queries = np.zeros((heads, columns, tokens))
    places: list[list[int]] = []
    for component, mine, width in zip(level.components, swaps, bits, strict=True):
        here = list(range(sum(map(len, places)), sum(map(len, places)) + width))
        places.append(here)
        for token, action in enumerate(component.actions):
            for step, (i, j) in enumerate(mine[token]):
                rates[step, here, token] = LARGE
                for column, sign in ((2 * i, 1), (2 * i + 1, 1), (2 * j, -1), (2 * j + 1, -1)):
                    keys[step, here, column, token] = sign / 2
            if isinstance(action, Reset):
                decays[here, token] = QUARTER
                rates[:2, here, token] = 0
                values[:2, here, 0, token] = 1
                for step in range(2):
                    keys[step, here, 2 * action.point + step, token] = 1
        for bit, head in enumerate(here):
            for point in range(component.points):
                queries[head, 2 * point : 2 * point + 2] = (point + 1 >> bit & 1) / 2
    gated = any(isinstance(a, Reset) for component in level.components for a in component.actions[1:])
    return DeltaProduct(queries, keys, values, rates, decays if gated else None, beta_max=2), places


def _swaps(action: Action) -> list[tuple[int, int]]:
    """Exchanges, one after the other, that move what is at each point p to its target; none for a reset."""
    if isinstance(action, Reset):
        return []
    held, found = list(range(len(action.targets))), []
    sources = {target: source for source, target in enumerate(action.targets)}
    for place in range(len(held)):
        there = held.index(sources[place])
        if there != place:
            held[place], held[there] = held[there], held[place]
            found.append((place, there))
    return found
