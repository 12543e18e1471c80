"""LinearAttention of flash-linear-attention 0.6.0 in numpy, written from its source, with the settings that it has.

`fla/layers/linear_attn.py` of the wheel flash_linear_attention, and of fla_core `fla/ops/linear_attn/naive.py` and
`fla/modules/feature_map.py`. Nothing of attnc is used.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class LinearAttention:
    """The settings of the layer, by their names there, and its weights by those of its state dict."""

    hidden_size: int
    num_heads: int
    head_k_dim: int
    head_v_dim: int
    weights: dict[str, Array]
    num_kv_heads: int | None = None
    feature_map: str = "identity"
    output_norm: str = "identity"
    norm_q: bool = False
    norm_k: bool = False
    do_feature_map_norm: bool = False
    norm_eps: float = 1e-5

    def __call__(self, hidden_states: Array) -> Array:
        """The outputs (T, d) at every position of one sequence (T, d)."""
        heads = self.num_heads
        groups = heads // (self.num_kv_heads or heads)
        q, k, v = (hidden_states @ self.weights[f"{role}_proj.weight"].T for role in "qkv")
        q = q.reshape(len(q), heads, self.head_k_dim)  # '... (h d) -> ... h d'
        k = np.repeat(k.reshape(len(k), heads // groups, self.head_k_dim), groups, axis=1)  # '... (h g) d'
        v = np.repeat(v.reshape(len(v), heads // groups, self.head_v_dim), groups, axis=1)
        q, k = self._mapped(q, "q"), self._mapped(k, "k")
        q = q / (q.sum(-1, keepdims=True) + 1e-4) if self.norm_q else q
        k = k / (k.sum(-1, keepdims=True) + 1e-4) if self.norm_k else k
        o = self._recurrent(q, k, v)
        if self.output_norm == "rmsnorm":
            o = o / np.sqrt((o * o).mean(-1, keepdims=True) + self.norm_eps) * self.weights.get("norm.weight", 1)
        return o.reshape(len(o), -1) @ self.weights["o_proj.weight"].T

    def _mapped(self, x: Array, side: str) -> Array:
        if self.feature_map == "identity":
            return x
        if self.feature_map == "relu":
            return np.maximum(x, 0)
        if self.feature_map == "elu":
            return np.where(x > 0, x, np.expm1(np.minimum(x, 0))) + 1
        assert self.feature_map == "elementwise_product"
        parts = [self.weights[f"feature_map_{side}.layer{n}.weight"] for n in (1, 2)]
        biases = [self.weights[f"feature_map_{side}.layer{n}.bias"] for n in (1, 2)]
        return (x @ parts[0].T + biases[0]) * (x @ parts[1].T + biases[1])

    def _recurrent(self, q: Array, k: Array, v: Array) -> Array:
        """`naive_recurrent_linear_attn`: the scale is that of the dimension of a head, unless another is given."""
        scale = q.shape[-1] ** -0.5
        S = np.zeros((self.num_heads, q.shape[-1], v.shape[-1]))
        o = np.empty(v.shape)
        for t in range(len(q)):
            S = S + np.einsum("hk,hv->hkv", k[t], v[t])
            o[t] = np.einsum("hkv,hk->hv", S, q[t] * scale)
        return o / ((q * scale * k.cumsum(0)).sum(-1, keepdims=True) + 1e-10) if self.do_feature_map_norm else o


def random_layer(
    rng: np.random.Generator, d: int, heads: int, keys: int, values: int, **settings: Any
) -> LinearAttention:
    """A layer with Gaussian weights, and what its settings give it beside the projections."""
    groups = heads // (settings.get("num_kv_heads") or heads)
    rows = {"q": heads * keys, "k": heads * keys // groups, "v": heads * values // groups}
    weights = {f"{role}_proj.weight": rng.normal(size=(size, d)) for role, size in rows.items()}
    weights["o_proj.weight"] = rng.normal(size=(d, heads * values))
    if settings.get("feature_map") == "elementwise_product":
        for name in (f"feature_map_{side}.layer{n}" for side in "qk" for n in (1, 2)):
            weights |= {f"{name}.weight": rng.normal(size=(keys, keys)), f"{name}.bias": rng.normal(size=keys)}
    if settings.get("output_norm") == "rmsnorm" and settings.pop("elementwise_affine", True):
        weights["norm.weight"] = np.ones(values)
    return LinearAttention(d, heads, keys, values, weights, **settings)
