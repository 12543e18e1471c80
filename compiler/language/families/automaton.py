"""Automata from syntax: states and rules, or an expression over other languages."""

from __future__ import annotations

from dataclasses import replace

from compiler.language.families.context import Context
from compiler.language.families.examples import to_examples
from compiler.language.families.expression import Letters, to_language
from compiler.language.families.properties import to_properties
from compiler.language.families.states import from_states
from compiler.language.syntax import Language, ProgramSyntax, Setting, State
from compiler.program.automaton import Automaton
from compiler.program.run import Verb
from compiler.program.words import spell


def to_automaton(syntax: ProgramSyntax, context: Context) -> Automaton | None:
    """The automaton that `syntax` says; None, with mistakes reported, where it says none."""
    settings = context.settings(syntax)
    context.require(syntax, settings.get("alphabet"), "alphabet", "alphabet 0, 1")
    alphabet = context.symbols(settings.get("alphabet"))
    languages = [clause for clause in syntax.clauses if isinstance(clause, Language)]
    states = [clause for clause in syntax.clauses if isinstance(clause, State)]
    for extra in languages[1:] if not states else languages:
        context.error(extra.span, "an automaton has either states or one `language`", "remove one of them")
    if languages and not states:
        made = to_language(languages[0].expression, Letters(alphabet), syntax.name.text, context)
    else:
        made = from_states(syntax, states, alphabet, context)
    if made is None:
        to_examples(syntax, context, alphabet, (), ("accepts", "rejects", "gives"))
        to_properties(syntax, context, None)
        return None
    verbs: tuple[Verb, ...] = ("accepts", "rejects") if made.accept is not None else ()
    verbs += ("gives",) if made.is_transducer else ()
    examples = to_examples(syntax, context, alphabet, made.outputs, verbs)
    if states:
        _warn(made, states, syntax, settings["alphabet"], context)
    return replace(made, examples=examples, properties=to_properties(syntax, context, made))


def _warn(made: Automaton, states: list[State], syntax: ProgramSyntax, alphabet: Setting, context: Context) -> None:
    names = {state.name.text: state for state in states}
    used = {symbol for _, symbol in made.transitions}
    for symbol in alphabet.arguments:
        if symbol.text not in used:
            context.warn(symbol.span, f"no rule reads the symbol {spell(symbol.text)}")
    if made.accept is not None and not made.accept:
        context.warn(syntax.name.span, f"automaton `{made.name}` accepts nothing", "mark a state with `accept`")
    if made.states == tuple(names):
        _warn_of_states(made, names, context)


def _warn_of_states(made: Automaton, names: dict[str, State], context: Context) -> None:
    reached = frozenset(made.reachable())
    lively = _can_accept(made)
    for name, state in names.items():
        if name not in reached:
            context.warn(state.name.span, f"state {spell(name)} can never be reached")
            continue
        missing = [symbol for symbol in made.alphabet if (name, symbol) not in made.transitions]
        if missing:
            listed = ", ".join(spell(symbol) for symbol in missing[:8]) + (", ..." if len(missing) > 8 else "")
            context.warn(state.name.span, f"state {spell(name)} has no rule for {listed}: the word is rejected there")
        if made.accept and name not in lively:
            help = "leave it out: a missing rule rejects" if made.moore is None and made.mealy is None else None
            context.warn(state.name.span, f"nothing is accepted from state {spell(name)} on", help)


def _can_accept(made: Automaton) -> frozenset[str]:
    """The states from which some word is accepted."""
    before: dict[str, set[str]] = {}
    for (state, _), target in made.transitions.items():
        before.setdefault(target, set()).add(state)
    found = set(made.accept or ())
    queue = list(found)
    for state in queue:
        fresh = before.get(state, set()) - found
        found |= fresh
        queue += fresh
    return frozenset(found)
