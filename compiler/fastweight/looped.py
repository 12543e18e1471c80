"""A looped layer of linear attention, and the weights with which each loop is a step of gradient descent.

Tokens are rewritten by the same layer again and again, the first c of them being the context (Giannou et al. 2023,
arXiv 2301.13196; Gatmiry et al. 2024, arXiv 2410.08292). For each head, in each loop:

    W = sum_{i <= c} (W_v x_i) (W_k x_i)^T              the fast weights that the context writes
    x <- x + sum_h W_o W W_q x                          for every token, of the context and after it

**Gradient descent** (von Oswald et al. 2023, arXiv 2212.07677, proposition 1, in its looped form). To learn b = M a
from pairs, let tokens be (a_i, b_i) in the context and (a, 0) for questions, and let one head have

    W_q = W_k = (I 0),   W_v = (0 I),   W_o = -rate (0; I).

Claim: after l loops the second part of a token is r_i = b_i - M_l a_i, for questions -M_l a, where M_0 = 0 and M_l
follows gradient descent on 1/2 sum_i |b_i - M a_i|^2 with this rate. It holds for l = 0. A loop leaves a alone and
subtracts rate (sum_i r_i a_i^T) a from the second part; and M_{l+1} = M_l + rate sum_i r_i a_i^T is the step, since the
gradient is -sum_i r_i a_i^T. So minus the second part of a question is the prediction M_l a. Exact, up to rounding, for
any context. Only the context writes: once a question's second part is not zero it would pull M towards what it already
says. The paper minimises the mean: its rate is ours times c. Another M_0 is had from context tokens (a_i, b_i - M_0
a_i).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compiler.fastweight.layer import Floats


@dataclass(frozen=True, slots=True, eq=False)
class LoopedAttention:
    """A looped layer.

    It reads its context anew in each loop, so it is no `Layer`, which reads a token once.

    Attributes
    ----------
    W_q, W_k
        (H, d_k, d): queries and keys.
    W_v
        (H, d_v, d): values.
    W_o
        (H, d, d_v): what the heads' answers add to tokens.
    """

    W_q: Floats
    W_k: Floats
    W_v: Floats
    W_o: Floats

    def looped(self, X: Floats, context: int, loops: int) -> Floats:
        """The tokens (B, n, d) after some loops, the first `context` of which write."""
        for _ in range(loops):
            written = X[:, :context]
            k, v = (np.einsum("hmd,bnd->bhnm", weights, written) for weights in (self.W_k, self.W_v))
            W = np.einsum("bhnv,bhnk->bhvk", v, k)
            q = np.einsum("hkd,bnd->bhnk", self.W_q, X)
            X = X + np.einsum("hdv,bhvk,bhnk->bnd", self.W_o, W, q, optimize=True)
        return X


def gradient_descent(inputs: int, outputs: int, rate: float) -> LoopedAttention:
    """The looped layer whose loops are steps of gradient descent on a regression from `inputs` to `outputs` numbers."""
    first, second = np.eye(inputs, inputs + outputs), np.eye(outputs, inputs + outputs, k=inputs)
    return LoopedAttention(first[None], first[None], second[None], -rate * second.T[None])
