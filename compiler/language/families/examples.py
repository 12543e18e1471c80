"""Examples: words spelled over an alphabet, verdicts that the family knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compiler.language.diagnostics import Span
from compiler.language.families.context import Context
from compiler.language.syntax import ExampleSyntax, ItemSyntax, Name, ProgramSyntax
from compiler.program.run import VERBS, Example, Verb
from compiler.program.words import expand, nearest, single_characters, spell


def examples_of(syntax: ProgramSyntax) -> list[ExampleSyntax]:
    """The examples of a program, in order."""
    return [clause for clause in syntax.clauses if isinstance(clause, ExampleSyntax)]


def to_examples(
    syntax: ProgramSyntax,
    context: Context,
    alphabet: Sequence[str],
    output: Sequence[str],
    verbs: Iterable[Verb],
) -> tuple[Example, ...]:
    """The examples of a program that reads `alphabet`, emits `output` and can end as `verbs` say."""
    made = []
    for each in examples_of(syntax):
        verb = to_verb(each.verb, syntax, context, verbs)
        word = to_symbols(each.word, alphabet, "the alphabet", context)
        result = to_symbols(each.result or (), output, "the output alphabet", context)
        if verb is not None:
            made.append(Example(word, verb, result))
    return tuple(made)


def to_verb(name: Name, syntax: ProgramSyntax, context: Context, verbs: Iterable[Verb]) -> Verb | None:
    """The verdict that `name` spells, if a program like this one can have it; else a mistake."""
    allowed = tuple(verbs)
    verb = next(each for each in VERBS if each == name.text)
    if verb in allowed:
        return verb
    listed = " or ".join(f"`{each}`" for each in allowed) or "no verdict"
    context.error(name.span, f"{syntax.kind} `{syntax.name.text}` never `{verb}`, expected {listed}")
    return None


def to_symbols(items: Iterable[ItemSyntax], alphabet: Sequence[str], what: str, context: Context) -> tuple[str, ...]:
    """The symbols that `items` spell; each unknown one is a mistake at its own place."""
    listed = list(items)
    spelled, known = single_characters(alphabet), frozenset(alphabet)
    for item in listed if alphabet else ():
        name = item.name
        pieces = list(name.text) if spelled else [name.text] * (name.text != "" or len(listed) > 1)
        quotes = name.span.end - name.span.start - len(name.text)
        for place, piece in enumerate(pieces):
            if piece not in known and not context.is_lost(Name(piece), "alphabet", "marks"):
                start = name.span.start + quotes // 2 + place
                span = Span(start, start + 1) if spelled and quotes in (0, 2) else name.span
                context.error(span, f"symbol {spell(piece)} is not in {what}", _help(piece, alphabet))
                break
    return expand((item.name.text for item in listed), alphabet)


def _help(symbol: str, alphabet: Sequence[str]) -> str:
    near = nearest(symbol, alphabet)
    listed = ", ".join(spell(each) for each in alphabet[:12]) + (", ..." if len(alphabet) > 12 else "")
    return f"did you mean {spell(near)}?" if near else f"its symbols are {listed}"


def unknown(context: Context, name: Name, known: Iterable[str], what: str) -> None:
    """Report that `name` is no `what`, with the nearest that is, unless its declaration was lost."""
    clauses = {"state": (), "key": ("keys",), "value": ("values",)}.get(what, ("alphabet", "marks", "blank"))
    if context.is_lost(name, *clauses):
        return
    listed = list(known)
    near = nearest(name.text, listed)
    shown = ", ".join(spell(each) for each in listed[:12]) + (", ..." if len(listed) > 12 else "")
    help = f"did you mean {spell(near)}?" if near else f"there is {shown}" if shown else None
    context.error(name.span, f"no {what} is named {spell(name.text)}", help)
