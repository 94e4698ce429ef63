"""Methods side by side."""

from __future__ import annotations

import numpy as np

from workbench.plots.methods import length_chart, overlap_chart
from workbench.stats.compare import overlaps
from workbench.stats.confounds import length_confound

HOSTILE = "<img src=x onerror=alert(1)>"


def test_every_two_methods_have_a_cell_that_says_what_they_share() -> None:
    keeps = {
        "a": np.array([True, True, False]),
        HOSTILE: np.array([False, True, True]),
        "none": np.zeros(3, bool),
    }
    spec = overlap_chart(list(keeps), overlaps(keeps)).to_dict()
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rect", "text"]
    cells = {(row["a"], row["b"]): row["shown"] for row in spec["data"]["values"]}
    assert len(cells) == 9
    assert cells["a", HOSTILE] == "33%"
    assert cells["a", "a"] == "100%"
    assert cells["none", "none"] == "–"


def test_a_method_has_a_line_over_the_tenths_that_hold_documents() -> None:
    lengths = np.arange(4.0)
    found = {"longest": length_confound(lengths > 1, lengths), "all": length_confound(lengths >= 0, lengths)}
    rows = length_chart(found).to_dict()["data"]["values"]
    assert [row["kept"] for row in rows if row["method"] == "longest"] == [0, 0, 1, 1]
    assert [row["tenth"] for row in rows if row["method"] == "all"] == [1, 2, 3, 4]
