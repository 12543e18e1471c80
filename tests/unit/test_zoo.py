"""The library of programs: every one loads, is formatted and keeps its promises; many against plain Python."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, permutations, product
from math import log

import pytest

import programs
from compiler.language.load import load
from compiler.language.syntax_to_program import Workspace
from compiler.language.syntax_to_text import format_text
from compiler.program import Automaton, Machine, Memory

SHORT_WORDS = 4_000
LONG_WORDS = 200


def words(alphabet: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """All words up to the length of which there are `SHORT_WORDS`, words a^m b^n, and long ones at random."""
    lengths = range(40) if len(alphabet) == 1 else range(int(log(SHORT_WORDS, len(alphabet))) + 1)
    for length in lengths:
        yield from product(alphabet, repeat=length)
    for (a, b), (m, n) in product(permutations(alphabet, 2), product(range(10), repeat=2)):
        yield (a,) * m + (b,) * n
    chance = random.Random(0)
    for _ in range(LONG_WORDS):
        yield tuple(chance.choices(alphabet, k=chance.randint(10, 40)))


def dyck(pairs: Sequence[str], depth: int, *, nested: bool = False) -> Callable[[str], bool]:
    """Balanced and at most `depth` deep: each kind of bracket for itself, or all on one stack (`nested`)."""

    def balanced(word: str) -> bool:
        stacks: dict[str, list[str]] = {}
        for letter in word:
            opener, closer = next(pair for pair in pairs if letter in pair)
            stack = stacks.setdefault("" if nested else opener, [])
            if letter == opener:
                stack.append(closer)
            elif not stack or stack.pop() != letter:
                return False
            if len(stack) > depth:
                return False
        return not any(stacks.values())

    return balanced


def resets(word: str) -> bool:
    """Dyck-1 of depth 4 with resets: between two r a word may be left open, behind the last one it must balance."""
    *parts, last = word.split("r")
    depths = [list(accumulate((1 if letter == "(" else -1 for letter in part), initial=0)) for part in (*parts, last)]
    return all(0 <= depth <= 4 for part in depths for depth in part) and depths[-1][-1] == 0


GROUPS = {
    "s3": (6, {"t": (1, 2), "c": (1, 2, 3)}),
    "a5": (60, {"t": (1, 2, 3), "c": (1, 2, 3, 4, 5)}),
    "s5": (120, {"t": (1, 2), "c": (1, 2, 3, 4, 5)}),
}
"""The order of each group and its letters as cycles."""


def follow(point: int, word: str, group: str) -> int:
    """Where the product of the letters' cycles, the first acting first, takes a point."""
    for letter in word:
        cycle = GROUPS[group][1][letter]
        if point in cycle:
            point = cycle[(cycle.index(point) + 1) % len(cycle)]
    return point


def identity(group: str) -> Callable[[str], bool]:
    return lambda word: all(follow(point, word, group) == point for point in (1, 2, 3, 4, 5))


def odd_ones_then_odd_zeros(word: str) -> bool:
    runs = re.findall("0+|1+", word)
    return "10" in "".join(run[0] for run in runs if len(run) % 2)


def one_comment(word: str) -> bool:
    text = word.replace("slash", "/").replace("star", "*").replace("other", "x")
    return text.startswith("/*") and len(text) >= 4 and text.find("*/", 2) == len(text) - 2


ACCEPTED: dict[str, Callable[[str], bool]] = {
    "parity": lambda w: w.count("1") % 2 == 0,
    "mirror": lambda w: w.count("1") % 2 == 0 and "0" in w,
    "even_a": lambda w: len(w) % 2 == 0,
    "abab_star": lambda w: w == "abab" * (len(w) // 4),
    "mod3": lambda w: w.count("1") % 3 == 0,
    "mod5": lambda w: w.count("1") % 5 == 0,
    "mod7": lambda w: w.count("1") % 7 == 0,
    "mod15": lambda w: w.count("1") % 15 == 0,
    "tomita1": lambda w: "0" not in w,
    "tomita2": lambda w: w == "10" * (len(w) // 2),
    "tomita3": lambda w: not odd_ones_then_odd_zeros(w),
    "tomita4": lambda w: "000" not in w,
    "tomita5": lambda w: w.count("0") % 2 == w.count("1") % 2 == 0,
    "tomita6": lambda w: (w.count("0") - w.count("1")) % 3 == 0,
    "tomita7": lambda w: w.count("10") <= 1,
    "dyck1_depth4": dyck(["()"], 4),
    "dyck1_depth8": dyck(["()"], 8),
    "reset_dyck1": resets,
    "shuffle_dyck": dyck(["()", "[]"], 3),
    "dyck2_depth3": dyck(["()", "[]"], 3, nested=True),
    **{group: identity(group) for group in GROUPS},
    "divisible_by_7": lambda w: int(w or "0", 2) % 7 == 0,
    "third_from_end": lambda w: w[-3:-2] == "a",
    "ends_in_abb": lambda w: w.endswith("abb"),
    "even_pairs": lambda w: (w.count("ab") + w.count("ba")) % 2 == 0,
    "abc_in_order": lambda w: "c" in "".join(w.partition("a")[2]).partition("b")[2],
    "octet": lambda w: w in map(str, range(256)),
    "decimal_number": lambda w: re.fullmatch(r"-?d+(\.d+)?", w) is not None,
    "no_two_alarms": lambda w: "alarmalarm" not in w.replace("tick", ""),
    "c_comment": one_comment,
    "utf8": lambda w: re.fullmatch("(ascii|lead2tail|lead3(tail){2}|lead4(tail){3})*", w) is not None,
}


def bits(number: int, size: int) -> str:
    """The last `size` binary digits of `number`, least first."""
    return "".join(str(number >> place & 1) for place in range(size))


def value(digits: str) -> int:
    """The number that binary digits spell, least first."""
    return int(digits[::-1] or "0", 2)


def numbers(word: Sequence[str]) -> tuple[int, int]:
    """The two numbers that letters such as b10 spell, least bit first."""
    return value("".join(letter[1] for letter in word)), value("".join(letter[2] for letter in word))


def compared(word: Sequence[str]) -> str:
    left, right = numbers(word)
    return "lt" if left < right else "gt" if left > right else "eq"


EMITTED: dict[str, Callable[[Sequence[str]], Sequence[str]]] = {
    "binary_addition": lambda w: bits(sum(numbers(w)), len(w)),
    "times_3": lambda w: bits(3 * value("".join(w)), len(w)),
    "divide_by_3": lambda w: bits(int("".join(w) or "0", 2) // 3, len(w))[::-1],
    "gray_code": lambda w: ["01"[a != b] for a, b in zip(["0", *w[:-1]], w, strict=False)],
    "delay_line": lambda w: ["0", "0", *w][: len(w)],
    "comparator": lambda w: [compared(w[:n]) for n in range(len(w) + 1)],
    "cycle_navigation": lambda w: [str((w[:n].count("forward") - w[:n].count("back")) % 5) for n in range(len(w) + 1)],
    "flip_flop": lambda w: [
        str(int(next((s for s in w[:n][::-1] if s != "hold"), "") == "set")) for n in range(len(w) + 1)
    ],
}

LEFT_ON_TAPE: dict[str, Callable[[str], str | None]] = {  # None: the machine rejects
    "increment": lambda w: f"{int(w or '0', 2) + 1:b}".zfill(len(w)),
    "unary_addition": lambda w: w.replace("+", "") if w.count("+") < 2 else None,
    "as_then_bs": lambda w: "" if w == "a" * (len(w) // 2) + "b" * (len(w) // 2) else None,
    "palindrome": lambda w: "" if w == w[::-1] else None,
}

BEAVERS = [
    ("busy_beaver_2", "1RB1LB_1LA1RH", 6, 4),
    ("busy_beaver_3", "1RB1RH_1LB0RC_1LC1LA", 21, 5),
    ("busy_beaver_3_ones", "1RB1RH_0RC1RB_1LC1LA", 14, 6),
    ("busy_beaver_4", "1RB1LB_1LA0LC_1RH1LD_1RD0RA", 107, 13),
]


@pytest.fixture(params=programs.names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_text(name: str) -> None:
    text = programs.source(name).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert format_text(text) == text


def test_loads_with_no_warning_but_for_missing_rules(name: str) -> None:
    module = Workspace().library(name)
    assert module.check_all()[name] == load(name)
    assert [each.message for each in module.diagnostics if "has no rule for" not in each.message] == []


def test_examples_hold(name: str) -> None:
    program = load(name)
    assert program.name == name
    assert len(program.examples) >= 4 or (isinstance(program, Memory) and isinstance(program.keys, int))
    for example in program.examples:
        run = program.run(example.word, given=example.given) if example.given else program.run(example.word)
        assert example.holds(run), (example, run)


def test_automata_are_many_and_minimal() -> None:
    automata = [load(name) for name in programs.names() if programs.family(name) == "automata"]
    assert len(automata) >= 25
    for automaton in automata:
        assert isinstance(automaton, Automaton)
        assert len(automaton.minimised().states) == len(automaton.states), automaton.name


@pytest.mark.parametrize(("name", "predicate"), ACCEPTED.items(), ids=ACCEPTED)
def test_language(name: str, predicate: Callable[[str], bool]) -> None:
    program = load(name)
    verdicts = set()
    for word in words(program.alphabet):
        expected = predicate("".join(word))
        verdicts.add(expected)
        assert (program.run(word).outcome == "accepted") == expected, word
    assert verdicts == {True, False}


@pytest.mark.parametrize(("name", "order"), [(name, order) for name, (order, _) in GROUPS.items()])
def test_every_transition_of_a_group_multiplies(name: str, order: int) -> None:
    program = load(name)
    assert isinstance(program, Automaton)
    assert program.accept == {program.start} == {"p12345"[: len(program.start)]}
    assert len(program.states) == order
    assert len(program.transitions) == order * len(program.alphabet)
    for (state, letter), target in program.transitions.items():
        assert target == "p" + "".join(str(follow(int(point), letter, name)) for point in state[1:])


@pytest.mark.parametrize(("name", "function"), EMITTED.items(), ids=EMITTED)
def test_transducer(name: str, function: Callable[[Sequence[str]], Sequence[str]]) -> None:
    program = load(name)
    for word in words(program.alphabet):
        assert program.run(word).output == tuple(function(word)), word


@pytest.mark.parametrize(("name", "function"), LEFT_ON_TAPE.items(), ids=LEFT_ON_TAPE)
def test_machine(name: str, function: Callable[[str], str | None]) -> None:
    program = load(name)
    for word in (each for each in words(program.alphabet) if len(each) < 15):
        run, expected = program.run(word, steps=1_000), function("".join(word))
        assert run.outcome in (("rejected",) if expected is None else ("accepted", "halted")), word
        assert expected is None or "".join(run.output) == expected, word


@pytest.mark.parametrize(("name", "table", "steps", "ones"), BEAVERS)
def test_busy_beaver(name: str, table: str, steps: int, ones: int) -> None:
    program = load(name)
    assert isinstance(program, Machine)
    assert program == Machine.from_table(table, cells=program.cells, head=program.head, name=name)
    run = program.run("")
    assert (run.outcome, run.steps, run.output.count("1")) == ("halted", steps, ones)
