"""C4's further rules: bad words and long lines. tests/selectors/test_filters.py has those that datatrove has in one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from datatrove.pipeline.filters.c4_filters import C4ParagraphFilter

from tests.scores.conftest import ADVERSARIAL
from workbench.checks import strings
from workbench.errors import InputError
from workbench.scores.c4 import c4_signals
from workbench.selectors.base import Selection
from workbench.selectors.c4 import SPEC, C4RulesParams

N = 2000


def run(bad: Any, long: Any = 5.0, seed: int = 0, **params: Any) -> Selection:
    def column(value: Any) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, dtype=np.float32), (N,))

    columns = {
        "doc_id": strings(f"d{i:04d}" for i in range(N)),
        "c4_n_lorem_ipsum_lines": column(0),
        "c4_n_curly_bracket_lines": column(0),
        "c4_n_sentences": column(np.where(np.arange(N) == 7, 1, 9)),
        "n_bad_words": column(bad),
        "c4_n_long_lines": column(long),
    }
    given = C4RulesParams(**params)
    read = {name: columns[name] for name in ("doc_id", *SPEC.needs(given))}
    return SPEC.run(read, given, {}, seed)


def test_without_a_limit_neither_column_is_read() -> None:
    assert not {"n_bad_words", "c4_n_long_lines"} & set(SPEC.needs(C4RulesParams()))
    assert run(3.0).keep.sum() == N - 1


def test_any_bad_word_drops_a_page_and_the_reason_counts_them() -> None:
    found = run(np.arange(N) % 3, max_bad_words=0)
    assert set(np.flatnonzero(found.keep)) == set(range(0, N, 3)) - {7}
    assert found.explain(2) == "n_bad_words 2 is above 0"
    assert found.explain(7) == "c4_n_sentences 1 is below 5; n_bad_words 1 is above 0"
    assert run(np.arange(N) % 3, max_bad_words=1).keep.sum() > found.keep.sum()


def test_a_keyed_share_of_the_pages_with_bad_words_is_kept_unless_another_rule_drops_them() -> None:
    found = run(2.0, max_bad_words=0, bad_words_kept_fraction=0.25)
    assert 0.21 * N < found.keep.sum() < 0.29 * N
    assert not found.keep[7]
    assert (found.keep <= run(2.0, max_bad_words=0, bad_words_kept_fraction=0.6).keep).all()
    assert (found.keep != run(2.0, seed=1, max_bad_words=0, bad_words_kept_fraction=0.25).keep).any()
    assert run(0.0, max_bad_words=0, bad_words_kept_fraction=0.25).keep.sum() == N - 1


def test_a_limit_without_a_list_is_refused() -> None:
    with pytest.raises(
        InputError, match=r'n_bad_words has no list; add "scores": \{"n_bad_words": \{"words"'
    ):
        run(np.nan, max_bad_words=0)
    with pytest.raises(InputError, match=r"bad_words_kept_fraction must lie in 0\.\.1"):
        run(1.0, max_bad_words=0, bad_words_kept_fraction=1.1)


def test_mc4_keeps_pages_of_three_long_lines() -> None:
    found = run(0.0, np.arange(N) % 5, min_long_lines=3)
    assert set(np.flatnonzero(~found.keep)) == {i for i in range(N) if i % 5 < 3} | {7}
    assert found.explain(1) == "c4_n_long_lines 1 is below 3"


def test_long_lines_are_datatroves() -> None:
    line = "x" * 199
    texts = [
        *ADVERSARIAL,
        *("\n".join([*[line + "y"] * k, *[line] * 4]) for k in range(5)),
        "\r".join([line + "y"] * 3),
        "\n".join([" " * 200] * 3),
    ]
    peer = C4ParagraphFilter()
    found = [c4_signals(text)["c4_n_long_lines"] >= 3 for text in texts]
    assert found == [peer.paragraph_filter(text) for text in texts]
    assert 1 < sum(found) < len(texts)
