"""The domain of a real memory: any tokens [k; v], then a query [q; 0]; and what spans its configurations.

Statement
    Let keys be in R^n, values in R^p and d = n + p. The configurations (S, last) of all inputs span Sym(d) (x) R^n: the
    features S[b, c] z[e] with e a coordinate of the key, n d (d + 1) / 2 of them, and all of these are independent.

Proof
    The last token has no value, so no other feature is ever live. For a query e_i the inputs `probes(i)` are: e_i
    alone, with S = E_ii; e_b and then e_i, with S = E_bb + E_ii; and e_b + e_c and then e_i, b < c, with S = E_bb +
    E_cc + E_bc + E_cb + E_ii. They span all E_ii, then all E_bb, then all E_bc + E_cb: all of Sym(d) (x) e_i. (For b
    = i the second is twice the first, and is left out.) Integer inputs and real ones span the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.program_to_rules.real_memory import LoweredRealMemory


class Probe(NamedTuple):
    """An input of unit vectors: the token before the query, by the coordinates that are 1, and the query's."""

    before: tuple[int, ...]
    query: int

    def memory(self, d: int) -> NDArray[np.int64]:
        """S (d, d) when the query is last."""
        tokens = self.tokens(d)
        return np.asarray(tokens.T @ tokens)

    def tokens(self, d: int) -> NDArray[np.int64]:
        """The token before the query, if there is one, and the query, (n, d)."""
        rows = [list(self.before)] * bool(self.before) + [[self.query]]
        tokens = np.zeros((len(rows), d), dtype=np.int64)
        for token, places in zip(tokens, rows, strict=True):
            token[places] = 1
        return tokens


def queries(lowering: LoweredRealMemory) -> range:
    """The coordinates of the key, which are all that a query has."""
    return range(keys_of(lowering))


def keys_of(lowering: LoweredRealMemory) -> int:
    """N, the dimension of a key."""
    return sum(name.startswith("key[") for name in lowering.coordinates)


def span(lowering: LoweredRealMemory) -> int:
    """The dimension of the span of all configurations."""
    d = lowering.form.d
    return keys_of(lowering) * d * (d + 1) // 2


def probes(lowering: LoweredRealMemory, query: int) -> Iterator[Probe]:
    """Inputs whose configurations are a basis of Sym(d) (x) e_query, the shortest first."""
    d = lowering.form.d
    yield Probe((), query)
    yield from (Probe((b,), query) for b in range(d) if b != query)
    yield from (Probe((b, c), query) for b in range(d) for c in range(b + 1, d))
