"""Grammars: what the parser does, what is no grammar, the library against plain Python, sizes, and the command line."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest

import attnc
from compiler.domain.grammar_runs import short_words
from compiler.errors import DecompileError, ProgramError, UnsupportedError, WordError
from compiler.language.load import load, parse
from compiler.language.syntax_to_program import Workspace
from compiler.program.grammar import Grammar
from compiler.program.prediction import END, firsts, follows, nullable, predictions

EXPRESSIONS = {
    "E": (("T", "R"),),
    "R": (("+", "T", "R"), ()),
    "T": (("F", "Q"),),
    "Q": (("*", "F", "Q"), ()),
    "F": (("(", "E", ")"), ("n",)),
}
"""The grammar of section 4.4 of "Compilers" (Aho, Lam, Sethi, Ullman), whose sets are printed there."""


def test_first_and_follow_are_those_of_the_book() -> None:
    assert nullable(EXPRESSIONS) == {"R", "Q"}
    begins = {"(", "n"}
    assert firsts(EXPRESSIONS) == {"E": begins, "T": begins, "F": begins, "R": {"+"}, "Q": {"*"}}
    closing = {")", END}
    behind = {"E": closing, "R": closing, "T": {"+", *closing}, "Q": {"+", *closing}, "F": {"+", "*", *closing}}
    assert follows("E", EXPRESSIONS) == behind
    table = predictions(("+", "*", "(", ")", "n"), "E", EXPRESSIONS)
    assert len(table) == 13
    assert table["R", ")"] == table["Q", "+"] == (1,)


def test_the_stack_is_counted_after_each_step() -> None:
    grammar = Grammar("g", ("a", "b"), "S", {"S": (("a", "S", "b"), ())}, depth=3)
    stacks = [(ahead, tuple(stack)) for ahead, stack in grammar.configurations("ab")]
    assert stacks == [("a", ("S",)), ("b", ("b", "S")), ("b", ("b",)), (END, ())]
    assert [grammar.run("a" * n + "b" * n).outcome for n in range(5)] == ["accepted"] * 3 + ["overran"] * 2
    assert grammar.run("aaab").outcome == grammar.run("aaabbbbb").outcome == "overran"
    assert grammar.run("baaa").outcome == "rejected"


def test_names_that_the_layer_uses_itself() -> None:
    """Symbols may be called as its tokens and coordinates are: nothing is mixed up."""
    letters = ("start", "end of input", "stay", "accept", "end", "|", "->", "empty rejects")
    rules = {
        "failed": (("start", "empty", "end of input"), ("stay", "failed"), ("|", "two words")),
        "empty": (("accept", "empty", "end"), ("->", "overran", "overran"), ()),
        "two words": (("empty rejects", "failed", "failed"), ()),
        "overran": (("stay",), ("end", "overran", "overran", "overran")),
    }
    grammar = Grammar("two words", letters, "failed", rules, depth=4)
    assert parse(str(grammar)) == grammar
    model = attnc.compile(grammar)
    outcomes = {run.outcome for word in islice(short_words(grammar), 3_000) if (run := grammar.run(word))}
    assert outcomes == {"accepted", "rejected", "overran"}
    assert all(model.run(word).agrees_with(grammar.run(word)) for word in islice(short_words(grammar), 3_000))


BAD: list[tuple[dict[str, object], str]] = [
    ({"depth": 0}, "its depth is 0"),
    ({"depth": True}, "its depth is True"),
    ({"name": ""}, "its name is ''"),
    ({"alphabet": ()}, "its alphabet is empty"),
    ({"alphabet": ("a", "a")}, "declared twice"),
    ({"start": "T"}, "its start symbol 'T' has no rule"),
    ({"rules": {"S": (("x",),)}}, "'x' is no symbol of the alphabet and has no rule"),
    ({"rules": {"S": ((),), "a": ((),)}}, "'a' has a rule, but is empty or in the alphabet"),
    ({"rules": {"S": ("ab",)}}, "an alternative is not a tuple"),
    ({"rules": {"S": (("a", "S"),)}}, "'S' derives no word"),
    ({"rules": {"S": (("S", "a"), ("b",))}}, "not LL(1): S -> S a and S -> b are both predicted by b"),
    ({"rules": {"S": ((), ("A",)), "A": ((),)}}, "both predicted by the end of the word"),
]


@pytest.mark.parametrize(("changed", "message"), BAD, ids=[message for _, message in BAD])
def test_what_is_no_grammar(changed: dict[str, object], message: str) -> None:
    fields = {"name": "g", "alphabet": ("a", "b"), "start": "S", "rules": {"S": (("a",),)}, "depth": 4} | changed
    with pytest.raises(ProgramError, match=re.escape(message)):
        Grammar(**fields)  # type: ignore[arg-type]


def test_warnings() -> None:
    module = Workspace().text("grammar g { alphabet a, b; depth 2; start S -> a; T -> b }")
    module.check_all()
    assert [each.message for each in module.diagnostics] == ["T can never be reached", "no rule reads the symbol b"]


def nests(pairs: str, most: int) -> Callable[[str], str]:
    """Balanced brackets on one stack; the first bracket too deep or out of place decides."""

    def outcome(word: str) -> str:
        stack: list[str] = []
        for letter in word:
            if letter in pairs[::2]:
                stack.append(pairs[pairs.index(letter) + 1])
            elif not stack or stack.pop() != letter:
                return "rejected"
            if len(stack) > most:
                return "overran"
        return "rejected" if stack else "accepted"

    return outcome


def same_again(word: str) -> str:
    front = word.partition("|")[0]
    if len(front) > 15:
        return "overran"
    return "accepted" if word == f"{front}|{front[::-1]}" else "rejected"


def expression(word: str) -> str:
    """Python's own parser, without what it has besides: calls, empty brackets, signs `+`, operators // and **."""
    try:
        compile(word.replace("n", " n ").strip(), "<word>", "eval")
    except SyntaxError:
        return "rejected"
    return "rejected" if re.search(r"//|\*\*|\(\)|[n)]\(|(^|[-+*/(])\+", word) else "accepted"


LIBRARY = {
    "dyck2": nests("()[]", 8),
    "anbn": lambda word: "accepted" if word == "a" * (len(word) // 2) + "b" * (len(word) // 2) else "rejected",
    "marked_palindrome": same_again,
    "arithmetic": expression,
}


@pytest.mark.parametrize("name", LIBRARY)
def test_library_against_plain_python(name: str) -> None:
    program = load(name)
    assert isinstance(program, Grammar)
    for length in range(7 if len(program.alphabet) < 5 else 5):
        for word in product(program.alphabet, repeat=length):
            assert program.run(word).outcome == LIBRARY[name]("".join(word)), word


@pytest.mark.parametrize("nested", range(12))
def test_depths_of_dyck2(nested: int) -> None:
    word = "([" * (nested // 2) + "(" * (nested % 2)
    word += "".join({"(": ")", "[": "]"}[letter] for letter in reversed(word))
    model = attnc.compile(load("dyck2"))
    assert model.run(word).outcome == LIBRARY["dyck2"](word) == ("accepted" if nested <= 8 else "overran")
    assert model.run(word * 40).outcome == ("accepted" if nested <= 8 else "overran")


ROW = re.compile(r"^\| (\w+) \| (\d+) \| (\d+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)


def test_the_sizes_in_the_manual() -> None:
    """They grow as the depth does, not as the number of stacks."""
    text = (Path(__file__).parents[2] / "docs" / "constructions.md").read_text(encoding="utf-8")
    rows = ROW.findall(text.partition("## Grammars")[2])
    assert len(rows) == 8
    sizes = {}
    for name, *numbers in rows:
        depth, d, heads, rules, entries, vocabulary = (int(number.replace(",", "")) for number in numbers)
        source = re.sub(r"depth \d+", f"depth {depth}", re.sub(r" +example.*\n", "", str(load(name))))
        model = attnc.compile(parse(source))
        found = sum(len(matrix.rows) for head in model.heads for matrix in (head.V, head.Q))
        assert (d, heads, rules) == (model.d, len(model.heads), len(model.rules)), (name, depth)
        assert (entries, vocabulary) == (found, len(model.tokens)), (name, depth)
        sizes[name, depth] = d, heads, rules, entries, vocabulary
    for name in {name for name, _ in sizes}:
        for small in (4, 8, 16):
            assert all(b < 2.7 * a for a, b in zip(sizes[name, small], sizes[name, 2 * small], strict=True))


def test_what_is_refused() -> None:
    grammar = load("anbn")
    with pytest.raises(WordError, match="symbol c at position 1"):
        grammar.run("ac")
    with pytest.raises(UnsupportedError, match="grammar anbn is neither"):
        attnc.compile(grammar, construction="history", bound=4)
    wide = " | ".join(f"x{number} S y" for number in range(200))
    letters = ", ".join(f"x{number}" for number in range(200))
    large = parse(f'grammar large {{ alphabet y, {letters}; depth 10000; start S -> {wide} | "" }}')
    with pytest.raises(UnsupportedError, match="more than 500,000 answers"):
        attnc.compile(large)


def test_what_is_decompiled() -> None:
    grammar = load("anbn")
    model = attnc.compile(grammar)
    assert attnc.decompile(model) == grammar
    bare = attnc.Model.from_arrays(model.V, model.Q, coordinates=model.coordinates, tokens=model.tokens)
    with pytest.raises(DecompileError, match="reads none from weights"):
        attnc.decompile(bare)


def test_the_circle() -> None:
    grammar = parse('grammar dyck { alphabet "(", ")"; depth 5; start S -> "(" S ")" S | "" }')
    data = attnc.generate(grammar, certified=True)
    learned = attnc.learn(data, program=grammar)
    assert (learned.report.exact, learned.report.certified) == (True, True)
    verdict = attnc.verify(grammar, learned.model)
    assert (verdict.verdict, verdict.lengths) == ("proved", "all")
    assert attnc.check_certificate(attnc.stored_certificate(data, grammar), data, grammar) is None
    few = attnc.certify(attnc.generate(grammar, count=3, lengths=4), grammar)
    assert not few.certified
    assert few.rank < few.span


def test_random_data_have_sentences() -> None:
    grammar = load("dyck2")
    data = attnc.generate(grammar, count=60, lengths=(1, 12), seed=1)
    accept = attnc.compile(grammar).coordinates.index("accept")
    assert len(data.offsets) == 61
    assert 3 < data.tokens[:, accept].sum() < 60
    assert attnc.learn(data).report.exact


def test_a_wrong_cell_is_found_where_it_is_deep() -> None:
    """The heads of one fetch left out: a shortest word that comes so deep and back."""
    grammar = parse('grammar dyck { alphabet "(", ")"; depth 7; start S -> "(" S ")" S | "" }')
    model = attnc.compile(grammar)
    wrong = replace(model, heads=tuple(head for head in model.heads if head.name != "on fetch[6]"))
    assert len(wrong.heads) == len(model.heads) - 1
    verdict = attnc.verify(grammar, wrong)
    assert verdict.verdict == "refuted"
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == ("(", "(", "(")


def test_command_line(attnc: Any, tmp_path: Path) -> None:
    source = tmp_path / "g.attn"
    source.write_text(
        'grammar g{alphabet a,b\ndepth 4; start S->a S b|""\nexample aabb accepts; example aaaa overruns}'
    )
    model = str(tmp_path / "g.safetensors")
    assert "grammar" in attnc("check", str(source)).out
    attnc("format", str(source))
    assert 'start S -> a S b | ""' in source.read_text()
    facts = json.loads(attnc("compile", str(source), "-o", model, "--json").out)
    assert facts["kind"] == "grammar"
    ran = json.loads(attnc("run", str(source), "aabb", "abb", '""', "aaaa", "--model", model, "--json").out)
    assert [run["outcome"] for run in ran["runs"]] == ["accepted", "rejected", "accepted", "overran"]
    traced = attnc("run", str(source), "ab", "--trace").out
    assert "S@1 -> S b" in traced
    shown = attnc("show", model).out
    assert "if the last token has fetch[1], then for every token that has reg and cell[1,b]: top[1,b] += 1" in shown
    assert "proved (everywhere)" in attnc("verify", str(source), model).out
    assert "grammar g {" in attnc("decompile", model).out
