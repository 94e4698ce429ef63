"""Neighbours against scikit-learn's and a brute-force twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.models.geometry import neighbours as module
from workbench.models.geometry.neighbours import Neighbours, NeighboursParams, nearest_earlier, neighbours
from workbench.models.geometry.rows import unit_rows


def find(x: np.ndarray, k: int, queries: np.ndarray | None = None, **how: Any) -> Neighbours:
    include_self = how.pop("include_self", False)
    return neighbours(x, k, NeighboursParams(**how), queries=queries, include_self=include_self)


def rows(n: int = 300, d: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def planted(n: int = 6000, d: int = 48) -> np.ndarray:
    """Rows around 150 directions."""
    rng = np.random.default_rng(1)
    return rng.standard_normal((150, d))[rng.integers(0, 150, n)] + 0.6 * rng.standard_normal((n, d))


METRICS = ["cosine", "euclidean"]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 7, 298])
def test_exact_neighbours_are_scikit_learns(monkeypatch: pytest.MonkeyPatch, metric: str, k: int) -> None:
    from sklearn.neighbors import NearestNeighbors

    # Several tiles, the last of them short.
    monkeypatch.setattr(module, "_TILE", 77)
    monkeypatch.setattr(module, "_ACROSS", 90)
    x, queries = rows(), rows(31, seed=1)
    peer = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(x.astype(np.float64))
    for got, (distance, index) in (
        (find(x, k, metric=metric), peer.kneighbors()),
        (find(x, k, queries, metric=metric), peer.kneighbors(queries.astype(np.float64))),
    ):
        # Far down some differ by less than float32 tells.
        np.testing.assert_array_equal(got.indices[:, :7], index[:, :7])
        np.testing.assert_array_equal(np.sort(got.indices)[:, ::40], np.sort(index)[:, ::40])
        expected = 1 - distance if metric == "cosine" else -distance
        np.testing.assert_allclose(got.similarity, expected, atol=1e-5)
        assert got.indices.dtype == np.int64
        assert got.similarity.dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**40),
    st.integers(2, 40),
    st.integers(1, 4),
    st.sampled_from(METRICS),
    st.booleans(),
    st.data(),
)
def test_ties_fall_to_the_lowest_row(
    seed: int, n: int, d: int, metric: str, include_self: bool, data: st.DataObject
) -> None:
    # Few different rows, so that there are copies; their lengths keep cosines of others apart.
    distinct = np.random.default_rng(seed).standard_normal((6, d)).astype(np.float32)
    x = distinct[np.random.default_rng(seed + 1).integers(0, 6, n)]
    k = data.draw(st.integers(1, n - (not include_self)))
    got = find(x, k, metric=metric, include_self=include_self)
    wide = x.astype(np.float64)
    if metric == "cosine":
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    apart = np.round(((wide[:, None] - wide) ** 2).sum(2), 7)
    if not include_self:
        np.fill_diagonal(apart, np.inf)
    expected = np.argsort(apart, axis=1, kind="stable")[:, :k]
    # In one dimension all directions are equal but for their sign, and rounding doesn't part them.
    np.testing.assert_array_equal(got.indices, expected)


def test_thousands_of_copies_come_in_the_order_of_their_numbers() -> None:
    x = np.concatenate([rows(50, 33), np.tile(rows(1, 33, seed=5), (2100, 1)), rows(61, 33, seed=6)])
    for metric in METRICS:
        got = find(x, 12, x[[60, 2149]], metric=metric)
        assert got.indices.tolist() == [list(range(50, 62))] * 2
        assert find(x, 3, metric=metric).indices[50:54].tolist() == [
            [51, 52, 53],
            [50, 52, 53],
            [50, 51, 53],
            [50, 51, 52],
        ]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("own", [True, False])
def test_approximate_neighbours_are_nearly_all_found(metric: str, own: bool) -> None:
    x = planted()
    queries = None if own else planted()[::9] + 0.1
    exact, got = (
        find(x, 10, queries, metric=metric),
        find(x, 10, queries, metric=metric, method="approximate"),
    )
    recall = np.mean(
        [len(np.intersect1d(a, b)) / 10 for a, b in zip(exact.indices, got.indices, strict=True)]
    )
    assert recall >= 0.95
    if own:
        assert (got.indices != np.arange(len(x))[:, None]).all()
    same = exact.indices == got.indices
    np.testing.assert_allclose(got.similarity[same], exact.similarity[same], atol=1e-6)
    again = find(x, 10, queries, metric=metric, method="approximate")
    assert again.indices.tobytes() == got.indices.tobytes()


def test_lists_that_hold_too_few_are_made_up_for() -> None:
    x = planted(1200)
    got = find(x, 60, method="approximate", n_lists=100, n_probes=1)
    assert (got.indices >= 0).all()
    assert all(len(set(row)) == 60 for row in got.indices.tolist())
    np.testing.assert_array_equal(
        find(x, 5, method="approximate", n_lists=1, n_probes=1).indices, find(x, 5).indices
    )


def test_distances_of_near_copies_far_from_the_origin_are_not_lost() -> None:
    x = rows(40, 8).astype(np.float64) + 500
    x[1] = x[0] + 1e-4
    got = find(x, 1, metric="euclidean")
    assert got.indices[0, 0] == 1
    assert got.similarity[0, 0] == pytest.approx(-1e-4 * np.sqrt(8), rel=1e-3)


@pytest.mark.parametrize("scale", [1e-30, 1e15, 1e30])
def test_scale_is_of_no_account(scale: float) -> None:
    x = rows(60, 9)
    for metric in METRICS:
        expected, got = find(x, 4, metric=metric), find(x * np.float32(scale), 4, metric=metric)
        np.testing.assert_array_equal(got.indices, expected.indices)
        factor = scale if metric == "euclidean" else 1
        np.testing.assert_allclose(got.similarity / factor, expected.similarity, rtol=1e-4)


def test_small_cases() -> None:
    x = rows(3, 5)
    assert find(x[:1], 1, include_self=True).indices.tolist() == [[0]]
    assert find(x.astype(np.float16), 2).indices.shape == (3, 2)
    assert find(x, 2, np.zeros((0, 5))).indices.shape == (0, 2)
    line = np.array([[1.0], [2], [4], [8]])
    assert find(line, 2, metric="euclidean").indices.tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]


@pytest.mark.parametrize(
    ("k", "how", "message"),
    [
        (0, {}, r"k must lie in 1\.\.299 \(of 300 rows, the other rows\), got 0"),
        (300, {}, r"k must lie in 1\.\.299 \(of 300 rows, the other rows\), got 300"),
        (301, {"include_self": True}, r"k must lie in 1\.\.300 \(of 300 rows\), got 301"),
        (3, {"metric": "dot"}, "metric must be cosine or euclidean, got 'dot'"),
        (3, {"method": "fast"}, "method must be exact or approximate, got 'fast'"),
        (3, {"n_probes": 0}, "n_probes must be at least 1, got 0"),
        (3, {"n_lists": 301}, r"n_lists must lie in 1\.\.300 \(the number of rows\), got 301"),
        (3, {"queries": np.zeros((4, 19))}, r"queries must be \(n, 20\) as the rows are, got \(4, 19\)"),
        (3, {"queries": np.zeros((4, 20))}, "row 0 of the queries is zero or not finite"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(k: int, how: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        find(rows(), k, **how)


def test_bad_rows_are_refused() -> None:
    x = rows()
    with pytest.raises(InputError, match=r"neighbours needs rows of numbers, .* got \(0, 4\)"):
        find(np.zeros((0, 4)), 1)
    with pytest.raises(InputError, match="seed must be at least 0, got -2"):
        neighbours(x, 1, seed=-2)
    x[8, 2] = np.nan
    with pytest.raises(InputError, match="row 8 of the embeddings is zero or not finite"):
        find(x, 1)
    with pytest.raises(InputError, match="row 8 of the embeddings is not finite in float32"):
        find(x, 1, metric="euclidean")


def test_nearest_earlier_looks_only_at_earlier_rows() -> None:
    angle = np.deg2rad([0, 34, 17])
    hub_last = np.column_stack([np.cos(angle), np.sin(angle)])
    similarity, earlier = nearest_earlier(hub_last)
    assert similarity == pytest.approx([0, np.cos(np.deg2rad(34)), np.cos(np.deg2rad(17))], abs=1e-6)
    assert earlier[1] == 0
    assert earlier[2] in (0, 1)


def test_nearest_earlier_over_several_tiles_is_that_of_the_whole_matrix() -> None:
    x = unit_rows(rows(2100, 7, seed=3))
    similarity, earlier = nearest_earlier(x)
    whole = np.tril(x.astype(np.float64) @ x.T.astype(np.float64), k=-1).clip(0, 1)
    assert similarity == pytest.approx(whole.max(axis=1), abs=1e-6)
    assert whole[np.arange(1, 2100), earlier[1:]] == pytest.approx(whole.max(axis=1)[1:], abs=1e-6)


def test_products_of_equal_rows_are_not_above_one() -> None:
    x = np.repeat(unit_rows(rows(40, 33)), 3, axis=0)
    assert (x @ x.T).max() > 1
    assert nearest_earlier(x)[0].max() == 1
