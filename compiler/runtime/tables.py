"""A layer and its vocabulary as flat arrays: what the streaming kernel runs on.

Only entries S[b, c] that some rule reads are kept, each in a *slot*; slots are grouped in *rows* by the coordinate of
the pair that is the register (`rules_to_heads.hubs`), so that a row is a register with its possible contents. What
a token reads depends only on its coordinates e that occur in rules; tokens that agree on them share a *reader*. A
*bundle* is what a reader answers for one slot that holds 1, and where that is a token it is known as such (`made`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]


class Tables(NamedTuple):
    """The layer: T tokens, L slots, R rows.

    Attributes
    ----------
    hot
        (T, 8) int32: what a step needs of its token; see the columns in `kernel`.
    write_ends, write_slot, write_delta
        The entries of S that a token changes, and by how much.
    slot_row, row_begin
        (L,) the row of a slot; (R + 1,) the first slot of a row.
    reader_ends, reader_row, reader_base
        The rows that a reader reads, each with the offset of its bundles: that of slot s stands at base + s.
    bundle, made
        By base + slot: the bundle (-1: nothing), and the token that it is alone, with S = 1 (-1: none).
    bundle_ends, part_place, part_weight
        The coordinates and weights of each bundle.
    """

    hot: Numbers
    write_ends: Numbers
    write_slot: Numbers
    write_delta: Numbers
    slot_row: Numbers
    row_begin: Numbers
    reader_ends: Numbers
    reader_row: Numbers
    reader_base: Numbers
    bundle: Numbers
    made: Numbers
    bundle_ends: Numbers
    part_place: Numbers
    part_weight: Numbers


class Words(NamedTuple):
    """The vocabulary, for finding the token that an answer is.

    Attributes
    ----------
    replies
        (T,) int8: the kind of question that a token can answer.
    ends, places, values
        The entries of each token, times the scale of the answers.
    random, code, first, following
        (d,) random numbers; (T,) the hash of a token, the sum of its entries times them; chains by hash.
    post_ends, post_token, post_value, norms, reach
        The tokens that have a coordinate; the squared norms; a bound for rounding, as in `runtime.run`.
    scale
        The denominator of the answers.
    exact, outside
        Whether answers are integers; whether answers that are read are to be decoded outside.
    """

    replies: Numbers
    ends: Numbers
    places: Numbers
    values: Numbers
    random: Numbers
    code: Numbers
    first: Numbers
    following: Numbers
    post_ends: Numbers
    post_token: Numbers
    post_value: Numbers
    norms: Numbers
    reach: float
    scale: float
    exact: bool
    outside: bool


class State(NamedTuple):
    """What a run changes: S by slots, the non-zero slots of each row and their number, and room for an answer."""

    S: Numbers
    place: Numbers
    listed: Numbers
    live: Numbers
    y: Numbers
    touched: Numbers
    seen: Numbers
    dots: Numbers


class Compiled(NamedTuple):
    """A layer ready to run.

    Attributes
    ----------
    pairs
        (L, 2): the coordinates (b, c), b <= c, of each slot.
    largest
        A bound on what one token can add to an entry of S, and on the sum of absolute weights of one answer.
    scale, unit
        The denominators by which answers, and entries of S, are to be divided.
    """

    tables: Tables
    words: Words
    pairs: Numbers
    largest: tuple[float, float]
    scale: int
    unit: int

    def state(self) -> State:
        """The state before the first token."""
        slots, d = len(self.pairs), len(self.words.random)
        kind = self.tables.part_weight.dtype
        whole = {name: np.zeros(slots, dtype=np.int32) for name in ("place", "listed")}
        rows = len(self.tables.row_begin) - 1
        room = np.zeros(d, dtype=np.int32), np.zeros(d, dtype=np.bool_), np.zeros(len(self.words.norms))
        return State(
            np.zeros(slots, dtype=kind), **whole, live=np.zeros(rows, dtype=np.int32), y=np.zeros(d, dtype=kind),
            touched=room[0], seen=room[1], dots=room[2],
        )  # fmt: skip
