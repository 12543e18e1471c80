"""The counterexample of a universal program is the least of all programs and inputs, against brute force."""

from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.domain.universal_runs import universal_runs
from compiler.heads_to_rules import exact_rules
from compiler.model import Model
from compiler.program.universal import UniversalAutomaton, UniversalMachine
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import Fewest, lower
from compiler.program_to_rules.lowered_universal_automaton import LoweredUniversalAutomaton
from compiler.program_to_rules.lowered_universal_automaton import Table as AutomatonTable
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowered_universal_machine import Table as MachineTable
from compiler.program_to_rules.lowering import Turn
from compiler.program_to_rules.universal_machine_registers import LoweredRegistersMachine
from verify import least_run
from verify import same_on_hulls as hulls
from verify.lazy_runs import AutomatonRuns, Entered
from verify.same_function import difference, exact_form
from verify.strategies import mutants
from verify.universal_verdict import LEAST, NOT_LEAST
from verify.verify import verify

Universal = UniversalAutomaton | UniversalMachine
PROGRAMS = (
    *(UniversalAutomaton("small", *bounds) for bounds in ((2, 1), (1, 2), (2, 2), (3, 1))),
    *(UniversalMachine("short", *bounds) for bounds in ((1, 2, 2), (2, 1, 2), (1, 1, 3), (1, 2, 1))),
)
LETTERS = STEPS = 3


def inputs(program: Universal, fewest: Fewest | None) -> Iterator[tuple[list[str], list[Turn]]]:
    """All programs within the bounds on all tapes, or on words of `LETTERS`: the given tokens, and the run."""
    lowering, states, symbols = lower(program, fewest=fewest), range(program.states), range(program.symbols)
    size = program.states * program.symbols
    if isinstance(program, UniversalMachine):
        assert isinstance(lowering, LoweredUniversalMachine)
        acts, cells = range(len(lowering.layout.acts)), range(program.cells)
        for table, tape, head in product(product(acts, repeat=size), product(symbols, repeat=program.cells), cells):
            rows = tuple(table[q * program.symbols : (q + 1) * program.symbols] for q in states)
            turns = list(lowering.turns(MachineTable(rows, ()), tape, head, STEPS))
            yield [name for name, _ in turns[: program.cells + size + 1]], turns
        return
    assert isinstance(lowering, LoweredUniversalAutomaton)
    bits = product((False, True), repeat=program.states)
    for targets, accepts, word in product(product(states, repeat=size), bits, product(symbols, repeat=LETTERS)):
        rows = tuple(targets[q * program.symbols : (q + 1) * program.symbols] for q in states)
        turns = list(lowering.turns(AutomatonTable(rows, accepts), word))
        yield [name for n, (name, _) in enumerate(turns) if n == 0 or turns[n - 1][1] != name], turns


@cache
def batches(program: Universal, fewest: Fewest | None) -> list[tuple[list[list[str]], list[list[Turn]], Any, Any, Any]]:
    """The runs of each length together: what is given, the runs, their tokens, the answers, which are asked."""
    lowering = lower(program, fewest=fewest)
    by_length: dict[int, list[tuple[list[str], list[Turn]]]] = {}
    for given_tokens, turns in inputs(program, fewest):
        by_length.setdefault(len(turns), []).append((given_tokens, turns))
    found = []
    for some in by_length.values():
        runs = [turns for _, turns in some]
        tokens = np.array([[lowering.tokens[name] for name, _ in turns] for turns in runs], dtype=np.float64)
        nothing = np.zeros(lowering.tokens.d)
        wanted = np.array([[nothing if a is None else lowering.tokens[a] for _, a in turns] for turns in runs])
        asked = np.array([[answer is not None for _, answer in turns] for turns in runs])
        found.append(([each for each, _ in some], runs, tokens, wanted, asked))
    return found


def brute(program: Universal, fewest: Fewest | None, model: Model) -> tuple[int, list[int]] | None:
    """The number of tokens and the given tokens, by number, of the least run that differs, by the definition."""
    numbers, least = lower(program, fewest=fewest).tokens.numbers, None
    for given_tokens, runs, tokens, wanted, asked in batches(program, fewest):
        got = np.zeros_like(wanted)
        for v, q in zip(model.V.astype(np.float64), model.Q.astype(np.float64), strict=True):
            scores = np.triu(tokens @ q @ tokens.transpose(0, 2, 1))  # [j, i], j <= i
            got += scores.transpose(0, 2, 1) @ (tokens @ v.T)
        wrong = (got != wanted).any(axis=2) & asked
        for n in np.flatnonzero(wrong.any(axis=1)).tolist():
            length = int(wrong[n].argmax()) + 1
            until = (
                given_tokens[n]
                if isinstance(program, UniversalMachine)
                else until_then(given_tokens[n], runs[n], length)
            )
            found = length, [numbers[name] for name in until]
            least = found if least is None else min(least, found)
    return least


def until_then(given_tokens: list[str], turns: list[Turn], length: int) -> list[str]:
    answered = sum(answer is not None for _, answer in islice(turns, length - 1))
    return given_tokens[: length - answered]


@pytest.mark.parametrize("fewest", [None, "heads", "dimensions"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: f"{program.kind} {program.states} {program.symbols}")
@given(data=st.data())
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
def test_least_of_all(program: Universal, fewest: Fewest | None, data: st.DataObject) -> None:
    model = data.draw(mutants(compile(program, fewest=fewest)))
    if data.draw(st.booleans()):
        model = data.draw(mutants(model))
    lowering = lower(program, fewest=fewest)
    assert isinstance(lowering, LoweredUniversalAutomaton | LoweredUniversalMachine)
    rest = difference(exact_form(lowering.form), exact_rules(model.heads, model.coordinates))
    answers = 4 if isinstance(lowering, LoweredRegistersMachine) else 2
    least = least_run.least_run(lowering, rest, answers * STEPS)
    assert least.complete
    expected = brute(program, fewest, model)
    if expected is None:
        assert least.differs is None
        return
    assert least.differs is not None
    numbers = lowering.tokens.numbers
    assert (len(least.differs.turns), [numbers[name] for name in least.differs.word]) == expected
    shown = verify(program, model)
    assert shown.counterexample is not None
    assert (shown.counterexample.input, shown.assumptions[-1]) == (least.differs.word, LEAST)


def test_a_search_that_ends_at_its_bound_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    program = UniversalMachine("short", 2, 2, 3)
    model = compile(program)
    V = model.V
    head = [head.name for head in model.heads].index("in state 1")
    V[head][V[head] == 1] = 2
    wrong = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    assert verify(program, wrong).assumptions[-1] == LEAST
    monkeypatch.setattr(least_run, "MOST_RUNS", 3)
    cut = verify(program, wrong)
    assert (cut.verdict, cut.assumptions[-1]) == ("refuted", NOT_LEAST)
    monkeypatch.setattr(least_run, "MOST_RUNS", 0)
    random = verify(program, wrong)
    assert (random.verdict, random.level, random.assumptions[-1]) == ("refuted", "domain", NOT_LEAST)
    assert random.counterexample is not None
    monkeypatch.setattr("verify.universal_verdict.least_difference", lambda *_: (None, False))
    unknown = verify(program, wrong)
    assert (unknown.verdict, unknown.level, unknown.counterexample) == ("undecided", "domain", None)


@pytest.mark.parametrize("program", [UniversalMachine("short", 1, 2, 2), UniversalAutomaton("small", 2, 2)])
@pytest.mark.parametrize("head", range(2))
def test_of_random_runs_the_shortest_that_differs_is_taken(
    program: Universal, head: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the definition of the layer, run by run; what is given of a machine comes before its first answer."""
    model, lowering = compile(program), lower(program)
    assert isinstance(lowering, LoweredUniversalAutomaton | LoweredUniversalMachine)
    V = model.V
    V[head] *= 2
    wrong = Model.from_arrays(V, model.Q, coordinates=model.coordinates, tokens=model.tokens, program=program)
    monkeypatch.setattr(hulls, "MOST_RANDOM", 100)
    best: list[Turn] | None = None
    for turns in islice(universal_runs(lowering, np.random.default_rng(0)), hulls.MOST_RANDOM):
        z = np.stack([lowering.tokens[name] for name, _ in turns])
        for place, (_, answer) in enumerate(turns[: len(turns) if best is None else len(best) - 1]):
            if answer is not None and not np.array_equal(wrong.answer(z[: place + 1]), lowering.tokens[answer]):
                best = turns[: place + 1]
                break
    assert best is not None
    first = next(n for n, (_, answer) in enumerate(best) if answer is not None)
    given_tokens = [name for name, _ in best[: first + 1]]
    for (_, before), (name, _) in pairwise(best[first:]):
        given_tokens += [name] if name != before else []
    found, complete = hulls.least_difference(wrong, lowering)
    assert found is not None
    assert (list(found.turns), list(found.word), complete) == (best, given_tokens, False)


@pytest.mark.parametrize("entered", [(False, None), (True, None), (True, None, None), (True, True, None)])
def test_the_cases_of_what_was_not_read_are_all_programs(entered: tuple[bool | None, ...]) -> None:
    lowering = lower(UniversalAutomaton("small", len(entered), 1))
    assert isinstance(lowering, LoweredUniversalAutomaton)
    runs = AutomatonRuns(lowering)
    run = next(runs.begins())._replace(here=Entered(0, entered))

    def agree(table: tuple[int, ...]) -> bool:
        ends = {runs.ends[choice] for choice in table} | {
            (r, ends) for r, ends in enumerate(entered) if ends is not None
        }
        return len(ends) == len({r for r, _ in ends})

    cases = [[table for table in product(*some) if agree(table)] for some in runs.allowed(run)]
    every = [table for table in product(range(2 * len(entered)), repeat=len(entered)) if agree(table)]
    assert {table for case in cases for table in case} == set(every)
    for some in runs.allowed(run):
        for place, choice in ((place, choice) for place, choices in enumerate(some) for choice in choices):
            assert agree(tuple(choice if n == place else each[0] for n, each in enumerate(some)))
