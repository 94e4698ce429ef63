from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.models.training.reference import train_tokenizer
from workbench.models.training.tokenfile import (
    Rows,
    all_rows,
    encode,
    keyed_order,
    open_tokens,
    pack,
    token_dtype,
)


@given(st.integers(1, 300), st.integers(0, 5), st.integers(0, 5))
@settings(deadline=None)
def test_every_place_goes_to_one_of_its_own(n: int, seed: int, epoch: int) -> None:
    order = keyed_order(np.arange(n), n, (seed, epoch))
    assert sorted(order.tolist()) == list(range(n))
    # a place's image doesn't depend on the places asked with it
    assert keyed_order(np.array([n - 1]), n, (seed, epoch))[0] == order[-1]


def test_an_order_is_random_and_another_in_each_epoch() -> None:
    n = 1000
    orders = [keyed_order(np.arange(n), n, (3, epoch)) for epoch in range(40)]
    assert len({tuple(order.tolist()) for order in orders}) == 40
    # the mean of a uniform place over 40 epochs has a standard deviation of 1000 / sqrt(12 * 40) = 46
    means = np.mean(orders, axis=0)
    assert abs(means - 499.5).max() < 5.5 * 46
    assert abs(np.corrcoef(orders[0], np.arange(n))[0, 1]) < 0.12
    assert abs(np.corrcoef(orders[0], orders[1])[0, 1]) < 0.12


def test_a_file_gives_back_the_documents_with_separators(tmp_path: Path) -> None:
    texts = ["a b", "", "ccc " * 20, "z"]
    tokenizer = train_tokenizer(texts, 300)
    whole = [tokenizer.encode(text).ids for text in texts]
    for n_vocabulary, size in ((300, 2), (1 << 16, 2), ((1 << 16) + 1, 4)):
        path = tmp_path / str(n_vocabulary)
        path.write_bytes(b"".join(pack(encode(tokenizer, texts), 0, n_vocabulary)))
        found = open_tokens(path, n_vocabulary)
        assert token_dtype(n_vocabulary).itemsize == found.dtype.itemsize == size
        assert found.tolist() == [0, *whole[0], 0, *whole[2], 0, *whole[3]]
    (tmp_path / "empty").touch()
    assert len(open_tokens(tmp_path / "empty", 300)) == 0


def test_texts_of_any_length_are_encoded_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["word " * 30, "x", "", "two words " * 50, "y z"]
    tokenizer = train_tokenizer(texts, 300)
    monkeypatch.setattr("workbench.models.training.tokenfile.BATCH_CHARS", 40)
    monkeypatch.setattr("workbench.models.tokens.PIECE_CHARS", 30)
    assert [ids.tolist() for ids in encode(tokenizer, texts)] == [tokenizer.encode(t).ids for t in texts]


def test_an_epoch_takes_each_row_once_and_the_next_begins_within_a_batch() -> None:
    tokens = np.arange(7 * 5 + 1, dtype=np.uint16)  # 7 rows of 5
    rows = Rows(tokens, 5, 3, seed=1)
    batches = [rows(step) for step in range(7)]  # 3 epochs
    starts = np.concatenate(batches)[:, 0].reshape(3, 7)
    for epoch in starts:
        assert sorted(epoch.tolist()) == list(range(0, 35, 5))
    assert len({tuple(epoch.tolist()) for epoch in starts}) > 1
    for batch in batches:
        assert batch.shape == (3, 6)
        assert batch.dtype == np.int64
        assert (np.diff(batch, axis=1) == 1).all()
    np.testing.assert_array_equal(rows(4), batches[4])  # of the step alone
    assert (Rows(tokens, 5, 3, seed=2)(0) != batches[0]).any()


def test_all_rows_in_order() -> None:
    assert all_rows(np.arange(8), 3).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6]]
    assert all_rows(np.arange(3), 3).shape == (0, 4)
    assert all_rows(np.arange(0), 3).shape == (0, 4)
