"""Data of two tasks on which recall is measured: multi-query associative recall, and key-value lookup in real vectors.

Multi-query associative recall (arXiv 2312.04927) in its usual form has sequences of `length` integers below
`vocabulary`. First come `pairs` keys, each followed by its value; keys are drawn without repetition from 1 ..
vocabulary // 2 - 1, values from vocabulary // 2 .. vocabulary - 1. Then each key is asked once more, at an even
distance 2 g behind the pairs, where the different gaps g, 0 <= g < (length - 2 pairs) / 2, are drawn without
replacement with probabilities proportional to (g + 1)^(alpha - 1): small alpha puts the queries close to the pairs,
alpha = 1 spreads them evenly. What is left between the queries is filled with random tokens, or with nothing. The
label at a query is the value of its key; no other position has one.

Here the same sequences are runs of a memory that is compiled (`program_to_rules.memory`), and what that changes is:

* a sequence begins with the prompt of the memory, which says of each key that it is absent: vocabulary // 2 - 1
  tokens;
* a pair is a request and the answer to it, ``k3 = v9`` and ``k3: absent -> v9``, which makes two tokens as well; so
  `length` tokens follow the prompt, and every query stands where it stands in the usual form;
* a query is its own token ``k3?``, not the token of the key: nothing has to be inferred from its place;
* random filling is random queries (of any key, whether it was written or not), since the values of the usual form are
  no tokens of a run; no filling is rows of zeros, which add nothing to S;
* `vocabulary` may be any number that has enough keys and values for `pairs`; usually it must be above `length`. Data
  are dense, and a vector has about 2 `vocabulary` coordinates, so the usual 8,192 is out of reach: K V (V + 1) tokens
  are bounded by `memory.MAX_TOKENS`, at `vocabulary` 200.

Key-value lookup (arXiv 2410.10101): tokens [key; value] of real numbers, the last of which asks; see
`key_value_task`.

>>> data = multi_query_recall(vocabulary=12, pairs=2, length=16, count=3, seed=0)
>>> data.tokens.shape, len(data), data.samples, data.program.keys
((63, 24), 3, 6, ('k1', 'k2', 'k3', 'k4', 'k5'))
>>> key_value_task(keys=4, values=3, pairs=5, count=10, seed=0).tokens.shape
(60, 7)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compiler.errors import DataError
from compiler.program.memory import Memory
from compiler.program_to_rules.memory import LoweredMemory, memory_to_rules
from compiler.traces.data_set import DataSet

MAX_NUMBERS = 500_000_000
"""The most numbers that the tokens of a data set may have."""

Filling: TypeAlias = Literal["random", "nothing"]
Distribution: TypeAlias = Literal["gaussian", "unitary", "mixture"]


def multi_query_recall(
    *,
    vocabulary: int,
    pairs: int,
    length: int,
    alpha: float = 0.01,
    passes: int = 1,
    filling: Filling = "random",
    count: int,
    seed: int,
) -> DataSet:
    """Sequences for multi-query associative recall, as runs of a memory, supervised at the queries of the pairs.

    The program of the data is that memory: keys k1 .. k(vocabulary // 2 - 1), values v(vocabulary // 2) ..
    v(vocabulary - 1). Compiled, it gives every target exactly.

    Parameters
    ----------
    vocabulary, pairs, length
        The usual names are vocab_size, num_kv_pairs and input_seq_len.
    alpha
        Above 0: the exponent of the gaps (power_a).
    passes
        How often all the pairs are shown (num_passes); each key is asked once all the same.
    filling
        What stands between the queries: ``random`` queries, without targets (random_non_queries), or ``nothing``.
    count, seed
        So many sequences; the same seed gives the same data.

    Returns
    -------
    DataSet
        `count` sequences of vocabulary // 2 - 1 + `length` tokens, integers; targets (the value of the key) at `pairs`
        positions of each.

    Raises
    ------
    DataError
        For numbers out of range: length even and at least 2 pairs (passes + 1), enough keys and values.
    UnsupportedError
        For a vocabulary of which the memory would have too many tokens.
    """
    _check_recall(vocabulary, pairs, length, alpha, passes, filling, count, seed)
    half = vocabulary // 2
    keys, values = (tuple(f"k{n}" for n in range(1, half)), tuple(f"v{n}" for n in range(half, vocabulary)))
    lowering = memory_to_rules(Memory("multi_query_recall", keys, values))
    prompt = lowering.inputs(())
    if count * (len(prompt) + length) * lowering.form.d > MAX_NUMBERS:
        raise DataError(
            f"{count:,} sequences of {len(prompt) + length:,} tokens in {lowering.form.d:,} coordinates are more than "
            f"{MAX_NUMBERS:,} numbers; ask for fewer"
        )
    random = np.random.default_rng(seed)
    gaps = np.arange(1, (length - 2 * pairs * passes) // 2 + 1, dtype=np.float64) ** (alpha - 1)
    names: list[str | None] = []
    wanted: list[str | None] = []
    for _ in range(count):
        shown, answers = _sequence(lowering, pairs, passes, length, filling, gaps / gaps.sum(), random)
        names += [*prompt, *shown]
        wanted += [*[None] * len(prompt), *answers]
    offsets = np.arange(count + 1, dtype=np.int64) * (len(prompt) + length)
    supervised = np.array([name is not None for name in wanted])
    rows = [_vectors(lowering, each) for each in (names, wanted)]
    return DataSet(rows[0], offsets, rows[1], supervised, lowering.program)


def _check_recall(
    vocabulary: int, pairs: int, length: int, alpha: float, passes: int, filling: str, count: int, seed: int
) -> None:
    _check_numbers(vocabulary=vocabulary, pairs=pairs, length=length, passes=passes, count=count)
    if not isinstance(seed, int) or seed < 0:
        raise DataError(f"seed is {seed!r}, expected a whole number of at least 0")
    if not alpha > 0 or not np.isfinite(alpha):
        raise DataError(f"alpha is {alpha!r}, expected a number above 0; 1 spreads the queries evenly")
    if filling not in ("random", "nothing"):
        raise DataError(f"filling is {filling!r}, expected 'random' or 'nothing'")
    if length % 2 or length < 2 * pairs * (passes + 1):
        raise DataError(
            f"length is {length}: {pairs} pairs shown {passes} times and asked once need an even length of at least "
            f"{2 * pairs * (passes + 1)}"
        )
    if vocabulary // 2 - 1 < pairs:
        raise DataError(
            f"a vocabulary of {vocabulary} has {max(vocabulary // 2 - 1, 0)} keys, fewer than {pairs} pairs; "
            f"give at least {2 * pairs + 2}"
        )


def _check_numbers(**numbers: Any) -> None:
    for name, number in numbers.items():
        if not isinstance(number, int) or number < 1:
            raise DataError(f"{name} is {number!r}, expected a whole number of at least 1")


def _sequence(
    lowering: LoweredMemory,
    pairs: int,
    passes: int,
    length: int,
    filling: Filling,
    probabilities: NDArray[np.float64],
    random: np.random.Generator,
) -> tuple[list[str | None], list[str | None]]:
    """The tokens of a sequence after the prompt by name, None for a row of zeros, and the answers that are wanted."""
    keys, values = lowering.program.keys, lowering.program.values
    assert isinstance(keys, tuple)
    assert isinstance(values, tuple)
    shown = [keys[n] for n in random.choice(len(keys), pairs, replace=False)]
    held = [values[n] for n in random.choice(len(values), pairs, replace=False)]
    asked: list[str | None] = [None] * (length - 2 * pairs * passes)
    if filling == "random":
        asked = [keys[n] for n in random.integers(0, len(keys), size=len(asked))]
    wanted: list[str | None] = [None] * length
    gaps = random.choice(len(probabilities), pairs, replace=False, p=probabilities)
    for key, value, gap in zip(shown, held, gaps.tolist(), strict=True):
        asked[2 * gap] = key
        wanted[2 * (pairs * passes + gap)] = value
    prompt = len(lowering.inputs(()))
    written = [name for name, _ in lowering.dialogue(list(zip(shown, held, strict=True)) * passes)][prompt:]
    queries = [None if key is None else lowering.inputs((key,))[prompt] for key in asked]
    return [*written, *queries], wanted


def _vectors(lowering: LoweredMemory, names: list[str | None]) -> NDArray[np.int64]:
    """The tokens with these names as rows (n, d), zeros for None."""
    used = sorted({name for name in names if name is not None})
    place = {name: number for number, name in enumerate(used, start=1)}
    vectors = lowering.tokens.dense(lowering.tokens.numbers[name] for name in used)
    zero = np.zeros((1, lowering.form.d), dtype=np.int64)
    rows: NDArray[np.int64] = np.vstack([zero, vectors])[[0 if name is None else place[name] for name in names]]
    return rows


def key_value_task(
    *,
    keys: int,
    values: int,
    pairs: int,
    count: int,
    seed: int,
    distribution: Distribution = "gaussian",
    gaussian: float = 0.5,
    self_term: bool = True,
) -> DataSet:
    """Key-value lookup in real vectors, as runs of a real memory: its tokens, and the layer's answer at the last.

    A sequence is `pairs` tokens [k_j; v_j] and one that asks, [q; w]. The layer answers, at the last token,

        y = [0; sum_j <q, k_j> v_j + <q, q> w],

    the token itself included, and that is the target.

    Parameters
    ----------
    keys, values
        The dimensions of a key and of a value; d = keys + values.
    pairs
        The pairs of a sequence; for unitary data at most `keys`.
    distribution
        ``gaussian``: all of k_j, v_j, q and w are iid standard normal. ``unitary``: the k_j are different rows of a
        random orthogonal matrix, a new one for each sequence, and q is one of them, so that the answer is its value
        (plus w); v_j and w are standard normal. ``mixture``: a sequence is Gaussian with a probability, else unitary.
    gaussian
        That probability, for mixtures.
    self_term
        False makes w zero, so that the target is the plain sum over the pairs. No data can then tell what the layer
        does with the value of the token that asks.
    count, seed
        So many sequences; the same seed gives the same data.

    Returns
    -------
    DataSet
        `count` sequences of pairs + 1 tokens (float64), the last of each with a target.

    Raises
    ------
    DataError
        For numbers out of range, or an unknown distribution.
    """
    _check_numbers(keys=keys, values=values, pairs=pairs, count=count)
    if not isinstance(seed, int) or seed < 0:
        raise DataError(f"seed is {seed!r}, expected a whole number of at least 0")
    share = {"gaussian": 1.0, "unitary": 0.0, "mixture": gaussian}.get(distribution)
    if share is None or not 0 <= share <= 1:
        raise DataError(f"distribution {distribution!r} with gaussian {gaussian!r}: no such data")
    if share < 1 and pairs > keys:
        raise DataError(f"{pairs} pairs have no orthonormal keys in {keys} dimensions; give at most {keys} pairs")
    if count * (pairs + 1) * (keys + values) > MAX_NUMBERS:
        raise DataError(f"{count:,} sequences are more than {MAX_NUMBERS:,} numbers; ask for fewer")
    random = np.random.default_rng(seed)
    tokens = random.normal(size=(count, pairs + 1, keys + values))
    for number in np.flatnonzero(random.random(count) >= share).tolist():
        rows, upper = np.linalg.qr(random.normal(size=(keys, keys)))
        tokens[number, :pairs, :keys] = (rows * np.sign(np.diag(upper)))[:pairs]
        tokens[number, pairs, :keys] = tokens[number, random.integers(pairs), :keys]
    tokens[:, pairs, keys:] *= self_term
    program = Memory(f"{distribution}_pairs", keys, values)
    return replace(DataSet.of_arrays(tokens, key_value_answers(tokens, keys)), program=program)


def key_value_answers(tokens: NDArray[np.float64], keys: int) -> NDArray[np.float64]:
    """The answers (N, d) of a real memory with keys in R^keys at the last of the tokens (N, m, d) of each sequence."""
    targets = np.zeros(tokens[:, -1].shape)
    scores = np.einsum("nji,ni->nj", tokens[:, :, :keys], tokens[:, -1, :keys])
    targets[:, keys:] = np.einsum("nj,nja->na", scores, tokens[:, :, keys:])
    return targets
