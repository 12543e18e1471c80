"""Our files and our layer, read and run by PyTorch alone."""

import importlib.util
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

import attnc

EXAMPLE = Path(__file__).parents[2] / "examples" / "attention_in_torch.py"
spec = importlib.util.spec_from_file_location("attention_in_torch", EXAMPLE)
assert spec is not None
assert spec.loader is not None
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)


@pytest.mark.parametrize("name", ["parity", "turnstile", "dyck1_depth4", "s3"])
def test_torch_runs_our_files(name, tmp_path):
    program = attnc.load(name)
    path = tmp_path / "m.safetensors"
    attnc.save(attnc.compile(program), path)
    rng = np.random.default_rng(0)
    word = [program.alphabet[n] for n in rng.integers(0, len(program.alphabet), size=60)]
    expected = attnc.compile(program).run(word).tokens
    letters = [expected[n] for n in range(1, len(expected), 2)]
    with torch.no_grad():
        assert example.run(str(path), letters) == list(expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_torch_attention_is_ours(dtype, tmp_path):
    """What is read is 0 or 1, so every format gives the exact answers at the symbols."""
    program = attnc.load("s3")
    model = attnc.compile(program)
    path = tmp_path / "m.safetensors"
    attnc.save(model, path)
    layer, coordinates, tokens = example.load(str(path), dtype)
    assert tuple(coordinates) == model.coordinates
    run = model.run([program.alphabet[n % 2] for n in range(40)])
    Z = torch.stack([tokens[name] for name in run.tokens])
    with torch.no_grad():
        answers = layer(Z).to(torch.float64).numpy()
    assert np.array_equal(answers, model.answers(np.stack([model.tokens[name] for name in run.tokens])))


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 0.0), (torch.float32, 1e-6), (torch.bfloat16, 0.05)], ids=str
)
def test_the_torch_layer_conforms(dtype, tolerance):
    def backend(V, Q, Z):
        V, Q, Z = (torch.from_numpy(each).to(dtype) for each in (V, Q, Z))
        return example.LinearAttention(V, Q)(Z).detach().to(torch.float64)

    report = attnc.conformance.check(backend, tolerance=tolerance)
    assert report, report


def test_a_torch_layer_with_q_transposed_does_not_conform():
    def backend(V, Q, Z):
        layer = example.LinearAttention(torch.from_numpy(V), torch.from_numpy(Q).transpose(1, 2))
        return layer(torch.from_numpy(Z))

    assert "requires grad" in str(attnc.conformance.check(backend))
    failure = attnc.conformance.check(lambda *case: backend(*case).detach()).failure
    assert failure.case.name == "one entry of V and one of Q"


def test_rationals_are_readable_as_floats(tmp_path):
    teacher = attnc.compile(attnc.load("parity"))
    thirds = np.vectorize(lambda entry: Fraction(int(entry), 3), otypes=[object])(teacher.V)
    model = attnc.Model.from_arrays(thirds, 3 * teacher.Q, coordinates=teacher.coordinates, tokens=teacher.tokens)
    attnc.save(model, tmp_path / "m.safetensors")
    layer, _, _ = example.load(str(tmp_path / "m.safetensors"))
    assert torch.equal(layer.V.detach(), torch.from_numpy(teacher.V / 3))


class LinearLayer(torch.nn.Module):
    """Linear attention as others write it: four `nn.Linear` modules without biases, heads one above the other."""

    def __init__(self, d, heads, size):
        super().__init__()
        self.heads = heads
        for name in ("q_proj", "k_proj", "v_proj"):
            setattr(self, name, torch.nn.Linear(d, heads * size, bias=False))
        self.out_proj = torch.nn.Linear(heads * size, d, bias=False)

    def forward(self, z):
        q, k, v = (
            getattr(self, name)(z).unflatten(-1, (self.heads, -1)).transpose(0, 1)
            for name in ("q_proj", "k_proj", "v_proj")
        )
        return self.out_proj(((q @ k.transpose(1, 2)).tril() @ v).transpose(0, 1).flatten(1))


def test_a_torch_layer_is_read_as_it_computes(tmp_path):
    from safetensors.torch import save_file

    torch.manual_seed(0)
    layer = LinearLayer(5, 3, 2).double()
    save_file(layer.state_dict(), tmp_path / "m.safetensors", metadata={"format": "pt", "heads": "3"})
    Z = torch.randn(7, 5, dtype=torch.float64)
    read = attnc.load_model(tmp_path / "m.safetensors")
    answers = read.answers(Z.numpy()).astype(float)
    assert np.abs(answers - layer(Z).detach().numpy()).max() < 1e-12


def test_the_weights_of_multihead_attention_are_read(tmp_path):
    from safetensors.torch import save_file

    module = torch.nn.MultiheadAttention(6, 2, bias=False)
    save_file({f"attn.{name}": each for name, each in module.state_dict().items()}, tmp_path / "m.safetensors")
    read = attnc.load_model(tmp_path / "m.safetensors", heads=2)
    q, k, v = (each.view(2, 3, 6) for each in module.in_proj_weight.detach().double().chunk(3))
    o = module.out_proj.weight.detach().double().view(6, 2, 3).transpose(0, 1)
    assert np.abs(read.Q.astype(float) - (k.transpose(1, 2) @ q).numpy()).max() < 1e-12
    assert np.abs(read.V.astype(float) - (o @ v).numpy()).max() < 1e-12
