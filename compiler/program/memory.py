"""Associative memories: requests to write a value under a key, and to ask for it.

Over named keys and values the meaning is a table; `write` says what a second write to a key does: ``latest``
replaces, ``first`` is ignored, ``sum`` adds (the answer then names every value written, in the order of the
declaration, with repetitions, joined by ``+``). A key that was never written answers ``absent``. With
``dimensions`` the keys are embedded in fewer coordinates than there are keys; the table is still the meaning.

Over real keys and values (``keys real n``) the meaning is linear attention itself: a query q is answered by
sum_j <q, k_j> v_j over the pairs given so far (arXiv 2410.10101, section on associative memories).

>>> m = Memory("m", ("a", "b"), ("x", "y"))
>>> m.run((("a", "x"), ("a", "y"), "a", "b")).output
('y', 'absent')
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from compiler.errors import ProgramError, UnsupportedError, WordError
from compiler.program.run import Example, Item, Run
from compiler.program.words import parse_requests, shorten, unknown_symbol, unspeakable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

ABSENT = "absent"
"""The answer to a key that was never written."""

Write: TypeAlias = Literal["latest", "first", "sum"]


@dataclass(frozen=True, slots=True)
class Memory:
    """An associative memory.

    Attributes
    ----------
    keys, values
        The names of keys and values in order; or one number each, the dimensions of real vectors.
    write
        What a second write to a key does.
    stored
        Pairs that are in the memory from the start.
    dimensions, seed
        Embed the keys as random vectors of so many dimensions; None keeps them orthogonal.

    Raises
    ------
    ProgramError
        At construction, with every violation.
    """

    name: str
    keys: tuple[str, ...] | int
    values: tuple[str, ...] | int
    write: Write = "latest"
    stored: tuple[tuple[str, str], ...] = ()
    dimensions: int | None = None
    seed: int = 0
    examples: tuple[Example, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        problems = self.violations()
        if problems:
            raise ProgramError(f"memory {self.name}: " + "; ".join(problems))

    def violations(self) -> list[str]:
        """Everything that is wrong with this value; empty for a legal memory."""
        if isinstance(self.keys, int) or isinstance(self.values, int):
            mixed = not (isinstance(self.keys, int) and isinstance(self.values, int))
            found = ["keys and values must both be named or both be real"] * mixed
            found += ["a real memory stores nothing"] * bool(self.stored)
            sizes = [size for size in (self.keys, self.values) if isinstance(size, int)]
            found += ["vectors have at least one dimension"] * any(size < 1 for size in sizes)
            return unspeakable(self.name) + found + self._embedding_violations()
        found = unspeakable(self.name) + self._embedding_violations()
        if self.write not in get_args(Write):
            found.append(f"write is {self.write!r}, and not one of {', '.join(get_args(Write))}")
        for what, names in (("keys", self.keys), ("values", self.values)):
            if not names or len(set(names)) != len(names) or "" in names:
                found.append(f"its {what} are missing, empty or declared twice")
        if self.write == "sum" and any("+" in value for value in self.values):
            found.append("its answers join values by '+', so with write 'sum' no value may hold it")
        if ABSENT in self.values:
            found.append(f"{ABSENT!r} is the answer for a missing key and cannot be a value")
        found += [
            f"it stores {k} = {v}, which are not a key and a value"
            for k, v in self.stored
            if k not in self.keys or v not in self.values
        ]
        return found

    def _embedding_violations(self) -> list[str]:
        if self.dimensions is None:
            return ["a seed needs dimensions"] * (self.seed != 0)
        found = ["an embedding has at least one dimension"] * (self.dimensions < 1)
        return found + ["a seed is at least 0"] * (self.seed < 0)

    @property
    def kind(self) -> str:
        """The keyword of the language: ``memory``."""
        return "memory"

    def word(self, word: str | Iterable[Item]) -> tuple[Item, ...]:
        """`word` as requests: (key, value) writes, a bare key asks. Raises WordError, UnsupportedError."""
        if isinstance(self.keys, int) or isinstance(self.values, int):
            raise UnsupportedError(
                f"memory {self.name} holds real vectors, which have no spelling as a word; give arrays to `recall`"
            )
        items: list[Item] = []
        keys, values = frozenset(self.keys), frozenset(self.values)
        for place, item in enumerate(_requests(word) if isinstance(word, str) else word):
            if isinstance(item, str):
                _check_name("key", item, place, self.keys, keys)
                items.append(item)
            elif isinstance(item, tuple | list) and len(item) == 2:
                key, value = item
                _check_name("key", key, place, self.keys, keys)
                _check_name("value", value, place, self.values, values)
                items.append((key, value))
            else:
                raise WordError(f"cannot read the request {item!r}: expected a key, or a pair of a key and a value")
        return tuple(items)

    def run(self, word: str | Iterable[Item]) -> Run:
        """Answer the requests of `word` in order: the reference interpreter. Raises WordError, UnsupportedError."""
        requests = self.word(word)
        table: dict[str, list[str]] = {}
        answers = []
        for item in (*self.stored, *requests):
            if isinstance(item, str):
                answers.append(self._spelled(table.get(item, [])))
            elif self.write == "latest" or item[0] not in table:
                table[item[0]] = [item[1]]
            elif self.write == "sum":
                table[item[0]].append(item[1])
        return Run(requests, "answered", tuple(answers), len(requests))

    def _spelled(self, found: list[str]) -> str:
        order = self.values if isinstance(self.values, tuple) else ()
        return "+".join(sorted(found, key=order.index)) or ABSENT

    def recall(self, keys: ArrayLike, values: ArrayLike, query: ArrayLike) -> NDArray[np.float64]:
        """The answer of a real memory: sum_j <query, keys_j> values_j, for keys (m, n), values (m, p), query (n,).

        The sum is over the stored pairs alone: a query token that carries no value adds nothing for itself.
        """
        import numpy as np

        k, v, q = (np.asarray(each, dtype=np.float64) for each in (keys, values, query))
        answer: NDArray[np.float64] = (k @ q) @ v
        return answer

    def __str__(self) -> str:
        from compiler.program.program_to_text import memory_to_text

        return memory_to_text(self)


def _check_name(what: str, name: object, place: int, names: Sequence[str], known: frozenset[str]) -> None:
    """Raises WordError for what is no key, or no value, in the request at `place`."""
    if not isinstance(name, str):
        raise WordError(f"{what} {name!r} at position {place} is a {type(name).__name__}; {what}s are texts")
    if name not in known:
        raise WordError(unknown_symbol(name, place, names, what=what, among=f"among the {what}s"))


def _requests(text: str) -> Sequence[Item]:
    """The requests that a string spells: ``k = v`` or ``k``, separated by commas."""
    if text.strip() in ("", '""'):
        return ()
    found: list[Item] = []
    for sides in parse_requests(text):
        if len(sides) > 2 or "" in sides:
            shown = shorten(" = ".join(sides))
            raise WordError(f"cannot read the request {shown!r}: expected a key, or key = value")
        found.append(sides[0] if len(sides) == 1 else (sides[0], sides[1]))
    return found
