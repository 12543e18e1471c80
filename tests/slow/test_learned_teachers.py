"""Random teachers in 16 dimensions, learned from data: their own number of heads comes back, with a proof."""

import numpy as np
import pytest

from compiler.learning.learn import learn
from compiler.random_model import random_model
from compiler.traces.data_set import DataSet


@pytest.mark.parametrize("heads", [1, 6])
def test_sixteen_dimensions(heads: int) -> None:
    teacher = random_model(16, heads, seed=heads)
    Z = np.random.default_rng(0).normal(size=(2_400, 8, 16))
    data = DataSet.of_arrays(Z, np.stack([teacher.answer(z) for z in Z]))
    learned = learn(data, fewest="heads")
    assert (learned.report.heads, learned.report.fewest_bound, learned.report.minimal) == (heads, heads, "proved")
    fresh = np.random.default_rng(1).normal(size=(20, 16))
    assert np.allclose(learned.model.answer(fresh), teacher.answer(fresh), rtol=0, atol=1e-9)
