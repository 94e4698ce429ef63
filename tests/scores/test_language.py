import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.scores import language as module
from workbench.scores.base import Inputs
from workbench.scores.language import LANGUAGES, SPECS, LanguageParams, compute, language

CORPUS = Path(__file__).parents[2] / "data_samples" / "corpus"
SENTENCES = {
    "en": "The committee will meet again on Thursday to discuss the report.",
    "de": "Der Ausschuss wird am Donnerstag erneut zusammentreten, um den Bericht zu besprechen.",
    "fr": "Le comité se réunira de nouveau jeudi pour discuter du rapport.",
    "ru": "Комитет снова соберётся в четверг, чтобы обсудить доклад.",
    "ja": "委員会は木曜日に再び開かれ、報告書について話し合います。",
}


def code_of(index):
    return LANGUAGES[int(index)]


@pytest.mark.parametrize("code", SENTENCES)
def test_a_plain_sentence_is_told(code):
    index, score = language(SENTENCES[code])
    assert code_of(index) == code
    assert 0.5 < score <= 1


def test_the_labels_are_the_models_in_its_order_and_those_of_the_spec():
    assert list(LANGUAGES) == module._identifier().labels
    assert {spec.name: spec.labels for spec in SPECS} == {"language": LANGUAGES, "language_score": ()}


def test_no_evidence_is_what_the_model_gives_an_empty_text():
    _, score = module._identifier().classify("")
    assert score <= module._NO_EVIDENCE
    assert len(module._identifier().nb_classes) == 142


@pytest.mark.parametrize("text", ["", " \n\t", "1", "... !!! ???"])
def test_a_text_that_shows_nothing_has_no_language(text):
    assert all(math.isnan(value) for value in language(text))


def test_labels_are_known_before_the_model_is_loaded(monkeypatch):
    monkeypatch.setattr(module, "_load", lambda: pytest.fail("loaded"))
    assert SPECS[0].labels[16] == "en"


def test_the_model_is_read_without_pickle(monkeypatch):
    allowed = []
    load = np.load

    def watched(*args, **kwargs):
        allowed.append(kwargs.get("allow_pickle"))
        return load(*args, **kwargs)

    monkeypatch.setattr(np, "load", watched)
    module._load.__wrapped__()
    assert allowed == [False]


def test_the_model_is_loaded_once_by_many_threads(monkeypatch):
    module._load.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: module._identifier(), range(32)))
    assert len({id(model) for model in found}) == 1
    assert module._load.cache_info().misses == 1


def test_threads_and_repeats_give_the_same_bits(documents):
    texts = [text for text, _ in documents[:120]]
    inputs = Inputs([""] * len(texts), [""] * len(texts), texts)
    expected = compute(inputs, LanguageParams(), {})
    with ThreadPoolExecutor(4) as pool:
        for columns in pool.map(lambda _: compute(inputs, LanguageParams(), {}), range(4)):
            for name, column in columns.items():
                assert column.tobytes() == expected[name].tobytes()


def test_compute_reads_no_further_than_max_chars():
    texts = [SENTENCES["en"], SENTENCES["en"] + SENTENCES["ru"] * 20, ""]
    inputs = Inputs(["a", "b", "c"], [""] * 3, texts)
    columns = compute(inputs, LanguageParams(max_chars=len(SENTENCES["en"])), {})
    assert {(column.dtype.name, column.shape) for column in columns.values()} == {("float32", (3,))}
    assert columns["language"][0] == columns["language"][1]
    assert code_of(compute(inputs, LanguageParams(max_chars=None), {})["language"][1]) == "ru"


def test_digits_alone_are_text_in_no_language():
    assert code_of(language("1234567")[0]) == "zxx"


def test_nearly_all_documents_of_the_sample_are_told_as_their_hint_says():
    sample = pl.read_parquet(CORPUS / "multilingual.parquet", columns=["text", "lang_hint"])
    # The hints name places too ("zh-tw"), and "nb" is a kind of the model's "no".
    hints = [{"nb": "no"}.get(hint[:2], hint[:2]) for hint in sample["lang_hint"]]
    told = [code_of(language(text)[0]) == hint for text, hint in zip(sample["text"], hints, strict=True)]
    assert len(told) > 100
    assert sum(told) / len(told) > 0.95


@given(st.text())
def test_any_text_has_a_language_with_a_probability_or_none(text):
    index, score = language(text)
    assert math.isnan(index) == math.isnan(score)
    assert math.isnan(score) or (0 < score <= 1 + 1e-6 and index in range(len(LANGUAGES)))
