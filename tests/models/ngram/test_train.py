"""Training an n-gram model on a part of a corpus, into a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.ngram.ngrams import IDS, TEXTS
from workbench.errors import Cancelled, InputError, StoreError
from workbench.models.ngram.arpa import read_arpa
from workbench.models.ngram.model import locate_ngram
from workbench.models.ngram.train import NgramParams, train_ngram
from workbench.models.training.reference import in_reference, trained_on
from workbench.progress import Silent


def train(out: Path, texts: list[str] = TEXTS, batch: int = 7, **changed: Any) -> dict[str, Any]:
    """Training on batches of a few documents."""
    ids = [f"doc-{i}" for i in range(len(texts))]
    batches = [(ids[i : i + batch], texts[i : i + batch]) for i in range(0, len(texts), batch)]
    params = NgramParams(**{"order": 3, "n_vocabulary": 280, "seed": 5, **changed})
    return train_ngram(lambda: batches, out, params, Silent())


def test_the_folder_is_a_model_and_says_how_it_came_about(tmp_path: Path) -> None:
    training = train(tmp_path / "lm")
    assert locate_ngram(str(tmp_path / "lm")).files == (
        "lm.arpa",
        "ngram.json",
        "split.json",
        "tokenizer.json",
    )
    settings = json.loads((tmp_path / "lm" / "ngram.json").read_text())
    assert settings["training"] == json.loads(json.dumps(training))
    assert (settings["order"], settings["newline_mode"]) == (3, "ccnet")
    arpa = read_arpa(tmp_path / "lm" / "lm.arpa")
    assert training["n_ngrams"] == [len(grams) for grams in arpa.orders]
    assert training["n_vocabulary"] == len(arpa.words)
    assert not list(tmp_path.glob("*.partial"))


def test_it_is_trained_on_the_split_alone_and_the_split_is_written_down(tmp_path: Path) -> None:
    chosen = in_reference(IDS, 5)
    texts = [("in" if c else "out") + chr(97 + i) for i, c in enumerate(chosen)]
    training = train(tmp_path / "lm", texts, n_vocabulary=None)
    words = read_arpa(tmp_path / "lm" / "lm.arpa").words
    assert sum(word.startswith("in") for word in words) == chosen.sum() == training["n_reference"]
    assert not any(word.startswith("out") for word in words)
    assert trained_on(tmp_path / "lm") == {IDS[i] for i in np.flatnonzero(chosen)}
    assert 0 < training["n_reference"] < training["n_documents"] == len(IDS)


def test_all_documents_may_be_trained_on(tmp_path: Path) -> None:
    train(tmp_path / "lm", reference_fraction=1.0)
    assert trained_on(tmp_path / "lm") == set(IDS)


def test_batches_of_any_size_give_the_same_files(tmp_path: Path) -> None:
    train(tmp_path / "one", batch=1)
    train(tmp_path / "two", batch=100)
    for name in ("lm.arpa", "tokenizer.json", "split.json", "ngram.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_line_is_a_sentence_where_the_mode_says_so(tmp_path: Path) -> None:
    ccnet = train(tmp_path / "a", n_vocabulary=None)
    per_line = train(tmp_path / "b", n_vocabulary=None, newline_mode="per_line")
    # a second line's two marks, and the word that is glued to it
    assert per_line["n_words"] == ccnet["n_words"] + 3 * ccnet["n_reference"]


def test_a_model_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    train(tmp_path / "lm", order=2)
    train(tmp_path / "lm", order=3)
    assert json.loads((tmp_path / "lm" / "ngram.json").read_text())["order"] == 3
    (tmp_path / "notes").mkdir()
    with pytest.raises(InputError, match="notes exists and is no n-gram model; choose another folder"):
        train(tmp_path / "notes")


@pytest.mark.parametrize("texts", [[], ["", " \n"]])
def test_a_corpus_without_text_is_refused(tmp_path: Path, texts: list[str]) -> None:
    with pytest.raises(InputError, match=f"the corpus has {len(texts)} documents, of which the split has"):
        train(tmp_path / "lm", texts, reference_fraction=1.0)
    assert not (tmp_path / "lm").exists()


def test_more_words_than_allowed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"have more than 50 words \(max_words\); train on a smaller share"):
        train(tmp_path / "lm", max_words=50)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"order": 6}, "order must lie in 1..5"),
        ({"prune": (2,)}, "prune must begin with 0"),
        ({"n_vocabulary": 5}, "n_vocabulary must be at least 257, got 5"),
        ({"newline_mode": "x"}, "newline_mode must be one of"),
        ({"reference_fraction": 2.0}, "reference_fraction must lie in 0..1"),
        ({"max_words": 0}, "max_words must be at least 1"),
    ],
)
def test_params_out_of_range_are_refused_before_anything_is_read(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    def unread() -> Any:
        raise AssertionError

    with pytest.raises(InputError, match=message):
        train_ngram(unread, tmp_path / "lm", NgramParams(**changed), Silent())


def test_a_training_that_is_stopped_leaves_what_was_there(tmp_path: Path) -> None:
    class StopsAtWriting(Silent):
        def start(self, what: str, total: int) -> None:
            if "writing" in what:
                raise Cancelled("stopped")

    train(tmp_path / "lm", order=2)
    before = (tmp_path / "lm" / "lm.arpa").read_bytes()
    with pytest.raises(Cancelled):
        train_ngram(lambda: [(IDS, TEXTS)], tmp_path / "lm", NgramParams(order=3), StopsAtWriting())
    assert (tmp_path / "lm" / "lm.arpa").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["lm"]


def test_a_place_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        StoreError, match=r"model can't be written to .*lm: Not a directory; .* choose another folder"
    ):
        train(tmp_path / "file" / "lm")


def test_text_that_looks_like_a_mark_of_the_model_is_a_word(tmp_path: Path) -> None:
    train(tmp_path / "lm", ["<s> a </s> b <unk> c"] * 3, n_vocabulary=None, reference_fraction=1.0)
    words = read_arpa(tmp_path / "lm" / "lm.arpa").words
    assert words == ("<unk>", "<s>", "</s>", "‹s›", "a", "‹/s›", "b", "‹unk›", "c")
