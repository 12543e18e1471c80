"""The two recall tasks: their shape, their distribution, and what is learned from them."""

from fractions import Fraction

import numpy as np
import pytest

from compiler.errors import DataError, UnsupportedError
from compiler.heads_to_rules import heads_to_rules
from compiler.learning.learn import learn
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.program_to_rules.lower import lower
from compiler.rules import Form
from compiler.rules_to_heads import rules_to_heads
from compiler.runtime.recurrent import Recurrent
from compiler.traces.data_set import DataSet
from compiler.traces.recall_tasks import key_value_task, multi_query_recall


def names_of_rows(data: DataSet) -> list[list[str]]:
    """The tokens of each sequence by name; zeros are called nothing."""
    tokens = lower(data.program).tokens
    known = {tokens[name].tobytes(): name for name in tokens.names}
    known[np.zeros(data.d, dtype=np.int64).tobytes()] = "nothing"
    return [[known[row.tobytes()] for row in data.tokens[rows]] for rows in data.sequences()]


@pytest.mark.parametrize("filling", ["random", "nothing"])
@pytest.mark.parametrize(("vocabulary", "pairs", "length", "passes"), [(12, 2, 16, 1), (20, 4, 32, 2), (9, 1, 4, 1)])
def test_a_compiled_memory_gives_every_target(vocabulary, pairs, length, passes, filling) -> None:
    data = multi_query_recall(
        vocabulary=vocabulary, pairs=pairs, length=length, passes=passes, filling=filling, count=20, seed=1
    )
    prompt = vocabulary // 2 - 1
    assert data.tokens.shape == (20 * (prompt + length), 2 * (vocabulary - 1) + 2)
    assert data.samples == 20 * pairs
    model = compile(data.program)
    for rows in data.sequences():
        layer = Recurrent(model.heads, np.zeros((data.d, data.d), dtype=np.int64))
        for place in range(rows.start, rows.stop):
            answer = layer.feed(data.tokens[place])
            if data.supervised[place]:
                assert np.array_equal(answer, data.targets[place])


def test_the_sequences_are_those_of_the_usual_task() -> None:
    data = multi_query_recall(vocabulary=40, pairs=4, length=30, filling="nothing", count=50, seed=0)
    lowering = lower(data.program)
    for names, rows in zip(names_of_rows(data), data.sequences(), strict=True):
        assert names[:19] == [f"k{n}: absent" for n in range(1, 20)]
        body, supervised = names[19:], data.supervised[rows][19:]
        pairs = dict(name.split(" = ") for name in body[:8:2])
        assert body[1:8:2] == [f"{key}: absent -> {value}" for key, value in pairs.items()]
        assert len(pairs) == len(set(pairs.values())) == 4
        assert set(pairs) <= {f"k{n}" for n in range(1, 20)}
        assert set(pairs.values()) <= {f"v{n}" for n in range(20, 40)}
        asked = {place: name for place, name in enumerate(body) if supervised[place]}
        assert sorted(asked.values()) == sorted(f"{key}?" for key in pairs)
        assert all(place >= 8 and place % 2 == 0 for place in asked)
        assert all(name == "nothing" for place, name in enumerate(body[8:], 8) if place not in asked)
        for place, name in asked.items():
            target = data.targets[rows][19 + place]
            assert np.array_equal(target, lowering.tokens[pairs[name[:-1]]])


def test_random_filling_are_queries_without_targets_and_make_a_run_of_the_program() -> None:
    data = multi_query_recall(vocabulary=16, pairs=3, length=20, count=5, seed=3)
    lowering = lower(data.program)
    for names in names_of_rows(data):
        word = [tuple(name.split(" = ")) for name in names[7:13:2]] + [name[:-1] for name in names[13:]]
        assert lowering.trace(word) == names
        assert compile(data.program).run(word).output == data.program.run(word).output


@pytest.mark.parametrize(("alpha", "near"), [(0.01, 0.19), (1.0, 0.02)])
def test_gaps_follow_the_power_law(alpha, near) -> None:
    data = multi_query_recall(vocabulary=4, pairs=1, length=2 + 100, alpha=alpha, filling="nothing", count=1500, seed=0)
    places = np.flatnonzero(data.supervised.reshape(1500, -1))
    gaps = (places % 103 - 3) // 2
    weights = np.arange(1, 51) ** (alpha - 1)
    expected = weights / weights.sum()
    assert expected[0] > near - 0.001
    found = np.bincount(gaps, minlength=50) / 1500
    assert np.abs(found - expected).max() < 4 * np.sqrt(expected.max() / 1500)


def test_the_same_seed_gives_the_same_data() -> None:
    once, again, other = (
        multi_query_recall(vocabulary=12, pairs=2, length=16, count=3, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(once.tokens, again.tokens)
    assert not np.array_equal(once.tokens, other.tokens)


def test_recall_is_learned_exactly() -> None:
    shape = {"vocabulary": 10, "pairs": 3, "length": 20, "filling": "nothing"}
    learned = learn(multi_query_recall(**shape, count=200, seed=0))
    assert learned.report.exact
    fresh = multi_query_recall(**shape, count=50, seed=9)
    for rows in fresh.sequences():
        for place in np.flatnonzero(fresh.supervised[rows]):
            answer = learned.model.answer(fresh.tokens[rows][: place + 1])
            assert np.array_equal(answer, fresh.targets[rows][place])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"length": 15}, "even length of at least 8"),
        ({"length": 6}, "even length of at least 8"),
        ({"passes": 4}, "shown 4 times"),
        ({"vocabulary": 5}, "give at least 6"),
        ({"pairs": 0}, "pairs is 0"),
        ({"count": 2.5}, "count is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"alpha": 0}, "alpha is 0"),
        ({"filling": "noise"}, "expected 'random' or 'nothing'"),
        ({"count": 10**8}, "ask for fewer"),
    ],
)
def test_recall_out_of_range(wrong, message) -> None:
    given = {"vocabulary": 12, "pairs": 2, "length": 16, "count": 3, "seed": 0} | wrong
    with pytest.raises(DataError, match=message):
        multi_query_recall(**given)


def test_a_vocabulary_of_the_usual_size_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="4095 keys and 4096 values"):
        multi_query_recall(vocabulary=8192, pairs=4, length=64, count=1, seed=0)


def one_head(n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """V and Q, (1, d, d), of the head of arXiv 2410.10101."""
    V, Q = np.zeros((2, 1, n + p, n + p))
    V[0, n:, n:], Q[0, :n, :n] = np.eye(p), np.eye(n)
    return V, Q


@pytest.mark.parametrize("distribution", ["gaussian", "unitary", "mixture"])
def test_targets_are_the_answers_of_the_layer(distribution) -> None:
    data = key_value_task(keys=5, values=3, pairs=4, count=30, seed=2, distribution=distribution)
    model = compile(data.program)
    V, Q = one_head(5, 3)
    assert np.array_equal(model.V, V)
    assert np.array_equal(model.Q, Q)
    for rows in data.sequences():
        Z = data.tokens[rows]
        assert np.flatnonzero(data.supervised[rows]).tolist() == [4]
        assert np.abs(model.answer(Z) - data.targets[rows][-1]).max() < 1e-12
        recalled = data.program.recall(Z[:, :5], Z[:, 5:], Z[-1, :5])
        assert np.abs(recalled - data.targets[rows][-1, 5:]).max() < 1e-12


def test_without_self_term_the_target_is_the_sum_over_the_pairs() -> None:
    data = key_value_task(keys=4, values=2, pairs=3, count=10, seed=0, self_term=False)
    Z = data.tokens.reshape(10, 4, 6)
    assert not Z[:, 3, 4:].any()
    for z, target in zip(Z, data.targets[data.supervised], strict=True):
        assert np.abs(data.program.recall(z[:3, :4], z[:3, 4:], z[3, :4]) - target[4:]).max() < 1e-12
    assert learn(data).report.rank < 6**2 * 7 // 2, "what the value of the last token does is never seen"


def test_unitary_keys_are_orthonormal_and_the_query_is_one_of_them() -> None:
    data = key_value_task(keys=6, values=2, pairs=4, count=20, seed=0, distribution="unitary", self_term=False)
    Z = data.tokens.reshape(20, 5, 8)
    keys, queries = Z[:, :4, :6], Z[:, 4, :6]
    assert np.abs(keys @ keys.transpose(0, 2, 1) - np.eye(4)).max() < 1e-12
    places = np.abs(keys - queries[:, None]).max(axis=2).argmin(axis=1)
    assert len(set(places.tolist())) > 1
    assert np.array_equal(keys[np.arange(20), places], queries)
    values = Z[np.arange(20), places, 6:]
    assert np.abs(data.targets[data.supervised][:, 6:] - values).max() < 1e-12
    assert len(np.unique(keys[:, 0, 0])) == 20, "a new matrix for each sequence"


def distance(data: DataSet) -> float:
    """How far the learned rules are from those of the layer, at the most."""
    expected = lower(data.program).form
    found = learn(data).model
    places = {tuple(row): weight for row, weight in zip(expected.index.tolist(), expected.weights, strict=True)}
    got = heads_to_rules(found.heads, expected.coordinates)
    for row, weight in zip(got.index.tolist(), got.weights.tolist(), strict=True):
        places[tuple(row)] = places.get(tuple(row), 0) - weight
    return max(map(abs, places.values()))


SIZE = {"keys": 4, "values": 4, "pairs": 3, "count": 600}
PSI = 8 * 8 * 9 // 2


@pytest.mark.parametrize(
    ("distribution", "rank"), [("gaussian", PSI), ("mixture", PSI), ("unitary", PSI - SIZE["keys"])]
)
def test_what_is_learned_from_key_value_data(distribution, rank) -> None:
    data = key_value_task(**SIZE, seed=0, distribution=distribution)
    report = learn(data).report
    assert (report.features, report.live, report.rank) == (PSI, PSI, rank)
    assert report.residual < 1e-9
    assert distance(data) < 1e-9, "for unitary data this is the least norm, not the data: see below"


def test_unitary_data_do_not_determine_the_head() -> None:
    """Another layer fits them as exactly, and is another function: keys = 4 such differences make up the rank."""
    form = compile(key_value_task(**SIZE, seed=0).program).rules
    names, share = form.coordinates, Fraction(-2, SIZE["pairs"] + 1)
    extra = [("value[0]", "key[0]", f"key[{c}]", f"key[{c}]", 1) for c in range(4)]
    extra += [("value[0]", f"key[{c}]", f"key[{c}]", "key[0]", share) for c in range(4)]
    other = Model(names, rules_to_heads(Form.of(names, [*form, *extra])))
    for distribution, fits in (("unitary", True), ("gaussian", False)):
        fresh = key_value_task(**SIZE, seed=1, distribution=distribution)
        errors = [np.abs(other.answer(fresh.tokens[at]) - fresh.targets[at][-1]).max() for at in fresh.sequences()]
        assert (max(errors) < 1e-9) == fits


def test_the_share_of_gaussian_sequences_in_a_mixture() -> None:
    data = key_value_task(keys=3, values=1, pairs=2, count=1000, seed=0, distribution="mixture", gaussian=0.25)
    lengths = np.linalg.norm(data.tokens.reshape(1000, 3, 4)[:, 0, :3], axis=1)
    assert abs((np.abs(lengths - 1) > 1e-9).mean() - 0.25) < 0.05


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"distribution": "uniform"}, "'uniform'"),
        ({"distribution": "mixture", "gaussian": 1.5}, "1.5"),
        ({"distribution": "unitary", "pairs": 5}, "at most 4 pairs"),
        ({"keys": 0}, "keys is 0"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"count": 10**9}, "ask for fewer"),
    ],
)
def test_key_value_out_of_range(wrong, message) -> None:
    given = {"keys": 4, "values": 2, "pairs": 3, "count": 5, "seed": 0} | wrong
    with pytest.raises(DataError, match=message):
        key_value_task(**given)
