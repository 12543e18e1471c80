"""The rule that is to blame: what is changed in one place is found there, and the score is the sum over rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.language.load import load
from compiler.model import Model
from compiler.program_to_model import compile
from verify.blame import most_to_blame
from verify.strategies import models
from verify.verify import verify


@pytest.mark.parametrize(("factor", "weight", "wanted"), [(1, "-3", "1"), (1.5, "-2", "1.5"), (0.75, "-4", "0.75")])
def test_one_wrong_weight_is_named(factor, weight, wanted):
    """By what it adds times the entry of the last token; answers are cubic in the tokens."""
    program = load("mod3")
    model = compile(program)
    V = model.V
    number, e = 1, model.coordinates.index("symbol[1]")
    assert model.Q[number, model.coordinates.index("reg"), e] == 1
    V[number, model.coordinates.index("state[r2]"), model.coordinates.index("state[r1]")] = -3
    tokens = {name: factor * vector for name, vector in model.tokens.items()}
    broken = Model.from_arrays(V, model.Q / factor**2, coordinates=model.coordinates, tokens=tokens)
    found = verify(program, broken).counterexample
    assert found is not None
    assert (found.input, found.at) == (("1", "1"), "the answer to 1, token 4")
    assert (found.expected, found.got) == ("r1 -> r2", "r2 -> r0 + accept")
    assert found.blame == f"state[r2] += {weight} S[reg, state[r1]] on symbol[1]; the program has {wanted}"


def test_floats_are_said_to_three_digits():
    program = load("parity")
    model = compile(program)
    rng = np.random.default_rng(0)
    noisy = Model.from_arrays(
        model.V + 0.05 * rng.normal(size=model.V.shape), model.Q, coordinates=model.coordinates, tokens=model.tokens
    )
    found = verify(program, noisy).counterexample
    assert found is not None
    assert found.blame is not None
    assert "; the program has" in found.blame


@settings(max_examples=60)
@given(models(max_d=3), st.data())
def test_no_other_rule_adds_more(model, data):
    """Against all rules, one by one, as the layer's own form lists them."""
    d = model.d
    numbers = st.lists(st.integers(-2, 2), min_size=d, max_size=d)
    last, right, wrong, other = (np.array(data.draw(numbers)) for _ in range(4))
    memory = np.outer(last, last) + np.outer(other, other)
    nothing = compile(load("parity")).rules.of(model.coordinates, [])
    told = most_to_blame(model, nothing, memory, last, right, wrong)
    harms: dict[tuple[int, int, int], float] = {}
    for (e, b, c, a), weight in zip(model.rules.index.tolist(), model.rules.weights.tolist(), strict=True):
        added = float((wrong - right)[a] * weight * memory[b, c] * last[e])
        harms[a, b, c] = harms.get((a, b, c), 0.0) + added
    worst = max(harms.values(), default=0.0)
    names = model.coordinates
    if worst > 0:
        best = {f"{names[a]} += X S[{names[b]}, {names[c]}]" for (a, b, c), harm in harms.items() if harm == worst}
        head, _, tail = told.partition(" += ")
        assert f"{head} += X S{tail.partition(' S')[2].partition(' on ')[0]}" in best
