"""The library's Turing machines against a simulator that is written anew, and against plain Python functions.

The simulator's tape has no ends: leaving the cells of a machine is something it notices, not something it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import programs
from compiler.language.load import load
from compiler.program.machine import Machine

Tape = dict[int, str]
LIMIT = 1_000_000


def shown(tape: Tape, blank: str, start: int) -> str:
    """The tape from `start` on, without the blanks at both ends."""
    return "".join(tape.get(place, blank) for place in range(start, max(tape, default=start) + 1)).strip(blank)


def simulate(
    program: Machine, word: str, *, limit: int = LIMIT, seen: Callable[[str, int, Tape], bool] | None = None
) -> tuple[str, str, int]:
    """Outcome, output and steps; `seen` is shown state, head and tape before each step, and stops the run by True."""
    tape = {program.head + place: symbol for place, symbol in enumerate(word)}
    state, head, outcome, steps = program.start, program.head, "unfinished", 0
    while outcome == "unfinished" and steps < limit and not (seen and seen(state, head, tape)):
        action = program.actions[state, tape.get(head, program.blank)]
        tape[head] = action.write
        head += action.move
        steps += 1
        if action.target is None:
            outcome = str(action.stop)
        elif head not in range(program.cells):
            outcome = "overran"
        else:
            state = action.target
    return outcome, shown(tape, program.blank, min(tape, default=0)), steps


def number(digits: str) -> int:
    """The number that binary digits spell, greatest bit first."""
    return int(digits or "0", 2)


def add_binary(word: str) -> str | None:
    """The sum, as wide as the wider number at least."""
    left, plus, right = word.partition("+")
    width = max(len(left), len(right))
    total = f"{number(left) + number(right):b}".zfill(width) if width and "+" not in right else ""
    return total if plus and "+" not in right else None


def balanced(word: str) -> bool:
    """Whether nothing is left once innermost pairs are taken out again and again."""
    while (less := word.replace("()", "").replace("[]", "")) != word:
        word = less
    return not word


COMPUTED: dict[str, Callable[[str], str | None]] = {  # what is left on the tape on halting; None: the machine rejects
    "increment": lambda w: f"{number(w) + 1:b}".zfill(len(w)),
    "decrement": lambda w: f"{number(w) - 1:b}".zfill(len(w)) if number(w) else None,
    "add_binary": add_binary,
    "unary_addition": lambda w: "1" * w.count("1") if w.count("+") <= 1 else None,
    "unary_multiplication": lambda w: "1" * (w.find("*") * w[::-1].find("*")) if w.count("*") == 1 else None,
    "collatz_step": lambda w: f"{3 * number(w) + 1:b}".zfill(len(w)) if number(w) % 2 else w[:-1],
    "copy": lambda w: f"{w}:{w}",
    "reverse": lambda w: w[::-1],
    "sort_bits": lambda w: "".join(sorted(w)),
}
DECIDED: dict[str, Callable[[str], bool]] = {
    "as_then_bs": lambda w: w == "a" * (len(w) // 2) + "b" * (len(w) // 2),
    "palindrome": lambda w: w == w[::-1],
    "anbncn": lambda w: w == "".join(letter * (len(w) // 3) for letter in "abc"),
    "brackets": balanced,
}
BEAVERS = {  # in the standard notation; steps and symbols that are not blank, from the blank tape
    "busy_beaver_2": ("1RB1LB_1LA1RH", 6, 4),
    "busy_beaver_3": ("1RB1RH_1LB0RC_1LC1LA", 21, 5),
    "busy_beaver_3_ones": ("1RB1RH_0RC1RB_1LC1LA", 14, 6),
    "busy_beaver_4": ("1RB1LB_1LA0LC_1RH1LD_1RD0RA", 107, 13),
    "busy_beaver_5": ("1RB1LC_1RC1RB_1RD0LE_1LA1LD_1RH0LA", 47_176_870, 4_098),
    "busy_beaver_2_3": ("1RB2LB1RH_2LA2RB1LB", 38, 9),
}
BITS, ONES = st.text("01", max_size=12), st.integers(0, 7).map("1".__mul__)
LIKELY: dict[str, st.SearchStrategy[str]] = {  # words that a random choice of letters would hardly find
    "add_binary": st.builds("{}+{}".format, BITS, BITS),
    "unary_addition": st.builds("{}+{}".format, ONES, ONES),
    "unary_multiplication": st.builds("{}*{}".format, ONES, ONES),
    "as_then_bs": st.integers(0, 8).map(lambda n: "a" * n + "b" * n),
    "anbncn": st.integers(0, 6).map(lambda n: "a" * n + "b" * n + "c" * n),
    "palindrome": st.builds(lambda w, odd: w + w[::-1][odd:], st.text("ab", max_size=8), st.booleans()),
    "brackets": st.recursive(
        st.just(""), lambda x: st.builds("({}){}".format, x, x) | st.builds("[{}]{}".format, x, x)
    ),
}


@cache
def machine(name: str, *, cells: int | None = None, head: int | None = None) -> Machine:
    """The library's machine of that name, on another tape where one is given."""
    found = load(name)
    assert isinstance(found, Machine)
    return replace(found, cells=cells or found.cells, head=found.head if head is None else head)


def short_words(alphabet: Sequence[str], count: int) -> Iterator[str]:
    """All words, length by length while a length has at most `count` of them."""
    length = 0
    while len(alphabet) ** length <= count:
        yield from map("".join, product(alphabet, repeat=length))
        length += 1


def check(program: Machine, word: str, *, limit: int = LIMIT) -> tuple[str, str, int]:
    """The run of the interpreter, once the simulator agrees on all of it."""
    run = program.run(tuple(word), steps=limit)
    found = run.outcome, "".join(run.output), run.steps
    assert found == simulate(program, word, limit=limit), (program.name, word)
    return found


def meets_its_specification(name: str, word: str) -> None:
    """On a wide tape the machine does what it should; on its own, and on a narrow one, it does the same or overruns."""
    expected = check(machine(name, cells=600, head=200), word)
    if name in DECIDED:
        assert expected[0] == ("accepted" if DECIDED[name](word) else "rejected"), word
    else:
        output = COMPUTED[name](word)
        assert expected[0] == "rejected" if output is None else expected[:2] == ("halted", output), word
    for cells in (None, 9):
        program = machine(name, cells=cells)
        if len(word) <= program.cells - program.head:
            run = check(program, word)
            assert run == expected or run[0] == "overran", word
            assert run == expected or cells or len(word) > 4, f"{word} should fit"


def test_every_machine_is_here() -> None:
    """A machine that joins the library needs a specification."""
    named = {name for name in programs.names() if programs.family(name) == "machines"}
    assert named == {*COMPUTED, *DECIDED, *BEAVERS, "rogozhin_4_6"}


@pytest.mark.parametrize("name", [*COMPUTED, *DECIDED])
def test_short_words(name: str) -> None:
    """All of them, up to a length."""
    for word in short_words(machine(name).alphabet, 3_000):
        meets_its_specification(name, word)


@pytest.mark.parametrize("name", [*COMPUTED, *DECIDED])
@given(data=st.data())
def test_random_words(name: str, data: st.DataObject) -> None:
    """Longer than the machine's own tape at times."""
    letters = st.text(machine(name).alphabet, max_size=24)
    meets_its_specification(name, data.draw(letters | LIKELY[name] if name in LIKELY else letters))


def notation(program: Machine) -> str:
    """The standard notation of a machine all of whose stops halt."""
    rows = [[program.actions[state, symbol] for symbol in program.symbols] for state in program.states]
    return "_".join("".join(f"{a.write}{'L?R'[a.move + 1]}{a.target or 'H'}" for a in row) for row in rows)


@pytest.mark.parametrize("name", BEAVERS)
def test_busy_beavers(name: str) -> None:
    """Steps and marks from the blank tape are the known ones (five states take too long for here)."""
    program, (table, steps, marks) = machine(name), BEAVERS[name]
    assert notation(program) == table
    runs = {word: check(program, word, limit=10_000) for word in short_words(program.alphabet, 64)}
    assert [run[0] for run in runs.values()].count("halted") > len(runs) // 2
    outcome, output, taken = runs[""]
    found = outcome, taken, len(output) - output.count("0")
    assert found == ("halted", steps, marks) if steps < 10_000 else outcome == "unfinished"


Rules = list[list[int]]  # the words P(1), .., P(n); the letter n + 1 stops
HALVING = [[2, 2, 3], [2, 2]]


def tag(rules: Rules, word: list[int], count: int) -> tuple[list[list[int]], bool]:
    """The first `count` words of a 2-tag system, and whether it stopped: the last is then what a stop letter left."""
    words = [word]
    while len(words) < count and word[0] <= len(rules):
        word = word[2:] + rules[word[0] - 1]
        words.append(word)
    stopped = len(words) < count
    return words + [word[2:]] * stopped, stopped


def encoded(rules: Rules, word: list[int], code: list[str]) -> str:
    """The tape of a tag system as the comment in the program's file describes it."""
    spelled = ["".join(f">{code[each - 1]}>" for each in rule[:0:-1]) for rule in rules]
    rows = [f">1{row}>{code[-2][len(own) :]}" for row, own in zip(spelled, code, strict=False)]
    return "<>" + "".join(rows[::-1]) + ">c" + "c".join(code[letter - 1] for letter in word)


def simulated(rules: Rules, word: list[int], count: int, cells: int | None = None) -> tuple[list[list[int]], bool]:
    """The same by Rogozhin's machine, read off its tape, where the interpreter runs it to the end too."""
    code = ["1" * (1 + 2 * sum(map(len, rules[:letter]))) for letter in range(len(rules) + 1)]
    program, start, found = machine("rogozhin_4_6", cells=cells), encoded(rules, word, code), list[list[int]]()

    def seen(state: str, head: int, tape: Tape) -> bool:
        if (state, tape.get(head)) == ("q3", "c"):
            found.append([code.index(each) + 1 for each in shown(tape, "0", head + 1).split("c")])
        return len(found) == count

    run = simulate(program, start, seen=seen)
    if run[0] == "halted":
        assert check(program, start) == run
        *last, stop = [code.index(each) + 1 for each in run[1].split("c")[1:]]
        assert stop == len(rules) + 1
        found.append(last)
    return found, run[0] == "halted"


@st.composite
def tag_systems(draw: st.DrawFn) -> tuple[Rules, list[int]]:
    """Systems of Rogozhin's class: P(n) = nn, and each other word begins with nn and goes on."""
    n = draw(st.integers(1, 3))
    rest = st.lists(st.integers(1, n + 1), min_size=1, max_size=2)
    rules = [[n, n, *draw(rest)] for _ in range(n - 1)] + [[n, n]]
    return rules, draw(st.lists(st.integers(1, n + 1), min_size=2, max_size=4))


@given(tag_systems())
def test_rogozhins_machine_simulates_tag_systems(system: tuple[Rules, list[int]]) -> None:
    """The words on its tape are those of the tag system, one after the other, and it halts where that does."""
    assert simulated(*system, 6, cells=4_000) == tag(*system, 6)


@pytest.mark.parametrize("size", range(2, 8))
def test_rogozhins_machine_halves(size: int) -> None:
    """The tag system of the examples, which counts pairs: as many stop letters are on the tape in the end."""
    words, halted = simulated(HALVING, [1] * size, 100, cells=400)
    assert (words, True) == (words, halted) == tag(HALVING, [1] * size, 100)
    assert words[-1].count(3) + 1 == size // 2
    assert simulated(HALVING, [1] * size, 100)[1] == (size <= 4)  # on the machine's own tape
