"""Moments as ``.npz`` files of numpy arrays, without pickles. The format is defined in docs/files.md."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compiler.errors import DataError, FileError
from compiler.files.arrays import Arrays, about, denominator_of, program_of, read_arrays, stored, text_of, write_arrays
from compiler.learning.real.moments import RealMoments, Shape
from compiler.learning.sums.counts import CountMoments
from compiler.learning.sums.data_moments import DataMoments
from compiler.learning.sums.pairs import PairMoments

FORMAT = 1
HEAD = ("moments", "digest", "shard", "sequences", "program", "denominator")
COUNTS = ("types", "lasts", "gram", "cross", "energy", "peaks", "held")
PAIRS = ("coordinates", "pairs", "products", "cross", "energy", "samples", "unanswered", "peaks")
ARRAYS = tuple(dict.fromkeys((*HEAD, *COUNTS, *PAIRS)))
SPLIT = ("products", "cross", "peaks")
"""Of pair moments, what has several rows a class."""
DIGEST = re.compile("[0-9a-f]{64}")
INTEGER = re.compile("0|-?[1-9][0-9]*")


def save_moments(moments: DataMoments, path: str | Path) -> None:
    """Write `moments` to `path`, whole or not at all: the same bytes for the same moments. Raises FileError."""
    sums = moments.sums
    arrays = {
        "moments": np.array(FORMAT, dtype="<i8"),
        "digest": np.array(moments.digest, dtype="<U"),
        "shard": np.array(moments.shard, dtype="<i8"),
        "sequences": np.array(moments.sequences, dtype="<i8"),
    } | about(moments.program, moments.denominator)
    if isinstance(sums, CountMoments):
        arrays |= {name: stored(getattr(sums, name)) for name in COUNTS}
    else:
        arrays |= {name: stored(array) for name, array in _arrays_of_pairs(sums).items()}
    write_arrays(path, arrays, plain=[name for name, array in arrays.items() if array.dtype.kind == "f"])


def load_moments(path: str | Path) -> DataMoments:
    """The moments at `path`; nothing in the file is executed.

    Raises
    ------
    FileError
        For a file that cannot be read or is not in the format.
    DataError
        For arrays that do not fit together.
    """
    return read_arrays(path, "a file of moments", ARRAYS, _moments)


def _moments(arrays: Arrays) -> DataMoments:
    kind = COUNTS if "types" in arrays else PAIRS
    optional = ("program", "denominator") if kind is COUNTS else ("program", "denominator", "peaks")
    for name in (*HEAD, *kind):
        if name not in arrays and name not in optional:
            raise FileError(f"not a file of moments: it has no array {name!r}")
    if extra := [name for name in arrays if name not in HEAD and name not in kind]:
        raise FileError(f"not a file of moments: {extra[0]!r} has no place beside {kind[0]!r}")
    if (version := _numbers(arrays, "moments", ())) != FORMAT:
        raise FileError(f"moments of format {version}; this version reads format {FORMAT}")
    digest = text_of(arrays["digest"], "digest")
    if not DIGEST.fullmatch(digest):
        raise FileError("the digest of the data is no SHA-256 in small hexadecimal digits")
    i, n = _numbers(arrays, "shard", (2,)).tolist()
    begin, end, total = _numbers(arrays, "sequences", (3,)).tolist()
    return DataMoments(
        CountMoments(**{name: _values(arrays, name) for name in COUNTS}) if kind is COUNTS else _pair_moments(arrays),
        digest,
        (i, n),
        (begin, end, total),
        program_of(arrays["program"]) if "program" in arrays else None,
        denominator_of(arrays["denominator"]) if "denominator" in arrays else 1,
    )


def _values(arrays: Arrays, name: str) -> NDArray[Any]:
    """Integers as int64 or, where they are texts, as Python's; floats as float64. Raises DataError."""
    array = arrays[name]
    if array.dtype.kind == "U":
        texts = array.ravel().tolist()
        if wrong := [text for text in texts if not INTEGER.fullmatch(text)]:
            raise DataError(f"{name} hold {wrong[0][:40]!r}, which is no integer")
        return np.array([int(text) for text in texts], dtype=object).reshape(array.shape)
    if array.dtype.kind not in "if":
        raise DataError(f"{name} have dtype {array.dtype}, expected signed integers, floats or decimal texts")
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)


def _numbers(arrays: Arrays, name: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Integers of this shape that fit into 64 bits. Raises DataError."""
    array = arrays[name]
    if array.dtype.kind != "i" or array.shape != shape:
        raise DataError(f"{name} is {array.dtype} {array.shape}, expected signed integers {shape}")
    return array.astype(np.int64)


def _arrays_of_pairs(sums: PairMoments) -> dict[str, NDArray[Any]]:
    """The arrays of pair moments, class after class."""
    dtype = np.dtype(np.int64 if sums.exact else np.float64)
    classes, pairs = sums.classes, sums.classes[0].shape.pairs if sums.classes else np.zeros((0, 2), dtype=np.int64)
    coordinates = np.full(sums.d, -1, dtype=np.int64)
    for number, each in enumerate(classes):
        coordinates[each.shape.coordinates] = number
    count = len(pairs)
    arrays = {
        "coordinates": coordinates,
        "pairs": pairs,
        "products": _stacked([each.products for each in classes], (count * (count + 1) // 2,), dtype),
        "cross": _stacked([each.cross.reshape(-1, count, sums.d) for each in classes], (count, sums.d), dtype),
        "energy": _stacked([each.energy[None] for each in classes], (sums.d,), dtype),
        "samples": np.array([*(each.samples for each in classes), sums.samples], dtype=np.int64),
        "unanswered": np.array(sums.unanswered, dtype=object if sums.exact else dtype),
    }
    return arrays | (
        {"peaks": _stacked([each.reshape(-1, count) for each in sums.peaks], (count,), dtype)} if sums.exact else {}
    )


def _stacked(parts: list[NDArray[Any]], shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate([np.zeros((0, *shape), dtype=dtype), *parts])


def _pair_moments(arrays: Arrays) -> PairMoments:
    """Pair moments from arrays that stand class after class. Raises DataError."""
    coordinates, pairs = _coordinates(arrays), _pairs(arrays)
    d, count = len(arrays["coordinates"]), len(pairs)
    if pairs.size and int(pairs.max()) >= d:
        raise DataError(f"pairs have a coordinate {int(pairs.max())}, and there are {d}")
    sizes = [len(each) for each in coordinates]
    rows = [size * (size + 1) // 2 for size in sizes]
    shapes = {
        "products": (sum(rows), count * (count + 1) // 2),
        "cross": (sum(sizes), count, d),
        "energy": (len(sizes), d),
        "samples": (len(sizes) + 1,),
        "unanswered": (),
        "peaks": (sum(sizes), count),
    }
    values = {name: _values(arrays, name) for name in shapes if name in arrays}
    for name, array in values.items():
        if array.shape != shapes[name]:
            raise DataError(f"{name} have shape {array.shape}, expected {shapes[name]}")
    parts = {name: _split(values[name], rows if name == "products" else sizes) for name in SPLIT if name in values}
    samples = values["samples"].tolist()
    classes = tuple(
        RealMoments(Shape(mine, pairs), products, cross.reshape(-1, d), energy, number)
        for mine, products, cross, energy, number in zip(
            coordinates, parts["products"], parts["cross"], values["energy"], samples[:-1], strict=True
        )
    )
    peaks = tuple(each.reshape(-1) for each in parts.get("peaks", ()))
    return PairMoments(d, classes, peaks, samples[-1], values["unanswered"].tolist(), "peaks" in values)


def _split(array: NDArray[Any], sizes: list[int]) -> list[NDArray[Any]]:
    """So many rows after so many rows."""
    ends = np.cumsum([0, *sizes]).tolist()
    return [array[begin:end] for begin, end in pairwise(ends)]


def _coordinates(arrays: Arrays) -> list[NDArray[np.int64]]:
    """The coordinates of each class. Raises DataError."""
    numbers = arrays["coordinates"]
    if numbers.ndim != 1 or not len(numbers) or numbers.dtype.kind != "i":
        raise DataError(f"coordinates are {numbers.dtype} {numbers.shape}, expected integers (d,)")
    classes = np.unique(numbers[numbers != -1])
    if not np.array_equal(classes, np.arange(len(classes))):
        raise DataError("coordinates do not number classes from 0, or -1 for none")
    return [np.flatnonzero(numbers == number) for number in classes.tolist()]


def _pairs(arrays: Arrays) -> NDArray[np.int64]:
    """The pairs (b, c), b <= c. Raises DataError."""
    pairs = arrays["pairs"]
    if pairs.dtype.kind != "i" or pairs.ndim != 2 or pairs.shape[1] != 2:
        raise DataError(f"pairs are {pairs.dtype} {pairs.shape}, expected integers (L, 2)")
    listed = pairs.tolist()
    if any(not 0 <= b <= c for b, c in listed) or any(not left < right for left, right in pairwise(listed)):
        raise DataError("pairs (b, c) do not ascend, or b is not from 0 to c")
    return pairs.astype(np.int64)
