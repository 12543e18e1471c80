"""Verdicts as proofs to keep: how the program's runs are made, in plain numbers, and what shows the claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from compiler.attention import Sparse
from compiler.domain.real_memory_span import keys_of
from compiler.domain.token_graph import TokenGraph, token_graph
from compiler.errors import UnsupportedError
from compiler.files.proof_file import StoredProof, proof_to_bytes
from compiler.model import Model
from compiler.own_coordinates import embedded
from compiler.program import Program
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.lowering import Lowering
from compiler.program_to_rules.real_memory import LoweredRealMemory
from compiler.reading import read_to_judge
from compiler.vocabulary import Vocabulary
from verify.answers import ModelAnswers
from verify.check_proof import check
from verify.checking import MOST_LENGTHS, Weights
from verify.horizon import Decisions
from verify.hull_proofs import hull_premises, hull_proof
from verify.margins import answer_tokens
from verify.program_and_model import lowered_for
from verify.run_proofs import run_premises, run_proof
from verify.stored_numbers import stored_entries, stored_number
from verify.system_verdict import LIVE
from verify.verdict import Counterexample, Verdict
from verify.verify import digest
from verify.vocabulary import different_tokens, output_places


def proof_of(program: Program, model: Model, verdict: Verdict) -> StoredProof:
    """A proof of the `verdict` of `verify(program, model)`, which the checker accepts.

    Raises UnsupportedError for verdicts whose proofs cannot be stored: undecided ones; tested; the decisions of other
    programs than automata; what is proved by hulls, where these are too many or too large, or are those of a memory in
    few dimensions.
    """
    model, _ = read_to_judge(model, program, to_scale=bool(verdict.tolerance))
    claim: dict[str, Any] = {"verdict": verdict.verdict, "level": verdict.level, "lengths": verdict.lengths}
    if verdict.tolerance:
        claim["tolerance"] = stored_number(verdict.tolerance)
    kind = _kind(lowered_for(program, model), verdict)
    shown = _shown(program, model, verdict, kind)
    premises = _premises(program, model, verdict.level, kind, shown)
    stored = StoredProof(digest(program), digest(model), claim, premises, shown)
    reason = check(stored, _weights(model))
    if reason is not None:
        raise UnsupportedError(f"this version cannot store why the model is {verdict.verdict}: {reason}")
    return stored


def check_proof(stored: StoredProof, program: Program, model: Model) -> str | None:
    """None where `stored` proves its claim of `program` and `model`; else why it does not.

    The premises are made anew from the program and the model's embeddings, and compared. Raises UnsupportedError where
    they cannot be made: the program is too large, or the model's coordinates or embeddings are not the program's.
    """
    model, _ = read_to_judge(model, program, to_scale="tolerance" in stored.claim)
    if (stored.program, stored.model) != (digest(program), digest(model)):
        return "it is for another program or another model"
    level = stored.claim.get("level")
    if level not in ("everywhere", "domain", "decisions"):
        return "it claims nothing that can be proved"
    own = replace(stored, premises=_premises(program, model, level, stored.premises.get("kind"), stored.proof))
    if proof_to_bytes(own) != proof_to_bytes(stored):
        return "what it says of the program is not so"
    return check(stored, _weights(model))


def _kind(lowering: Lowering, verdict: Verdict) -> str:
    """Of which kind the premises are: the levels of automata below `everywhere` speak of walks."""
    if isinstance(lowering, LoweredAutomaton) and verdict.level in ("domain", "decisions"):
        return "walks"
    if verdict.level == "domain" and not isinstance(lowering, LoweredRealMemory):
        if verdict.verdict == "refuted":
            return "run"
        if LIVE not in verdict.assumptions:
            return "guarded"
    return "rules"


def _premises(program: Program, model: Model, level: str, kind: object, shown: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the program; of automata below `everywhere` only that its runs are walks."""
    lowering = lowered_for(program, model)
    if isinstance(lowering, LoweredAutomaton) and level in ("domain", "decisions"):
        return _walks(_graph(lowering, model), lowering)
    if model.coordinates != lowering.coordinates:
        raise UnsupportedError("rules are compared in the program's coordinates, and the model is not in them")
    if level == "everywhere":
        return _rules(lowering) | {"live": None}
    odd = different_tokens(lowering.tokens, model.vocabulary)
    if odd:
        raise UnsupportedError(f"the model embeds {odd[0]!r} otherwise than the program")
    if isinstance(lowering, LoweredRealMemory):
        return _rules(lowering) | {"live": None, "last": keys_of(lowering)}
    if kind == "run":
        return run_premises(lowering, shown)
    if kind == "guarded":
        return hull_premises(lowering)
    live = sorted({tuple(sorted(token)) for token in _places(lowering.tokens)})
    return _rules(lowering) | {"live": [list(token) for token in live]}


def _rules(lowering: Lowering) -> dict[str, Any]:
    form = lowering.form
    index = form.index.tolist()
    rules = [[*places, stored_number(weight)] for places, weight in zip(index, form.weights.tolist(), strict=True)]
    return {"kind": "rules", "dimension": form.d, "rules": rules}


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
        "tokens": [stored_entries(dict(enumerate(vector.tolist()))) for vector in graph.vectors],
        "start": list(graph.start_tokens),
        "edges": edges,
        "choices": answer_tokens(graph).tolist(),
        "outputs": outputs,
        "says": [[number, places] for number, places in sorted(said.items())],
    }


def _shown(program: Program, model: Model, verdict: Verdict, kind: str) -> dict[str, Any]:
    """What shows the claim, beside the weights themselves."""
    shown, lowering = verdict.counterexample, lowered_for(program, model)
    if verdict.level not in ("everywhere", "domain", "decisions") or verdict.verdict not in ("proved", "refuted"):
        raise UnsupportedError("only what is proved, or refuted at another level than tested, has a proof to be stored")
    if verdict.level == "decisions":
        if not isinstance(lowering, LoweredAutomaton):
            raise UnsupportedError(f"this version stores no proof of the decisions of a {program.kind}")
        graph = _graph(lowering, model)
        decisions = Decisions(graph, ModelAnswers(model.heads, graph).to, verdict.tolerance)
        witnesses = decisions.witnesses() if verdict.lengths is not None else {}
        word = None if shown is None else _word(graph, shown)
        return {"witnesses": {str(graph.lasts[symbol]): each for symbol, each in witnesses.items()}, "word": word}
    if shown is None:
        return hull_proof(lowering, model) if kind == "guarded" else {}
    if kind == "rules":
        return {"tokens": [list(row) for row in shown.input]}
    if isinstance(lowering, LoweredAutomaton):
        return {"word": _word(_graph(lowering, model), shown)}
    return run_proof(shown)


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
