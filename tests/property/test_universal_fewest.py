"""The constructions of universal automata with fewer heads and fewer dimensions, against a simulator of their own."""

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import UnsupportedError
from compiler.heads_to_rules import heads_to_rules
from compiler.model import Model
from compiler.program import Automaton, UniversalAutomaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import Fewest, lower, lowering_for
from compiler.runtime.stream import Stream
from verify.strategies import automata, words

Token = dict[str, int]
Case = tuple[UniversalAutomaton, Automaton, tuple[str, ...]]
LESS: tuple[Fewest, ...] = ("heads", "dimensions")
bounds = st.builds(UniversalAutomaton, st.just("any"), st.integers(1, 5), st.integers(1, 3))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    within = draw(bounds)
    acceptors = automata(
        max_states=within.states, max_letters=within.symbols, kinds=("acceptor",), partial=within.states > 1
    )
    program = draw(acceptors.filter(lambda a: fits(within, a)))
    return within, program, draw(words(program.alphabet, max_size=8))


def fits(within: UniversalAutomaton, program: Automaton) -> bool:
    whole = len(program.transitions) == len(program.states) * len(program.alphabet)
    return whole or len(program.states) < within.states


@cache
def compiled(states: int, symbols: int, fewest: Fewest) -> tuple[Model, Stream]:
    model = compile(UniversalAutomaton("any", states, symbols), fewest=fewest)
    return model, Stream(model)


def of(within: UniversalAutomaton, fewest: Fewest) -> tuple[Model, Stream]:
    return compiled(within.states, within.symbols, fewest)


def tokens(case: Case, fewest: Fewest) -> Iterator[Token]:
    """What the layer is given and answers, by the meaning of coordinates."""
    within, program, word = case
    order = [program.start] + [q for q in program.states if q != program.start]
    narrow = fewest == "dimensions"

    def entry(q: int, s: int) -> int:
        if q < len(order) and s < len(program.alphabet):
            target = program.transitions.get((order[q], program.alphabet[s]))
            return len(order) if target is None else order.index(target)
        return q

    def accepts(r: int, name: str = "accept") -> Token:
        return {name: 1} if r < len(order) and order[r] in (program.accept or ()) else {}

    for q, s in product(range(within.states), range(within.symbols)):
        r = entry(q, s)
        there = {f"state[{r}]" if narrow else f"value[{r}]": 1}
        yield {f"key[{q},{s}]": 1} | there | accepts(r, "accept" if narrow else "accepting")
    yield {"reg": 1, "state[0]": 1} | accepts(0)
    q = 0
    for symbol in word:
        s = program.alphabet.index(symbol)
        yield {f"symbol[{s}]": 1}
        yield {f"key[{q},{s}]": 1} if narrow else {f"at[{q},{s}]": 1, "reg": 1, f"state[{q}]": -1}
        r = entry(q, s)
        left = {f"state[{q}]": -1} if narrow else {}
        entered = {"reg": 1} if narrow and r == q else {"reg": 1, f"state[{r}]": 1} | left
        yield entered | accepts(r)
        q = r


def meaning(stream: Stream, name: str) -> Token:
    places, values = stream.vocabulary.entries(stream.vocabulary.numbers[name])
    return {stream.lowering.coordinates[p]: v for p, v in zip(places.tolist(), values.tolist(), strict=True)}


@pytest.mark.parametrize("fewest", LESS)
@settings(max_examples=150)
@given(cases())
def test_every_token_is_the_simulators(fewest: Fewest, case: Case) -> None:
    within, program, word = case
    model, stream = of(within, fewest)
    expected = list(tokens(case, fewest))
    assert [meaning(stream, step.name) for step in stream.start(word, given=program).steps()] == expected
    naive, raw = model.run(word, given=program), model.run(word, given=program, decode="raw")
    assert [meaning(stream, name) for name in naive.tokens] == expected
    assert (raw.tokens, raw.outcome) == (naive.tokens, naive.outcome)
    turns = list(stream.lowering.running(program).dialogue(program.word(word)))
    assert [name for name, _ in turns] == list(naive.tokens)
    interpreted = within.run(word, given=program)
    assert (naive.outcome, naive.output, naive.steps) == (interpreted.outcome, (), len(word))
    assert stream.run(word, given=program) == (naive.outcome, (), len(word), len(expected))


@pytest.mark.parametrize("fewest", LESS)
@given(cases())
def test_what_is_read_is_zero_or_one(fewest: Fewest, case: Case) -> None:
    """The invariant: along a run every entry of S that a rule reads is 0 or 1."""
    within, program, word = case
    _, stream = of(within, fewest)
    form = stream.lowering.form
    S = np.zeros((form.d, form.d), dtype=np.int64)
    for name in [step.name for step in stream.start(word, given=program).steps()]:
        z = stream.lowering.tokens[name]
        S += np.outer(z, z)
        assert set(S[form.index[:, 1], form.index[:, 2]].tolist()) <= {0, 1}


@pytest.mark.parametrize("fewest", LESS)
def test_every_small_automaton_on_every_short_word(fewest: Fewest) -> None:
    """All tables of two states and two symbols, accepting or not: 64, on the 15 words of up to three symbols."""
    model, stream = compiled(2, 2, fewest)
    for moves in product("pq", repeat=4):
        for final in ("", "p", "q", "pq"):
            transitions = dict(zip(product("pq", "ab"), moves, strict=True))
            program = Automaton("a", ("a", "b"), ("p", "q"), "p", transitions, frozenset(final))
            for word in (word for length in range(4) for word in product("ab", repeat=length)):
                expected = list(tokens((UniversalAutomaton("any", 2, 2), program, word), fewest))
                run = model.run(word, given=program)
                assert [meaning(stream, name) for name in run.tokens] == expected
                assert run.outcome == program.run(word).outcome


@given(bounds)
def test_sizes(within: UniversalAutomaton) -> None:
    Q, A = within.states, within.symbols
    sizes = {"heads": (3 + 2 * Q + A + 2 * Q * A, A), "dimensions": (2 + Q + A + Q * A, A + 2)}
    usual = compile(within)
    for fewest in LESS:
        model, stream = of(within, fewest)
        form = stream.lowering.form
        assert (model.d, len(model.heads)) == sizes[fewest]
        assert model.live_rules == form, "on the domain"
        assert (heads_to_rules(model.heads, model.coordinates) == form) == (fewest == "dimensions"), "everywhere"
        assert set(model.entries().tolist()) <= {-1, 0, 1}
        assert form.violations() == []
        names = stream.vocabulary.names
        assert len({tuple(sorted(meaning(stream, name).items())) for name in names}) == len(names)
        assert lowering_for(within, model.coordinates[::-1]).coordinates == model.coordinates
    assert of(within, "heads")[0].d > usual.d > of(within, "dimensions")[0].d
    assert len(of(within, "heads")[0].heads) < len(usual.heads) < len(of(within, "dimensions")[0].heads)
    assert compile(within, fewest="tokens").digest() == usual.digest()


@pytest.mark.parametrize("fewest", LESS)
def test_the_bounds_from_below_on_what_is_compiled(fewest: Fewest) -> None:
    """Pointers and symbols are linearly independent, so d >= Q A + A; and A heads where A < Q."""
    model, stream = compiled(5, 3, fewest)
    asking = [name for name in stream.vocabulary.names if name.startswith(("at ", "symbol "))]
    assert np.linalg.matrix_rank(np.stack([model.tokens[name] for name in asking])) == 5 * 3 + 3
    assert len(model.heads) >= 3


def test_bounds_that_are_too_large_are_refused() -> None:
    for fewest in LESS:
        with pytest.raises(UnsupportedError, match="over 1,000,000 tokens"):
            lower(UniversalAutomaton("any", 1000, 2), fewest=fewest)
