"""The self-referential weight matrix: one matrix that answers, and says how it is itself to be changed.

For each head, from a W_0 that is learned (Irie et al. 2022, arXiv 2202.05780, eqs. 5-8; arXiv 2310.16076, section 2):

    [y; q; k; b] = W x                          four blocks of rows: m, d, d and 4 of them
    q, k = softmax(q), softmax(k)
    W <- W + sigmoid(b) (W q - W k) k^T         rows of each block with that block's rate: b has one for y, q, k and b

W is read before it is written, so y is the answer of the weights before this token. There are no slow weights beside
W_0. A head has d of the H d coordinates of a token, as in the authors' code. The paper puts x through softmax as well;
the code makes that a choice of what feeds the layer, and so does this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from compiler.errors import ModelError
from compiler.fastweight.layer import Floats, sigmoid, softmax

RATES = 4


@dataclass(frozen=True, slots=True, eq=False)
class SelfReferential:
    """A layer of self-referential weights.

    Attributes
    ----------
    W_0
        (H, m + 2 d + 4, d): the weights at the start. A ModelError if these are not the shapes for some m >= 1.
    """

    W_0: Floats

    def __post_init__(self) -> None:
        if self.W_0.ndim != 3 or self.blocks[0] < 1:
            raise ModelError(f"W_0 has the shape {self.W_0.shape}: (heads, m + 2 d + 4, d) is wanted, m >= 1")

    @property
    def blocks(self) -> tuple[int, int, int, int]:
        """How many rows say y, q, k and b."""
        _, rows, columns = self.W_0.shape
        return rows - 2 * columns - RATES, columns, columns, RATES

    @property
    def inputs(self) -> int:
        """The dimension of tokens: H d."""
        return int(self.W_0.shape[0] * self.W_0.shape[2])

    @property
    def outputs(self) -> int:
        """The dimension of answers: H m."""
        return int(self.W_0.shape[0] * self.blocks[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """In which it computes."""
        return self.W_0.dtype

    def start(self, batch: int) -> Floats:
        """The weights (B, H, m + 2 d + 4, d)."""
        return np.repeat(self.W_0[None], batch, axis=0)

    def step(self, state: Floats, x: Floats) -> tuple[Floats, Floats]:
        """Read, then change by what was read."""
        W = state
        heads, _, columns = self.W_0.shape
        said = np.einsum("bhrd,bhd->bhr", W, x.reshape(len(x), heads, columns))
        y, q, k, b = np.split(said, np.cumsum(self.blocks)[:-1], axis=-1)
        q, k = softmax(q), softmax(k)
        rates = np.repeat(sigmoid(b), self.blocks, axis=-1)
        wanted, there = np.einsum("bhrd,bhd->bhr", W, q), np.einsum("bhrd,bhd->bhr", W, k)
        W = W + (rates * (wanted - there))[..., :, None] * k[..., None, :]
        return W, y.reshape(len(x), -1)
