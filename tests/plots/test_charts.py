from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.browser.hostile import PAYLOADS
from workbench.plots.colors import DROPPED, PALETTE, category_colors
from workbench.plots.composition import composition, composition_chart
from workbench.plots.distribution import distribution, distribution_chart
from workbench.plots.map import (
    color_by_cluster,
    color_by_kept,
    color_by_name,
    color_by_score,
    map_chart,
    map_data,
)

HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_source_has_the_same_colour_whatever_order_it_comes_in() -> None:
    assert (
        category_colors(["b", "a", "b"]) == category_colors(["a", "b"]) == {"a": PALETTE[0], "b": PALETTE[1]}
    )
    many = category_colors(f"{i:03d}" for i in range(40))
    assert len(many) == 40
    assert set(many.values()) == set(PALETTE)


def test_a_distribution_counts_kept_within_all() -> None:
    values = np.asarray([0.1, 0.2, 0.2, 0.9, np.nan], dtype=np.float32)
    data = distribution("quality", values, np.asarray([True, False, True, True, True]), n_bins=4)
    assert data is not None
    assert (data.counts, data.kept, data.n_unscored) == ((3, 0, 0, 1), (2, 0, 0, 1), 1)
    assert data.rows()[0]["documents"] == 3
    assert distribution("quality", values).kept == distribution("quality", values).counts  # type: ignore[union-attr]
    assert distribution("quality", values[4:]) is None


@pytest.mark.parametrize("values", [[0.1, 0.5, 0.9], [0, 3, 5000], [1.5, 20, 3000], [2, 2, 2]])
def test_a_distribution_chart_is_valid_and_holds_bins_only(values: list[float]) -> None:
    data = distribution("score", np.asarray(values * 500, dtype=np.float32))
    assert data is not None
    spec = distribution_chart(data, thresholds=[values[1]], unit="tokens").to_dict()
    assert len(json.dumps(spec)) < 30_000
    assert spec["layer"][0]["encoding"]["x"]["title"] == "score (tokens)"
    assert len(spec["layer"][1]["data"]["values"]) == 1


def test_a_composition_gives_shares_before_and_after_weighted_to_the_corpus() -> None:
    sources, weights = ["a", "a", HOSTILE], np.asarray([1.0, 1.0, 8.0])
    parts = composition(sources, np.asarray([True, False, True]), weights)
    assert [(p.source, p.documents, p.kept) for p in parts] == [(HOSTILE, 1, 1), ("a", 2, 1)]
    assert [p.share for p in parts] == pytest.approx([0.8, 0.2])
    assert [p.kept_share for p in parts] == pytest.approx([8 / 9, 1 / 9])
    nothing = composition(sources, np.zeros(3, dtype=bool), weights)
    assert [p.kept_share for p in nothing] == [0, 0]
    assert len(composition_chart(parts).to_dict()["data"]["values"]) == 4


def test_any_name_can_be_drawn_to_a_file(tmp_path: Path) -> None:
    n, names = len(PAYLOADS), list(PAYLOADS)
    parts = composition(names, np.ones(n, dtype=bool), np.ones(n))
    coloring, place = color_by_name(names), np.arange(n, dtype=np.float32)
    charts = [
        composition_chart(parts),
        map_chart(map_data(place, place, coloring), coloring, " ".join(names)),
    ]
    for i, chart in enumerate(charts):
        chart.save(str(tmp_path / f"{i}.svg"))
        drawn = ElementTree.parse(tmp_path / f"{i}.svg")
        assert {node.tag.split("}")[1] for node in drawn.iter()}.isdisjoint(
            {"script", "img", "image", "a", "style"}
        )
        # a legend shortens what is long
        assert any((node.text or "").startswith(PAYLOADS[0][:20]) for node in drawn.iter())


def test_names_and_kept_colour_every_document() -> None:
    by_name = color_by_name(["b", "a", "b"])
    assert (by_name.labels, by_name.codes.tolist(), by_name.counts) == (("a", "b"), [1, 0, 1], [1, 2])
    kept = color_by_kept(np.asarray([True, False, True]))
    assert [kept.labels[code] for code in kept.codes] == ["kept", "dropped", "kept"]
    assert kept.counts == [1, 2]


def test_clusters_are_named_and_noise_is_grey() -> None:
    coloring = color_by_cluster(np.asarray([1, 0, -1, np.nan, 0]), {0: "ship, whale", -1: "noise"})
    assert coloring.labels == ("ship, whale", "cluster 1", "noise")
    assert coloring.codes.tolist() == [1, 0, 2, 2, 0]
    assert coloring.colors[-1] == DROPPED


def test_a_score_is_coloured_in_ordered_steps() -> None:
    coloring = color_by_score(np.asarray([0.0, 0.5, 1.0, np.nan], dtype=np.float32))
    assert coloring.is_ordered
    assert coloring.codes.tolist() == [0, 5, 9, 10]
    assert coloring.labels[-1] == "not scored"
    assert coloring.labels[0] == "0 to 0.1"
    assert color_by_score(np.full(3, np.nan)).labels == ("not scored",)


def test_a_few_outliers_do_not_take_the_colours_of_the_others() -> None:
    values = np.r_[np.linspace(1, 2, 300), 90.0, np.nan, np.inf].astype(np.float32)
    coloring = color_by_score(values)
    assert coloring.codes[:300].min() == 0
    assert np.bincount(coloring.codes, minlength=11).tolist()[:10] == pytest.approx([30] * 10, abs=4)
    assert coloring.codes[300:].tolist() == [9, 10, 10]
    assert coloring.labels[0].startswith("up to 1.1")
    assert coloring.labels[9].endswith(" and more")
    assert len(set(coloring.labels)) == 11


def test_whole_numbers_have_steps_of_whole_numbers() -> None:
    few = color_by_score(np.r_[np.zeros(500), 3.0])
    assert few.labels[0] == "0"
    assert (few.labels[few.codes[0]], few.labels[few.codes[-1]].split()[-1]) == ("0", "3")
    many = color_by_score(np.arange(100.0))
    assert many.labels[:2] == ("0 to 9", "10 to 19")
    assert np.bincount(many.codes).tolist() == [10] * 10
    assert color_by_score(np.full(5, 7.0)).labels == ("7",)


def test_the_map_leaves_out_documents_without_a_place() -> None:
    coloring = color_by_name([HOSTILE, "b", "b"])
    data = map_data(np.asarray([1.0, np.nan, 3.0]), np.asarray([4.0, 5.0, 6.0]), coloring)
    assert data == {"x": [1.0, 3.0], "y": [4.0, 6.0], "group": [HOSTILE, "b"]}
    assert map_chart(data, coloring, title="map").to_dict()["title"] == "map"
