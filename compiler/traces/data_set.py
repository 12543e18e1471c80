"""Data sets: token sequences end to end, with targets at the supervised positions.

>>> data = DataSet.of_arrays(tokens=[[[1.0, 0.0], [0.5, 2.0]]], targets=[[3.0, 1.0]])
>>> data.tokens.shape, data.supervised.tolist()
((2, 2), [False, True])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from compiler.errors import DataError
from compiler.program import Program

LARGEST_DENOMINATOR = 2**31 - 1
"""The greatest denominator of targets."""


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """N sequences of tokens in R^d.

    Attributes
    ----------
    tokens
        (total, d): all sequences end to end, integers or float64.
    offsets
        (N + 1,): sequence i is tokens[offsets[i] : offsets[i + 1]].
    targets
        (total, d): the answer wanted at each position; read only where supervised.
    supervised
        (total,) booleans.
    program
        The program whose runs these are, if they are runs of one.
    denominator
        Targets are to be divided by it: rational answers are integers over one denominator. Above 1 only for integer
        targets.

    Raises
    ------
    DataError
        At construction, with every violation.
    """

    tokens: NDArray[Any]
    offsets: NDArray[np.int64]
    targets: NDArray[Any]
    supervised: NDArray[np.bool_]
    program: Program | None = None
    denominator: int = 1

    def __post_init__(self) -> None:
        if problems := self.violations():
            raise DataError("; ".join(problems[:5]))

    def violations(self) -> list[str]:
        """Everything that is wrong with these data; empty for legal ones."""
        if self.tokens.ndim != 2 or self.tokens.shape != self.targets.shape:
            return [f"tokens {self.tokens.shape} and targets {self.targets.shape} must both have shape (total, d)"]
        total = len(self.tokens)
        found = []
        if self.supervised.shape != (total,) or self.supervised.dtype != np.bool_:
            found.append(f"supervised has shape {self.supervised.shape}, expected {total} booleans")
        for name, array in (("tokens", self.tokens), ("targets", self.targets)):
            if array.dtype.kind not in "if":
                hint = "; convert them with astype(int64)" if array.dtype.kind in "bu" else ""
                found.append(f"{name} have dtype {array.dtype}, expected signed integers or floats{hint}")
            elif array.dtype.kind == "f" and not bool(np.all(np.isfinite(array))):
                row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
                found.append(f"{name} hold NaN or an infinity, first at row {row}")
        below = self.denominator
        if not isinstance(below, int) or isinstance(below, bool) or not 0 < below <= LARGEST_DENOMINATOR:
            found.append(f"denominator is {below!r}, expected a whole number from 1 to {LARGEST_DENOMINATOR:,}")
        elif below > 1 and self.targets.dtype.kind != "i":
            found.append(f"a denominator of {below} is for integer targets, and these have dtype {self.targets.dtype}")
        ends = self.offsets
        rising = ends.ndim == 1 and len(ends) > 0 and ends[0] == 0 and bool(np.all(ends[1:] > ends[:-1]))
        if not rising or ends[-1] != total:
            found.append(f"offsets must rise from 0 to {total}, so that no sequence is empty")
        return found

    @classmethod
    def of_arrays(cls, tokens: ArrayLike, targets: ArrayLike) -> DataSet:
        """Dense data: `tokens` (N, n, d) with `targets` (N, d) for the last position or (N, n, d) for every prefix."""
        z, y = np.asarray(tokens), np.asarray(targets)
        if z.ndim != 3 or y.shape not in (z.shape, (z.shape[0], z.shape[2])) or not z.shape[1]:
            raise DataError(f"tokens {z.shape} and targets {y.shape}: expected (N, n, d) with (N, d) or (N, n, d)")
        count, n, d = z.shape
        every = y.ndim == 3
        wanted = y.reshape(-1, d) if every else np.zeros((count * n, d), dtype=y.dtype)
        supervised = np.full(count * n, every)
        if not every:
            wanted[n - 1 :: n] = y
            supervised[n - 1 :: n] = True
        return cls(z.reshape(-1, d), np.arange(count + 1, dtype=np.int64) * n, wanted, supervised)

    @property
    def d(self) -> int:
        """The dimension of the tokens."""
        return int(self.tokens.shape[1])

    @property
    def samples(self) -> int:
        """The number of supervised positions."""
        return int(self.supervised.sum())

    @property
    def exact(self) -> bool:
        """Whether everything is an integer, so that learning is exact."""
        return self.tokens.dtype.kind == "i" and self.targets.dtype.kind == "i"

    def types(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The distinct tokens (T, d) in the order in which they come, and the number of each position's, (total,)."""
        numbers: dict[bytes, int] = {}
        firsts: list[int] = []
        places = np.empty(len(self.tokens), dtype=np.int64)
        for row, token in enumerate(np.ascontiguousarray(self.tokens)):
            places[row] = numbers.setdefault(token.tobytes(), len(firsts))
            if places[row] == len(firsts):
                firsts.append(row)
        return self.tokens[firsts], places

    def integral(self) -> DataSet:
        """The same data as integers where every number is one (floats: whole and below 2^53), else as they are."""
        arrays = (self.tokens, self.targets)
        if self.exact or not all(bool(np.all((np.abs(a) < 2.0**53) & (a == np.rint(a)))) for a in arrays):
            return self
        tokens, targets = (array.astype(np.int64) for array in arrays)
        return replace(self, tokens=tokens, targets=targets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def sequences(self) -> Iterator[slice]:
        """The rows of each sequence."""
        for start, end in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True):
            yield slice(start, end)
