"""The parser's trees to syntax: one small function for each rule of the grammar."""

from __future__ import annotations

from typing import Any, Literal, cast

from lark import Token, Tree
from lark.visitors import Transformer

from compiler.language import syntax as s
from compiler.language.diagnostics import Span
from compiler.language.text_to_tokens import span_of
from compiler.program.words import unquote

_STEPS: dict[str, Literal["move", "stop", "state"]] = {"move": "move", "stop": "stop", "target": "state"}


def program_to_syntax(tree: Tree[Token]) -> s.ProgramSyntax:
    """The syntax of one program."""
    return cast("s.ProgramSyntax", _ToSyntax().transform(tree))


def use_to_syntax(tree: Tree[Token]) -> s.Use:
    """The syntax of one import."""
    return cast("s.Use", _ToSyntax().transform(tree))


def _name(token: Token) -> s.Name:
    text = unquote(token[1:-1]) if token.type == "STRING" else str(token)
    return s.Name(text, span_of(token))


def _names(tokens: list[Token]) -> tuple[s.Name, ...]:
    return tuple(_name(token) for token in tokens)


def _over(first: s.Name, last: s.Name) -> Span:
    return Span(first.span.start, last.span.end)


class _ToSyntax(Transformer[Token, Any]):
    """Method by method the rules of grammar.lark; children are already transformed."""

    def use(self, children: list[Any]) -> s.Use:
        origin, _, name = children
        where = None if origin.type == "NAME" and origin == "library" else _name(origin)
        return s.Use(where, _name(name), Span(span_of(origin).start, span_of(name).end))

    def _program(self, kind: str, children: list[Any]) -> s.ProgramSyntax:
        name, *rest = (child for child in children if not (isinstance(child, Token) and child.type == "SEP"))
        return s.ProgramSyntax(kind, _name(name), tuple(rest), span_of(name))

    def automaton(self, children: list[Any]) -> s.ProgramSyntax:
        return self._program("automaton", children)

    def machine(self, children: list[Any]) -> s.ProgramSyntax:
        return self._program("machine", children)

    def memory(self, children: list[Any]) -> s.ProgramSyntax:
        return self._program("memory", children)

    def grammar(self, children: list[Any]) -> s.ProgramSyntax:
        return self._program("grammar", children)

    def universal_automaton(self, children: list[Any]) -> s.ProgramSyntax:
        return self._program("universal automaton", children)

    def universal_machine(self, children: list[Any]) -> s.ProgramSyntax:
        return self._program("universal machine", children)

    def setting(self, children: list[Token]) -> s.Setting:
        keyword, *arguments = children
        return s.Setting(str(keyword), _names(arguments), span_of(keyword))

    def real_setting(self, children: list[Token]) -> s.Setting:
        keyword, _, size = children
        return s.Setting(f"{keyword} real", (_name(size),), span_of(keyword))

    def dimensions(self, children: list[Token | None]) -> s.Setting:
        keyword, size, _, seed = children
        assert keyword is not None
        return s.Setting("dimensions", _names([each for each in (size, seed) if each is not None]), span_of(keyword))

    def marks(self, children: list[Token]) -> tuple[s.Name, ...]:
        return _names(children)

    def automaton_state(self, children: list[Any]) -> s.State:
        marks, name, emits, *rules = children
        kept = tuple(rule for rule in rules if isinstance(rule, s.Rule))
        return s.State(_name(name), marks, None if emits is None else _name(emits), kept, span_of(name))

    def machine_state(self, children: list[Any]) -> s.State:
        marks, name, *rules = children
        kept = tuple(rule for rule in rules if isinstance(rule, s.MachineRule))
        return s.State(_name(name), marks, None, kept, span_of(name))

    def letters(self, children: list[Token]) -> tuple[Any, Span]:
        first, last = _name(children[0]), _name(children[-1])
        word = {"ELSE": "else", "EPSILON": "epsilon"}.get(children[0].type)
        return word or _names(children), _over(first, last)

    cell_letters = letters

    def targets(self, children: list[Token]) -> tuple[s.Name, ...]:
        return _names(children)

    def rule(self, children: list[Any]) -> s.Rule:
        (on, span), _, targets, emits = children
        return s.Rule(on, targets, None if emits is None else _name(emits), span)

    def machine_rule(self, children: list[Any]) -> s.MachineRule:
        (on, span), _, *steps = children
        return s.MachineRule(on, tuple(steps), span)

    def write(self, children: list[Token]) -> s.Step:
        return s.Step("write", _name(children[-1]))

    def move(self, children: list[Token]) -> s.Step:
        return s.Step("move", _name(children[0]))

    def stop(self, children: list[Token]) -> s.Step:
        return s.Step("stop", _name(children[0]))

    def target(self, children: list[Token]) -> s.Step:
        return s.Step("state", _name(children[0]))

    def body(self, children: list[Token]) -> tuple[s.Name, ...]:
        return _names(children)

    def production(self, children: list[Any]) -> s.Production:
        start, left, _, *bodies = children
        return s.Production(_name(left), tuple(bodies), start is not None, span_of(left))

    def pair(self, children: list[Token]) -> s.ItemSyntax:
        key, value = children
        return s.ItemSyntax(_name(key), _name(value))

    def store(self, children: list[s.ItemSyntax]) -> s.Store:
        return s.Store(tuple(children), children[0].name.span)

    def regex(self, children: list[Token]) -> s.Regex:
        return s.Regex(str(children[0])[1:-1], span_of(children[0]))

    def reference(self, children: list[Token]) -> s.Reference:
        return s.Reference(_name(children[0]))

    def call(self, children: list[Any]) -> s.Combination:
        operation, *operands = children
        return s.Combination(_name(operation), tuple(operands))

    def complement(self, children: list[Any]) -> s.Combination:
        negation, operand = children
        return s.Combination(_name(negation), (operand,))

    def union(self, children: list[s.Expression]) -> s.Combination:
        return s.Combination(s.Name("|"), tuple(children))

    def intersection(self, children: list[s.Expression]) -> s.Combination:
        return s.Combination(s.Name("&"), tuple(children))

    def difference(self, children: list[s.Expression]) -> s.Combination:
        return s.Combination(s.Name("-"), tuple(children))

    def language(self, children: list[Any]) -> s.Language:
        keyword, expression = children
        return s.Language(expression, span_of(keyword))

    def block(self, children: list[Any]) -> s.Block:
        name, *states = children
        return s.Block(_name(name), tuple(state for state in states if isinstance(state, s.State)))

    def property(self, children: list[Any]) -> s.PropertySyntax:
        keyword, language = children
        return s.PropertySyntax("always" if keyword == "always" else "never", language, span_of(keyword))

    def word(self, children: list[Token]) -> tuple[s.ItemSyntax, ...]:
        return tuple(s.ItemSyntax(name) for name in _names(children))

    def request(self, children: list[Token | None]) -> s.ItemSyntax:
        key, value = children
        assert key is not None
        return s.ItemSyntax(_name(key), None if value is None else _name(value))

    def requests(self, children: list[s.ItemSyntax]) -> tuple[s.ItemSyntax, ...]:
        return tuple(children)

    def answer(self, children: list[Token]) -> s.ItemSyntax:
        return s.ItemSyntax(_name(children[0]))

    def answers(self, children: list[s.ItemSyntax]) -> tuple[s.ItemSyntax, ...]:
        return tuple(children)

    def verdict(self, children: list[Any]) -> tuple[s.Name, tuple[s.ItemSyntax, ...] | None]:
        verb, *result = children
        return _name(verb), result[0] if result else None

    memory_verdict = verdict

    def example(self, children: list[Any]) -> s.ExampleSyntax:
        word, (verb, result) = children
        first = word[0].name
        return s.ExampleSyntax(word, verb, result, None, _over(first, word[-1].value or word[-1].name))

    def given_example(self, children: list[Any]) -> s.ExampleSyntax:
        given, word, (verb, result) = children
        name = _name(given)
        return s.ExampleSyntax(word or (), verb, result, name, name.span)
