"""Verdicts as proofs to keep: how the program's runs are made, in plain numbers, and what shows the claim."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Sparse
from compiler.domain.token_graph import TokenGraph, token_graph
from compiler.errors import UnsupportedError
from compiler.files.proof_file import StoredProof, proof_to_bytes
from compiler.model import Model
from compiler.own_coordinates import embedded
from compiler.program import Program
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.lower import lower
from compiler.reading import read_to_judge
from compiler.vocabulary import Vocabulary
from verify.answers import ModelAnswers
from verify.check_proof import MOST_LENGTHS, Weights, check
from verify.horizon import Decisions
from verify.margins import answer_tokens
from verify.program_and_model import lowered_for
from verify.system_verdict import LIVE
from verify.verdict import Counterexample, Verdict
from verify.verify import digest
from verify.vocabulary import output_places


def proof_of(program: Program, model: Model, verdict: Verdict) -> StoredProof:
    """A proof of the `verdict` of `verify(program, model)`, which the checker accepts.

    Raises UnsupportedError for verdicts whose proofs cannot be stored: undecided ones; tested; refutations at level
    domain (ask for the decisions); memories and machines that are proved by what their runs span.
    """
    model, _ = read_to_judge(model, program, to_scale=bool(verdict.tolerance))
    claim: dict[str, Any] = {"verdict": verdict.verdict, "level": verdict.level, "lengths": verdict.lengths}
    if verdict.tolerance:
        claim["tolerance"] = _number(verdict.tolerance)
    premises = _premises(program, model, verdict)
    stored = StoredProof(digest(program), digest(model), claim, premises, _shown(program, model, verdict))
    reason = check(stored, _weights(model))
    if reason is not None:
        raise UnsupportedError(f"this version cannot store why the model is {verdict.verdict}: {reason}")
    return stored


def check_proof(stored: StoredProof, program: Program, model: Model) -> str | None:
    """None where `stored` proves its claim of `program` and `model`; else why it does not.

    The premises are made anew from the program and the model's embeddings, and compared.
    """
    model, _ = read_to_judge(model, program, to_scale="tolerance" in stored.claim)
    if (stored.program, stored.model) != (digest(program), digest(model)):
        return "it is for another program or another model"
    level, verdict = stored.claim.get("level"), stored.claim.get("verdict")
    if level not in ("everywhere", "domain", "decisions"):
        return "it claims nothing that can be proved"
    own = replace(stored, premises=_premises(program, model, Verdict(verdict, level, None, None, (LIVE,), "", "")))  # type: ignore[arg-type]
    if proof_to_bytes(own) != proof_to_bytes(stored):
        return "what it says of the program is not so"
    return check(stored, _weights(model))


def _premises(program: Program, model: Model, verdict: Verdict) -> dict[str, Any]:
    """What is said of the program; the levels of automata below `everywhere` speak of walks, all others of rules."""
    lowering = lowered_for(program, model)
    if isinstance(lowering, LoweredAutomaton) and verdict.level in ("domain", "decisions"):
        return _walks(_graph(lowering, model), lowering)
    if model.coordinates != lowering.coordinates:
        raise UnsupportedError("rules are compared in the program's coordinates, and the model is not in them")
    if verdict.level != "everywhere" and LIVE not in verdict.assumptions:
        raise UnsupportedError("the proof of this verdict cannot be stored in this version")
    form = lowering.form
    index = form.index.tolist()
    rules = [[*places, _number(weight)] for places, weight in zip(index, form.weights.tolist(), strict=True)]
    live = (
        None if verdict.level == "everywhere" else sorted({tuple(sorted(token)) for token in _places(lowering.tokens)})
    )
    return {"kind": "rules", "dimension": form.d, "rules": rules, "live": live and [list(token) for token in live]}


def _places(tokens: Vocabulary) -> list[list[int]]:
    return [list(tokens.listed(number)) for number in range(len(tokens))]


def _graph(lowering: LoweredAutomaton, model: Model) -> TokenGraph:
    return token_graph(embedded(lowering, model))


def _walks(graph: TokenGraph, own: LoweredAutomaton) -> dict[str, Any]:
    nodes = {node: number for number, node in enumerate(graph.words)}
    edges = [[nodes[edge.source], *edge.tokens, nodes[edge.target]] for edge in graph.edges]
    outputs = output_places(own) if graph.lowering.coordinates == own.coordinates else None
    names = () if outputs is None else (*own.start, *own.answers.values())
    said = {
        graph.numbers[name]: [place for place in outputs or () if 2 * own.tokens[name][place] > 1] for name in names
    }
    return {
        "kind": "walks",
        "dimension": graph.lowering.form.d,
        "tokens": [_sparse(vector) for vector in graph.vectors],
        "start": list(graph.start_tokens),
        "edges": edges,
        "choices": answer_tokens(graph).tolist(),
        "outputs": outputs,
        "says": [[number, places] for number, places in sorted(said.items())],
    }


def _shown(program: Program, model: Model, verdict: Verdict) -> dict[str, Any]:
    """What shows the claim, beside the weights themselves."""
    if verdict.level == "decisions" and verdict.verdict != "undecided":
        lowering = lower(program)
        if not isinstance(lowering, LoweredAutomaton):
            raise UnsupportedError(f"this version stores no proof of the decisions of a {program.kind}")
        graph = _graph(lowering, model)
        decisions = Decisions(graph, ModelAnswers(model.heads, graph).to, verdict.tolerance)
        witnesses = decisions.witnesses() if verdict.lengths is not None else {}
        word = None if verdict.counterexample is None else _word(graph, verdict.counterexample)
        return {"witnesses": {str(graph.lasts[symbol]): each for symbol, each in witnesses.items()}, "word": word}
    if verdict.verdict == "refuted" and verdict.level == "everywhere":
        assert verdict.counterexample is not None
        return {"tokens": [list(row) for row in verdict.counterexample.input]}
    if verdict.verdict == "proved" and verdict.level in ("everywhere", "domain"):
        return {}
    raise UnsupportedError("only what is proved, or refuted everywhere or by decisions, has a proof to be stored")


def _word(graph: TokenGraph, shown: Counterexample) -> list[int]:
    """The letters of a counterexample, by number."""
    word = shown.input
    if shown.repeated is not None:
        begin, end, times = shown.repeated
        if times * (end - begin) > MOST_LENGTHS:
            raise UnsupportedError(f"words of more than {MOST_LENGTHS:,} symbols are not stored")
        word = (*word[:begin], *word[begin:end] * times, *word[end:])
    return [graph.lasts[symbol] for symbol in word]


def _weights(model: Model) -> Weights:
    return Weights(model.d, [(_entries(head.V), _entries(head.Q)) for head in model.heads])


def _entries(matrix: Sparse) -> list[tuple[int, int, Fraction]]:
    listed = zip(matrix.rows.tolist(), matrix.columns.tolist(), matrix.weights.tolist(), strict=True)
    return [(row, column, Fraction(value)) for row, column, value in listed]


def _sparse(vector: NDArray[Any]) -> list[list[Any]]:
    return [[int(place), _number(vector[place])] for place in np.flatnonzero(vector)]


def _number(value: Any) -> int | str:
    """An exact number: an integer, or a fraction as text."""
    exact = Fraction(value.item() if isinstance(value, np.generic) else value)
    return int(exact) if exact.denominator == 1 else str(exact)
