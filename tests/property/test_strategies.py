"""What the strategies for users' own tests draw: legal, of every kind, within the bounds asked for, and shrunk well."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import attnc
from attnc import strategies
from compiler.errors import UnsupportedError
from compiler.language.load import load, parse
from compiler.program import Machine, Memory, UniversalMachine
from compiler.program.machine import Action

Run = tuple[Any, tuple[Any, ...]]
QUIET = settings(max_examples=2_000, database=None, derandomize=True)
UNSHRUNK = settings(QUIET, phases=[Phase.generate])


@settings(max_examples=150)
@given(strategies.runs_of(strategies.programs()))
def test_what_is_drawn_compiles_and_runs(drawn: Run) -> None:
    program, word = drawn
    assert program.word(word) == word
    assert parse(str(program)) == program
    assert attnc.compile(program).run(word).agrees_with(program.run(word))


@given(st.data())
def test_bounds_are_kept(data: st.DataObject) -> None:
    memory = data.draw(strategies.memories(max_keys=1, max_values=2, max_stored=1, writes=["sum"]))
    assert (memory.write, len(memory.keys)) == ("sum", 1)
    assert len(memory.values) <= 2
    assert len(memory.stored) <= 1
    machine = data.draw(strategies.machines(max_states=2, max_symbols=1, max_cells=2, max_steps=3))
    assert len(machine.states) <= 2
    assert (machine.symbols, machine.cells <= 2) == (("_",), True)
    assert machine.steps is not None
    assert machine.steps <= 3
    assert data.draw(strategies.machines(max_steps=None)).steps is None
    grammar = data.draw(strategies.grammars(max_nonterminals=2, max_letters=2, max_symbols=1, max_depth=3))
    assert (len(grammar.rules) <= 2, len(grammar.alphabet) <= 2, grammar.depth <= 3) == (True, True, True)
    assert max(len(body) for bodies in grammar.rules.values() for body in bodies) <= 2
    for program in (memory, grammar, data.draw(strategies.machines()), data.draw(strategies.automata())):
        assert len(data.draw(strategies.inputs(program, max_size=2))) <= 2


OCCUR = {
    "the greatest machine": lambda p: (len(p.states), len(p.symbols), p.cells) == (3, 3, 5),
    "a machine that accepts": lambda p: p.run("").outcome == "accepted",
    "a machine that rejects": lambda p: p.run("").outcome == "rejected",
    "a machine that halts": lambda p: p.run("").outcome == "halted",
    "a machine that moves everywhere": lambda p: {action.move for action in p.actions.values()} == {-1, 0, 1},
    "a machine that overruns from the middle": lambda p: p.run("").outcome == "overran" and 0 < p.head < p.cells - 1,
    "a machine without end": lambda p: p.run("").steps == p.steps == 20,
    "a machine with marks": lambda p: len(p.marks) == 2,
    "a machine that reads blanks": lambda p: "_" in p.alphabet,
    "a machine that reads nothing": lambda p: not p.alphabet,
    "a machine that starts elsewhere": lambda p: p.start != "q0" and p.head > 0,
    "the greatest memory": lambda p: (len(p.keys), len(p.values), len(p.stored)) == (3, 3, 3),
    "a memory of the latest": lambda p: p.write == "latest",
    "a memory of the first": lambda p: p.write == "first",
    "a memory that adds up": lambda p: p.write == "sum",
    "a memory that stores a key twice": lambda p: len({key for key, _ in p.stored}) < len(p.stored),
}


GRAMMARS = {
    "accepted": lambda run: len(run[1]) > 3 and run[0].run(run[1]).outcome == "accepted",
    "rejected": lambda run: len(run[1]) > 3 and run[0].run(run[1][:-1]).outcome == "accepted",
    "overran": lambda run: run[0].run(run[1]).outcome == "overran",
    "three rules": lambda run: min(len(bodies) for bodies in run[0].rules.values()) > 1 and len(run[0].rules) == 3,
    "an alternative that begins with a nonterminal": lambda run: any(
        body[:1] and body[0] in run[0].rules for bodies in run[0].rules.values() for body in bodies
    ),
}


@pytest.mark.parametrize("what", GRAMMARS)
def test_every_sort_of_grammar_is_drawn(what: str) -> None:
    find(strategies.runs_of(strategies.grammars()), GRAMMARS[what], settings=UNSHRUNK)


@pytest.mark.parametrize("what", OCCUR)
def test_everything_is_drawn(what: str) -> None:
    drawn: st.SearchStrategy[Any] = strategies.memories() if "memory" in what else strategies.machines()
    find(drawn, OCCUR[what], settings=UNSHRUNK)


def test_every_family_and_every_request_is_drawn() -> None:
    assert {
        find(strategies.programs(), lambda p, k=kind: p.kind == k, settings=UNSHRUNK).kind for kind in KINDS
    } == KINDS
    table = Memory("table", ("a", "b"), ("x", "y"))
    seen = find(strategies.requests(table, max_size=40), lambda word: len(set(word)) == 6, settings=UNSHRUNK)
    assert set(seen) == {"a", "b", *((key, value) for key in "ab" for value in "xy")}


KINDS = {"automaton", "memory", "machine"}


def test_machines_shrink_to_the_least() -> None:
    least = find(strategies.machines(), bool, settings=QUIET)
    assert least == Machine(
        "drawn", "_", (), (), ("q0",), "q0", {("q0", "_"): Action("_", 0, None, "accepted")}, 1, 0, 0
    )
    program, word = find(
        strategies.runs_of(strategies.machines()), lambda run: "0" in run[0].run(run[1]).output, settings=QUIET
    )
    assert (len(program.states), program.cells, program.symbols) == (1, 1, ("_", "0"))
    assert (word, program.steps) in [((), 1), (("0",), 0)]


def test_memories_shrink_to_the_least() -> None:
    assert find(strategies.memories(), bool, settings=QUIET) == Memory("drawn", ("k0",), ("v0",))
    stored = find(strategies.memories(), lambda p: p.stored, settings=QUIET)
    assert stored == Memory("drawn", ("k0",), ("v0",), stored=(("k0", "v0"),))
    run = find(strategies.runs_of(strategies.memories(writes=["first"], max_stored=0)), changed, settings=QUIET)
    assert run == (Memory("drawn", ("k0",), ("v0", "v1"), "first"), (("k0", "v0"), ("k0", "v1"), "k0"))


def changed(run: Run) -> bool:
    """Whether it matters that the memory keeps the first value."""
    program, word = run
    return bool(program.run(word).output != replace(program, write="latest").run(word).output)


@pytest.mark.parametrize("program", [load("vectors"), UniversalMachine("any", 2, 2, 3)], ids=lambda p: p.kind)
def test_what_has_no_words_is_refused(program: Any) -> None:
    with pytest.raises(UnsupportedError, match=program.name):
        strategies.inputs(program)


@given(st.data())
def test_words_of_what_is_given_are_words_of_the_universal_machine(data: st.DataObject) -> None:
    within = UniversalMachine("any", 2, 2, 4)
    given, word = data.draw(strategies.runs_of(strategies.machines(max_states=2, max_symbols=2, max_cells=4)))
    assert attnc.compile(within).run(word, given=given).agrees_with(within.run(word, given=given))


@pytest.mark.parametrize("exact", [True, False])
def test_models_of_every_size_and_weight_are_drawn(exact: bool) -> None:
    drawn = strategies.models(exact=exact)
    found = find(drawn, lambda m: m.V.shape == (3, 4, 4) and len(m.entries()) > 3, settings=UNSHRUNK)
    assert found.exact == exact


def test_models_shrink_to_the_least() -> None:
    least = find(strategies.models(), lambda m: len(m.V) == 2 and m.V.any(), settings=QUIET)
    assert (least.V.shape, least.entries().tolist()) == ((2, 1, 1), [1])


@given(st.data())
def test_disguises_are_the_same_function(data: st.DataObject) -> None:
    model = data.draw(strategies.models())
    other = data.draw(strategies.disguises(model))
    Z = np.arange(3 * model.d).reshape(3, model.d) % 5 - 2
    assert np.array_equal(model.answers(Z), other.answers(Z))
    assert model.rules == other.rules
