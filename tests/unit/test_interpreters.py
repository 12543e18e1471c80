"""The reference interpreters, the rules for values, and words: what no random test would point at."""

from __future__ import annotations

import time
from collections.abc import Callable

import networkx as nx
import numpy as np
import pytest

from compiler.errors import AttncError, ProgramError, TooLargeError, UnsupportedError, WordError
from compiler.language.load import parse
from compiler.program import Automaton, Machine, Memory, UniversalAutomaton, UniversalMachine
from compiler.program.algebra import concatenation, determinise
from compiler.program.machine import Action
from compiler.program.regular import RegexError, from_regex
from compiler.program.words import parse_word, spell, spell_word, unquote

HALT = Action("_", 0, None, "halted")
ONES = Automaton("ones", ("0", "1"), ("q",), "q", {("q", "1"): "q"}, frozenset({"q"}))


def moore(**changes: object) -> Automaton:
    given: dict[str, object] = {
        "name": "m", "alphabet": ("a",), "states": ("p", "q"), "start": "p",
        "transitions": {("p", "a"): "q"}, "moore": {"p": "x", "q": "y"},
    }  # fmt: skip
    return Automaton(**(given | changes))  # type: ignore[arg-type]


def machine(**changes: object) -> Machine:
    given: dict[str, object] = {
        "name": "m", "blank": "_", "alphabet": ("1",), "marks": ("x",), "states": ("s",), "start": "s",
        "actions": {("s", "_"): HALT, ("s", "1"): Action("x", 1, "s"), ("s", "x"): Action("x", -1, "s")}, "cells": 4,
    }  # fmt: skip
    return Machine(**(given | changes))  # type: ignore[arg-type]


def test_moore_outputs_are_one_longer_and_mealy_outputs_as_long_as_the_word() -> None:
    assert moore().run("a").output == ("x", "y")
    assert moore().run("").output == ("x",)
    mealy = moore(moore=None, mealy={("p", "a"): "z"})
    assert mealy.run("a").output == ("z",)
    assert mealy.run("").output == ()


def test_behind_a_missing_rule_nothing_is_emitted_and_the_word_is_rejected() -> None:
    run = moore().run("aaa")
    assert (run.outcome, run.output, run.steps) == ("rejected", ("x", "y"), 3)
    assert moore().run("a").outcome == "answered"
    assert moore(accept=frozenset("q")).run("a").outcome == "accepted"
    assert moore(accept=frozenset("p")).run("a").outcome == "rejected"


def test_machines_stop_in_every_way() -> None:
    assert machine().run("11").outcome == "halted"
    assert machine().run("11").output == ("x", "x")
    assert machine().run("1111").outcome == "overran"
    assert machine().run("1111").steps == 4
    assert machine().run("11", steps=1).outcome == "unfinished"
    assert machine(steps=1).run("11", steps=9).steps == 1
    assert machine(steps=0).run("11").output == ("1", "1")
    left = machine(actions={("s", g): Action("1", -1, "s") for g in "_1x"})
    assert (left.run("").outcome, left.run("").output) == ("overran", ("1",))
    stopped = machine(actions={("s", g): Action("1", -1, None, "accepted") for g in "_1x"})
    assert stopped.run("").outcome == "accepted"  # a stop counts also where its move leaves the tape


def test_a_memory_with_every_way_of_writing() -> None:
    word = (("k", "y"), ("k", "x"), "k", "l")
    for write, answer in (("latest", "x"), ("first", "y"), ("sum", "x+y")):
        memory = Memory("m", ("k", "l"), ("x", "y"), write)  # type: ignore[arg-type]
        assert memory.run(word).output == (answer, "absent")
        assert memory.run("k = y, k = x, k, l").output == (answer, "absent")
    assert Memory("m", ("k",), ("x",), stored=(("k", "x"),)).run("k").output == ("x",)
    assert Memory("m", ("k",), ("x",)).run("").output == ()


def test_a_memory_of_vectors_recalls_sums() -> None:
    memory = Memory("m", 2, 3, "sum")
    answer = memory.recall([[1, 0], [0, 2]], [[1, 2, 3], [4, 5, 6]], [1, 1])
    assert np.array_equal(answer, [9, 12, 15])
    with pytest.raises(UnsupportedError, match="no spelling as a word"):
        memory.run("a")


def test_universal_programs_know_their_bounds() -> None:
    small = UniversalAutomaton("u", 2, 2)
    assert small.run("11", given=ONES).outcome == "accepted"
    with pytest.raises(UnsupportedError, match="has 2 states"):
        UniversalAutomaton("u", 1, 2).run("11", given=ONES)  # the sink counts
    with pytest.raises(UnsupportedError, match="runs automata, not machine m"):
        small.check_fits(machine())
    wide = UniversalMachine("u", 1, 3, 10)
    assert wide.check_fits(machine()).head == 3
    assert wide.run("1111", given=machine()).outcome == "halted"
    for bounds in ((0, 3, 10), (1, 2, 10), (1, 3, 3)):
        with pytest.raises(AttncError):
            UniversalMachine("u", *bounds).check_fits(machine())


BAD_VALUES: list[tuple[Callable[[], object], str]] = [
    (lambda: moore(states=()), "no states"),
    (lambda: moore(alphabet=()), "no symbols"),
    (lambda: moore(alphabet=("a", "")), "an empty one"),
    (lambda: moore(states=("p", "q", "q")), "declared twice"),
    (lambda: moore(start="z"), "'z' is not a state"),
    (lambda: moore(accept=frozenset("z")), "accepts in 'z'"),
    (lambda: moore(transitions={("p", "b"): "q"}), "unknown state or symbol"),
    (lambda: moore(moore={"p": "x"}), "every state emits"),
    (lambda: moore(moore=None, mealy={}), "every transition emits"),
    (lambda: moore(mealy={("p", "a"): "x"}), "choose one"),
    (lambda: moore(moore=None), "neither accepts nor emits"),
    (lambda: machine(states=("s", "s")), "declared twice"),
    (lambda: machine(marks=("1",)), "a mark is in the alphabet"),
    (lambda: machine(alphabet=("1", "1")), "declared twice"),
    (lambda: machine(blank=""), "empty"),
    (lambda: machine(start="z"), "'z' is not a state"),
    (lambda: machine(head=4), "starts at cell 4 of 4"),
    (lambda: machine(steps=-1), "-1"),
    (lambda: machine(actions={}), r"no action for \(s, _\)"),
    (lambda: machine(actions=dict.fromkeys([("s", g) for g in "_1x"], Action("_", 2, "s"))), "malformed"),
    (lambda: machine(actions=dict.fromkeys([("s", g) for g in "_1x"], Action("_", 0, "s", "halted"))), "malformed"),
    (lambda: machine(actions=dict.fromkeys([("s", g) for g in "_1x"], Action("_", 0, "t", "halted"))), "malformed"),
    (lambda: machine(actions=dict.fromkeys([("s", g) for g in "_1x"], Action("_", 0, None, "overran"))), "malformed"),
    (lambda: Memory("m", ("k",), ("v",), "last"), "write is 'last'"),  # type: ignore[arg-type]
    (lambda: Memory("m", (), ("x",)), "missing"),
    (lambda: Memory("m", ("k", ""), ("x",)), "empty"),
    (lambda: Memory("m", ("k",), ("absent",)), "'absent'"),
    (lambda: Memory("m", ("k",), ("x",), stored=(("k", "z"),)), "k = z"),
    (lambda: Memory("m", ("k",), ("x+y",), "sum"), "no value may hold it"),
    (lambda: Memory("m", ("k",), ("x",), dimensions=0), "at least one dimension"),
    (lambda: Memory("m", ("k",), ("x",), seed=3), "a seed needs dimensions"),
    (lambda: Memory("m", 2, ("x",)), "both be named or both be real"),
    (lambda: Memory("m", 2, 0), "at least one dimension"),
    (lambda: Memory("m", 2, 2, stored=(("k", "x"),)), "stores nothing"),
    (lambda: UniversalAutomaton("u", 0, 1), "at least one state"),
    (lambda: UniversalMachine("u", 1, 1, 0), "one cell"),
    (lambda: Machine.from_table("1RB_1LA1RH"), "no table"),
    (lambda: Machine.from_table("1RB1XB_1LA1RH"), "'1XB' is no entry"),
    (lambda: Machine.from_table(None), "None is no table: expected a text"),  # type: ignore[arg-type]
    (lambda: Machine.from_table("1RB1LB_1LA1RH", cells=2.5), r"cells are 2\.5, expected a whole number"),  # type: ignore[arg-type]
    (lambda: Machine.from_table("1RB1LB_1LA1RH", cells="8"), "cells are '8', expected a whole number"),  # type: ignore[arg-type]
    (lambda: Machine.from_table("1RB1LB_1LA1RH", cells=True), "cells are True, expected a whole number"),
    (lambda: machine(head=1.0), r"head is 1\.0, expected a whole number"),
    (lambda: machine(steps="9"), "steps are '9', expected a whole number"),
    (lambda: machine(name=""), "its name is ''"),
    (lambda: machine(name=3), "its name is 3, expected a text"),
    (lambda: moore(name=""), "its name is ''"),
    (lambda: Memory("", ("k",), ("x",)), "its name is ''"),
    (lambda: Memory("", 2, 2), "its name is ''"),
    (lambda: UniversalAutomaton("", 2, 2), "its name is ''"),
    (lambda: UniversalMachine("", 2, 2, 2), "its name is ''"),
]


@pytest.mark.parametrize(("build", "message"), BAD_VALUES)
def test_values_that_break_the_rules_are_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        build()


def test_standard_notation_makes_busy_beavers() -> None:
    """Rado's two-state champion: four 1s after six steps; three states: six 1s, 14 steps (Rado, 1962)."""
    two = Machine.from_table("1RB1LB_1LA1RH", cells=16).run("")
    assert (two.outcome, "".join(two.output), two.steps) == ("halted", "1111", 6)
    three = Machine.from_table("1RB1RH_0RC1RB_1LC1LA", cells=32).run("")
    assert (three.outcome, three.output.count("1"), three.steps) == ("halted", 6, 14)
    undefined = Machine.from_table("1RB---_1LA1RH", cells=16)
    assert undefined.actions["A", "1"] == Action("1", 0, None, "halted")


@pytest.mark.parametrize(
    ("text", "alphabet", "message"),
    [
        ("012", "01", "symbol 2 at position 2 is not in the alphabet"),
        ("coyn", ("coin", "push"), "did you mean coin"),
        ('"01', "01", "expected items separated by commas"),
        ('"0"1', "01", "expected items separated by commas"),
        ('"\\n"', "01", "expected items separated by commas"),
        ("coin, , push", ("coin", "push"), "item 2 of the word"),
        ("0,", "01", "item 2 of the word"),
        (",", "01,", "item 1 of the word"),
        ("coin push", ("coin", "push"), "separate symbols by commas"),
    ],
)
def test_bad_words_are_explained(text: str, alphabet: tuple[str, ...], message: str) -> None:
    with pytest.raises(WordError, match=message):
        parse_word(text, tuple(alphabet))


def test_words_are_spelled_and_read() -> None:
    assert parse_word(' 01 , 1,"0"', ("0", "1")) == tuple("0110")
    assert parse_word("e\u0301", ("\u00e9",)) == ("\u00e9",)
    assert spell_word(("e", "\u0301"), ("e", "\u0301")) == '"e\\u{301}"'
    assert spell_word(("coin", "(", "left"), ("coin", "(", "left")) == 'coin, "(", "left"'
    assert spell("\u1100\u1161") == '"\\u{1100}\\u{1161}"'  # two letters that NFC would compose into one
    assert unquote("\\u{110000}") == "\\u{110000}"  # beyond Unicode: left as it is
    assert parse_word("", ("0",)) == parse_word('""', ("0",)) == ()


@pytest.mark.parametrize("text", ["coin = a = b", "= a", "coin =", ", coin", "penny", "coin = z"])
def test_bad_requests_are_refused(text: str) -> None:
    with pytest.raises(WordError):
        Memory("m", ("coin",), ("a", "b")).word(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("coin = b, coin = nowhere", r"^value nowhere at position 1 is not among the values \(apple, b\)$"),
        ("coin, coin = aple", "^value aple at position 1 .*did you mean apple"),
        ("coin, coin, coyn = b", r"^key coyn at position 2 is not among the keys \(coin\); did you mean coin"),
        ("coin, coyn", "^key coyn at position 1 "),
        ((("coin", 3),), "^value 3 at position 0 is a int; values are texts"),
    ],
)
def test_a_bad_request_names_key_or_value_its_place_and_the_nearest(text: object, message: str) -> None:
    with pytest.raises(WordError, match=message):
        Memory("m", ("coin",), ("apple", "b")).word(text)  # type: ignore[arg-type]


def test_requests_hold_quoted_separators() -> None:
    memory = Memory("m", ("a,b", "c=d"), ("x,=y",))
    assert memory.word('"a,b" = "x,=y", "c=d", "a,b"') == (("a,b", "x,=y"), "c=d", "a,b")


def test_an_input_that_does_not_fit_is_refused() -> None:
    with pytest.raises(WordError, match="from cell 2 of 4 only 2 fit"):
        machine(head=2).run("111")


def graph(*edges: tuple[object, object, dict[str, object]], **nodes: dict[str, object]) -> nx.MultiDiGraph:
    made = nx.MultiDiGraph()
    made.add_nodes_from(nodes.items())
    made.add_edges_from(edges)
    return made


EMITS_X = ("p", "p", {"symbol": "a", "emits": "x"})
BAD_GRAPHS = [
    (graph(("p", "p", {"symbol": "a"})), "0 nodes have the attribute start"),
    (graph(("p", "p", {"symbol": "a"}), p={"start": 1}, q={"start": 1}), "2 nodes have the attribute start"),
    (graph((1, "1", {"symbol": "a"})), "same text"),
    (
        graph(EMITS_X, ("p", "q", {"symbol": "a", "emits": "x"}), p={"start": 1}),
        "remove",
    ),
    (
        graph(EMITS_X, ("p", "p", {"symbol": "a", "emits": "y"}), p={"start": 1}),
        "differ",
    ),
    (graph(("p", "p", {"emits": "x"}), ("p", "p", {"symbol": "a"}), p={"start": 1}), "epsilon"),
    (graph(EMITS_X, ("p", "p", {"symbol": "b"}), p={"start": 1}), "every transition"),
    (nx.Graph([("p", "q", {"symbol": "a"})]), "not directed"),
]


@pytest.mark.parametrize(("drawn", "message"), BAD_GRAPHS)
def test_graphs_that_are_no_automata_are_refused(drawn: nx.MultiDiGraph, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        Automaton.from_networkx(drawn)


def test_the_same_edge_twice_is_no_choice() -> None:
    made = Automaton.from_networkx(graph(EMITS_X, EMITS_X, p={"start": True}))
    assert made.mealy == {("p", "a"): "x"}
    assert parse(str(made)) == made  # its name is the reserved word "automaton"


def test_regular_expressions_of_full_size_are_quick() -> None:
    """These took minutes while every step copied the pairs that may follow each other."""
    begun = time.perf_counter()
    assert len(from_regex("a{0,5000}", ("a", "b")).states) == 5_001
    assert len(from_regex("(a|b){2500}", ("a", "b")).states) == 2_501
    assert len(from_regex("(a*b){1,2000}", ("a", "b")).states) == 4_000  # with and without an open a
    assert time.perf_counter() - begun < 20
    with pytest.raises(RegexError, match="too many choices"):
        from_regex("(a?){5000}", ("a", "b"))
    with pytest.raises(RegexError, match=r"more than 5,000 symbols"):
        from_regex("(a{100}){51}", ("a", "b"))


def test_constructions_that_grow_too_large_are_refused() -> None:
    nth = from_regex(".*a.{9}", ("a", "b"))
    assert len(nth.states) == 1_024
    with pytest.raises(TooLargeError, match="20,000 states"):
        from_regex(".*a.{15}", ("a", "b"))
    with pytest.raises(TooLargeError, match="20,000 states"):
        concatenation(from_regex(".*", ("a", "b")), from_regex("a.{15}", ("a", "b")), ("a", "b"))


def test_subsets_with_the_same_label_are_told_apart() -> None:
    """The subset {p, q} and the state p_q would both be named p_q."""
    moves = {("s", "a"): ["p", "q"], ("s", "b"): ["p_q"], ("p_q", "a"): ["p_q"]}
    made = determinise(("a", "b"), ["s"], moves, frozenset({"p_q"}), name="n")
    assert len(set(made.states)) == 3
    assert [made.run(word).outcome for word in ("a", "b")] == ["rejected", "accepted"]


@pytest.mark.parametrize(
    "item", [("k",), ("k", "v", "v"), (), None, 5, ("k", None), (["k"], "v"), {"k": "v", "l": "v"}]
)
def test_a_request_that_is_no_key_and_no_pair_is_a_word_error(item: object) -> None:
    with pytest.raises(WordError):
        Memory("m", ("k",), ("v",)).run([item])  # type: ignore[list-item]
