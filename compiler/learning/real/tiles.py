"""A symmetric positive definite matrix as tiles of its lower triangle, factored in place.

LAPACK is never called on the whole: OpenBLAS as scipy ships it (0.3.3x, two threads) crashes in `dsyrk` and `dpotrf` at
16,896 rows. A tile has at most `LARGEST` rows, and only one triangle of tiles is kept: half of the memory.

The factorisation is Cholesky's, right-looking by tiles: L[j][j] by `dpotrf`, L[i][j] by `dtrsm`, and A[i][k] -= L[i][j]
L[k][j]^T by `dgemm`, all in place on the transposed views that Fortran's order wants.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dgemm, dtrsm, dtrsv

from compiler.learning.real.moments import RealMoments
from compiler.learning.real.samples import Floats

LARGEST = 8_192
"""The most rows of a tile."""
BLOCK = 256
"""The rows of a block of a tile that is factored."""
USUAL = 4_096
"""The rows of a tile where the features leave a choice."""


class Tiles(NamedTuple):
    """The lower triangle of a matrix (n, n): tiles[i][j], j <= i, C-contiguous, (ends[i] - begins[i]) x ... entries."""

    bounds: tuple[int, ...]
    tiles: list[list[Floats]]

    @property
    def n(self) -> int:
        """The number of rows."""
        return self.bounds[-1]

    def parts(self, x: Floats) -> list[Floats]:
        """The rows of `x` (n, m) that belong to each row of tiles, copied in Fortran's order."""
        return [np.array(x[a:b], order="F") for a, b in pairwise(self.bounds)]


def tile_coordinates(k: int, pairs: int) -> list[int]:
    """Where the tiles begin and end among k coordinates e, each of which has so many `pairs`, at most `LARGEST`."""
    return [*range(0, k, max(1, USUAL // pairs)), k]


def scaled_gram(moments: RealMoments, scale: Floats, ridge: float) -> Tiles:
    """D (G + ridge) D as tiles, D = diag(`scale`), zero where a feature is dead: there the diagonal is 1."""
    k, pairs = len(moments.shape.coordinates), len(moments.shape.pairs)
    firsts = tile_coordinates(k, pairs)
    place = np.zeros((k, k), dtype=np.int64)
    low, high = np.triu_indices(k)
    place[low, high] = place[high, low] = np.arange(len(low))
    tiles = [
        [_tile(moments, place, range(a, b), range(c, d)) for c, d in pairwise(firsts[: i + 2])]
        for i, (a, b) in enumerate(pairwise(firsts))
    ]
    bounds = tuple(first * pairs for first in firsts)
    for i, row in enumerate(tiles):
        mine = scale[bounds[i] : bounds[i + 1]]
        for j, tile in enumerate(row):
            if i == j:
                tile[np.diag_indices(len(tile))] += ridge
            tile *= mine[:, None]
            tile *= scale[bounds[j] : bounds[j + 1]]
            if i == j:
                dead = np.flatnonzero(mine == 0)
                tile[dead, dead] = 1.0
    return Tiles(bounds, tiles)


def _tile(moments: RealMoments, place: NDArray[np.int64], rows: range, columns: range) -> Floats:
    """The entries of G for the coordinates `rows` and `columns`, from the products."""
    pairs = len(moments.shape.pairs)
    low, high = np.triu_indices(pairs)
    tile = np.empty((len(rows) * pairs, len(columns) * pairs))
    view = tile.reshape(len(rows), pairs, len(columns), pairs)
    for i, e in enumerate(rows):
        for j, f in enumerate(columns):
            values = moments.products[place[e, f]]
            view[i, low, j, high] = values
            view[i, high, j, low] = values
    return tile


def factored(matrix: Tiles) -> bool:
    """Cholesky's factor L in the place of the matrix A = L L^T; False where a pivot is not positive."""
    tiles = matrix.tiles
    for j, column in enumerate(tiles):
        if not _corner(column[j]):
            return False
        for row in tiles[j + 1 :]:
            dtrsm(1.0, column[j].T, row[j].T, lower=0, trans_a=1, overwrite_b=1)
        for i in range(j + 1, len(tiles)):
            for k in range(j + 1, i + 1):
                dgemm(-1.0, tiles[k][j].T, tiles[i][j].T, beta=1.0, c=tiles[i][k].T, trans_a=1, overwrite_c=1)
    return True


def _corner(tile: Floats) -> bool:
    """Cholesky's factor of one tile in its place, zeros above it; False where a pivot is not positive.

    By blocks, with numpy's BLAS, which has just made the moments: the threads of two libraries (scipy has its own)
    wait for each other while those of the first still spin.
    """
    n = len(tile)
    for begin in range(0, n, BLOCK):
        end = min(begin + BLOCK, n)
        try:
            corner = np.linalg.cholesky(tile[begin:end, begin:end])
        except np.linalg.LinAlgError:
            return False
        tile[begin:end, begin:end] = corner
        tile[begin:end, end:] = 0.0
        below = tile[end:, begin:end]
        below[:] = below @ np.linalg.inv(corner).T
        for row in range(end, n, BLOCK):
            rows = slice(row, row + BLOCK)
            tile[rows, end : row + BLOCK] -= below[row - end : row - end + BLOCK] @ below[: row - end + BLOCK].T
    return True


def solved(factor: Tiles, right: Floats) -> Floats:
    """A^-1 `right` (n, m) for the factor L of A."""
    parts = factor.parts(right)
    for i, row in enumerate(factor.tiles):
        for j in range(i):
            parts[i] -= row[j] @ parts[j]
        parts[i] = _divided(row[i], parts[i], transposed=False)
    for i in reversed(range(len(parts))):
        parts[i] = _divided(factor.tiles[i][i], parts[i], transposed=True)
        for j in range(i):
            parts[j] -= factor.tiles[i][j].T @ parts[i]
    return np.concatenate(parts)


def applied(factor: Tiles, right: Floats) -> Floats:
    """A `right` = L L^T `right` (n, m)."""
    parts = factor.parts(right)
    inner = []
    for j in range(len(parts)):
        mine = factor.tiles[j][j].T @ parts[j]
        inner.append(sum((factor.tiles[i][j].T @ parts[i] for i in range(j + 1, len(parts))), mine))
    for i, row in enumerate(factor.tiles):
        mine = row[i] @ inner[i]
        parts[i] = sum((row[j] @ inner[j] for j in range(i)), mine)
    return np.concatenate(parts)


def _divided(corner: Floats, part: Floats, *, transposed: bool) -> Floats:
    """L^-1 `part`, or L^-T `part`, for a tile L on the diagonal; one column is much faster by itself."""
    flag = int(not transposed)  # the view corner.T is L^T
    if part.shape[1] == 1:
        return np.asarray(dtrsv(corner.T, part[:, 0], lower=0, trans=flag)[:, None])
    return np.asarray(dtrsm(1.0, corner.T, part, lower=0, trans_a=flag))
