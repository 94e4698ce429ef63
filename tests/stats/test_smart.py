"""SMART filtering of evaluation sets (Gupta et al. 2024)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.stats.smart import SmartParams, is_sure, similar_items, similarity_threshold, smart_filter

WORDS = ["apple", "river", "candle", "window", "garden", "pencil", "market", "velvet", "thunder", "copper"]


def unlike(n: int) -> list[str]:
    """Texts that are no variants of each other."""
    return [
        " ".join(WORDS[(i * j + j) % 10] for j in range(1, 4)) + f" {'xyzuvw'[i % 6] * 9} {i}"
        for i in range(n)
    ]


def near(distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All other items of each, nearest first, from a matrix."""
    far = distance + np.diag([np.inf] * len(distance))
    order = np.argsort(far, axis=1, kind="stable")[:, :-1]
    return order, np.take_along_axis(far, order, axis=1)


def cliques(*sizes: int) -> np.ndarray:
    """Items of one group at 0.1, of different ones at 0.9."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    return np.where(group[:, None] == group, 0.1, 0.9)


def test_an_item_is_easy_only_if_every_model_is_right_and_surer_than_the_threshold() -> None:
    correct = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], dtype=bool)
    for dtype in (np.float32, np.float64):
        p = np.array([[0.9, 0.8, 0.9, 0.9], [0.81, 0.99, 0.8, 0.9]], dtype=dtype)
        assert is_sure(correct, p).tolist() == [True, False, False, False]


def test_a_tenth_of_the_easy_items_is_kept_by_their_ids() -> None:
    n = 3000
    ids = [f"q{i}" for i in range(n)]
    sure = np.ones((7, n), dtype=bool), np.full((7, n), 0.95)
    found = smart_filter(ids, unlike(n), *sure)
    assert 240 < found.keep.sum() < 360  # 300 expected, 16 the standard deviation
    order = np.random.default_rng(0).permutation(n)
    other = smart_filter([ids[i] for i in order], unlike(n), *sure)
    np.testing.assert_array_equal(other.keep, found.keep[order])
    kept = [
        smart_filter(ids, unlike(n), *sure, params=SmartParams(keep_easy_fraction=f)).keep for f in (0, 1)
    ]
    assert (kept[0].sum(), kept[1].sum()) == (0, n)


def test_contaminated_items_all_go_and_are_named_after_the_easy_ones() -> None:
    right = np.ones((2, 4), dtype=bool)
    asked, blind = np.array([[0.9, 0.5, 0.9, 0.5]] * 2), np.array([[0.9, 0.9, 0.1, 0.8]] * 2)
    params = SmartParams(keep_easy_fraction=0)
    found = smart_filter(list("abcd"), unlike(4), right, asked, blind=(right, blind), params=params)
    assert found.reason.tolist() == ["easy", "contaminated", "easy", ""]
    assert found.keep.tolist() == [False, False, False, True]
    assert np.isnan(found.threshold)


@pytest.mark.parametrize(("size", "dropped"), [(1, 0), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_a_cluster_loses_half_of_its_items_rounded_down(size: int, dropped: int) -> None:
    sizes = (size, 1, 1)
    n = sum(sizes)
    drop = similar_items([f"q{i}" for i in range(n)], unlike(n), *near(cliques(*sizes)), 0.3)
    assert drop[:size].sum() == drop.sum() == dropped


def test_a_distance_of_exactly_the_threshold_is_similar() -> None:
    given = [f"q{i}" for i in range(4)], unlike(4), *near(cliques(2, 2))
    assert similar_items(*given, 0.1).sum() == 2
    assert similar_items(*given, 0.0999).sum() == 0


def test_items_that_differ_in_a_sign_both_stay() -> None:
    texts = [
        "What is 17 + 25 when counted in tens?",
        "What is 17 - 25 when counted in tens?",
        "Name a river.",
    ]
    assert not similar_items(list("abc"), texts, *near(cliques(2, 1)), 0.3).any()
    # Were they no variants, one would go.
    assert (
        similar_items(list("abc"), texts, *near(cliques(2, 1)), 0.3, SmartParams(string_ratio=1.0)).sum() == 1
    )


def test_an_item_of_an_earlier_cluster_is_in_no_other() -> None:
    # a - b - c in a chain: a's cluster is a and b, and c's is c alone, since b was seen.
    distance = np.array([[0, 0.1, 0.9], [0.1, 0, 0.1], [0.9, 0.1, 0]])
    drop = similar_items(list("abc"), unlike(3), *near(distance), 0.3)
    assert drop[:2].sum() == 1
    assert not drop[2]
    # Ids say who is first: with b first all three make one cluster, which loses 1.
    assert similar_items(list("bac"), unlike(3), *near(distance), 0.3).sum() == 1


def test_rows_in_another_order_lose_the_same_items() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ids, texts = [f"q{i}" for i in range(60)], unlike(60)
    drop = similar_items(ids, texts, *near(1 - x @ x.T), 0.1)
    assert 5 < drop.sum() < 30
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(60)
        other = similar_items(
            [ids[i] for i in order], [texts[i] for i in order], *near(1 - x[order] @ x[order].T), 0.1
        )
        np.testing.assert_array_equal(other, drop[order])


def spread(*means: float) -> np.ndarray:
    """Distances of 12 items around each mean in turn, symmetric."""
    rng = np.random.default_rng(0)
    out = np.zeros((12, 12))
    for number, (i, j) in enumerate(itertools.combinations(range(12), 2)):
        out[i, j] = out[j, i] = means[number % len(means)] + rng.normal(scale=0.01)
    return out


def test_the_threshold_is_the_first_peak_or_half_of_the_only_one() -> None:
    wide = SmartParams(kde_bandwidth=0.5)
    assert similarity_threshold(unlike(12), *near(spread(0.6)), wide) == pytest.approx(0.3, abs=0.01)
    assert similarity_threshold(unlike(12), *near(spread(0.2, 0.8))) == pytest.approx(0.2, abs=0.02)
    assert similarity_threshold(unlike(12), *near(spread(0.8, 0.3, 0.55))) == pytest.approx(0.3, abs=0.02)


def test_variants_do_not_count_for_the_threshold() -> None:
    distance = spread(0.5, 0.8)
    texts = unlike(12)
    for i in range(0, 12, 2):
        distance[i, i + 1] = distance[i + 1, i] = 0.08 + 0.004 * i
        texts[i + 1] = texts[i] + "!"
    assert similarity_threshold(texts, *near(distance)) == pytest.approx(0.5, abs=0.03)
    # If they did, theirs would be the first peak.
    assert similarity_threshold(unlike(12), *near(distance)) == pytest.approx(0.1, abs=0.03)


def test_all_parts_together_name_the_first_that_drops() -> None:
    n = 9
    answers = np.ones((7, n), dtype=bool), np.where(np.arange(n) < 2, 0.9, 0.3)[None].repeat(7, axis=0)
    distance = cliques(3, 3, 3)
    distance += 0.02 * np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    params = SmartParams(keep_easy_fraction=0)
    found = smart_filter([f"q{i}" for i in range(n)], unlike(n), *answers, near=near(distance), params=params)
    assert found.reason[:2].tolist() == ["easy", "easy"]
    assert 0.12 < found.threshold < 0.15
    similar = similar_items([f"q{i}" for i in range(n)], unlike(n), *near(distance), found.threshold, params)
    assert similar.any()
    assert set(found.reason[2:].tolist()) <= {"", "similar"}
    np.testing.assert_array_equal(found.reason[2:] == "similar", similar[2:])
    np.testing.assert_array_equal(found.keep, found.reason == "")


def test_what_has_no_meaning_is_refused() -> None:
    right, p = np.ones((2, 3), dtype=bool), np.full((2, 3), 0.5)
    with pytest.raises(InputError, match=r"must both be \(models, items\), got \(2, 3\) and \(3, 2\)"):
        is_sure(right, p.T)
    with pytest.raises(InputError, match=r"probability must lie in 0\.\.1; give the right answer's"):
        is_sure(right, p + 1)
    with pytest.raises(InputError, match=r"probability must lie in 0\.\.1, got 80"):
        is_sure(right, p, 80)
    with pytest.raises(InputError, match="answers are of 3 items and there are 2 texts"):
        smart_filter(["a", "b"], ["x", "y"], right, p)
    with pytest.raises(InputError, match="ids must be 3, one a text and each once, got 3 with 2 different"):
        smart_filter(["a", "b", "a"], unlike(3), right, p)
    for name in ("keep_easy_fraction", "string_ratio"):
        with pytest.raises(InputError, match=rf"{name} must lie in 0\.\.1"):
            smart_filter(list("abc"), unlike(3), right, p, params=SmartParams(**{name: 1.5}))
    order, far = near(cliques(3))
    with pytest.raises(InputError, match=r"must both be \(3, k\) for 3 texts, got \(3, 2\) and \(3, 1\)"):
        similar_items(list("abc"), unlike(3), order, far[:, :1], 0.3)
    with pytest.raises(InputError, match="neighbours must be other items, nearest first"):
        similar_items(list("abc"), unlike(3), order, far - [[0, 0.05]], 0.3)
    with pytest.raises(InputError, match="neighbours must be other items"):
        similar_items(list("abc"), unlike(3), np.array([[0], [1], [2]]), np.zeros((3, 1)), 0.3)
    with pytest.raises(InputError, match="there are no two different distances"):
        similarity_threshold(unlike(3), order, far)
