from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from tests.models.counting import Counting
from workbench.errors import InputError
from workbench.models.embedding.tfidf import ANALYZERS, TfidfSvd, tfidf_definition
from workbench.progress import Silent

SUBJECTS = (
    "wheat barley farm harvest plough field",
    "ship harbour sail captain anchor sea",
    "law court judge plea bail jury",
)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """60 texts of three subjects."""
    rng = np.random.default_rng(0)
    return [
        " ".join(rng.choice([*SUBJECTS[i % 3].split(), "the", "and", "of"], size=rng.integers(8, 40)))
        for i in range(60)
    ]


def small(analyzer: str = "words", **settings) -> TfidfSvd:
    return TfidfSvd({**tfidf_definition(analyzer), "n_buckets": 4096, "dimension": 12, **settings})


def fitted(model: TfidfSvd, texts: list[str]) -> TfidfSvd:
    return model.with_state(model.fit(texts, 0))


@pytest.mark.parametrize("analyzer", ANALYZERS)
def test_cosines_are_those_of_scikit_learns_own_pipeline(texts, analyzer):
    """An SVD is unique up to signs, so what is compared is what is used: the cosines."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.preprocessing import normalize

    settings = {"analyzer": "word", "ngram_range": (1, 2)}
    if analyzer == "chars":
        settings = {"analyzer": "char_wb", "ngram_range": (3, 5)}
    counts = HashingVectorizer(n_features=4096, norm=None, alternate_sign=False, **settings).transform(texts)
    kept = np.flatnonzero(np.bincount(counts.indices, minlength=4096) >= 2)
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts[:, kept])
    projected = TruncatedSVD(12, algorithm="arpack", random_state=0).fit_transform(weighted)
    expected = normalize(projected)
    vectors = fitted(small(analyzer, n_iterations=60), texts).encode(texts, Silent())
    assert vectors.shape == (60, 12)
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-3)


def test_subjects_lie_apart(texts):
    vectors = fitted(small(dimension=3), texts).encode(texts, Silent())
    cosines = vectors @ vectors.T
    same = np.arange(60)[:, None] % 3 == np.arange(60) % 3
    assert cosines[same].min() > cosines[~same].max()


def test_a_vector_does_not_depend_on_the_texts_beside_it_to_the_bit(texts):
    model = fitted(small(), texts)
    vectors = model.encode(texts, Silent())
    assert model.encode(texts[::-1], Silent()).tobytes() == vectors[::-1].tobytes()
    for i in (0, 7, 59):
        assert model.encode([texts[i]], Silent()).tobytes() == vectors[i : i + 1].tobytes()
    assert model.encode([], Silent()).shape == (0, 12)


def test_batches_change_nothing(texts, monkeypatch):
    whole = fitted(small(), texts)
    vectors = whole.encode(texts, Silent())
    monkeypatch.setattr("workbench.models.embedding.tfidf._BATCH_CHARS", 300)
    assert fitted(small(), texts).encode(texts, Silent()).tobytes() == vectors.tobytes()


def test_a_text_without_a_known_n_gram_has_no_vector(texts):
    vectors = fitted(small(), texts).encode(["", "!!! ??", "zzzqqq", texts[0]], Silent())
    assert np.isnan(vectors[:3]).all()
    assert np.linalg.norm(vectors[3]) == pytest.approx(1, abs=1e-6)


def test_the_state_is_bounded_and_goes_through_its_file(texts, tmp_path):
    from workbench.store.columns import read_state, write_state

    model = small(max_features=20)
    state = model.fit(texts, 0)
    assert {name: (a.dtype.str, a.shape) for name, a in state.items()} == {
        "buckets": ("<i4", (20,)), "idf": ("<f4", (20,)), "components": ("<f4", (20, 12)),
    }  # fmt: skip
    assert all(a < b for a, b in pairwise(state["buckets"].tolist()))
    write_state(tmp_path / "s.safetensors", state)
    again = model.with_state(read_state(tmp_path / "s.safetensors"))
    vectors = model.with_state(state).encode(texts, Silent())
    assert again.encode(texts, Silent()).tobytes() == vectors.tobytes()


def test_the_same_sample_and_seed_give_the_same_state(texts):
    one, other = (small().fit(texts, 3) for _ in range(2))
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)


def test_a_small_sample_has_fewer_dimensions(texts):
    state = small().fit(texts[:5], 0)
    assert state["components"].shape[1] <= 5


def test_only_the_beginning_of_a_long_text_counts(texts):
    model = small(max_chars=100)
    model = model.with_state(model.fit(texts, 0))
    long = (texts[0] + " ") * 50
    a, b = model.encode([long[:100], long], Silent())
    assert a.tobytes() == b.tobytes()


def test_a_sample_that_shares_nothing_is_one_sentence():
    with pytest.raises(InputError, match="found 0 n-grams that two texts of the sample share and needs 2"):
        small().fit(["one", "two", ""], 0)


def test_encoding_before_the_fit_is_one_sentence():
    with pytest.raises(InputError, match="is fitted on a sample before it encodes"):
        small().encode(["x"], Silent())


def test_progress_and_chunks_count_texts(texts):
    count = Counting()
    fitted(small(), texts).encode(texts, count)
    assert count.n == sum(map(len, texts))
    assert small().count_chunks(["", "x"]).tolist() == [0, 1]


def test_the_definition_is_json_and_differs_by_analyzer():
    one, other = (tfidf_definition(analyzer) for analyzer in ANALYZERS)
    assert json.loads(json.dumps(one)) == one != other
