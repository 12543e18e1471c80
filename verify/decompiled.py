"""Decompiling with a proof: a program is read from the model, and handed out only if the model is proved to be it."""

from __future__ import annotations

from compiler.decompile.model_to_automaton import model_to_automaton
from compiler.decompile.model_to_machine import model_to_machine
from compiler.decompile.model_to_memory import claimed_dense_memory, model_to_memories
from compiler.decompile.model_to_real_memory import is_real_memory, model_to_real_memory
from compiler.decompile.model_to_universal import model_to_universal
from compiler.domain.token_graph import token_graph
from compiler.errors import DecompileError
from compiler.model import Model
from compiler.model_for_program import model_for_program
from compiler.program import Grammar, Machine, Program
from compiler.program.words import spell
from compiler.program_to_rules.lower import lowering_for
from compiler.program_to_rules.lowered_grammar import POPPED
from compiler.program_to_rules.memory import NOW
from verify.answers import ModelAnswers, program_answers
from verify.same_on_domain import shortest_difference
from verify.system_verdict import system_verdict
from verify.verdict import Judged

HISTORIES = ("position[1]", "cell[0,0]")
"""What only the time-indexed constructions have: of automata, of machines."""


def decompile(model: Model) -> Program:
    """The program that `model` runs, with the names of its coordinates, proved on all words.

    Raises
    ------
    DecompileError
        Where no program could be read, or the one that was read is not proved to be the model; with the reason.

    >>> from compiler.language.load import load
    >>> from compiler.program_to_model import compile
    >>> decompile(compile(load("parity"))) == load("parity")
    True
    """
    if not isinstance(model, Model):
        raise DecompileError(f"decompile takes a model, not a {type(model).__name__}")
    if any(name in model.coordinates for name in HISTORIES):
        raise DecompileError(
            "the model is a history: it has coordinates for so many steps and no more, so it is no program's model on "
            "inputs of every length, which is what would have to be proved; models with registers are decompiled"
        )
    if isinstance(model.program, Machine):
        return _machine(model, model.program)
    if isinstance(model.program, Grammar) or POPPED in model.coordinates:
        return _grammar(model)
    if NOW in model.coordinates:
        return _memory(model)
    if is_real_memory(model):
        read = model_to_real_memory(model)
        _require(_judged(read, model), read)
        return read
    if universal := model_to_universal(model):
        _require(_judged(universal, model), universal)
        return universal
    return _automaton(model)


def _machine(model: Model, claimed: Machine) -> Program:
    """What is read; where that is no machine, or not the model's, what the model claims to be, if that is proved.

    Configurations that no run reaches are read as well, and there a model of the program may answer anything.
    """
    try:
        found = model_to_machine(model_for_program(model, claimed), claimed)
        _require(_judged(found, model), found)
    except DecompileError:
        if _judged(claimed, model).verdict != "proved":
            raise
        return claimed
    return found


def _grammar(model: Model) -> Program:
    """The grammar that the model claims to be, if that is proved: none is read from weights."""
    if not isinstance(model.program, Grammar):
        raise DecompileError(
            "the coordinates are those of a grammar, and this version reads none from weights: it proves only the one "
            "that a model claims to be, and this one carries no program"
        )
    _require(_judged(model.program, model), model.program)
    return model.program


def _automaton(model: Model) -> Program:
    program, observed = model_to_automaton(model)
    graph = token_graph(observed)
    answers = ModelAnswers(model.heads, graph)
    word = shortest_difference(graph, lambda symbol: program_answers(graph, symbol), answers.to)
    if word is not None:
        raise DecompileError(
            f"the model is no automaton: its answer at the end of the word {', '.join(map(spell, word))} is not the "
            f"one that it gives to {spell(word[-1])} in the same state after a shorter word"
        )
    return program


def _memory(model: Model) -> Program:
    """The first of the candidates that is proved."""
    if dense := claimed_dense_memory(model):
        _require(_judged(dense, model), dense)
        return dense
    last: tuple[Judged, Program] | None = None
    for candidate in model_to_memories(model):
        last = _judged(candidate, model), candidate
        if last[0].verdict == "proved":
            return candidate
    if last is None:
        raise DecompileError("the coordinates are not those of a memory, whichever way it writes")
    _require(*last)
    return last[1]


def _judged(program: Program, model: Model) -> Judged:
    fitted = model_for_program(model, program)
    return system_verdict(lowering_for(program, fitted.coordinates), fitted)


def _require(judged: Judged, program: Program) -> None:
    if judged.verdict != "proved":
        shown = judged.counterexample
        why = f"on {', '.join(map(str, shown.input))} it answers {shown.got}" if shown else judged.assumptions[-1]
        raise DecompileError(
            f"the model is not proved to be what was read from it, {program.kind} {program.name}: {why}"
        )
