"""DSIR's log-importance-weights (Xie et al. 2023), held against the package data-selection."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.ngram.test_hashed import real, twin
from workbench.errors import InputError
from workbench.scores.base import Inputs
from workbench.scores.dsir import (
    DsirParams,
    chunks,
    compute,
    compute_targets,
    fit,
    fit_targets,
    log_ratio,
    log_weights,
)
from workbench.selectors.base import DESIGN_WEIGHT
from workbench.selectors.dsir_targets import SPEC as TARGETS
from workbench.selectors.dsir_targets import DsirTargetsParams


def texts_only(texts: list[str], target: list[str] | None = None) -> Inputs:
    aim = None if target is None else texts_only(target)
    return Inputs([f"d{i}" for i in range(len(texts))], ["s"] * len(texts), texts, target=aim)


def run(texts: list[str], target: list[str], **params: Any) -> np.ndarray:
    given = DsirParams(**params)
    return compute(texts_only(texts), given, fit(texts_only(texts, target), given, 0))["dsir_log_weight"]


@pytest.mark.parametrize(("n", "n_buckets"), [(2, 10_000), (3, 997)])
def test_the_weights_are_the_packages(n: int, n_buckets: int, tmp_path: Path) -> None:
    from data_selection import HashedNgramDSIR

    raw, target = real(12), real(40)[:40]
    for name, texts in (("raw", raw), ("target", target)):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        (tmp_path / f"{name}.jsonl").write_text(lines)
    peer = HashedNgramDSIR(
        [str(tmp_path / "raw.jsonl")],
        [str(tmp_path / "target.jsonl")],
        str(tmp_path / "cache"),
        num_proc=1,
        ngrams=n,
        num_buckets=n_buckets,
    )
    peer.fit_importance_estimator()
    peer.compute_importance_weights()
    expected = np.load(tmp_path / "cache" / "log_importance_weights" / "0.npy")
    is_long = peer.perexample_metadata_filter(np.load(tmp_path / "cache" / "perexample_metadata" / "0.npy"))
    found = run(raw, target, n=n, n_buckets=n_buckets)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(~np.isnan(found), is_long)
    assert 30 < is_long.sum() < len(raw)
    np.testing.assert_allclose(found[is_long], expected[is_long], rtol=0, atol=1e-9)


def test_with_targets_apart_weights_parts_and_choice_are_the_packages(tmp_path: Path) -> None:
    from data_selection import HashedNgramDSIR

    raw, targets = real(12), {"a": real(40)[:15], "b": real(30)[-20:], "c": real(50)[20:29]}
    raw = list(dict.fromkeys(raw))
    for name, texts in (("raw", raw), *targets.items()):
        lines = "".join(json.dumps({"text": text, "row": i}) + "\n" for i, text in enumerate(texts))
        (tmp_path / f"{name}.jsonl").write_text(lines)
    peer = HashedNgramDSIR(
        [str(tmp_path / "raw.jsonl")],
        [str(tmp_path / f"{name}.jsonl") for name in targets],
        str(tmp_path / "cache"),
        num_proc=1,
        separate_targets=True,
    )
    peer.fit_importance_estimator()
    peer.compute_importance_weights()
    expected = np.load(tmp_path / "cache" / "log_importance_weights" / "0.npy")
    is_long = peer.perexample_metadata_filter(np.load(tmp_path / "cache" / "perexample_metadata" / "0.npy"))

    texts = [text for group in targets.values() for text in group]
    sources = [name for name, group in targets.items() for _ in group]
    shuffled = np.random.default_rng(0).permutation(len(texts))
    aim = Inputs(
        [f"t{i}" for i in shuffled],
        [sources[i] for i in shuffled],
        [texts[i] for i in shuffled],
    )
    inputs = Inputs([f"d{i:03d}" for i in range(len(raw))], ["s"] * len(raw), raw, target=aim)
    state = fit_targets(inputs, DsirParams(), 0)
    weights = log_weights(raw, state["log_ratio"])
    np.testing.assert_array_equal(~np.isnan(weights), np.repeat(is_long[:, None], 3, axis=1))
    np.testing.assert_allclose(weights[is_long], expected[is_long], rtol=0, atol=1e-9)
    np.testing.assert_allclose(state["n_grams"] / state["n_grams"].sum(), peer.target_proportions, rtol=1e-12)

    n_kept = 23
    peer.resample(str(tmp_path / "out"), n_kept, cache_dir=str(tmp_path / "chosen"), top_k=True)
    chosen = [json.loads(line)["row"] for line in (tmp_path / "out" / "0.jsonl").read_text().splitlines()]
    rows = np.flatnonzero(is_long)
    columns = {
        "doc_id": np.array(inputs.doc_ids, dtype=object)[rows],
        "dsir_target_log_weights": compute_targets(inputs, DsirParams(), state)["dsir_target_log_weights"][
            rows
        ],
        DESIGN_WEIGHT: np.ones(len(rows)),
    }
    params = DsirTargetsParams(keep_fraction=n_kept / len(rows), top_k=True)
    found = TARGETS.run(columns, params, state, 0)
    assert rows[found.keep].tolist() == sorted(chosen)
    assert len(chosen) == n_kept


def test_the_weight_is_the_formula_of_the_released_code_with_smoothing() -> None:
    # The smoothing came to the code after the package's last release.
    raw, target, n_buckets = real(3), real(9)[:9], 1000

    def counts(texts: list[str]) -> np.ndarray:
        out = np.zeros((len(texts), n_buckets))
        for row, text in zip(out, texts, strict=True):
            for bucket, times in twin(text, 2, n_buckets).items():
                row[bucket] = times
        return out

    own, aim = counts(raw), counts(target).sum(axis=0) + 0.5
    p_target, p_raw = aim / aim.sum(), own.sum(axis=0) / own.sum()
    expected = own @ (np.log(p_target + 1e-8) - np.log(p_raw + 1e-8))
    found = run(raw, target, n_buckets=n_buckets, target_laplace_smoothing=0.5, min_tokens=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_a_sample_that_is_its_own_target_weighs_nothing() -> None:
    texts = real(5)
    assert np.nanmax(np.abs(run(texts, texts))) == 0


def test_a_bucket_that_the_target_lacks_costs_the_floor_unless_smoothed() -> None:
    raw, target = np.array([1, 9_999]), np.array([0, 5])
    assert log_ratio(target, raw)[0] == pytest.approx(math.log(1e-8 / 1e-4), abs=1e-3)  # -9.2
    assert log_ratio(target, np.array([100, 9_900]))[0] == pytest.approx(-13.8, abs=0.02)
    assert log_ratio(target, raw, 1.0)[0] > 0


def test_what_the_target_is_like_weighs_more() -> None:
    cats, stocks = (
        "the cat sat on the mat and purred softly " * 15,
        "shares fell as the bank raised its rates " * 15,
    )
    weights = run([cats, stocks], ["a cat sat and purred on a mat"], target_laplace_smoothing=0.1)
    assert weights[0] > weights[1]


def test_a_short_document_and_one_without_words_have_no_weight() -> None:
    texts = ["a " * 99, "a " * 100, "", "  "]
    assert np.isnan(run(texts, ["a"])).tolist() == [True, False, True, True]
    assert np.isnan(run(texts, ["a"], min_tokens=0)).tolist() == [False, False, True, True]
    assert np.isnan(run(texts, ["a"], variant="paper")).tolist() == [True, False, True, True]


def test_the_sum_grows_with_length_and_the_mean_of_chunks_does_not() -> None:
    # 128 words without a mark, so that a chunk has the tokens of a chunk of the longer ones.
    words = [w for w in " ".join(real(6)).split() if w.isascii() and w.isalnum()][:128]
    texts = [" ".join(words * times) for times in (1, 2, 4, 8)]
    target = real(2)
    summed, mean = (run(texts, target, variant=variant) for variant in ("repo", "paper"))
    np.testing.assert_allclose(summed / summed[0], [1, 2, 4, 8], rtol=0.02)
    np.testing.assert_allclose(mean, mean[0], rtol=1e-9)


def test_chunks_differ_by_one_word_at_most_and_lose_none() -> None:
    for n_words in (1, 63, 64, 128, 191, 192, 1000):
        words = [str(i) for i in range(n_words)]
        cut = [chunk.split() for chunk in chunks(" ".join(words), 128)]
        assert [word for chunk in cut for word in chunk] == words
        assert len(cut) == max(1, math.floor(n_words / 128 + 0.5))
        assert max(map(len, cut)) - min(map(len, cut)) <= 1


def test_the_weight_of_a_text_does_not_depend_on_the_texts_beside_it() -> None:
    texts = real(8)
    for variant in ("repo", "paper"):
        params = DsirParams(min_tokens=1, variant=variant)  # type: ignore[arg-type]
        ratio = fit(texts_only(texts, real(1)), params, 0)["log_ratio"]
        whole = log_weights(texts, ratio[None], params)
        alone = np.concatenate([log_weights([text], ratio[None], params) for text in texts])
        assert whole.tobytes() == alone.tobytes()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n": 0}, "n must be at least 1, got 0"),
        ({"n_buckets": 0}, "n_buckets must be at least 1"),
        ({"min_tokens": -1}, "min_tokens must be at least 0"),
        ({"target_laplace_smoothing": -0.1}, "target_laplace_smoothing must be at least 0"),
        ({"chunk_words": 0}, "chunk_words must be at least 1"),
        ({"variant": "mine"}, "variant must be repo or paper, got 'mine'"),
        ({"words": "nltk"}, "words must be regex or re, got 'nltk'"),
    ],
)
def test_a_param_out_of_range_is_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(["a b"], ["a"], **params)


def test_texts_without_a_word_are_refused() -> None:
    with pytest.raises(InputError, match="the target holds no word"):
        run(["a b"], ["", " "])
    with pytest.raises(InputError, match="the sample holds no word"):
        run([""], ["a"])
