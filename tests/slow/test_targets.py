"""The library on all targets of the fast-weight family, and word problems of groups for a million tokens."""

from collections import Counter

import numpy as np
import pytest

import attnc
import programs
from compiler.fastweight.automata.transitions import transitions
from compiler.fastweight.kernels.runs import started
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.stack import PIECE
from compiler.fastweight.target import TARGETS

NAMES = [name for name in programs.names() if programs.family(name) in ("automata", "memories")]


def words(program, length: int):
    """A random word; for automata one that keeps away from states that are never left."""
    rng = np.random.default_rng(0)
    if isinstance(program, attnc.Memory):
        requests = [*((key, value) for key in program.keys for value in program.values), *program.keys]
        return [requests[number] for number in rng.integers(0, len(requests), length)]
    given = transitions(program)
    stays = [all(move[state] == state for move in given.moves) for state in range(given.size)]
    word, state = [], given.start
    for _ in range(length):
        lively = [a for a, move in enumerate(given.moves) if not stays[move[state]]]
        letter = int(rng.choice(lively or range(len(given.moves))))
        word.append(program.alphabet[letter])
        state = given.moves[letter][state]
    return word


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", NAMES)
def test_every_pair_is_compiled_or_explained(name: str, target) -> None:
    program = attnc.load(name)
    if not attnc.explain(program, target).expressible:
        assert len(attnc.explain(program, target).reason) > 40
        return
    model = attnc.compile_to(program, target)
    if isinstance(model.core, LinearTransformer):
        return  # a layer over real vectors: tests/property/test_fastweight_memories.py
    word = words(program, 2_000)
    for length in (0, 1, 50, 2_000):
        assert model.run(word[:length]) == program.run(word[:length])


def test_how_many_pairs_there_are_of_each_kind() -> None:
    found = {
        target: Counter(attnc.explain(attnc.load(name), target).expressible for name in NAMES) for target in TARGETS
    }
    assert {target: tuple(each[said] for said in (True, False, None)) for target, each in found.items()} == {
        "linear": (18, 39, 0),
        "delta": (34, 23, 0),
        "deltaproduct": (56, 1, 0),
        "recurrent-delta": (56, 1, 0),
        "srwm": (56, 1, 0),
    }


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ["s5", "a5"])
def test_a_million_tokens_of_a_group(name: str, precision) -> None:
    program = attnc.load(name)
    given, stack = transitions(program), attnc.compile_to(program, "deltaproduct").core
    word, state, expected = np.random.default_rng(1).integers(0, len(given.letters), 1_000_000), given.start, []
    for letter in word.tolist():
        expected.append(given.shown[state][letter])
        state = given.moves[letter][state]
    assert list(stack.run(word, precision=precision))[1:] == expected


@pytest.mark.parametrize("target", ["linear", "deltaproduct", "recurrent-delta", "srwm"])
@pytest.mark.parametrize("name", ["votes", "sightings"])
def test_a_million_requests_are_counted(name: str, target) -> None:
    core = attnc.compile_to(attnc.load(name), target).core
    keys, values = core.stored.shape
    word = np.random.default_rng(2).integers(0, len(core.letters), 1_000_000)
    seen = np.zeros(keys * values, dtype=np.int64)
    running = started(core.layer, core.embedded, "float32")
    running.feed(np.zeros(1, dtype=np.int64))
    for begin in range(0, len(word), PIECE):
        piece = word[begin : begin + PIECE]
        after = seen + (piece[:, None] == np.arange(keys * values)).cumsum(axis=0)
        asked = np.flatnonzero(piece >= keys * values)
        expected = after.reshape(-1, keys, values)[asked, piece[asked] - keys * values]
        assert np.array_equal(core.counted(1 + piece, running.feed(1 + piece), "float32"), expected)
        seen = after[-1]
