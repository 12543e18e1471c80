"""State dicts of flash-linear-attention's LinearAttention: read as it computes, or refused where that can be seen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save
from simulated_fla import LinearAttention, random_layer

import attnc
from compiler.errors import FileError
from compiler.files.projections import fused
from compiler.language.load import load
from compiler.model import Model
from compiler.program_to_model import compile


def scaled(layer: LinearAttention) -> dict[str, Any]:
    """The state dict with the layer's scale, which is not among its weights, in the queries."""
    return layer.weights | {"q_proj.weight": layer.weights["q_proj.weight"] * layer.head_k_dim**-0.5}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_answers_are_those_of_the_layer(seed: int, heads: int, d: int, keys: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, d, heads, keys, values)
    Z = rng.normal(size=(6, d))
    model = Model.from_arrays(*fused(scaled(layer), heads))
    expected = layer(Z)
    assert np.abs(model.answers(Z).astype(float) - expected).max() <= 1e-9 * (1 + np.abs(expected).max())
    if keys > 1:
        unscaled = Model.from_arrays(*fused(layer.weights, heads)).answers(Z).astype(float)
        assert np.abs(unscaled * keys**-0.5 - expected).max() <= 1e-9 * (1 + np.abs(expected).max())


@pytest.mark.parametrize("name", ["parity", "mod3", "turnstile"])
def test_a_compiled_program_in_its_layout_runs_there_and_is_proved_here(name: str, tmp_path: Path) -> None:
    """Keys and values of each head padded to 16, so that the scale is 1/4 and everything is exact."""
    program = load(name)
    model = compile(program)
    heads, d, size = len(model.heads), model.d, 16
    eye = np.eye(size, d)
    weights = {
        "q_proj.weight": np.vstack([np.pad(q, [(0, size - d), (0, 0)]) * 4.0 for q in model.Q]),
        "k_proj.weight": np.vstack([eye] * heads),
        "v_proj.weight": np.vstack([np.pad(v, [(0, size - d), (0, 0)]) for v in model.V]).astype(float),
        "o_proj.weight": np.ascontiguousarray(np.hstack([eye.T] * heads)),
    }
    layer = LinearAttention(d, heads, size, size, weights)
    word = [program.alphabet[n % len(program.alphabet)] for n in (0, 1, 1, 0, 1)]
    Z = np.stack([model.tokens[token] for token in model.run(word).tokens])
    assert (layer(Z) == model.answers(Z)).all()
    path = tmp_path / "m.safetensors"
    path.write_bytes(
        save({f"model.layers.0.attn.{n}": a for n, a in scaled(layer).items()}, metadata={"heads": str(heads)})
    )
    read = attnc.load_model(path)
    assert attnc.verify(program, read).level == "everywhere"
    assert (read.answers(Z) == layer(Z)).all()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"feature_map": "elementwise_product"}, "'feature_map_k.layer1.bias', a learned feature map"),
        ({"output_norm": "rmsnorm"}, "'norm.weight', a norm"),
        ({"num_kv_heads": 2}, "do not split into 4 heads"),
    ],
)
def test_what_can_be_seen_to_be_another_function_is_refused(other: dict[str, Any], reason: str) -> None:
    layer = random_layer(np.random.default_rng(0), 5, 4, 3, 2, **other)
    assert np.isfinite(layer(np.ones((3, 5)))).all()
    for prefix in ("", "attn."):
        with pytest.raises(FileError) as refused:
            fused({f"{prefix}{name}": array for name, array in layer.weights.items()}, 4)
        assert reason in str(refused.value).replace("attn.", "")


@pytest.mark.parametrize(
    "other",
    [
        {"feature_map": "elu"},
        {"feature_map": "relu"},
        {"output_norm": "rmsnorm", "elementwise_affine": False},
        {"norm_q": True},
        {"norm_k": True},
        {"do_feature_map_norm": True},
    ],
)
def test_what_cannot_be_seen_is_another_function(other: dict[str, Any]) -> None:
    """These settings leave nothing among the weights (docs/files.md): the layer is not the one that is read."""
    layer = random_layer(np.random.default_rng(0), 5, 4, 3, 2, **other)
    plain = LinearAttention(5, 4, 3, 2, layer.weights)
    assert set(layer.weights) == {f"{role}_proj.weight" for role in "qkvo"}
    Z = np.random.default_rng(1).normal(size=(4, 5))
    read = Model.from_arrays(*fused(scaled(plain), 4)).answers(Z).astype(float)
    assert np.abs(read - plain(Z)).max() < 1e-9 < np.abs(read - layer(Z)).max()
