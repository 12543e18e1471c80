"""The weights of somebody else's layer as V and Q: fused already, or query, key, value and output projections.

With H heads, q_h and k_h of shape (d_k, d), v_h (d_v, d) and o_h (d, d_v), the layer of linear attention is

    y = sum_h o_h sum_i (v_h z_i) (k_h z_i) . (q_h z_n) = sum_h V_h S Q_h z_n,     V_h = o_h v_h,  Q_h = k_h^T q_h.

Floats are the rationals that they are, so the products are exact. What is not in the weights is not seen: a scale (of
flash-linear-attention d_k^(-1/2)) has to be in q; a feature map or a norm without weights is another function.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import gcd
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.errors import FileError
from compiler.exact import product, scaled

Arrays = Mapping[str, NDArray[Any]]

FACTS = ("heads", "tokens", "coordinates")
"""What a file may say beside its weights and embeddings."""
MOST_ENTRIES = 2**22
"""The most entries of V, H d d, that are multiplied out of projections."""

NAMES = (
    {"V": "V", "Q": "Q", "in_proj_weight": "qkv", "out_proj.weight": "o"}
    | {role: role for role in "qkvo"}
    | {f"W_{role.upper()}": role for role in "qkvo"}
    | {f"{role}_proj.weight": role for role in "qkvo"}
)
"""What each weight is called, after a prefix that all share."""
BIASES = frozenset({"in_proj_bias", "out_proj.bias", *(f"{role}_proj.bias" for role in "qkvo")})
OTHERS = {"norm": "a norm", "feature_map_q": "a learned feature map", "feature_map_k": "a learned feature map"}
"""What makes a layer another function, by the first part of its name (flash-linear-attention)."""
SETS = ({"V", "Q"}, {"q", "k", "v", "o"}, {"qkv", "o"})
KNOWN = "V and Q; q, k, v, o; W_Q, ..; q_proj.weight, .., o_proj.weight or out_proj.weight; in_proj_weight"


class Fused(NamedTuple):
    """V and Q, (heads, d, d): integers, floats, or Fractions in object arrays."""

    V: NDArray[Any]
    Q: NDArray[Any]


def has_weights(names: set[str]) -> bool:
    """Whether arrays of these names are the weights of a layer, to tell a model from data."""
    return {NAMES[name] for name in _short(names - {*FACTS, "embeddings"}) if name in NAMES} in SETS


def fused(arrays: Arrays, heads: int | None) -> Fused:
    """V and Q of a layer with these weights; `heads` where the file or its user says how many there are.

    Raises
    ------
    FileError
        For other arrays, shapes that do not fit, biases that are not zero, or where `heads` is needed or wrong.
    """
    found: dict[str, NDArray[Any]] = {}
    short = _short(set(arrays))
    for name in sorted(short):
        array = arrays[short[name]]
        if name in BIASES:
            if array.any():
                raise FileError(f"{short[name]} is not zero, and a layer of linear attention here has no biases")
        elif (other := OTHERS.get(name.split(".")[0])) is not None:
            raise FileError(f"it has an array {short[name]!r}, {other}, which a layer of linear attention here has not")
        elif name not in NAMES:
            raise FileError(f"it has an array {short[name]!r}, which is no weight of a layer that is known: {KNOWN}")
        elif NAMES[name] in found:
            raise FileError(f"{short[name]!r} is a second array for the weights {NAMES[name]}")
        else:
            found[NAMES[name]] = array
    if set(found) not in SETS:
        raise FileError(f"it has the weights {', '.join(sorted(found)) or 'of nothing'}; expected {KNOWN}")
    return _given(found["V"], found["Q"], heads) if "V" in found else _multiplied(found, heads)


def _short(names: set[str]) -> dict[str, str]:
    """The names by what remains of them without the prefix (up to a dot) that all of them share."""
    listed = sorted(names)
    parts = [name.split(".") for name in listed]
    shared = 0
    while parts and all(len(each) > shared + 1 and each[shared] == parts[0][shared] for each in parts):
        shared += 1
    return {".".join(each[shared:]): name for each, name in zip(parts, listed, strict=True)}


def _given(V: NDArray[Any], Q: NDArray[Any], heads: int | None) -> Fused:
    if V.ndim == Q.ndim == 2:
        V, Q = V[None], Q[None]
    if heads is not None and len(V) != heads:
        raise FileError(f"V has shape {V.shape}, which is not {heads} heads")
    return Fused(V, Q)


def _multiplied(found: Mapping[str, NDArray[Any]], heads: int | None) -> Fused:
    """The exact products of projections, each for all heads at once or one above the other."""
    parts = dict(found)
    if "qkv" in parts:
        joined = parts.pop("qkv")
        if joined.ndim != 2 or len(joined) % 3:
            raise FileError(f"in_proj_weight has shape {joined.shape}, expected (3 d, d)")
        parts |= dict(zip("qkv", np.split(joined, 3), strict=True))
    kinds = {part.ndim for part in parts.values()}
    if kinds == {2}:
        parts = _split(parts, heads)
    elif kinds != {3}:
        raise FileError(f"projections have shapes {_shapes(parts)}: all need two dimensions, or all three")
    q, k, v, o = (parts[role] for role in "qkvo")
    fit = q.shape == k.shape and v.shape == (len(q), v.shape[1], q.shape[2]) and o.shape == (len(q), *v.shape[:0:-1])
    if not fit or not q.size or not v.size:
        wanted = "q, k (H, d_k, d), v (H, d_v, d), o (H, d, d_v), or all heads one above the other"
        raise FileError(f"projections of heads have shapes {_shapes(parts)}; expected {wanted}")
    if heads is not None and len(q) != heads:
        raise FileError(f"q has shape {q.shape}, which is not {heads} heads")
    if len(q) * q.shape[2] ** 2 > MOST_ENTRIES:
        raise FileError(f"{len(q)} heads in {q.shape[2]:,} dimensions are more than the {MOST_ENTRIES:,} entries of V")
    return Fused(_products(o, v), _products(k.transpose(0, 2, 1), q))


def _split(parts: Mapping[str, NDArray[Any]], heads: int | None) -> dict[str, NDArray[Any]]:
    """Rows of all heads one above the other (columns, of o) as an axis of heads."""
    rows = {role: part.shape[role == "o"] for role, part in parts.items()}
    most = gcd(*rows.values())
    if heads is None and most != 1:
        raise FileError(
            f"projections have shapes {_shapes(parts)}, which does not say how many heads there are: give the number "
            "(--heads N, heads=N, or an array or metadata `heads` in the file)"
        )
    count = heads or 1
    if most % count or not most:
        raise FileError(f"projections have shapes {_shapes(parts)}, which do not split into {count} heads")
    split = {
        role: part.reshape(count, rows[role] // count, part.shape[1]) for role, part in parts.items() if role != "o"
    }
    o = parts["o"]
    return split | {"o": o.reshape(len(o), count, rows["o"] // count).transpose(1, 0, 2)}


def _shapes(parts: Mapping[str, NDArray[Any]]) -> str:
    return ", ".join(f"{role} {parts[role].shape}" for role in "qkvo")


def _products(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """The matrix product of each head, (H, d, d), exactly: integers, or Fractions."""
    (a, m), (b, n) = scaled(left), scaled(right)
    whole = np.stack([product(x, y) for x, y in zip(a, b, strict=True)])
    if m * n == 1:
        return whole
    exact = np.empty(whole.shape, dtype=object)
    exact.ravel()[:] = [Fraction(value, m * n) for value in whole.ravel().tolist()]
    return exact
