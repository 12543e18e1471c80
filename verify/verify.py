"""The ladder: everywhere, domain, tested. `verify` climbs it and stops at the strongest level that holds."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from time import perf_counter

from compiler.domain.token_graph import token_graph
from compiler.errors import ModelError, UnsupportedError
from compiler.model import Model
from compiler.model_for_program import model_for_program, reordered
from compiler.program import Automaton, Program
from compiler.program_to_rules.lower import lower
from compiler.rules import Form
from verify.answers import ModelAnswers, program_answers
from verify.same_function import ExactForm, difference, exact_form, heads_form, separating_input
from verify.same_on_domain import against_model, against_program, parted, shortest_difference
from verify.same_runs import described as described_run
from verify.same_runs import shortest_disagreement
from verify.symmetry import witness
from verify.tested import EXAMPLES, LENGTH, failing_word
from verify.verdict import EXACT, INDUCTION, TOKENS, Counterexample, Level, Verdict


def verify(a: Program | Model, b: Program | Model, *, level: Level | None = None, up_to: int | None = None) -> Verdict:
    """Decide whether two things are the same: a program and a model, two models, or two programs.

    Parameters
    ----------
    a, b
        What is expected, and what is judged. A model first and a program second are exchanged.
    level
        Decide just this level; without it the strongest that holds is found. ``everywhere``: all real inputs, every
        length. ``domain``: every configuration that the program can reach, every length. ``tested``: words tried by
        hypothesis, which proves nothing.
    up_to
        The greatest length that ``tested`` tries.

    Returns
    -------
    Verdict
        With the shortest counterexample, by length and then in the order of the alphabet, for a refutation.

    Raises
    ------
    ModelError
        For a model that is not over the program's coordinates, or two models over different ones.
    ProgramError, UnsupportedError
        For programs over different alphabets, families without a construction, levels that do not apply.

    >>> from compiler.language.load import load
    >>> from compiler.program_to_model import compile
    >>> verify(load("parity"), compile(load("parity"))).level
    'everywhere'
    """
    began = perf_counter()
    if isinstance(a, Model) and not isinstance(b, Model):
        a, b = b, a
    if isinstance(a, Model):
        assert isinstance(b, Model)
        found = _models(a, b, level)
    elif isinstance(b, Model):
        found = _program_and_model(a, model_for_program(b, a), level, up_to)
    else:
        found = _programs(a, b, level)
    return replace(found, program=digest(a), model=digest(b), seconds=perf_counter() - began)


def digest(thing: Program | Model) -> str:
    """SHA-256 of a program's text, or of a model's coordinates and weights."""
    return thing.digest() if isinstance(thing, Model) else hashlib.sha256(str(thing).encode()).hexdigest()


def _verdict(found: bool, level: Level, counterexample: Counterexample | None, *assumptions: str) -> Verdict:
    return Verdict(
        "proved" if found else "refuted", level, "all" if found else None, counterexample, assumptions, "", ""
    )


def _programs(a: Program, b: Program, level: Level | None) -> Verdict:
    if not isinstance(a, Automaton) or not isinstance(b, Automaton):
        raise UnsupportedError(f"this version compares automata with each other, not a {a.kind} and a {b.kind}")
    if level not in (None, "domain"):
        raise UnsupportedError(f"two programs are compared on all words (level domain), not at level {level}")
    word = shortest_disagreement(a, b)
    if word is None:
        return _verdict(True, "domain", None, "outcome and output on every word, at every length")
    shown = Counterexample(word, described_run(a.run(word)), described_run(b.run(word)), "the end of the word")
    return _verdict(False, "domain", shown, "outcome and output of the reference interpreter")


def _program_and_model(program: Program, model: Model, level: Level | None, up_to: int | None) -> Verdict:
    if level == "tested":
        return _tested(program, model, up_to)
    lowering = lower(program)
    graph = token_graph(lowering)
    answers = ModelAnswers(model.heads, graph)
    word = shortest_difference(graph, lambda symbol: program_answers(graph, symbol), answers.to)
    if word is not None and level != "everywhere":
        return _verdict(False, "domain", against_program(graph, word, model), EXACT, INDUCTION, TOKENS)
    if level != "domain":
        compiled, given = exact_form(lowering.form), heads_form(model.heads, model.coordinates)
        rest = difference(compiled, given)
        if word is None and not len(rest):
            return _verdict(True, "everywhere", None, EXACT, "the rules are those that the program compiles to")
        if level == "everywhere":
            return _verdict(False, "everywhere", _on_real_input(rest, compiled, given, model), EXACT)
    return _verdict(True, "domain", None, EXACT, INDUCTION, TOKENS)


def _tested(program: Program, model: Model, up_to: int | None) -> Verdict:
    if not isinstance(program, Automaton):
        raise UnsupportedError(f"this version tests models of automata, not of a {program.kind}")
    word = failing_word(program, model, up_to=up_to)
    tried = LENGTH if up_to is None else up_to
    assumption = f"{EXAMPLES:,} words of up to {tried} symbols, chosen by hypothesis"
    if word is None:
        return Verdict("undecided", "tested", tried, None, (assumption,), "", "")
    expected = lower(program).trace(word)
    try:
        run = model.run(word)
        got = [*run.tokens, described_run(run)]
    except ModelError as problem:
        got = [str(problem)]
    expected.append(described_run(program.run(word)))
    place = next((n for n, pair in enumerate(zip(expected, got, strict=False)) if pair[0] != pair[1]), len(got) - 1)
    shown = Counterexample(word, expected[place], got[min(place, len(got) - 1)], f"token {place}")
    return Verdict("refuted", "tested", None, shown, (assumption,), "", "")


def _models(a: Model, b: Model, level: Level | None) -> Verdict:
    if set(a.coordinates) != set(b.coordinates):
        odd = min(set(a.coordinates) ^ set(b.coordinates))
        raise ModelError(f"the models are over different coordinates ({a.d} and {b.d}; {odd!r} is only in one of them)")
    b = reordered(b, a.coordinates)
    left, right = heads_form(a.heads, a.coordinates), heads_form(b.heads, b.coordinates)
    rest = difference(left, right)
    if not len(rest) and level in (None, "everywhere"):
        return replace(_verdict(True, "everywhere", None, EXACT), witness=witness(a, b))
    program = a.program or b.program
    if level == "everywhere" or (level is None and program is None):
        return _verdict(False, "everywhere", _on_real_input(rest, left, right, a), EXACT)
    if level == "tested" or program is None:
        what = "are compared exactly, not tested" if program else "carry no program, so they have no domain"
        raise UnsupportedError(f"the two models {what}; leave the level out")
    first, second = model_for_program(a, program), model_for_program(b, program)
    graph = token_graph(lower(program))
    word = shortest_difference(graph, ModelAnswers(first.heads, graph).to, ModelAnswers(second.heads, graph).to)
    whose = f"the domain is that of {program.kind} {program.name}, which the models claim to be"
    shown = None if word is None else against_model(graph, word, first, second)
    return _verdict(word is None, "domain", shown, EXACT, INDUCTION, TOKENS, whose)


def _on_real_input(rest: Form, left: ExactForm, right: ExactForm, model: Model) -> Counterexample:
    """A real input of one or two tokens on which two different forms differ, evaluated on both."""
    tokens = separating_input(rest).astype(object)
    memory, last = tokens.T @ tokens, tokens[-1]
    (expected, below_left), (got, below_right) = ((form.answer(memory, last), below) for form, below in (left, right))
    shown = parted(expected, below_left, got, below_right, model)
    rows = tuple(tuple(int(value) for value in row) for row in tokens.tolist())
    return Counterexample(rows, *shown, f"the answer to token {len(rows) - 1}")
