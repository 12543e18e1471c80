"""Languages against automata-lib and Python's `re`; machines and memories against simulators of a few lines.

Regular expressions are drawn as trees, so that each of the three readers gets its own spelling, and none is
translated by another.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from itertools import product

import networkx as nx
import pytest
from automata.fa.dfa import DFA
from automata.fa.nfa import NFA

from compiler.program import algebra
from compiler.program.automaton import Automaton
from compiler.program.machine import Action, Machine
from compiler.program.memory import Memory
from compiler.program.regular import from_regex

AB = ("a", "b")
CASES = 1_000
WORDS = ["".join(word) for length in range(7) for word in product(AB, repeat=length)]
Tree = tuple[object, ...]


def tree(rng: random.Random, depth: int) -> Tree:
    """A random regular expression, as a tree."""
    kind = rng.choice(
        ["symbol"] * 3 + ["any", "empty", "class"] if depth == 0 else ["then", "or", "then", "or", "repeat"]
    )
    if kind == "symbol":
        return kind, rng.choice(AB)
    if kind == "class":
        return kind, rng.choice(AB), rng.random() < 0.5
    if kind in ("any", "empty"):
        return (kind,)
    if kind == "repeat":
        least = rng.randrange(3)
        bounds = rng.choice(["*", "+", "?", f"{{{least}}}", f"{{{least},}}", f"{{{least},{least + rng.randrange(3)}}}"])
        return kind, tree(rng, depth - 1), bounds
    return kind, tree(rng, rng.randrange(depth)), tree(rng, depth - 1)


def spelled(node: Tree, empty: str, repeat: Callable[[str, str], str], negated: Callable[[str], str]) -> str:
    """The expression of `node` in the dialect that the last three arguments describe."""
    kind, *rest = node
    if kind == "symbol":
        return str(rest[0])
    if kind == "class":
        return negated(str(rest[0])) if rest[1] else f"[{rest[0]}]" if empty == '""' else str(rest[0])
    if kind == "any":
        return "."
    if kind == "empty":
        return empty
    parts = [spelled(each, empty, repeat, negated) for each in rest if isinstance(each, tuple)]
    if kind == "repeat":
        return repeat(f"({parts[0]})", str(rest[1]))
    return "(" + ("|" if kind == "or" else "").join(parts) + ")"


def other(symbol: str) -> str:
    return "b" if symbol == "a" else "a"


def ours(node: Tree) -> str:
    return spelled(node, '""', lambda inside, bounds: inside + bounds, lambda symbol: f"[^{symbol}]")


def theirs(node: Tree) -> str:
    """automata-lib 9.2 lets x{0} match x once, unlike `re`; so that is spelled as the empty word."""
    return spelled(node, "()", lambda x, bounds: "()" if bounds in ("{0}", "{0,0}") else x + bounds, other)


def as_re(node: Tree) -> str:
    return spelled(node, "(?:)", lambda inside, bounds: f"(?:{inside}){bounds}", lambda symbol: f"[^{symbol}]")


def oracle_dfa(automaton: Automaton) -> DFA:
    """Our automaton as one of automata-lib."""
    assert automaton.accept is not None
    moves: dict[str, dict[str, str]] = {state: {} for state in automaton.states}
    for (state, symbol), target in automaton.transitions.items():
        moves[state][symbol] = target
    return DFA(
        states=set(automaton.states),
        input_symbols=set(automaton.alphabet),
        transitions=moves,
        initial_state=automaton.start,
        final_states=set(automaton.accept),
        allow_partial=True,
    )


def least(dfa: DFA) -> int:
    """The number of states of the least partial automaton, by automata-lib: without the sink, but with a start."""
    return len(dfa.to_complete().minify().to_partial(minify=True).states)


def agree(automaton: Automaton, dfa: DFA) -> None:
    assert oracle_dfa(automaton) == dfa  # automata-lib compares languages
    assert len(automaton.states) == least(dfa)


def nfa(text: str) -> NFA:
    return NFA.from_regex(text, input_symbols=set(AB))


def test_regular_expressions_agree_with_automata_lib() -> None:
    rng = random.Random(20_240)
    compared = 0
    for _ in range(CASES):
        node = tree(rng, rng.randrange(1, 4))
        agree(from_regex(ours(node), AB), DFA.from_nfa(nfa(theirs(node))))
        compared += 1
    assert compared == CASES


def test_regular_expressions_agree_with_re() -> None:
    """Every word up to length 6, by a matcher that backtracks and knows no automata."""
    rng = random.Random(20_241)
    accepted = compared = 0
    for _ in range(300):
        node = tree(rng, rng.randrange(1, 4))
        automaton, pattern = from_regex(ours(node), AB), re.compile(as_re(node))
        for word in WORDS:
            expected = pattern.fullmatch(word) is not None
            assert (automaton.run(word or '""').outcome == "accepted") == expected, (ours(node), word)
            accepted += expected
            compared += 1
    assert compared == 300 * 127
    assert accepted > 1_000


UNARY = {
    "complement": (algebra.complement, lambda a: DFA.from_nfa(a).to_complete().complement()),
    "star": (algebra.star, lambda a: DFA.from_nfa(a.kleene_star())),
    "reverse": (algebra.reverse, lambda a: DFA.from_nfa(a.reverse())),
}
BINARY = {
    "union": (algebra.union, lambda a, b: DFA.from_nfa(a.union(b))),
    "intersection": (algebra.intersection, lambda a, b: DFA.from_nfa(a.intersection(b))),
    "difference": (algebra.difference, lambda a, b: DFA.from_nfa(a).to_complete() - DFA.from_nfa(b).to_complete()),
    "concatenation": (algebra.concatenation, lambda a, b: DFA.from_nfa(a.concatenate(b))),
    "shuffle": (algebra.shuffle, lambda a, b: DFA.from_nfa(a.shuffle_product(b))),
}


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_operations_agree_with_automata_lib(name: str) -> None:
    rng = random.Random(name)
    compared = 0
    for _ in range(CASES // 4):
        nodes = [tree(rng, rng.randrange(1, 3)) for _ in range(1 if name in UNARY else 2)]
        made = [from_regex(ours(node), AB) for node in nodes]
        known = [nfa(theirs(node)) for node in nodes]
        if name in UNARY:
            mine, oracle = UNARY[name]
            agree(mine(*made, AB), oracle(*known))
        else:
            mine, oracle = BINARY[name]
            agree(mine(*made, AB), oracle(*known))
        compared += 1
    assert compared == CASES // 4


def random_automaton(rng: random.Random, size: int) -> Automaton:
    states = tuple(f"s{number}" for number in range(size))
    moves = {(q, s): rng.choice(states) for q in states for s in AB if rng.random() < 0.85}
    accept = frozenset(q for q in states if rng.random() < 0.4)
    return Automaton("random", AB, states, states[0], moves, accept)


def test_minimising_agrees_with_automata_lib() -> None:
    rng = random.Random(20_242)
    for _ in range(CASES):
        automaton = random_automaton(rng, rng.randrange(1, 13))
        agree(automaton.minimised(), oracle_dfa(automaton))


def test_nondeterministic_automata_agree_with_automata_lib() -> None:
    """By way of networkx, with parallel and epsilon edges."""
    rng = random.Random(20_243)
    nondeterministic = 0
    for _ in range(300):
        size = rng.randrange(1, 7)
        graph = nx.MultiDiGraph()
        for node in range(size):
            graph.add_node(node, start=node == 0, accept=rng.random() < 0.4)
        graph.add_edge(0, rng.randrange(size), symbol="a")
        graph.add_edge(0, rng.randrange(size), label="b")
        for _ in range(rng.randrange(3 * size)):
            symbol = rng.choice([*AB, *AB, None])
            graph.add_edge(rng.randrange(size), rng.randrange(size), **({} if symbol is None else {"symbol": symbol}))
        moves: dict[int, dict[str, set[int]]] = {node: {} for node in graph}
        for here, there, data in graph.edges(data=True):
            moves[here].setdefault(data.get("symbol", data.get("label", "")), set()).add(there)
        final = {node for node, data in graph.nodes(data=True) if data["accept"]}
        oracle = NFA(states=set(graph), input_symbols=set(AB), transitions=moves, initial_state=0, final_states=final)
        made = Automaton.from_networkx(graph)
        assert oracle_dfa(made) == DFA.from_nfa(oracle)
        nondeterministic += any("" in each or any(len(to) > 1 for to in each.values()) for each in moves.values())
    assert nondeterministic > 100


Table = dict[tuple[str, str], tuple[str, int, str]]
STOPS = {"accepted": "A", "rejected": "R", "halted": "H"}


def simulate(table: Table, cells: int, head: int, word: str, steps: int) -> tuple[str, str]:
    """A Turing machine on a dict of cells; the states A, R and H stop it."""
    tape = {head + place: symbol for place, symbol in enumerate(word)}
    state = "s0"
    for _ in range(steps):
        write, move, state = table[state, tape.get(head, "_")]
        tape[head] = write
        head += move
        if state in "ARH":
            return {"A": "accepted", "R": "rejected", "H": "halted"}[state], _shown(tape, cells)
        if head not in range(cells):
            return "overran", _shown(tape, cells)
    return "unfinished", _shown(tape, cells)


def _shown(tape: dict[int, str], cells: int) -> str:
    return "".join(tape.get(place, "_") for place in range(cells)).strip("_")


def test_machines_agree_with_a_simulator() -> None:
    rng = random.Random(20_244)
    seen: dict[str, int] = {}
    for _ in range(CASES):
        states = [f"s{number}" for number in range(rng.randrange(1, 5))]
        gamma = ["_", "0", "1", "x"]
        cells = rng.randrange(4, 12)
        head = rng.randrange(cells - 3)
        table = {
            (q, g): (rng.choice(gamma), rng.choice([-1, 0, 1, 1]), rng.choice(states * 2 + ["A", "R", "H"]))
            for q in states
            for g in gamma
        }
        stops = {short: outcome for outcome, short in STOPS.items()}
        actions = {
            place: Action(write, move, None if target in stops else target, stops.get(target))  # type: ignore[arg-type]
            for place, (write, move, target) in table.items()
        }
        machine = Machine("m", "_", ("0", "1"), ("x",), tuple(states), "s0", actions, cells, head)
        word = "".join(rng.choice("01") for _ in range(rng.randrange(4)))
        run = machine.run(word, steps=60)
        assert (run.outcome, "".join(run.output)) == simulate(table, cells, head, word, 60)
        seen[run.outcome] = seen.get(run.outcome, 0) + 1
    assert set(seen) == {"accepted", "rejected", "halted", "overran", "unfinished"}
    assert min(seen.values()) > 20


def test_memories_agree_with_a_dict() -> None:
    rng = random.Random(20_245)
    keys, values = ("k", "l", "m"), ("x", "y", "z")
    answered = 0
    for number in range(CASES):
        write = ("latest", "first", "sum")[number % 3]
        stored = tuple((rng.choice(keys), rng.choice(values)) for _ in range(rng.randrange(3)))
        memory = Memory("m", keys, values, write, stored)  # type: ignore[arg-type]
        word = [(rng.choice(keys), rng.choice(values)) if rng.random() < 0.5 else rng.choice(keys) for _ in range(8)]
        table: dict[str, str] = {}
        expected = []
        for item in [*stored, *word]:
            if isinstance(item, str):
                expected.append("+".join(sorted(table.get(item, ""))) or "absent")
            elif write == "latest":
                table[item[0]] = item[1]
            elif write == "first":
                table.setdefault(item[0], item[1])
            else:
                table[item[0]] = table.get(item[0], "") + item[1]
        assert memory.run(word).output == tuple(expected)
        answered += sum(answer != "absent" for answer in expected)
    assert answered > CASES
