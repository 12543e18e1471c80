"""Properties of programs against brute force: every word up to a length, run by the reference interpreter."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.errors import ProgramError
from compiler.language.load import load, parse
from compiler.language.syntax_to_program import Workspace
from compiler.program.automaton import Automaton
from compiler.program.properties import Property, least_violation
from verify.strategies import automata

LONGEST = 6


def words(program: Automaton, longest: int = LONGEST):
    """All words up to a length, by length and then in the order of the alphabet."""
    return chain.from_iterable(product(program.alphabet, repeat=length) for length in range(longest + 1))


def violates(program: Automaton, claim: Property, word) -> bool:
    """What a property means, said once more: by the run, and by the run of the property on what it shows."""
    run = program.run(word)
    if not program.is_transducer and run.outcome != "accepted":
        return False
    shown = run.output if program.is_transducer else word
    accepted = all(symbol in claim.language.alphabet for symbol in shown) and claim.language.run(shown).outcome
    return (accepted == "accepted") != (claim.kind == "always")


@st.composite
def claimed(draw: st.DrawFn, **options) -> tuple[Automaton, Property]:
    """An automaton and a property over some of what its runs show."""
    program = draw(automata(max_states=4, **options))
    shown = program.outputs if program.is_transducer else program.alphabet
    letters = tuple(draw(st.lists(st.sampled_from(shown), min_size=1, unique=True)))
    states = tuple(f"p{number}" for number in range(draw(st.integers(1, 3))))
    moves = {(q, s): draw(st.sampled_from(states)) for q in states for s in letters if draw(st.integers(0, 5))}
    accept = frozenset(q for q in states if draw(st.integers(0, 3)))
    return program, Property(
        draw(st.sampled_from(["always", "never"])), Automaton("p", letters, states, "p0", moves, accept)
    )


@settings(max_examples=400)
@given(claimed(), st.integers(0, LONGEST))
def test_the_least_violation_is_that_of_brute_force(case, up_to: int) -> None:
    program, claim = case
    least = next((word for word in words(program) if violates(program, claim, word)), None)
    found = least_violation(program, claim)
    assert least == (found if found is not None and len(found) <= LONGEST else None)
    assert least_violation(program, claim, up_to=up_to) == (
        least if least is not None and len(least) <= up_to else None
    )
    if found is not None:
        assert violates(program, claim, found)
        assert not claim.holds(program, program.run(found))


@given(claimed())
def test_properties_survive_minimisation(case) -> None:
    program, claim = case
    least = replace(program, properties=(claim,)).minimised()
    if least.is_transducer == program.is_transducer:
        assert least.properties == (claim.over(least.shown),)
        assert least_violation(least, claim) == least_violation(program, claim)
        assert least_violation(least, parse(str(least)).properties[0]) == least_violation(program, claim)


@pytest.mark.parametrize(
    ("clause", "word"),
    [
        ("always /.*/", None),
        ("never /red .*/", ()),
        ("always not /.* green green .*/", ("b", "a")),
        ("never /.* green green/", ("b", "a")),
        ("never greens", ("b",)),
        ("always red_first", None),
        (
            "never two { start state p { green -> q; else -> p }; state q { green -> r }; accept state r { } }",
            "ba",
        ),
    ],
)
def test_clauses_mean_what_they_say(clause: str, word) -> None:
    program = load_text(clause)
    (claim,) = program.properties
    assert least_violation(program, claim) == (None if word is None else tuple(word))


def load_text(clause: str) -> Automaton:
    text = f"""automaton light {{ alphabet a, b
      start state q emits red {{ a -> q; b -> r }}; state r emits green {{ a -> r; b -> q }}
      {clause} }}
    automaton greens {{ alphabet red, green; language /red? green+/ }}
    automaton red_first {{ alphabet red, green; language /red .*/ }}"""
    return Workspace().text(text).check_all()["light"]


def test_a_property_of_an_acceptor_speaks_of_accepted_words() -> None:
    program = parse("automaton a { alphabet 0, 1; language /0*1/; always /.*1/; never /1/; always /.{2,}/ | /0/ }")
    assert [least_violation(program, claim) for claim in program.properties] == [None, ("1",), ("1",)]


def test_properties_say_nothing_about_what_an_automaton_does() -> None:
    bare = parse("automaton a { alphabet 0, 1; language /0*1/ }")
    assert bare == parse("automaton a { alphabet 0, 1; language /0*1/; always /.*1/ }")
    assert bare.properties == ()
    assert "always" not in str(bare)


def test_a_property_about_what_is_never_shown_is_illegal() -> None:
    program, language = load("turnstile"), parse("automaton coins { alphabet push, coin; language /coin*/ }")
    with pytest.raises(ProgramError, match="its property never coins is about 'coin', which it never emits"):
        replace(program, properties=(Property("never", language),))
    with pytest.raises(ProgramError, match="is about 'push', which it never reads"):
        replace(parse("automaton a { alphabet coin; language /.*/ }"), properties=(Property("always", language),))


def test_a_transducer_that_judges_nothing_is_no_property() -> None:
    with pytest.raises(ProgramError, match="accepts nothing"):
        Property("always", load("turnstile"))


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("/red/&(greens  |  red_first)", "/red/ & (greens | red_first)"),
        ("not (greens - /red/) - red_first", "not (greens - /red/) - red_first"),
        ("/red/ - (greens - red_first)", "/red/ - (greens - red_first)"),
        ('not not concat("greens", star(/red/ | /green/))', "not not concat(greens, star(/red/ | /green/))"),
    ],
)
def test_a_property_is_called_by_an_expression_that_means_it(written: str, called: str) -> None:
    (claim,) = load_text(f"always {written}").properties
    assert str(claim) == f"always {called}"
    assert load_text(str(claim)).properties == (claim,)
