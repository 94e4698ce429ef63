"""Totals of a corpus whose bytes are known: coverage over corpora with heavy tails, and what knowing them is worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from workbench.checks import Array
from workbench.errors import InputError
from workbench.stats import Estimate, Known, Totals, kept_totals

AMOUNTS = ("n_documents", "n_tokens", "n_bytes")


class Corpus:
    """A corpus with heavy tails, of 1 to 8 sources, that a rule keeps some of: at random, or by length."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        sizes = rng.integers(1000, 12_000, rng.integers(1, 9))
        tokens = [self._tokens(int(n)) for n in sizes]
        self.source = np.repeat(np.arange(len(sizes)), sizes)
        self.tokens = np.concatenate(tokens)
        density = rng.uniform(2.5, 5.0, len(sizes))[self.source]
        self.bytes = np.ceil(self.tokens * density * np.exp(rng.normal(size=len(self.tokens)) * 0.15))
        by_length = rng.choice([0.0, 0.0, 0.5, -0.5, 1.5, -1.5])
        length = np.concatenate([(np.log(t) - np.log(t).mean()) / np.log(t).std() for t in tokens])
        liking = (
            by_length * length + rng.logistic(size=len(length)) + rng.normal(size=len(sizes))[self.source] / 2
        )
        share = rng.choice([0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98])
        self.keep = liking > np.quantile(liking, 1.0 - share)

    def _tokens(self, n: int) -> Array:
        rng, middle = self.rng, 10 ** self.rng.uniform(1.5, 3.5)
        kind = rng.integers(3)
        if kind == 0:
            tokens = middle * np.exp(rng.normal(size=n) * rng.uniform(0.5, 2.0))
        elif kind == 1:
            tokens = middle * (rng.pareto(rng.uniform(1.3, 3.0), n) + 0.3)
        else:
            tokens = middle * rng.gamma(rng.uniform(0.5, 3.0), size=n)
        return np.ceil(np.minimum(tokens, 3e6))

    def truth(self, source: int | None = None) -> dict[str, float]:
        rows = self.keep if source is None else self.keep & (self.source == source)
        return {
            "n_documents": rows.sum(),
            "n_tokens": self.tokens[rows].sum(),
            "n_bytes": self.bytes[rows].sum(),
        }

    def drawn(self) -> Totals:
        """The totals that a sample of 100 to 1,000 documents a source gives, equal or in proportion."""
        each = int(self.rng.choice([100, 300, 1000]))
        sizes = np.bincount(self.source)
        wanted = np.full(len(sizes), each) if self.rng.random() < 0.5 else each * sizes / sizes.mean()
        rows = np.concatenate(
            [
                self.rng.choice(
                    np.flatnonzero(self.source == h), max(2, min(int(n), size // 2)), replace=False
                )
                for h, (n, size) in enumerate(zip(wanted, sizes, strict=True))
            ]
        )
        n_bytes = self.bytes[rows]
        amounts = {"n_documents": np.ones(len(rows)), "n_tokens": self.tokens[rows], "n_bytes": n_bytes}
        known = Known(n_bytes, {str(h): float(self.bytes[self.source == h].sum()) for h in range(len(sizes))})
        return kept_totals(
            self.keep[rows],
            amounts,
            self.source[rows],
            {str(h): int(n) for h, n in enumerate(sizes)},
            known={"n_tokens": known, "n_bytes": known},
        )


def holds(estimates: Mapping[str, Estimate], truth: Mapping[str, float]) -> list[bool]:
    return [estimates[name].low <= truth[name] <= estimates[name].high for name in AMOUNTS]


@pytest.mark.slow
def test_intervals_of_500_heavy_tailed_corpora_cover_what_they_promise() -> None:
    in_all, by_source = [], []
    for seed in range(500):
        corpus = Corpus(np.random.default_rng([30, seed]))
        totals = corpus.drawn()
        in_all.append(holds(totals.all, corpus.truth()))
        by_source += [holds(totals.by_source[h], corpus.truth(int(h))) for h in totals.by_source]
    for found in (np.mean(in_all, axis=0), np.mean(by_source, axis=0)):
        for name, share in zip(AMOUNTS, found, strict=True):
            assert 0.92 <= share <= 0.98, name


def test_known_bytes_mend_a_sample_without_the_long_documents() -> None:
    # 98 documents of 10 bytes and 2 of 10,000, all kept but every tenth; the sample has none of the long ones.
    keep = np.arange(50) % 10 != 0
    got = kept_totals(
        keep,
        {"n_bytes": np.full(50, 10.0)},
        ["web"] * 50,
        {"web": 100},
        known={"n_bytes": Known(np.full(50, 10.0), {"web": 20_980})},
    )
    assert got.all["n_bytes"].value == pytest.approx(0.9 * 20_980)
    assert got.all["n_bytes"].high <= 20_980 - 50


def test_tokens_are_the_known_bytes_times_kept_tokens_a_byte() -> None:
    keep = np.array([True, False, True, True, False, False, False])
    tokens = np.array([10.0, 1, 20, 30, 1, 1, 1])
    n_bytes = np.array([40.0, 5, 90, 110, 5, 5, 5])
    known = Known(n_bytes, {"a": 1000, "b": 50_000})
    got = kept_totals(
        keep, {"n_tokens": tokens}, list("aabbbbb"), {"a": 20, "b": 500}, known={"n_tokens": known}
    )
    assert got.by_source["a"]["n_tokens"].value == pytest.approx(10 / 45 * 1000)
    assert got.by_source["b"]["n_tokens"].value == pytest.approx(50 / 215 * 50_000)
    # Strata of so few documents share a ratio in all: of expanded tokens to expanded bytes.
    expanded = (10 * 10 + 50 * 100) / (45 * 10 + 215 * 100)
    assert got.all["n_tokens"].value == pytest.approx(expanded * 51_000)


def test_large_strata_add_up() -> None:
    rng = np.random.default_rng(3)
    source = np.repeat([0, 1, 2], 40)
    n_bytes = np.ceil(rng.lognormal(5, 1, 120))
    known = Known(n_bytes, {"a": 1e6, "b": 2e6, "c": 5e5})
    got = kept_totals(
        rng.random(120) < 0.4,
        {"n_bytes": n_bytes},
        source,
        dict.fromkeys("abc", 4000),
        known={"n_bytes": known},
    )
    assert got.all["n_bytes"].value == pytest.approx(sum(s["n_bytes"].value for s in got.by_source.values()))


def test_a_corpus_sampled_whole_is_counted_whatever_is_known() -> None:
    known = Known(np.array([4.0, 6.0]), {"web": 99})
    got = kept_totals(
        np.array([True, False]),
        {"n_bytes": np.array([4.0, 6.0])},
        ["web"] * 2,
        {"web": 2},
        known={"n_bytes": known},
    )
    assert got.all["n_bytes"] == Estimate(4.0, 4.0, 4.0)


def test_a_stratum_that_was_not_sampled_is_at_most_its_known_bytes() -> None:
    known = Known(np.array([10.0, 30, 20, 40]), {"seen": 1000, "unseen": 700})
    got = kept_totals(
        np.array([True, False, False, False]),
        {"n_bytes": known.values},
        ["seen"] * 4,
        {"seen": 40, "unseen": 9},
        known={"n_bytes": known},
    )
    assert got.by_source["unseen"]["n_bytes"] == Estimate(pytest.approx(70.0), 0.0, 700.0)


def test_empty_texts_are_taken_by_the_document() -> None:
    known = Known(np.zeros(3), {"web": 500})
    got = kept_totals(
        np.array([True, True, False]),
        {"n_tokens": np.ones(3)},
        ["web"] * 3,
        {"web": 30},
        known={"n_tokens": known},
    )
    assert got.all["n_tokens"].value == pytest.approx(20)


def test_what_is_known_is_checked() -> None:
    known = Known(np.array([1.0, np.inf]), {"a": 5})
    with pytest.raises(InputError, match="what is known must be finite and not negative, got inf in row 1"):
        kept_totals(
            np.array([True, False]), {"n_tokens": np.ones(2)}, ["a"] * 2, {"a": 5}, known={"n_tokens": known}
        )
