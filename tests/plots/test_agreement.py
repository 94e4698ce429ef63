from __future__ import annotations

import json
from typing import get_args

import numpy as np
import pytest

from workbench.plots.agreement import Measure, agreement_chart, agreement_rows
from workbench.stats.agreement import AgreementParams, rank_agreement

HOSTILE = "<img src=x onerror=alert(1)>"


def agreement():
    rng = np.random.default_rng(0)
    a = rng.random(50)
    columns = {"a": a, "b": a + 0.1 * rng.random(50), HOSTILE: -a, "same": np.ones(50)}
    return rank_agreement(columns, AgreementParams(0.2))


@pytest.mark.parametrize("measure", get_args(Measure))
def test_a_chart_has_a_cell_for_every_two_scores_and_holds_no_documents(measure: Measure) -> None:
    spec = agreement_chart(agreement(), measure).to_dict()
    assert len(agreement_rows(agreement(), measure)) == 16
    assert len(json.dumps(spec)) < 10_000
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["rect", "text"]


def test_a_cell_says_value_interval_and_how_many_documents() -> None:
    found = agreement()
    cells = {(row["a"], row["b"]): row for row in agreement_rows(found, "spearman")}
    cell = cells["a", "b"]
    assert cell["shown"] == f"{found.spearman[0, 1]:.2f}"
    assert cell["interval"] == f"{found.low[0, 1]:.2f} to {found.high[0, 1]:.2f}"
    assert cell["documents"] == 50
    assert cells["a", "a"]["interval"] == ""
    assert cells["a", "same"] | {"documents": 0} == {
        "a": "a", "b": "same", "value": None, "shown": "–", "interval": "", "documents": 0,
    }  # fmt: skip
    assert cells["a", HOSTILE]["value"] == -1


def test_the_title_says_what_is_shared() -> None:
    assert agreement_chart(agreement(), "overlap").to_dict()["title"] == "share of the lowest 20% in common"
