"""The statement of correctness: interpreter = rules = attention = recurrence = learned = decompiled."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.attention import attention
from compiler.heads_to_rules import heads_to_rules
from compiler.learning.learn import learn
from compiler.program.automaton import Automaton
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.traces.program_to_traces import generate
from verify.decompiled import decompile
from verify.strategies import automata, words
from verify.verify import verify


def with_word(program: Automaton, max_size: int = 12) -> st.SearchStrategy[tuple[Automaton, tuple[str, ...]]]:
    return st.tuples(st.just(program), words(program.alphabet, max_size=max_size))


runs = automata().flatmap(with_word)


def reachable_part(program: Automaton) -> Automaton:
    kept = set(program.reachable())
    moves = {(q, s): t for (q, s), t in program.transitions.items() if q in kept}
    return Automaton(
        program.name,
        program.alphabet,
        tuple(q for q in program.states if q in kept),
        program.start,
        moves,
        None if program.accept is None else program.accept & kept,
        None if program.moore is None else {q: x for q, x in program.moore.items() if q in kept},
        None if program.mealy is None else {m: x for m, x in program.mealy.items() if m in moves},
    )


@given(automata())
def test_rules_are_legal_and_small(program: Automaton) -> None:
    lowering = lower(program)
    form = lowering.form
    assert form.violations() == []
    assert set(form.weights.tolist()) <= {-1, 1}
    outputs = sum(not name.startswith(("reg", "state", "symbol")) for name in form.coordinates)
    assert form.d == len(lowering.states) + len(program.alphabet) + 1 + outputs
    assert all(set(vector.tolist()) <= {-1, 0, 1} for vector in lowering.tokens.values())
    assert len({tuple(vector.tolist()) for vector in lowering.tokens.values()}) == len(lowering.tokens)


@given(automata(max_states=4, max_letters=6))
def test_heads_are_the_rules_and_few(program: Automaton) -> None:
    lowering = lower(program)
    model = compile(program)
    assert heads_to_rules(model.heads, model.coordinates) == lowering.form
    outputs = model.d - len(lowering.states) - len(program.alphabet) - 1
    assert len(model.heads) <= min(len(program.alphabet), len(lowering.states) + outputs)
    assert set(model.entries().tolist()) <= {-1, 1}
    assert len({head.name for head in model.heads}) == len(model.heads)


@given(runs)
def test_all_executions_agree(pair: tuple[Automaton, tuple[str, ...]]) -> None:
    program, word = pair
    lowering, model = lower(program), compile(program)
    trace = lowering.trace(word)
    Z = np.stack([lowering.tokens[name] for name in trace])
    in_attention = model.answers(Z)
    memory = None
    for place, token in enumerate(Z):
        memory, answer = model.step(memory, token)
        assert np.array_equal(answer, in_attention[place])
        assert np.array_equal(lowering.form.answer(memory, token), answer)
        if place % 2:
            assert np.array_equal(answer, Z[place + 1]), "the answer to a symbol is the next token"
    assert np.array_equal(model.by_head(Z).sum(axis=1), in_attention)
    assert np.array_equal(attention(model.V, model.Q, Z), in_attention[-1])
    for decode in ("nearest", "raw"):
        run = model.run(word, decode=decode)
        assert list(run.tokens) == trace
        assert run.agrees_with(program.run(word))
        assert np.array_equal(run.memory, Z.T @ Z)


@given(runs)
def test_floats_run_as_integers_do(pair: tuple[Automaton, tuple[str, ...]]) -> None:
    program, word = pair
    model = compile(program)
    floats = type(model).from_arrays(
        model.V / 2, model.Q * 2.0, coordinates=model.coordinates, tokens=model.tokens, program=program
    )
    assert floats.run(word).tokens == model.run(word).tokens
    assert verify(program, floats).level == "everywhere"


@given(automata())
def test_compiled_is_proved(program: Automaton) -> None:
    verdict = verify(program, compile(program))
    assert (verdict.verdict, verdict.level, verdict.lengths) == ("proved", "everywhere", "all")


@settings(max_examples=60)
@given(automata())
def test_learned_from_a_certified_set_is_the_program(program: Automaton) -> None:
    data = generate(program, certified=True)
    learned = learn(data, program=program)
    report = learned.report
    assert report.exact
    assert report.certified
    assert report.residual == 0
    assert report.rank <= report.samples
    assert verify(program, learned.model)
    assert decompile(learned.model) == reachable_part(program)


@settings(max_examples=40)
@given(automata(partial=False), st.randoms(use_true_random=False))
def test_the_basic_solution_is_the_program_in_any_order_of_coordinates(program: Automaton, random) -> None:
    """The learner sees no names, so a permutation of the coordinates must not change what it finds."""
    data = generate(program, certified=True)
    order = list(range(data.d))
    random.shuffle(order)
    shuffled = type(data)(data.tokens[:, order], data.offsets, data.targets[:, order], data.supervised)
    straight, permuted = learn(type(data)(data.tokens, data.offsets, data.targets, data.supervised)), learn(shuffled)
    assert (permuted.report.rank, permuted.report.live) == (straight.report.rank, straight.report.live)
    Z = data.tokens
    assert np.array_equal(permuted.model.answer(Z[:, order]), straight.model.answer(Z)[order])


@given(automata())
def test_minimised_has_the_same_runs_and_no_more_states(program: Automaton) -> None:
    least = program.minimised()
    assert len(least.states) <= len(program.reachable())
    assert verify(program, least)
    assert least.minimised() == least
    assert verify(least, compile(program, minimise=True)).level == "everywhere"
