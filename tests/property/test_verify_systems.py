"""The verifier of memories and machines against brute force: it is judged by what it rejects."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from compiler.attention import Head, Sparse, attention
from compiler.domain.hulls import Hull, shifted
from compiler.errors import UnsupportedError
from compiler.language.load import load, parse
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.program import Machine, Memory
from compiler.program.machine import Action
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.rules_to_heads import rules_to_heads
from compiler.traces.program_to_traces import generate
from verify import same_on_hulls as hulls
from verify import system_verdict as judge
from verify.decompiled import decompile
from verify.replay import replayed
from verify.same_on_domain import described
from verify.strategies import disguises, machines, mutants
from verify.verify import verify

MOST = 40
"""The tokens of a run that brute force looks at."""


small_machines = machines(max_states=2, max_symbols=2, max_cells=4, max_steps=None)
MEMORIES = [
    Memory("m", ("a", "b"), ("x",), "latest"),
    Memory("m", ("a",), ("x", "y"), "latest", (("a", "y"),)),
    Memory("m", ("a", "b"), ("x",), "first", (("b", "x"),)),
    Memory("m", ("a", "b"), ("x",), "sum"),
]


def failing_words(program: Machine | Memory, model: Model, longest: int) -> list[tuple[object, ...]]:
    """The least words at a question of which the layer, by its definition, does not answer as the program."""
    lowering = lower(program)
    items = tuple(dict.fromkeys(lowering.items()))
    v, q = model.V, model.Q
    for length in range(min(longest, lowering.longest or longest) + 1):
        found = []
        for word in product(items, repeat=length):
            turns = list(lowering.dialogue(word, MOST))
            z = np.stack([lowering.tokens[name] for name, _ in turns])
            for place, (_, answer) in enumerate(turns):
                wanted = None if answer is None else lowering.answer_vector(answer)
                if wanted is not None and not np.array_equal(attention(v, q, z[: place + 1]), wanted):
                    found.append(word)
                    break
        if found:
            return found
    return []


def spelled(word: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(item if isinstance(item, str) else f"{item[0]} = {item[1]}" for item in word)  # type: ignore[index]


def check(program: Machine | Memory, model: Model, longest: int) -> None:
    """A refutation is a least word of brute force; a proof leaves brute force none."""
    verdict = verify(program, model)
    brute = failing_words(program, model, longest)
    if brute:
        assert verdict.verdict == "refuted", verdict
        assert verdict.counterexample is not None
        assert verdict.counterexample.input in [spelled(word) for word in brute]
    else:
        assert verdict.verdict == "proved" or verdict.counterexample is not None, verdict


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(small_machines.flatmap(lambda machine: st.tuples(st.just(machine), mutants(compile(machine)))))
def test_mutants_of_machines(pair: tuple[Machine, Model]) -> None:
    program, model = pair
    verdict = verify(program, model).verdict
    brute = failing_words(program, model, 4)
    assert (verdict == "refuted") == bool(brute)
    if brute:
        check(program, model, 4)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    machines(max_states=2, max_symbols=2, max_cells=3, max_steps=3).flatmap(
        lambda machine: st.tuples(st.just(machine), mutants(compile(machine)))
    )
)
def test_mutants_of_machines_whose_steps_are_bounded(pair: tuple[Machine, Model]) -> None:
    """What would come after the last step is not asked."""
    program, model = pair
    assert (verify(program, model, level="domain").verdict == "refuted") == bool(failing_words(program, model, 4))


@pytest.mark.parametrize("memory", MEMORIES)
def test_the_inputs_that_are_tried_of_a_memory(memory: Memory) -> None:
    lowering = lower(memory)
    items = list(dict.fromkeys(lowering.items()))
    words = [tuple(word) for word in hulls.words_of(lowering)]
    assert [len(word) for word in words] == sorted(len(word) for word in words)
    triples = [
        (a, b, c)
        for a, b, c in product(items, repeat=3)
        if isinstance(a, tuple) and isinstance(b, tuple) and a[0] == b[0]
    ]
    assert words == [*product(items), *product(items, repeat=2), *triples]
    assert triples


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(MEMORIES).flatmap(lambda memory: st.tuples(st.just(memory), mutants(compile(memory)))))
def test_mutants_of_memories(pair: tuple[Memory, Model]) -> None:
    check(*pair, 3)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(small_machines, st.sampled_from(MEMORIES)).flatmap(
        lambda program: st.tuples(st.just(program), disguises(compile(program)))
    )
)
def test_disguises_are_proved(pair: tuple[Machine | Memory, Model]) -> None:
    program, model = pair
    assert verify(program, model).verdict == "proved"
    assert decompile(model) == program


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(small_machines)
def test_what_is_learned_from_a_certified_set_is_the_machine(program: Machine) -> None:
    learned = learn(generate(program, certified=True), program=program)
    assert (learned.report.exact, learned.report.certified) == (True, True)
    assert verify(program, learned.model).verdict == "proved"
    assert failing_words(program, learned.model, 4) == []


def test_another_machine_over_the_same_names_is_refuted_and_read() -> None:
    program = replace(load("increment"), cells=5, examples=())
    assert isinstance(program, Machine)
    actions = dict(program.actions) | {
        ("carry", "0"): Action("1", -1, None, "halted"),
        ("scan", "1"): Action("0", 1, "scan"),
    }
    other = replace(program, actions=actions)
    claimed = replace(compile(other), program=program)
    verdict = verify(program, claimed)
    assert verdict.verdict == "refuted"
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == ("1",)
    read = decompile(claimed)
    assert isinstance(read, Machine)
    assert read.actions["scan", "1"] == Action("0", 1, "scan")
    assert verify(read, claimed).verdict == "proved"


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(small_machines, st.sampled_from(MEMORIES)).flatmap(
        lambda program: st.tuples(st.just(program), st.one_of(mutants(compile(program)), disguises(compile(program))))
    )
)
def test_what_hulls_alone_prove_is_so(pair: tuple[Machine | Memory, Model]) -> None:
    """Without the search for short inputs, and without a look at the rules."""
    program, model = pair
    if hulls.proved(model, lower(program)):
        assert failing_words(program, model, 3) == []
    else:
        assert verify(program, model).level != "everywhere"


TINY = (
    replace(load("increment"), cells=2, examples=()),
    Memory("m", ("a", "b"), ("x",), "latest"),
    Memory("m", ("a", "b"), ("x",), "sum"),
)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(TINY), st.data())
def test_one_rule_too_many_is_seen_by_hulls_where_a_run_shows_it(
    program: Machine | Memory, data: st.DataObject
) -> None:
    """Most are zero in most configurations: what is not yet written, or never stands together.

    Hulls may hold more than runs span, so what no run shows need not be proved.
    """
    model = compile(program)
    a, b, c, e = (data.draw(st.integers(0, model.d - 1)) for _ in range(4))
    V, Q = (np.concatenate([each, np.zeros_like(each[:1])]) for each in (model.V, model.Q))
    V[-1, a, b] = Q[-1, c, e] = 1
    more = Model.from_arrays(V, Q, coordinates=model.coordinates, tokens=model.tokens, program=program)
    if failing_words(program, more, 3):
        assert not hulls.proved(more, lower(program))


def test_hulls_alone_prove_weights_that_are_fractions() -> None:
    """With the tokens in another order, too."""
    for program in TINY:
        model, lowering = compile(program), lower(program)
        for by in (2, 3):
            V, Q = model.V.astype(object) * Fraction(1, by), model.Q.astype(object) * by
            tokens = dict(reversed(list(model.tokens.items())))
            thirds = Model.from_arrays(V, Q, coordinates=model.coordinates, tokens=tokens, program=program)
            assert hulls.proved(thirds, lowering)
            double = Model.from_arrays(2 * V, Q, coordinates=model.coordinates, tokens=model.tokens, program=program)
            assert not hulls.proved(double, lowering)


def test_the_span_of_runs_is_all_only_where_all_runs_were_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hulls, "spans_of_runs", lambda _: ({}, False))
    for program in TINY[1:]:
        model, lowering = compile(program), lower(program)
        wrong = Model.from_arrays(2 * model.V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
        assert hulls.proved(model, lowering)
        assert not hulls.proved(wrong, lowering)


def test_only_a_search_through_all_inputs_to_their_ends_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    program = replace(load("increment"), cells=4, examples=())
    lowering = lower(program)
    model = compile(program)
    inputs = len(list(hulls.words_of(lowering)))
    longest = max(len(list(lowering.dialogue(word))) for word in hulls.words_of(lowering))
    assert hulls.least_difference(model, lowering) == (None, True)
    assert hulls.least_difference(model, lowering, 10) == (None, False)
    for limit, least in (("MOST_WORDS", inputs), ("MOST_STEPS", longest + 1)):
        with monkeypatch.context() as patch:
            patch.setattr(hulls, limit, least)
            assert hulls.least_difference(model, lowering) == (None, True)
            patch.setattr(hulls, limit, least // 2)
            assert hulls.least_difference(model, lowering) == (None, False)
    backwards = list(hulls.words_of(lowering))[::-1]
    monkeypatch.setattr(hulls, "MOST_STEPS", longest)
    for words in (backwards, backwards[::-1]):
        monkeypatch.setattr(hulls, "words_of", lambda _, words=words: iter(words))
        assert hulls.least_difference(model, lowering) == (None, False), "one run was cut, the first or the last"
    monkeypatch.undo()
    assert hulls.least_difference(compile(MEMORIES[0]), lower(MEMORIES[0])) == (None, False), (
        "of any number of requests"
    )


def test_without_analysis_the_search_decides_only_where_it_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> bool:
        raise UnsupportedError("not in this version")

    monkeypatch.setattr(judge, "proved", unsupported)
    monkeypatch.setattr(judge, "difference", lambda own, _: own[0])
    program = replace(load("increment"), cells=4, examples=())
    found = verify(program, compile(program), level="domain")
    assert (found.verdict, found.assumptions[1]) == ("proved", judge.ALL_TRIED)
    monkeypatch.setattr(hulls, "MOST_WORDS", 3)
    found = verify(program, compile(program), level="domain")
    assert (found.verdict, found.assumptions[1]) == ("undecided", "not in this version")


def test_a_model_without_one_rule_is_refuted() -> None:
    for program in MEMORIES:
        form = lower(program).form
        for number in range(len(form)):
            kept = np.arange(len(form)) != number
            short = type(form)(form.coordinates, form.index[kept], form.weights[kept])
            check(program, replace(compile(program), heads=rules_to_heads(short)), 3)


def with_first_weight_more(model: Model) -> Model:
    first, *others = model.heads
    weights = first.V.weights.copy()
    weights[0] += 1
    return replace(model, heads=(Head(first.name, replace(first.V, weights=weights), first.Q), *others))


def erases() -> Machine:
    """Like increment in 5 cells, but for what it writes over 1 on its way."""
    program = replace(load("increment"), cells=5, examples=())
    return replace(program, actions=dict(program.actions) | {("scan", "1"): Action("0", 1, "scan")})


@pytest.mark.parametrize(
    ("program", "wrong"),
    [
        (replace(load("increment"), cells=5, examples=()), compile(erases())),
        (MEMORIES[0], with_first_weight_more(compile(MEMORIES[0]))),
    ],
    ids=["machine", "memory"],
)
def test_counterexamples_are_replayed_with_all_of_s_and_with_its_entries(
    program: Machine | Memory, wrong: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    lowering = lower(program)
    shown = verify(program, wrong, level="domain").counterexample
    assert shown is not None
    (word,) = (word for word in failing_words(program, wrong, 3) if spelled(word) == shown.input)
    turns, place = list(lowering.dialogue(word, MOST)), int(shown.at.rpartition(" ")[2])
    answer = wrong.answer(np.stack([lowering.tokens[name] for name, _ in turns[: place + 1]]))
    assert (shown.expected, shown.at) == (turns[place][1], f"the answer to {turns[place][0]}, token {place}")
    assert shown.got == described(answer, 1, compile(program)) != shown.expected
    monkeypatch.setattr("verify.replay.LARGEST_D", wrong.d - 1)
    assert verify(program, wrong, level="domain").counterexample == shown
    with pytest.raises(ArithmeticError, match="does not replay"):
        replayed(lowering, compile(program), word, tuple(turns[: place + 1]))


@pytest.mark.parametrize("name", ["palindrome", "locks", "votes"])
def test_a_model_that_is_wrong_on_a_short_input_is_refuted_before_anything_is_analysed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def analysed(*_: object) -> bool:
        raise AssertionError("the configurations were analysed, which takes minutes for palindrome")

    monkeypatch.setattr(judge, "proved", analysed)
    program = load(name)
    assert verify(program, with_first_weight_more(compile(program))).verdict == "refuted"


def test_models_of_machines_of_many_cells_are_compared_without_listing_all_their_rules() -> None:
    program = load("increment")
    assert isinstance(program, Machine)
    program = replace(program, cells=2_000, examples=())
    model = compile(program)
    turned = replace(model, heads=model.heads[::-1])
    assert verify(model, model).level == "everywhere"
    assert (verify(model, turned).verdict, verify(model, turned).level) == ("proved", "domain")
    nameless = replace(model, program=None)
    for first, second, level in ((model, turned, "everywhere"), (program, model, "everywhere")):
        with pytest.raises(UnsupportedError, match="products"):
            verify(first, second, level=level)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match="products"):
        verify(nameless, replace(turned, program=None))
    with pytest.raises(UnsupportedError, match="not tested"):
        verify(model, turned, level="tested")


@example(rows=[3 << 39, 1 << 22, -(3 << 39), (1 << 22) + 1])
@given(st.lists(st.integers(-(2**41), 2**41), min_size=4, max_size=4))
def test_hulls_of_large_counts_are_exact(rows: list[int]) -> None:
    given_rows, nothing = np.array(rows, dtype=np.int64).reshape(2, 2), np.zeros((0, 2), dtype=np.int64)
    met = Hull(given_rows, nothing).meet(np.array([[0, 1]]))
    exact = Hull(given_rows.astype(object), nothing).meet(np.array([[0, 1]], dtype=object))
    assert met.tolist() == exact.tolist()
    large = np.array([[2**62, 2**62]], dtype=np.int64)
    assert shifted(large, 0).tolist() == [[2**62, 2**63]]


def test_a_dense_model_with_the_same_cross_talk_is_not_refuted() -> None:
    program = Memory("tiny", ("a", "b", "c"), ("x", "y"), dimensions=8, seed=1)
    model = compile(program)
    now, first, second = (model.coordinates.index(name) for name in ("now", "x[0]", "x[1]"))
    extra = np.zeros((2, 2, model.d, model.d), dtype=np.int64)  # S[x0, x0] - S[x1, x1], which is 0 in every run
    for n, (place, sign) in enumerate(((first, 1), (second, -1))):
        extra[0, n, now, place], extra[1, n, place, now] = sign, 1
    same = replace(model, heads=(*model.heads, *Model.from_arrays(*extra).heads))
    word = "a = x, c = x, a"
    assert np.array_equal(model.run(word).answers, same.run(word).answers)
    assert verify(program, model).verdict == "proved"
    assert verify(program, same).verdict == "proved"


def test_a_loop_that_is_entered_by_one_token_and_entered_again_by_another() -> None:
    """A difference that grows with each round, and is zero at the first question of the second."""
    machine = parse("""
    machine loop {
      blank 0; alphabet 0; marks 1; cells 2
      start state s { 0 -> right, q; else -> halt }
      state q { 0 -> write 1, left, r; else -> halt }
      state r { 0 -> right, t; else -> halt }
      state t { 1 -> write 0, stay, q; else -> halt }
    }
    """)
    assert isinstance(machine, Machine)
    model = compile(machine)
    place = {name: number for number, name in enumerate(model.coordinates)}

    def matrix(*entries: tuple[str, str, int]) -> Sparse:
        rows, columns = (np.array([place[entry[n]] for entry in entries], dtype=np.int32) for n in (0, 1))
        return Sparse(rows, columns, np.array([weight for *_, weight in entries]))

    grows = matrix(("cell[1]", "cell[1]", 1), ("cell[1]", "symbol[1,0]", 1))
    begun = matrix(("conf[s,0]", "cell[1]", 1), ("conf[s,0]", "symbol[1,0]", 1))
    more = (
        Head("grows", matrix(("halt", "conf[q,1]", 1)), grows),
        Head("less", matrix(("halt", "conf[s,0]", -1)), begun),
    )
    wrong = replace(model, heads=(*model.heads, *more))
    assert wrong.run("0", max_tokens=40).tokens != model.run("0", max_tokens=40).tokens
    assert verify(machine, wrong).verdict == "refuted"
