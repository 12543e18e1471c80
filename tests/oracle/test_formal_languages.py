"""The formal languages against automata-lib: finite automata from expressions, and automata with a stack."""

import pytest
from automata.fa.nfa import NFA
from automata.pda.dpda import DPDA
from hypothesis import given
from hypothesis import strategies as st

from compiler.formal.tasks import TASKS

EXPRESSIONS = {"parity": "(0*10*10*)*|0*", "(aa)*": "(aa)*", "(abab)*": "(abab)*"}
LANGUAGES = {
    name: NFA.from_regex(expression, input_symbols=set(TASKS[name].alphabet))
    for name, expression in EXPRESSIONS.items()
}
STACKS = {
    "a^n b^n": {
        "start": {"a": {"$": ("up", ("o", "$"))}},
        "up": {"a": {"o": ("up", ("o", "o"))}, "b": {"o": ("down", "")}},
        "down": {"b": {"o": ("down", "")}, "": {"$": ("end", "$")}},
    },
    "Dyck-1": {
        "start": {"(": {"$": ("up", ("o", "$"))}},
        "up": {"(": {"o": ("up", ("o", "o"))}, ")": {"o": ("up", "")}, "": {"$": ("start", "$")}},
    },
}
LANGUAGES |= {
    name: DPDA(
        states={"start", "up", "down", "end"},
        input_symbols=set(TASKS[name].alphabet),
        stack_symbols={"$", "o"},
        transitions=moves,
        initial_state="start",
        initial_stack_symbol="$",
        final_states={"start", "end"},
        acceptance_mode="final_state",
    )
    for name, moves in STACKS.items()
}


BEGINNINGS = ("", "abab", "aaabbb", "(())()", "0110", "aa")


@pytest.mark.parametrize("name", LANGUAGES)
@given(data=st.data())
def test_labels_are_what_automata_accept(name: str, data: st.DataObject) -> None:
    task, language = TASKS[name], LANGUAGES[name]
    likely = st.sampled_from([each for each in BEGINNINGS if set(each) <= set(task.alphabet)])
    text = data.draw(st.builds(str.__add__, likely, st.text(task.alphabet, min_size=1, max_size=12)))
    labels = task.labels(task.letters(text))
    assert [language.accepts_input(text[:end]) for end in range(1, len(text) + 1)] == labels.tolist()
