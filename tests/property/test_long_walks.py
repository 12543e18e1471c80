"""Walks that repeat a cycle, against walking step by step."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.long_walks import Walks, _best_cycles, fewest_steps, least_long_walk, turns

graphs = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.integers(-9, 9)), min_size=1, max_size=8),
        st.integers(0, 150),
        st.sets(st.integers(0, n - 1), min_size=1),
    )
)


def step(edges, sums):
    after: dict[int, int] = {}
    for a, b, weight in edges:
        if a in sums:
            after[b] = min(after.get(b, 10**9), sums[a] + weight)
    return after


def least_of(sums, ends):
    return min((sums[q] for q in ends if q in sums), default=10**9)


@settings(max_examples=300)
@given(graphs)
def test_the_least_long_walk_is_that_of_walking(drawn) -> None:
    n, edges, more, ends = drawn
    beyond, sums, lowest = 2 * turns(n), {0: 0}, 10**9
    for _ in range(beyond + 1):
        lowest = min(lowest, least_of(sums, ends))
        sums = step(edges, sums)
    base = more + 1 - lowest  # no walk of up to `beyond` edges comes to zero
    walks = Walks(n, *map(list, zip(*edges, strict=True)))
    found = least_long_walk(walks, 0, base, sorted(ends), beyond)
    first = None
    for k in range(beyond + 1, beyond + 1 + n * (more + 60)):
        if base + least_of(sums, ends) <= 0:
            first = k
            break
        sums = step(edges, sums)
    assert (found and found.steps) == first
    if found is not None:
        path = [*found.before, *found.cycle * found.times, *found.after]
        node, total = 0, base
        assert len(path) == found.steps
        for number in path:
            assert edges[number][0] == node
            node, total = edges[number][1], total + edges[number][2]
        assert node in ends
        assert total <= 0


@settings(max_examples=300)
@given(graphs, st.sampled_from([1, 10**25, 10**40]))
def test_the_fewest_steps_are_a_bound(drawn, size: int) -> None:
    """With weights that nearly cancel, too: the potentials of a node, times a large number, make no difference."""
    n, edges, more, ends = drawn
    high = [size * (7 * node % 5) for node in range(n)]
    base = more + 1 - min(high[q] - high[0] for q in ends)
    source, target = ([edge[side] for edge in edges] for side in (0, 1))
    large = [w + high[b] - high[a] for a, b, w in edges]
    found = fewest_steps(Walks(n, source, target, large), 0, base, sorted(ends))
    sums, first = {0: 0}, None
    for k in range(n * (more + 60)):
        if base + min((total + high[q] - high[0] for q, total in sums.items() if q in ends), default=10**60) <= 0:
            first = k
            break
        sums = step(edges, sums)
    assert first is None or (found is not None and found <= first)


def test_the_fewest_steps_are_close() -> None:
    """Noise of 10^9 on weights of 10^30, which cancel around a ring, but for one edge."""
    there, here = 10**30 + 7, 10**30 + 7 + 10**9
    walks = Walks(3, [0, 1, 2, 2], [1, 2, 0, 0], [there, 0, -here, -there + 2])
    found = fewest_steps(walks, 0, 10**20, [0])
    exact = 3 * 10**11
    assert found is not None
    assert exact * (1 - 1e-6) < found <= exact
    assert fewest_steps(walks._replace(weights=[there, 0, -there, -there + 2]), 0, 10**20, [0]) is None


def test_the_fewest_steps_where_nothing_falls_for_ever() -> None:
    path = Walks(2, [0], [1], [-5])
    assert [fewest_steps(path, 0, base, [1]) for base in (4, 5, 6)] == [0, 0, None]
    assert [fewest_steps(Walks(1, [], [], []), 0, base, [0]) for base in (0, 1)] == [0, None]
    found = fewest_steps(Walks(1, [0], [0], [-2]), 0, 10**30 + 1, [0])
    assert type(found) is int


@given(graphs)
def test_the_best_cycles_have_the_least_means(drawn) -> None:
    n, edges, *_ = drawn
    found = dict(_best_cycles(Walks(n, *map(list, zip(*edges, strict=True)))))
    for x in range(n):
        sums, means = {x: 0}, []
        for length in range(1, n + 1):
            sums = step(edges, sums)
            means += [Fraction(sums[x], length)] if x in sums else []
        assert (x in found) == bool(means)
        if means:
            cycle = [edges[number] for number in found[x]]
            assert [b for _, b, _ in cycle] == [a for a, _, _ in cycle[1:]] + [x]
            assert cycle[0][0] == x
            assert Fraction(sum(weight for *_, weight in cycle), len(cycle)) == min(means)


def test_so_many_edges_there_may_be_beside_the_cycle() -> None:
    assert [turns(n) for n in (1, 2, 5)] == [2, 8, 50]


def test_walks_must_have_been_searched_far_enough() -> None:
    with pytest.raises(ValueError, match="searched first"):
        least_long_walk(Walks(3, [0], [0], [-1]), 0, 100, [0], 2 * turns(3) - 1)


def test_steps_beyond_all_integers_of_machines() -> None:
    found = least_long_walk(Walks(1, [0], [0], [-1]), 0, 10**30, [0], 10)
    assert found is not None
    assert found.steps == 10**30
