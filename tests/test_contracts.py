"""What every score and every selector promises, held for each one in the registries: a new one is held at once."""

from __future__ import annotations

import itertools
import json
import tempfile
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.ngram.ngrams import write_tiny_ngram
from tests.selectors.steps import STEPS, signal_columns
from workbench.checks import Array, canonical_json, keyed_uniform, strings, text_digests
from workbench.engine.passes import MODEL_NEEDS, Pass, params_json, plan_passes
from workbench.models.geometry.rows import unit_rows
from workbench.models.load import Models
from workbench.recipe.schema import parse_step
from workbench.scores import SCORES
from workbench.scores.base import Inputs, ScoreSpec, as_ragged
from workbench.selectors import SELECTORS
from workbench.selectors.base import DESIGN_WEIGHT, SelectorSpec, Threshold
from workbench.summary import methods

# ---- scores ------------------------------------------------------------------------------------------------------

# Each text has what another one lacks; the long one is cut by the embedder and spans windows of the language model.
TEXTS = [
    "",
    "word",
    "  \n \n ",
    "The committee met on Thursday. It was raining, and nobody stayed long.\n" * 3,
    "- first\n- second\n- first\n• third...\n\nA paragraph of its own, twice.\n\nA paragraph of its own, twice.\n",
    "Der Fluss steigt seit Tagen; niemand weiß, wie lange die Brücke noch hält.",
    "我们今天去公园。天气很好！",
    "function f() { return 1; } // javascript lorem ipsum\nWe use cookies. Terms of use.\n# # #",
    "👩‍👩‍👧 party 🎉 :)\u2028next\u0085line",
    "a b c d e f g h i j k l m n o p " * 40,
    " ".join(f"number{i} of many different words" for i in range(700)),
]
IDS = [f"d{i:02d}" for i in range(len(TEXTS))]
EMPTY = 0


_FOLDER = tempfile.TemporaryDirectory()


@cache
def models() -> Models:
    return Models(ngram=str(write_tiny_ngram(Path(_FOLDER.name) / "ngram")))


@cache
def passes() -> list[Pass]:
    """Every pass, each after what it reads."""
    return plan_passes(SCORES)


def pass_of(name: str) -> Pass:
    return next(p for p in passes() if any(spec.name == name for spec in p.specs))


def whole(name: str) -> Mapping[str, Array]:
    """The columns of the score's pass over all texts at once, with what it reads and its fitted state."""
    return _whole(pass_of(name).first.name)


@cache
def _whole(first: str) -> Mapping[str, Array]:
    return compute(pass_of(first), tuple(range(len(TEXTS))))


@cache
def state_of(name: str) -> Mapping[str, Array]:
    p = pass_of(name)
    return {} if p.fit is None else p.fit(inputs_of(p, tuple(range(len(TEXTS)))), p.params, 0)


TARGET = (3, 9, 10)


def inputs_of(p: Pass, rows: tuple[int, ...], *, is_target: bool = False) -> Inputs:
    columns = {need: whole(need)[need][list(rows)] for need in p.score_needs}
    return Inputs(
        target=inputs_of(p, TARGET, is_target=True) if p.reads_target and not is_target else None,
        doc_ids=[IDS[i] for i in rows],
        sources=["web"] * len(rows),
        texts=[TEXTS[i] for i in rows],
        columns=columns,
        models=models(),
    )


def compute(p: Pass, rows: tuple[int, ...]) -> Mapping[str, Array]:
    return p.run(inputs_of(p, rows), state_of(p.first.name))


EVERY_PASS = [p.first.name for p in plan_passes(SCORES)]
ROW_PASSES = [name for name in EVERY_PASS if SCORES[name].scope == "row"]


@pytest.mark.parametrize("spec", SCORES.values(), ids=lambda spec: spec.name)
def test_a_score_is_defined_completely(spec: ScoreSpec) -> None:
    assert SCORES[spec.name] is spec
    assert spec.name == spec.name.lower()
    assert spec.name.isidentifier()
    assert isinstance(spec.version, int)
    assert spec.version >= 1
    assert spec.title
    assert not spec.title.endswith(".")
    assert spec.unit
    assert spec.better in ("higher", "lower", "neither")
    assert spec.status in ("published", "variant", "experimental")
    assert spec.paper or spec.status != "variant", "a variant of what?"
    assert spec.dtype in (("float32", "uint32", "uint64") if spec.vector else ("float32", "float64"))
    assert spec.needs
    assert set(spec.needs) <= {"text", "target", *MODEL_NEEDS, *SCORES}
    assert len(set(spec.labels)) == len(spec.labels)
    assert "target" not in spec.needs or spec.fit is not None, "only a fit is given the target"


@pytest.mark.parametrize("spec", SCORES.values(), ids=lambda spec: spec.name)
def test_params_of_a_score_have_defaults_and_go_through_json(spec: ScoreSpec) -> None:
    params = spec.params()
    assert_plain(spec.params)
    assert all(has_default(field) for field in fields(params))
    assert json.loads(canonical_json(params_json(params))) == params_json(params)


def assert_plain(kind: type[Any]) -> None:
    """A frozen dataclass of numbers, strings, tuples of those, None, and thresholds."""
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    allowed = {int, float, str, bool, type(None), tuple, *typing.get_args(Threshold)}
    for name, hint in typing.get_type_hints(kind).items():
        parts = (
            typing.get_args(hint) if typing.get_origin(hint) not in (None, tuple, typing.Literal) else (hint,)
        )
        for part in parts:
            origin = typing.get_origin(part)
            assert origin in (tuple, typing.Literal) or part in allowed, f"{kind.__name__}.{name}: {part}"


def has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def test_scores_of_one_function_share_what_the_pass_is_planned_by() -> None:
    for p in plan_passes(SCORES):
        for spec in p.specs:
            assert (spec.needs, spec.fit, spec.scope, spec.shares_views) == (
                p.first.needs, p.first.fit, p.first.scope, p.first.shares_views,
            )  # fmt: skip
            assert type(p.params_of(spec)) is spec.params
            if spec.shares_views:
                assert (spec.needs, spec.fit, spec.scope) == (("text",), None, "row")


@pytest.mark.parametrize("name", ROW_PASSES)
def test_a_document_has_the_same_numbers_alone_in_a_batch_and_in_another_split_to_the_bit(name: str) -> None:
    p = pass_of(name)
    order = np.random.default_rng(1).permutation(len(TEXTS)).tolist()
    splits = {
        "alone": [(i,) for i in range(len(TEXTS))],
        "shuffled": [tuple(order)],
        "in two": [tuple(order[:4]), tuple(order[4:])],
        "twice": [tuple(range(len(TEXTS))) * 2],
    }
    if {"lm", "embedder"} & set(
        p.model_needs
    ):  # a run of theirs costs a second, and tests/models has more of them
        splits = {"alone": [(3,), (9,)], "another split": [tuple(order[:4])]}
    for how, split in splits.items():
        for rows in split:
            for column, values in compute(p, rows).items():
                expected = whole(name)[column][list(rows)]
                assert raw(values) == raw(expected), f"{column} of {rows} ({how})"


def raw(column: Array) -> list[bytes]:
    """The bytes of a column, array by array where it is ragged."""
    return [row.tobytes() for row in (column if column.dtype == object else [column])]


@pytest.mark.parametrize("name", ROW_PASSES)
def test_a_batch_of_no_documents_gives_columns_of_no_rows(name: str) -> None:
    for column, values in compute(pass_of(name), ()).items():
        assert len(values) == 0, column


@pytest.mark.parametrize("name", ROW_PASSES)
def test_a_pass_gives_every_column_it_names_in_its_dtype(name: str) -> None:
    for spec in pass_of(name).specs:
        column = whole(name)[spec.name]
        assert len(column) == len(TEXTS)
        if spec.ragged:
            assert spec.vector
            assert column.shape == (len(TEXTS),)
            assert {(row.dtype, row.ndim) for row in column} == {(np.dtype(spec.dtype), 1)}
            assert len({len(row) for row in column}) > 2
            continue
        assert column.dtype == spec.dtype
        assert column.ndim == (2 if spec.vector else 1)
        if spec.labels:
            codes = column[~np.isnan(column)]
            assert set(codes) <= set(range(len(spec.labels)))


# What is counted is 0 in an empty text; what is a share, a mean or a model's opinion of it isn't there.
ZERO_WHEN_EMPTY = {"n_chars", "n_bytes", "n_tokens", "n_scored", "n_truncated_tokens", "n_bytes_scored",
                   "ngram_n_words", "gopher_n_words", "gopher_n_stop_words"}  # fmt: skip


@pytest.mark.parametrize("spec", [s for s in SCORES.values() if s.scope == "row"], ids=lambda spec: spec.name)
def test_an_empty_text_has_a_count_of_0_and_no_share_of_anything(spec: ScoreSpec) -> None:
    value = whole(spec.name)[spec.name][EMPTY]
    if spec.name in ZERO_WHEN_EMPTY or spec.name.startswith(("c4_n_", "rps_n_")):
        assert value == 0 or np.isnan(value)
    elif spec.ragged:
        assert len(value) == 0
    elif spec.dtype.startswith("uint"):
        assert not value.any()
    elif spec.needs in (("text",), ("text", "lm"), ("text", "ngram"), ("text", "tokenizer")):
        assert np.isnan(value), f"{spec.name} of an empty text is {value}"


@pytest.mark.parametrize("spec", [s for s in SCORES.values() if s.scope == "row"], ids=lambda spec: spec.name)
def test_fractions_lie_between_0_and_1_and_nothing_is_infinite(spec: ScoreSpec) -> None:
    values = whole(spec.name)[spec.name]
    if spec.ragged:
        assert spec.dtype in ("uint32", "uint64")
        return
    assert not np.isinf(values).any()
    if spec.name.endswith("_fraction") or spec.unit in ("fraction", "probability"):
        numbers = values[~np.isnan(values)]
        assert ((numbers >= 0) & (numbers <= 1)).all()


@pytest.mark.parametrize("spec", SCORES.values(), ids=lambda spec: spec.name)
def test_a_score_of_the_sample_is_not_read_by_one_of_a_row(spec: ScoreSpec) -> None:
    if spec.scope == "row":
        assert all(SCORES[need].scope == "row" for need in spec.needs if need in SCORES)


# ---- selectors ---------------------------------------------------------------------------------------------------

N = 240


@cache
def columns() -> dict[str, Array]:
    """Columns of 240 documents with copies, near-copies and equal scores."""
    rng = np.random.default_rng(5)
    texts = [f"text {i}" for i in rng.integers(0, 150, N)]
    directions = rng.normal(size=(60, 9))
    embedding = directions[rng.integers(0, 60, N)] + rng.normal(scale=0.05, size=(N, 9))
    embedding[:30] = embedding[30:60]
    ids = [f"doc-{i}" for i in rng.permutation(N)]
    return {
        "doc_id": strings(ids),
        "source": strings(rng.choice(["poems", "letters", "manuals"], N, p=[0.2, 0.3, 0.5]).tolist()),
        "text_digest": text_digests(texts),
        "embedding": unit_rows(embedding.astype(np.float32)),
        DESIGN_WEIGHT: np.ones(N),
        "n_tokens": rng.integers(1, 40, N).astype(np.float32),
        "n_chars": rng.integers(1, 40, N).astype(np.float32),
        "minhash_bands": rng.integers(0, 2_000, (N, 3), dtype=np.uint64),
        "minhash_signature": rng.integers(0, 2, (N, 9), dtype=np.uint32),
        "token_ids": ragged_column(np.uint32),
        **{f"{kind}_hashes": ragged_column(np.uint64, i) for i, kind in enumerate(UNITS)},
        "dsir_log_weight": np.random.default_rng(6).normal(0, 3, N).round(1),
        "dsir_target_log_weights": np.random.default_rng(9).normal(0, 3, (N, 2)).astype(np.float32),
        "dfn_logit": np.random.default_rng(9).normal(0, 3, N).astype(np.float32),
        "target_similarity": np.random.default_rng(7).uniform(-1, 1, N).astype(np.float32),
        "prototype_distance": rng.random(N).astype(np.float32).round(2),
        "prototype_cluster": np.random.default_rng(6).integers(0, 7, N).astype(np.float32),
        "lsh_density": np.random.default_rng(7).gamma(2, 9, N).astype(np.float32) + np.float32(1),
        "language": strings(rng.choice(["en", "de", ""], N).tolist()),
        "perplexity": np.where(rng.random(N) < 0.1, np.nan, rng.gamma(3, 20, N)).astype(np.float32),
        **signal_columns(N),
    }


UNITS = ("sentence", "line", "paragraph")


def ragged_column(dtype: type[np.unsignedinteger[Any]], seed: int = 0) -> Array:
    """Of 240 documents 8 to 15 hashes with their characters in turn (or twice as many tokens); some begin as others."""
    rng = np.random.default_rng(seed)
    rows = []
    for n in rng.integers(8, 16, N).tolist():
        hashes, n_chars = rng.integers(1, 2**32, n, dtype=np.uint64), rng.integers(10, 60, n, dtype=np.uint64)
        if rows and rng.random() < 0.4:
            other, shared = rows[int(rng.integers(len(rows)))], int(rng.integers(3, 8))
            hashes[:shared], n_chars[:shared] = other[0::2][:shared], other[1::2][:shared]
        rows.append(np.stack([hashes, n_chars], axis=1).ravel().astype(dtype))
    return as_ragged(rows)


STATES = {
    "dsir_target_log_weights": {"log_ratio": np.zeros((2, 7)), "n_grams": np.array([300, 100])},
    "target_similarity": {
        "target": unit_rows(np.random.default_rng(8).normal(size=(5, 9))),
        "task": np.array([0, 1, 0, 2, 1]),
    },
}
CASES = [(name, i) for name, steps in STEPS.items() for i in range(len(steps))]


def case(name: str, i: int) -> tuple[SelectorSpec, Any, Mapping[str, Array], dict[str, Array]]:
    """Spec, resolved params, fitted state and the columns that the selector reads."""
    spec = SELECTORS[name]
    params = parse_step({"select": name, **STEPS[name][i]}).params
    read = {need: columns()[need] for need in ("doc_id", *spec.needs(params))}
    if spec.resolve is not None:
        params = spec.resolve(read, params, np.ones(N))
    given = STATES.get(spec.state_of or "", {})
    state = {**given, **spec.prepare(read, params, 3)}
    return spec, params, state, read


def take(read: Mapping[str, Array], rows: Array) -> dict[str, Array]:
    return {name: column[rows] for name, column in read.items()}


def test_every_selector_is_held_to_the_contract() -> None:
    assert set(STEPS) == set(SELECTORS)


@pytest.mark.parametrize("spec", SELECTORS.values(), ids=lambda spec: spec.name)
def test_a_selector_is_defined_completely(spec: SelectorSpec) -> None:
    assert SELECTORS[spec.name] is spec
    assert isinstance(spec.version, int)
    assert spec.version >= 1
    assert spec.title
    assert spec.scope in ("row", "column", "group", "pieces")
    assert (spec.pieces is not None) == (spec.gather is not None) == (spec.scope == "pieces")
    assert (spec.group is not None) == (spec.scope == "group")
    assert_plain(spec.params)
    assert set(spec.help) == {field.name for field in fields(spec.params)}, "help covers each param"
    assert all(spec.help.values())
    assert set(spec.fit_params) <= {field.name for field in fields(spec.params)}
    assert bool(spec.fit) == bool(spec.fit_params)
    assert spec.state_of is None or (SCORES[spec.state_of].fit is not None and spec.fit is None)
    assert spec.status in ("published", "variant", "experimental")
    assert set(spec.reads) <= {"text", "embedding", "score", "category"}


@pytest.mark.parametrize(("name", "i"), CASES)
def test_params_of_a_selector_go_through_json(name: str, i: int) -> None:
    params = parse_step({"select": name, **STEPS[name][i]}).params
    assert json.loads(canonical_json(asdict(params))) is not None
    assert hash(params) == hash(parse_step({"select": name, **STEPS[name][i]}).params)


@pytest.mark.parametrize(("name", "i"), CASES)
def test_a_selector_keeps_some_drops_some_and_says_why(name: str, i: int) -> None:
    spec, params, state, read = case(name, i)
    selection = spec.run(read, params, state, 3)
    assert selection.keep.dtype == bool
    assert selection.keep.shape == (N,)
    assert 0 < selection.keep.sum() < N
    for row in np.flatnonzero(~selection.keep):
        reason = selection.explain(int(row))
        assert reason
        assert "\n" not in reason


@pytest.mark.parametrize(("name", "i"), CASES)
def test_the_order_of_rows_changes_nothing(name: str, i: int) -> None:
    spec, params, state, read = case(name, i)
    selection = spec.run(read, params, state, 3)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(N)
        other = spec.run(take(read, order), params, state, 3)
        np.testing.assert_array_equal(other.keep, selection.keep[order])
        for row in np.flatnonzero(~other.keep)[:20]:
            assert other.explain(int(row)) == selection.explain(int(order[row]))


@pytest.mark.parametrize(("name", "i"), CASES)
def test_pieces_of_what_belongs_together_give_what_the_whole_gives(name: str, i: int) -> None:
    """Rows of scope "row" may be cut anywhere, those of scope "group" between groups, whole columns nowhere, and where
    pieces must meet documents don't.
    """
    spec, params, state, read = case(name, i)
    if spec.scope in ("column", "pieces"):
        assert spec.group is None
        return
    keep = spec.run(read, params, state, 3).keep
    if spec.scope == "row":
        keys = np.arange(N)
    else:
        assert spec.group is not None
        keys = spec.group(read, params, state)
        assert keys.dtype == np.int64
        assert len(np.unique(keys)) > 1
    group = np.unique(keys, return_inverse=True)[1]
    for n_pieces in (2, 7, N):
        pieces = np.random.default_rng(n_pieces).integers(0, n_pieces, group.max() + 1)[group]
        for piece in np.unique(pieces):
            rows = np.flatnonzero(pieces == piece)
            np.testing.assert_array_equal(spec.run(take(read, rows), params, state, 3).keep, keep[rows])


@pytest.mark.parametrize(("name", "i"), [c for c in CASES if SELECTORS[c[0]].group is not None])
def test_a_group_is_told_row_by_row(name: str, i: int) -> None:
    spec, params, state, read = case(name, i)
    assert spec.group is not None
    keys = spec.group(read, params, state)
    alone = [int(spec.group(take(read, np.array([row])), params, state)[0]) for row in range(0, N, 11)]
    assert alone == keys[::11].tolist()


@pytest.mark.parametrize(("name", "i"), CASES)
def test_no_rows_are_no_error(name: str, i: int) -> None:
    spec, params, state, read = case(name, i)
    selection = spec.run(take(read, np.zeros(0, dtype=np.int64)), params, state, 3)
    assert selection.keep.shape == (0,)


# Those that draw whatever their params say.
RANDOM = {"repeat", "random", "random_budget", "crest", "ccs", "sensitivity", "density", "dsir_targets"}


@pytest.mark.parametrize("name", SELECTORS)
def test_only_what_is_random_depends_on_the_seed(name: str) -> None:
    spec, params, state, read = case(name, len(STEPS[name]) - 1)
    one, other = (spec.run(read, params, state, seed).keep for seed in (3, 4))
    is_random = name in RANDOM or "random" in asdict(params).values() or "gumbel" in asdict(params).values()
    assert (one == other).all() != is_random


def test_a_larger_fraction_keeps_all_that_a_smaller_one_keeps() -> None:
    kept = []
    for fraction in (0.0, 0.2, 0.5, 0.9, 1.0):
        params = parse_step({"select": "random", "fraction": fraction}).params
        selection = SELECTORS["random"].select({"doc_id": columns()["doc_id"]}, params, {}, 3)
        kept.append(set(np.flatnonzero(selection.keep)))
    assert all(small <= large for small, large in itertools.pairwise(kept))
    assert (len(kept[0]), len(kept[-1])) == (0, N)


def test_the_draws_of_two_purposes_under_one_seed_are_not_the_same() -> None:
    ids = columns()["doc_id"].tolist()
    draws = [keyed_uniform(3, ids, purpose) for purpose in ("sample", "random", "semdedup")]
    correlation = np.corrcoef(draws)
    assert np.abs(correlation - np.eye(3)).max() < 0.2


# ---- the places that know a method from its spec -----------------------------------------------------------------


def test_the_docs_name_every_selector() -> None:
    root = Path(__file__).resolve().parent.parent
    for page in ("README.md", "benchmarks/METHODS.md"):
        text = (root / page).read_text(encoding="utf-8")
        assert [name for name in SELECTORS if f"`{name}`" not in text] == [], page


def test_methods_lists_each_score_and_selector_once() -> None:
    listed = [(m["kind"], m["name"]) for m in methods()]
    expected = [*(("score", name) for name in SCORES), *(("selector", name) for name in SELECTORS)]
    assert listed == expected


@pytest.mark.parametrize("function", [spec.compute for spec in SCORES.values()], ids=SCORES)
def test_what_computes_a_score_is_a_named_function_with_a_docstring(function: Callable[..., Any]) -> None:
    assert function.__name__ != "<lambda>"
    assert function.__doc__
