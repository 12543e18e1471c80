"""The model that is trained: an embedding, blocks of a layer and a feed-forward network, and a readout.

    h = embedding of the letter
    h <- h + P layer([norm(h), 1]),    h <- h + feed_forward(norm(h))        once in each block
    logit that the word so far is in the language = readout(norm(h))

There are no positions. The layer's tokens have a constant coordinate 1, so that its projections have biases and are
still just those of its reference layer. This module needs torch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from compiler.formal.recipe import BLOCKS, HEADS, SIZE, WIDTH
from compiler.formal.torch_attention import DeltaProduct, LinearTransformer, SoftmaxAttention
from compiler.formal.torch_recurrence import LSTM, DeltaRNN, RecurrentDelta, SelfReferential

MAKERS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "linear": partial(LinearTransformer, normalise=False),
    "linear-normalised": partial(LinearTransformer, normalise=True),
    "deltanet": partial(DeltaProduct, steps=1, decay=False, beta_max=1),
    "deltanet-negative": partial(DeltaProduct, steps=1, decay=False, beta_max=2),
    "deltaproduct": partial(DeltaProduct, steps=2, decay=True, beta_max=2),
    "recurrent-delta": RecurrentDelta,
    "delta-rnn": DeltaRNN,
    "srwm": SelfReferential,
    "softmax": SoftmaxAttention,
    "lstm": LSTM,
}
"""What makes each layer of compiler/formal/layers.py, given d, heads and size."""


class Block(nn.Module):
    """A layer and a feed-forward network, each with a norm before it and a residual around it."""

    def __init__(self, layer: str) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.layer = MAKERS[layer](WIDTH + 1, HEADS, SIZE)
        self.project = nn.Linear(HEADS * SIZE, WIDTH, bias=False)
        self.feed_forward = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, h: Tensor) -> Tensor:
        """From h (B, n, WIDTH) to the next h."""
        constant = h.new_ones(*h.shape[:2], 1)
        h = h + self.project(self.layer(torch.cat([self.before(h), constant], -1)))
        return h + self.feed_forward(self.between(h))


class Model(nn.Module):
    """A recogniser of words over so many letters, with layers of this name."""

    def __init__(self, layer: str, letters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(letters, WIDTH)
        self.blocks = nn.Sequential(*(Block(layer) for _ in range(BLOCKS)))
        self.readout = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 1))

    def forward(self, letters: Tensor) -> Tensor:
        """For numbers of letters (B, n), the logits (B, n) that the words so far are in the language."""
        logits: Tensor = self.readout(self.blocks(self.embedding(letters)))
        return logits[..., 0]
