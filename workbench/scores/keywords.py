"""Names for clusters of documents: the words that set each apart from the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.checks import Array, BoolArray, IntArray, check_at_least
from workbench.errors import InputError

NOISE = -1
"""The code of documents in no cluster."""

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
