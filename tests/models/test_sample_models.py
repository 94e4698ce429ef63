"""The models and scores that the sample carries are what its build script says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from workbench.corpus import read
from workbench.embedded import sample_corpus, sample_store
from workbench.engine.score import score
from workbench.errors import Cancelled
from workbench.models.lm.causal import lm_definition
from workbench.models.load import Models
from workbench.models.locate import DEFAULT_LM, SMOLLM2, locate
from workbench.models.training.fit import Fit
from workbench.models.training.reference import ReferenceParams, in_reference, train, trained_on
from workbench.progress import Silent

ROOT = Path(__file__).parents[2] / "data_samples"


def smollm2() -> Models:
    return Models(lm=SMOLLM2, dtype="float32")


@pytest.fixture(scope="module")
def scores() -> pl.DataFrame:
    """The committed columns; the model isn't loaded, since nothing is left to compute."""
    whole = read(sample_corpus()).whole()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "workbench.models.lm.causal.load_transformer", lambda *_: pytest.fail("the model was loaded")
        )
        table = score(whole, ["perplexity"], store=sample_store(), models=smollm2())
    names = ("perplexity", "nll_sum", "n_scored", "n_truncated_tokens", "n_bytes_scored")
    return pl.DataFrame({"doc_id": whole.doc_ids, **{name: table.scores[name] for name in names}})


@pytest.fixture(scope="module")
def documents() -> pl.DataFrame:
    paths = sorted((ROOT / "corpus").iterdir())
    frames = [pl.read_parquet(p) if p.suffix == ".parquet" else pl.read_ndjson(p) for p in paths]
    return pl.concat([f.select("doc_id", "text") for f in frames])


def test_the_reference_model_is_small_and_names_the_documents_it_was_trained_on(documents):
    folder = locate(DEFAULT_LM, "lm").folder
    assert sum(path.stat().st_size for path in folder.iterdir()) < 8e6
    ids = documents["doc_id"].to_list()
    chosen = in_reference(ids, ReferenceParams().seed)
    assert trained_on(folder) == set(documents.filter(chosen)["doc_id"])
    assert 0.45 < chosen.mean() < 0.55


@pytest.mark.slow
def test_the_reference_models_training_begins_as_it_was_recorded(tmp_path, monkeypatch):
    """Its script still makes it: the tokenizer, the split and the first losses; all of it would take ten minutes."""
    folder, whole = ROOT / "models" / "reference-lm", read(sample_corpus()).whole()
    losses = []
    real = Fit._advance

    def few(fit, step, rate):
        if step == 3:
            losses.extend(fit.curve.losses)
            raise Cancelled("enough")
        return real(fit, step, rate)

    monkeypatch.setattr(Fit, "_advance", few)
    with pytest.raises(Cancelled):
        train(whole.texts, whole.doc_ids, tmp_path / "lm", ReferenceParams(), Silent())
    assert losses == json.loads((folder / "training.json").read_text())["losses"][:3]


def test_the_reference_model_predicts_text_that_it_has_not_seen(documents):
    held_out = documents.filter(~in_reference(documents["doc_id"].to_list(), 0)).sample(20, seed=0)
    record = Models(dtype="float32").lm.record(held_out["text"].to_list(), Silent())
    bits_per_byte = record["nll_sum"].sum() / np.log(2) / record["n_bytes_scored"].sum()
    # 2.13 over all that was held out.
    assert 1.3 < bits_per_byte < 2.8


def test_every_document_has_a_record_in_the_committed_store(scores, documents):
    assert sorted(scores["doc_id"]) == sorted(documents["doc_id"])
    assert scores["nll_sum"].is_finite().all()
    assert scores["n_scored"].max() == smollm2().definition("lm")["max_tokens"]
    n_bytes = documents.select("doc_id", n=pl.col("text").str.len_bytes())
    joined = scores.join(n_bytes, on="doc_id")
    assert (joined["n_bytes_scored"] <= joined["n"]).all()
    whole = joined.filter(pl.col("n_truncated_tokens") == 0)
    assert (whole["n_bytes_scored"] == whole["n"]).all()


@pytest.mark.slow
def test_a_gguf_file_by_its_path_takes_its_settings_from_itself():
    located = locate(SMOLLM2, "lm")
    definition = lm_definition(locate(str(located.folder / located.files[0]), "lm"))
    # The file says that its texts end with <|im_end|>; of the model by its name we know better.
    assert definition["context_token_id"] == 2
    assert (definition["window"], definition["stride"]) == (2048, 1024)
    assert definition["id"] == located.gguf


@pytest.mark.slow
def test_forty_documents_score_as_committed(scores, documents):
    chosen = documents.sample(40, seed=0)
    record = smollm2().lm.record(chosen["text"].to_list(), Silent())
    committed = chosen.join(scores, on="doc_id", how="left", maintain_order="left")
    for name in ("n_scored", "n_truncated_tokens", "n_bytes_scored"):
        np.testing.assert_array_equal(record[name], committed[name].to_numpy())
    # Float32 on another processor adds up in another order.
    np.testing.assert_allclose(record["nll_sum"], committed["nll_sum"].to_numpy(), rtol=1e-3)
