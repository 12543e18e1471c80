"""Data to rules, part by part: the first of several ways that finds them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from compiler.errors import DataError
from compiler.exact import times
from compiler.learning.by_letters import parts_by_letters
from compiler.learning.by_questions import parts_by_questions
from compiler.learning.features import Block, blocks_of
from compiler.learning.moments import moments_of, solved_block
from compiler.learning.parts import Found, exact_part, float_part, reasonable
from compiler.learning.reading import Part, parts_by_reading
from compiler.learning.real.least_squares import least_squares, variance
from compiler.learning.real.ridge import cross_validated_ridge
from compiler.traces.data_set import DataSet


def found_in_data(data: DataSet, ridge: float | Literal["cv"], memory: int) -> Found:
    """The rules that fit `data` best: exactly, if they are integers and no ridge is wanted. Raises DataError."""
    if not data.samples:
        raise DataError("no position is supervised, so there is nothing to learn from")
    unanswered = _unanswered(data)
    if data.exact and ridge == 0:
        parts = parts_by_reading(data) or parts_by_letters(data) or parts_by_questions(data)
        if parts is not None:
            return Found(parts, unanswered, True, [], [])
        blocks = blocks_of(data)
        solved = [solved_block(moments_of(block)) for block in blocks]
        parts = [exact_part(each) for each in solved]
        parts = [part if reasonable(part) else _rounded(block) for part, block in zip(parts, blocks, strict=True)]
        return Found(parts, unanswered, True, solved, [])
    size = cross_validated_ridge(data, memory=memory) if ridge == "cv" else float(ridge)
    fitted = least_squares(data, memory=memory, ridge=size)
    return Found([float_part(each) for each in fitted], unanswered, False, [], fitted, size)


def _unanswered(data: DataSet) -> int | float:
    wanted = data.targets[data.supervised & ~(data.tokens != 0).any(axis=1)]
    return int(times(wanted, wanted).astype(object).sum()) if data.exact else float(np.square(wanted).sum())


def _rounded(block: Block) -> Part:
    """The rules of a block of integer data in floats."""
    design, targets = block.design.astype(np.float64), block.targets.astype(np.float64)
    weights, _, rank, singular = np.linalg.lstsq(design, targets, rcond=None)
    error = float(np.square(design @ weights - targets).sum())
    rows, columns = np.nonzero(weights)
    places = np.column_stack([block.index[rows], columns])
    spread = variance(error, len(design), int(rank)) * float(np.sum(1 / np.square(singular[:rank])))
    return Part(places, weights[rows, columns], len(block.index), int(rank), error, spread)
