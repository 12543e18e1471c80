"""Properties from syntax: ``always`` and ``never`` a language, of an expression or of states of its own."""

from __future__ import annotations

from dataclasses import replace

from compiler.language.families.context import Context
from compiler.language.families.expression import Letters, expression_to_text, to_language
from compiler.language.families.states import from_states
from compiler.language.syntax import Block, ProgramSyntax, PropertySyntax
from compiler.program.automaton import Automaton
from compiler.program.properties import Property
from compiler.program.words import spell


def properties_of(syntax: ProgramSyntax) -> list[PropertySyntax]:
    """The properties of a program, in order."""
    return [clause for clause in syntax.clauses if isinstance(clause, PropertySyntax)]


def to_properties(syntax: ProgramSyntax, context: Context, program: Automaton | None) -> tuple[Property, ...]:
    """The properties of `program`; where it has mistakes, and is None, theirs are reported as far as they are known."""
    made = []
    letters = _letters(program)
    for each in properties_of(syntax):
        if isinstance(each.language, Block):
            language = _from_block(each.language, syntax, letters.symbols, context)
        else:
            language = to_language(each.language, letters, expression_to_text(each.language), context)
        if language is not None:
            made.append(Property(each.kind, language))
    return tuple(made)


def _letters(program: Automaton | None) -> Letters:
    if program is None:
        return Letters(())
    if not program.is_transducer:
        return Letters(program.shown)
    listed = ", ".join([*map(spell, program.outputs[:12]), *["..."] * (len(program.outputs) > 12)])
    help = f"a property of an automaton with outputs reads these, not the input: {listed}"
    return Letters(program.outputs, "among this automaton's outputs", help)


def _from_block(block: Block, syntax: ProgramSyntax, symbols: tuple[str, ...], context: Context) -> Automaton | None:
    """The automaton of a block of states, which reads the symbols that the program around it shows."""
    if not block.states:
        context.error(block.name.span, f"property `{block.name.text}` has no states", "add `start accept state q { }`")
        return None
    made = from_states(replace(syntax, name=block.name, clauses=block.states), list(block.states), symbols, context)
    if made is not None and made.is_transducer:
        context.error(
            block.name.span, f"property `{made.name}` emits outputs", "a property accepts: remove every `emits`"
        )
        return None
    return made
