"""Tokens by their coordinates, and random machines, for simulators that share no code with the constructions."""

import random
from collections import Counter
from collections.abc import Iterable

from compiler.program import Machine, UniversalMachine
from compiler.program.machine import Action
from compiler.runtime.stream import Stream

ENDS = {"accepted": "accept", "rejected": "reject", "halted": "halt"}
Token = frozenset[tuple[str, int]]


def token(*added: str, without: Iterable[str] = ()) -> Token:
    """A token by its coordinates."""
    counts = Counter(added)
    counts.subtract(without)
    return frozenset((name, n) for name, n in counts.items() if n)


class Tokens(dict[str, Token]):
    """The tokens of a stream by name, as their coordinates."""

    def __init__(self, stream: Stream) -> None:
        self.vocabulary, self.coordinates = stream.vocabulary, stream.lowering.coordinates

    def __missing__(self, name: str) -> Token:
        places, values = self.vocabulary.entries(self.vocabulary.numbers[name])
        self[name] = frozenset((self.coordinates[p], v) for p, v in zip(places.tolist(), values.tolist(), strict=True))
        return self[name]


def random_machine(rng: random.Random, bounds: UniversalMachine) -> Machine:
    """A machine within the bounds; of its actions few or many stop."""
    states = [f"q{n}" for n in range(rng.randint(1, bounds.states))]
    symbols = "_0123"[: rng.randint(1, bounds.symbols)]
    stops = rng.choice([0.02, 0.1, 0.3])

    def action() -> Action:
        write, move = rng.choice(symbols), rng.choice([-1, 1, 1, 0, -1])
        if rng.random() < stops:
            return Action(write, move, None, rng.choice(["accepted", "rejected", "halted"]))  # type: ignore[arg-type]
        return Action(write, move, rng.choice(states))

    actions = {(q, g): action() for q in states for g in symbols}
    cut, cells = rng.randint(1, len(symbols)), rng.randint(1, bounds.cells)
    alphabet = tuple(symbols[rng.randint(0, 1) * (len(symbols) > 1) :][:cut])
    marks = tuple(symbol for symbol in symbols[1:] if symbol not in alphabet)
    start = rng.choice(states)
    return Machine("random", "_", alphabet, marks, tuple(states), start, actions, cells, rng.randrange(cells))
