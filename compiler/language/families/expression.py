"""Language expressions: regular expressions and operations on other programs, to one minimal automaton."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from compiler.errors import ProgramError
from compiler.language.diagnostics import Span
from compiler.language.families.context import Context
from compiler.language.syntax import Combination, Expression, Reference, Regex
from compiler.program import algebra
from compiler.program.automaton import Automaton
from compiler.program.regular import RegexError, from_regex
from compiler.program.words import nearest, spell

Binary = Callable[[Automaton, Automaton, Sequence[str]], Automaton]
Unary = Callable[[Automaton, Sequence[str]], Automaton]

UNARY: dict[str, Unary] = {"not": algebra.complement, "star": algebra.star, "reverse": algebra.reverse}
BINARY: dict[str, Binary] = {
    "|": algebra.union,
    "&": algebra.intersection,
    "-": algebra.difference,
    "concat": algebra.concatenation,
    "shuffle": algebra.shuffle,
}
OPERATIONS = tuple(name for name in (*UNARY, *BINARY) if name.isalpha() and name != "not")


@dataclass(frozen=True, slots=True)
class Letters:
    """The symbols of an expression's words: none where they are not known, as after a mistake.

    Attributes
    ----------
    place, help
        How a message says that a symbol is not among them, and what helps then.
    """

    symbols: tuple[str, ...]
    place: str = "in this automaton's alphabet"
    help: str | None = None


def to_language(expression: Expression, letters: Letters, name: str, context: Context) -> Automaton | None:
    """The minimal automaton of `expression` over `letters`; None, with mistakes reported, where it has none."""
    made = _evaluate(expression, letters, context)
    if made is None or not letters.symbols:
        return None
    return Automaton(name, letters.symbols, made.states, made.start, made.transitions, made.accept)


def _evaluate(expression: Expression, letters: Letters, context: Context) -> Automaton | None:
    match expression:
        case Regex():
            return _regex(expression, letters, context)
        case Reference():
            return _reference(expression, letters, context)
        case Combination():
            return _combination(expression, letters, context)


def _regex(expression: Regex, letters: Letters, context: Context) -> Automaton | None:
    try:
        return from_regex(expression.text, letters.symbols, name="this language") if letters.symbols else None
    except RegexError as mistake:
        start = expression.span.start + 1 + mistake.place
        context.error(Span(start, start + mistake.length), str(mistake), letters.help)
        return None


def _reference(expression: Reference, letters: Letters, context: Context) -> Automaton | None:
    program = context.lookup(expression.name)
    if program is None:
        return None
    if not isinstance(program, Automaton):
        context.error(expression.name.span, f"`{program.name}` is a {program.kind}, expected an automaton")
        return None
    strangers = [symbol for symbol in program.alphabet if symbol not in letters.symbols]
    if strangers and letters.symbols:
        message = f"`{program.name}` reads {spell(strangers[0])}, which is not {letters.place}"
        help = letters.help or "an operand's alphabet must be part of the alphabet of the whole"
        context.error(expression.name.span, message, help)
        return None
    try:
        algebra.accepting(program)
    except ProgramError as problem:
        context.error(expression.name.span, str(problem))
        return None
    return program


def _combination(expression: Combination, letters: Letters, context: Context) -> Automaton | None:
    operation = expression.operation
    operands = [_evaluate(operand, letters, context) for operand in expression.operands]
    known = [operand for operand in operands if operand is not None]
    if operation.text in UNARY:
        if len(operands) != 1:
            context.error(operation.span, f"`{operation.text}` takes one language, not {len(operands)}")
            return None
        return UNARY[operation.text](known[0], letters.symbols) if known else None
    if operation.text not in BINARY:
        near = nearest(operation.text, OPERATIONS)
        listed = ", ".join(OPERATIONS)
        help = f"did you mean `{near}`?" if near else f"the operations are {listed}, and |, &, - and not"
        context.error(operation.span, f"no operation is named `{operation.text}`", help)
        return None
    if len(operands) < 2:
        context.error(operation.span, f"`{operation.text}` takes two languages or more")
        return None
    if len(known) < len(operands):
        return None
    return reduce(lambda left, right: BINARY[operation.text](left, right, letters.symbols), known)


def expression_to_text(expression: Expression) -> str:
    """An expression in one line, with all its parentheses: how messages call its language."""
    match expression:
        case Regex():
            return f"/{expression.text}/"
        case Reference():
            return spell(expression.name.text)
        case Combination():
            operation = expression.operation.text
            operands = [expression_to_text(operand) for operand in expression.operands]
            if operation.isalpha() and operation != "not":
                return f"{operation}({', '.join(operands)})"
            inner = [
                f"({text})" if isinstance(operand, Combination) and not operand.operation.text.isalpha() else text
                for text, operand in zip(operands, expression.operands, strict=True)
            ]
            return f"not {inner[0]}" if operation == "not" else f" {operation} ".join(inner)
