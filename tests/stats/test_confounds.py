"""Length and source as the hidden reason of a selection."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from workbench.errors import InputError
from workbench.stats.compare import overlaps
from workbench.stats.confounds import kept_by_source, length_confound

LENGTHS = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 55])


def test_keeping_the_longest_keeps_more_of_the_tokens() -> None:
    found = length_confound(LENGTHS > 8, LENGTHS)
    assert found.document_fraction == 0.2
    assert found.token_fraction == 0.64
    assert found.kept_by_decile.tolist() == [0] * 8 + [1] * 2
    assert found.correlation == pytest.approx(spearmanr(LENGTHS > 8, LENGTHS).statistic)


def test_a_score_is_held_against_length_where_there_is_one() -> None:
    score = np.random.default_rng(0).normal(size=10) - LENGTHS / 10
    score[3] = np.nan
    found = length_confound(score > 0, LENGTHS, score=score)
    assert found.correlation == pytest.approx(spearmanr(score, LENGTHS, nan_policy="omit").statistic)
    assert np.isnan(length_confound(score > 0, np.ones(10), score=score).correlation)


def test_documents_count_as_many_times_as_they_stand_for() -> None:
    keep = np.array([True, False])
    found = length_confound(keep, np.array([10.0, 30.0]), weight=np.array([3.0, 1.0]))
    assert (found.document_fraction, found.token_fraction) == (0.75, 0.5)
    assert np.isnan(found.kept_by_decile[2:]).all()


def test_columns_of_other_lengths_or_none_are_refused() -> None:
    for keep, lengths in ((np.ones(2, bool), np.ones(3)), (np.ones(0, bool), np.ones(0))):
        with pytest.raises(InputError, match="must be as long and not empty"):
            length_confound(keep, lengths)


def test_sources_have_what_there_is_and_what_is_kept() -> None:
    found = kept_by_source(
        np.array([True, False, True]), np.array(["b", "a", "b"]), np.array([2.0, 3.0, 4.0])
    )
    assert found == {"a": (3.0, 0.0), "b": (6.0, 6.0)}


def test_overlap_is_jaccards_index() -> None:
    rng = np.random.default_rng(1)
    keeps = {
        name: rng.random(400) < share for name, share in (("a", 0.5), ("b", 0.3), ("c", 0.0), ("d", 0.0))
    }
    found = overlaps(keeps)
    for i, one in enumerate(keeps.values()):
        for j, other in enumerate(keeps.values()):
            either = (one | other).sum()
            expected = (one & other).sum() / either if either else np.nan
            np.testing.assert_allclose(found[i, j], expected)
    weighted = overlaps({"a": np.array([True, True]), "b": np.array([True, False])}, np.array([1.0, 3.0]))
    assert weighted[0, 1] == 0.25


def test_overlaps_of_nothing_and_of_other_documents() -> None:
    assert overlaps({}).shape == (0, 0)
    with pytest.raises(InputError, match="must be of the same documents, got \\[2, 3\\]"):
        overlaps({"a": np.ones(2, bool), "b": np.ones(3, bool)})
