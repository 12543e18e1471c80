"""Decompiling with a proof: a program is read from the model, and handed out only if the model is proved to be it."""

from __future__ import annotations

from compiler.decompile.model_to_automaton import model_to_automaton
from compiler.domain.token_graph import token_graph
from compiler.errors import DecompileError
from compiler.model import Model
from compiler.program import Program
from compiler.program.words import spell
from verify.answers import ModelAnswers, program_answers
from verify.same_on_domain import shortest_difference


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
