"""Layers in PyTorch whose answers to all tokens are found at once: attention, linear attention and the delta rule.

Every layer takes tokens (B, n, d), gives the heads' answers side by side, (B, n, heads * size), and has weights of the
names and shapes of its reference layer in compiler/fastweight, which is its specification. This module needs torch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

OPEN = 4.0
"""The weight of the constant coordinate, the last, in decays: at the start they are near sigmoid(4) = 0.98."""


def weights(*shape: int) -> nn.Parameter:
    """Normal numbers, of standard deviation 1 / sqrt(inputs)."""
    return nn.Parameter(torch.randn(shape) * shape[-1] ** -0.5)


def projected(W: Tensor, X: Tensor) -> Tensor:
    """Every head's projection of tokens: weights (H, m, d) and X (B, n, d) give (B, H, n, m)."""
    return torch.einsum("hmd,bnd->bhnm", W, X)


def side_by_side(Y: Tensor) -> Tensor:
    """The heads' answers (B, H, n, m) as (B, n, H m)."""
    return Y.transpose(1, 2).flatten(2)


def unit(keys: Tensor) -> Tensor:
    """Vectors (..., m) divided by their Euclidean length."""
    return functional.normalize(keys, dim=-1, eps=1e-12)


def repeated(W: Tensor, times: int) -> Tensor:
    """Matrices (..., n, m) with each column so many times in a row."""
    return W[..., None].expand(*W.shape, times).flatten(-2)


class SoftmaxAttention(nn.Module):
    """Causal attention without positions: y = softmax(q . k / sqrt(size)) v over the tokens so far."""

    def __init__(self, d: int, heads: int, size: int) -> None:
        super().__init__()
        self.W_q, self.W_k, self.W_v = (weights(heads, size, d) for _ in "qkv")

    def forward(self, X: Tensor) -> Tensor:
        """The answers to tokens X."""
        q, k, v = (projected(W, X) for W in (self.W_q, self.W_k, self.W_v))
        return side_by_side(functional.scaled_dot_product_attention(q, k, v, is_causal=True))


class LinearTransformer(nn.Module):
    """Linear attention with the features elu + 1 (compiler/fastweight/linear_transformer.py)."""

    def __init__(self, d: int, heads: int, size: int, *, normalise: bool) -> None:
        super().__init__()
        self.W_q, self.W_k, self.W_v = (weights(heads, size, d) for _ in "qkv")
        self.normalise = normalise

    def forward(self, X: Tensor) -> Tensor:
        """The answers to tokens X: y_t is the sum of (q_t . k_s) v_s over s <= t."""
        q, k = (functional.elu(projected(W, X)) + 1 for W in (self.W_q, self.W_k))
        near = (q @ k.transpose(-1, -2)).tril()
        if self.normalise:
            near = near / near.sum(-1, keepdim=True)
        return side_by_side(near @ projected(self.W_v, X))


class DeltaProduct(nn.Module):
    """The delta rule, `steps` times a token, with or without a decay (compiler/fastweight/delta_product.py).

    All tokens at once: let s = 1, 2, ... number the corrections, and G_s be the sum of the logarithms of the decays up
    to the token of s. What the correction s adds is u_s k_s^T, and it stands decayed by exp(G_t - G_s) at token t, so

        u_s = b_s (v_s - sum_{r < s} exp(G_s - G_r) (k_r . k_s) u_r)
        y_t = sum_{s <= t} exp(G_t - G_s) (k_s . q_t) u_s:

    one triangular system for all u (Yang et al. 2024, arXiv 2406.06484 and 2412.06464, who do it chunk by chunk).
    """

    def __init__(self, d: int, heads: int, size: int, *, steps: int, decay: bool, beta_max: int) -> None:
        super().__init__()
        self.W_q = weights(heads, size, d)
        self.W_k, self.W_v = (weights(steps, heads, size, d) for _ in "kv")
        self.w_beta = weights(steps, heads, d)
        self.w_alpha = weights(heads, d) if decay else None
        self.beta_max = beta_max
        if self.w_alpha is not None:
            with torch.no_grad():
                self.w_alpha[:, -1] += OPEN

    def forward(self, X: Tensor) -> Tensor:
        """The answers to tokens X."""
        steps, tokens = len(self.W_k), X.shape[1]
        k = unit(torch.einsum("ihmd,bnd->bhnim", self.W_k, X)).flatten(2, 3)
        v = torch.einsum("ihmd,bnd->bhnim", self.W_v, X).flatten(2, 3)
        rates = self.beta_max * torch.sigmoid(torch.einsum("ihd,bnd->bhni", self.w_beta, X)).flatten(2, 3)
        near, read = k @ k.transpose(-1, -2), projected(self.W_q, X) @ k.transpose(-1, -2)
        kept = X.new_ones(tokens, tokens).tril()
        if self.w_alpha is not None:
            G = functional.logsigmoid(torch.einsum("hd,bnd->bhn", self.w_alpha, X)).cumsum(-1)
            kept = kept * (G[..., :, None] - G[..., None, :]).clamp(max=0).exp()
        kept = repeated(kept, steps)
        read, near = read * kept, near * repeated(kept.transpose(-1, -2), steps).transpose(-1, -2)
        system = rates[..., None] * near  # only what is below the diagonal is used: ones are on it
        u = torch.linalg.solve_triangular(system, rates[..., None] * v, upper=False, unitriangular=True)
        return side_by_side(read @ u)
