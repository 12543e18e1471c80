"""The certificate for real memories: the features of every query lie in the row space of the data.

The configurations of a real memory span Sym(d) (x) R^n, and `domain.real_memory_span` has a basis of inputs. Each is
asked for in its block of the data: "yes" is proved over the integers (`elimination.in_row_space`). Any other input
lies in their span, so data that determine these determine all, at every length.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.domain.real_memory_span import Probe, probes, queries, span
from compiler.learning.count_certificate import Certificate, Inputs
from compiler.learning.elimination import in_row_space
from compiler.learning.moments import SolvedBlock
from compiler.learning.witness import Input
from compiler.program_to_rules.real_memory import LoweredRealMemory


def certificate_of_vectors(solved: Sequence[SolvedBlock], lowering: LoweredRealMemory) -> tuple[Certificate, Inputs]:
    """The certificate of integer data, given the eliminated moments of their blocks, and what is open.

    `undetermined` are the tokens of a shortest input that the data leave open, each as the sum of its unit vectors; the
    last one asks.
    """
    left_open = [probe for query in queries(lowering) for probe in _left_open(solved, lowering, query)]
    rank = sum(len(block.eliminated.pivots) for block in solved)
    left_open.sort(key=lambda probe: len(probe.before))
    named = [_spelled(probe, lowering) for probe in left_open]
    found = Certificate(not left_open, rank, span(lowering), named[0] if named else None)
    d = lowering.form.d
    return found, lambda: map(Input, named, (probe.tokens(d) for probe in left_open))


def _left_open(solved: Sequence[SolvedBlock], lowering: LoweredRealMemory, query: int) -> list[Probe]:
    """The probes to one query that are not in the row space of the data."""
    d = lowering.form.d
    asked = list(probes(lowering, query))
    memories = np.stack([probe.memory(d) for probe in asked])
    inside = np.ones(len(asked), dtype=np.bool_)
    seen = np.zeros((d, d), dtype=np.bool_)
    for block in solved:
        e, b, c = block.moments.index.T
        mine = e == query
        if mine.any():
            rows = np.zeros((len(asked), len(e)), dtype=np.int64)
            rows[:, mine] = memories[:, b[mine], c[mine]]
            seen[b[mine], c[mine]] = True
            inside &= in_row_space(block.eliminated, rows)
    low, high = np.triu_indices(d)
    unseen = ~seen[low, high]
    inside &= ~(memories[:, low[unseen], high[unseen]] != 0).any(axis=1)
    return [probe for probe, known in zip(asked, inside.tolist(), strict=True) if not known]


def _spelled(probe: Probe, lowering: LoweredRealMemory) -> tuple[str, ...]:
    names = lowering.coordinates
    before = [" + ".join(names[place] for place in probe.before)] if probe.before else []
    return (*before, names[probe.query])
