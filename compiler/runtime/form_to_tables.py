"""Form and vocabulary to the flat arrays of the kernel; `tables` says what they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.errors import ModelError
from compiler.exact import largest, scaled
from compiler.heads_to_rules import matches
from compiler.program_to_rules.lowering import Asks, Lowering
from compiler.rules import Form
from compiler.rules_to_heads import hubs
from compiler.runtime import kernel
from compiler.runtime.tables import Compiled, Numbers, Tables, Words
from compiler.vocabulary import Vocabulary

MOST_TABLE = 200_000_000
"""The most places that the table of answers may have."""
TOO_WIDE = "the model's numbers, over a common denominator, do not fit into 64 bits"


def compiled(form: Form, vocabulary: Vocabulary, lowering: Lowering, kind: type) -> Compiled:
    """Rules and vocabulary as arrays; `kind` is int64 for exact rules and tokens, else float64 or float32."""
    asks, replies, outside = lowering.asks, lowering.replies, lowering.reads_outside
    weights, values, below, under = form.weights, vocabulary.values_of_entries, 1, 1
    if kind is np.int64:
        (weights, below), (values, under) = scaled(weights), scaled(values)
        wide = weights.dtype != np.int64 or values.dtype != np.int64
        if wide or max(largest(values), 1) * below * under**2 >= 2**62:
            raise ModelError(TOO_WIDE)
    values = values.astype(kind)
    pairs, row_of_slot, row_begin = _slots(form, lowering.kept)
    writes = _writes(vocabulary, values, pairs, form.d)
    readers, restricted = _readers(form, vocabulary, values, asks)
    parts = _parts(form, weights.astype(kind), pairs, restricted)
    bundles = _bundles(parts, row_of_slot, row_begin)
    words = _words(vocabulary, values, replies, (below, under), kind, outside, form.d)
    made = _made(bundles, words, asks[readers.first])
    hot = _hot(asks, readers.of_token, bundles, writes, row_of_slot)
    tables = Tables(
        hot, *writes, row_of_slot, row_begin, bundles.reader_ends, bundles.rows, bundles.base,
        bundles.table, made, bundles.ends, bundles.places, bundles.weights,
    )  # fmt: skip
    peak = float(largest(values)) if kind is np.int64 else vocabulary.peak
    sums = np.bincount(parts.reader, weights=np.abs(parts.weight.astype(np.float64)), minlength=1)
    return Compiled(tables, words, pairs, (peak * peak, float(sums.max(initial=0.0))), below * under**3, under**2)


def _words(
    vocabulary: Vocabulary,
    values: Numbers,
    replies: Numbers,
    denominators: tuple[int, int],
    kind: type,
    outside: bool,
    d: int,
) -> Words:
    """The vocabulary for matching answers; `denominators` are those of the weights and of `values`.

    An answer is a weight times two entries in S times one of the last token.
    """
    below, under = denominators
    scale = below * under**2
    exact = kind is np.int64
    random = np.random.default_rng(0).integers(0, 2**64, size=d, dtype=np.uint64)
    code = np.zeros(len(vocabulary), dtype=np.uint64)
    whole = (values * scale).astype(np.int64).astype(np.uint64) if exact else np.zeros(len(values), dtype=np.uint64)
    np.add.at(code, vocabulary.owners, whole * random[vocabulary.places])
    size = 1 << max(4, int(np.ceil(np.log2(2 * len(vocabulary) + 1))))
    first, following = np.full(size, -1, dtype=np.int32), np.full(len(vocabulary), -1, dtype=np.int32)
    bucket = (code & np.uint64(size - 1)).astype(np.int64)
    by_code = np.lexsort((code, replies))
    repeated = np.zeros(len(code), dtype=np.bool_)  # tokens with one vector: no answer may pick one of them
    same = (np.diff(code[by_code]) == 0) & (np.diff(replies[by_code]) == 0)
    repeated[by_code[1:][same]] = repeated[by_code[:-1][same]] = True
    for token in np.flatnonzero((replies != Asks.NOTHING) & ~repeated)[::-1].tolist() if exact else ():
        following[token], first[bucket[token]] = first[bucket[token]], token
    by_place = np.argsort(vocabulary.places, kind="stable")
    floats = values.astype(np.float64) / under
    norms = np.bincount(vocabulary.owners, weights=floats * floats, minlength=len(vocabulary))
    sums = np.bincount(vocabulary.owners, weights=np.abs(floats), minlength=len(vocabulary))
    post_ends = np.concatenate([[0], np.cumsum(np.bincount(vocabulary.places, minlength=d))]).astype(np.int64)
    reach = float(np.abs(floats).max(initial=0.0) * sums.max(initial=0.0))
    return Words(
        replies.astype(np.int8), vocabulary.ends.astype(np.int64), vocabulary.places, values * scale, random, code,
        first, following, post_ends, vocabulary.owners[by_place].astype(np.int32), floats[by_place], norms, reach,
        float(scale * under), exact, outside,
    )  # fmt: skip


def _slots(form: Form, kept: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """The live pairs and those to be `kept` (L, 2), grouped in rows; the row of each slot; where each row begins."""
    known = hubs(form)
    more = np.sort(kept, axis=1).reshape(-1, 2)
    keys = known.pairs[:, 0] * form.d + known.pairs[:, 1]
    more = more[~np.isin(more[:, 0] * form.d + more[:, 1], keys)]
    pairs = np.concatenate([known.pairs, more])
    turned = np.concatenate([known.turned, np.zeros(len(more), dtype=np.bool_)])
    hub, other = np.where(turned, pairs[:, 1], pairs[:, 0]), np.where(turned, pairs[:, 0], pairs[:, 1])
    order = np.lexsort((other, hub))
    registers, rows, sizes = np.unique(hub[order], return_inverse=True, return_counts=True)
    begin = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pairs[order], rows.astype(np.int32).reshape(-1), begin if len(registers) else np.zeros(1, dtype=np.int32)


class _Writes(NamedTuple):
    ends: Numbers
    slot: Numbers
    delta: Numbers


def _writes(vocabulary: Vocabulary, values: Numbers, pairs: Numbers, d: int) -> _Writes:
    """What each token adds to each slot."""
    keys = pairs[:, 0] * d + pairs[:, 1]
    order = np.argsort(keys)
    tokens, slots, deltas = [], [], []
    sizes = np.diff(vocabulary.ends)
    for size in np.unique(sizes[sizes > 0]).tolist():
        chosen = np.flatnonzero(sizes == size)
        low, high = np.triu_indices(size)
        step = max(1, 2**22 // len(low))
        for part in (chosen[n : n + step] for n in range(0, len(chosen), step)):
            at = vocabulary.ends[part][:, None] + np.arange(size)
            places, found = vocabulary.places[at].astype(np.int64), values[at]
            wanted = places[:, low] * d + places[:, high]
            near = np.minimum(np.searchsorted(keys[order], wanted), max(len(keys) - 1, 0))
            live = (keys[order][near] == wanted) if len(keys) else np.zeros(wanted.shape, dtype=np.bool_)
            n, k = np.nonzero(live)
            tokens.append(part[n])
            slots.append(order[near[n, k]])
            deltas.append(found[n, low[k]] * found[n, high[k]])
    token = np.concatenate([np.zeros(0, dtype=np.int64), *tokens])
    by_token = np.argsort(token, kind="stable")
    slot = np.concatenate([np.zeros(0, dtype=np.int64), *slots])[by_token].astype(np.int32)
    delta = np.concatenate([np.zeros(0, dtype=values.dtype), *deltas])[by_token]
    ends = np.concatenate([[0], np.cumsum(np.bincount(token, minlength=len(vocabulary)))]).astype(np.int64)
    return _Writes(ends, slot, delta.astype(values.dtype))


class _Readers(NamedTuple):
    of_token: Numbers
    first: Numbers


def _readers(
    form: Form, vocabulary: Vocabulary, values: Numbers, asks: Numbers
) -> tuple[_Readers, tuple[Numbers, Numbers, Numbers]]:
    """The reader of each token (-1: none) and a token of each reader; the entries (reader, e, value) of all."""
    bearing = np.zeros(form.d, dtype=np.bool_)
    bearing[form.index[:, 0]] = True
    owners = vocabulary.owners
    kept = np.flatnonzero(bearing[vocabulary.places] & (asks[owners] != Asks.NOTHING))
    owner, place, value = owners[kept], vocabulary.places[kept], values[kept]
    counts = np.bincount(owner, minlength=len(vocabulary))
    begins = np.cumsum(counts) - counts
    of_token = np.full(len(vocabulary), -1, dtype=np.int64)
    first: list[Numbers] = []
    entries: list[tuple[Numbers, Numbers, Numbers]] = []
    total = 0
    for size in np.unique(counts[counts > 0]).tolist():
        tokens = np.flatnonzero(counts == size)
        at = begins[tokens][:, None] + np.arange(size)
        columns = [place[at].astype(value.dtype), value[at], asks[tokens][:, None].astype(value.dtype)]
        _, index, inverse = np.unique(np.hstack(columns), axis=0, return_index=True, return_inverse=True)
        of_token[tokens] = total + inverse.reshape(-1)
        number = np.repeat(total + np.arange(len(index)), size)
        entries.append((number, place[at[index]].ravel(), value[at[index]].ravel()))
        first.append(tokens[index])
        total += len(index)
    none = np.zeros(0, dtype=np.int64)
    number, where, what = (np.concatenate([none, *(entry[n] for entry in entries)]) for n in range(3))
    restricted = number.astype(np.int64), where.astype(np.int64), what.astype(values.dtype)
    return _Readers(of_token, np.concatenate([none, *first])), restricted


class _Parts(NamedTuple):
    reader: Numbers
    slot: Numbers
    place: Numbers
    weight: Numbers


def _parts(form: Form, weights: Numbers, pairs: Numbers, restricted: tuple[Numbers, Numbers, Numbers]) -> _Parts:
    """What each reader adds to each coordinate for each slot: sorted, one entry for each, none zero."""
    reader, place, value = restricted
    n, rule = matches(place, form.index[:, 0])
    keys = pairs[:, 0] * form.d + pairs[:, 1]
    order = np.argsort(keys)
    asked = form.index[:, 1].astype(np.int64) * form.d + form.index[:, 2]
    slot_of_rule = order[np.searchsorted(keys[order], asked)] if len(keys) else np.zeros(0, dtype=np.int64)
    who, slot, a = reader[n], slot_of_rule[rule], form.index[rule, 3].astype(np.int64)
    sizes = np.bincount(who, weights=np.abs(weights[rule].astype(np.float64) * value[n].astype(np.float64)))
    if weights.dtype == np.int64 and sizes.max(initial=0.0) >= 2.0**62:
        raise ModelError(TOO_WIDE)
    weight = weights[rule] * value[n]
    by = np.lexsort((a, slot, who))
    who, slot, a, weight = who[by], slot[by], a[by], weight[by]
    if len(by):
        new = np.concatenate([[True], (np.diff(who) != 0) | (np.diff(slot) != 0) | (np.diff(a) != 0)])
        begins = np.flatnonzero(new)
        who, slot, a, weight = who[begins], slot[begins], a[begins], np.add.reduceat(weight, begins)
    kept = np.flatnonzero(weight != 0)
    return _Parts(who[kept], slot[kept], a[kept], weight[kept])


class _Bundles(NamedTuple):
    reader_ends: Numbers
    rows: Numbers
    base: Numbers
    table: Numbers
    ends: Numbers
    places: Numbers
    weights: Numbers
    reader: Numbers
    at: Numbers


def _bundles(parts: _Parts, row_of_slot: Numbers, row_begin: Numbers) -> _Bundles:
    """The parts grouped by reader and slot, and the table by which they are found."""
    size = len(parts.reader)
    new = np.ones(size, dtype=np.bool_)
    new[1:] = (np.diff(parts.reader) != 0) | (np.diff(parts.slot) != 0)
    begins = np.flatnonzero(new)
    reader, slot = parts.reader[begins], parts.slot[begins]
    row = row_of_slot[slot] if len(slot) else np.zeros(0, dtype=np.int64)
    rows = max(len(row_begin) - 1, 1)
    read, which = np.unique(reader * rows + row, return_inverse=True)
    widths = np.diff(row_begin).astype(np.int64)[read % rows] if len(read) else np.zeros(0, dtype=np.int64)
    if widths.sum() > MOST_TABLE:
        raise ModelError(f"the table of answers would have {widths.sum():,} places, more than {MOST_TABLE:,}")
    offset = np.cumsum(widths) - widths
    base = offset - (row_begin[read % rows] if len(read) else 0)
    at = base[which.reshape(-1)] + slot if len(slot) else np.zeros(0, dtype=np.int64)
    table = np.full(int(widths.sum()), -1, dtype=np.int32)
    table[at] = np.arange(len(begins))
    readers = int(parts.reader.max()) + 1 if size else 0
    ends = np.concatenate([[0], np.cumsum(np.bincount(read // rows, minlength=readers))]).astype(np.int64)
    return _Bundles(
        ends, (read % rows).astype(np.int32), base.astype(np.int64), table,
        np.append(begins, size).astype(np.int64), parts.place.astype(np.int32), parts.weight, reader, at,
    )  # fmt: skip


def _made(bundles: _Bundles, words: Words, asked: Numbers) -> Numbers:
    """By base + slot, the one token that the bundle of a slot holding 1 is; -1 where it is none, or several."""
    made = np.full(len(bundles.table), -1, dtype=np.int32)
    if not words.exact or not len(bundles.reader):
        return made
    code = np.add.reduceat(bundles.weights.astype(np.uint64) * words.random[bundles.places], bundles.ends[:-1])
    kinds = asked[bundles.reader]
    for kind in (kernel.APPENDED, kernel.READ):
        if kind == kernel.READ and words.outside:
            continue
        tokens = np.flatnonzero(words.replies == kind)
        tokens = tokens[np.argsort(words.code[tokens], kind="stable")]
        mine = np.flatnonzero(kinds == kind)
        if not len(tokens) or not len(mine):
            continue
        low = np.searchsorted(words.code[tokens], code[mine], side="left")
        high = np.searchsorted(words.code[tokens], code[mine], side="right")
        single = np.flatnonzero(high - low == 1)
        bundle, token = mine[single], tokens[low[single]]
        same = _same(bundles, bundle, words, token)
        made[bundles.at[bundle[same]]] = token[same]
    return made


def _same(bundles: _Bundles, bundle: Numbers, words: Words, token: Numbers) -> Numbers:
    """Which bundles have exactly the entries of their tokens."""
    sizes = np.diff(bundles.ends)[bundle]
    same = sizes == np.diff(words.ends)[token]
    chosen = np.flatnonzero(same)
    sizes = sizes[chosen]
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    left = np.repeat(bundles.ends[bundle[chosen]], sizes) + within
    right = np.repeat(words.ends[token[chosen]], sizes) + within
    equal = (bundles.places[left] == words.places[right]) & (bundles.weights[left] == words.values[right])
    wrong = np.bincount(np.repeat(chosen, sizes), weights=~equal, minlength=len(same))
    return np.asarray(same & (wrong == 0))


def _hot(
    asks: Numbers, reader_of_token: Numbers, bundles: _Bundles, writes: _Writes, row_of_slot: Numbers
) -> NDArray[np.int32]:
    """What a step needs of its token; see the columns in `kernel`."""
    tokens = len(asks)
    hot = np.full((tokens, 8), -1, dtype=np.int32)
    hot[:, kernel.ASK] = asks
    counts = np.diff(writes.ends)
    hot[counts > 0, kernel.FROM] = -2
    single = np.flatnonzero(counts == 1)
    single = single[np.abs(writes.delta[writes.ends[single]]) == 1]
    only = writes.slot[writes.ends[single]]
    hot[single, kernel.FROM], hot[single, kernel.TO], hot[single, kernel.WITHIN] = -3, only, row_of_slot[only]
    hot[single, kernel.DELTA] = writes.delta[writes.ends[single]]
    two = np.flatnonzero(counts == 2)
    first, second = writes.ends[two], writes.ends[two] + 1
    down = writes.delta[first] == -1
    start, to = (writes.slot[np.where(side, first, second)] for side in (down, ~down))
    low, high = np.minimum(writes.delta[first], writes.delta[second]), writes.delta[first] + writes.delta[second]
    moves = (low == -1) & (high == 0) & (row_of_slot[start] == row_of_slot[to])
    hot[two[moves], kernel.FROM], hot[two[moves], kernel.TO] = start[moves], to[moves]
    readers = len(bundles.reader_ends) - 1
    known = np.flatnonzero((reader_of_token >= 0) & (reader_of_token < readers))
    reader = reader_of_token[known]
    hot[known, kernel.READER] = reader
    one = np.diff(bundles.reader_ends)[reader] == 1 if readers else np.zeros(0, dtype=np.bool_)
    at = bundles.reader_ends[reader[one]]
    hot[known[one], kernel.ROW], hot[known[one], kernel.BASE] = bundles.rows[at], bundles.base[at]
    return hot
