"""What a compiled recipe keeps, run by the tool that it is for, is what the engine keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.checks import Array
from workbench.errors import InputError
from workbench.recipe.compile import to_polars, to_sql, write_ids
from workbench.recipe.compile.conditions import is_expressible
from workbench.recipe.compile.sql import identifier, literal
from workbench.recipe.model import Recipe
from workbench.scores import SCORES
from workbench.selectors import SELECTORS

N = 150
FILTERS = ("gopher_quality", "gopher_repetition", "c4", "fineweb", "refinedweb", "redpajama")
HOSTILE = [
    "it's",
    '"; DROP TABLE scores; --',
    "a\\'b",
    "line\nend",
    "\x00nul\x00",
    "\u202eright",
    "ümlaut",
    "",
    "'",
]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> wb.Table:
    """The embedded sample with the text signals, and columns with what a band may stumble over."""
    folder = tmp_path_factory.mktemp("compile")
    frame = wb.read(wb.sample_corpus()).sample(N, by="source", seed=0).frame
    sources = [HOSTILE[i % len(HOSTILE)] for i in range(N)]
    frame.with_columns(pl.Series("source", sources)).write_parquet(folder / "corpus.parquet")
    sample = wb.read(folder / "corpus.parquet").sample(N, by="source", seed=0)
    read = [need for name in FILTERS for need in _needs(name)]
    table = wb.score(sample, ["n_bytes", "language", *read], store=folder / "store")
    n, rng = len(sample), np.random.default_rng(0)
    odd = [np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, 1e-45]
    perplexity = rng.choice([*odd, *np.round(rng.lognormal(3, 1, 40), 1)], n).astype(np.float32)
    nll = rng.choice([np.nan, 0.1, 0.2, 0.3, 1e300, -1e300, np.float32(0.1), 2.0**53], n)
    made = {"perplexity": perplexity, "nll_sum": nll, "prototype_distance": np.full(n, np.nan, np.float32)}
    table.scores.update(made)
    return table


def _needs(name: str) -> tuple[str, ...]:
    spec = SELECTORS[name]
    return spec.needs(spec.params())


def frame_of(table: wb.Table, null: bool) -> pl.DataFrame:
    """The scores as a file has them: labels, and no value as NaN or null."""
    columns = {
        name: pl.Series(name, table.columns([name])[name].tolist(), pl.String)
        if SCORES[name].labels
        else pl.Series(name, values)
        for name, values in table.scores.items()
        if values.ndim == 1
    }
    frame = pl.DataFrame({"doc_id": table.sample.doc_ids, "source": table.sample.sources, **columns})
    if not null:
        return frame
    blank = pl.when(pl.col("language") != "").then(pl.col("language")).alias("language")
    return frame.with_columns(pl.selectors.float().fill_nan(None), blank)


def by_polars(recipe: Recipe, frame: pl.DataFrame) -> list[str]:
    module: dict[str, Any] = {}
    exec(compile(to_polars(recipe), "compiled", "exec"), module)
    assert not frame.select(module["keep"].alias("keep"))["keep"].has_nulls()
    return frame.lazy().filter(module["keep"]).collect()["doc_id"].to_list()


def by_sql(recipe: Recipe, frame: pl.DataFrame) -> list[str]:
    with duckdb.connect() as connection:
        connection.register("scores", frame.to_arrow())
        found = connection.sql(to_sql(recipe)).fetchall()
    return [row[0] for row in found]


def columns() -> st.SearchStrategy[str]:
    return st.sampled_from(
        ["n_bytes", "perplexity", "nll_sum", "gopher_n_words", "fineweb_newlines_per_word"]
    )


ENDS = st.one_of(
    st.none(),
    st.sampled_from([0.1, 0.2, 0.3, 1e300, -1e300, 0.0, float("inf"), float("-inf"), 3.4e38, 1e-46]),
    st.floats(0, 100, width=32),
    st.integers(0, 3000).map(lambda i: i / 10),
    st.floats(0, 1).map(lambda q: {"quantile": q}),
)


def _in_order(low: Any, high: Any) -> bool:
    return not (isinstance(low, float) and isinstance(high, float)) or low <= high


@st.composite
def steps(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["band", "band", "category", "source", "vote", *FILTERS]))
    off = {"off": True} if draw(st.integers(0, 7)) == 0 else {}
    if kind == "band":
        low, high = draw(st.tuples(ENDS, ENDS).filter(lambda ends: _in_order(*ends)))
        unscored = draw(st.sampled_from(["keep", "drop"]))
        return {
            "select": "band",
            "score": draw(columns()),
            "low": low,
            "high": high,
            "unscored": unscored,
            **off,
        }
    if kind == "category":
        values = draw(st.lists(st.sampled_from(SCORES["language"].labels), min_size=1, max_size=4))
        return {"select": "category", "score": "language", "values": ["en", *values], **off}
    if kind == "source":
        values = draw(st.lists(st.sampled_from(HOSTILE), min_size=1, unique=True))
        return {"select": "category", "score": "source", "values": values, **off}
    if kind == "vote":
        ends = st.one_of(st.none(), st.floats(0, 50, width=32))
        bands = draw(
            st.lists(
                st.tuples(columns(), ends, ends).filter(lambda b: _in_order(*b[1:])), min_size=1, max_size=4
            )
        )
        names, lows, highs = (list(each) for each in zip(*bands, strict=True))
        at_least = draw(st.integers(1, len(bands)))
        return {"select": "vote", "scores": names, "lows": lows, "highs": highs, "at_least": at_least, **off}
    return {"select": kind, **off}


@settings(max_examples=80, deadline=None)
@given(made=st.lists(steps(), max_size=4), null=st.booleans())
def test_polars_and_duckdb_keep_what_the_engine_keeps(table: wb.Table, made: list[Any], null: bool) -> None:
    recipe = wb.parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": made})
    try:
        outcome = wb.select(recipe, table)
    except InputError:  # quantiles that cross
        return
    resolved, frame = outcome.fitted.recipe, frame_of(table, null)
    kept = [doc for doc, keep in zip(table.sample.doc_ids, outcome.keep, strict=True) if keep]
    assert by_polars(resolved, frame) == kept
    assert by_sql(resolved, frame) == kept


def test_a_step_that_looks_beyond_a_documents_scores_is_refused_by_name() -> None:
    made = [
        {"select": "random", "fraction": 0.5},
        {"select": "band", "score": "n_bytes", "low": 1},
        {"select": "exact"},
    ]
    recipe = wb.parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": made})
    for compiled in (to_polars, to_sql):
        with pytest.raises(
            InputError, match=r"steps 1 \(random\) and 3 \(exact\) look beyond .*; switch off"
        ):
            compiled(recipe)
    off = [{**step, "off": step["select"] != "band"} for step in made]
    recipe = wb.parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": off})
    assert "n_bytes" in to_polars(recipe)


def test_c4s_bad_words_are_said_unless_a_draw_excuses_them(table: wb.Table) -> None:
    n_bad_words = (np.arange(len(table)) % 3).astype(np.float32)
    table = replace(table, scores={**table.scores, "n_bad_words": n_bad_words})
    step: dict[str, Any] = {"select": "c4", "max_bad_words": 1}
    recipe = wb.parse_recipe({"format": "selection-recipe/1", "steps": [step]})
    kept = np.array(table.sample.doc_ids)[wb.select(recipe, table).keep].tolist()
    assert kept
    assert by_polars(recipe, frame_of(table, False)) == by_sql(recipe, frame_of(table, False)) == kept
    step["bad_words_kept_fraction"] = 0.5
    recipe = wb.parse_recipe({"format": "selection-recipe/1", "steps": [step]})
    with pytest.raises(InputError, match=r"step 1 \(c4\) looks beyond"):
        to_sql(recipe)


def test_only_selectors_of_scope_row_can_be_said() -> None:
    sayable = {name for name, spec in SELECTORS.items() if spec.rules is not None}
    assert sayable == set(FILTERS)
    assert all(SELECTORS[name].scope == "row" for name in (*sayable, "band", "category", "vote"))
    assert not is_expressible(
        wb.parse_recipe({"steps": [{"select": "dpp"}], "format": "selection-recipe/1"}).steps[0]
    )


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"select": "band", "score": "n_bytes", "low": {"quantile": 0.5}}, "quantile 0.5 has no value yet"),
        ({"select": "band", "score": "n_bytes", "low": 3, "high": 1}, "low must"),
        ({"select": "vote", "scores": ["n_bytes"], "at_least": 2}, r"at_least must lie in 1\.\.1"),
    ],
)
def test_params_that_the_selector_refuses_are_refused(step: dict[str, Any], says: str) -> None:
    recipe = wb.parse_recipe({"format": "selection-recipe/1", "seed": 0, "steps": [step]})
    with pytest.raises(InputError, match=says):
        to_sql(recipe)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
@settings(deadline=None)
def test_a_quoted_text_is_that_text_to_duckdb(text: str) -> None:
    with duckdb.connect() as connection:
        rows = connection.sql(f"SELECT {literal(text)}").fetchall()
    assert rows == [(text,)]
    quoted = literal(text)
    assert quoted.isprintable()


def test_a_quoted_name_is_that_name_to_duckdb() -> None:
    name = 'a"; DROP TABLE x; --'
    with duckdb.connect() as connection:
        assert connection.sql(f"SELECT 1 AS {identifier(name)}").columns == [name]


def ids_of(n: int) -> tuple[list[str], list[str], Array, Array]:
    return [f"d{i}" for i in range(n)], ["s"] * n, np.arange(n, dtype=np.float32), np.arange(n) % 2 == 0


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "A.PARQUET"])
def test_ids_are_written_with_source_and_weight(tmp_path: Path, name: str) -> None:
    assert write_ids(tmp_path / name, *ids_of(5)) == 3
    read = pl.read_csv if name.endswith("csv") else pl.read_parquet
    assert read(tmp_path / name).rows() == [("d0", "s", 0.0), ("d2", "s", 2.0), ("d4", "s", 4.0)]


def test_ids_of_a_text_file_are_a_line_each(tmp_path: Path) -> None:
    write_ids(tmp_path / "a.txt", *ids_of(5))
    assert (tmp_path / "a.txt").read_text() == "d0\nd2\nd4\n"
    with pytest.raises(InputError, match=r"'x\\ny' doesn't fit on one line; write the ids as .parquet"):
        write_ids(tmp_path / "a.txt", ["x\ny"], ["s"], np.ones(1, np.float32), np.ones(1, bool))
    with pytest.raises(InputError, match=r"ids are written as \.parquet, \.csv, \.txt, got 'a\.html'"):
        write_ids(tmp_path / "a.html", *ids_of(5))
