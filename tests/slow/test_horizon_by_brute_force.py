"""Two hundred perturbed models over ten automata: the horizon is that of running every word, as far as that reaches.

All words of a length are run at once by the definition of the layer, S by S, with their decisions fed back; nothing of
the verifier is used.
"""

import numpy as np
import pytest
from perturbed import fails

from compiler.language.load import load
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify.verify import verify

NAMES = "parity mod3 tomita4 even_pairs flip_flop turnstile no_two_alarms s3 tomita7 mirror".split()
LONGEST = 14
MOST_WORDS = 40_000


def noisy(model: Model, seed: int) -> Model:
    """Noise on all weights: on few, too, so that some cycles cost nothing."""
    rng = np.random.default_rng(seed)
    size = 10 ** rng.uniform(-2.3, -0.7)
    kept = 1.0 if seed % 2 else (rng.random(model.V.shape) < 0.1)
    v, q = (w + size * rng.normal(size=w.shape) * kept for w in (model.V, model.Q))
    return Model.from_arrays(v, q, coordinates=model.coordinates, tokens=model.tokens, program=model.program)


def by_brute_force(program, model: Model):
    """The least word that fails, and how far words were run: all of a length at once, in the order of the alphabet."""
    lowering = lower(program)
    names = sorted(set(lowering.answers.values()))
    choices = np.stack([lowering.tokens[name] for name in names]).astype(float)
    start = np.stack([lowering.tokens[name] for name in lowering.start]).astype(float)
    memories, states, words = (start.T @ start)[None], [program.start], [()]
    length = 0
    while length < LONGEST and len(words) * len(program.alphabet) <= MOST_WORDS:
        length += 1
        parts = []
        for symbol in program.alphabet:
            z = lowering.tokens[lowering.letters[symbol]].astype(float)
            here = memories + np.outer(z, z)
            y = np.einsum("hab,nbc,hc->na", model.V, here, model.Q @ z)
            decided = ((y[:, None] - choices) ** 2).sum(2).argmin(1)
            right = np.array([names.index(lowering.answers[state, symbol]) for state in states])
            appended = choices[right]
            after = here + appended[:, :, None] * appended[:, None, :]
            parts.append((decided == right, after, [lowering.next_state(state, symbol) for state in states]))
        order = [(n, k) for n in range(len(words)) for k in range(len(parts))]
        longer = [(*words[n], program.alphabet[k]) for n, k in order]
        for number, (n, k) in enumerate(order):
            if not parts[k][0][n]:
                return longer[number], length
        memories = np.stack([part[1] for part in parts], axis=1).reshape(-1, model.d, model.d)
        states = [parts[k][2][n] for n, k in order]
        words = longer
    return None, length


@pytest.mark.parametrize("name", NAMES)
def test_twenty_perturbed_models(name):
    program = load(name)
    compiled = compile(program)
    short = 0
    for seed in range(20):
        model = noisy(compiled, seed)
        found = verify(program, model, level="decisions")
        word, reached = by_brute_force(program, model)
        if word is None:
            assert found.lengths == "all" or found.lengths >= reached, seed
        else:
            short += 1
            assert (found.verdict, found.lengths) == ("refuted", len(word) - 1), seed
            assert found.counterexample.input == word, seed
        if found.counterexample is not None and len(found.counterexample.input) < 3_000:
            assert fails(program, model, found.counterexample.input), seed
    assert 3 <= short < 20, "brute force reaches some and not all"
