"""Grammars: the interpreter against the language itself, the layer against the interpreter, the system against runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compiler.domain.grammar_runs import random_runs, short_words
from compiler.domain.grammar_system import grammar_system
from compiler.domain.system import IDLE
from compiler.heads_to_rules import heads_to_rules
from compiler.language.load import load, parse
from compiler.program.grammar import Grammar
from compiler.program.prediction import END
from compiler.program_to_model import compile
from compiler.program_to_rules.grammar import grammar_to_rules
from compiler.program_to_rules.lowering import Asks
from verify.same_on_hulls import proved
from verify.strategies import grammars, inputs, mutants, runs_of
from verify.verify import verify

LENGTH = 5
DEEP = 10_000


def words_of(grammar: Grammar, length: int) -> set[str]:
    """All words of the grammar's language of at most `length` symbols, by the least fixed point: no parser."""
    found: Mapping[str, set[str]] = {left: set() for left in grammar.rules}
    while True:
        grown = {}
        for left, bodies in grammar.rules.items():
            grown[left] = set()
            for body in bodies:
                made = {""}
                for symbol in body:
                    made = {
                        one + two for one in made for two in found.get(symbol, {symbol}) if len(one + two) <= length
                    }
                grown[left] |= made
        if grown == found:
            return found[grammar.start]
        found = grown


@given(grammars())
def test_text_is_source(grammar: Grammar) -> None:
    assert parse(str(grammar)) == grammar
    assert str(parse(str(grammar))) == str(grammar)


@given(grammars())
def test_the_interpreter_decides_the_language(grammar: Grammar) -> None:
    """Without a bound on the stack it accepts just the words of the language, and with one it never says otherwise."""
    language, deep = words_of(grammar, LENGTH), replace(grammar, depth=DEEP)
    for length in range(LENGTH + 1):
        for letters in product(grammar.alphabet, repeat=length):
            outcome = deep.run(letters).outcome
            assert outcome == ("accepted" if "".join(letters) in language else "rejected")
            highest = max(len(stack) for _, stack in deep.configurations(letters))
            assert grammar.run(letters).outcome == (outcome if highest <= grammar.depth else "overran")


@given(runs_of(grammars()))
def test_what_is_read_symbol_by_symbol_is_read_as_a_whole(run: tuple[Grammar, tuple[str, ...]]) -> None:
    grammar, word = run
    stack: list[str] | None = [grammar.start]
    for symbol in word:
        stack = None if stack is None else grammar.after(stack, symbol)
    ends = [list(before) for ahead, before in grammar.configurations(word) if ahead == END]
    assert stack == (ends[0] if ends else None)


@given(runs_of(grammars(), max_size=30))
def test_the_layer_runs_the_grammar(run: tuple[Grammar, tuple[str, ...]]) -> None:
    grammar, word = run
    model, lowering = compile(grammar), grammar_to_rules(grammar)
    found, expected = model.run(word), grammar.run(word)
    assert found.agrees_with(expected)
    assert found.steps == expected.steps == len(word)
    assert list(found.tokens) == lowering.trace(word)
    assert model.run(word, decode="raw").agrees_with(expected)


@given(grammars(max_letters=2, max_depth=4))
def test_the_layer_runs_every_short_word(grammar: Grammar) -> None:
    model = compile(grammar)
    for length in range(5):
        for word in product(grammar.alphabet, repeat=length):
            assert model.run(word).agrees_with(grammar.run(word))


@given(grammars())
def test_rules_are_legal_and_small(grammar: Grammar) -> None:
    lowering = grammar_to_rules(grammar)
    form, tokens = lowering.form, lowering.tokens
    n, c, t = len(lowering.tops), len(lowering.cells), len(grammar.alphabet)
    longest = max(len(body) for bodies in grammar.rules.values() for body in bodies)
    assert form.violations() == []
    assert set(form.weights.tolist()) <= {-1, 1}
    assert {value for vector in tokens.values() for value in vector.tolist()} <= {-1, 0, 1}
    assert len({tuple(vector.tolist()) for vector in tokens.values()}) == len(tokens)
    assert c <= n <= grammar.depth * (len(grammar.rules) + t)
    assert form.d <= n + c + t + grammar.depth + 9
    assert len(form) <= n * (t + 1) * (longest + 5) + 4 * c + 7 * (t + 1)
    assert len(lowering.heads) <= t + grammar.depth
    assert heads_to_rules(lowering.heads, form.coordinates) == form


@given(runs_of(grammars()))
def test_registers_hold_the_stack(run: tuple[Grammar, tuple[str, ...]]) -> None:
    """The invariant of the construction, on the sums of tokens themselves: all that rules read is 0 or 1."""
    grammar, word = run
    lowering = grammar_to_rules(grammar)
    _, b, c, _ = lowering.form.index.T
    memory = np.zeros((lowering.form.d, lowering.form.d), dtype=np.int64)
    for name, answer in lowering.dialogue(word):
        token = lowering.tokens[name]
        memory += np.outer(token, token)
        read = memory[b, c]
        assert set(read.tolist()) <= {0, 1}
        if answer is not None:
            assert np.array_equal(lowering.form.answer(memory, token), lowering.tokens[answer])
        else:
            assert not lowering.asks[lowering.tokens.numbers[name]]


@example(replace(load("dyck2"), depth=5, examples=()), 0)
@given(grammars(max_letters=2, max_depth=4), st.integers(0, 2**32))
def test_runs_follow_the_guarded_system(grammar: Grammar, seed: int) -> None:
    """Wherever a run asks, just one branch has guards that hold, and it leads to the answer."""
    lowering = grammar_to_rules(grammar)
    system = grammar_system(lowering)
    numbers = lowering.tokens.numbers
    runs = random_runs(lowering, np.random.default_rng(seed), 12)
    for turns in (next(runs) for _ in range(5)):
        for place, location, counts in system.counts(turns):
            holding = [
                branch
                for branch in system.branches
                if branch.location == location
                and all(int(system.entry(pair) @ counts[1:]) == value for pair, value in branch.guards)
            ]
            assert [branch.answer for branch in holding] == [numbers[str(turns[place][1])]]
            appended = numbers[str(turns[place][1])]
            rest = IDLE if any(name == "end of input" for name, _ in turns[place + 1 :]) else None
            wanted = appended if lowering.asks[appended] == Asks.APPENDED else rest
            assert holding[0].target == wanted


@settings(max_examples=15)
@given(st.data())
def test_verdicts_on_mutants_are_right(data: st.DataObject) -> None:
    """A refutation shows a run that differs; a model that is proved has the program's answers on all short words."""
    grammar = data.draw(grammars(max_nonterminals=2, max_letters=2, max_depth=3))
    model, lowering = compile(grammar), grammar_to_rules(grammar)
    assert proved(model, lowering)
    mutant = data.draw(mutants(model))
    verdict = verify(grammar, mutant)
    if verdict.verdict == "refuted":
        assert verdict.counterexample is not None
        assert verdict.counterexample.expected != verdict.counterexample.got
    elif verdict.verdict == "proved":
        for number, word in enumerate(short_words(grammar)):
            if number == 200:
                break
            memory = np.zeros((model.d, model.d), dtype=object)
            for name, answer in lowering.dialogue(word):
                token = mutant.tokens[name].astype(object)
                memory = memory + np.outer(token, token)
                if answer is not None:
                    assert np.array_equal(mutant.rules.answer(memory, token), mutant.tokens[answer])


NAMES = ("dyck2", "arithmetic", "json", "anbn", "marked_palindrome")
MODELS = {name: compile(load(name)) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(data=st.data())
def test_library_grammars_run(name: str, data: st.DataObject) -> None:
    grammar, model = load(name), MODELS[name]
    assert isinstance(grammar, Grammar)
    word = data.draw(inputs(grammar, max_size=60) | derived(grammar))
    assert model.run(word).agrees_with(grammar.run(word))


@st.composite
def derived(draw: st.DrawFn, grammar: Grammar) -> tuple[str, ...]:
    """Words that are derived at random (short alternatives beyond 60 symbols), and such with one symbol changed."""
    shortest = {
        left: min(bodies, key=lambda body: sum(each in grammar.rules for each in body))
        for left, bodies in grammar.rules.items()
    }
    word: list[str] = []
    stack, steps = [grammar.start], 0
    while stack:
        symbol, steps = stack.pop(), steps + 1
        if symbol not in grammar.rules:
            word.append(symbol)
        else:
            body = draw(st.sampled_from(grammar.rules[symbol])) if steps < 60 else shortest[symbol]
            stack += body[::-1]
    if word and draw(st.booleans()):
        word[draw(st.integers(0, len(word) - 1))] = draw(st.sampled_from(grammar.alphabet))
    return tuple(word)
