"""Data of real memories: random runs of Gaussian pairs and a query, or a teaching set of unit vectors.

The teaching set
    For each token t among the unit vectors e_b and the sums e_b + e_c, b < c, of R^d one sequence: t, and then as
    queries the unit vectors e_1, .., e_n of the key, each supervised. So n d (d + 1) / 2 supervised positions: the
    dimension of what a real memory can show (`domain.real_memory_span`), and the fewest that can be certified.

Proof that it is certified
    A query stays in S: at the query e_i it is t t^T + K_i with K_i = E_11 + .. + E_ii. Let i be given. For t = e_b, b
    <= i, these are E_bb + K_i, whose matrix over E_11 .. E_ii is the identity plus all ones, of determinant i + 1:
    they span E_11 .. E_ii, and so K_i. Then t = e_b gives E_bb for the other b, and t = e_b + e_c gives E_bc + E_cb.
    So they span Sym(d), for every i.

All numbers are 0 and 1, and S has entries up to 3. The queries, being unit vectors, make n regressions of d (d + 1) / 2
features each instead of one of them all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compiler.errors import DataError
from compiler.program_to_rules.real_memory import LoweredRealMemory
from compiler.traces.data_set import DataSet
from compiler.traces.recall_tasks import MAX_NUMBERS, key_value_answers, key_value_task


def sizes_of(lowering: LoweredRealMemory) -> tuple[int, int]:
    """The dimensions (n, p) of a key and of a value."""
    n, p = lowering.program.keys, lowering.program.values
    assert isinstance(n, int)
    assert isinstance(p, int)
    return n, p


def teaching_vectors(lowering: LoweredRealMemory) -> DataSet:
    """The certified set of the module's docstring. Raises DataError where it would be too large."""
    n, p = sizes_of(lowering)
    d = n + p
    first, second = np.triu_indices(d)
    count, each = len(first), n + 1
    if count * each * d > MAX_NUMBERS:
        raise DataError(
            f"a certified set of memory {lowering.program.name} has {count * each * d:,} numbers, more than "
            f"{MAX_NUMBERS:,}; take fewer dimensions"
        )
    tokens = np.zeros((count, each, d), dtype=np.int64)
    tokens[np.arange(count), 0, first] = 1
    tokens[np.arange(count), 0, second] = 1
    tokens[:, 1:, :n] = np.eye(n, dtype=np.int64)
    targets = np.zeros_like(tokens)
    targets[:, 1:, n:] = tokens[:, :1, :n].transpose(0, 2, 1) * tokens[:, :1, n:]
    supervised = np.tile(np.arange(each) > 0, count)
    offsets = np.arange(count + 1, dtype=np.int64) * each
    return DataSet(tokens.reshape(-1, d), offsets, targets.reshape(-1, d), supervised, lowering.program)


def random_vectors(lowering: LoweredRealMemory, count: int, lengths: tuple[int, int], seed: int) -> DataSet:
    """So many runs, each of a number of pairs drawn from `lengths`, and a query: `key_value_task` without self term.

    All numbers are iid standard normal; every run is cut from one of the greatest length, so runs of one length are
    those of the task itself. Raises DataError.
    """
    n, p = sizes_of(lowering)
    least, most = lengths
    task = key_value_task(keys=n, values=p, pairs=most, count=count, seed=seed, self_term=False)
    drawn = np.random.default_rng((seed, 1)).integers(least, most + 1, size=count)
    kept: NDArray[np.bool_] = np.arange(most + 1) >= (most - drawn)[:, None]
    tokens = task.tokens.reshape(count, most + 1, n + p) * kept[:, :, None]
    targets = np.zeros_like(tokens)
    targets[:, most] = key_value_answers(tokens, n)
    ends = np.concatenate([[0], np.cumsum(drawn + 1)]).astype(np.int64)
    supervised = np.zeros(int(ends[-1]), dtype=np.bool_)
    supervised[ends[1:] - 1] = True
    return DataSet(tokens[kept], ends, targets[kept], supervised, lowering.program)
