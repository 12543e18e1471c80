"""The streaming kernel: a run of a layer over flat arrays, touching only live entries.

`tables` says what the arrays are. One step feeds a token: its writes go to S, and if it is a question, its reader walks
the non-zero entries of the rows that it reads. Four short cuts, each with the general way behind it:

* a write that empties one entry of a row and fills another (1 -> 0 and 0 -> 1) replaces it in the row's list;
* a token that changes a single entry, 0 -> 1 or 1 -> 0, adds it to the row's list or takes it away;
* a reader of one row with one non-zero entry, which is 1, answers what was computed beforehand (`made`);
* an answer that is a token exactly is found by a hash that is linear in the entries.

Everything else is decided here by distance where the distance is clear, and handed back where it is not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

DONE, CUT, STOPPED, UNCLEAR, FULL = range(5)
"""Why a stretch ended: no input left; token budget; bound on answers; an answer to decide outside; records full."""

USED, NEXT, FED, MOST_FED, ANSWERED, MOST_ANSWERED, LAST, ENDED, RECORDED = range(9)
"""The counters of a run: inputs used; the next token (-1: take an input); tokens fed and their bound; answers taken and
their bound; the last token fed; the last answer that was appended (-1: none); records used."""

ASK, FROM, TO, ROW, BASE, READER, DELTA, WITHIN = range(8)
"""The columns of `Tables.hot`: what becomes of the answer; the entries that a replacing write empties and fills (FROM
-1: no write, -2: the list of writes, -3: one write, to TO); the one row that is read (-1: the reader's list) and the
offset of its answers in `made`; the reader (-1: none, the answer is zero); what one write adds (1 or -1), and where."""

APPENDED, READ = 1, 2
SLACK = 1e-9


@njit(nogil=True, cache=True, inline="always")
def _add(tables: Any, state: Any, slot: Any, delta: Any) -> None:
    """S[slot] += delta, and keep the row's list of non-zero entries."""
    old = state.S[slot]
    new = old + delta
    state.S[slot] = new
    row = tables.slot_row[slot]
    if old == 0 and new != 0:
        at = tables.row_begin[row] + state.live[row]
        state.listed[at] = slot
        state.place[slot] = at
        state.live[row] += 1
    elif old != 0 and new == 0:
        state.live[row] -= 1
        last = state.listed[tables.row_begin[row] + state.live[row]]
        state.listed[state.place[slot]] = last
        state.place[last] = state.place[slot]


@njit(nogil=True, cache=True)
def write(tables: Any, state: Any, token: Any) -> None:
    """Add the token's outer product to the live entries of S, one by one."""
    for n in range(tables.write_ends[token], tables.write_ends[token + 1]):
        _add(tables, state, tables.write_slot[n], tables.write_delta[n])


@njit(nogil=True, cache=True)
def accumulate(tables: Any, state: Any, reader: Any) -> Any:
    """What a reader answers: `state.y` at the coordinates `state.touched`; returns how many."""
    size = 0
    if reader < 0:
        return size
    for n in range(tables.reader_ends[reader], tables.reader_ends[reader + 1]):
        row, base = tables.reader_row[n], tables.reader_base[n]
        begin = tables.row_begin[row]
        for at in range(begin, begin + state.live[row]):
            slot = state.listed[at]
            bundle = tables.bundle[base + slot]
            if bundle < 0:
                continue
            value = state.S[slot]
            for part in range(tables.bundle_ends[bundle], tables.bundle_ends[bundle + 1]):
                a = tables.part_place[part]
                if not state.seen[a]:
                    state.seen[a] = True
                    state.y[a] = 0
                    state.touched[size] = a
                    size += 1
                state.y[a] += tables.part_weight[part] * value
    for n in range(size):
        state.seen[state.touched[n]] = False
    return size


@njit(nogil=True, cache=True)
def _equal_token(words: Any, state: Any, size: Any, kind: Any) -> Any:
    """The token that can answer a question of `kind` and whose vector is the answer; -1 for none."""
    code = np.uint64(0)
    entries = 0
    for n in range(size):
        a = state.touched[n]
        if state.y[a] != 0:
            code += np.uint64(np.int64(state.y[a])) * words.random[a]
            entries += 1
    token = words.first[np.int64(code & np.uint64(len(words.first) - 1))]
    while token >= 0:
        if words.code[token] == code and words.replies[token] == kind:
            same = words.ends[token + 1] - words.ends[token] == entries
            matched = 0
            for n in range(size):
                a = state.touched[n]
                if same and state.y[a] != 0:
                    for at in range(words.ends[token], words.ends[token + 1]):
                        if words.places[at] == a and words.values[at] == state.y[a]:
                            matched += 1
            if same and matched == entries:
                return token
        token = words.following[token]
    return -1


@njit(nogil=True, cache=True)
def _nearest_token(words: Any, state: Any, size: Any, kind: Any) -> Any:
    """The token of `kind` that is clearly the nearest to the answer; -1 where two are about equally near."""
    peak = 0.0
    state.dots[:] = 0.0
    for n in range(size):
        a = state.touched[n]
        value = np.float64(state.y[a]) / words.scale
        if not np.isfinite(value):
            return -1
        peak = max(peak, abs(value))
        for at in range(words.post_ends[a], words.post_ends[a + 1]):
            state.dots[words.post_token[at]] += words.post_value[at] * value
    best, second, found = np.inf, np.inf, -1
    for token in range(len(words.norms)):
        if words.replies[token] == kind:
            score = words.norms[token] - 2 * state.dots[token]
            if score < best:
                best, second, found = score, best, token
            elif score < second:
                second = score
    return found if second - best > SLACK * (1 + words.reach * (peak + 1)) else -1


@njit(nogil=True, cache=True)
def advance(tables: Any, words: Any, state: Any, inputs: Any, counters: Any, records: Any) -> Any:
    """Run until something ends the stretch, and return why; `counters` and `state` are updated.

    `records` (n, 2) takes (question, answer) for each answer; where it is empty nothing is recorded.
    """
    # Taken from its tuple in the loop an array is counted as a reference, which costs more than what is done with it.
    hot, made, row_begin = tables.hot, tables.made, tables.row_begin
    S, place, listed, live = state.S, state.place, state.listed, state.live
    used, token, fed, answered = counters[USED], counters[NEXT], counters[FED], counters[ANSWERED]
    last, ended, recorded = counters[LAST], counters[ENDED], counters[RECORDED]
    most_fed, most_answered = counters[MOST_FED], counters[MOST_ANSWERED]
    status = DONE
    while True:
        if token < 0:
            if used >= len(inputs):
                status = DONE
                break
            token = np.int64(inputs[used])
            used += 1
        if fed >= most_fed:
            status = CUT
            break
        fed += 1
        last = token
        start = hot[token, FROM]
        if start >= 0:
            to = hot[token, TO]
            if S[start] == 1 and S[to] == 0:
                at = place[start]
                listed[at] = to
                place[to] = at
                S[start] = 0
                S[to] = 1
            else:
                write(tables, state, token)
        elif start == -3:
            to, delta, within = hot[token, TO], hot[token, DELTA], hot[token, WITHIN]
            if delta == 1 and S[to] == 0:
                at = row_begin[within] + live[within]
                listed[at] = to
                place[to] = at
                S[to] = 1
                live[within] += 1
            elif delta == -1 and S[to] == 1:
                live[within] -= 1
                other = listed[row_begin[within] + live[within]]
                listed[place[to]] = other
                place[other] = place[to]
                S[to] = 0
            else:
                write(tables, state, token)
        elif start == -2:
            write(tables, state, token)
        kind = hot[token, ASK]
        if kind == 0:
            token = np.int64(-1)
            continue
        if answered == most_answered:
            status = STOPPED
            break
        answer = np.int64(-1)
        row = hot[token, ROW]
        if row >= 0 and live[row] == 1:
            slot = listed[row_begin[row]]
            if S[slot] == 1:
                answer = np.int64(made[hot[token, BASE] + slot])
        if answer < 0:
            answer = _decided(tables, words, state, token)
        if answer < 0:
            status = UNCLEAR
            break
        answered += 1
        if len(records) > 0:
            records[recorded, 0] = token
            records[recorded, 1] = answer
            recorded += 1
        if kind == APPENDED:
            token = answer
            ended = answer
        else:
            token = np.int64(-1)
        if recorded > 0 and recorded == len(records):
            status = FULL
            break
    counters[USED], counters[NEXT], counters[FED], counters[ANSWERED] = used, token, fed, answered
    counters[LAST], counters[ENDED], counters[RECORDED] = last, ended, recorded
    return status


@njit(nogil=True, cache=True)
def _decided(tables: Any, words: Any, state: Any, token: Any) -> Any:
    """The answer to `token` by the general way; -1 where it is to be decided outside."""
    kind = tables.hot[token, ASK]
    size = accumulate(tables, state, tables.hot[token, READER])
    found = np.int64(-1)
    if kind == READ and words.outside:
        return found
    if words.exact:
        found = np.int64(_equal_token(words, state, size, kind))
    if found < 0:
        found = np.int64(_nearest_token(words, state, size, kind))
    return found
