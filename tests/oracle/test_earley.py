"""Grammars against lark's Earley parser, which knows nothing of prediction or stacks, on all words up to length 8."""

from dataclasses import replace
from itertools import product

import pytest
from lark import Lark
from lark.exceptions import LarkError

from compiler.language.load import load, parse
from compiler.program.grammar import Grammar
from compiler.program_to_model import compile

DEEP = 1_000
LETTERS = "abcdefghijkl"

SMALL = {
    "dyck1": 'grammar dyck1 { alphabet "(", ")"; depth 7; start S -> "(" S ")" S | "" }',
    "anbn": 'grammar anbn { alphabet a, b; depth 4; start S -> a S b | "" }',
    "marked": "grammar marked { alphabet a, b; depth 3; start S -> a S a | b }",
    "sums": 'grammar sums { alphabet n, "+", "("; depth 6; start E -> T R; R -> "+" T R | ""; T -> n | "(" E n }',
    "vanishing": 'grammar vanishing { alphabet a, b; depth 5; start S -> A B b; A -> a A | B; B -> "" }',
    "dyck2": str(replace(load("dyck2"), depth=5, examples=())),
}


def earley(grammar: Grammar) -> Lark:
    """The grammar in lark's notation; symbols are one letter each."""
    letters = dict(zip(grammar.alphabet, LETTERS, strict=False))
    names = {left: f"n{number}" for number, left in enumerate(grammar.rules)}
    lines = [
        f"{names[left]}: " + " | ".join(" ".join(names.get(x) or f'"{letters[x]}"' for x in body) for body in bodies)
        for left, bodies in grammar.rules.items()
    ]
    return Lark("\n".join(lines), parser="earley", lexer="dynamic", start=names[grammar.start])


def accepts(parser: Lark, text: str) -> bool:
    try:
        parser.parse(text)
    except LarkError:
        return False
    return True


@pytest.mark.parametrize("name", SMALL)
def test_all_short_words(name: str) -> None:
    """Where the stack is high enough, the layer says what Earley's parser says; else both say that it was not."""
    grammar = parse(SMALL[name])
    assert isinstance(grammar, Grammar)
    parser, model, deep = earley(grammar), compile(grammar), replace(grammar, depth=DEEP)
    letters = dict(zip(grammar.alphabet, LETTERS, strict=False))
    outcomes = set()
    for length in range(9 if len(grammar.alphabet) < 4 else 6):
        for word in product(grammar.alphabet, repeat=length):
            run = grammar.run(word)
            outcomes.add(run.outcome)
            wanted = "accepted" if accepts(parser, "".join(letters[x] for x in word)) else "rejected"
            assert deep.run(word).outcome == wanted, word
            assert run.outcome in (wanted, "overran"), word
            if length < 7:
                assert model.run(word).agrees_with(run), word
    assert {"accepted", "rejected"} <= outcomes
