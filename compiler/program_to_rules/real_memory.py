"""Memories over real keys and values to rules: linear attention itself.

Statement
    Let a memory have keys in R^n and values in R^p. One head answers, at the last of the tokens [k_1; v_1] .. [k_m;
    v_m],

        y = [0; sum over all j of <k_m, k_j> v_j],

    with the last token among them. So a query q is the token [q; 0]: its own value is zero and adds nothing, and the
    answer to it, over the pairs given so far, is what the memory means, sum_j <q, k_j> v_j.

Coordinates
    key[i], i < n; value[a], a < p. d = n + p.

Rules
    last has key[i]:  {key[i], value[a]}: value[a] += 1

Proof
    S[key i, value a] = sum_j k_j[i] v_j[a], so y[value a] = sum_i S[key i, value a] z_m[key i]
    = sum_j (sum_i k_j[i] k_m[i]) v_j[a], and no rule adds to a key. As a head: V = [[0, 0], [0, I]] takes the values,
    Q = [[I, 0], [0, 0]] the keys. Integers in, integers out, exactly.

The self term
    A token attends to itself. If the last token has a value w of its own, the answer holds |q|^2 w as well: data whose
    last token carries a value must be labelled by the layer, not by sum_j <q, k_j> v_j over the others.

No words
    Keys and values are numbers, not names, so there is no vocabulary and no dialogue: the model answers arrays,
    `model.answer(Z)` for tokens Z (m, n + p) as rows. Nothing is ever overwritten: keys that are not orthogonal add.

Source
    arXiv 2410.10101, the lemma that linear attention is an associative memory. Tokens are columns there, rows here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from compiler.errors import UnsupportedError
from compiler.program.memory import Memory
from compiler.program.run import Item, Outcome
from compiler.program_to_rules.lowering import Lowering, Turn
from compiler.rules import Form
from compiler.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class LoweredRealMemory(Lowering):
    """A memory over real vectors as a layer. Everything that speaks of words raises UnsupportedError."""

    program: Memory

    def word(self, word: str | Iterable[Any]) -> tuple[Any, ...]:
        """Raises UnsupportedError."""
        self._wordless(word)

    def items(self) -> Sequence[Any]:
        """Raises UnsupportedError."""
        self._wordless()

    def inputs(self, word: Sequence[Item]) -> Iterable[str]:
        """Raises UnsupportedError."""
        self._wordless(word)

    def dialogue(self, word: Sequence[Item], limit: int | None = None) -> Iterable[Turn]:
        """Raises UnsupportedError."""
        self._wordless(word, limit)

    def said(self, question: str | None, answer: NDArray[Any]) -> tuple[str, ...]:
        """Raises UnsupportedError."""
        self._wordless(question, answer)

    def outcome(self, last: NDArray[Any]) -> Outcome:
        """Raises UnsupportedError."""
        self._wordless(last)

    def _wordless(self, *given: object) -> NoReturn:
        del given
        n, p = self.program.keys, self.program.values
        raise UnsupportedError(
            f"memory {self.program.name} has no words: its keys and values are real vectors. Ask its model by arrays: "
            f"model.answer(Z), where a row of Z is a key ({n} numbers) and its value ({p} numbers), and the last row "
            "is the query with the value zero; program.recall(keys, values, query) is the same without a model, and "
            "key_value_task makes data"
        )


def real_memory_to_rules(program: Memory) -> LoweredRealMemory:
    """The construction that the module's docstring states and proves.

    Raises
    ------
    UnsupportedError
        For a memory of names, and for one with dimensions: an embedding would change the inner products of the keys.
    """
    n, p = program.keys, program.values
    if not isinstance(n, int) or not isinstance(p, int):
        raise UnsupportedError(f"memory {program.name} has named keys; `lower` knows its construction")
    if program.dimensions is not None:
        raise UnsupportedError(
            f"memory {program.name} has real keys, which are vectors already; embedded in {program.dimensions} random "
            "dimensions they would have other inner products, and the answers would be others. Leave `dimensions` out"
        )
    keys, values = [f"key[{i}]" for i in range(n)], [f"value[{a}]" for a in range(p)]
    rules = [(value, key, value, key, 1) for key in keys for value in values]
    none = np.zeros(0, dtype=np.int8)
    return LoweredRealMemory(program, Form.of((*keys, *values), rules), Vocabulary.joined((), n + p, []), none, none)
