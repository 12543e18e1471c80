"""Automata from their states: marks, rules, outputs; nondeterminism is removed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from compiler.language.families.context import Context
from compiler.language.families.examples import unknown
from compiler.language.syntax import Name, ProgramSyntax, Rule, State
from compiler.program.algebra import determinise
from compiler.program.automaton import Automaton
from compiler.program.words import spell

JUDGING = ("accept", "reject")
"""Marks that make an automaton judge its input; states without a mark reject."""


@dataclass(slots=True)
class _Draft:
    """What the states of an automaton say, before it is known to be deterministic."""

    moves: dict[tuple[str, str | None], tuple[str, ...]] = field(default_factory=dict)
    moore: dict[str, str] = field(default_factory=dict)
    mealy: dict[tuple[str, str], str] = field(default_factory=dict)
    choice: Name | None = None
    silent: list[Name] = field(default_factory=list)


def from_states(
    syntax: ProgramSyntax, states: list[State], alphabet: tuple[str, ...], context: Context
) -> Automaton | None:
    """The automaton that `states` say, those of `syntax`; None, with mistakes reported, where they say none."""
    if not states:
        if not syntax.broken:
            message = f"automaton `{syntax.name.text}` has neither states nor a `language`"
            context.error(syntax.name.span, message, "add `start accept state q { }` or `language /(01)*/`")
        return None
    start = _start(syntax, states, context)
    names: dict[str, State] = {}
    for state in states:
        if state.name.text in names:
            context.error(state.name.span, f"there is already a state {spell(state.name.text)}", "join or rename them")
        names.setdefault(state.name.text, state)
    draft, letters = _Draft(), dict.fromkeys(alphabet)
    for state in states:
        _read_rules(state, names, letters, draft if names[state.name.text] is state else _Draft(), context)
    complete = _check_outputs(names, draft, context)
    if start is None or not alphabet or not complete:
        return None
    accept = frozenset(name for name, state in names.items() if any(mark.text == "accept" for mark in state.marks))
    name = syntax.name.text
    if draft.choice is not None:
        return determinise(alphabet, [start], draft.moves, accept, name=name)
    judges = any(mark.text in JUDGING for state in names.values() for mark in state.marks)
    judged = accept if judges or not (draft.moore or draft.mealy) else None
    moves = {(q, s): targets[0] for (q, s), targets in draft.moves.items() if s is not None and targets[0] in names}
    if len(moves) < len(draft.moves) or any(state not in names for state in draft.moore):
        return None
    return Automaton(name, alphabet, tuple(names), start, moves, judged, draft.moore or None, draft.mealy or None)


def _start(syntax: ProgramSyntax, states: list[State], context: Context) -> str | None:
    starts = [(state, mark) for state in states for mark in state.marks if mark.text == "start"]
    for _, mark in starts[1:]:
        context.error(mark.span, f"there is already a start state, {spell(starts[0][0].name.text)}", "keep one `start`")
    first = spell(states[0].name.text)
    context.require(syntax, starts[0] if starts else None, "start", f"start state {first} {{ ... }}")
    for state in states:
        judging = [mark for mark in state.marks if mark.text in JUDGING]
        if len(judging) > 1:
            kinds = {mark.text for mark in judging}
            said = "`accept` and `reject` exclude each other" if len(kinds) > 1 else f"`{kinds.pop()}` is given twice"
            context.error(judging[-1].span, said, "keep one of them")
    return starts[0][0].name.text if starts else None


def _read_rules(
    state: State, names: dict[str, State], alphabet: Collection[str], draft: _Draft, context: Context
) -> None:
    here = state.name.text
    if state.emits is not None:
        draft.moore[here] = state.emits.text
    covered: dict[str, Rule] = {}
    default: Rule | None = None
    for rule in state.rules:
        assert isinstance(rule, Rule)
        _check_targets(rule, names, draft, context)
        if rule.on == "else":
            if default is not None:
                context.error(rule.span, f"state {spell(here)} has two `else` rules", "keep one of them")
            default = rule
        elif rule.on == "epsilon":
            draft.choice = draft.choice or Name("epsilon", rule.span)
            targets = tuple(target.text for target in rule.targets)
            draft.moves[here, None] = (*draft.moves.get((here, None), ()), *targets)
        else:
            for symbol in rule.on:
                _add_rule(state, symbol, rule, alphabet, covered, draft, context)
    if default is not None:
        for left in [each for each in alphabet if each not in covered]:
            _add_rule(state, Name(left, default.span), default, alphabet, covered, draft, context)


def _add_rule(
    state: State,
    symbol: Name,
    rule: Rule,
    alphabet: Collection[str],
    covered: dict[str, Rule],
    draft: _Draft,
    context: Context,
) -> None:
    here = state.name.text
    if symbol.text not in alphabet:
        if alphabet:
            unknown(context, symbol, alphabet, "symbol of the alphabet")
        return
    if symbol.text in covered:
        listed = dict.fromkeys(name.text for name in (*covered[symbol.text].targets, *rule.targets))
        choice = f"{spell(symbol.text)} -> {', '.join(spell(name) for name in listed)}"
        help = f"for a choice, list the targets: `{choice}`" if len(listed) > 1 and rule.emits is None else None
        message = f"state {spell(here)} already has a rule for {spell(symbol.text)}"
        context.error(symbol.span, message, help or "remove one of them")
        return
    covered[symbol.text] = rule
    draft.moves[here, symbol.text] = tuple(dict.fromkeys(target.text for target in rule.targets))
    if rule.emits is not None:
        draft.mealy[here, symbol.text] = rule.emits.text
    else:
        draft.silent.append(symbol)


def _check_targets(rule: Rule, names: dict[str, State], draft: _Draft, context: Context) -> None:
    if len({target.text for target in rule.targets}) > 1:
        draft.choice = draft.choice or rule.targets[1]
    for target in rule.targets:
        if target.text not in names:
            unknown(context, target, names, "state")


def _check_outputs(names: dict[str, State], draft: _Draft, context: Context) -> bool:
    """Whether outputs are all on states, or all on rules, or nowhere; anything else is reported."""
    outputs = [state.emits for state in names.values() if state.emits is not None]
    on_rules = [
        rule.emits for s in names.values() for rule in s.rules if isinstance(rule, Rule) and rule.emits is not None
    ]
    if outputs and on_rules:
        context.error(
            on_rules[0].span, "outputs stand on states and on rules", "keep one: Moore (states) or Mealy (rules)"
        )
        return False
    if draft.choice is not None and (outputs or on_rules):
        message = "an automaton with outputs must be deterministic: one target in each rule, no epsilon"
        context.error(draft.choice.span, message, "remove the choice, or every `emits`")
        return False
    silent = [state.name for state in names.values() if state.emits is None]
    if outputs and silent and not context.is_lost(Name("emits")):
        listed = ", ".join(spell(name.text) for name in silent)
        context.error(silent[0].span, f"in a Moore machine every state emits, but not {listed}", "add `emits SYMBOL`")
        return False
    if on_rules and draft.silent:
        context.error(
            draft.silent[0].span, "in a Mealy machine every rule emits, but not this one", "add `emits SYMBOL`"
        )
        return False
    return True
