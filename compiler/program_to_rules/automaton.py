"""Automata to rules: the state lives in one fast-weight register.

Statement
    Let A be an automaton with states Q (a sink counted, if transitions are missing) and alphabet Sigma. The rules below
    make one layer of linear attention that, fed with its own answers, runs A on words of every length: after the n-th
    symbol it answers with the token that names the n-th transition, its outputs and its acceptance.

Coordinates
    reg; state[q] for q in Q; symbol[s] for s in Sigma; then one for each output: accept for a program that judges its
    input (for a partial transducer that does not: defined, until it falls into the sink), and emit[x] for each output
    symbol x. So d = |Q| + |Sigma| + 1 + outputs.

Tokens
    start              reg + state[q0] + out(q0)
    the symbol s       symbol[s]
    an answer          reg + state[q'] - state[q] + out(q, s, q'),        q' = delta(q, s)

    A run is start, s_1, answer_1, s_2, answer_2, ...: two tokens a symbol.

Rules
    For every q, s with q' = delta(q, s), on the pair {reg, state[q]} and the last token symbol[s]:
    reg += 1;  state[q'] += 1 and state[q] -= 1 (nothing if q' = q);  each output of the transition += 1.

Invariant
    Whenever the last token is a symbol, S[reg, state[q]] = 1 for the current state q and 0 for every other. It holds
    after the start token. A symbol has no coordinate reg, so it adds nothing to S[reg, .]. By the invariant exactly the
    rules of the current q fire, each with S = 1 and z[e] = 1, so the answer is the token above; appended, it adds
    (1)(state[q'] - state[q]) to S[reg, state[.]]: the register is *replaced*, by an additive write of a difference.
    Everything that is read is 0 or 1, so the arithmetic is exact in any format, at any length.

Cost
    d as above; at most |Sigma| heads (one for each last token), and at most |Q| + outputs (see `rules_to_heads`); at
    most 3 |Q| |Sigma| rules and outputs beside them, all entries in {-1, 0, 1}. A layer without feedback and without
    position codes cannot do parity; this one can, because its answers return as tokens.

Source
    The register is the delta rule of fast weights (arXiv 2310.16076, section 2) with the difference written into the
    value. arXiv 2410.10101, section 4, executes automata with time-indexed rows and a bound on the length instead.
    Our tokens are columns there and rows in arrays here; V is their V, and Q their Q, key and query fused.
"""

from __future__ import annotations

from compiler.program.automaton import Automaton, fresh
from compiler.program.words import spell
from compiler.program_to_rules.lowering import Lowering
from compiler.rules import Form, named_vectors

REGISTER = "reg"
ACCEPT = "accept"
DEFINED = "defined"


def state_name(state: str) -> str:
    """The coordinate of a state."""
    return f"state[{spell(state)}]"


def symbol_name(symbol: str) -> str:
    """The coordinate of an input symbol."""
    return f"symbol[{spell(symbol)}]"


def emit_name(symbol: str) -> str:
    """The coordinate of an output symbol."""
    return f"emit[{spell(symbol)}]"


def automaton_to_rules(program: Automaton) -> Lowering:
    """The construction that the module's docstring states and proves."""
    partial = len(program.transitions) < len(program.states) * len(program.alphabet)
    sink = fresh("sink", program.states) if partial else program.states[-1]
    states = (*program.states, sink) if partial else program.states
    judged = ACCEPT if program.accept is not None else DEFINED if partial else None
    accepting = frozenset(program.states) if program.accept is None else program.accept
    coordinates = (
        REGISTER,
        *map(state_name, states),
        *map(symbol_name, program.alphabet),
        *([judged] if judged else []),
        *map(emit_name, program.outputs),
    )

    def outputs(state: str | None, symbol: str | None, target: str) -> dict[str, int]:
        known = program.transitions.get((state, symbol)) if state is not None and symbol is not None else target
        emitted = program.emitted(state, symbol, known)
        found = {judged: 1} if judged and target in accepting else {}
        return found | ({emit_name(emitted): 1} if emitted is not None else {})

    tokens = {"start": {REGISTER: 1, state_name(program.start): 1} | outputs(None, None, program.start)}
    letters = {symbol: spell(symbol) for symbol in program.alphabet}
    tokens |= {letters[symbol]: {symbol_name(symbol): 1} for symbol in program.alphabet}
    answers: dict[tuple[str, str], str] = {}
    rules = []
    for state in states:
        for symbol in program.alphabet:
            target = program.transitions.get((state, symbol), sink)
            shown = outputs(state, symbol, target)
            change = {state_name(target): 1, state_name(state): -1} if target != state else {}
            vector = {REGISTER: 1} | change | shown
            answers[state, symbol] = name = _answer_name(state, target, shown)
            tokens[name] = vector
            read = (REGISTER, state_name(state), symbol_name(symbol))
            rules += [(coordinate, *read, weight) for coordinate, weight in vector.items()]
    form = Form.of(coordinates, rules)
    return Lowering(program, states, form, named_vectors(tokens, coordinates), ("start",), letters, answers)


def _answer_name(state: str, target: str, shown: dict[str, int]) -> str:
    """Self-loops with the same outputs are one vector, hence one token, whatever the state."""
    moved = "stay" if state == target else f"{spell(state)} -> {spell(target)}"
    return " ".join([moved, *(f"+ {name}" for name in shown)])
