"""The language by its definition: docs/language.md, layout, lookup, imports, warnings, formatting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.errors import FileError, SourceError, UnknownProgramError
from compiler.language import load
from compiler.language.diagnostics import Diagnostic, Source, Span
from compiler.language.families.expression import OPERATIONS
from compiler.language.syntax_to_program import Module, Workspace
from compiler.language.syntax_to_text import format_text
from compiler.language.text_to_tokens import MAX_BYTES, parser, read_source, source_from_bytes
from compiler.program import Automaton, Memory, UniversalAutomaton, UniversalMachine
from compiler.program.words import KEYWORDS

MANUAL = Path(__file__).parents[2] / "docs" / "language.md"
BLOCKS = re.findall(r"^```attn\n(.*?)^```", MANUAL.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def module(text: str) -> Module:
    made = Workspace().text(text)
    made.check_all()
    return made


def warnings(text: str) -> list[str]:
    return [each.message for each in module(text).diagnostics]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_manual_parses_and_keeps_its_promises(block: str) -> None:
    for program in Workspace().text(block).check_all().values():
        for example in program.examples:
            if isinstance(program, UniversalAutomaton | UniversalMachine):
                run = program.run(example.word, given=example.given)  # type: ignore[arg-type]
            else:
                run = program.run(example.word)  # type: ignore[arg-type]
            assert example.holds(run), (program.name, example, run)


def test_the_manual_shows_every_kind_and_is_not_empty() -> None:
    assert len(BLOCKS) >= 6
    kinds = {program.kind for block in BLOCKS for program in Workspace().text(block).check_all().values()}
    assert kinds == {"automaton", "memory", "machine", "grammar", "universal automaton", "universal machine"}


def test_the_manual_lists_the_reserved_words_and_operations() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    listed = re.search(r"names or symbols:\s*`([^`]*)`, and, reserved for later, `([^`]*)`", text)
    assert listed is not None
    assert frozenset((listed[1] + " " + listed[2]).split()) == KEYWORDS
    assert all(f"`{name}(" in text for name in OPERATIONS)


def test_keywords_and_grammar_agree() -> None:
    """A word that the grammar knows and `spell` does not would make programs whose text does not parse."""
    words = {each.pattern.value for each in parser().terminals if each.pattern.value.isalpha()}
    assert words <= KEYWORDS
    reserved = next(each for each in parser().terminals if each.name == "RESERVED")
    assert {word for word in KEYWORDS - words if re.fullmatch(reserved.pattern.to_regexp(), word)} == KEYWORDS - words


SAME = [
    "automaton a { alphabet 0, 1; start accept state q { 0 -> q; 1 -> r }; state r { else -> r } }",
    "automaton a\n{\nalphabet 0,\n  1\nstart accept state q\n{ 0 -> q\n1 -> r }\n\nstate r { ;; else -> r; }\n}",
    "automaton a { # }\n alphabet 0, # {\n\n1;;\naccept start state q { 0 -> q; 1 -> r# ;\n }; state r { 0, 1 -> r } }",
    '\ufeffautomaton "a" {\r\n alphabet "0", "\\u{31}"\r start accept state "q" {0->q;1->r}; state r{else->r} }',
]


@pytest.mark.parametrize("text", SAME)
def test_layout_does_not_change_the_program(text: str) -> None:
    assert load.parse(text) == load.parse(SAME[0])


def test_names_are_compared_in_composed_form() -> None:
    program = load.parse("automaton a { alphabet e\u0301, \u00e8; start accept state q { \u00e9 -> q } }")
    assert isinstance(program, Automaton)
    assert program.alphabet == ("\u00e9", "\u00e8")
    assert program.run("e\u0301").outcome == "accepted"


def test_an_empty_file_is_no_mistake_but_holds_no_program() -> None:
    assert module("").syntax == {}
    assert module(" # nothing\n\n;").syntax == {}
    with pytest.raises(UnknownProgramError, match="holds no program"):
        load.parse("")


def test_programs_are_picked_by_name() -> None:
    two = "automaton a { alphabet x; language /x/ } automaton b { alphabet x; language /xx/ }"
    assert load.parse(two, name="b").run("xx").outcome == "accepted"
    with pytest.raises(UnknownProgramError, match=r"holds 2 programs \(a, b\); add ::NAME"):
        load.parse(two)
    with pytest.raises(UnknownProgramError, match="it has a, b"):
        load.parse(two, name="zebra")


def test_a_file_of_this_folder_is_imported(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "one.attn").write_text('use "../two.attn"::b\nautomaton a { alphabet x; language not b }')
    (tmp_path / "two.attn").write_text(
        "automaton b { alphabet x; language /x*/ - c }\nautomaton c { alphabet x; language /x/ }"
    )
    assert load.load(str(tmp_path / "sub" / "one.attn")).run("x").outcome == "accepted"
    assert load.load(f"{tmp_path}/two.attn::c").run("x").outcome == "accepted"


def test_a_program_with_a_lost_clause_is_not_imported(tmp_path: Path) -> None:
    """Without its cut clause it would be another program."""
    (tmp_path / "bad.attn").write_text("automaton b { alphabet x, y; start accept state q { x -> q; y > q } }")
    (tmp_path / "good.attn").write_text('use "bad.attn"::b\nautomaton a { alphabet x, y; language not b }')
    with pytest.raises(SourceError) as caught:
        load.load(str(tmp_path / "good.attn"))
    (found,) = caught.value.diagnostics
    assert found.message.endswith("bad.attn has mistakes of its own")
    assert found.help is not None
    assert "bad.attn:1:63: found `>`" in found.help
    assert Workspace().file(tmp_path / "bad.attn").program("b") is None


def test_an_import_that_nests_too_deep_is_a_mistake_of_the_importer(tmp_path: Path) -> None:
    (tmp_path / "deep.attn").write_text("automaton b { alphabet x; language " + "(" * 99 + "/x/" + ")" * 99 + " }")
    with pytest.raises(SourceError, match="nest deeper than 60"):
        Workspace().text(f'use "{tmp_path}/deep.attn"::b').check_all()


@pytest.mark.parametrize(
    "inner", ["not " * 59 + "/x/", "(" * 60 + "/x/" + ")" * 60, "(not not not " * 14 + "/x/" + ")" * 14]
)
def test_the_deepest_nesting_that_is_allowed_works(inner: str) -> None:
    load.parse(f"automaton a {{ alphabet x; language {inner} }}")


def test_long_chains_work_in_the_order_of_the_file() -> None:
    lines = ["automaton a0 { alphabet x; language /x/ }"]
    lines += [f"automaton a{n} {{ alphabet x; language not a{n - 1} }}" for n in range(1, 300)]
    assert load.parse("\n".join(lines), name="a299").run("x").outcome == "rejected"


def test_unusual_states_are_warned_of() -> None:
    text = """automaton a { alphabet 0, 1, 2
    start accept state q { 0 -> q; 1 -> dead }
    state dead { 0, 1 -> dead }
    state lost { 0 -> q; 1 -> q } }"""
    assert sorted(warnings(text)) == sorted(
        [
            "no rule reads the symbol 2",
            "state q has no rule for 2: the word is rejected there",
            "state dead has no rule for 2: the word is rejected there",
            "nothing is accepted from state dead on",
            "state lost can never be reached",
        ]
    )
    assert warnings("automaton a { alphabet 0; start state q { 0 -> q } }") == ["automaton `a` accepts nothing"]
    assert warnings("machine m { blank _; cells 2; start state s { _ -> halt }; state t { _ -> s } }") == [
        "state t can never be reached"
    ]
    assert warnings("automaton a { alphabet 0; start state q { 0 -> q, r }; accept state r { } }") == []


def test_a_memory_of_vectors_sums_unless_told_otherwise() -> None:
    program = load.parse("memory m { keys real 2; values real 3 }")
    assert program == Memory("m", 2, 3, "sum")


FORMATTED = [
    (
        "automaton a{alphabet 0,1 ;\n;start accept state q{0->q;;1->q;}}",
        "automaton a { alphabet 0, 1\n  start accept state q { 0 -> q; 1 -> q } }\n",
    ),
    (
        "\n\n\n# one\n\n\n\nmemory m {\nkeys a,\n\n\n# two\nb ;values x   # three  \n}\n\n\n",
        "# one\n\nmemory m {\n  keys a,\n\n    # two\n    b; values x  # three\n}\n",
    ),
    (
        'use   "f.attn" :: a\nautomaton b { alphabet 0\nlanguage reverse( /0 0/ )&\nnot ( a|/"" /)}',
        'use "f.attn"::a\nautomaton b { alphabet 0\n  language reverse(/0 0/) &\n    not (a | /"" /) }\n',
    ),
    ("", ""),
    ("\n \n", ""),
]


@pytest.mark.parametrize(("text", "expected"), FORMATTED)
def test_the_layout_of_formatted_text(text: str, expected: str) -> None:
    assert format_text(text) == expected


def test_broken_text_is_not_formatted() -> None:
    with pytest.raises(SourceError) as caught:
        format_text("automaton a {\n  alphabet 0 1\n  start state q { 0 => q }\n}")
    assert [each.place() for each in caught.value.diagnostics] == ["<text>:2:14", "<text>:3:21"]


def test_files_that_are_not_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="byte 2 is not UTF-8 text"):
        source_from_bytes("f", b"ok\xff")
    with pytest.raises(FileError, match=r"control character '\\x00'"):
        source_from_bytes("f", b"a\x00b")
    with pytest.raises(FileError, match="cannot be read"):
        read_source(tmp_path / "none.attn")
    (tmp_path / "large.attn").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(FileError, match=r"4,194,305 bytes is more than the 4,194,304"):
        read_source(tmp_path / "large.attn")


def test_a_diagnostic_shows_its_line() -> None:
    source = Source("f.attn", "one\n" + "x" * 200 + "\tbad\n")
    shown = Diagnostic(source, Span(205, 208), "no", "do").render().split("\n")
    assert shown[0] == "f.attn:2:202: error: no"
    assert shown[2].index("^") == shown[1].index("bad")
    assert shown[2].count("^") == 3
    assert shown[3] == "   = help: do"
    at_end = Diagnostic(source, Span(len(source.text), len(source.text)), "end").render()
    assert at_end.startswith("f.attn:3:1: error: end")
