"""Decisions that stay right however answers are moved by up to a tolerance, against distances."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from perturbed import noisy

from compiler.errors import UnsupportedError
from compiler.language.load import load
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from verify.verify import verify


def least_distance(program, model, word) -> float:
    """How far the answer is from being as near to another token as to the right one; below 0 where it is."""
    lowering = lower(program)
    *seen, right = lowering.trace(word)
    y, t = model.answer(np.stack([lowering.tokens[name] for name in seen])), lowering.tokens[right]
    choices = [lowering.tokens[name] for name in {*lowering.answers.values()} if name != right]
    return min((2 * (t - w) @ y - t @ t + w @ w) / (2 * np.linalg.norm(t - w)) for w in choices)


@pytest.mark.parametrize("name", ["parity", "mod3", "tomita4"])
@pytest.mark.parametrize("tolerance", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("seed", range(3))
def test_with_a_tolerance_answers_stay_away_from_others(name: str, tolerance: float, seed: int) -> None:
    program = load(name)
    model = noisy(compile(program), 0.05, seed)
    found = verify(program, model, tolerance=tolerance)
    words = (word for length in range(1, 9) for word in product(program.alphabet, repeat=length))
    first = next((word for word in words if least_distance(program, model, word) <= tolerance), None)
    if first is None:
        assert found.lengths == "all" or found.lengths >= 8
    else:
        assert (found.verdict, found.lengths, found.counterexample.input) == ("refuted", len(first) - 1, first)
    assert found.lengths is not None
    assert found.tolerance == Fraction(tolerance)


def test_a_tolerance_of_half_the_distance_is_a_tie() -> None:
    program = load("parity")
    model = compile(program)
    choices = [lower(program).tokens[name] for name in {*lower(program).answers.values()}]
    squares = [int(((t - w) ** 2).sum()) for n, t in enumerate(choices) for w in choices[:n]]
    half = min(squares) ** 0.5 / 2
    assert verify(program, model, tolerance=half * (1 - 1e-9)).lengths == "all"
    refused = verify(program, model, tolerance=half * (1 + 1e-9))
    assert refused.verdict == "refuted"
    assert "where it is moved by" in refused.counterexample.got


def test_a_tolerance_of_just_half_the_distance_is_a_tie() -> None:
    """Two tokens at distance 3, a whole number."""
    moves = {("p", "a"): "q", ("q", "a"): "p"}
    program = Automaton("swap", ("a",), ("p", "q"), "p", moves, frozenset({"q"}))
    model, lowering = compile(program), lower(program)
    t, w = (lowering.tokens[name] for name in {*lowering.answers.values()})
    assert ((t - w) ** 2).sum() == 9
    assert verify(program, model, tolerance=Fraction(3, 2) - Fraction(1, 10**9)).lengths == "all"
    refused = verify(program, model, tolerance=Fraction(3, 2))
    assert (refused.verdict, refused.lengths) == ("refuted", 0)
    assert any("moved by up to 3/2" in line for line in refused.assumptions)


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "1", None, 1j])
def test_a_tolerance_is_a_distance(wrong) -> None:
    with pytest.raises(UnsupportedError, match="a finite distance"):
        verify(load("parity"), compile(load("parity")), tolerance=wrong)


def test_a_tolerance_is_for_decisions() -> None:
    program, model = load("parity"), compile(load("parity"))
    for pair, level in (((program, model), "domain"), ((program, program), None), ((model, model), None)):
        with pytest.raises(UnsupportedError, match="for the decisions"):
            verify(*pair, level=level, tolerance=0.1)
