"""Methods side by side."""

from __future__ import annotations

import numpy as np

from workbench.plots.methods import kept_maps, length_chart, overlap_chart, rule_chart
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


def test_a_map_a_method_shows_what_it_keeps() -> None:
    x, y = np.arange(4.0), np.array([0.0, 1.0, np.nan, 3.0])
    keeps = {"one": np.array([True, False, True, False]), HOSTILE: np.ones(4, bool)}
    spec = kept_maps(x, y, keeps).to_dict()
    assert [chart["title"] for chart in spec["concat"]] == ["one: 50% kept", f"{HOSTILE}: 100% kept"]
    shown = spec["concat"][0]["data"]["values"]
    assert [row["group"] for row in shown] == ["kept", "dropped", "dropped"]


def test_rules_are_held_against_sources() -> None:
    spec = rule_chart(
        {"n_words": {"web": 0.25, HOSTILE: 0.0}, "n_lines": {"web": 1.0, HOSTILE: 0.5}}
    ).to_dict()
    cells = {(row["rule"], row["source"]): row["shown"] for row in spec["data"]["values"]}
    assert cells == {("n_words", "web"): "25%", ("n_words", HOSTILE): "0%", ("n_lines", "web"): "100%",
                     ("n_lines", HOSTILE): "50%"}  # fmt: skip
