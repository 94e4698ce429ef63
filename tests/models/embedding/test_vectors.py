from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.models.counting import Counting
from workbench.errors import ModelError
from workbench.models.embedding.vectors import Batcher, Chunks, combine, cut, make_chunks, unit
from workbench.progress import Silent


@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 12), st.integers(1, 5))
def test_pieces_are_the_beginning_of_the_text_in_order(ids, room, max_chunks):
    pieces = cut(ids, room, max_chunks)
    assert [i for piece in pieces for i in piece] == ids[: room * max_chunks]
    assert 1 <= len(pieces) <= max_chunks
    assert all(len(piece) == room for piece in pieces[:-1])
    assert len(pieces[-1]) <= room


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.integers(0, 99))
def test_a_text_is_the_weighted_mean_of_its_chunks(n_chunks, seed):
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(n_chunks)), n_chunks)
    weights = rng.integers(1, 50, len(owner))
    rows = unit(rng.normal(size=(len(owner), 5)))
    out = combine(rows, Chunks([[0]] * len(owner), owner, weights), len(n_chunks))
    for text, n in enumerate(n_chunks):
        own = rows[owner == text].astype(np.float64)
        mean = np.average(own, axis=0, weights=weights[owner == text])
        np.testing.assert_allclose(out[text], mean / np.linalg.norm(mean), atol=1e-6)
        if n == 1:
            assert out[text].tobytes() == rows[owner == text].tobytes()


def test_rows_without_a_direction_are_nan_and_the_others_have_length_1():
    rows = unit(
        np.array([[3.0, 4.0], [0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0], [1e-30, 0.0], [1e300, 1e300]])
    )
    np.testing.assert_allclose(rows[0], [0.6, 0.8], rtol=1e-7)
    assert np.isnan(rows[1:4]).all()
    assert rows.dtype == np.float32


def test_opposite_chunks_have_no_mean_direction():
    rows = np.array([[1.0, 0.0], [-1.0, 0.0]], dtype=np.float32)
    assert np.isnan(combine(rows, Chunks([[1], [2]], np.array([0, 0]), np.array([5, 5])), 1)).all()


class SmallMemory:
    """A model whose memory holds `limit` tokens; a row's vector is its number of tokens and its sum."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.shapes: list[tuple[int, int]] = []

    def __call__(self, ids, length, n_rows):
        self.shapes.append((length, n_rows))
        if length * n_rows > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        assert len(ids) <= n_rows
        return np.array([[len(one), sum(one)] for one in ids], dtype=np.float32)


def chunks_of(lengths) -> Chunks:
    return make_chunks([[(list(range(1, n + 1)), n)] for n in lengths])


def test_out_of_memory_halves_the_batches_and_goes_on(monkeypatch):
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    lengths = np.random.default_rng(0).integers(1, 65, 80)
    texts = ["x" * int(n) for n in lengths]

    count, model = Counting(), SmallMemory(200)
    batcher = Batcher(model, 64, 1024, padded=False, where="cuda")
    vectors = batcher.encode(chunks_of(lengths), texts, 2, count)
    expected = unit(np.array([[n, n * (n + 1) / 2] for n in lengths]))
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    assert count.n == lengths.sum(), "every text counts once, however often it was tried"
    assert sum(a * b > 200 for a, b in model.shapes) == 3, "1024, 512, 256 and then 128"
    before = len(model.shapes)
    batcher.encode(chunks_of(lengths), texts, 2, Silent())
    assert all(a * b <= 200 for a, b in model.shapes[before:]), "what was learnt is kept"


def test_a_row_that_does_not_fit_alone_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    batcher = Batcher(SmallMemory(10), 64, 1024, padded=False, where="cuda")
    with pytest.raises(ModelError, match="memory doesn't hold one row of 64 tokens; free some"):
        batcher.encode(chunks_of([60]), ["x"], 2, Silent())


def test_a_device_that_fails_is_one_sentence():
    def lost(ids, length, n_rows):
        raise torch.AcceleratorError("CUDA error: device lost\nmore")

    with pytest.raises(
        ModelError, match=r"failed \(AcceleratorError: CUDA error: device lost\); what was scored"
    ):
        Batcher(lost, 64, 1024, padded=False, where="cuda").encode(chunks_of([60]), ["x"], 2, Silent())


def test_no_texts_give_no_rows():
    assert Batcher(SmallMemory(10), 64, 64, padded=True, where="cuda").encode(
        chunks_of([]), [], 7, Silent()
    ).shape == (
        0,
        7,
    )
