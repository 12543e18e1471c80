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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.program.automaton import Automaton, fresh
from compiler.program.run import Outcome
from compiler.program.words import single_characters, spell
from compiler.program_to_rules.lowering import Asks, Lowering, Turn
from compiler.rules import Form
from compiler.vocabulary import Vocabulary

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


@dataclass(frozen=True, slots=True)
class LoweredAutomaton(Lowering):
    """An automaton as a layer.

    Attributes
    ----------
    states
        The states of the program; behind them the sink, if a transition is missing.
    start
        The tokens with which every run begins.
    letters
        Input symbol -> the token that stands for it.
    answers
        (state, symbol) -> the token that answers the symbol in that state.
    """

    program: Automaton
    states: tuple[str, ...]
    start: tuple[str, ...]
    letters: Mapping[str, str]
    answers: Mapping[tuple[str, str], str]

    def next_state(self, state: str, symbol: str) -> str:
        """delta, completed by the sink."""
        return self.program.transitions.get((state, symbol), self.states[-1])

    def path(self, word: Sequence[str]) -> list[str]:
        """The states on the way through `word`, the sink included, n + 1 of them."""
        return [self.states[-1] if state is None else state for state in self.program.path(word)]

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`."""
        return self.program.word(word)

    def items(self) -> Sequence[Any]:
        """The alphabet."""
        return self.program.alphabet

    @property
    def speaks(self) -> bool:
        """Whether it is a transducer."""
        return bool(self.program.outputs)

    def encode(self, word: str | Iterable[Any]) -> tuple[NDArray[np.int32], int]:
        """See `Lowering.encode`; a long word of one-character symbols is looked up as a whole."""
        if not isinstance(word, str) or not single_characters(self.program.alphabet):
            return Lowering.encode(self, word)
        known = {ord(symbol): self.tokens.numbers[name] for symbol, name in self.letters.items()}
        table = np.full(max(127, *known) + 2, -1, dtype=np.int32)
        table[list(known)] = list(known.values())
        if word.isascii():
            codes: NDArray[Any] = np.frombuffer(word.encode("ascii"), dtype=np.uint8)
        else:
            wide = np.frombuffer(word.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
            codes = np.minimum(wide, len(table) - 1)
        inputs = np.empty(len(codes) + 1, dtype=np.int32)
        inputs[0] = self.tokens.numbers[self.start[0]]
        np.take(table, codes, out=inputs[1:], mode="clip")
        if inputs.min() < 0 or not word:  # quotes, commas and mistakes, which `word` reads
            return Lowering.encode(self, word)
        return inputs, len(codes)

    def inputs(self, word: Sequence[str]) -> Iterable[str]:
        """The start token, then a token a letter."""
        return [*self.start, *(self.letters[symbol] for symbol in word)]

    def dialogue(self, word: Sequence[str], limit: int | None = None) -> Iterable[Turn]:
        """Start, then each symbol and its answer."""
        turns: list[Turn] = [(name, None) for name in self.start]
        for state, symbol in zip(self.path(word), word, strict=False):
            answer = self.answers[state, symbol]
            turns += [(self.letters[symbol], answer), (answer, None)]
        return turns[:limit]

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """What is emitted: the output symbols whose coordinates are set; the start token says the start state's."""
        del question
        return tuple(x for x in self.program.outputs if 2 * answer[self.coordinates.index(emit_name(x))] > 1)

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """Read from accept, or defined."""
        judged = ACCEPT if self.program.accept is not None else DEFINED
        if judged in self.coordinates and not 2 * last[self.coordinates.index(judged)] > 1:
            return "rejected"
        return "answered" if self.program.accept is None else "accepted"


def automaton_to_rules(program: Automaton) -> LoweredAutomaton:
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
    vocabulary = Vocabulary.named(tokens, coordinates)
    asked, given = frozenset(letters.values()), frozenset(answers.values())
    asks = np.array([Asks.APPENDED if name in asked else Asks.NOTHING for name in vocabulary], dtype=np.int8)
    replies = np.array([Asks.APPENDED if name in given else Asks.NOTHING for name in vocabulary], dtype=np.int8)
    return LoweredAutomaton(program, form, vocabulary, asks, replies, states, ("start",), letters, answers)


def _answer_name(state: str, target: str, shown: dict[str, int]) -> str:
    """Self-loops with the same outputs are one vector, hence one token, whatever the state."""
    moved = "stay" if state == target else f"{spell(state)} -> {spell(target)}"
    return " ".join([moved, *(f"+ {name}" for name in shown)])
