"""`workbench train-ngram`, and what its model is for: a score, a step, a manifest that is applied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.engine.commands import Commands
from tests.engine.corpora import make_documents, write_corpus, write_shard
from tests.engine.outputs import kept_ids
from tests.engine.tiny_models import write_tiny_lm
from workbench.corpus import read
from workbench.engine.score import score
from workbench.models.load import Models
from workbench.models.training.reference import in_reference, trained_on

DOCUMENTS = make_documents(120)
TRAIN = ("train-ngram", "corpus", "--out", "lm", "--order", 3, "--vocabulary", 300)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], in_tmp_path: Path) -> Commands:
    write_corpus(Path("corpus"), DOCUMENTS, 3, ("parquet", "jsonl", "csv"))
    return Commands(monkeypatch, capfd)


def test_a_model_is_trained_on_the_reference_split(run: Commands) -> None:
    result = run(*TRAIN, "--seed", 7)
    assert result.code == 0, result.err
    ids = [row["doc_id"] for row in DOCUMENTS]
    split = {ids[i] for i in np.flatnonzero(in_reference(ids, 7))}
    assert trained_on(Path("lm")) == split
    assert f"trained on {len(split)} of 120 documents" in result.out


def test_json_says_what_was_trained_and_nothing_else(run: Commands) -> None:
    found = run(
        *TRAIN, "--split", "all", "--vocabulary", "words", "--newline-mode", "per_line", "--json"
    ).json
    assert found["n_reference"] == found["n_documents"] == 120
    assert found["params"]["newline_mode"] == "per_line"
    assert len(found["n_ngrams"]) == len(found["discounts"]) == 3
    assert found["out"] == "lm"
    assert found["quarantine"] is None


def test_copies_without_ids_have_the_ids_that_a_sample_gives_them(run: Commands) -> None:
    rows = [{"text": text} for text in ("one two three", "four five") for _ in range(8)]
    write_shard(Path("copies/a.jsonl"), rows[:10])
    write_shard(Path("copies/b.jsonl"), rows[10:])
    run("train-ngram", "copies", "--out", "lm", "--vocabulary", "words", "--order", 2)
    ids = read("copies").whole().doc_ids
    assert trained_on(Path("lm")) == {ids[i] for i in np.flatnonzero(in_reference(ids, 0))}


def test_a_models_scores_select_and_a_manifest_is_applied_with_it_anywhere(run: Commands) -> None:
    run(*TRAIN)
    tiny = str(write_tiny_lm(Path("tiny"), [row["text"] for row in DOCUMENTS]))
    models = ("--ngram", "lm", "--lm", tiny)
    found = run(
        "score",
        "corpus",
        "--scores",
        "ccnet_perplexity,ngram_trained_on,token_prior",
        "--store",
        "s",
        *models,
        "--json",
    )
    assert found.json["scores"]["ccnet_perplexity"]["n_documents"] > 100
    assert found.json["scores"]["ngram_trained_on"]["n_documents"] == 120
    steps = [
        {"select": "category", "score": "ccnet_bucket", "values": ["head", "middle"]},
        {"select": "band", "score": "ccnet_perplexity", "low": {"quantile": 0.1}, "unscored": "drop"},
    ]
    settings = {"ccnet_bucket": {"by_language": False}}
    recipe = {"format": "selection-recipe/1", "seed": 1, "steps": steps, "scores": settings}
    Path("recipe.json").write_text(json.dumps(recipe))
    frozen = run(
        "export", "corpus", "--recipe", "recipe.json", "--store", "s", "--out", "m.manifest", *models
    )
    assert frozen.code == 0, frozen.err
    selected = run("select", "corpus", "--recipe", "recipe.json", "--store", "s", *models, "--json").json
    shutil.move("lm", "elsewhere")
    applied = run("apply", "m.manifest", "corpus", "--out", "out", "--ngram", "elsewhere", "--lm", tiny)
    assert applied.code == 0, applied.err
    assert len(kept_ids(Path("out"))) == selected["all"]["kept"]["n_documents"]
    assert 40 < len(kept_ids(Path("out"))) < 80
    assert run("verify", "m.manifest", "out").code == 0
    missing = run("apply", "m.manifest", "corpus", "--out", "out2", "--lm", tiny)
    assert missing.code == 2
    assert "lm is no n-gram model" in missing.err
    assert "--ngram" in missing.err


def test_the_half_that_was_trained_on_is_better_predicted_than_the_other(run: Commands) -> None:
    run("train-ngram", "corpus", "--out", "lm", "--vocabulary", "words")
    table = score(
        read("corpus").whole(), ["ccnet_perplexity", "ngram_trained_on"], store="s", models=Models(ngram="lm")
    )
    values, seen = table.scores["ccnet_perplexity"], table.scores["ngram_trained_on"]
    assert np.nanmedian(values[seen == 1]) < 0.7 * np.nanmedian(values[seen == 0])


def test_rows_that_cannot_be_read_are_named_and_the_exit_code_says_so(run: Commands) -> None:
    with Path("corpus/shard-1.jsonl").open("a") as file:
        file.write("{broken\n")
    result = run(*TRAIN)
    assert result.code == 3
    assert "1 rows could not be used" in result.err
    assert "broken" in Path("lm.quarantine/quarantine.jsonl").read_text()


def test_a_score_without_a_model_says_how_to_get_one(run: Commands) -> None:
    result = run("score", "corpus", "--scores", "ccnet_perplexity", "--store", "s")
    assert result.code == 2
    assert "train one with `workbench train-ngram CORPUS --out FOLDER`" in result.err


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--order", 6), "order must lie in 1..5, got 6"),
        (("--order", 0), "order must lie in 1..5, got 0"),
        (("--prune", "1"), "prune must begin with 0"),
        (("--prune", "a"), "--prune must be whole numbers with commas between, got 'a'"),
        (("--vocabulary", "many"), "--vocabulary must be a number of pieces or \"words\", got 'many'"),
        (("--vocabulary", "10"), "n_vocabulary must be at least 257"),
        (("--fraction", "1.5"), "reference_fraction must lie in 0..1"),
        (("--fraction", "0"), "of which the split has 0"),
        (("--max-words", "5"), "more than 5 words"),
        (("--tokenizer", "corpus/shard-1.jsonl"), "is no tokenizer that can be read"),
        (("--out", "corpus"), "corpus exists and is no n-gram model; choose another folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    run: Commands, extra: tuple[object, ...], message: str
) -> None:
    result = run(*TRAIN, *extra)
    assert result.code == 2
    assert message in result.err
    assert not Path("lm").exists()


def test_an_interrupt_leaves_nothing_and_says_so(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.models.ngram.train.write_arpa", interrupted)
    result = run(*TRAIN)
    assert result.code == 130
    assert "stopped; nothing was written" in result.err
    assert not list(Path().glob("lm*"))


def test_a_corpus_of_empty_texts_is_refused(run: Commands) -> None:
    write_shard(Path("empty/a.jsonl"), [{"text": ""}, {"text": " "}])
    result = run("train-ngram", "empty", "--out", "lm", "--split", "all")
    assert result.code == 2
    assert "the corpus has 2 documents" in result.err
