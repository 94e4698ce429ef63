from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.models.batches import bucket_lengths, plan_batches


@pytest.mark.parametrize("longest", [1, 7, 16, 64, 250, 256, 512, 8192])
def test_buckets_rise_to_the_longest_row_and_waste_at_most_a_third(longest):
    lengths = bucket_lengths(longest)
    assert lengths[-1] == longest
    assert (np.diff(lengths) > 0).all()
    assert (lengths[1:] <= np.maximum(lengths[:-1] * 1.34, lengths[:-1] + 16)).all()


@given(st.lists(st.integers(1, 256), max_size=300), st.booleans())
def test_every_text_is_in_one_batch_that_holds_it(lengths, padded):
    lengths = np.array(lengths, dtype=np.int64)
    batches = list(plan_batches(lengths, 256, 2048, padded=padded))
    seen = np.concatenate([b.rows for b in batches]) if batches else np.array([], dtype=np.int64)
    assert sorted(seen) == list(range(len(lengths)))
    for batch in batches:
        assert 1 <= len(batch.rows) <= batch.n_rows == 2048 // batch.length
        assert (lengths[batch.rows] <= batch.length).all()
        if padded:
            full = lengths[batch.rows] == batch.length
            assert full.all() if full.any() else (lengths[batch.rows] < batch.length).all()


def test_a_shape_follows_from_the_length_of_the_text_alone():
    lengths = np.random.default_rng(0).integers(1, 513, size=400)
    shape = {}
    for chosen in (np.arange(400), np.arange(0, 400, 7), np.array([3])):
        for batch in plan_batches(lengths[chosen], 512, 4096):
            for row in batch.rows:
                assert shape.setdefault(chosen[row], (batch.n_rows, batch.length)) == (
                    batch.n_rows,
                    batch.length,
                )


def test_a_batch_has_a_row_even_where_a_text_is_longer_than_a_batch():
    (batch,) = plan_batches(np.array([5000]), 8192, 2048)
    assert batch.n_rows == 1
