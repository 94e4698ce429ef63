"""The sample as a map and as clusters with keywords: for looking at it, not for selecting a corpus by."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, IntArray, check_at_least, check_fraction
from workbench.errors import InputError
from workbench.scores.base import Inputs, ScoreSpec, State, as_column

NOISE = -1
"""The code of documents that HDBSCAN puts in no cluster."""

_MIN_FOR_UMAP = 30
"""With fewer distinct embeddings, each neighbourhood is half of the sample and UMAP's start may fail."""

_MIN_CLUSTER = 5

_NOT_INSTALLED = '{}, which is not installed; run `pip install "selection-workbench[lab]"`'

_LABEL_CHARS = 20_000
"""Characters of a text that count for its cluster's keywords: one huge document must not stall or rule it."""

# A letter, then 1 to 23 letters, digits or underscores: neither numbers, nor base64, nor control characters.
# The ranges are the scripts of India, whose vowel signs Python doesn't count as part of a word.
_IN_WORD = r"[\w\u0900-\u0963\u0966-\u0dff]"
_WORD = rf"(?<!{_IN_WORD})[^\W\d_]{_IN_WORD}{{1,23}}(?!{_IN_WORD})"

# Function words of English, German, French, Spanish, Portuguese, Italian, Dutch, Swedish, Polish and Russian,
# then keywords of code: frequent in the one cluster that has the language, yet no topic.
_STOP_WORDS = frozenset(
    """
    the and of to in is that it for as with was his he be not by but have you which are on or her had at from
    this my they all she were we there been their one me so an if would when who him will your no what has
    more out up them into can any do our its than then now may such us these those how some could about only
    other should also der die das und ist den von zu mit sich auf für nicht im ein eine des dem es ich wir wie
    als auch an bei dass um le la les de du et en un une est que qui dans pour pas au aux ce il elle je nous
    ne sur par plus avec son sa ses el los las al lo con una uno su se es más pero os da dos das ao na em um
    uma não com por mais gli di che per non della dei nel anche più het een van dat niet op te zijn voor met
    aan er och att det som av till inte nie się jest że jak od za czy przez не на что он как то это но она все
    так его из же от бы мы вы был def return self import const function var let else elif while class public
    private static void int string null true false none new try except catch throw async await export default
    require module typeof undefined func nil
    """.split()
)


@dataclass(frozen=True)
class MapParams:
    """Parameters of `map_x` and `map_y`.

    Attributes
    ----------
    n_neighbors
        Documents that make up a neighbourhood, at least 2: fewer show detail, more show the whole.
    min_distance
        How close points may lie, 0..1, as a fraction of the map's scale.
    n_epochs
        Passes of the layout. umap-learn takes 500 up to 10,000 documents and 200 above; on the committed
        sample 200 do as well: as many of the 10 nearest neighbours share a cluster (.92 and .91, 500: .89 and
        .91).
    """

    n_neighbors: int = 15
    min_distance: float = 0.1
    n_epochs: int = 200


@dataclass(frozen=True)
class ClusterParams:
    """Parameters of `cluster`.

    Attributes
    ----------
    min_cluster_fraction
        The smallest cluster, as a share of the sample in 0..1; never fewer than 5 documents.
    n_core_neighbors
        HDBSCAN's min_samples, at least 1: more call more documents noise.
    """

    min_cluster_fraction: float = 0.005
    n_core_neighbors: int = 5


def compute_map(inputs: Inputs, params: MapParams, state: State) -> dict[str, Array]:
    """Two coordinates a document, so that similar texts lie near each other (UMAP, cosine).

    Parameters
    ----------
    inputs
        With `embedding`, float32 (n, d).
    state
        `seed`, int64 (1,). The same seed gives the same map on the same machine.

    Returns
    -------
    map_x, map_y : float32 (n,)
        NaN where the embedding isn't finite. Axes and distances between far groups mean nothing.

    Raises
    ------
    InputError
        If a param is out of range, or umap-learn isn't installed.

    Notes
    -----
    McInnes, Healy and Melville 2018, arXiv:1802.03426, by umap-learn on one thread, since only so it repeats.
    Below 30 distinct embeddings the map is the first two principal components.
    """
    check_at_least("n_neighbors", params.n_neighbors, 2)
    check_at_least("n_epochs", params.n_epochs, 1)
    check_fraction("min_distance", params.min_distance)
    embedding = inputs.columns["embedding"]
    finite = np.isfinite(embedding).all(axis=1)
    place = np.full((len(embedding), 2), np.nan, dtype=np.float32)
    rows = np.ascontiguousarray(embedding[finite], dtype=np.float32)
    if len(np.unique(rows, axis=0)) < _MIN_FOR_UMAP:
        place[finite] = _principal(rows)
    else:
        place[finite] = _umap(rows, params, int(state["seed"][0]))
    return {"map_x": as_column(place[:, 0]), "map_y": as_column(place[:, 1])}


def _principal(rows: FloatArray) -> FloatArray:
    """The first two principal components, each with its largest entry positive; 0 where there is none."""
    out = np.zeros((len(rows), 2))
    if len(rows):
        centred = rows - rows.mean(axis=0, dtype=np.float64)
        left, size, _ = np.linalg.svd(centred, full_matrices=False)
        # Below this it is rounding: identical embeddings lie on one point.
        n_axes = int((size[:2] > 1e-5 * math.sqrt(len(rows))).sum())
        axes = left[:, :n_axes] * size[:n_axes]
        sign = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(n_axes)])
        out[:, :n_axes] = axes * sign
    return out


def _umap(rows: FloatArray, params: MapParams, seed: int) -> FloatArray:
    try:
        import umap
    except ImportError as error:
        raise InputError(_NOT_INSTALLED.format("the map needs umap-learn")) from error
    layout = umap.UMAP(
        n_neighbors=min(params.n_neighbors, len(rows) - 1),
        min_dist=params.min_distance,
        n_epochs=params.n_epochs,
        metric="cosine",
        # numpy's RandomState takes 32 bits.
        random_state=seed % 2**32,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # Texts of several languages do fall apart into unconnected groups; the map shows that.
        warnings.filterwarnings("ignore", message=".*[Gg]raph is not fully connected.*")
        warnings.filterwarnings("ignore", message=".*Spectral initialisation failed.*")
        place: FloatArray = layout.fit_transform(rows)
    return place


def compute_cluster(inputs: Inputs, params: ClusterParams, state: State) -> dict[str, Array]:
    """Groups of documents that lie densely on the map (HDBSCAN).

    Parameters
    ----------
    inputs
        With `map_x` and `map_y`, (n,).

    Returns
    -------
    cluster : float32 (n,)
        0 for the largest cluster, then by size; -1 for noise; NaN where the document has no place on the map.

    Raises
    ------
    InputError
        If a param is out of range, or hdbscan isn't installed.

    Notes
    -----
    Campello, Moulavi and Sander 2013, by the hdbscan package. BERTopic clusters a UMAP of 5 dimensions, we
    the map: on the committed sample the two differ no more than two seeds of one do (adjusted Rand .65 to
    .85, .67 to .82), keep as many of the 10 nearest neighbours together (.89 to .92), and the clusters are
    those that one sees.
    """
    check_fraction("min_cluster_fraction", params.min_cluster_fraction)
    check_at_least("n_core_neighbors", params.n_core_neighbors, 1)
    place = np.column_stack([inputs.columns["map_x"], inputs.columns["map_y"]]).astype(np.float64)
    finite = np.isfinite(place).all(axis=1)
    code = np.full(len(place), np.nan)
    code[finite] = _by_size(_hdbscan(place[finite], params))
    return {"cluster": as_column(code)}


def _hdbscan(place: FloatArray, params: ClusterParams) -> IntArray:
    n = len(place)
    smallest = max(_MIN_CLUSTER, math.ceil(params.min_cluster_fraction * n))
    if n > 1 and (place == place[0]).all():
        return np.zeros(n, dtype=np.int64)
    if n < 2 * smallest:
        # HDBSCAN never calls a whole sample one cluster, so it would find nothing here.
        return np.full(n, NOISE, dtype=np.int64)
    try:
        import hdbscan
    except ImportError as error:
        raise InputError(_NOT_INSTALLED.format("clusters need hdbscan")) from error
    n_core = min(params.n_core_neighbors, n - 1)
    finder = hdbscan.HDBSCAN(min_cluster_size=smallest, min_samples=n_core, core_dist_n_jobs=1)
    labels: IntArray = finder.fit_predict(place).astype(np.int64)
    return labels


def _by_size(labels: IntArray) -> IntArray:
    """Renumber clusters from the largest, ties by the first document; noise stays."""
    names, first, size = np.unique(labels[labels != NOISE], return_index=True, return_counts=True)
    out = np.full(len(labels), NOISE, dtype=np.int64)
    for code, name in enumerate(names[np.lexsort((first, -size))]):
        out[labels == name] = code
    return out


def keyword_labels(texts: Sequence[str], clusters: Array, *, n_words: int = 4) -> dict[int, str]:
    """Name each cluster by the words that are frequent in it and rare elsewhere (c-TF-IDF).

    Parameters
    ----------
    texts
        One a document.
    clusters
        float32 (n,), as `cluster` gives them; documents with NaN count nowhere.
    n_words
        Words a label, at least 1.

    Returns
    -------
    dict
        Label by cluster code: "noise" for -1, "cluster 3" where no word is left. Words come from the texts:
        plain text of letters, digits and underscores, at most 24 characters each.

    Raises
    ------
    InputError
        If lengths differ or n_words is below 1.

    Notes
    -----
    Grootendorst 2022, arXiv:2203.05794: tf_{t,c} * log(1 + A / f_t), with A the mean number of words a
    cluster and f_t the frequency of t in all of them; noise doesn't count. Function words of ten languages
    and keywords of code are left out. Only the first 20,000 characters of a text are read.

    Examples
    --------
    >>> texts = ["red wine", "white wine", "old ship", "new ship at sea"]
    >>> keyword_labels(texts, np.array([0, 0, 1, 1]), n_words=2)
    {0: 'wine, red', 1: 'ship, old'}
    """
    check_at_least("n_words", n_words, 1)
    if len(texts) != len(clusters):
        raise InputError(f"there are {len(clusters)} cluster codes for {len(texts)} texts; give one a text")
    scored = np.isfinite(clusters)
    codes = np.where(scored, clusters, NOISE).astype(np.int64)
    names = np.unique(codes[scored])
    labels = {int(name): "noise" if name == NOISE else f"cluster {name}" for name in names}
    labels.update(_class_keywords(texts, codes, codes != NOISE, int(n_words)))
    return labels


def _class_keywords(texts: Sequence[str], codes: IntArray, inside: BoolArray, n_words: int) -> dict[int, str]:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import CountVectorizer

    rows = np.flatnonzero(inside)
    counter = CountVectorizer(token_pattern=_WORD)
    try:
        counts = counter.fit_transform(texts[int(i)][:_LABEL_CHARS] for i in rows)
    except ValueError:
        # No text has a word, and an empty vocabulary is an error to scikit-learn.
        return {}
    words = counter.get_feature_names_out()
    names, place = np.unique(codes[rows], return_inverse=True)
    member = csr_matrix((np.ones(len(rows)), (place, np.arange(len(rows)))), shape=(len(names), len(rows)))
    frequency = np.asarray((member @ counts).todense(), dtype=np.float64)
    weight = np.log1p(frequency.sum() / len(names) / frequency.sum(axis=0))
    weight[np.fromiter((word in _STOP_WORDS for word in words), dtype=bool, count=len(words))] = 0.0
    out = {}
    for name, score in zip(names, frequency * weight, strict=True):
        # Words come sorted, so a stable sort settles ties by the word.
        best = [i for i in np.argsort(-score, kind="stable")[:n_words] if score[i] > 0]
        if best:
            out[int(name)] = ", ".join(str(words[i]) for i in best)
    return out


def _axis(name: str, which: str) -> ScoreSpec:
    return ScoreSpec(
        name=name,
        version=1,
        title=f"{which} coordinate on the map of the sample (UMAP of the embedding)",
        unit="map units",
        better="neither",
        needs=("embedding",),
        params=MapParams,
        compute=compute_map,
        scope="sample",
        paper="McInnes et al. 2018, arXiv:1802.03426",
    )


SPECS: tuple[ScoreSpec, ...] = (
    _axis("map_x", "First"),
    _axis("map_y", "Second"),
    ScoreSpec(
        name="cluster",
        version=1,
        title="Cluster on the map (HDBSCAN); 0 is the largest, -1 is noise",
        unit="cluster",
        better="neither",
        needs=("map_x", "map_y"),
        params=ClusterParams,
        compute=compute_cluster,
        scope="sample",
        paper="Campello et al. 2013",
        status="variant",
    ),
)
