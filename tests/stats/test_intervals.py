"""Totals of a corpus from a sample: exact where they can be, honest where they can't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from workbench.checks import BoolArray, FloatArray
from workbench.errors import InputError
from workbench.stats import Estimate, Totals, intervals, kept_totals
from workbench.stats.share import estimates as estimates_of

# The truth must lie in the interval at least this often; measured: .945 and .915 (docstring of kept_totals).
LEAST_DOCUMENTS, LEAST_TOKENS = 0.93, 0.90
N_DRAWS = 100
KEPT_SHARES = (0.002, 0.01, 0.1, 0.5, 0.9, 0.99)
EIGHT_STRATA = {
    "n_corpus": (2000, 20_000, 5000, 1000, 50_000, 3000, 8000, 400),
    "n_sample": (20, 200, 50, 20, 400, 100, 80, 40),
}
THREE_STRATA = {"n_corpus": (5000, 500, 20_000), "n_sample": (50, 100, 400)}


def totals(
    keep: Sequence[bool], n_corpus: int, amount: Sequence[float] | None = None, level: float = 0.95
) -> Totals:
    """Totals of one stratum; `documents` and, if given, `amount`."""
    amounts = {"documents": np.ones(len(keep))}
    if amount is not None:
        amounts["amount"] = np.asarray(amount, dtype=float)
    return kept_totals(
        np.array(keep, dtype=bool), amounts, ["web"] * len(keep), {"web": n_corpus}, level=level
    )


def documents(keep: Sequence[bool], n_corpus: int, level: float = 0.95) -> Estimate:
    return totals(keep, n_corpus, level=level).all["documents"]


class Population:
    """A corpus whose truth is known: skewed token counts, and a kept share that may favour long documents."""

    def __init__(
        self, n_corpus: Sequence[int], shares: Sequence[float], rng: np.random.Generator, by_length: bool
    ) -> None:
        self.tokens = [np.ceil(rng.lognormal(5.0, 1.0, n)) for n in n_corpus]
        self.keep = []
        for tokens, share in zip(self.tokens, shares, strict=True):
            luck = rng.random(len(tokens))
            if by_length:
                luck = 0.7 * np.argsort(np.argsort(tokens)) / len(tokens) + 0.3 * luck
            self.keep.append(luck >= np.quantile(luck, 1.0 - share))

    @property
    def truth(self) -> dict[str, float]:
        pairs = list(zip(self.keep, self.tokens, strict=True))
        return {"documents": sum(k.sum() for k, _ in pairs), "tokens": sum(t[k].sum() for k, t in pairs)}

    def draw(self, n_sample: Sequence[int], n_draws: int, rng: np.random.Generator) -> Draws:
        each = [
            [rng.choice(len(t), n, replace=False) for t, n in zip(self.tokens, n_sample, strict=True)]
            for _ in range(n_draws)
        ]
        keep = [k[rows] for draw in each for k, rows in zip(self.keep, draw, strict=True)]
        tokens = [t[rows] for draw in each for t, rows in zip(self.tokens, draw, strict=True)]
        sizes = [len(t) for t in self.tokens]
        return Draws(np.concatenate(keep), np.concatenate(tokens), sizes, tuple(n_sample), n_draws)


@dataclass(frozen=True)
class Draws:
    """Samples of one population, one after the other, each by strata: bool and float64 (n_draws * n,)."""

    keep: BoolArray
    tokens: FloatArray
    n_corpus: list[int]
    n_sample: tuple[int, ...]
    n_draws: int

    def estimates(self) -> dict[str, list[Estimate]]:
        """What `kept_totals` says of all strata of each draw; at once, since there are thousands."""
        n_strata = len(self.n_sample)
        sizes = {f"{h:06d}": n for h, n in enumerate(self.n_corpus * self.n_draws)}
        strata = np.repeat(np.arange(len(sizes)), self.n_sample * self.n_draws)
        layout = intervals._layout(len(strata), strata, sizes)
        draw = np.repeat(np.arange(self.n_draws), n_strata)
        # The small strata of a draw share a ratio, as those of one sample do.
        pool = np.where(layout.n < intervals._FEW, draw, self.n_draws + np.arange(len(sizes)))
        amounts = {"documents": np.ones(len(strata)), "tokens": self.tokens}
        sums = {name: intervals._sums_of(layout, self.keep, a, None) for name, a in amounts.items()}
        return {name: estimates_of(s, pool, draw, 0.95, self.n_draws) for name, s in sums.items()}

    def one(self, i: int) -> Totals:
        """The i-th draw by itself."""
        n = sum(self.n_sample)
        mine = slice(i * n, (i + 1) * n)
        strata = [f"s{h}" for h, size in enumerate(self.n_sample) for _ in range(size)]
        sizes = {f"s{h}": size for h, size in enumerate(self.n_corpus)}
        return kept_totals(
            self.keep[mine], {"documents": np.ones(n), "tokens": self.tokens[mine]}, strata, sizes
        )


def coverage(
    n_corpus: Sequence[int],
    n_sample: Sequence[int],
    shares: Sequence[float],
    *,
    by_length: bool,
    n_draws: int = N_DRAWS,
) -> dict[str, float]:
    """How often the interval holds the truth, over draws from five populations."""
    rng = np.random.default_rng(20)
    hits = {"documents": 0, "tokens": 0}
    for _ in range(5):
        population = Population(n_corpus, shares, rng, by_length)
        truth = population.truth
        for name, estimates in population.draw(n_sample, n_draws // 5, rng).estimates().items():
            hits[name] += sum(each.low <= truth[name] <= each.high for each in estimates)
    return {name: n / n_draws for name, n in hits.items()}


# --------------------------------------------------------------------------------------------------- coverage


@pytest.mark.parametrize("strata", [EIGHT_STRATA, THREE_STRATA], ids=["8 strata", "3 strata"])
def test_draws_that_are_estimated_at_once_are_each_what_kept_totals_gives(
    strata: dict[str, Sequence[int]],
) -> None:
    rng = np.random.default_rng(3)
    for share in KEPT_SHARES:
        population = Population(strata["n_corpus"], [share] * len(strata["n_corpus"]), rng, by_length=True)
        draws = population.draw(strata["n_sample"], 4, rng)
        found = draws.estimates()
        for i in range(4):
            assert {name: estimates[i] for name, estimates in found.items()} == draws.one(i).all


@pytest.mark.parametrize("by_length", [False, True])
@pytest.mark.parametrize("strata", [EIGHT_STRATA, THREE_STRATA], ids=["8 strata", "3 strata"])
def test_intervals_cover_the_truth(strata: dict[str, Sequence[int]], by_length: bool) -> None:
    found = [
        coverage(**strata, shares=[p] * len(strata["n_corpus"]), by_length=by_length) for p in KEPT_SHARES
    ]
    # On average over the kept shares; one share alone has a standard error of .02 here.
    assert np.mean([each["documents"] for each in found]) >= LEAST_DOCUMENTS
    assert np.mean([each["tokens"] for each in found]) >= LEAST_TOKENS
    assert min(each["documents"] for each in found) >= LEAST_DOCUMENTS - 0.03
    assert min(each["tokens"] for each in found) >= LEAST_TOKENS - 0.03


@pytest.mark.slow
@pytest.mark.parametrize("by_length", [False, True])
@pytest.mark.parametrize("share", KEPT_SHARES)
def test_intervals_cover_the_truth_at_each_kept_share(share: float, by_length: bool) -> None:
    for strata in (EIGHT_STRATA, THREE_STRATA):
        shares = [share] * len(strata["n_corpus"])
        found = coverage(**strata, shares=shares, by_length=by_length, n_draws=600)
        assert found["documents"] >= LEAST_DOCUMENTS
        assert found["tokens"] >= LEAST_TOKENS


def test_intervals_cover_where_one_source_is_kept_and_another_dropped() -> None:
    found = coverage((5000, 20_000, 800), (60, 150, 40), (0.99, 0.005, 0.5), by_length=False, n_draws=200)
    assert found["documents"] >= LEAST_DOCUMENTS
    assert found["tokens"] >= LEAST_TOKENS


def test_the_interval_of_a_small_source_covers_the_documents() -> None:
    for share in KEPT_SHARES:
        found = coverage((5000,), (20,), (share,), by_length=False, n_draws=100)
        assert found["documents"] >= 0.95
        assert found["tokens"] >= 0.85


def test_an_interval_is_not_wider_than_it_must_be() -> None:
    # 300 kept of 1,000 drawn of 100,000: the normal interval, right there, is +-2,826.
    estimate = documents([True] * 300 + [False] * 700, 100_000)
    assert estimate.value == 30_000
    assert (estimate.high - estimate.low) / (2 * 2826) == pytest.approx(1.0, abs=0.05)


# ----------------------------------------------------------------------------------------------- exact
# answers


def test_a_corpus_sampled_whole_has_no_interval() -> None:
    got = totals([True, False, True], 3, [5.0, 7.0, 11.0])
    assert got.all == {"documents": Estimate(2.0, 2.0, 2.0), "amount": Estimate(16.0, 16.0, 16.0)}
    assert got.by_source == {"web": got.all}


def test_the_value_expands_each_stratum_by_its_own_rate() -> None:
    keep = np.array([True, False, True, True, False, False, False])
    tokens = np.array([10.0, 1, 20, 30, 1, 1, 1])
    strata = ["a", "a", "b", "b", "b", "b", "b"]
    got = kept_totals(keep, {"tokens": tokens}, strata, {"a": 20, "b": 500})
    assert got.all["tokens"].value == pytest.approx(10 * 10 + 50 * 100)
    assert got.by_source["a"]["tokens"].value == pytest.approx(100)
    assert got.by_source["b"]["tokens"].value == pytest.approx(5000)
    assert list(got.by_source) == ["a", "b"]


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_rare_documents_have_the_exact_poisson_interval(kept: int) -> None:
    n, rate = 4000, 1000
    estimate = documents([True] * kept + [False] * (n - kept), n * rate)
    # The exact limits: a mean at which so few, or so many, have a chance of 2.5 %.
    low, high = estimate.low / rate, estimate.high / rate
    assert poisson.cdf(kept, high) == pytest.approx(0.025, abs=0.002)
    if kept:
        assert poisson.sf(kept - 1, low) == pytest.approx(0.025, abs=0.002)
    else:
        assert low == 0


def test_kept_and_dropped_mirror_each_other() -> None:
    keep = np.arange(90) < 7
    kept, dropped = documents(keep, 3000), documents(~keep, 3000)
    assert dropped.value == pytest.approx(3000 - kept.value)
    assert dropped.low == pytest.approx(3000 - kept.high)
    assert dropped.high == pytest.approx(3000 - kept.low)


def test_a_constant_amount_is_a_multiple_of_the_documents() -> None:
    keep = [True] * 13 + [False] * 7
    got = totals(keep, 400, [512.0] * 20).all
    for name in ("value", "low", "high"):
        assert getattr(got["amount"], name) == pytest.approx(512 * getattr(got["documents"], name))


def test_a_higher_level_is_wider() -> None:
    keep = [True] * 5 + [False] * 45
    narrow, usual, wide = (documents(keep, 900, level) for level in (0.5, 0.95, 0.999))
    assert wide.low < usual.low < narrow.low < narrow.high < usual.high < wide.high


def test_a_larger_part_of_the_corpus_gives_a_narrower_interval() -> None:
    keep = [True] * 30 + [False] * 70
    widths = [documents(keep, n).high - documents(keep, n).low for n in (100, 101, 120, 200, 100_000)]
    shares = np.array(widths) / (100, 101, 120, 200, 100_000)
    assert shares[0] == 0
    assert (np.diff(shares) > 0).all()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_an_interval_holds_its_value_and_never_contradicts_the_sample(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), min_size=1, max_size=6))
    n_corpus = {f"s{h}": n + more for h, (n, more) in enumerate(sizes)}
    strata = [f"s{h}" for h, (n, _) in enumerate(sizes) for _ in range(n)]
    keep = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(strata), max_size=len(strata))), dtype=bool
    )
    amount = st.sampled_from([0.0, 1.0, 3.0, 1e9])
    tokens = np.array(data.draw(st.lists(amount, min_size=len(strata), max_size=len(strata))), dtype=float)
    got = kept_totals(keep, {"documents": np.ones(len(keep)), "tokens": tokens}, strata, n_corpus)
    for source, estimates in (("", got.all), *got.by_source.items()):
        rows = np.array([source in ("", s) for s in strata], dtype=bool)
        corpus = sum(n_corpus.values()) if source == "" else n_corpus[source]
        for name, seen in (("documents", keep[rows].sum()), ("tokens", tokens[rows & keep].sum())):
            estimate = estimates[name]
            assert np.isfinite([estimate.value, estimate.low, estimate.high]).all()
            slack = 1e-9 * max(1.0, estimate.high)
            assert seen - slack <= estimate.low <= estimate.value + slack
            assert estimate.value <= estimate.high + slack
        assert estimates["documents"].high <= corpus - (~keep[rows]).sum() + 1e-6


# ---------------------------------------------------------------------------------------------- tiny strata


def test_a_source_with_one_sampled_document_may_be_anything_else() -> None:
    got = kept_totals(
        np.array([True, False, True]), {"documents": np.ones(3), "tokens": np.array([10.0, 40, 5])},
        ["one", "two", "two"], {"one": 8, "two": 2},
    )  # fmt: skip
    assert got.by_source["one"]["documents"] == Estimate(8.0, 1.0, 8.0)
    # Each unseen document counts with as many tokens as the longest that was seen.
    assert got.by_source["one"]["tokens"] == Estimate(80.0, 10.0, 10.0 + 7 * 40)
    assert got.all["documents"] == Estimate(9.0, 2.0, 9.0)


def test_a_source_that_was_not_sampled_is_taken_for_like_the_others() -> None:
    keep = np.array([True, False, False, False])
    got = kept_totals(keep, {"documents": np.ones(4)}, ["seen"] * 4, {"seen": 40, "unseen": 100})
    assert got.by_source["unseen"]["documents"] == Estimate(25.0, 0.0, 100.0)
    assert got.all["documents"].value == pytest.approx(35.0)


def test_many_sources_of_one_document_each_count_as_one_stratum() -> None:
    # Sampled at one rate over 400 sources: as the worst case of each, the interval would be 100 to 20,000.
    rng = np.random.default_rng(1)
    keep = rng.random(400) < 0.25
    names = [f"site{i}" for i in range(400)]
    got = kept_totals(keep, {"documents": np.ones(400)}, names, dict.fromkeys(names, 50))
    alone = documents(keep, 20_000)
    assert got.all["documents"].low == pytest.approx(alone.low)
    assert got.all["documents"].high == pytest.approx(alone.high)
    assert got.by_source["site0"]["documents"].high >= 49


def test_an_empty_sample_of_an_empty_corpus_is_zero() -> None:
    got = kept_totals(np.zeros(0, dtype=bool), {"documents": np.zeros(0)}, [], {})
    assert got.all["documents"] == Estimate(0.0, 0.0, 0.0)
    assert got.by_source == {}


# -------------------------------------------------------------------------------------------------- bad input


def test_bad_arguments_are_refused() -> None:
    keep, ones = np.array([True, False]), {"n_documents": np.ones(2)}
    with pytest.raises(InputError, match=r"level must lie between 0 and 1, got 95; 0\.95 is usual"):
        kept_totals(keep, ones, ["a", "a"], {"a": 5}, level=95)
    with pytest.raises(
        InputError, match=r"n_tokens has shape \(3,\) for 2 documents; give one amount a document"
    ):
        kept_totals(keep, {"n_tokens": np.ones(3)}, ["a", "a"], {"a": 5})
    with pytest.raises(
        InputError, match="n_tokens must be finite and not negative, got nan in row 1; mend the column"
    ):
        kept_totals(keep, {"n_tokens": np.array([1.0, np.nan])}, ["a", "a"], {"a": 5})
    with pytest.raises(InputError, match="n_tokens must be finite and not negative, got -3 in row 0"):
        kept_totals(keep, {"n_tokens": np.array([-3.0, 1])}, ["a", "a"], {"a": 5})
    with pytest.raises(InputError, match="there are 1 strata for 2 documents; give one a document"):
        kept_totals(keep, ones, ["a"], {"a": 5})
    with pytest.raises(InputError, match="documents of 'b', but its design doesn't; draw the sample again"):
        kept_totals(keep, ones, ["a", "b"], {"a": 5})
    with pytest.raises(
        InputError, match="'a' has 2 documents in the sample, but by its design 1 in the corpus"
    ):
        kept_totals(keep, ones, ["a", "a"], {"a": 1})


def test_strata_may_be_a_string_array() -> None:
    strata = np.array(["a", "b", "a"], dtype=np.dtypes.StringDType())
    got = kept_totals(np.array([True, True, False]), {"n": np.ones(3)}, strata, {"a": 2, "b": 1})
    assert got.by_source["a"]["n"].value == 1
