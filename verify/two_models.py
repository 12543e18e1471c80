"""Whether two models are the same: everywhere, or on the domain of the program that they claim to be."""

from __future__ import annotations

from dataclasses import replace

from compiler.domain.token_graph import token_graph
from compiler.errors import ModelError, UnsupportedError
from compiler.heads_to_rules import MOST_RULES, exact_rules, products
from compiler.model import Model
from compiler.model_for_program import model_for_program, reordered
from compiler.program import Program
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.lowering import Lowering
from verify.answers import ModelAnswers
from verify.program_and_model import check_listable, decided, layers_only, lowered_for, on_real_input
from verify.same_function import difference
from verify.same_on_domain import against_model, shortest_difference, word_order
from verify.symmetry import witness
from verify.system_verdict import as_verdict, system_verdict
from verify.verdict import EXACT, INDUCTION, OWN, Level, Verdict
from verify.vocabulary import different_tokens, least_misread, read_otherwise


def two_models(a: Model, b: Model, level: Level | None) -> Verdict:
    """The verdict on two models, without digests. Raises ModelError, UnsupportedError."""
    if set(a.coordinates) != set(b.coordinates):
        alone = min(set(a.coordinates) ^ set(b.coordinates))
        raise ModelError(f"the models are over different coordinates ({a.d} and {b.d}; {alone!r} is only in one)")
    b = reordered(b, a.coordinates)
    program = a.program or b.program
    odd = different_tokens(a.tokens, b.tokens)
    if level == "decisions":
        raise UnsupportedError("decisions are those of a model that is to be a program; give the program")
    if level == "tested" or (level == "domain" and program is None):
        what = "are compared exactly, not tested" if program else "carry no program, so they have no domain"
        raise UnsupportedError(f"the two models {what}; leave the level out")
    if max(products(a.heads), products(b.heads)) > MOST_RULES:
        return _large_models(a, b, level, program)
    left, right = exact_rules(a.heads, a.coordinates), exact_rules(b.heads, b.coordinates)
    rest = difference(left, right)
    if not len(rest) and (level == "everywhere" or (level is None and (not odd or program is None))):
        return replace(decided(True, "everywhere", None, EXACT, *layers_only(odd)), witness=witness(a, b))
    if level == "everywhere" or (level is None and program is None):
        return decided(False, "everywhere", on_real_input(rest, left, right, a), EXACT)
    assert program is not None
    return _models_on_domain(model_for_program(a, program), model_for_program(b, program), program)


def _large_models(a: Model, b: Model, level: Level | None, program: Program | None) -> Verdict:
    """Two models whose rules are too many to list: the same everywhere if their weights are, else by the domain."""
    if a.digest() == b.digest() and level in (None, "everywhere"):
        return replace(decided(True, "everywhere", None, EXACT, "the weights are identical"), witness=witness(a, b))
    check_listable(a, b, level="everywhere" if program is None else level)
    assert program is not None
    return _models_on_domain(model_for_program(a, program), model_for_program(b, program), program)


def _models_on_domain(first: Model, second: Model, program: Program) -> Verdict:
    lowering = lowered_for(program, first)
    if not isinstance(lowering, LoweredAutomaton):
        return _systems_on_domain(lowering, first, second)
    graphs = [token_graph(replace(lowering, tokens=model.vocabulary)) for model in (first, second)]
    owns = [graph.lowering for graph in graphs]
    answers = [ModelAnswers(model.heads, graph).to for model, graph in zip((first, second), graphs, strict=True)]
    word = shortest_difference(graphs[0], *answers)
    misread = least_misread(graphs[0], *owns)
    order = word_order(graphs[0])
    whose = f"the domain is that of {program.kind} {program.name}"
    shown = None
    if misread is not None and (word is None or order(misread) <= order(word)):
        shown = read_otherwise(misread, *owns)
    elif word is not None:
        shown = against_model(graphs, word, first, second)
    return decided(shown is None, "domain", shown, EXACT, INDUCTION, OWN, whose)


def _systems_on_domain(lowering: Lowering, first: Model, second: Model) -> Verdict:
    """Two models of a memory or a machine, each compared with the program."""
    left, right = (system_verdict(lowering, model) for model in (first, second))
    if "undecided" in (left.verdict, right.verdict) or left.verdict == right.verdict == "refuted":
        why = "the models are compared through the program, and that does not decide them"
        return as_verdict(
            left._replace(verdict="undecided", level="domain", counterexample=None, assumptions=(EXACT, why))
        )
    return as_verdict(left if left.verdict == "refuted" else right._replace(level="domain"))
