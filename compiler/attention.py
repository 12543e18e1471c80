"""One layer of linear attention, by definition.

For heads (V_h, Q_h), each d x d, and tokens z_1 .. z_n, the answer at the last token is

    y = sum_h V_h S Q_h z_n,      S = sum_i z_i z_i^T        (the sum includes the last token itself).

No mask beyond the prefix, no scaling, no residual, no normalisation. In the words of mechanistic interpretability,
V = W_O W_V is the OV circuit and Q = W_K^T W_Q the QK circuit. The paper (arXiv 2410.10101, section 2) writes tokens as
columns; arrays here hold them as rows, (n, d). S is all that the layer remembers, so the recurrent form (fast weights,
S += z z^T; arXiv 2310.16076, section 2) is the same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.exact import largest
from compiler.rules import Weights


def attention(V: NDArray[Any], Q: NDArray[Any], Z: NDArray[Any]) -> NDArray[Any]:
    """The answer (d,) of heads V, Q (H, d, d) at the last of the tokens Z (n, d), n >= 1: the definition."""
    S = Z.T @ Z
    y = np.zeros(Z.shape[1], dtype=np.result_type(V, Q, Z))
    for v, q in zip(V, Q, strict=True):
        y = y + v @ (S @ (q @ Z[-1]))
    return y


@dataclass(frozen=True, slots=True, eq=False)
class Sparse:
    """A d x d matrix by its non-zero entries: row and column numbers, and weights (see `rules.Weights`)."""

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    weights: Weights

    @classmethod
    def of(cls, matrix: NDArray[Any]) -> Sparse:
        """The non-zero entries of a dense matrix."""
        rows, columns = np.nonzero(matrix)
        return cls(rows.astype(np.int32), columns.astype(np.int32), matrix[rows, columns])

    def violations(self, d: int) -> list[str]:
        """Everything that keeps this from being a legal d x d matrix; empty for a legal one."""
        if not len(self.rows) == len(self.columns) == len(self.weights):
            return ["lists of rows, columns and weights of different lengths"]
        found = []
        places = np.concatenate([self.rows, self.columns])
        if len(places) and not (places.min() >= 0 and places.max() < d):
            found.append(f"an entry outside {d} x {d}")
        keys = self.rows.astype(np.int64) * 2**32 + self.columns
        if not bool(np.all(keys[1:] > keys[:-1])) and len(np.unique(keys)) < len(keys):
            found.append("an entry twice")
        if self.weights.dtype == object:
            if not all(isinstance(weight, int | Fraction) for weight in self.weights.tolist()):
                found.append("a weight that is no integer and no Fraction")
        elif self.weights.dtype == np.float64:
            if not bool(np.all(np.isfinite(self.weights))):
                found.append("a weight that is NaN or infinite")
        elif self.weights.dtype != np.int64:
            found.append(f"weights of dtype {self.weights.dtype}, expected int64, float64 or exact objects")
        return found

    def dense(self, d: int) -> NDArray[Any]:
        """The matrix as a (d, d) array."""
        matrix = np.zeros((d, d), dtype=self.weights.dtype)
        matrix[self.rows, self.columns] = self.weights
        return matrix

    def apply(self, x: NDArray[Any]) -> NDArray[Any]:
        """The matrix times a vector (d,)."""
        y = np.zeros(len(x), dtype=np.result_type(self.weights, x))
        np.add.at(y, self.rows, self.weights * x[self.columns])
        return y


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A head (V, Q), named by what it does."""

    name: str
    V: Sparse
    Q: Sparse


def mass(heads: Sequence[Head]) -> int:
    """A bound on what the integer weights of the heads can multiply a token by, in any order of the products."""
    return 1 + sum(_mass(head.V) * _mass(head.Q) for head in heads)


def _mass(matrix: Sparse) -> int:
    """A bound on the sum of absolute weights of an integer matrix; 1 for floats and rationals."""
    return 1 + largest(matrix.weights) * len(matrix.weights) if matrix.weights.dtype == np.int64 else 1
