"""Layers in PyTorch that must go from token to token, because what they answered enters what they do next.

As in torch_attention: tokens (B, n, d) to (B, n, heads * size), and the weights of the reference layers in
compiler/fastweight. Inside, heads come before batches, (H, B, ...), and the state is a tuple of matrices. This module
needs torch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from compiler.formal.torch_attention import unit, weights


def by_token(W: Tensor, X: Tensor) -> tuple[Tensor, ...]:
    """For each token the heads' projections (H, B, m), of weights (H, m, d)."""
    return torch.einsum("hmd,bnd->nhbm", W, X).unbind(0)


def times(W: Tensor, x: Tensor) -> Tensor:
    """Matrices (H, B, v, k) times vectors (H, B, k)."""
    return (W * x[..., None, :]).sum(-1)


def corrected(W: Tensor, k: Tensor, v: Tensor, rate: Tensor) -> Tensor:
    """The delta rule: W + rate (v - W k) k^T, with rates (H, B, 1)."""
    return W + (rate * (v - times(W, k)))[..., None] * k[..., None, :]


def side_by_side(answers: list[Tensor]) -> Tensor:
    """For each token the heads' answers (H, B, m), as (B, n, H m)."""
    return torch.stack(answers).permute(2, 0, 1, 3).flatten(2)


class RecurrentDelta(nn.Module):
    """The Recurrent Delta network: tanh of the last answer enters queries, keys, values and rates.

    Irie et al. 2021 (arXiv 2106.06295): with h = tanh(y) of the token before, of the same head,

        q, k, v, b = W_q x + R_q h,  unit(W_k x + R_k h),  W_v x + R_v h,  sigmoid(w_beta . x + r_beta . h)
        W <- W + b (v - W k) k^T,    y = W q
    """

    def __init__(self, d: int, heads: int, size: int) -> None:
        super().__init__()
        self.W_q, self.W_k, self.W_v = (weights(heads, size, d) for _ in "qkv")
        self.R_q, self.R_k, self.R_v = (weights(heads, size, size) for _ in "qkv")
        self.w_beta, self.r_beta = weights(heads, d), weights(heads, size)

    def forward(self, X: Tensor) -> Tensor:
        """The answers to tokens X."""
        heads, size = self.W_q.shape[:2]
        slow = torch.cat([self.W_q, self.W_k, self.W_v, self.w_beta[:, None]], 1)
        back = torch.cat([self.R_q, self.R_k, self.R_v, self.r_beta[:, None]], 1).transpose(1, 2)
        W, y, answers = X.new_zeros(heads, len(X), size, size), X.new_zeros(heads, len(X), size), []
        for given in by_token(slow, X):
            q, k, v, rate = torch.baddbmm(given, torch.tanh(y), back).split([size, size, size, 1], -1)
            W = corrected(W, unit(k), v, torch.sigmoid(rate))
            y = times(W, q)
            answers.append(y)
        return side_by_side(answers)


class DeltaRNN(nn.Module):
    """The Delta RNN: a second fast matrix R, itself corrected by the delta rule, reads the softmax of the last answer.

    Irie et al. 2021 (arXiv 2106.06295): W and R by the delta rule, each with keys, values and rates of its own, then

        y = W q + R softmax(y of the token before, of the same head)
    """

    def __init__(self, d: int, heads: int, size: int) -> None:
        super().__init__()
        self.W_q, self.W_k, self.W_v, self.R_k, self.R_v = (weights(heads, size, d) for _ in "qkvkv")
        self.w_beta, self.r_beta = weights(heads, d), weights(heads, d)

    def forward(self, X: Tensor) -> Tensor:
        """The answers to tokens X."""
        heads, size = self.W_q.shape[:2]
        names = self.W_q, self.W_k, self.W_v, self.R_k, self.R_v
        slow = torch.cat([*names, self.w_beta[:, None], self.r_beta[:, None]], 1)
        # W and R stand side by side as the two halves of one batch of heads.
        fast, y, answers = X.new_zeros(2 * heads, len(X), size, size), X.new_zeros(heads, len(X), size), []
        for given in by_token(slow, X):
            q, k, v, k_back, v_back, rate, rate_back = given.split([size] * 5 + [1, 1], -1)
            keys, values = unit(torch.cat([k, k_back])), torch.cat([v, v_back])
            fast = corrected(fast, keys, values, torch.sigmoid(torch.cat([rate, rate_back])))
            now, before = times(fast, torch.cat([q, torch.softmax(y, -1)])).chunk(2)
            y = now + before
            answers.append(y)
        return side_by_side(answers)


class SelfReferential(nn.Module):
    """The self-referential weight matrix: one matrix gives answers, queries, keys and rates, and rewrites itself.

    Irie et al. 2022 (arXiv 2202.05780). Each head reads its own `size` coordinates x of the token; W, ((3 size + 4),
    size), has the row blocks y, q, k (size rows each) and b (4 rows, one rate for each block):

        y, q, k, b = W x;   q, k = softmax(q), softmax(k)
        each block:  W_i <- W_i + sigmoid(b_i) (W_i q - W_i k) k^T

    Tokens are first projected to heads * size coordinates, by weights that stay as they are.
    """

    def __init__(self, d: int, heads: int, size: int) -> None:
        super().__init__()
        self.W_x = weights(heads, size, d)
        self.W_0 = weights(heads, 3 * size + 4, size)

    def forward(self, X: Tensor) -> Tensor:
        """The answers to tokens X."""
        heads, size = self.W_x.shape[:2]
        rows = torch.tensor([size, size, size, 4])
        W = self.W_0[:, None].expand(-1, len(X), -1, -1)
        answers = []
        for x in by_token(self.W_x, X):
            y, q, k, rates = times(W, x).split([size, size, size, 4], -1)
            q, k = torch.softmax(q, -1), torch.softmax(k, -1)
            rate = torch.sigmoid(rates).repeat_interleave(rows, -1)
            W = W + (rate * times(W, q - k))[..., None] * k[..., None, :]
            answers.append(y)
        return side_by_side(answers)


class LSTM(nn.Module):
    """An LSTM with heads * size units."""

    def __init__(self, d: int, heads: int, size: int) -> None:
        super().__init__()
        self.cells = nn.LSTM(d, heads * size, batch_first=True)

    def forward(self, X: Tensor) -> Tensor:
        """The answers to tokens X."""
        return self.cells(X)[0]
