"""Train one layer of linear attention on a program's runs with Adam, then ask up to which length it *is* the program.

Usage: python examples/train_and_verify.py [PROGRAM ...]          (parity, mod3 and tomita4; needs torch)

The data are runs on random words of 1 to 20 symbols; at every symbol the layer is to answer with the program's token.
Loss is the squared error, which is small after some seconds, and says nothing about longer words. The verdict does.
"""

import sys

import numpy as np
import torch

import attnc

STEPS = 1_500
HEADS = 2
NAMES = ("parity", "mod3", "tomita4")


def trained(program: attnc.Automaton, *, seed: int = 0, steps: int = STEPS) -> tuple[attnc.Model, float]:
    """A model of random heads after so many steps of Adam on all data, and its loss."""
    data = attnc.generate(program, count=32, lengths=(1, 20), seed=seed)
    torch.manual_seed(seed)
    memories, last = [], []
    for begin, end in zip(data.offsets[:-1], data.offsets[1:], strict=True):
        z = torch.tensor(data.tokens[begin:end], dtype=torch.float64)
        asked = torch.tensor(data.supervised[begin:end])
        memories.append(torch.cumsum(z[:, :, None] * z[:, None, :], 0)[asked])
        last.append(z[asked])
    S, z = torch.cat(memories), torch.cat(last)
    targets = torch.tensor(data.targets[data.supervised], dtype=torch.float64)
    V, Q = (torch.randn(HEADS, data.d, data.d, dtype=torch.float64) / data.d for _ in range(2))
    weights = [V.requires_grad_(), Q.requires_grad_()]
    adam = torch.optim.Adam(weights, lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(steps):
        adam.zero_grad()
        answers = torch.einsum("hab,nbc,hce,ne->na", *weights[:1], S, *weights[1:], z)
        loss = (answers - targets).square().sum(1).mean()
        loss.backward()
        adam.step()
        schedule.step()
    given = attnc.compile(program)
    v, q = (each.detach().numpy() for each in weights)
    return attnc.Model.from_arrays(v, q, coordinates=given.coordinates, tokens=given.tokens), loss.item()


def main(names: tuple[str, ...]) -> None:
    """Train each, and print what the verifier says."""
    for name in names:
        program = attnc.load(name)
        model, loss = trained(program)
        verdict = attnc.verify(program, model)
        print(f"{name}: loss {loss:.1e}; {verdict.verdict} ({verdict.level}), right up to length {verdict.lengths}")
        if (found := verdict.counterexample) is not None:
            print(f"  {written(found)}: expected {found.expected!r}, got {found.got!r}")


def written(found: attnc.Counterexample) -> str:
    """The word of a counterexample, however long."""
    word = "".join(found.input)
    if found.repeated is not None:
        begin, end, times = found.repeated
        return f"{word[:begin]}({word[begin:end]}){word[end:]}, with {times:,} times what is in parentheses"
    return word if len(word) < 80 else f"{word[:60]}... ({len(word):,} symbols)"


if __name__ == "__main__":
    np.seterr(all="raise")
    main(tuple(sys.argv[1:]) or NAMES)
