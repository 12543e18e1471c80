"""The conformance suite: our own ways to run a layer pass it, and backends with one thing wrong do not."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given

from attnc import Model, conformance
from compiler.attention import attention
from verify.conformance_cases import Case, drawn_cases

EINSUM = "hab,nbc,hce,ne->na"


def states(Z):
    return np.cumsum(Z[:, :, None] * Z[:, None, :], axis=0)


def einsum(V, Q, Z):
    return np.einsum(EINSUM, V, states(Z), Q, Z)


def attention_matrix(V, Q, Z, mask=np.tril):
    """Scores z_i Q z_j first, in one matrix for each head."""
    return np.einsum("hji,hab,ib->ja", mask(np.einsum("ib,hbc,jc->hji", Z, Q, Z)), V, Z)


def naive(V, Q, Z):
    return Model.from_arrays(V, Q).answers(Z)


def head_by_head(V, Q, Z):
    return Model.from_arrays(V, Q).by_head(Z).sum(axis=1)


def recurrent(V, Q, Z):
    model, S, rows = Model.from_arrays(V, Q), None, []
    for z in Z:
        S, y = model.step(S, z)
        rows.append(y)
    return np.stack(rows)


def by_rules(V, Q, Z):
    """The rules that the heads add up to."""
    rules = Model.from_arrays(V, Q).rules
    return np.stack([rules.answer(Z[: n + 1].T @ Z[: n + 1], z) for n, z in enumerate(Z)])


def chunked(V, Q, Z, size=16, carried=True):
    """Chunks of tokens, with the fast weights before each."""
    S, rows = np.zeros((Z.shape[1],) * 2), []
    for start in range(0, len(Z), size):
        part = Z[start : start + size]
        rows.append(attention_matrix(V, Q, part) + np.einsum("hab,bc,hce,ne->na", V, S, Q, part))
        S = (S + part.T @ part) if carried or start % 128 else S
    return np.concatenate(rows)


def in_dtype(dtype) -> conformance.Backend:
    return lambda V, Q, Z: einsum(V.astype(dtype), Q.astype(dtype), Z.astype(dtype))


@pytest.mark.parametrize("backend", [einsum, attention_matrix, naive, head_by_head, recurrent, by_rules, chunked])
def test_what_computes_the_layer_conforms_exactly(backend: conformance.Backend) -> None:
    report = conformance.check(backend)
    assert report, report
    assert report.passed == len(conformance.cases())
    assert str(report).startswith("conforms")


def test_float32_conforms_within_a_tolerance_alone() -> None:
    report = conformance.check(in_dtype(np.float32), tolerance=1e-6)
    assert report, report
    failure = conformance.check(in_dtype(np.float32)).failure
    assert failure is not None
    assert failure.case.name == "large entries"
    assert not conformance.check(in_dtype(np.float32), tolerance=1e-9)


def test_a_tolerance_is_of_what_is_summed() -> None:
    """Where heads or tokens cancel, errors are as large as what cancels."""

    def rounded(V, Q, Z):
        return einsum(V, Q, Z) + 1e-4 * einsum(abs(V), abs(Q), abs(Z))

    assert conformance.check(rounded, tolerance=2e-4)
    assert not conformance.check(rounded, tolerance=0.5e-4)


def test_arguments_may_be_overwritten() -> None:
    def overwriting(V, Q, Z):
        answers = einsum(V, Q, Z)
        V[:] = Q[:] = Z[:] = 0
        return answers

    assert conformance.check(overwriting)


def test_integers_conform_where_they_can() -> None:
    """Whole numbers of 64 bits; the weights of teachers are no whole numbers, and 32 bits are too few."""
    for dtype, name in ((np.int64, "a teacher"), (np.int32, "large entries")):
        failure = conformance.check(in_dtype(dtype)).failure
        assert failure is not None
        assert failure.case.name.startswith(name)


class Leaking:
    """Fast weights that are kept from one call to the next."""

    def __init__(self) -> None:
        self.S: dict[int, np.ndarray] = {}

    def __call__(self, V, Q, Z):
        before = self.S.get(V.shape[1], 0)
        S = states(Z) + before
        self.S[V.shape[1]] = S[-1]
        return np.einsum(EINSUM, V, S, Q, Z)


def earlier(Z):
    """S without the token itself."""
    return states(Z) - Z[:, :, None] * Z[:, None, :]


def softmax(V, Q, Z):
    def weights(scores):
        shares = np.tril(np.exp(scores - scores.max(axis=-1, keepdims=True)))
        return shares / np.maximum(shares.sum(axis=-1, keepdims=True), 1e-300)

    return attention_matrix(V, Q, Z, weights)


def in_place(V, Q, Z):
    """Wrong, and it would hide that by what it does to its arguments, were they not its own."""
    V[:] = Q[:] = Z[:] = 0
    return Z


BROKEN: dict[str, Callable] = {
    "without the token itself": lambda V, Q, Z: np.einsum(EINSUM, V, earlier(Z), Q, Z),
    "the same, in attention form": lambda V, Q, Z: attention_matrix(V, Q, Z, lambda A: np.tril(A, -1)),
    "the next token is seen": lambda V, Q, Z: attention_matrix(V, Q, Z, lambda A: np.tril(A, 1)),
    "all tokens are seen": lambda V, Q, Z: attention_matrix(V, Q, Z, lambda A: A),
    "the first token is forgotten": lambda V, Q, Z: np.einsum(EINSUM, V, states(Z) - np.outer(Z[0], Z[0]), Q, Z),
    "Q transposed": lambda V, Q, Z: einsum(V, Q.transpose(0, 2, 1), Z),
    "V transposed": lambda V, Q, Z: einsum(V.transpose(0, 2, 1), Q, Z),
    "V and Q exchanged": lambda V, Q, Z: einsum(Q, V, Z),
    "answers of the last question": lambda V, Q, Z: np.einsum("hab,nbc,hce,e->na", V, states(Z), Q, Z[-1]),
    "a scale 1/n": lambda V, Q, Z: einsum(V, Q, Z) / np.arange(1, len(Z) + 1)[:, None],
    "a scale 1/sqrt d": lambda V, Q, Z: einsum(V, Q, Z) / np.sqrt(V.shape[1]),
    "a residual": lambda V, Q, Z: einsum(V, Q, Z) + Z,
    "softmax": softmax,
    "the mean of the heads": lambda V, Q, Z: einsum(V, Q, Z) / max(len(V), 1),
    "the first head alone": lambda V, Q, Z: einsum(V[:1], Q[:1], Z),
    "no heads refused": lambda V, Q, Z: sum(einsum(v[None], q[None], Z) for v, q in zip(V, Q, strict=True)),
    "the last answer alone": lambda V, Q, Z: einsum(V, Q, Z)[-1],
    "an answer for each head": lambda V, Q, Z: np.einsum("hab,nbc,hce,ne->nha", V, states(Z), Q, Z),
    "tokens as columns": lambda V, Q, Z: einsum(V, Q, Z.T).T,
    "each token counts once": lambda V, Q, Z: np.stack(
        [np.einsum("hab,bc,hce,e->a", V, (u := np.unique(Z[: n + 1], axis=0)).T @ u, Q, z) for n, z in enumerate(Z)]
    ),
    "keys and values of one sign": lambda V, Q, Z: np.einsum(EINSUM, V, states(np.abs(Z)), Q, Z),
    "half of S": lambda V, Q, Z: np.einsum(EINSUM, V, np.tril(states(Z)), Q, Z),
    "chunks that forget": lambda V, Q, Z: chunked(V, Q, Z, carried=False),
    "no more than 128 tokens": lambda V, Q, Z: np.where(np.arange(len(Z))[:, None] < 128, einsum(V, Q, Z), 0),
    "16 bits": in_dtype(np.float16),
    "nothing": lambda *_: None,
    "not a number": lambda V, Q, Z: einsum(V, Q, Z) * np.nan,
    "an error": lambda *_: 1 // 0,
    "memory between calls": Leaking(),
    "arguments overwritten": in_place,
    "wrong for three heads on two tokens": lambda V, Q, Z: einsum(V, Q, Z) + (len(V) == 3) * (len(Z) == 2),
}


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("tolerance", [0, 1e-3])
@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_does_not_conform(what: str, tolerance: float) -> None:
    report = conformance.check(BROKEN[what], tolerance=tolerance)
    assert not report
    failure = report.failure
    assert failure is not None
    assert failure.case.name in str(report)
    V, Q, Z = (each.copy() for each in (failure.case.V, failure.case.Q, failure.case.Z))
    assert np.array_equal(failure.expected, einsum(V, Q, Z))
    if failure.got is not None and not tolerance:
        rows = np.flatnonzero((failure.expected != failure.got).any(axis=1))
        assert f"row {rows[0]} of the answers" in str(report)
    if failure.got is not None and what != "memory between calls":
        assert np.array_equal(failure.got, BROKEN[what](V, Q, Z), equal_nan=True)


def test_cases_are_read_only() -> None:
    for case in conformance.cases():
        assert not any(each.flags.writeable for each in (case.V, case.Q, case.Z))


def test_what_only_drawn_cases_find_is_shrunk() -> None:
    report = conformance.check(BROKEN["wrong for three heads on two tokens"])
    assert report.passed == len(conformance.cases())
    failure = report.failure
    assert failure is not None
    assert (failure.case.name, failure.case.V.shape, failure.case.Z.tolist()) == ("drawn", (3, 1, 1), [[0], [0]])
    assert not failure.case.V.any()


def test_what_fails_now_and_then_does_not_conform() -> None:
    calls = []

    def flaky(V, Q, Z):
        calls.append(1)
        return einsum(V, Q, Z) + (len(calls) == len(conformance.cases()) + 20)

    assert not conformance.check(flaky)


def test_a_report_says_what_was_raised_or_returned() -> None:
    assert "it raised ZeroDivisionError: " in str(conformance.check(BROKEN["an error"]))
    assert "the answers have shape (1,), not (1, 1)" in str(conformance.check(BROKEN["the last answer alone"]))


def needs_53_bits_at_most(case: Case) -> bool:
    """Whether every sum of products V z z Q z, in any order, is exact in float64."""
    arrays = case.V, case.Q, case.Z
    unit = 1 if all((each == np.round(each)).all() for each in arrays) else 16
    assert all((unit * each == np.round(unit * each)).all() for each in arrays)
    V, Q, Z = (np.abs(unit * each).astype(np.int64).astype(object) for each in arrays)
    return all(max(attention(V, Q, Z[: n + 1])) < 2**53 for n in range(len(Z)))


def test_float64_does_not_round_in_a_fixed_case() -> None:
    assert [case.name for case in conformance.cases() if not needs_53_bits_at_most(case)] == []
    assert len({case.name for case in conformance.cases()}) == len(conformance.cases())


@given(drawn_cases())
def test_float64_does_not_round_in_a_drawn_case(case: Case) -> None:
    assert needs_53_bits_at_most(case)
