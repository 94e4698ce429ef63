"""ARPA files: written and read back, read by KenLM, scored by hand; and files that are none."""

from __future__ import annotations

import gzip
import importlib
from pathlib import Path

import numpy as np
import pytest

from tests.models.ngram.test_kneser_ney import grams_of, text, trained
from workbench.errors import ModelError
from workbench.models.ngram.arpa import read_arpa, write_arpa
from workbench.models.ngram.backoff import (
    END,
    END_ID,
    RESERVED,
    START,
    START_ID,
    BackoffModel,
    escaped,
    sentence_sums,
)
from workbench.progress import Silent

GOLDEN = Path(__file__).resolve().parents[2] / "golden"

# A bigram model of three sentences' worth of words; b's continuation must back off.
TOY = """\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-1.5\t<unk>
-99\t<s>\t-0.25
-0.8\t</s>
-0.6\ta\t-0.5
-0.7\tb\t-0.125

\\2-grams:
-0.2\t<s> a
-0.3\ta b
-0.4\tb </s>

\\end\\
"""


def scored(model: BackoffModel, sentences: list[list[str]]) -> np.ndarray:
    ids = model.ids
    stream = np.array([ids.get(w, 0) for s in sentences for w in (START, *s, END)])
    return sentence_sums(model.log10_probs(stream), stream)


# Each word's log10 probability: its bigram's, or the backoff weight of the word before and its own.
BY_HAND = {
    "a b": -0.2 + -0.3 + -0.4,
    "b a": (-0.25 - 0.7) + (-0.125 - 0.6) + (-0.5 - 0.8),
    "a c b": -0.2 + (-0.5 - 1.5) + (0 - 0.7) + -0.4,
    "": -0.25 - 0.8,
}


def test_a_toy_model_gives_the_numbers_that_are_worked_out_by_hand(tmp_path: Path) -> None:
    (tmp_path / "toy.arpa").write_text(TOY)
    model = read_arpa(tmp_path / "toy.arpa")
    assert scored(model, [s.split() for s in BY_HAND]) == pytest.approx(list(BY_HAND.values()))


def test_kenlm_gives_the_toys_numbers_too(tmp_path: Path) -> None:
    kenlm = importlib.import_module("kenlm")
    (tmp_path / "toy.arpa").write_text(TOY)
    model = kenlm.Model(str(tmp_path / "toy.arpa"))
    assert [model.score(s) for s in BY_HAND] == pytest.approx(list(BY_HAND.values()), rel=1e-6)


@pytest.mark.parametrize(("name", "prune"), [("lmplz", (0,)), ("lmplz-pruned", (0, 0, 1))])
def test_the_model_is_lmplzs_n_gram_for_n_gram(name: str, prune: tuple[int, ...]) -> None:
    """Written by KenLM 4cb443e: lmplz -o 4 --discount_fallback [--prune 0 0 1] --text lmplz.txt."""
    sentences = [line.split() for line in (GOLDEN / "lmplz.txt").read_text().splitlines()]
    theirs = read_arpa(GOLDEN / f"{name}.arpa")
    ours = trained(sentences, 4, prune).model
    assert sum(map(len, theirs.orders)) > 150
    for n, grams in enumerate(theirs.orders, 1):
        found = dict(
            zip(
                grams_of(ours, n),
                np.c_[ours.orders[n - 1].log_prob, ours.orders[n - 1].log_backoff],
                strict=True,
            )
        )
        expected = dict(zip(grams_of(theirs, n), np.c_[grams.log_prob, grams.log_backoff], strict=True))
        assert found.keys() == expected.keys()
        np.testing.assert_allclose([found[gram] for gram in expected], list(expected.values()), atol=2e-6)


@pytest.mark.parametrize("order", [2, 5])
@pytest.mark.parametrize("ending", [".arpa", ".arpa.gz"])
def test_what_is_written_is_read_back(tmp_path: Path, order: int, ending: str) -> None:
    model = trained(text(50, seed=order), order).model
    write_arpa(model, tmp_path / "m.arpa", Silent())
    path = tmp_path / f"m{ending}"
    if ending.endswith("gz"):
        path.write_bytes(gzip.compress((tmp_path / "m.arpa").read_bytes()))
    found = read_arpa(path)
    assert found.words == model.words
    for one, other in zip(found.orders, model.orders, strict=True):
        np.testing.assert_array_equal(one.prefix, other.prefix)
        np.testing.assert_array_equal(one.word, other.word)
        np.testing.assert_allclose(one.log_prob, other.log_prob, rtol=1e-6)
        np.testing.assert_allclose(one.log_backoff, other.log_backoff, rtol=1e-6)


def test_n_grams_in_any_order_are_read(tmp_path: Path) -> None:
    lines = TOY.splitlines()
    lines[12:15] = lines[14:11:-1]
    lines[5:10] = lines[9:4:-1]
    (tmp_path / "m.arpa").write_text("\n".join(lines) + "\n")
    sentences = [s.split() for s in BY_HAND]
    assert scored(read_arpa(tmp_path / "m.arpa"), sentences) == pytest.approx(list(BY_HAND.values()))


@pytest.mark.parametrize("prune", [(0,), (0, 0, 1)])
def test_kenlm_reads_what_we_write_and_scores_as_we_do(tmp_path: Path, prune: tuple[int, ...]) -> None:
    kenlm = importlib.import_module("kenlm")
    model = trained(text(300, seed=1), 5, prune).model
    write_arpa(model, tmp_path / "m.arpa", Silent())
    theirs = kenlm.Model(str(tmp_path / "m.arpa"))
    other = [*text(100, seed=2, n_words=50), [], ["never", "seen", "w0"]]
    np.testing.assert_allclose(
        scored(model, other), [theirs.score(" ".join(sentence)) for sentence in other], atol=1e-4
    )


def test_words_of_a_hostile_text_are_words(tmp_path: Path) -> None:
    words = [
        "<b>",
        "\\end\\",
        "\\2-grams:",
        "ngram",
        "1=5",
        "a\u00a0b",
        "\u3000",
        "{x}",
        "../..",
        *escaped(["</s>"]),
    ]
    model = trained([words, words[::-1]], 3).model
    write_arpa(model, tmp_path / "m.arpa", Silent())
    found = read_arpa(tmp_path / "m.arpa")
    assert found.words == (*RESERVED, *words)
    assert scored(found, [words]) == pytest.approx(scored(model, [words]), rel=1e-6)


def test_an_order_of_which_nothing_is_kept_is_left_out(tmp_path: Path) -> None:
    model = trained(text(20, seed=6), 4, (0, 0, 10_000)).model
    assert len(model.orders) == 2
    write_arpa(model, tmp_path / "m.arpa", Silent())
    assert len(read_arpa(tmp_path / "m.arpa").orders) == 2


def test_a_sentence_has_the_same_score_whatever_stands_beside_it() -> None:
    sentences = text(40, seed=4)
    model = trained(sentences, 4).model
    together = scored(model, sentences)
    assert together.tobytes() == np.concatenate([scored(model, [s]) for s in sentences]).tobytes()


def test_a_stream_without_sentences_has_no_sums() -> None:
    model = trained([["a"]], 2).model
    nothing = np.zeros(0, dtype=np.int64)
    assert len(sentence_sums(model.log10_probs(nothing), nothing)) == 0
    assert model.log10_probs(np.array([START_ID, END_ID]))[0] == 0


DAMAGE = {
    "": r"it doesn't begin with \\data\\",
    "<html>\n": r"it doesn't begin with \\data\\",
    TOY.replace("ngram 1=5", "ngrams 5"): "its head has the line 'ngrams 5'",
    "\\data\\\n\n": "its head counts no n-grams",
    TOY.replace("ngram 1=5", "ngram 1=4"): "stands where the 2-grams begin",
    TOY.replace("ngram 1=5", "ngram 1=6"): "its 1-gram 6 of 6 is ''",
    TOY[: TOY.index("-0.4")]: "its 2-gram 3 of 3 is ''",
    TOY[: TOY.index("\\end")]: "it doesn't end with",
    TOY.replace("a b", "a z"): "its 2-gram 2 of 3 is",
    TOY.replace("-0.3\t", "x\t"): "its 2-gram 2 of 3 is",
    TOY.replace("a b", "a b b b"): "its 2-gram 2 of 3 is",
}


@pytest.mark.parametrize("content", DAMAGE)
def test_a_file_that_is_no_whole_arpa_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "m.arpa").write_text(content)
    with pytest.raises(ModelError, match=DAMAGE[content]):
        read_arpa(tmp_path / "m.arpa")


def test_a_trigram_that_extends_nothing_is_refused(tmp_path: Path) -> None:
    content = TOY.replace("ngram 2=3", "ngram 2=3\nngram 3=1").replace(
        "\\end\\", "\\3-grams:\n-1\ta a b\n\n\\end\\"
    )
    (tmp_path / "m.arpa").write_text(content)
    with pytest.raises(ModelError, match="a 3-gram extends an n-gram that isn't there"):
        read_arpa(tmp_path / "m.arpa")


def test_a_file_that_is_not_there_or_cut_off_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"m.arpa can't be read"):
        read_arpa(tmp_path / "m.arpa")
    (tmp_path / "m.arpa.gz").write_bytes(gzip.compress(TOY.encode())[:-20])
    with pytest.raises(ModelError, match=r"m.arpa.gz can't be read"):
        read_arpa(tmp_path / "m.arpa.gz")
