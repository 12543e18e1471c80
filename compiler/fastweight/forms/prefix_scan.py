"""Softmax attention of every prefix, as a recurrent network and as a scan.

With one query for all positions, as in Feng et al. 2024 (arXiv 2405.13956, section 3), position t answers the average
of v_1 .. v_t weighted by exp(s_1) .. exp(s_t), s the scores. A range of tokens is summed up in

    m = max s_i,     u = sum exp(s_i - m),     w = sum exp(s_i - m) v_i                    answer: w / u

and two ranges by  (m, u, w) + (m', u', w') = (M, c u + c' u', c w + c' w'),  M = max(m, m'), c = exp(m - M), c' =
exp(m' - M).

**Proof.** exp(m) u and exp(m) w are the plain sums over the range, which add; the operator says so, divided by exp(M).
So it gives the triple of the union, and is associative because unions are. The answer for a prefix is any bracketing of
its tokens: from left to right it is a recurrent network with a state of fixed size; in Hillis and Steele's scan (1986)
element t after round r is the sum of the last min(2^r, t) tokens up to t, as the ranges ending at t and at t - 2^r
join, so ceil(log2 n) rounds do.

**Safe.** All exponents are at most 0 and u >= 1, for finite scores of any size: nothing overflows, and what underflows
is below rounding. An error of eps in each step gives at most some n eps from left to right, some log2(n) eps in the
scan.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from compiler.fastweight.layer import Floats


class Summary(NamedTuple):
    """Ranges of tokens: m and u (..., n), w (..., n, d)."""

    m: Floats
    u: Floats
    w: Floats

    def at(self, places: slice) -> Summary:
        """The ranges at some positions."""
        return Summary(self.m[..., places], self.u[..., places], self.w[..., places, :])


def combined(first: Summary, second: Summary) -> Summary:
    """The operator, for ranges that stand in the same places."""
    m = np.maximum(first.m, second.m)
    c, d = np.exp(first.m - m), np.exp(second.m - m)
    return Summary(m, c * first.u + d * second.u, c[..., None] * first.w + d[..., None] * second.w)


def sequential(scores: Floats, values: Floats) -> Floats:
    """The answers (..., n, d) to scores (..., n), finite, and values (..., n, d): one token after the other."""
    tokens = Summary(scores, np.ones_like(scores), values)
    none = scores[..., :1]
    state = Summary(np.full_like(none, -np.inf), np.zeros_like(none), np.zeros_like(values[..., :1, :]))
    answers = np.empty_like(values)
    for t in range(scores.shape[-1]):
        state = combined(state, tokens.at(slice(t, t + 1)))
        answers[..., t : t + 1, :] = state.w / state.u[..., None]
    return answers


def parallel(scores: Floats, values: Floats) -> Floats:
    """The same in ceil(log2 n) rounds, each of which works on all positions at once."""
    ends, reach = Summary(scores, np.ones_like(scores), values), 1
    while reach < scores.shape[-1]:
        longer = combined(ends.at(slice(None, -reach)), ends.at(slice(reach, None)))
        kept = ends.at(slice(None, reach))
        m, u = (np.concatenate(pair, axis=-1) for pair in ((kept.m, longer.m), (kept.u, longer.u)))
        ends, reach = Summary(m, u, np.concatenate([kept.w, longer.w], axis=-2)), 2 * reach
    return np.asarray(ends.w / ends.u[..., None])
