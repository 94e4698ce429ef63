"""Texts to unit vectors without a model: TF-IDF of hashed n-grams, projected by an SVD fitted on the sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.checks import Array, FloatArray, IntArray
from workbench.errors import InputError
from workbench.models.base import Definition
from workbench.models.embedding.vectors import unit
from workbench.progress import Progress

NAME = "tfidf-svd"
ANALYZERS = ("words", "chars")

_DIMENSION = 128
_N_BUCKETS = 1 << 20
_MAX_FEATURES = 1 << 15
_MIN_DOCUMENTS = 2
# A longer text's beginning stands for it: a document of 16 MB would give some ten million n-grams.
_MAX_CHARS = 1_000_000
_N_ITERATIONS = 5
_BATCH_CHARS = 2_000_000
# In scikit-learn's words. Words of one letter don't count; n-grams of characters don't cross words.
_VECTORIZERS: Mapping[str, Mapping[str, object]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2)},
    "chars": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}


def tfidf_definition(analyzer: str) -> Definition:
    """What decides the vectors beside the fitted state."""
    return {
        "kind": "embedder",
        "method": NAME,
        "id": f"{NAME}:{analyzer}",
        "revision": None,
        "analyzer": analyzer,
        "dimension": _DIMENSION,
        "n_buckets": _N_BUCKETS,
        "max_features": _MAX_FEATURES,
        "min_documents": _MIN_DOCUMENTS,
        "max_chars": _MAX_CHARS,
        "n_iterations": _N_ITERATIONS,
        "normalised": True,
        "files": {},
    }


class TfidfSvd:
    """Latent semantic analysis of a sample, and its way onto any other text.

    n-grams (words of two characters and more and their pairs, or 3 to 5 characters of a word) are hashed into
    buckets (MurmurHash3). The buckets that at least `min_documents` texts of the sample have, the most common
    `max_features` of them, are the features: (1 + ln count) * (ln((1 + n) / (1 + documents)) + 1), each row
    scaled to length 1, times the first right singular vectors of the sample's matrix, scaled to length 1
    again. A text without any feature has no vector: NaN.

    `fit` gives the state, `with_state` what encodes. Rows are computed one by one, so a vector doesn't depend
    on the texts beside it, to the bit.

    Notes
    -----
    Deerwester et al. 1990; randomised SVD of Halko et al. 2011 (scikit-learn's). The whole text counts, so there is
    nothing to cut into chunks.
    """

    def __init__(self, definition: Definition, state: Mapping[str, Array] | None = None) -> None:
        self._definition = definition
        self._state = state
        self.dimension = 0 if state is None else int(state["components"].shape[1])

    def definition(self) -> Definition:
        return self._definition

    def fit(self, texts: Sequence[str], seed: int) -> dict[str, Array]:
        """The features and their projection.

        Returns
        -------
        `buckets` int32 (f,), rising; `idf` float32 (f,); `components` float32 (f, d), d being `dimension`, or less
        where the sample has fewer texts or features.

        Raises
        ------
        InputError
            If fewer than two n-grams are shared by texts of the sample.
        """
        from sklearn.utils.extmath import randomized_svd

        counts = self._counts(texts)
        documents = np.bincount(counts.indices, minlength=counts.shape[1])
        shared = np.flatnonzero(documents >= self._setting("min_documents"))
        # The most common first, equally common ones by bucket: a total order.
        order = np.lexsort((shared, -documents[shared]))[: self._setting("max_features")]
        buckets = np.sort(shared[order]).astype(np.int32)
        if len(buckets) < 2:
            raise InputError(
                f"{NAME} found {len(buckets)} n-grams that two texts of the sample share and needs 2; "
                "take a larger sample, or another embedder"
            )
        idf = (np.log((1 + len(texts)) / (1 + documents[buckets])) + 1).astype(np.float32)
        rank = min(self._setting("dimension"), len(texts), len(buckets))
        _, _, vt = randomized_svd(
            weighted(counts, buckets, idf), rank, n_iter=self._setting("n_iterations"), random_state=seed
        )
        return {"buckets": buckets, "idf": idf, "components": np.ascontiguousarray(vt.T, dtype=np.float32)}

    def with_state(self, state: Mapping[str, Array]) -> TfidfSvd:
        """The embedder that a fitted state makes of this."""
        return TfidfSvd(self._definition, state)

    def encode(self, texts: Sequence[str], progress: Progress, *, max_chunks: int = 1) -> FloatArray:
        """See workbench.models.base.Embedder; there are no chunks.

        Raises
        ------
        InputError
            If there is no state yet.
        """
        state = self._state
        if state is None:
            raise InputError(
                f"{NAME} is fitted on a sample before it encodes; score the sample's embedding first"
            )
        out = np.empty((len(texts), self.dimension), dtype=np.float32)
        for rows in _batches(texts):
            found = weighted(self._counts([texts[i] for i in rows]), state["buckets"], state["idf"])
            # A sparse row times a matrix is summed entry by entry, whatever rows are beside it.
            out[rows] = unit(found @ state["components"])
            progress.advance(sum(len(texts[i]) for i in rows))
        return out

    def count_chunks(self, texts: Sequence[str]) -> IntArray:
        return np.array([bool(text) for text in texts], dtype=np.int64)

    def _counts(self, texts: Sequence[str]) -> Any:
        """How often each bucket's n-grams stand in each text, sparse float64 (n, n_buckets)."""
        from scipy.sparse import csr_matrix, vstack
        from sklearn.feature_extraction.text import HashingVectorizer

        n_buckets = self._setting("n_buckets")
        vectorizer = HashingVectorizer(
            n_features=n_buckets,
            norm=None,
            alternate_sign=False,
            **_VECTORIZERS[str(self._definition["analyzer"])],
        )
        limit = self._setting("max_chars")
        parts = [vectorizer.transform([texts[i][:limit] for i in rows]) for rows in _batches(texts)]
        counts = vstack(parts, format="csr") if parts else csr_matrix((0, n_buckets))
        counts.sort_indices()
        return counts

    def _setting(self, name: str) -> int:
        return int(str(self._definition[name]))


def weighted(counts: Any, buckets: IntArray, idf: FloatArray) -> Any:
    """TF-IDF of the chosen buckets, rows of length 1 (or 0 without any of them).

    Parameters
    ----------
    counts
        Sparse (n, all buckets).
    buckets, idf
        (f,), the buckets that are features, rising, and their inverse document frequency.

    Returns
    -------
    Sparse float32 (n, f).
    """
    from scipy.sparse import csr_matrix

    columns = np.full(counts.shape[1], -1, dtype=np.int32)
    columns[buckets] = np.arange(len(buckets), dtype=np.int32)
    column = columns[counts.indices]
    known = column >= 0
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))[known]
    values = (1 + np.log(counts.data[known])) * idf[column[known]]
    norms = np.sqrt(np.bincount(row, weights=values**2, minlength=counts.shape[0]))
    starts = np.searchsorted(row, np.arange(counts.shape[0] + 1))
    scaled = (values / norms[row]).astype(np.float32)
    return csr_matrix((scaled, column[known], starts), shape=(counts.shape[0], len(buckets)))


def _batches(texts: Sequence[str]) -> list[IntArray]:
    """Rows in groups of about _BATCH_CHARS characters."""
    if not texts:
        return []
    group = np.cumsum([len(text) for text in texts]) // _BATCH_CHARS
    return np.split(np.arange(len(texts)), np.flatnonzero(np.diff(group)) + 1)
