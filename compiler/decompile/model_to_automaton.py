"""Models to automata: by asking the model, configuration by configuration.

The model is run from its start token. Every state is reached by a shortest word; at each, every letter is asked, and
the exact answer names the next state: the coordinate state[q'] that it adds, or the same state if it adds none. So the
program is read from what the layer *does* with its tokens, whatever its gauge and the number of its heads; nothing is
rounded, and an answer that is not the answer of an automaton is reported. What comes out is a candidate with the
answers that were observed: `verify.decompiled` proves on all words that the model gives them before anyone sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.decompile.asking import Asker
from compiler.errors import DecompileError, ProgramError, WordError
from compiler.exact import plus
from compiler.heads_to_rules import exact_rules
from compiler.model import Model
from compiler.program.automaton import Automaton
from compiler.program.words import parse_items, spell
from compiler.program_to_rules.automaton import (
    ACCEPT,
    DEFINED,
    REGISTER,
    LoweredAutomaton,
    automaton_to_rules,
    state_name,
)
from compiler.rules import Form
from compiler.vocabulary import Vocabulary

_ROLE = re.compile(r"(state|symbol|emit)\[(.*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shown:
    """What an answer says beside the next state."""

    judged: bool
    emitted: str | None


@dataclass(slots=True)
class _Draft:
    """The automaton as far as it has been read: by state and letter the next state, what is shown, the raw answer."""

    moves: dict[tuple[str, str], str] = field(default_factory=dict)
    shown: dict[tuple[str, str], Shown] = field(default_factory=dict)
    answers: dict[tuple[str, str], NDArray[np.int64]] = field(default_factory=dict)


class Reading(NamedTuple):
    """A program read from a model, and the tokens of its runs as the model was seen to answer them."""

    program: Automaton
    observed: LoweredAutomaton


def model_to_automaton(model: Model) -> Reading:
    """The automaton that `model` runs, read by asking it.

    Raises
    ------
    DecompileError
        Where the model's names or answers are not those of an automaton; the message says which.
    """
    roles = _roles(model)
    start_token = _integers(model.tokens["start"], "start")
    start, start_shown = _start(model, roles, start_token)
    asker = Asker(*exact_rules(model.heads, model.coordinates))
    letters = {symbol: _letter(model, symbol, place) for symbol, place in roles["symbol"].items()}
    memories = {start: asker.added(start_token)}
    queue = [start]
    read = _Draft()
    for state in queue:
        for symbol, token in letters.items():
            memory = plus(memories[state], asker.added(token))
            answer = asker.answer(memory, token)
            target, read.shown[state, symbol] = _interpreted(model, roles, state, symbol, answer)
            read.moves[state, symbol] = target
            read.answers[state, symbol] = vector = np.zeros(model.d, dtype=np.int64)
            vector[list(answer or ())] = list((answer or {}).values())
            if target not in memories:
                memories[target] = plus(memory, asker.added(vector))
                queue.append(target)
    found = set(queue)
    states = tuple(q for q in roles["state"] if q in found)
    accepts = _acceptance(model, start, start_shown, read)
    sink = _sink(states, start, accepts, read)
    kept = tuple(q for q in states if q != sink)
    program = _automaton(model, kept, start, start_shown, accepts, read, roles)
    tokens = {"start": start_token} | {spell(symbol): token for symbol, token in letters.items()}
    answers = {move: f"{spell(move[0])} on {spell(move[1])}" for move in read.answers}
    tokens |= {answers[move]: vector for move, vector in read.answers.items()}
    names = {symbol: spell(symbol) for symbol in letters}
    everything = kept if sink is None else (*kept, sink)
    vocabulary = Vocabulary.of(tokens, model.d)
    silent = np.zeros(len(vocabulary), dtype=np.int8)
    form = Form.of(model.coordinates, [])
    observed = LoweredAutomaton(program, form, vocabulary, silent, silent, everything, ("start",), names, answers)
    _check_says(program, observed, sink)
    return Reading(program, observed)


def _check_says(program: Automaton, observed: LoweredAutomaton, sink: str | None) -> None:
    """Compile what was read: its start and answers must be the observed ones, coordinate by coordinate.

    So nothing that the model says (an output, an acceptance, a way to fall into the sink) is left out of the program.
    """
    made = automaton_to_rules(program)
    own_sink = made.states[-1]
    always = {DEFINED: 1} if DEFINED in observed.coordinates and DEFINED not in made.coordinates else {}
    pairs = [("start", "start")]
    for (state, symbol), name in observed.answers.items():
        pairs.append((made.answers[own_sink if state == sink else state, symbol], name))
    for expected, name in pairs:
        wanted = {
            state_name(sink) if sink is not None and coordinate == state_name(own_sink) else coordinate: int(value)
            for coordinate, value in zip(made.coordinates, made.tokens[expected], strict=True)
            if value
        }
        wanted |= always  # a program that falls nowhere is defined on every word
        seen = zip(observed.coordinates, observed.tokens[name], strict=True)
        if wanted != {coordinate: int(value) for coordinate, value in seen if value}:
            raise DecompileError(f"the token {name} says what no automaton with these states and outputs says")


def _roles(model: Model) -> dict[str, dict[str, int]]:
    """The coordinates by role and name: roles["state"]["even"] is the place of state[even]."""
    roles: dict[str, dict[str, int]] = {"state": {}, "symbol": {}, "emit": {}}
    for place, name in enumerate(model.coordinates):
        if match := _ROLE.fullmatch(name):
            roles[match[1]][_spelled(name, match[2])] = place
    for role in ("state", "symbol"):
        if not roles[role]:
            raise DecompileError(f"the model has no coordinate named {role}[...], so its {role}s cannot be told")
    if REGISTER not in model.coordinates or "start" not in model.tokens:
        lacking = "coordinate reg" if REGISTER not in model.coordinates else "token start"
        raise DecompileError(f"the model has no {lacking}, so it is unknown where its runs begin")
    return roles


def _spelled(coordinate: str, text: str) -> str:
    """The one name that `text` spells, and spells as the compiler does; so no two coordinates spell the same."""
    try:
        items = parse_items(text)
    except WordError:
        items = ()
    if len(items) != 1 or spell(items[0]) != text:
        raise DecompileError(f"the coordinate {coordinate} does not spell one name between its brackets")
    return items[0]


def _letter(model: Model, symbol: str, place: int) -> NDArray[np.int64]:
    """The model's embedding of an input symbol; where it has none, the unit vector of the symbol's coordinate."""
    if spell(symbol) in model.tokens:
        return _integers(model.tokens[spell(symbol)], spell(symbol))
    token = np.zeros(model.d, dtype=np.int64)
    token[place] = 1
    return token


def _integers(vector: NDArray[Any], name: str) -> NDArray[np.int64]:
    if not all(value == int(value) and abs(value) < 2**31 for value in vector.tolist()):
        raise DecompileError(f"the token {name} has entries that are no integers of reasonable size")
    return np.array([int(value) for value in vector.tolist()], dtype=np.int64)


def _start(model: Model, roles: dict[str, dict[str, int]], token: NDArray[np.int64]) -> tuple[str, Shown]:
    answer = {place: int(token[place]) for place in np.flatnonzero(token).tolist()}
    states = [state for state, place in roles["state"].items() if answer.get(place)]
    if len(states) != 1:
        raise DecompileError(f"the token start names {len(states)} states, expected one")
    answer[roles["state"][states[0]]] -= 1
    _, shown = _interpreted(model, roles, states[0], "", {place: value for place, value in answer.items() if value})
    return states[0], shown


def _interpreted(
    model: Model, roles: dict[str, dict[str, int]], state: str, symbol: str, answer: dict[int, int] | None
) -> tuple[str, Shown]:
    """The next state that `answer` names, and what it shows; anything else than an automaton's answer is reported."""
    where = f"the answer to {spell(symbol)} in state {spell(state)}" if symbol else "the token start"
    if answer is None:
        raise DecompileError(f"{where} has an entry that is no integer")
    rest = dict(answer)
    if rest.pop(model.coordinates.index(REGISTER), 0) != 1:
        raise DecompileError(f"{where} does not have coordinate {REGISTER} = 1")
    changes = {q: rest.pop(place) for q, place in roles["state"].items() if place in rest}
    entered = [q for q, change in changes.items() if change == 1]
    target = entered[0] if entered else state
    if changes != ({target: 1, state: -1} if target != state else {}):
        raise DecompileError(f"{where} changes the states by {changes}, expected +1 for one and -1 for {spell(state)}")
    judged = [
        rest.pop(place) for place, name in enumerate(model.coordinates) if name in (ACCEPT, DEFINED) and place in rest
    ]
    emitted = {symbol: rest.pop(place) for symbol, place in roles["emit"].items() if place in rest}
    if rest or judged not in ([], [1]) or list(emitted.values()) not in ([], [1]):
        strange = model.coordinates[min(rest)] if rest else "its outputs"
        raise DecompileError(f"{where} has {strange} in a way that no automaton has")
    return target, Shown(bool(judged), next(iter(emitted), None))


def _automaton(
    model: Model,
    kept: tuple[str, ...],
    start: str,
    start_shown: Shown,
    accepts: dict[str, bool],
    read: _Draft,
    roles: dict[str, dict[str, int]],
) -> Automaton:
    moves = {(q, s): t for (q, s), t in read.moves.items() if q in kept and t in kept}
    moore = {start: start_shown.emitted} | {t: read.shown[move].emitted for move, t in moves.items()}
    is_moore = start_shown.emitted is not None and all(
        read.shown[move].emitted == moore[t] for move, t in moves.items()
    )
    mealy = {move: emitted for move in moves if (emitted := read.shown[move].emitted) is not None}
    if roles["emit"] and not is_moore and len(mealy) != len(moves):
        raise DecompileError("some transitions emit an output and some do not, as no automaton does")
    name = model.program.name if model.program is not None else "decompiled"
    try:
        return Automaton(
            name,
            tuple(roles["symbol"]),
            kept,
            start,
            moves,
            frozenset(q for q in kept if accepts[q]) if ACCEPT in model.coordinates else None,
            {q: emitted for q, emitted in moore.items() if emitted is not None} if is_moore else None,
            mealy if roles["emit"] and not is_moore else None,
        )
    except ProgramError as problem:
        raise DecompileError(f"what the model does is no legal program: {problem}") from None


def _acceptance(model: Model, start: str, start_shown: Shown, read: _Draft) -> dict[str, bool]:
    """Whether each state accepts; the same on every way into it, or it is no automaton."""
    accepts = {start: start_shown.judged}
    for move, target in read.moves.items():
        if accepts.setdefault(target, read.shown[move].judged) != read.shown[move].judged:
            coordinate = ACCEPT if ACCEPT in model.coordinates else DEFINED
            raise DecompileError(f"state {spell(target)} has {coordinate} on one way into it and not on another")
    return accepts


def _sink(states: tuple[str, ...], start: str, accepts: dict[str, bool], read: _Draft) -> str | None:
    """The state that stands for missing transitions: called sink, never left, accepting and emitting nothing."""
    for state in states:
        loops = [move for move in read.moves if move[0] == state]
        silent = all(read.shown[move].emitted is None for move, target in read.moves.items() if target == state)
        stays = all(read.moves[move] == state for move in loops)
        if state.startswith("sink") and state != start and stays and silent and not accepts[state]:
            return state
    return None
