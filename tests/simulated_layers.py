"""Weights as other tools keep them: projections of a model's heads, in the layouts of several libraries."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.model import Model

Arrays = dict[str, NDArray[Any]]


def projections(model: Model, *, kind: str = "f8") -> Arrays:
    """The heads of integer weights as q, k, v and o, (H, d, d): Q = k^T q and V = o v, by halves and quarters."""
    V, Q = model.V.astype(kind), model.Q.astype(kind)
    eye = np.broadcast_to(np.eye(model.d, dtype=kind), V.shape)
    return {"q": Q / 2, "k": 2 * eye, "v": V * 4, "o": eye / 4}


def stacked(parts: Arrays) -> Arrays:
    """All heads one above the other: q, k, v (H d_head, d), o (d, H d_head)."""
    d = parts["o"].shape[1]
    rows = {role: parts[role].reshape(-1, d) for role in "qkv"}
    return rows | {"o": parts["o"].transpose(1, 0, 2).reshape(d, -1)}


def schemes(model: Model, *, kind: str = "f8") -> dict[str, Arrays]:
    """The model's weights in every layout that is read, by a name."""
    parts = projections(model, kind=kind)
    flat = stacked(parts)
    heads = {"heads": np.array(len(model.heads))}
    linear = {f"{role}_proj.weight": flat[role] for role in "qkv"}
    zero = {"k_proj.bias": np.zeros(len(flat["k"]), dtype=kind)}
    return {
        "V and Q": {"V": model.V.astype(kind), "Q": model.Q.astype(kind)},
        "per head": parts,
        "W_Q": {f"layer.W_{role.upper()}": array for role, array in parts.items()},
        "stacked": flat | heads,
        "linear": {
            f"layers.0.attn.{name}": each for name, each in (linear | zero | {"o_proj.weight": flat["o"]}).items()
        }
        | heads,
        "out_proj": linear | {"out_proj.weight": flat["o"]} | heads,
        "multihead": {
            "attn.in_proj_weight": np.concatenate([flat[role] for role in "qkv"]),
            "attn.in_proj_bias": np.zeros(3 * len(flat["q"]), dtype=kind),
            "attn.out_proj.weight": flat["o"],
        }
        | heads,
    }


def moved(model: Model, place: NDArray[Any]) -> Model:
    """The model without names, its coordinate `place[i]` as coordinate i; the tokens are moved alike."""
    tokens = {name: vector[place] for name, vector in model.tokens.items()}
    V, Q = (side[:, place][:, :, place] for side in (model.V, model.Q))
    return Model.from_arrays(V, Q, tokens=tokens)


def in_another_basis(model: Model, M: NDArray[Any], inverse: NDArray[Any]) -> Model:
    """The model without names, in coordinates x = M c, with M (d, d) of Fractions."""
    tokens = {name: M @ vector for name, vector in model.tokens.items()}
    V = np.stack([M @ v @ inverse for v in model.V.astype(object)])
    Q = np.stack([inverse.T @ q @ inverse for q in model.Q.astype(object)])
    return Model.from_arrays(V, Q, tokens=tokens)
