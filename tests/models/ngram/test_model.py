"""N-gram models as folders: found, digested, loaded, and scored as CCNet and datatrove score."""

from __future__ import annotations

import gzip
import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.ngram.ngrams import TEXTS, write_tiny_ngram
from workbench.errors import ModelError
from workbench.models.ngram import model as ngram
from workbench.models.ngram.arpa import read_arpa
from workbench.models.ngram.backoff import END, START
from workbench.models.ngram.model import NgramLM, locate_ngram, ngram_definition
from workbench.progress import Silent

OTHER = [
    "",
    " \n ",
    "The red fox\n\nsat on 12 mats.",
    "</s> <unk> <s> the cat",
    "日本語 🎉",
    "x" * 5000,
    TEXTS[3],
]


def load(folder: Path, **changed: Any) -> NgramLM:
    located = locate_ngram(str(folder))
    return NgramLM(located, {**ngram_definition(located), **changed})


def record(model: NgramLM, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    found = model.record(texts, Silent())
    return found["log10_prob"], found["n_words"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_ngram(tmp_path_factory.mktemp("ngram") / "tiny")


@pytest.fixture(scope="module")
def of_words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_ngram(
        tmp_path_factory.mktemp("ngram") / "words", n_vocabulary=None, newline_mode="per_line"
    )


def test_a_documents_score_is_that_of_its_lines_with_their_ends(of_words: Path) -> None:
    arpa = read_arpa(of_words / "lm.arpa")
    text = "The old cat sat.\n\nIt SAW 7 hens."
    stream = [
        arpa.ids.get(w, 0)
        for line in ("the old cat sat.", "it saw 0 hens.")
        for w in (START, *line.split(), END)
    ]
    scores, n_words = record(load(of_words, scorer="own"), [text])
    assert n_words.tolist() == [10]
    assert scores[0] == pytest.approx(arpa.log10_probs(np.array(stream)).sum())


@pytest.mark.parametrize(
    "scorer",
    [
        "own",
        "kenlm",
    ],
)
def test_a_document_has_the_same_score_in_any_batch_to_the_bit(folder: Path, scorer: str) -> None:
    model = load(folder, scorer=scorer)
    texts = TEXTS + OTHER
    together = record(model, texts)
    order = np.random.default_rng(0).permutation(len(texts))
    shuffled = record(model, [texts[i] for i in order])
    for whole, part in zip(together, shuffled, strict=True):
        assert whole[order].tobytes() == part.tobytes()
    alone = [record(model, [text]) for text in texts]
    assert np.concatenate([scores for scores, _ in alone]).tobytes() == together[0].tobytes()
    assert record(model, [])[0].shape == (0,)


def test_a_text_without_words_has_none(folder: Path) -> None:
    scores, n_words = record(load(folder), ["", " \n\t"])
    assert scores.tolist() == n_words.tolist() == [0, 0]


def test_kenlm_and_our_own_scorer_agree(folder: Path, of_words: Path) -> None:
    for path in (folder, of_words):
        ours, theirs = (record(load(path, scorer=scorer), TEXTS + OTHER) for scorer in ("own", "kenlm"))
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
        np.testing.assert_array_equal(ours[1], theirs[1])


def test_the_perplexity_is_datatroves_on_the_same_model_and_pieces(folder: Path) -> None:
    import kenlm
    from datatrove.utils.perplexity import KenlmModel

    class Pieces:
        def tokenize(self, text: str) -> str:
            return " ".join(words([text])[0])

    words = ngram.load_words(folder / "tokenizer.json")
    theirs = KenlmModel("folder", "en")
    theirs._model, theirs._tokenizer = kenlm.Model(str(folder / "lm.arpa")), Pieces()
    # A number of two digits is one 0 to datatrove, and it adds a long text up in float32.
    texts = [text for text in TEXTS + OTHER if text.strip() and "12" not in text and len(text) < 5000]
    scores, n_words = record(load(folder), texts)
    np.testing.assert_allclose(
        10 ** (-scores / n_words), [theirs.get_perplexity(text) for text in texts], rtol=1e-4, atol=0.06
    )


def test_a_packed_model_is_read_by_our_own_scorer(folder: Path, tmp_path: Path) -> None:
    packed = Path(shutil.copytree(folder, tmp_path / "packed"))
    (packed / "lm.arpa.gz").write_bytes(gzip.compress((packed / "lm.arpa").read_bytes()))
    (packed / "lm.arpa").unlink()
    change(packed, arpa="lm.arpa.gz")
    model = load(packed)
    assert model.definition()["scorer"] == "own"
    assert record(model, TEXTS)[0].tobytes() == record(load(folder, scorer="own"), TEXTS)[0].tobytes()


def test_pieces_of_a_given_sentencepiece_model(tmp_path: Path) -> None:
    sentencepiece = importlib.import_module("sentencepiece")
    (tmp_path / "text").write_text("\n".join(TEXTS * 4).lower())
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text"), model_prefix=str(tmp_path / "sp"), vocab_size=29, minloglevel=2
    )
    trained = write_tiny_ngram(tmp_path / "lm", tokenizer=tmp_path / "sp.model")
    assert json.loads((trained / "ngram.json").read_text())["tokenizer"] == "tokenizer.model"
    scores, n_words = record(load(trained), TEXTS[:3])
    assert (10 ** (-scores / n_words) < 20).all()
    assert any(word.startswith("▁") for word in read_arpa(trained / "lm.arpa").words)


def test_the_definition_names_all_that_decides_the_numbers(folder: Path) -> None:
    definition = ngram_definition(locate_ngram(str(folder)))
    assert definition["id"] == "tiny"
    assert set(definition["files"]) == {"ngram.json", "lm.arpa", "split.json", "tokenizer.json"}  # type: ignore[arg-type]
    assert definition["newline_mode"] == "ccnet"
    assert definition["scorer"] == "kenlm"


def change(folder: Path, **values: object) -> None:
    path = folder / "ngram.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_no_model_is_an_error_that_says_how_to_get_one() -> None:
    with pytest.raises(ModelError, match=r"there is no default; train one with `workbench train-ngram"):
        locate_ngram(None)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no n-gram model: it holds no ngram.json"):
        locate_ngram(str(tmp_path))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": "ngram-model/2"}, "has the format 'ngram-model/2', this workbench reads 'ngram-model/1'"),
        ({"arpa": "../lm.arpa"}, r"has arpa '../lm.arpa'; it must be the plain name of a file there"),
        ({"arpa": None}, "has arpa 'None'; it must be the plain name"),
        ({"tokenizer": "/etc/passwd"}, "has tokenizer '/etc/passwd'; it must be"),
        ({"newline_mode": "lines"}, "newline_mode must be one of ccnet, per_line, got 'lines'"),
        ({"arpa": "other.arpa"}, "lacks its file other.arpa; get the complete folder"),
    ],
)
def test_settings_that_are_wrong_are_refused(copy: Path, values: dict[str, object], message: str) -> None:
    change(copy, **values)
    with pytest.raises(ModelError, match=message):
        locate_ngram(str(copy))


@pytest.mark.parametrize(
    ("file", "message"), [("lm.arpa", "lm.arpa"), ("tokenizer.json", "no tokenizer that can be read")]
)
def test_a_damaged_file_is_an_error(copy: Path, file: str, message: str) -> None:
    (copy / file).write_text("{}")
    with pytest.raises(ModelError, match=message):
        load(copy)


def test_what_only_a_library_can_read_says_which_one(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "kenlm", None)
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    assert load(copy).definition()["scorer"] == "own"
    with pytest.raises(ModelError, match="to be read by KenLM, which isn't there; install it with"):
        load(copy, scorer="kenlm")
    (copy / "lm.arpa").rename(copy / "lm.arpa.bin")
    change(copy, arpa="lm.arpa.bin")
    with pytest.raises(
        ModelError, match="can only be read by KenLM; install it with: pip install ufal-kenlm"
    ):
        load(copy)
    (copy / "sp.model").write_bytes(b"")
    with pytest.raises(ModelError, match="is a SentencePiece model; install its reader"):
        ngram.load_words(copy / "sp.model")
