from __future__ import annotations

from pathlib import Path

import pytest

from widgets import paths
from widgets.forms import kind_of, new_step, score_options, step_form, with_param
from workbench.engine.table import Table
from workbench.errors import InputError, RecipeError
from workbench.recipe.schema import parse_step
from workbench.selectors import SELECTORS
from workbench.selectors.base import Quantile, Threshold


@pytest.mark.parametrize(
    ("hint", "kind"),
    [(int, "integer"), (float, "number"), (float | None, "number"), (bool, "flag"), (str, "text"),
     (tuple[str, ...], "names"), (Threshold, "threshold")],
)  # fmt: skip
def test_a_fields_type_decides_its_control(hint: object, kind: str) -> None:
    assert kind_of(hint) == kind


@pytest.mark.parametrize("select", sorted(SELECTORS))
def test_every_selector_gets_a_form_and_a_step_to_begin_with(select: str, table: Table) -> None:
    step = new_step(select, table)
    fields = step_form(step, table)
    assert [field["name"] for field in fields] == list(step.params.__dataclass_fields__)
    for field in fields:
        assert field["kind"] in {
            "threshold", "choice", "names", "flag", "integer", "number", "fraction", "text"
        }  # fmt: skip
        assert field["help"]
    assert parse_step(step.to_json()) == step


def test_a_share_gets_a_control_of_its_own(table: Table) -> None:
    kinds = {field["name"]: field["kind"] for field in step_form(new_step("prototypes", table), table)}
    assert kinds == {"keep_fraction": "fraction", "keep": "choice", "floor": "number", "unit": "choice"}


def test_the_form_offers_scores_that_fit(table: Table) -> None:
    assert score_options("category", table) == ["language"]
    assert "language" not in score_options("band", table)
    assert new_step("category", table).params.values == ("de", "en")


def test_a_step_needs_a_computed_score(table: Table) -> None:
    with pytest.raises(InputError, match="band needs a score and none that fits is computed"):
        new_step("band", None)


def test_a_score_that_is_gone_stays_in_the_form(table: Table) -> None:
    step = parse_step({"select": "band", "score": "n_chars", "low": 3})
    assert step_form(step, table)[0]["options"][0] == "n_chars"


def test_a_score_that_may_be_none_is_chosen_and_left_again(table: Table) -> None:
    step = parse_step({"select": "dpp"})
    field = next(f for f in step_form(step, table) if f["name"] == "quality")
    assert (field["kind"], field["value"], field["options"][0]) == ("choice", "", "")
    assert "perplexity" in field["options"]
    chosen = with_param(step, "quality", "perplexity", 0)
    assert next(f for f in step_form(chosen, table) if f["name"] == "quality")["value"] == "perplexity"
    assert with_param(chosen, "quality", "", 0) == step


def test_several_scores_and_their_weights_are_written_as_lists(table: Table) -> None:
    step = new_step("rank_average", table)
    assert len(step.params.scores) == 2
    fields = {field["name"]: field["kind"] for field in step_form(step, table)}
    assert (fields["scores"], fields["weights"]) == ("names", "names")
    assert with_param(step, "weights", ["1", "-2.5"], 0).params.weights == (1.0, -2.5)
    with pytest.raises(RecipeError, match='weights must be a list of numbers, got "high" as entry 2'):
        with_param(step, "weights", ["1", "high"], 0)
    with pytest.raises(RecipeError, match="there is no score 'n_token'"):
        with_param(step, "scores", ["n_token"], 0)


def test_open_sides_of_several_bands_are_written_as_open(table: Table) -> None:
    step = parse_step({"select": "vote", "scores": ["n_tokens", "perplexity"], "lows": [10, None]})
    values = {field["name"]: field["value"] for field in step_form(step, table)}
    assert (values["lows"], values["highs"]) == ([10, "open"], [])
    changed = with_param(step, "highs", ["open", "60.5"], 0)
    assert (changed.params.lows, changed.params.highs) == ((10, None), (None, 60.5))
    for text in ("wide", "nan", "inf"):
        with pytest.raises(RecipeError, match=f'vote highs must be a list of numbers or null, got "{text}"'):
            with_param(step, "highs", ["open", text], 0)
    with pytest.raises(RecipeError, match='weights must be a list of numbers, got "open" as entry 2'):
        with_param(new_step("rank_average", table), "weights", ["1", "open"], 0)
    assert new_step("vote", table).params.at_least == 1


def test_one_parameter_is_changed_and_checked(table: Table) -> None:
    step = parse_step({"select": "band", "score": "n_tokens", "low": 3, "unscored": "drop"})
    assert with_param(step, "low", {"quantile": 0.1}, 0).params.low == Quantile(0.1)
    assert with_param(step, "low", None, 0).params.low is None
    with pytest.raises(RecipeError, match="step 2: band low"):
        with_param(step, "low", "abc", 1)
    with pytest.raises(RecipeError, match="band has no parameter '__class__'"):
        with_param(step, "__class__", 1, 0)
    with pytest.raises(RecipeError, match="band needs 'score'"):
        with_param(step, "score", None, 0)


def test_in_a_notebook_any_path_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOILA_REQUEST_URL", raising=False)
    monkeypatch.delenv("VOILA_BASE_URL", raising=False)
    assert paths.default_root() is None
    assert paths.allowed(" s3://bucket/x.parquet ", None) == "s3://bucket/x.parquet"


def test_in_voila_a_visitor_stays_in_the_apps_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOILA_REQUEST_URL", "http://127.0.0.1:8866")
    root = paths.default_root()
    assert root == tmp_path
    monkeypatch.setenv("WORKBENCH_ROOT", str(tmp_path / "data"))
    assert paths.default_root() == tmp_path / "data"
    assert paths.allowed("a/b.parquet", root) == str(tmp_path / "a" / "b.parquet")
    (tmp_path / "link").symlink_to("/etc")
    for path in (
        "/etc/passwd",
        "../x",
        "a/../../x",
        "link/passwd",
        "https://example.com/a.parquet",
        "file:///etc",
    ):
        with pytest.raises(InputError, match="is outside of this app's folder"):
            paths.allowed(path, root)
    for path in ("", "  ", "a\0b"):
        with pytest.raises(InputError, match="the path is empty"):
            paths.allowed(path, root)
