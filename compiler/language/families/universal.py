"""Universal programs from syntax."""

from __future__ import annotations

from dataclasses import replace

from compiler.errors import UnsupportedError, WordError
from compiler.language.families.context import Context
from compiler.language.families.examples import examples_of, to_symbols, to_verb
from compiler.language.families.machine import MAX_CELLS
from compiler.language.syntax import ExampleSyntax, ProgramSyntax
from compiler.program import Program
from compiler.program.automaton import Automaton
from compiler.program.machine import Machine
from compiler.program.run import Example, Verb
from compiler.program.universal import UniversalAutomaton, UniversalMachine

MAX_BOUND = 100_000


def to_universal(syntax: ProgramSyntax, context: Context) -> UniversalAutomaton | UniversalMachine | None:
    """The universal program that `syntax` says; None, with mistakes reported, where it says none."""
    settings = context.settings(syntax)
    bounds: dict[str, int | None] = {}
    keywords = ("states", "symbols", "cells") if syntax.kind == "universal machine" else ("states", "symbols")
    for keyword in keywords:
        context.require(syntax, settings.get(keyword), keyword, f"{keyword} 4")
        bounds[keyword] = context.number(settings.get(keyword), 1, MAX_CELLS if keyword == "cells" else MAX_BOUND)
    known = {keyword: value for keyword, value in bounds.items() if value is not None}
    if len(known) < len(keywords):
        return None
    name = syntax.name.text
    states, symbols, cells = known["states"], known["symbols"], known.get("cells")
    made = (
        UniversalAutomaton(name, states, symbols) if cells is None else UniversalMachine(name, states, symbols, cells)
    )
    examples = (_example(each, syntax, made, context) for each in examples_of(syntax))
    return replace(made, examples=tuple(each for each in examples if each is not None))


def _example(
    each: ExampleSyntax, syntax: ProgramSyntax, made: UniversalAutomaton | UniversalMachine, context: Context
) -> Example | None:
    assert each.given is not None
    given = context.lookup(each.given)
    if given is None:
        return None
    try:
        fitting: Program = made.check_fits(given)
    except UnsupportedError as problem:
        context.error(each.given.span, str(problem))
        return None
    assert isinstance(fitting, Automaton | Machine)
    verb = to_verb(each.verb, syntax, context, _verbs(fitting))
    word = to_symbols(each.word, fitting.alphabet, f"the alphabet of `{given.name}`", context)
    if any(symbol not in fitting.alphabet for symbol in word):
        return None
    output = fitting.outputs if isinstance(fitting, Automaton) else fitting.symbols
    result = to_symbols(each.result or (), output, "the output alphabet", context)
    try:
        fitting.word(word)
    except WordError as problem:
        context.error(each.span, str(problem))
        return None
    return None if verb is None else Example(word, verb, result, given)


def _verbs(given: Automaton | Machine) -> tuple[Verb, ...]:
    if isinstance(given, Machine):
        return ("accepts", "rejects", "halts", "overruns", "gives")
    judged: tuple[Verb, ...] = ("accepts", "rejects") if given.accept is not None else ()
    emits: tuple[Verb, ...] = ("gives",) if given.is_transducer else ()
    return judged + emits
