"""A model file of attnc as a PyTorch module, in the attention form and in the recurrent form.

Usage: python examples/attention_in_torch.py MODEL.safetensors SYMBOL ...

Needs torch and safetensors, and nothing of attnc: docs/files.md says what is in the file.
"""

from __future__ import annotations

import json
import sys

import torch
from safetensors import safe_open


class LinearAttention(torch.nn.Module):
    """y = sum_h V_h S Q_h z_n with S = sum_i z_i z_i^T, over token rows (n, d)."""

    def __init__(self, V: torch.Tensor, Q: torch.Tensor) -> None:
        super().__init__()
        self.V = torch.nn.Parameter(V, requires_grad=V.is_floating_point())
        self.Q = torch.nn.Parameter(Q, requires_grad=Q.is_floating_point())

    def forward(self, Z: torch.Tensor) -> torch.Tensor:
        """The answers (n, d) at every prefix of Z (n, d): causal, by an attention matrix for each head."""
        scores = torch.einsum("ib,hbc,jc->hji", Z, self.Q, Z).tril()
        return torch.einsum("hji,hab,ib->ja", scores, self.V, Z)

    def step(self, S: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The fast weights (d, d) after the token z (d,), and the answer (d,)."""
        S = S + torch.outer(z, z)
        return S, torch.einsum("hab,bc,hcd,d->a", self.V, S, self.Q, z)


def load(path: str, dtype: torch.dtype = torch.float64) -> tuple[LinearAttention, list[str], dict[str, torch.Tensor]]:
    """The module, the names of the coordinates, and the tokens by name."""
    with safe_open(path, framework="pt") as file:
        described = json.loads(file.metadata()["attnc"])
        layer = LinearAttention(file.get_tensor("V").to(dtype), file.get_tensor("Q").to(dtype))
    tokens = {}
    for name, entries in described["tokens"]:
        tokens[name] = torch.zeros(len(described["coordinates"]), dtype=dtype)
        for place, value in entries:
            tokens[name][place] = value
    return layer, described["coordinates"], tokens


def run(path: str, symbols: list[str]) -> list[str]:
    """The tokens of a run, the answers fed back as they are; exact answers are tokens of the vocabulary."""
    layer, coordinates, tokens = load(path)
    S = torch.zeros(len(coordinates), len(coordinates), dtype=torch.float64)
    S, _ = layer.step(S, tokens["start"])
    names = ["start"]
    for symbol in symbols:
        S, answer = layer.step(S, tokens[symbol])
        S, _ = layer.step(S, answer)
        names += [symbol, next(name for name, token in tokens.items() if torch.equal(token, answer))]
    return names


if __name__ == "__main__":
    with torch.no_grad():
        print("  ".join(run(sys.argv[1], sys.argv[2:])))
