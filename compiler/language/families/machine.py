"""Turing machines from syntax."""

from __future__ import annotations

from compiler.language.families.context import Context
from compiler.language.families.examples import examples_of, to_examples, unknown
from compiler.language.syntax import MachineRule, Name, ProgramSyntax, Setting, State, Step
from compiler.program.machine import Action, Machine, Stop
from compiler.program.words import single_characters, spell

MAX_CELLS = 10_000_000
MOVES = {"left": -1, "stay": 0, "right": 1}
STOPS: dict[str, Stop] = {"accept": "accepted", "reject": "rejected", "halt": "halted"}
ORDER = ("write", "move", "state")
"""The order of an action's parts; a stop stands in the place of a state."""


def to_machine(syntax: ProgramSyntax, context: Context) -> Machine | None:
    """The machine that `syntax` says; None, with mistakes reported, where it says none."""
    settings = context.settings(syntax)
    for keyword, example in (("blank", "blank _"), ("cells", "cells 16")):
        context.require(syntax, settings.get(keyword), keyword, example)
    blank = context.symbols(settings.get("blank"))
    alphabet, marks = context.symbols(settings.get("alphabet")), context.symbols(settings.get("marks"))
    _check_marks(settings.get("marks"), {*alphabet, *blank}, context)
    gamma = tuple(dict.fromkeys((*blank, *alphabet, *marks)))
    cells = context.number(settings.get("cells"), 1, MAX_CELLS)
    head = context.number(settings.get("head"), 0, (cells or MAX_CELLS) - 1)
    steps = context.number(settings.get("steps"), 0, 2**62)
    states = {clause.name.text: clause for clause in reversed(syntax.clauses) if isinstance(clause, State)}
    states = {clause.name.text: states[clause.name.text] for clause in syntax.clauses if isinstance(clause, State)}
    start = _start(syntax, context)
    actions: dict[tuple[str, str], Action] = {}
    for state in (clause for clause in syntax.clauses if isinstance(clause, State)):
        kept = actions if states[state.name.text] is state else {}
        _read_state(state.name.text, state, states, gamma, kept, context)
    examples = to_examples(syntax, context, alphabet, gamma, ("accepts", "rejects", "halts", "overruns", "gives"))
    complete = all((q, g) in actions for q in states for g in gamma)
    if start is None or not blank or cells is None or not complete or ("head" in settings and head is None):
        return None
    made = Machine(
        syntax.name.text, blank[0], alphabet, marks, tuple(states), start, actions, cells, head or 0, steps, examples
    )
    for clause in examples_of(syntax):
        if sum(len(item.name.text) if single_characters(alphabet) else 1 for item in clause.word) > cells - made.head:
            message = f"the input does not fit on the tape: from cell {made.head} there are {cells - made.head} cells"
            context.error(clause.span, message, "give the machine more `cells`")
    _warn_of_unreachable(made, states, context)
    return made


def _check_marks(marks: Setting | None, others: set[str], context: Context) -> None:
    for mark in marks.arguments if marks else ():
        if mark.text in others:
            message = f"{spell(mark.text)} is the blank or in the alphabet, so it is no mark"
            context.error(mark.span, message, "marks are the symbols that only the machine writes")


def _start(syntax: ProgramSyntax, context: Context) -> str | None:
    clauses = [clause for clause in syntax.clauses if isinstance(clause, State)]
    seen: set[str] = set()
    starts: list[str] = []
    for state in clauses:
        if state.name.text in seen:
            context.error(state.name.span, f"there is already a state {spell(state.name.text)}", "join or rename them")
        seen.add(state.name.text)
        for mark in state.marks:
            if mark.text != "start":
                message = f"a machine {mark.text}s by the action `{mark.text}`, not by a state"
                context.error(mark.span, message, f"write `... -> {mark.text}`")
            elif starts:
                context.error(mark.span, f"there is already a start state, {spell(starts[0])}", "keep one `start`")
            else:
                starts.append(state.name.text)
    first = spell(clauses[0].name.text) if clauses else "s"
    context.require(syntax, starts[0] if starts else None, "start", f"start state {first} {{ ... }}")
    return starts[0] if starts else None


def _read_state(
    name: str,
    state: State,
    states: dict[str, State],
    gamma: tuple[str, ...],
    actions: dict[tuple[str, str], Action],
    context: Context,
) -> None:
    default: MachineRule | None = None
    for rule in state.rules:
        assert isinstance(rule, MachineRule)
        _check_steps(rule, states, gamma, context)
        if rule.on == "else":
            if default is not None:
                context.error(rule.span, f"state {spell(name)} has two `else` rules", "keep one of them")
            default = rule
            continue
        for symbol in rule.on:
            if symbol.text not in gamma:
                unknown(context, symbol, gamma, "symbol of the tape")
            elif (name, symbol.text) in actions:
                message = f"state {spell(name)} already has a rule for {spell(symbol.text)}"
                context.error(symbol.span, message, "remove one of them")
            else:
                actions[name, symbol.text] = _action(rule, symbol.text, name)
    missing = [symbol for symbol in gamma if (name, symbol) not in actions]
    if default is not None:
        actions.update({(name, symbol): _action(default, symbol, name) for symbol in missing})
    elif missing and not any(context.is_lost(Name(symbol)) for symbol in (*missing, "else")):
        listed = ", ".join(spell(symbol) for symbol in missing)
        help = "add the rule, or an `else` rule"
        context.error(state.name.span, f"state {spell(name)} has no rule for {listed}", help)


def _check_steps(rule: MachineRule, states: dict[str, State], gamma: tuple[str, ...], context: Context) -> None:
    reached = -1
    for step in rule.steps:
        place = ORDER.index("state" if step.kind == "stop" else step.kind)
        if place <= reached:
            help = "an action is write, then a move, then a state or a stop, each at most once"
            context.error(step.name.span, f"`{_spelled(step)}` is out of order", help)
        reached = max(place, reached)
        if step.kind == "state" and step.name.text not in states:
            unknown(context, step.name, states, "state")
        if step.kind == "write" and step.name.text not in gamma:
            unknown(context, step.name, gamma, "symbol of the tape")


def _spelled(step: Step) -> str:
    return f"write {spell(step.name.text)}" if step.kind == "write" else step.name.text


def _action(rule: MachineRule, read: str, state: str) -> Action:
    parts = {step.kind: step.name.text for step in rule.steps}
    stop = STOPS[parts["stop"]] if "stop" in parts else None
    target = None if stop else parts.get("state", state)
    return Action(parts.get("write", read), MOVES[parts.get("move", "stay")], target, stop)


def _warn_of_unreachable(made: Machine, states: dict[str, State], context: Context) -> None:
    found = {made.start}
    queue = [made.start]
    for state in queue:
        targets = {made.actions[state, symbol].target for symbol in made.symbols} - found - {None}
        fresh = [target for target in targets if target is not None]
        found.update(fresh)
        queue += fresh
    for name, state_syntax in states.items():
        if name not in found:
            context.warn(state_syntax.name.span, f"state {spell(name)} can never be reached")
