"""Models: the heads of one layer of linear attention with the names of its coordinates and tokens.

>>> from compiler.language.load import load
>>> from compiler.program_to_model import compile
>>> model = compile(load("parity"))
>>> model.V.shape, model.run("0110").outcome
((2, 6, 6), 'accepted')
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from compiler.attention import Head, Sparse, attention, mass
from compiler.errors import ModelError
from compiler.exact import largest
from compiler.heads_to_rules import MOST_RULES, heads_to_rules, live_rules, products
from compiler.program import Program
from compiler.program.run import Run
from compiler.rules import Form, Weights
from compiler.vocabulary import Vocabulary

if TYPE_CHECKING:
    from compiler.runtime.recurrent import Memory

Decode = Literal["nearest", "raw"]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """One layer of linear attention, y = sum_h V_h S Q_h z_n, with names.

    Attributes
    ----------
    coordinates
        The names of the d coordinates, in order.
    heads
        The heads; each has a name and two d x d matrices, kept sparse.
    tokens
        The vocabulary: name -> embedding (d,). Any mapping may be given; it is kept sparse.
    program
        The program that the model claims to be; a claim, which `verify` decides.
    """

    coordinates: tuple[str, ...]
    heads: tuple[Head, ...]
    tokens: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    program: Program | None = None

    def __post_init__(self) -> None:
        if problems := self.violations():
            raise ModelError("; ".join(problems[:5]))
        object.__setattr__(self, "tokens", Vocabulary.of(self.tokens, self.d))

    def violations(self) -> list[str]:
        """Everything that is wrong with this model; empty for a legal one."""
        d = len(self.coordinates)
        found = ["two coordinates have the same name"] if len(set(self.coordinates)) != d else []
        found += ["a model needs at least one coordinate"] if not d else []
        for head in self.heads:
            for which, matrix in (("V", head.V), ("Q", head.Q)):
                found += [f"{which} of head {head.name!r} has {problem}" for problem in matrix.violations(d)]
        return found

    @property
    def vocabulary(self) -> Vocabulary:
        """`tokens` as what they are kept in."""
        return Vocabulary.of(self.tokens, self.d)

    @classmethod
    def from_arrays(
        cls,
        V: ArrayLike,
        Q: ArrayLike,
        *,
        coordinates: Iterable[str] | None = None,
        tokens: Mapping[str, NDArray[Any]] | None = None,
        program: Program | None = None,
        names: Iterable[str] | None = None,
    ) -> Model:
        """A model from dense weights V and Q, (heads, d, d); coordinates are called x[0], x[1], ... unless named.

        Raises
        ------
        ModelError
            For shapes that do not fit, dtypes that are not numbers, NaN and infinities.
        """
        v, q = np.asarray(V), np.asarray(Q)
        if v.ndim != 3 or v.shape != q.shape or v.shape[1] != v.shape[2]:
            raise ModelError(f"V has shape {v.shape} and Q {q.shape}, expected (heads, d, d) for both")
        if v.dtype.kind not in "iufO" or q.dtype.kind not in "iufO":
            raise ModelError(f"V has dtype {v.dtype} and Q {q.dtype}, expected integers, rationals or floats")
        kinds = {"f": np.float64, "i": np.int64, "u": object, "O": object}
        v, q = (each.astype(kinds[each.dtype.kind]) for each in (v, q))
        d = v.shape[1]
        called = tuple(coordinates) if coordinates is not None else tuple(f"x[{n}]" for n in range(d))
        if len(called) != d:
            raise ModelError(f"{len(called)} coordinates are named, but the weights have {d}")
        labels = list(names) if names is not None else [f"head {n}" for n in range(len(v))]
        heads = tuple(Head(labels[n], Sparse.of(v[n]), Sparse.of(q[n])) for n in range(len(v)))
        return cls(called, heads, tokens or {}, program)

    @property
    def d(self) -> int:
        """The dimension."""
        return len(self.coordinates)

    @property
    def V(self) -> NDArray[Any]:
        """The OV circuits, (H, d, d)."""
        return self._dense([head.V for head in self.heads])

    @property
    def Q(self) -> NDArray[Any]:
        """The QK circuits, key and query fused, (H, d, d): y = sum_h V_h S Q_h z."""
        return self._dense([head.Q for head in self.heads])

    def _dense(self, matrices: list[Sparse]) -> NDArray[Any]:
        if not matrices:
            return np.zeros((0, self.d, self.d), dtype=np.int64)
        return np.stack([matrix.dense(self.d) for matrix in matrices])

    @property
    def exact(self) -> bool:
        """Whether all weights are integers or rationals rather than floats."""
        return all(matrix.weights.dtype.kind != "f" for head in self.heads for matrix in (head.V, head.Q))

    @property
    def rules(self) -> Form:
        """The rules that the heads add up to: the same for all heads of the same function.

        Raises ModelError for heads of more than 50 million products; see `live_rules`.
        """
        if products(self.heads) > MOST_RULES:
            raise ModelError(
                f"the heads have {products(self.heads):,} products, too many to list as rules; "
                "`live_rules` are those that its own tokens can bring to bear"
            )
        return heads_to_rules(self.heads, self.coordinates)

    @property
    def live_rules(self) -> Form:
        """The rules that read a pair {b, c} which some token of the vocabulary has: all that its runs depend on.

        Without a vocabulary any vector may be a token, so all rules are live. Raises ModelError as `rules` does, then.
        """
        if not len(self.vocabulary):
            return self.rules
        return live_rules(self.heads, self.coordinates, self.vocabulary.pairs())

    def entries(self) -> Weights:
        """The distinct non-zero weights of V and Q, sorted."""
        parts = [matrix.weights for head in self.heads for matrix in (head.V, head.Q)]
        return np.unique(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)

    def answer(self, Z: ArrayLike) -> NDArray[Any]:
        """The answer (d,) at the last of the tokens Z (n, d), by the definition. Raises ModelError."""
        return attention(self.V, self.Q, self._tokens(Z))

    def answers(self, Z: ArrayLike) -> NDArray[Any]:
        """The answers (n, d) at every prefix of Z (n, d), in the attention form. Raises ModelError."""
        z, v, q = self._tokens(Z), self.V, self.Q
        return np.stack([attention(v, q, z[: n + 1]) for n in range(len(z))])

    def by_head(self, Z: ArrayLike) -> NDArray[Any]:
        """What each head adds at every prefix of Z (n, d): (n, H, d); sums over heads to `answers`."""
        z, v, q = self._tokens(Z), self.V, self.Q
        each = [[attention(v[h : h + 1], q[h : h + 1], z[: n + 1]) for h in range(len(v))] for n in range(len(z))]
        return np.array(each).reshape(len(z), len(v), self.d)

    def _tokens(self, Z: ArrayLike) -> NDArray[Any]:
        """`Z` as tokens; integers are widened to Python's where an answer might pass 63 bits."""
        z = np.asarray(Z)
        if z.ndim != 2 or z.shape[1] != self.d or not len(z) or z.dtype.kind not in "biufO":
            raise ModelError(
                f"tokens are {z.dtype} {z.shape}, expected numbers (n, {self.d}) with n >= 1, a token a row"
            )
        if z.dtype.kind not in "biu":
            return z
        peak = largest(z.astype(object) if z.dtype.kind == "u" else z.astype(np.int64))
        return z.astype(object if (peak + 1) ** 3 * len(z) * mass(self.heads) >= 2**62 else np.int64)

    def step(self, S: Memory | None, z: ArrayLike) -> tuple[Memory, NDArray[Any]]:
        """The recurrent form: the fast weights S (d, d) (None: zero) after the token z (d,), and the answer (d,)."""
        from compiler.runtime.recurrent import Recurrent

        before = np.zeros((self.d, self.d), dtype=np.int64) if S is None else np.array(S)
        layer = Recurrent(self.heads, before)
        answer = layer.feed(self._tokens(np.asarray(z)[None])[0])
        return layer.memory, answer

    def run(
        self,
        word: str | Iterable[Any],
        *,
        given: Program | None = None,
        decode: Decode = "nearest",
        max_tokens: int = 10_000_000,
    ) -> Run:
        """Run the model on a word of its program, its answers fed back as tokens.

        Every token, every answer and all of S are kept, so this is for runs that one wants to look at; `Stream` is for
        long ones. A model of more than 8,192 coordinates is run as a stream, without them.

        Parameters
        ----------
        given
            What a universal program is to run; the word is one of this program.
        decode
            ``nearest`` feeds back the nearest token of the vocabulary, ``raw`` the answer as it is.
        max_tokens
            The most tokens, inputs and answers; a run that needs more is cut there, with the outcome ``unfinished``.

        Raises
        ------
        ModelError
            For a model without a program, or where two tokens are equally near to an answer.
        WordError
            For a word that is not over the program's alphabet.
        UnsupportedError
            For a program `given` that exceeds the bounds, to one that is not universal, or missing.
        """
        from compiler.runtime.run import LARGEST_D, run
        from compiler.runtime.stream import Stream

        if self.d <= LARGEST_D or decode == "raw":
            return run(self, word, given=given, decode=decode, max_tokens=max_tokens)
        running = Stream(self).start(word, given=given, max_tokens=max_tokens)
        while running.advance():
            pass
        ended = running.result()
        return Run(running.lowering.word(word), ended.outcome, ended.output, ended.steps)

    def digest(self) -> str:
        """SHA-256 over coordinates, exact weights and embeddings: the same for the same model, however it is stored."""
        heads = [[_entries(head.V), _entries(head.Q)] for head in self.heads]
        words = self.vocabulary
        entries = list(map(list, zip(words.places.tolist(), _spelled(words.values_of_entries), strict=True)))
        ends, numbers = words.ends.tolist(), words.numbers
        tokens = [[name, entries[ends[numbers[name]] : ends[numbers[name] + 1]]] for name in sorted(words)]
        body = json.dumps([self.coordinates, heads, tokens], separators=(",", ":"))
        return hashlib.sha256(body.encode()).hexdigest()


def _spelled(values: Weights) -> list[str]:
    """The exact values, as fractions in lowest terms."""
    return list(map(str, values.tolist() if values.dtype.kind == "i" else map(Fraction, values.tolist())))


def _entries(matrix: Sparse) -> list[tuple[int, int, str]]:
    """The non-zero entries in order: row, column, and the exact weight."""
    kept = np.flatnonzero(matrix.weights != 0)
    weights = _spelled(matrix.weights[kept])
    return sorted(zip(matrix.rows[kept].tolist(), matrix.columns[kept].tolist(), weights, strict=True))
