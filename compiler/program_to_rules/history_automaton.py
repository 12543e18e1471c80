"""Automata to rules, the history: a state for every time, read from a word that is given first.

Statement
    Let A be an automaton with states Q (a sink counted, if transitions are missing), alphabet Sigma, and a bound L. The
    rules below make one layer of linear attention that, fed with its own answers, runs A on words of at most L symbols:
    the n-th answer is the token of the state after n symbols, with its outputs, and the n-th of n answers is no
    question any more, so the run ends by itself.

Coordinates
    Time counts down: i is the number of symbols that are still to be read, so that every run ends at time 0.
    state[q,i] for q in Q, i = 0 .. L; word[a,i] for a in Sigma, i = 1 .. L; position[i], i = 1 .. L; then one for each
    output, as in the registers construction (accept or defined, emit[x]); for a Moore machine also start.
    So d = (L + 1) |Q| + L |Sigma| + L + outputs (+ 1).

Tokens
    i=a        word[a,i] + position[i]          the symbol a with i symbols to read, itself counted: the prompt
    q@i        state[q,i] + out(q)              the state with i symbols to read; for a Mealy machine + emit[x]
    start q@i  state[q,i] + out(q) + start      the last token of the prompt of a Moore machine (of others: q@i)

    A run on s_1 .. s_n is n=s_1, (n-1)=s_2, .., 1=s_n, the start state at n, then the states at n-1, .., 0: two tokens
    a symbol and one. The mark start is there because a Moore machine says n + 1 outputs and gives n answers: the answer
    to the start says the start state's output too. An empty word has no answer; its start token says the output.

Rules
    For every q, a with t = delta(q, a) and i = 1 .. L, on the pair {position[i], word[a,i]} and the last token
    state[q,i]:  state[t,i-1] += 1;  each output of the transition += 1.

Proof
    A token has both position[i] and word[a,i] only if it is i=a, and a run has at most one token for each i. So
    S[position[i], word[a,i]] is 1 for the symbol a that is read with i symbols to go and 0 for every other, from the
    end of the prompt on; the answers have neither coordinate and change nothing of it. If the last token is q@i with
    i > 0, exactly the rules of q and that a fire, with S = 1 and z[e] = 1, and the answer is the token of the state
    delta(q, a) at i-1. Induction over i from n to 0. Everything that is read is 0 or 1: exact in any format.

Heads
    One for each state t that is entered: V_t = sum_i state[t,i-1] e(position[i])^T + the outputs that every entry into
    t has, Q_t = sum E(word[a,i], state[q,i]) over delta(q, a) = t; for a Mealy machine also one for each output symbol,
    V_x = sum_i emit[x] e(position[i])^T, with Q_x as Q_t over the other transitions that emit x. At most |Q| heads,
    + outputs for a Mealy machine, entries 1. Their product also reads S[position[j], word[a,i]] for j != i, which no
    token has: the heads are the same function as the rules on the domain; on all inputs they are not.

Source
    arXiv 2410.10101, section 4: automata with one-hot positions in the history. Counting down instead of up is ours: it
    makes the end of the word the same time for all words, so that no end mark is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head
from compiler.errors import WordError
from compiler.heads_to_rules import live_rules
from compiler.program.automaton import Automaton
from compiler.program.run import Outcome
from compiler.program.words import spell
from compiler.program_to_rules.automaton import ACCEPT, DEFINED, LoweredAutomaton, automaton_to_rules, emit_name
from compiler.program_to_rules.history import check_size, checked_bound, head_of
from compiler.program_to_rules.lowering import Asks, Lowering, Turn
from compiler.vocabulary import Vocabulary

START = "start"

Shown = tuple[str, ...]
"""The output coordinates of a transition, or of the start."""


def state_at(state: str, i: int) -> str:
    """The coordinate of a state with i symbols to read."""
    return f"state[{spell(state)},{i}]"


def word_at(symbol: str, i: int) -> str:
    """The coordinate of a symbol that is read with i symbols to go."""
    return f"word[{spell(symbol)},{i}]"


def position(i: int) -> str:
    """The coordinate of the place in the word with i symbols to go."""
    return f"position[{i}]"


@dataclass(frozen=True, slots=True)
class AutomatonHistory(Lowering):
    """An automaton as a layer that keeps its history.

    Attributes
    ----------
    bound
        L, the most symbols of a word.
    states
        The states of the program; behind them the sink, if a transition is missing.
    shown
        (state, symbol) -> the output coordinates of the transition.
    made
        The heads.
    """

    program: Automaton
    bound: int
    states: tuple[str, ...]
    shown: Mapping[tuple[str, str], Shown]
    made: tuple[Head, ...]

    @property
    def heads(self) -> tuple[Head, ...]:
        """One head a state that is entered; the same function as the rules on the domain."""
        return self.made

    @property
    def most_answers(self) -> int:
        """The bound: an answer a symbol."""
        return self.bound

    @property
    def longest(self) -> int:
        """The bound."""
        return self.bound

    @property
    def speaks(self) -> bool:
        """Whether it is a transducer."""
        return bool(self.program.outputs)

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """See `Lowering.word`; WordError also for a word longer than the bound."""
        symbols = self.program.word(word)
        if len(symbols) > self.bound:
            raise WordError(
                f"the word has {len(symbols):,} symbols, but this history of automaton {self.program.name} is bounded "
                f"by {self.bound:,}; compile it with a greater bound, or to registers"
            )
        return symbols

    def items(self) -> Sequence[Any]:
        """The alphabet."""
        return self.program.alphabet

    def inputs(self, word: Sequence[str]) -> list[str]:
        """The word, then the start state."""
        n = len(word)
        first = _start_name(self.program, n)
        return [*(_word_name(symbol, n - place) for place, symbol in enumerate(word)), first]

    def dialogue(self, word: Sequence[str], limit: int | None = None) -> Iterable[Turn]:
        """The word, then a state for every time."""
        *prompt, last = self.inputs(word)
        turns: list[Turn] = [(name, None) for name in prompt]
        path = [self.states[-1] if state is None else state for state in self.program.path(word)]
        for place, (state, symbol, target) in enumerate(zip(path[:-1], word, path[1:], strict=True)):
            answer = _state_name(target, self.shown[state, symbol], len(word) - place - 1, self.program)
            turns.append((last, answer))
            last = answer
        return [*turns, (last, None)][:limit]

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """What is emitted: the output symbols whose coordinates are set, behind those of the start if it is asked."""
        if self.program.moore is None or question is None or not self._has(self.tokens[question], START):
            return self._emitted(answer)
        return (*self._emitted(self.tokens[question]), *self._emitted(answer))

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """Read from accept, or defined, at time 0; unfinished at any other."""
        if not any(self._has(last, state_at(state, 0)) for state in self.states):
            return "unfinished"
        judged = ACCEPT if self.program.accept is not None else DEFINED
        if judged in self.coordinates and not self._has(last, judged):
            return "rejected"
        return "answered" if self.program.accept is None else "accepted"

    def _emitted(self, vector: NDArray[Any]) -> tuple[str, ...]:
        return tuple(symbol for symbol in self.program.outputs if self._has(vector, emit_name(symbol)))

    def _has(self, vector: NDArray[Any], coordinate: str) -> bool:
        return bool(2 * vector[self.coordinates.index(coordinate)] > 1)


def automaton_history(program: Automaton, bound: int | None) -> AutomatonHistory:
    """The construction that the module's docstring states and proves, for words of at most `bound` symbols.

    Raises
    ------
    UnsupportedError
        Without a bound of at least 1, and where coordinates or tokens would be too many.
    """
    most = checked_bound(program, bound, "the length of words")
    registers = automaton_to_rules(program)
    moves = {(q, a): registers.next_state(q, a) for q in registers.states for a in program.alphabet}
    shown = {move: _outputs(registers, registers.answers[move]) for move in moves}
    check_size(program, most, automaton_width(program, most), most * (len(program.alphabet) + len(moves)) + most + 1)
    coordinates = _coordinates(program, registers, most)
    tokens, asks, replies = _tokens(program, moves, shown, _outputs(registers, registers.start[0]), most)
    heads = _heads(moves, shown, {name: number for number, name in enumerate(coordinates)}, most)
    vocabulary = Vocabulary.named(tokens, coordinates)
    form = live_rules(heads, coordinates, vocabulary.pairs())
    asked, replied = (np.array([Asks(name in few) for name in tokens], dtype=np.int8) for few in (asks, replies))
    return AutomatonHistory(program, form, vocabulary, asked, replied, most, registers.states, shown, heads)


def automaton_width(program: Automaton, bound: int) -> int:
    """The number d of coordinates of the history of `program` up to `bound`."""
    partial = len(program.transitions) < len(program.states) * len(program.alphabet)
    outputs = len(program.outputs) + (program.accept is not None or partial) + (program.moore is not None)
    return (bound + 1) * (len(program.states) + partial) + bound * len(program.alphabet) + bound + outputs


def _word_name(symbol: str, i: int) -> str:
    return f"{i}={spell(symbol)}"


def _start_name(program: Automaton, i: int) -> str:
    return f"{'start ' if program.moore is not None else ''}{spell(program.start)}@{i}"


def _state_name(state: str, shown: Shown, i: int, program: Automaton) -> str:
    """Only a Mealy machine has several tokens of one state at one time."""
    emitted = shown if program.mealy is not None else ()
    return " ".join([f"{spell(state)}@{i}", *(f"+ {name}" for name in emitted if name.startswith("emit"))])


def _outputs(registers: LoweredAutomaton, name: str) -> Shown:
    """The output coordinates that a token of the registers construction has."""
    base = 1 + len(registers.states) + len(registers.program.alphabet)
    vector = registers.tokens[name]
    return tuple(each for place, each in enumerate(registers.coordinates) if place >= base and vector[place])


def _coordinates(program: Automaton, registers: LoweredAutomaton, bound: int) -> tuple[str, ...]:
    base = 1 + len(registers.states) + len(program.alphabet)
    names = [state_at(state, i) for i in range(bound + 1) for state in registers.states]
    names += [word_at(symbol, i) for i in range(1, bound + 1) for symbol in program.alphabet]
    names += [position(i) for i in range(1, bound + 1)]
    return (*names, *registers.coordinates[base:], *([START] if program.moore is not None else []))


def _tokens(
    program: Automaton,
    moves: Mapping[tuple[str, str], str],
    shown: Mapping[tuple[str, str], Shown],
    first: Shown,
    bound: int,
) -> tuple[dict[str, dict[str, int]], set[str], set[str]]:
    """The vocabulary by coordinates, and the names of those that are asked and of those that are answers."""
    tokens = {
        _word_name(a, i): {word_at(a, i): 1, position(i): 1} for i in range(1, bound + 1) for a in program.alphabet
    }
    asks: set[str] = set()
    replies: set[str] = set()
    entered = dict.fromkeys((target, shown[move]) for move, target in moves.items())
    mark = {START: 1} if program.moore is not None else {}
    for i in range(bound + 1):
        states = {_start_name(program, i): (program.start, dict.fromkeys(first, 1) | mark)}
        if i < bound:
            answers = {_state_name(t, out, i, program): (t, dict.fromkeys(out, 1)) for t, out in entered}
            replies.update(answers)
            states |= answers
        tokens |= {name: {state_at(state, i): 1} | outputs for name, (state, outputs) in states.items()}
        asks.update(states if i else ())
    return tokens, asks, replies


def _heads(
    moves: Mapping[tuple[str, str], str],
    shown: Mapping[tuple[str, str], Shown],
    place: Mapping[str, int],
    bound: int,
) -> tuple[Head, ...]:
    """A head for each state that is entered, then one for each output that is not said by the state alone."""
    times = range(1, bound + 1)

    def query(chosen: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        return {(word_at(a, i), state_at(q, i)): 1 for q, a in chosen for i in times}

    heads = []
    alone: dict[str, list[tuple[str, str]]] = {}
    for target in dict.fromkeys(moves.values()):
        into = [move for move, other in moves.items() if other == target]
        always = [name for name in shown[into[0]] if all(name in shown[move] for move in into)]
        for move in into:
            for name in shown[move]:
                if name not in always:
                    alone.setdefault(name, []).append(move)
        value = {(state_at(target, i - 1), position(i)): 1 for i in times}
        value |= {(name, position(i)): 1 for name in always for i in times}
        heads.append(head_of(f"to {spell(target)}", value, query(into), place))
    for name, chosen in alone.items():
        heads.append(head_of(f"says {name}", {(name, position(i)): 1 for i in times}, query(chosen), place))
    return tuple(heads)
