"""The layers of the table, by name. Nothing here needs torch."""

from __future__ import annotations

LAYERS = {
    "linear": "linear Transformer, elu + 1",
    "linear-normalised": "linear Transformer, elu + 1, with the normaliser",
    "deltanet": "DeltaNet, rates up to 1",
    "deltanet-negative": "DeltaNet, rates up to 2",
    "deltaproduct": "gated DeltaProduct, 2 steps a token, rates up to 2",
    "recurrent-delta": "Recurrent Delta network",
    "delta-rnn": "Delta RNN",
    "srwm": "self-referential weight matrix",
    "softmax": "softmax attention without positions",
    "lstm": "LSTM",
}
"""What each name stands for."""
