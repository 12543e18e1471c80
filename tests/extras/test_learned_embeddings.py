"""Layers whose embeddings are learned with their weights, by cross-entropy over the answers, are judged as they are."""

import numpy as np
import pytest
import torch
from turned import least_failure

import attnc
from compiler.program_to_rules.lower import lower


def trained(program, d, *, heads=2, steps=400, seed=0):
    """A model in d dimensions of its own, and its loss: every token of 32 runs asks as if it were fed the program's."""
    lowering, rng = lower(program), np.random.default_rng(seed)
    torch.manual_seed(seed)
    answers = sorted(set(lowering.answers.values()))
    names = list(lowering.tokens)
    choices = torch.tensor([names.index(name) for name in answers])
    counts, last, right = [], [], []
    for _ in range(32):
        word = [program.alphabet[n] for n in rng.integers(0, len(program.alphabet), rng.integers(1, 21))]
        trace = lowering.trace(word)
        for place in range(1, len(trace) - 1, 2):
            counts.append([trace[: place + 1].count(name) for name in names])
            last.append(names.index(trace[place]))
            right.append(answers.index(trace[place + 1]))
    counts, last, right = torch.tensor(counts, dtype=torch.float64), torch.tensor(last), torch.tensor(right)
    E = torch.randn(len(names), d, dtype=torch.float64) / d**0.5
    V, Q = (torch.randn(heads, d, d, dtype=torch.float64) / d for _ in range(2))
    weights = [each.requires_grad_() for each in (E, V, Q)]
    adam = torch.optim.Adam(weights, lr=0.02)
    for _ in range(steps):
        adam.zero_grad()
        S = torch.einsum("nt,ta,tb->nab", counts, E, E)
        y = torch.einsum("hab,nbc,hce,ne->na", V, S, Q, E[last])
        scores = 2 * y @ E[choices].T - E[choices].square().sum(1)
        loss = torch.nn.functional.cross_entropy(scores, right)
        loss.backward()
        adam.step()
    E, V, Q = (each.detach().numpy() for each in weights)
    return attnc.Model.from_arrays(V, Q, tokens=dict(zip(names, E, strict=True))), loss.item()


@pytest.mark.parametrize(("name", "d"), [("parity", 6), ("parity", 10), ("flip_flop", 5)])
def test_a_model_with_embeddings_of_its_own(name, d):
    program = attnc.load(name)
    model, loss = trained(program, d)
    assert loss < 0.1
    verdict = attnc.verify(program, model)
    assert verdict.level == "decisions"
    assert "coordinates of its own" in verdict.witness[0]
    longest = 10
    word = least_failure(program, model, longest)
    if word is None:
        assert verdict.verdict == "proved" or verdict.lengths >= longest
    else:
        assert (verdict.lengths, verdict.counterexample.input) == (len(word) - 1, word)
    stored = attnc.proof_of(program, model, verdict)
    assert attnc.check_proof(stored, program, model) is None
