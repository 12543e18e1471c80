"""The ladder: everywhere, domain, decisions, tested. `verify` climbs it to the strongest level that holds."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from time import perf_counter

from compiler.domain.token_graph import token_graph
from compiler.errors import ModelError, UnsupportedError
from compiler.heads_to_rules import MOST_RULES, exact_rules, products
from compiler.model import Model
from compiler.model_for_program import model_for_program, reordered
from compiler.program import Automaton, Program, UniversalAutomaton, UniversalMachine
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.lower import lower, lowering_for
from compiler.program_to_rules.lowering import Lowering
from compiler.reading import read_alike, read_as
from compiler.rules import Form
from verify.answers import ModelAnswers, program_answers
from verify.decisions import AT_LEAST, FED_BACK, decisions_verdict
from verify.decisions_bound import safe_tokens
from verify.horizon import few_margins
from verify.properties import decided_properties
from verify.same_function import ExactForm, difference, exact_form, separating_input
from verify.same_on_domain import against_model, against_program, parted, shortest_difference, word_order
from verify.same_runs import described as described_run
from verify.same_runs import shortest_disagreement
from verify.symmetry import witness
from verify.system_verdict import as_verdict, system_verdict
from verify.tested import EXAMPLES, LENGTH, failing_word, shown_by_model, shown_by_program
from verify.verdict import EXACT, INDUCTION, LEVELS, OWN, TOKENS, Counterexample, Judged, Level, Verdict
from verify.vocabulary import different_tokens, least_misread, read_otherwise


def verify(a: Program | Model, b: Program | Model, *, level: Level | None = None, up_to: int | None = None) -> Verdict:
    """Decide whether two things are the same: a program and a model, two models, or two programs.

    Parameters
    ----------
    a, b
        What is expected, and what is judged. A model first and a program second are exchanged.
    level
        Decide just this level; without it the strongest that holds is found. ``everywhere``: all real inputs, every
        length. ``domain``: every configuration that the program can reach, every length. ``decisions`` (a program and
        a model): the nearest token is the program's, at every length or up to the horizon, for memories and machines
        up to a bound on the tokens of a run.
        ``tested``: words tried by hypothesis, which proves nothing.
    up_to
        Only words of up to this length count: for ``decisions``, or ``tested``, which tries no longer ones.

    Returns
    -------
    Verdict
        With the shortest counterexample, by length and then in the order of the alphabet, for a refutation; for a
        program with properties and a model, with what holds of each on the model's runs.

    Raises
    ------
    ModelError
        For a model that is not over the program's coordinates, or two models over different ones. A model that names
        none (x[0], x[1], ...) is read as `compiler.reading` says, and `witness` says how.
    ProgramError, UnsupportedError
        For programs over different alphabets, families without a construction, levels that do not apply.

    >>> from compiler.language.load import load
    >>> from compiler.program_to_model import compile
    >>> verify(load("parity"), compile(load("parity"))).level
    'everywhere'
    """
    began = perf_counter()
    _check(a, b, level, up_to)
    if isinstance(a, Model) and not isinstance(b, Model):
        a, b = b, a
    if isinstance(a, Model):
        assert isinstance(b, Model)
        (left, how_left), (right, how_right) = read_alike(a, b)
        found = _models(left, right, level)
        found = replace(found, witness=(*how_left, *how_right, *found.witness))
    elif isinstance(b, Model):
        read, how = read_as(b, a)
        found = _with_properties(a, read, level, up_to)
        found = replace(found, witness=(*how, *found.witness))
    else:
        found = _programs(a, b, level)
    return replace(found, program=digest(a), model=digest(b), seconds=perf_counter() - began)


def _check(a: object, b: object, level: object, up_to: object) -> None:
    for thing in (a, b):
        if not isinstance(thing, Model | Program):
            hint = "; give its .model" if hasattr(thing, "model") else ""
            raise UnsupportedError(f"verify compares programs and models, not a {type(thing).__name__}{hint}")
    if level is not None and level not in LEVELS:
        raise UnsupportedError(f"there is no level {level!r}; the levels are {', '.join(LEVELS)}")
    if up_to is not None and (level in ("everywhere", "domain") or not isinstance(up_to, int) or up_to < 1):
        raise UnsupportedError(
            f"up_to={up_to!r}: a length of at least 1, and not for levels that speak of every length"
        )


def digest(thing: Program | Model) -> str:
    """SHA-256 of a program's text, or of a model's coordinates, weights and embeddings."""
    return thing.digest() if isinstance(thing, Model) else hashlib.sha256(str(thing).encode()).hexdigest()


def _verdict(found: bool, level: Level, counterexample: Counterexample | None, *assumptions: str) -> Verdict:
    return Verdict(
        "proved" if found else "refuted", level, "all" if found else None, counterexample, assumptions, "", ""
    )


def _programs(a: Program, b: Program, level: Level | None) -> Verdict:
    if a == b and level in (None, "domain"):
        return _verdict(True, "domain", None, "they are the same program")
    if not isinstance(a, Automaton) or not isinstance(b, Automaton):
        raise UnsupportedError(f"this version compares automata with each other, not a {a.kind} and a {b.kind}")
    if level not in (None, "domain"):
        raise UnsupportedError(f"two programs are compared on all words (level domain), not at level {level}")
    word = shortest_disagreement(a, b)
    if word is None:
        return _verdict(True, "domain", None, "outcome and output on every word, at every length")
    shown = Counterexample(word, described_run(a.run(word)), described_run(b.run(word)), "the end of the word")
    return _verdict(False, "domain", shown, "outcome and output of the reference interpreter")


def _with_properties(program: Program, model: Model, level: Level | None, up_to: int | None) -> Verdict:
    """The verdict on a program and a model, and on each property of the program.

    Levels everywhere and tested say nothing of runs at every length; with them it is climbed once more.
    """
    found = _program_and_model(program, model, level, up_to)
    if not isinstance(program, Automaton) or not program.properties:
        return found
    tells = level in (None, "decisions") or (level == "domain" and bool(found))
    runs = found if tells else _program_and_model(program, model, None, up_to)
    return replace(found, properties=decided_properties(program, model, runs))


def _program_and_model(program: Program, model: Model, level: Level | None, up_to: int | None) -> Verdict:
    lowering = _lowered(program, model)
    if model.coordinates != lowering.coordinates:
        raise UnsupportedError(f"the model is a history of {program.name}; this version verifies registers")
    if level == "tested":
        return _tested(program, model, up_to)
    if not isinstance(lowering, LoweredAutomaton):
        if level == "everywhere":
            _check_listable(model, level=level)
            compiled, given = exact_form(lowering.form), exact_rules(model.heads, model.coordinates)
            rest = difference(compiled, given)
            shown = _on_real_input(rest, compiled, given, model) if len(rest) else None
            return _verdict(not len(rest), "everywhere", shown, EXACT)
        judged = system_verdict(lowering, model)
        if level == "domain" or (level is None and judged.verdict == "proved"):
            return as_verdict(judged)
        return _system_decisions(lowering, model, judged, level, up_to)
    graph = token_graph(replace(lowering, tokens=model.vocabulary))
    if level == "decisions":
        return decisions_verdict(graph, lowering, model, up_to)
    own, lowering = graph.lowering, token_graph(lowering).lowering
    answers = ModelAnswers(model.heads, graph)
    word = shortest_difference(graph, lambda symbol: program_answers(graph, symbol), answers.to)
    misread = least_misread(graph, lowering, own)
    if level is None and (word is not None or misread is not None) and few_margins(graph):
        return decisions_verdict(graph, lowering, model, up_to)
    if level != "everywhere" and (word is not None or misread is not None):
        order = word_order(graph)
        if misread is not None and (word is None or order(misread) <= order(word)):
            return _verdict(False, "domain", read_otherwise(misread, lowering, own), EXACT, INDUCTION, OWN)
        assert word is not None
        return _verdict(False, "domain", against_program(graph, word, model), EXACT, INDUCTION, OWN)
    odd = different_tokens(lowering.tokens, model.tokens)
    if level != "domain":
        compiled, given = exact_form(lowering.form), exact_rules(model.heads, model.coordinates)
        rest = difference(compiled, given)
        if not len(rest) and (level == "everywhere" or (word is None and not odd)):
            rules = "the rules are those that the program compiles to"
            return _verdict(True, "everywhere", None, EXACT, rules, *_layers_only(odd))
        if level == "everywhere":
            return _verdict(False, "everywhere", _on_real_input(rest, compiled, given, model), EXACT)
    return _verdict(True, "domain", None, EXACT, INDUCTION, OWN)


def _system_decisions(
    lowering: Lowering, model: Model, judged: Judged, level: Level | None, up_to: int | None
) -> Verdict:
    """The decisions of a memory or a machine: by its domain where that is proved, else up to a bound.

    Without a `level` this is said where the bound is beyond the run that shows a difference, which decoding makes good.
    `up_to` and `lengths` count the tokens of a run.
    """
    rests = EXACT, FED_BACK, TOKENS, OWN
    if judged.verdict == "proved":
        return Verdict("proved", "decisions", "all" if up_to is None else up_to, None, judged.assumptions, "", "")
    odd = different_tokens(lowering.tokens, model.vocabulary)
    bound = None if odd else safe_tokens(lowering, model)
    shown = judged.verdict == "refuted" and (judged.tokens is None or (bound or 0) < judged.tokens)
    if bound is None or (level is None and shown):
        if level is None:
            return as_verdict(judged)
        raise UnsupportedError(f"this version has no bound for the decisions of this {lowering.program.kind}")
    if up_to is not None and up_to <= bound:
        return Verdict("proved", "decisions", up_to, None, rests, "", "")
    return Verdict("undecided", "decisions", bound, None, (*rests, AT_LEAST), "", "")


def _lowered(program: Program, model: Model) -> Lowering:
    """The construction with registers that `model` claims to be, over the coordinates of `program`."""
    universal = isinstance(program, UniversalAutomaton | UniversalMachine)
    return lowering_for(program, model.coordinates) if universal else lower(program)


def _layers_only(odd: list[str]) -> tuple[str, ...]:
    """The warning that goes with models whose embeddings differ from the program's, or from each other's."""
    if not odd:
        return ()
    return (f"this speaks of the layers alone: the embeddings of {odd[0]!r} differ, so runs may; see level domain",)


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


def _models(a: Model, b: Model, level: Level | None) -> Verdict:
    if set(a.coordinates) != set(b.coordinates):
        alone = min(set(a.coordinates) ^ set(b.coordinates))
        raise ModelError(f"the models are over different coordinates ({a.d} and {b.d}; {alone!r} is only in one)")
    b = reordered(b, a.coordinates)
    program = a.program or b.program
    odd = different_tokens(a.tokens, b.tokens)
    if level == "tested" or (level == "domain" and program is None):
        what = "are compared exactly, not tested" if program else "carry no program, so they have no domain"
        raise UnsupportedError(f"the two models {what}; leave the level out")
    if max(products(a.heads), products(b.heads)) > MOST_RULES:
        return _large_models(a, b, level, program)
    left, right = exact_rules(a.heads, a.coordinates), exact_rules(b.heads, b.coordinates)
    rest = difference(left, right)
    if not len(rest) and (level == "everywhere" or (level is None and (not odd or program is None))):
        return replace(_verdict(True, "everywhere", None, EXACT, *_layers_only(odd)), witness=witness(a, b))
    if level == "everywhere" or (level is None and program is None):
        return _verdict(False, "everywhere", _on_real_input(rest, left, right, a), EXACT)
    assert program is not None
    return _models_on_domain(model_for_program(a, program), model_for_program(b, program), program)


def _large_models(a: Model, b: Model, level: Level | None, program: Program | None) -> Verdict:
    """Two models whose rules are too many to list: the same everywhere if their weights are, else by the domain."""
    if a.digest() == b.digest() and level in (None, "everywhere"):
        return replace(_verdict(True, "everywhere", None, EXACT, "the weights are identical"), witness=witness(a, b))
    _check_listable(a, b, level="everywhere" if program is None else level)
    assert program is not None
    return _models_on_domain(model_for_program(a, program), model_for_program(b, program), program)


def _check_listable(*models: Model, level: Level | None) -> None:
    """Raises UnsupportedError for level everywhere where the rules are too many to list."""
    most = max(products(model.heads) for model in models)
    if level == "everywhere" and most > MOST_RULES:
        raise UnsupportedError(
            f"the heads have {most:,} products, and level everywhere lists up to {MOST_RULES:,} as rules; "
            "level domain, of the program, lists only those that its tokens can bring to bear"
        )


def _models_on_domain(first: Model, second: Model, program: Program) -> Verdict:
    lowering = _lowered(program, first)
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
    return _verdict(shown is None, "domain", shown, EXACT, INDUCTION, OWN, whose)


def _systems_on_domain(lowering: Lowering, first: Model, second: Model) -> Verdict:
    """Two models of a memory or a machine, each compared with the program."""
    left, right = (system_verdict(lowering, model) for model in (first, second))
    if "undecided" in (left.verdict, right.verdict) or left.verdict == right.verdict == "refuted":
        why = "the models are compared through the program, and that does not decide them"
        return as_verdict(left._replace(verdict="undecided", counterexample=None, assumptions=(EXACT, why)))
    return as_verdict(left if left.verdict == "refuted" else right._replace(level="domain"))


def _on_real_input(rest: Form, left: ExactForm, right: ExactForm, model: Model) -> Counterexample:
    """A real input of one or two tokens on which two different forms differ, evaluated on both."""
    tokens = separating_input(rest).astype(object)
    memory, last = tokens.T @ tokens, tokens[-1]
    (expected, below_left), (got, below_right) = ((form.answer(memory, last), below) for form, below in (left, right))
    shown = parted(expected, below_left, got, below_right, model)
    rows = tuple(tuple(int(value) for value in row) for row in tokens.tolist())
    return Counterexample(rows, *shown, f"the answer to token {len(rows) - 1}")
