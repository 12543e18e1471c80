"""The row-space certificate: do the data determine what the program's rules answer, everywhere it can come?

All minimisers of the squared error agree on Z exactly when H(Z) lies in the row space of the training features. The
configurations of a program span a space that is known (`domain.token_graph`), so the data are certified *for the
program* when their row space contains that span: then every model that fits them best answers alike on every
configuration that the program can reach, at every length. The published certificate (arXiv 2410.10101, section 3: the
smallest eigenvalue of the second-moment matrix is positive) asks for all of R^psi, and runs of programs never have it:
coordinates that never meet make features that are identically zero.

Exact: a "yes" is proved over the integers (`elimination.in_row_space`). A "no" may rest on a rank modulo a prime, so
the certificate can only err on the side of no, with a probability around 2^-60.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.domain.dense_memory_span import check_size, listed
from compiler.domain.token_graph import TokenGraph, token_graph
from compiler.errors import DataError
from compiler.exact import product
from compiler.learning.count_certificate import Certificate, Inputs, certificate_of_counts, input_of
from compiler.learning.dense_memory_by_questions import certificate_by_questions
from compiler.learning.dense_memory_certificate import certificate_of_dense
from compiler.learning.elimination import Integers, in_row_space, rank
from compiler.learning.features import blocks_of
from compiler.learning.moments import SolvedBlock, moments_of, solved_block
from compiler.learning.real_memory_certificate import certificate_of_vectors
from compiler.learning.walk_certificate import certificate_of_walks
from compiler.learning.witness import witness
from compiler.program import Program
from compiler.program_to_rules.automaton import LoweredAutomaton
from compiler.program_to_rules.dense_memory import LoweredDenseMemory
from compiler.program_to_rules.lowering import Lowering, Turn
from compiler.program_to_rules.real_memory import LoweredRealMemory
from compiler.traces.data_set import DataSet
from compiler.traces.fitting import fitting

LoweredByFeatures: TypeAlias = LoweredAutomaton | LoweredRealMemory | LoweredDenseMemory
"""Programs whose certificate is about features; those of others are about token counts."""


def certificate(data: DataSet, lowering: Lowering, solved: Sequence[SolvedBlock]) -> Certificate:
    """The certificate of integer data for a lowered program; `solved`, its eliminated moments, if they are known."""
    found, inputs = _judged(data, lowering, solved)
    return found if found.certified else replace(found, search=lambda: witness(data, lowering, inputs()))


def _judged(data: DataSet, lowering: Lowering, solved: Sequence[SolvedBlock]) -> tuple[Certificate, Inputs]:
    """The certificate without a witness, and the inputs that may be left open."""
    if not isinstance(lowering, LoweredByFeatures):
        return certificate_of_counts(data, lowering)
    if isinstance(lowering, LoweredAutomaton) and (found := certificate_of_walks(data, lowering)) is not None:
        return found, lambda: iter(())
    if isinstance(lowering, LoweredDenseMemory) and not listed(lowering) and lowering.program.write != "first":
        return certificate_by_questions(data, lowering)
    return certificate_of_features(
        lowering, lambda: solved or [solved_block(moments_of(block)) for block in blocks_of(data)]
    )


def certificate_of_features(
    lowering: LoweredByFeatures, solved: Callable[[], Sequence[SolvedBlock]]
) -> tuple[Certificate, Inputs]:
    """The certificate for an automaton or a memory in few dimensions, given the eliminated moments of the features."""
    if isinstance(lowering, LoweredDenseMemory):
        check_size(lowering)
        return certificate_of_dense(solved(), lowering)
    if isinstance(lowering, LoweredRealMemory):
        return certificate_of_vectors(solved(), lowering)
    return _of_walks(solved(), lowering)


def _of_walks(solved: Sequence[SolvedBlock], lowering: LoweredAutomaton) -> tuple[Certificate, Inputs]:
    """The certificate for an automaton, whose span is that of the walks on its token graph, and what is open."""
    graph = token_graph(lowering)
    low, high = np.triu_indices(len(lowering.coordinates))
    met = ((graph.vectors[:, low] != 0) & (graph.vectors[:, high] != 0)).any(axis=0)
    pairs = np.column_stack([low[met], high[met]])
    squares = graph.vectors[:, pairs[:, 0]] * graph.vectors[:, pairs[:, 1]]
    places = _places(solved)
    left_open: list[tuple[str, ...]] = []
    span = 0
    for symbol, last in graph.lasts.items():
        shown, words = _spanning(graph, symbol, squares)
        span += rank(shown)
        inside = np.ones(len(words), dtype=np.bool_)
        for coordinate in np.flatnonzero(graph.vectors[last]).tolist():
            rows = shown * graph.vectors[last, coordinate]
            inside &= _determined(solved, [places.get((coordinate, b, c)) for b, c in pairs.tolist()], rows)
        left_open += [word for word, known in zip(words, inside.tolist(), strict=True) if not known]
    order = {symbol: number for number, symbol in enumerate(graph.lasts)}
    left_open.sort(key=lambda word: (len(word), [order[symbol] for symbol in word]))
    data_rank = sum(len(block.eliminated.pivots) for block in solved)
    found = Certificate(not left_open, data_rank, span, left_open[0] if left_open else None)
    return found, lambda: (input_of(lowering, word, _asked(lowering, word)) for word in left_open)


def _asked(lowering: LoweredAutomaton, word: tuple[str, ...]) -> list[Turn]:
    """The run on a word up to its last symbol, whose answer is wanted."""
    turns = list(lowering.dialogue(word))
    last = max(place for place, (_, answer) in enumerate(turns) if answer is not None)
    return turns[: last + 1]


def _places(solved: Sequence[SolvedBlock]) -> dict[tuple[int, int, int], tuple[int, int]]:
    """Where each live feature (e, b, c) stands: the number of its block, and its place there."""
    return {
        (e, b, c): (number, place)
        for number, block in enumerate(solved)
        for place, (e, b, c) in enumerate(block.moments.index.tolist())
    }


def _spanning(graph: TokenGraph, symbol: str, squares: Integers) -> tuple[Integers, list[tuple[str, ...]]]:
    """What spans the fast weights when `symbol` is last, on pairs of coordinates, and a shortest word for each."""
    words = [(symbol,), *((*graph.words[edge.source], edge.symbol, symbol) for edge in graph.edges)]
    return product(np.vstack([graph.base(symbol)[None], graph.steps]), squares), words


def _determined(
    solved: Sequence[SolvedBlock], places: list[tuple[int, int] | None], rows: Integers
) -> NDArray[np.bool_]:
    """Which `rows` (m, n), over features at `places` (None: never seen), lie in the row space of the data."""
    unseen = [column for column, place in enumerate(places) if place is None]
    inside: NDArray[np.bool_] = ~(rows[:, unseen] != 0).any(axis=1)
    for number, block in enumerate(solved):
        columns = [column for column, place in enumerate(places) if place is not None and place[0] == number]
        if columns:
            full = np.zeros((len(rows), len(block.moments.index)), dtype=rows.dtype)
            full[:, [place[1] for place in places if place is not None and place[0] == number]] = rows[:, columns]
            inside &= in_row_space(block.eliminated, full)
    return inside


def certify(data: DataSet, program: Program) -> Certificate:
    """Whether `data` determine the answers of `program` on every configuration that it can reach.

    Raises
    ------
    DataError
        For real-valued data, data that are not over the program's coordinates, or too many.
    UnsupportedError
        For a family of programs that has no construction.

    >>> from compiler.language.load import load
    >>> from compiler.traces.program_to_traces import generate
    >>> parity = load("parity")
    >>> certify(generate(parity, count=1, lengths=(2, 2)), parity).undetermined
    ('0',)
    """
    if not isinstance(data, DataSet):
        raise DataError(f"certify takes a data set first, not a {type(data).__name__}")
    data = data.integral()
    lowering = fitting(data, program)
    if not data.exact:
        raise DataError(
            "the data are floats; a certificate for a program is exact and takes integer tokens and targets"
        )
    return certificate(data, lowering, ())
