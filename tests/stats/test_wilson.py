from __future__ import annotations

import pytest
from scipy.stats import binomtest

from workbench.errors import InputError
from workbench.stats.wilson import wilson_share


@pytest.mark.parametrize("n", [1, 2, 7, 20, 300])
def test_the_interval_is_scipys(n: int) -> None:
    for found in range(0, n + 1, max(1, n // 10)):
        expected = binomtest(found, n).proportion_ci(method="wilson")
        share = wilson_share(found, n)
        assert (share.value, share.low, share.high) == pytest.approx((found / n, expected.low, expected.high))
        assert 0 <= share.low <= found / n <= share.high <= 1


def test_of_nothing_nothing_is_known() -> None:
    share = wilson_share(0, 0)
    assert (share.value, share.low, share.high) == (None, 0, 1)


@pytest.mark.parametrize("found", [-1, 4])
def test_more_than_all_is_refused(found: int) -> None:
    with pytest.raises(InputError, match=r"n_found must lie in 0\.\.3"):
        wilson_share(found, 3)
