"""Whether a model is a program: the levels, one after the other, for every family."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import inf

from compiler.domain.token_graph import token_graph
from compiler.errors import ModelError, UnsupportedError
from compiler.heads_to_rules import MOST_RULES, exact_rules, products
from compiler.model import Model
from compiler.own_coordinates import embedded
from compiler.program import Automaton, Program, UniversalAutomaton, UniversalMachine
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.lower import lower, lowering_for
from compiler.program_to_rules.lowering import Lowering
from compiler.reading import named
from compiler.rules import Form
from verify.answers import ModelAnswers, program_answers
from verify.decisions import AT_LEAST, FED_BACK, decisions_verdict, disturbed
from verify.decisions_bound import right_answers_are_steady, safe_tokens
from verify.horizon import few_margins
from verify.properties import decided_properties
from verify.same_function import ExactForm, difference, exact_form, separating_input
from verify.same_on_domain import against_program, parted, shortest_difference, word_order
from verify.system_verdict import as_verdict, system_verdict
from verify.tested import EXAMPLES, LENGTH, failing_word, shown_by_model, shown_by_program
from verify.verdict import EXACT, INDUCTION, OWN, TOKENS, Counterexample, Judged, Level, Verdict
from verify.vocabulary import different_tokens, embedded_as, least_misread, read_otherwise


def decided(found: bool, level: Level, counterexample: Counterexample | None, *assumptions: str) -> Verdict:
    """Proved at every length, or refuted, at a level."""
    return Verdict(
        "proved" if found else "refuted", level, "all" if found else None, counterexample, assumptions, "", ""
    )


def program_and_model(
    program: Program, model: Model, level: Level | None, up_to: int | None, tolerance: Fraction
) -> Verdict:
    """The verdict on a program and a model, and on each property of the program.

    Levels everywhere and tested say nothing of runs at every length; with them it is climbed once more.
    """
    found = _judged(program, model, level, up_to, tolerance)
    if not isinstance(program, Automaton) or not program.properties:
        return found
    tells = (level in (None, "decisions") and not tolerance) or (level == "domain" and bool(found))
    runs = found if tells else _judged(program, model, None, up_to, Fraction(0))
    return replace(found, properties=decided_properties(program, model, runs))


def _judged(program: Program, model: Model, level: Level | None, up_to: int | None, tolerance: Fraction) -> Verdict:
    lowering = lowered_for(program, model)
    apart = model.coordinates != lowering.coordinates
    if apart and named(model):
        raise UnsupportedError(f"the model is a history of {program.name}; this version verifies registers")
    if apart and level in ("everywhere", "tested"):
        raise UnsupportedError(
            f"level {level} needs the coordinates of {program.kind} {program.name}, and no order or basis was found in "
            "which the model's are these; levels domain and decisions are judged in its own"
        )
    if level == "tested":
        return _tested(program, model, up_to)
    if not isinstance(lowering, LoweredAutomaton):
        if level == "everywhere":
            check_listable(model, level=level)
            compiled, given = exact_form(lowering.form), exact_rules(model.heads, model.coordinates)
            rest = difference(compiled, given)
            shown = on_real_input(rest, compiled, given, model) if len(rest) else None
            return decided(not len(rest), "everywhere", shown, EXACT)
        judged = system_verdict(lowering, model)
        if level == "domain" or (level is None and judged.verdict == "proved"):
            return as_verdict(judged)
        return _system_decisions(lowering, model, judged, level, up_to, tolerance)
    return _automaton(lowering, model, level, up_to, tolerance, apart=apart)


def _automaton(
    lowering: LoweredAutomaton,
    model: Model,
    level: Level | None,
    up_to: int | None,
    tolerance: Fraction,
    *,
    apart: bool,
) -> Verdict:
    """The verdict on an automaton; `apart` says that the model is in coordinates of its own."""
    graph = token_graph(embedded(lowering, model))
    if level == "decisions":
        return decisions_verdict(graph, lowering, model, up_to, tolerance)
    own, lowering = graph.lowering, token_graph(lowering).lowering
    answers = ModelAnswers(model.heads, graph)
    word = shortest_difference(graph, lambda symbol: program_answers(graph, symbol), answers.to)
    misread = least_misread(graph, lowering, own)
    rests = EXACT, INDUCTION, *embedded_as(graph, lowering)
    if level is None and (word is not None or misread is not None) and few_margins(graph):
        return decisions_verdict(graph, lowering, model, up_to)
    if level != "everywhere" and (word is not None or misread is not None):
        order = word_order(graph)
        if misread is not None and (word is None or order(misread) <= order(word)):
            return decided(False, "domain", read_otherwise(misread, lowering, own), *rests)
        assert word is not None
        return decided(False, "domain", against_program(graph, word, model), *rests)
    odd = different_tokens(lowering.tokens, model.tokens)
    if level != "domain" and not apart:
        compiled, given = exact_form(lowering.form), exact_rules(model.heads, model.coordinates)
        rest = difference(compiled, given)
        if not len(rest) and (level == "everywhere" or (word is None and not odd)):
            rules = "the rules are those that the program compiles to"
            return decided(True, "everywhere", None, EXACT, rules, *layers_only(odd))
        if level == "everywhere":
            return decided(False, "everywhere", on_real_input(rest, compiled, given, model), EXACT)
    return decided(True, "domain", None, *rests)


def _system_decisions(
    lowering: Lowering, model: Model, judged: Judged, level: Level | None, up_to: int | None, tolerance: Fraction
) -> Verdict:
    """The decisions of a memory or a machine: by its domain where that is proved, else up to a bound.

    Without a `level` this is said where the bound is beyond the run that shows a difference, which decoding makes good.
    `up_to` and `lengths` count the tokens of a run.
    """
    rests = EXACT, FED_BACK, *disturbed(tolerance), TOKENS, OWN
    if judged.verdict == "proved":
        if not right_answers_are_steady(lowering, tolerance):
            raise UnsupportedError(f"tolerance {tolerance}: it has to be below half the distance of any two answers")
        rests = *judged.assumptions, *disturbed(tolerance)
        return Verdict("proved", "decisions", "all" if up_to is None else up_to, None, rests, "", "")
    odd = different_tokens(lowering.tokens, model.vocabulary)
    bound = None if odd else safe_tokens(lowering, model, tolerance)
    least = (judged.tokens or inf) if judged.verdict == "refuted" else 1
    if bound is None or (level is None and bound < least):
        if level is None:
            return as_verdict(judged)
        raise UnsupportedError(f"this version has no bound for the decisions of this {lowering.program.kind}")
    if up_to is not None and up_to <= bound:
        return Verdict("proved", "decisions", up_to, None, rests, "", "")
    return Verdict("undecided", "decisions", bound, None, (*rests, AT_LEAST), "", "")


def lowered_for(program: Program, model: Model) -> Lowering:
    """The construction with registers that `model` claims to be, over the coordinates of `program`."""
    universal = isinstance(program, UniversalAutomaton | UniversalMachine)
    return lowering_for(program, model.coordinates) if universal else lower(program)


def layers_only(odd: list[str]) -> tuple[str, ...]:
    """The warning that goes with models whose embeddings differ from the program's, or from each other's."""
    if not odd:
        return ()
    return (f"this speaks of the layers alone: the embeddings of {odd[0]!r} differ, so runs may; see level domain",)


def check_listable(*models: Model, level: Level | None) -> None:
    """Raises UnsupportedError for level everywhere where the rules are too many to list."""
    most = max(products(model.heads) for model in models)
    if level == "everywhere" and most > MOST_RULES:
        raise UnsupportedError(
            f"the heads have {most:,} products, and level everywhere lists up to {MOST_RULES:,} as rules; "
            "level domain, of the program, lists only those that its tokens can bring to bear"
        )


def _tested(program: Program, model: Model, up_to: int | None) -> Verdict:
    word = failing_word(program, model, up_to=up_to)
    tried = LENGTH if up_to is None else up_to
    assumption = f"{EXAMPLES:,} words of up to {tried} symbols, chosen by hypothesis"
    if word is None:
        return Verdict("undecided", "tested", tried, None, (assumption,), "", "")
    expected = shown_by_program(lower(program), word)
    try:
        got = shown_by_model(model, word)
    except ModelError as problem:
        got = [str(problem)]
    place = next((n for n, pair in enumerate(zip(expected, got, strict=False)) if pair[0] != pair[1]), len(got) - 1)
    shown = Counterexample(word, expected[place], got[min(place, len(got) - 1)], f"token {place}")
    return Verdict("refuted", "tested", None, shown, (assumption,), "", "")


def on_real_input(rest: Form, left: ExactForm, right: ExactForm, model: Model) -> Counterexample:
    """A real input of one or two tokens on which two different forms differ, evaluated on both."""
    tokens = separating_input(rest).astype(object)
    memory, last = tokens.T @ tokens, tokens[-1]
    (expected, below_left), (got, below_right) = ((form.answer(memory, last), below) for form, below in (left, right))
    shown = parted(expected, below_left, got, below_right, model)
    rows = tuple(tuple(int(value) for value in row) for row in tokens.tolist())
    return Counterexample(rows, *shown, f"the answer to token {len(rows) - 1}")
