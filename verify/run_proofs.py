"""Proofs that a model is not its program: a run of the program, made anew from an input, and its exact answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from compiler.errors import UnsupportedError, WordError
from compiler.heads_to_rules import exact_heads
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowered_universal_automaton import (
    LoweredUniversalAutomaton,
    entry_token,
    state_token,
    symbol_token,
)
from compiler.program_to_rules.lowered_universal_automaton import Table as AutomatonTable
from compiler.program_to_rules.lowered_universal_machine import LoweredUniversalMachine
from compiler.program_to_rules.lowered_universal_machine import Table as MachineTable
from compiler.program_to_rules.lowering import Lowering, Turn
from compiler.runtime.sparse_recurrent import SparseRecurrent
from verify.checking import MOST_LENGTHS
from verify.stored_numbers import stored_entries
from verify.verdict import Counterexample


def run_proof(shown: Counterexample) -> dict[str, Any]:
    """The input of a counterexample, and how many tokens its run has up to the question at which they part."""
    return {"word": list(shown.input), "tokens": int(shown.at.split()[-1]) + 1}


def run_premises(lowering: Lowering, proof: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens of the program's run that `proof` names, and the answer that it wants to the last of them.

    That of a memory in few dimensions is the exact one of its construction, cross talk included.
    Raises UnsupportedError where the program has no such run.
    """
    word, length = proof.get("word"), proof.get("tokens")
    if not isinstance(word, list) or not all(isinstance(item, str) for item in word):
        raise UnsupportedError("an input is a list of texts")
    if type(length) is not int or not 0 < length <= MOST_LENGTHS:
        raise UnsupportedError(f"runs of 1 to {MOST_LENGTHS:,} tokens are replayed, and not of {length!r}")
    turns = list(islice(_turns(lowering, word), length))
    if len(turns) < length or turns[-1][1] is None:
        raise UnsupportedError(f"the program is not asked at token {length - 1} of its run on this input")
    asked, numbers = [name for name, _ in turns], lowering.tokens.numbers
    return {
        "kind": "run",
        "dimension": lowering.form.d,
        "tokens": [stored_entries(lowering.tokens.listed(numbers[name])) for name in asked],
        "wanted": stored_entries(_wanted(lowering, asked, turns[-1][1])),
    }


def _wanted(lowering: Lowering, asked: Sequence[str], answer: str) -> dict[int, Any]:
    """The answer, by its entries; that of a memory in few dimensions is what its construction answers, exactly."""
    if not isinstance(lowering, LoweredDenseMemory):
        return dict(enumerate(lowering.answer_vector(answer).tolist()))
    heads, below = exact_heads(lowering.heads)
    layer = SparseRecurrent(heads)
    tokens = [lowering.tokens.listed(lowering.tokens.numbers[name]) for name in asked]
    for token in tokens:
        layer.feed(token)
    return {place: Fraction(value, below) for place, value in layer.answer(tokens[-1]).items()}


def _turns(lowering: Lowering, word: Sequence[str]) -> Iterable[Turn]:
    """The run of a program on an input as counterexamples spell it. Raises UnsupportedError where it is none."""
    if isinstance(lowering, LoweredUniversalAutomaton | LoweredUniversalMachine):
        return _universal(lowering, word)
    items = {item if isinstance(item, str) else f"{item[0]} = {item[1]}": item for item in lowering.items()}
    try:
        return lowering.dialogue(lowering.word([items[text] for text in word]))
    except (KeyError, WordError) as problem:
        raise UnsupportedError(f"the program has no such input: {problem}") from problem


def _universal(lowering: LoweredUniversalAutomaton | LoweredUniversalMachine, given: Sequence[str]) -> Iterable[Turn]:
    """The run that is given these tokens, by name: table and tape, the start, the word. Raises UnsupportedError."""
    automaton = isinstance(lowering, LoweredUniversalAutomaton)
    prompt = lowering.program.states * lowering.program.symbols + 1 if automaton else len(given)
    try:
        numbers = [lowering.tokens.numbers[name] for name in given]
        begun, again = ((_automaton_run if automaton else _machine_run)(lowering, numbers) for _ in range(2))  # type: ignore[arg-type]
    except (KeyError, IndexError, ValueError) as problem:
        raise UnsupportedError(f"these are not the tokens that a run is given: {problem}") from problem
    if [name for name, _ in islice(begun, prompt)] != list(given[:prompt]):
        raise UnsupportedError("these are not the tokens that a run is given")
    return again


def _machine_run(lowering: LoweredUniversalMachine, given: Sequence[int]) -> Iterable[Turn]:
    """Of a universal machine: the choices of its cells and entries, and the cell of its start."""
    tape = {p: g for token in given[:-1] for p, g in np.argwhere(lowering.prompts == token).tolist()}
    acts = {(q, g): a for token in given[:-1] for q, g, a in np.argwhere(lowering.entries == token).tolist()}
    bounds = lowering.layout
    rows = tuple(tuple(acts[q, g] for g in range(bounds.symbols)) for q in range(bounds.states))
    head = lowering.starts.tolist().index(given[-1])
    return lowering.turns(MachineTable(rows, ()), [tape[p] for p in range(bounds.cells)], head)


def _automaton_run(lowering: LoweredUniversalAutomaton, given: Sequence[int]) -> Iterable[Turn]:
    """Of a universal automaton: where each entry leads, which states accept, and the symbols of the word."""
    states, symbols = range(lowering.program.states), range(lowering.program.symbols)
    numbers = lowering.tokens.numbers
    targets, accepts = [[0 for _ in symbols] for _ in states], [False for _ in states]
    ends = {(q, s): [(r, ends) for r in states for ends in (False, True)] for q in states for s in symbols}
    known = {numbers[entry_token(q, s, r, a)]: (q, s, r, a) for (q, s), each in ends.items() for r, a in each}
    size = len(states) * len(symbols)
    accepts[0] = given[size] == numbers[state_token(0, True)]
    for token in given[:size]:
        q, s, r, accepting = known[token]
        targets[q][s], accepts[r] = r, accepting
    letters = [numbers[symbol_token(s)] for s in symbols]
    word = [letters.index(token) for token in given[size + 1 :]]
    return lowering.turns(AutomatonTable(tuple(map(tuple, targets)), tuple(accepts)), word)
