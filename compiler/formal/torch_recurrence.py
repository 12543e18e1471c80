"""Layers in PyTorch that must go from token to token, because what they answered enters what they do next.

As in torch_attention: tokens (B, n, d) to (B, n, heads * size), and the weights of the reference layers in
compiler/fastweight. Inside, heads come before batches, (H, B, ...), and the state is a tuple of matrices. This module
needs torch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from compiler.formal.torch_attention import weights


def by_token(W: Tensor, X: Tensor) -> tuple[Tensor, ...]:
    """For each token the heads' projections (H, B, m), of weights (H, m, d)."""
    return tuple(torch.einsum("hmd,bnd->nhbm", W, X))


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
    """The Recurrent Delta network (compiler/fastweight/recurrent_delta.py)."""

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
            W = corrected(W, torch.softmax(k, -1), v, torch.sigmoid(rate))
            y = times(W, torch.softmax(q, -1))
            answers.append(y)
        return side_by_side(answers)


class DeltaRNN(nn.Module):
    """The Delta RNN (compiler/fastweight/delta_rnn.py)."""

    def __init__(self, d: int, heads: int, size: int) -> None:
        super().__init__()
        self.W_q, self.W_k, self.W_v, self.R_k, self.R_v = (weights(heads, size, d) for _ in "qkvkv")
        self.w_beta, self.r_beta = weights(heads, d), weights(heads, d)

    def forward(self, X: Tensor) -> Tensor:
        """The answers to tokens X. W and R, which are treated alike as far as that goes, are 2 H heads."""
        heads, size = self.W_q.shape[:2]
        q, k = (share(torch.einsum("hmd,bnd->nhbm", W, X)) for W in (self.W_q, self.W_k))
        k_back = torch.softmax(torch.einsum("hmd,bnd->nhbm", self.R_k, X), -1)
        keys = torch.cat([k, k_back], 1)
        values = torch.einsum("hmd,bnd->nhbm", torch.cat([self.W_v, self.R_v]), X)
        rates = torch.sigmoid(torch.einsum("hd,bnd->nhb", torch.cat([self.w_beta, self.r_beta]), X))[..., None]
        fast, y, answers = X.new_zeros(2 * heads, len(X), size, size), X.new_zeros(heads, len(X), size), []
        for query, key, value, rate in zip(q, keys, values, rates, strict=True):
            fast = corrected(fast, key, value, rate)
            now, before = times(fast, torch.cat([query, torch.softmax(y, -1)])).chunk(2)
            y = now + before
            answers.append(y)
        return side_by_side(answers)


def share(X: Tensor) -> Tensor:
    """The features elu + 1 (..., m), divided by their sum."""
    features = functional.elu(X) + 1
    return features / features.sum(-1, keepdim=True)


class SelfReferential(nn.Module):
    """The self-referential weight matrix (compiler/fastweight/self_referential.py), after a projection.

    The projection, slow weights (H, size, d), gives each head the `size` coordinates that it reads.
    """

    def __init__(self, d: int, heads: int, size: int) -> None:
        super().__init__()
        self.slow = weights(heads, size, d)
        self.W_0 = weights(heads, 3 * size + 4, size)

    def forward(self, X: Tensor) -> Tensor:
        """The answers to tokens X."""
        size = self.W_0.shape[-1]
        rows = torch.tensor([size, size, size, 4])
        W, answers = self.W_0[:, None].expand(-1, len(X), -1, -1), []
        for x in by_token(self.slow, X):
            y, q, k, rates = times(W, x).split(rows.tolist(), -1)
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
