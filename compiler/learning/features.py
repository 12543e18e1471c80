r"""Data to features: the distinct, live monomials of a data set, in blocks that do not touch each other.

y[a] = <p_a, H(Z)> is linear in the rules p, with the psi = d^2 (d + 1) / 2 features H(Z) = {S[b, c] z_n[e] : b <= c}
(arXiv 2410.10101, section 3; the d^3 raw products hold every off-diagonal one twice, so regressing on them is
singular). A feature is live if it is not zero on all supervised positions; two live features are in the same block if a
chain of positions joins them. No position shows features of two blocks, so each block is a regression of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from compiler.errors import DataError
from compiler.exact import largest
from compiler.traces.data_set import DataSet

MAX_CELLS = 400_000_000
"""The most entries that the design matrix of a block may have; more data need less of them, or fewer coordinates."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The regression of one block.

    Attributes
    ----------
    index
        (n, 3): the coordinates (e, b, c), b <= c, of each feature.
    design
        (m, n): the features at the positions of the block, integers or float64.
    targets
        (m, d): what is to be answered there.
    """

    index: NDArray[np.int64]
    design: NDArray[Any]
    targets: NDArray[Any]


def features(Z: ArrayLike) -> NDArray[Any]:
    """The features (psi,) of the tokens Z (n, d): S[b, c] z_n[e], e slowest, then b, then c, b <= c.

    >>> features([[1, 2]]).tolist()
    [1, 2, 4, 2, 4, 8]
    """
    z = np.asarray(Z)
    if z.ndim != 2 or not len(z) or z.dtype.kind not in "biuf":
        raise DataError(f"tokens are {z.dtype} {z.shape}, expected numbers (n, d) with n >= 1")
    z = _wide(z)
    low, high = np.triu_indices(z.shape[1])
    return np.asarray(np.outer(z[-1], (z.T @ z)[low, high]).ravel())


def _wide(tokens: NDArray[Any]) -> NDArray[Any]:
    """Integers as int64, or as Python's where a sum of products of three might pass 63 bits; floats as float64."""
    if tokens.dtype.kind == "f":
        return tokens.astype(np.float64)
    whole = tokens.astype(object) if tokens.dtype.kind == "u" else tokens.astype(np.int64)
    return whole.astype(object if (largest(whole) + 1) ** 3 * (len(whole) + 1) >= 2**62 else np.int64)


def blocks_of(data: DataSet) -> list[Block]:
    """The blocks of a data set. Raises DataError where one is too large for this learner."""
    tokens = _wide(data.tokens)
    pairs = _live_pairs(tokens)
    memory = _memories(data, tokens, pairs)
    last = tokens[data.supervised]
    targets = data.targets[data.supervised]
    found: list[Block] = []
    for rows, coordinates in components(last != 0):
        places = np.repeat(coordinates, len(pairs))
        index = np.column_stack([places, np.tile(pairs, (len(coordinates), 1))])
        if len(rows) * len(index) > MAX_CELLS:
            raise DataError(
                f"{len(rows):,} positions with {len(index):,} features are more than this learner holds in memory; "
                "give fewer samples or fewer coordinates"
            )
        design = (last[rows][:, coordinates][:, :, None] * memory[rows][:, None, :]).reshape(len(rows), -1)
        for part, columns in components(design != 0):
            found.append(Block(index[columns], design[np.ix_(part, columns)], targets[rows[part]]))
    return found


def _live_pairs(tokens: NDArray[Any]) -> NDArray[np.int64]:
    """The pairs (b, c), b <= c, of coordinates that some token has both of, (L, 2)."""
    present = np.unique(tokens != 0, axis=0).astype(np.float64)
    together = np.triu(present.T @ present > 0)
    return np.argwhere(together)


def _memories(data: DataSet, tokens: NDArray[Any], pairs: NDArray[np.int64]) -> NDArray[Any]:
    """S[b, c] at the supervised positions, (samples, L)."""
    total = data.samples
    if total * len(pairs) > MAX_CELLS:
        raise DataError(f"{total:,} positions with {len(pairs):,} pairs are more than this learner holds in memory")
    memory = np.empty((total, len(pairs)), dtype=tokens.dtype)
    begin = 0
    for rows in data.sequences():
        z = tokens[rows]
        shown = np.flatnonzero(data.supervised[rows])
        squares = np.cumsum(z[:, pairs[:, 0]] * z[:, pairs[:, 1]], axis=0)
        memory[begin : begin + len(shown)] = squares[shown]
        begin += len(shown)
    return memory


def components(present: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The connected components of a 0/1 matrix as (rows, columns); rows and columns of zeros belong to none."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    m, n = present.shape
    rows, columns = np.nonzero(present)
    graph = csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns + m)), shape=(m + n, m + n))
    _, labels = connected_components(graph, directed=False)
    used = np.unique(labels[rows])
    return [(np.flatnonzero(labels[:m] == label), np.flatnonzero(labels[m:] == label)) for label in used.tolist()]
