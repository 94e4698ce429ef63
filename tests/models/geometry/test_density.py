"""HDBSCAN by the two packages."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from workbench.errors import InputError
from workbench.models.geometry.density import dense_clusters


def planted(d: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Dense groups of 60, 140 and 90 rows, shuffled, among 20 rows far and wide (-1)."""
    rng = np.random.default_rng(0)
    own = rng.permutation(np.repeat([-1, 0, 1, 2], [20, 60, 140, 90]))
    x = 8 * np.eye(3, d)[own] + rng.normal(0, 0.3, (len(own), d))
    x[own == -1] = rng.uniform(-20, 20, (20, d))
    return x, own


def find(x: np.ndarray, **more: Any) -> np.ndarray:
    return dense_clusters(x, **{"min_cluster_fraction": 0.05, "n_core_neighbors": 5, **more})


# Not compiled, since that takes a minute where it wasn't done before, and these few rows a second without.
_BY_FAST_HDBSCAN = """
import sys
import numpy as np
from workbench.models.geometry import density
density._MANY_ROWS = density._MANY_WIDE_ROWS = 0
sys.modules["hdbscan"] = None
given = np.load(sys.argv[1])
found = {
    name: [density.dense_clusters(given[name], min_cluster_fraction=0.05, n_core_neighbors=5) for _ in range(2)]
    for name in given
}
np.savez(sys.argv[2], **found)
"""


@pytest.fixture(scope="module")
def by_fast_hdbscan(tmp_path_factory: pytest.TempPathFactory) -> dict[int, np.ndarray]:
    """What fast-hdbscan, asked twice, finds of the planted groups in 2 and 12 dimensions."""
    given, found = (tmp_path_factory.mktemp("density") / name for name in ("given.npz", "found.npz"))
    np.savez(given, **{str(d): planted(d)[0] for d in (2, 12)})
    command = [sys.executable, "-c", _BY_FAST_HDBSCAN, str(given), str(found)]
    subprocess.run(command, check=True, env={**os.environ, "NUMBA_DISABLE_JIT": "1"})
    with np.load(found) as codes:
        return {int(d): codes[d] for d in codes}


@pytest.mark.parametrize("d", [2, 12])
@pytest.mark.parametrize("package", ["fast-hdbscan", "hdbscan"])
def test_planted_groups_are_found_and_numbered_by_size(
    by_fast_hdbscan: dict[int, np.ndarray], d: int, package: str
) -> None:
    x, own = planted(d)
    codes, again = by_fast_hdbscan[d] if package == "fast-hdbscan" else (find(x), find(x))
    assert codes.dtype == np.int64
    expected = np.array([2, 0, 1, -1])[own]
    clear = (codes != -1) & (own != -1)
    assert np.array_equal(codes[clear], expected[clear])
    assert (codes == expected).mean() > 0.9
    assert np.array_equal(again, codes)


@pytest.mark.parametrize(
    ("n", "d", "package"),
    [(20_000, 10, "hdbscan"), (20_001, 2, "fast-hdbscan"), (4000, 11, "hdbscan"), (4001, 11, "fast-hdbscan")],
)
def test_many_rows_or_dimensions_go_to_fast_hdbscan(
    monkeypatch: pytest.MonkeyPatch, n: int, d: int, package: str
) -> None:
    for module in ("hdbscan", "fast_hdbscan"):
        monkeypatch.setitem(sys.modules, module, None)
    x = np.zeros((n, d))
    x[0] = 1
    with pytest.raises(InputError, match=rf"clusters need {package}, which is not installed; .*\[lab\]"):
        find(x)


def test_the_two_packages_agree_but_for_the_borders(by_fast_hdbscan: dict[int, np.ndarray]) -> None:
    from sklearn.metrics import adjusted_rand_score

    assert adjusted_rand_score(find(planted()[0]), by_fast_hdbscan[2][0]) > 0.95


def test_noise_is_given_away_only_if_asked() -> None:
    x, own = planted()
    assert (find(x)[own == -1] == -1).any()
    codes = find(x, assign_noise=True)
    assert codes.min() == 0
    np.testing.assert_array_equal(codes[find(x) != -1], find(x)[find(x) != -1])


def test_too_few_rows_are_noise_and_copies_one_cluster() -> None:
    assert find(np.zeros((0, 3))).shape == (0,)
    assert find(np.ones((1, 3))).tolist() == [-1]
    assert find(np.eye(4)).tolist() == [-1] * 4
    assert find(np.ones((4, 30))).tolist() == [0] * 4
