"""Programs as values survive their text; formatting changes layout only; broken text is answered by diagnostics."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from compiler.errors import FileError, SourceError
from compiler.language.diagnostics import Diagnostic
from compiler.language.load import parse as parse_program
from compiler.language.syntax_to_program import Workspace
from compiler.language.syntax_to_text import format_source, format_text
from compiler.language.text_to_syntax import parse
from compiler.language.text_to_tokens import every_token, source_from_text
from compiler.program import Automaton, Machine, Memory, Program, UniversalAutomaton, UniversalMachine
from compiler.program.machine import Action
from compiler.program.properties import Property
from compiler.program.run import Example
from compiler.program.words import KEYWORDS, parse_word, spell, spell_word, unquote

COMMON = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Names that other languages choke on: reserved words, quotes, escapes, layout, combining and composed characters.
ODD = ["left", "else", "where", '"', "\\", "#", "->", "a b", " ", "\n", "\t", "\\n", "\\u{41}", "e\u0301", "\u212b"]
ODD += [
    "\u1100\u1161",
    "٣",
    "0",
    "007",
    "1a",
    "_",
    "/",
    "//",
    "a,b",
    "é",
    "☃",
    "\u200b",
    "\ufeff",
    "\u2028",
    "日本",
    "?",
]
names = st.one_of(st.sampled_from(ODD), st.sampled_from(sorted(KEYWORDS)), st.text(min_size=1, max_size=4))
characters = st.one_of(st.sampled_from([each for each in ODD if len(each) == 1]), st.characters())


def lists(least: int = 1, most: int = 4) -> st.SearchStrategy[tuple[str, ...]]:
    """Distinct names; often all of them single characters, which changes how words are spelled."""
    single = st.lists(characters, min_size=least, max_size=most, unique=True)
    return st.one_of(single, st.lists(names, min_size=least, max_size=most, unique=True)).map(tuple)


def words(symbols: tuple[str, ...], most: int = 5) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(symbols), max_size=most).map(tuple) if symbols else st.just(())


@st.composite
def automata(draw: st.DrawFn) -> Automaton:
    alphabet, states = draw(lists()), draw(lists(most=5))
    moves = {(q, s): draw(st.sampled_from(states)) for q in states for s in alphabet if draw(st.integers(0, 4))}
    output = draw(lists())
    kind = draw(st.sampled_from(["acceptor", "moore", "mealy"]))
    accept = frozenset(draw(st.sets(st.sampled_from(states))))
    moore = {q: draw(st.sampled_from(output)) for q in states} if kind == "moore" else None
    mealy = {move: draw(st.sampled_from(output)) for move in moves} if kind == "mealy" and moves else None
    judged = draw(st.sampled_from([accept, None])) if moore or mealy else accept
    made = Automaton(draw(names), alphabet, states, draw(st.sampled_from(states)), moves, judged, moore, mealy)
    examples = []
    for word in draw(st.lists(words(alphabet), max_size=3)):
        if made.accept is not None:
            examples.append(Example(word, draw(st.sampled_from(["accepts", "rejects"]))))
        if made.is_transducer:
            examples.append(Example(word, "gives", draw(words(made.outputs))))
    return replace(made, examples=tuple(examples), properties=tuple(draw(st.lists(properties(made), max_size=2))))


@st.composite
def properties(draw: st.DrawFn, program: Automaton) -> Property:
    """A property with any name, of a language over what runs of the program show."""
    read, states = program.outputs if program.is_transducer else program.alphabet, draw(lists(most=3))
    moves = {(q, s): draw(st.sampled_from(states)) for q in states for s in read if draw(st.integers(0, 4))}
    accept = frozenset(draw(st.sets(st.sampled_from(states))))
    language = Automaton(draw(names), read, states, draw(st.sampled_from(states)), moves, accept)
    return Property(draw(st.sampled_from(["always", "never"])), language)


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    name, write = draw(names), draw(st.sampled_from(["latest", "first", "sum"]))
    dimensions = draw(st.none() | st.integers(1, 64))
    seed = draw(st.integers(0, 99)) if dimensions else 0
    if draw(st.booleans()):
        sizes = draw(st.integers(1, 64)), draw(st.integers(1, 64))
        return Memory(name, *sizes, write, (), dimensions, seed)
    keys = draw(lists())
    allowed = lists().filter(lambda found: "absent" not in found and (write != "sum" or "+" not in "".join(found)))
    values = draw(allowed)
    pairs = st.tuples(st.sampled_from(keys), st.sampled_from(values))
    made = Memory(name, keys, values, write, tuple(draw(st.lists(pairs, max_size=3))), dimensions, seed)
    requests = draw(st.lists(st.lists(pairs | st.sampled_from(keys), max_size=4), max_size=3))
    promised = [Example(tuple(word), "gives", made.run(tuple(word)).output) for word in requests]
    return replace(made, examples=tuple(promised))


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    gamma, states = draw(lists(most=5)), draw(lists(most=4))
    blank, others = gamma[0], gamma[1:]
    cut = draw(st.integers(0, len(others)))
    alphabet = others[:cut] + ((blank,) if draw(st.booleans()) else ())
    targets = st.sampled_from(
        [*((q, None) for q in states), *((None, stop) for stop in ("accepted", "rejected", "halted"))]
    )
    tape = tuple(dict.fromkeys((blank, *alphabet, *others[cut:])))
    actions = {
        (q, g): Action(draw(st.sampled_from(gamma)), draw(st.integers(-1, 1)), *draw(targets))
        for q in states
        for g in tape
    }
    cells = draw(st.integers(6, 40))
    head, steps = draw(st.integers(0, cells - 6)), draw(st.none() | st.integers(0, 1000))
    made = Machine(draw(names), blank, alphabet, others[cut:], states, states[-1], actions, cells, head, steps)
    examples = []
    for word in draw(st.lists(words(alphabet), max_size=3)):
        examples.append(Example(word, draw(st.sampled_from(["accepts", "rejects", "halts", "overruns"]))))
        examples.append(Example(word, "gives", draw(words(tape))))
    return replace(made, examples=tuple(examples))


bounds = st.integers(1, 100)
universal_automata = st.builds(UniversalAutomaton, names, bounds, bounds)
universal_machines = st.builds(UniversalMachine, names, bounds, bounds, bounds)
programs = st.one_of(automata(), memories(), machines(), universal_automata, universal_machines)


@COMMON
@given(programs)
def test_a_program_survives_its_text(program: Program) -> None:
    read = parse_program(str(program))
    assert read == program
    assert read.examples == program.examples
    if isinstance(program, Automaton):
        assert read.properties == program.properties  # language by language, with their names


@COMMON
@given(automata())
def test_the_minimal_automaton_survives_its_text(program: Automaton) -> None:
    least = program.with_examples(()).minimised()  # false promises may name outputs that are gone
    assert parse_program(str(least)) == least


@COMMON
@given(programs)
def test_text_of_programs_is_in_format(program: Program) -> None:
    assert format_text(str(program)) == str(program)


@COMMON
@given(lists(least=0).flatmap(lambda symbols: st.tuples(st.just(symbols), words(symbols))))
def test_words_survive_their_spelling(case: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    alphabet, word = case
    assert parse_word(spell_word(word, alphabet), alphabet) == word


@COMMON
@given(st.text(max_size=8))
def test_spelling_is_one_token_of_composed_text(symbol: str) -> None:
    spelled = spell(symbol)
    (token,) = every_token(source_from_text(spelled))
    assert (unquote(token[1:-1]) if token.type == "STRING" else token) == symbol


# Source text by its lines, so that a layout can be drawn for it. A clause is a list of tokens.

SOURCES = [
    """automaton parity { alphabet 0, 1
    start accept state even { 0 -> even; 1 -> odd }
    state odd { 0 -> odd; 1 -> even } # odd
    example 0110 accepts; example "" accepts }""",
    """use library::parity
    automaton mirror { alphabet 0, 1; language reverse(ones) & not (/1*/ | concat(/0 1/, star(ones))) - /"01"{2,3}/ }
    automaton ones { alphabet 0, 1; language /[^0]+/ }""",
    """automaton turnstile { alphabet coin, push, "#", "\\\\", "\\u{e9}"
    start state locked { coin -> open emits unlock; else -> locked emits refuse }
    state open { coin -> open emits return_coin; else -> locked emits turn }
    example coin, push, push gives unlock, turn, refuse }""",
    """automaton third { alphabet a, b; start state q0 { a -> q0, q1; b -> q0 }
    state q1 { a, b -> q2 }; state q2 { else -> q3; epsilon -> q0 }; accept state q3 { } }
    automaton light { alphabet tick; start state green emits go { tick -> red }
    state red emits stop { else -> green } }""",
    """memory capitals { keys france, japan, peru; values paris, tokyo, lima; write latest; store japan = tokyo
    example france = paris, france = lima, france, peru gives lima, absent }
    memory dense { keys real 16; values real 16; dimensions 32 seed 7 }""",
    """machine increment { blank _; alphabet 0, 1; cells 16; head 1; steps 99
    start state scan { _ -> left, carry; else -> right }
    state carry { 1 -> write 0, left; 0, _ -> write 1, halt }
    example 0111 gives 1000 }
    universal machine any { states 4; symbols 3; cells 32; example increment(0111) halts }
    universal automaton anyway { states 4; symbols 2 }""",
    """automaton lamp { alphabet push
    start state dark emits off { push -> bright }; state bright emits on { push -> dark }
    always calm & not /on .*/ | some; never twice { start state a { on -> b; off -> a }
    state b { on -> c; else -> a }; accept state c { else -> c } }
    example push gives off, on }
    automaton calm { alphabet on, off; language not /.* on on .*/; always calmer }
    automaton calmer { alphabet on, off; language /.*/ }
    automaton some { alphabet on; language /on*/ }""",
]


def test_the_sources_of_these_tests_are_good() -> None:
    for text in SOURCES:
        Workspace().text(text.replace("use library::parity\n", "")).check_all()


@st.composite
def laid_out(draw: st.DrawFn) -> str:
    """A good source with its layout redrawn: line ends and `;`, blanks, comments, empty lines, broken lists."""
    rng = draw(st.randoms(use_true_random=False))
    text = []
    before = ""
    for token in every_token(source_from_text(draw(st.sampled_from(SOURCES)))):
        if token.type == "BLANKS":
            text.append(rng.choice([" ", "  ", "\t", " \u00a0 "]))
        elif token.type in ("SEMICOLON", "NEWLINE"):
            text.append(rng.choice([";", "\n", " ; ;\n", "\n\n\n  ", " # a; } comment\n", ";# another   \n"]))
        elif token.type == "COMMENT":
            text.append(str(token))
            before = "COMMENT"
            continue
        else:
            text.append(str(token))
            if token.type in ("COMMA", "LBRACE", "VBAR", "AMPERSAND"):
                text.append(rng.choice(["", " ", "\n", " # on\n\t", "\n\n# and on\n\n"]))
        if before == "COMMENT":
            assert text[-1][0] in "\n;# "
            text[-1] = "\n"
        before = ""
    return "".join(text)


@COMMON
@given(laid_out())
def test_formatting_changes_layout_only(text: str) -> None:
    source = source_from_text(text)
    once = format_source(source)
    assert format_text(once) == once
    before, after = parse(source), parse(source_from_text(once))
    assert not before.diagnostics
    assert not after.diagnostics
    assert after.syntax == before.syntax
    assert comments(once) == comments(text)
    assert not any(line != line.rstrip() for line in once.split("\n"))
    assert "\n\n\n" not in once


def comments(text: str) -> list[str]:
    return [str(token).rstrip() for token in every_token(source_from_text(text)) if token.type == "COMMENT"]


PIECES = [
    *sorted(KEYWORDS),
    *'{}()[];,#"/\\=|&-<>:*+?.^\n\t ',
    "->",
    "::",
    "=>",
    "//",
    '""',
    "e\u0301",
    "\u0338",
    "\x00",
]
PIECES += ["9" * 30, "\ufeff", "?"]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good source with a few characters or tokens deleted, inserted, replaced or doubled."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    text = draw(st.sampled_from(SOURCES))
    for _ in range(draw(st.integers(1, 6))):
        if rng.random() < 0.5:
            parts = list(text)
        else:
            parts = [str(token) for token in every_token(source_from_text(text.replace("\x00", "")))]
        at = rng.randrange(len(parts) + 1) if parts else 0
        piece = rng.choice([*PIECES, *(parts or [""])])
        kind = rng.randrange(4)
        parts[at : at + (kind != 0)] = [[piece], [piece], [], parts[at : at + 1] * 2][kind]
        text = "".join(parts)
    return text


@settings(COMMON, max_examples=400)
@given(mutated())
def test_broken_text_is_answered_by_diagnostics(text: str) -> None:
    """Nothing but SourceError and FileError gets out, and every diagnostic points into its text."""
    try:
        module = Workspace().text(text)
    except FileError:
        event("not text")
        return
    reported = diagnostics_of(module.check_all)
    assert reported == tuple(module.errors)
    for each in module.diagnostics:
        assert 0 <= each.span.start <= each.span.end <= len(module.source.text)
        assert each.render().startswith("<text>:")
    assert diagnostics_of(lambda: format_source(module.source)) == parse(module.source).diagnostics


def diagnostics_of(attempt: Callable[[], object]) -> tuple[Diagnostic, ...]:
    try:
        attempt()
    except SourceError as error:
        return error.diagnostics
    return ()


@pytest.mark.parametrize("text", SOURCES)
def test_a_slip_of_one_token_is_told_by_few_messages(text: str) -> None:
    """Without any one token there are at most three messages: recovery does not pile up consequences."""
    parts = [str(token) for token in every_token(source_from_text(text.replace("library::parity", "library::nothing")))]
    known = len(messages("".join(parts)))
    for place in range(len(parts)):
        found = messages("".join(parts[:place] + parts[place + 1 :]))
        most = 6 if parts[place] == "universal" else 3  # without that word every clause is out of place
        assert len(found) - known <= most, (parts[place], place, found)


def messages(text: str) -> list[str]:
    return [each.render() for each in diagnostics_of(Workspace().text(text).check_all)]
