from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tests.models.conftest import TINY
from workbench.checks import keyed_uniform
from workbench.errors import Cancelled, InputError
from workbench.models.lm.causal import WindowedLM
from workbench.models.locate import locate
from workbench.models.training.reference import in_reference, train, trained_on
from workbench.progress import Silent


@pytest.fixture(scope="module")
def corpus() -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(0)
    words = [chr(97 + i) * (1 + i % 4) for i in range(20)]
    texts = [" ".join(words[(s + k) % 20] for k in range(60)) for s in rng.integers(0, 20, size=90)]
    return texts, [f"d{i}" for i in range(90)]


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "lm"
    train(*corpus, folder, TINY, Silent())
    return folder


def test_the_loss_falls_and_the_model_scores(trained, corpus):
    curve = json.loads((trained / "training.json").read_text())
    assert len(curve["losses"]) == TINY.n_steps
    assert curve["losses"][-1] < 0.5 * curve["losses"][0]
    assert curve["params"] == dataclasses.asdict(TINY)
    record = WindowedLM(locate(str(trained), "lm")).record(corpus[0], Silent())
    assert record["nll_sum"].sum() / record["n_scored"].sum() < 0.6 * np.log(TINY.n_vocabulary)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(trained, corpus, tmp_path):
    train(*corpus, tmp_path / "again", TINY, Silent())
    for path in sorted(trained.iterdir()):
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name
    train(*corpus, tmp_path / "other", dataclasses.replace(TINY, seed=1, n_steps=2), Silent())
    weights = "model.safetensors"
    assert (tmp_path / "other" / weights).read_bytes() != (trained / weights).read_bytes()


def test_the_documents_it_was_trained_on_are_written_down(trained, corpus):
    ids = corpus[1]
    expected = {
        i for i, u in zip(ids, keyed_uniform(TINY.seed, ids, "reference-split"), strict=True) if u < 0.5
    }
    assert (
        trained_on(trained)
        == expected
        == {i for i, r in zip(ids, in_reference(ids, TINY.seed), strict=True) if r}
    )
    assert 0.3 < len(expected) / len(ids) < 0.7
    assert trained_on(trained / "nowhere") is None


def test_the_folder_loads_in_transformers_and_holds_no_pickle(trained):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(trained)
    tokenizer = AutoTokenizer.from_pretrained(trained)
    assert tokenizer.bos_token_id == tokenizer.eos_token_id == model.config.eos_token_id == 0
    assert {p.name for p in trained.iterdir()} == {
        "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "training.json", "split.json",
    }  # fmt: skip


def test_stopping_leaves_what_was_there(trained, corpus, tmp_path):
    class Stop(Silent):
        def advance(self, n: int) -> None:
            raise Cancelled("stopped")

    out = tmp_path / "lm"
    out.mkdir()
    (out / "old").touch()
    with pytest.raises(Cancelled):
        train(*corpus, out, TINY, Stop())
    assert [p.name for p in tmp_path.rglob("*")] == ["lm", "old"]


def test_too_little_text_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"the reference split has \d+ tokens, fewer than one batch of 4 rows of 64"
    ):
        train(["a b c"] * 5, list("abcde"), tmp_path / "lm", TINY, Silent())


def test_a_vocabulary_without_room_for_the_bytes_is_refused(corpus, tmp_path):
    with pytest.raises(InputError, match="n_vocabulary must be at least 257, got 100"):
        train(*corpus, tmp_path / "lm", dataclasses.replace(TINY, n_vocabulary=100), Silent())
