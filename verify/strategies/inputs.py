"""Words of programs: symbols for automata, machines and grammars, requests for memories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from compiler.errors import UnsupportedError
from compiler.program import Automaton, Grammar, Machine, Memory, Program
from compiler.program.run import Word

P = TypeVar("P", bound=Program)


def words(alphabet: Sequence[str], *, max_size: int = 20) -> st.SearchStrategy[tuple[str, ...]]:
    """Words over `alphabet` of at most `max_size` symbols; shrinks to shorter words of earlier symbols."""
    if not alphabet:
        return st.just(())
    return st.lists(st.sampled_from(list(alphabet)), max_size=max_size).map(tuple)


def requests(memory: Memory, *, max_size: int = 20) -> st.SearchStrategy[Word]:
    """Words of `memory`: keys that ask and pairs (key, value) that write; shrinks to shorter words with fewer pairs.

    Raises UnsupportedError for a memory of real vectors, which has no words.

    >>> from hypothesis import find, settings
    >>> fixed = settings(derandomize=True, database=None)
    >>> table = Memory("table", ("a",), ("x", "y"))
    >>> find(requests(table), lambda word: "y" in table.run(word).output, settings=fixed)
    (('a', 'y'), 'a')
    """
    if isinstance(memory.keys, int) or isinstance(memory.values, int):
        raise UnsupportedError(f"memory {memory.name} holds real vectors, so it has no words; draw arrays instead")
    keys = st.sampled_from(memory.keys)
    return st.lists(keys | st.tuples(keys, st.sampled_from(memory.values)), max_size=max_size).map(tuple)


def sentences(grammar: Grammar, *, max_size: int = 20) -> st.SearchStrategy[tuple[str, ...]]:
    """Words over the alphabet of `grammar`, most symbols of which its parser goes on with.

    >>> from hypothesis import find, settings
    >>> fixed = settings(derandomize=True, database=None)
    >>> nested = Grammar("nested", ("(", ")"), "S", {"S": (("(", "S", ")"), ())}, 5)
    >>> find(sentences(nested), lambda word: word and nested.run(word).outcome == "accepted", settings=fixed)
    ('(', ')')
    """
    choices = st.tuples(st.integers(0, 2**16), st.integers(0, 4))
    return st.lists(choices, max_size=max_size).map(lambda drawn: _walk(grammar, drawn))


def _walk(grammar: Grammar, choices: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """The word of some choices among the symbols that the parser goes on with; with a 4 among all symbols."""
    word: list[str] = []
    stack: list[str] | None = [grammar.start]
    for choice, any_symbol in choices:
        after = {} if stack is None else {each: grammar.after(stack, each) for each in grammar.alphabet}
        listed = [each for each, left in after.items() if left is not None or any_symbol == 4] or grammar.alphabet
        word.append(listed[choice % len(listed)])
        stack = after.get(word[-1])
    return tuple(word)


def inputs(program: Program, *, max_size: int = 20) -> st.SearchStrategy[tuple[Any, ...]]:
    """Words that `program` can be run on, of at most `max_size` symbols or requests; those of machines fit on the tape.

    Raises UnsupportedError for a memory of real vectors, and for a universal program, which is run on the words of
    the program that it is given: draw `inputs` of that.
    """
    if isinstance(program, Memory):
        return requests(program, max_size=max_size)
    if isinstance(program, Machine):
        return words(program.alphabet, max_size=min(max_size, program.cells - program.head))
    if isinstance(program, Grammar):
        return sentences(program, max_size=max_size)
    if isinstance(program, Automaton):
        return words(program.alphabet, max_size=max_size)
    raise UnsupportedError(f"{program.kind} {program.name} has no words of its own; draw inputs of what it is given")


def runs_of(programs: st.SearchStrategy[P], *, max_size: int = 20) -> st.SearchStrategy[tuple[P, tuple[Any, ...]]]:
    """Pairs of a program that `programs` draws and a word that it can be run on; see `inputs`.

    >>> from hypothesis import find, settings
    >>> from verify.strategies.programs import automata
    >>> fixed = settings(derandomize=True, database=None)
    >>> program, word = find(runs_of(automata()), lambda run: run[0].run(run[1]).outcome == "accepted", settings=fixed)
    >>> program.states, word
    (('q0',), ())
    """
    return programs.flatmap(lambda program: st.tuples(st.just(program), inputs(program, max_size=max_size)))
