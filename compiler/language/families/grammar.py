"""Grammars from syntax: rules by name, and what keeps them from being LL(1)."""

from __future__ import annotations

from compiler.language.diagnostics import Span
from compiler.language.families.context import Context
from compiler.language.families.examples import to_examples, unknown
from compiler.language.syntax import Name, Production, ProgramSyntax, Setting
from compiler.program.grammar import Grammar, ahead_text, body_text
from compiler.program.prediction import Body, Conflict, Rules, conflicts, deriving
from compiler.program.words import spell

MAX_DEPTH = 10_000
MAX_SYMBOLS = 5_000
"""The most symbols of all alternatives together."""


def to_grammar(syntax: ProgramSyntax, context: Context) -> Grammar | None:
    """The grammar that `syntax` says; None, with mistakes reported, where it says none."""
    settings = context.settings(syntax)
    for keyword, example in (("alphabet", "alphabet a, b"), ("depth", "depth 8")):
        context.require(syntax, settings.get(keyword), keyword, example)
    alphabet = context.symbols(settings.get("alphabet"))
    depth = context.number(settings.get("depth"), 1, MAX_DEPTH)
    examples = to_examples(syntax, context, alphabet, (), ("accepts", "rejects", "overruns"))
    productions = _productions(syntax, alphabet, context)
    start = _start(syntax, context)
    known = tuple(dict.fromkeys((*productions, *alphabet)))
    bodies = [body for clause in syntax.clauses if isinstance(clause, Production) for body in clause.bodies]
    names = [name for body in bodies for name in body if name.text]
    for name in names if alphabet else ():
        if name.text not in known:
            unknown(context, name, known, "symbol or nonterminal")
    if len(names) > MAX_SYMBOLS:
        context.error(syntax.name.span, f"the rules have {len(names):,} symbols, more than {MAX_SYMBOLS:,}")
    complete = all(name.text in known for name in names) and len(names) <= MAX_SYMBOLS and not syntax.broken
    if start is None or depth is None or not alphabet or not complete or set(productions) & {*alphabet, ""}:
        return None
    rules = {left: tuple(map(_body, clause.bodies)) for left, clause in productions.items()}
    if not _is_ll1(alphabet, start, rules, productions, context):
        return None
    _warn(settings["alphabet"], start, rules, productions, context)
    return Grammar(syntax.name.text, alphabet, start, rules, depth, examples)


def _productions(syntax: ProgramSyntax, alphabet: tuple[str, ...], context: Context) -> dict[str, Production]:
    """The first rule of each nonterminal; a second one, and one of a symbol of the alphabet, is a mistake."""
    found: dict[str, Production] = {}
    for clause in syntax.clauses:
        if isinstance(clause, Production):
            left = spell(clause.left.text)
            if clause.left.text in found:
                context.error(clause.span, f"there is already a rule for {left}", "join them: `A -> a A | b`")
            elif clause.left.text in alphabet:
                context.error(clause.span, f"{left} is in the alphabet, so it can have no rule", "rename one of them")
            elif not clause.left.text:
                context.error(clause.span, "the name of a nonterminal cannot be empty")
            found.setdefault(clause.left.text, clause)
    return found


def _start(syntax: ProgramSyntax, context: Context) -> str | None:
    clauses = [clause for clause in syntax.clauses if isinstance(clause, Production)]
    starts = [clause for clause in clauses if clause.start]
    for clause in starts[1:]:
        message = f"there is already a start symbol, {spell(starts[0].left.text)}"
        context.error(clause.span, message, "keep one `start`")
    first = spell(clauses[0].left.text) if clauses else "S"
    context.require(syntax, starts[0] if starts else None, "start", f"start {first} -> ...")
    return starts[0].left.text if starts else None


def _body(names: tuple[Name, ...]) -> Body:
    return tuple(name.text for name in names if name.text)


def _is_ll1(
    alphabet: tuple[str, ...], start: str, rules: Rules, productions: dict[str, Production], context: Context
) -> bool:
    """Whether every nonterminal derives a word, and one symbol ahead decides between its alternatives."""
    derives = deriving(rules)
    for left in rules:
        if left not in derives:
            message = f"{spell(left)} derives no word: each of its alternatives leads back to such a nonterminal"
            context.error(productions[left].span, message, 'add an alternative that ends; the empty word is `""`')
    found = list(conflicts(alphabet, start, rules)) if len(derives) == len(rules) else []
    for conflict in found:
        _report(conflict, rules, productions, context)
    return len(derives) == len(rules) and not found


def _report(conflict: Conflict, rules: Rules, productions: dict[str, Production], context: Context) -> None:
    left, ahead = spell(conflict.nonterminal), ahead_text(conflict.symbol)
    places = (conflict.first, conflict.second)
    shown = [f"`{body_text(rules[conflict.nonterminal][place])}`" for place in places]
    names = productions[conflict.nonterminal].bodies[conflict.second]
    reasons = [
        f"{body} can begin with {ahead}" if begins else f"{body} can be empty, with {ahead} behind {left}"
        for body, begins in zip(shown, conflict.begins, strict=True)
    ]
    context.error(
        Span(names[0].span.start, names[-1].span.end),
        f"not LL(1): before {ahead}, {left} can be {shown[0]} or {shown[1]}",
        f"{reasons[0]}, and {reasons[1]}; the next symbol has to decide",
    )


def _warn(alphabet: Setting, start: str, rules: Rules, productions: dict[str, Production], context: Context) -> None:
    reached = [start]
    for left in reached:
        used = dict.fromkeys(symbol for body in rules.get(left, ()) for symbol in body)
        reached += [symbol for symbol in used if symbol not in reached]
    for left in rules:
        if left not in reached:
            context.warn(productions[left].span, f"{spell(left)} can never be reached")
    for symbol in alphabet.arguments:
        if symbol.text not in reached:
            context.warn(symbol.span, f"no rule reads the symbol {spell(symbol.text)}")
