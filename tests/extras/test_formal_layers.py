"""The layers that are trained are the reference layers: the same answers, from the same weights."""

from functools import partial

import numpy as np
import pytest
import torch

from compiler.fastweight.delta_product import DeltaProduct
from compiler.fastweight.delta_rnn import DeltaRNN
from compiler.fastweight.layer import run
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.recurrent_delta import RecurrentDelta
from compiler.fastweight.self_referential import SelfReferential
from compiler.formal.layers import LAYERS
from compiler.formal.torch_model import MAKERS, Model

D, HEADS, SIZE = 5, 2, 3


def made(layer, seed):
    """The layer in torch, with larger weights than it begins with, and its weights by name."""
    torch.manual_seed(seed)
    module = MAKERS[layer](D, HEADS, SIZE).double()
    with torch.no_grad():
        for each in module.parameters():
            each.normal_()
    return module, {name: each.detach().numpy() for name, each in module.named_parameters()}


REFERENCES = {
    "linear": partial(LinearTransformer, feature="elu+1"),
    "linear-normalised": partial(LinearTransformer, feature="elu+1", normalise=True),
    "deltanet": DeltaProduct,
    "deltanet-negative": partial(DeltaProduct, beta_max=2),
    "deltaproduct": partial(DeltaProduct, beta_max=2),
    "recurrent-delta": RecurrentDelta,
    "delta-rnn": DeltaRNN,
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("layer", REFERENCES)
def test_layers_agree_with_the_reference(layer, seed):
    module, weights = made(layer, seed)
    X = np.random.default_rng(seed).normal(size=(4, 20, D))
    with torch.no_grad():
        found = module(torch.from_numpy(X)).numpy()
    assert np.abs(found - run(REFERENCES[layer](**weights), X)).max() < 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_self_referential_weights_agree_after_the_projection(seed):
    module, weights = made("srwm", seed)
    X = np.random.default_rng(seed).normal(size=(4, 20, D))
    with torch.no_grad():
        found = module(torch.from_numpy(X)).numpy()
    read = np.einsum("hmd,bnd->bnhm", weights["slow"], X).reshape(4, 20, HEADS * SIZE)
    assert np.abs(found - run(SelfReferential(weights["W_0"]), read)).max() < 1e-9


@pytest.mark.parametrize("layer", LAYERS)
def test_models_are_causal_and_treat_words_alike(layer):
    torch.manual_seed(0)
    model = Model(layer, 3)
    words = torch.randint(0, 3, (4, 12))
    with torch.no_grad():
        whole = model(words)
        for n in (1, 7):
            assert torch.allclose(model(words[:, :n]), whole[:, :n], atol=1e-5)
        assert torch.allclose(model(words[2:3]), whole[2:3], atol=1e-5)
    assert whole.shape == (4, 12)


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_reach_every_weight(layer):
    torch.manual_seed(0)
    model = Model(layer, 2)
    model(torch.randint(0, 2, (4, 9))).square().sum().backward()
    assert all(each.grad is not None and each.grad.abs().max() > 0 for each in model.parameters())
