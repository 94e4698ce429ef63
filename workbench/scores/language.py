"""The language of a document, by py3langid: a naive Bayes model over byte n-grams."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from workbench.checks import Array
from workbench.scores.base import Inputs, ScoreSpec, State, as_column

LANGUAGES: tuple[str, ...] = tuple(
    (
        "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr "
        "ht hu hy id ig is it ja jv ka kk km kn ko ku ky la lg ln lo lt lv mg mk ml mn mr ms my ne nl no om "
        "or pa pl ps pt qu ro ru sa si sk sl so sq sr sv sw ta te th tl tr ug uk ur uz vi xh yo zh zu zxx "
        "ace bcl dz ext gcf gom grc gug hbo kik nso pcm rw se sn st an ary crh fo fuv gcr guw kab lb lij ltg "
        "uzs wa sdh arz ba mt nn oc tg tk tt vec vo wuu yue"
    ).split()
)
"""The codes that py3langid 0.4.0 tells apart, in its model's order; "zxx" is text in no language."""

# What each of the model's 142 columns has where a text shows none of its features; two of its labels own two
# columns.
_NO_EVIDENCE = 2 / 142 + 1e-6

_LOAD = Lock()


@dataclass(frozen=True)
class LanguageParams:
    """Params of the language scores.

    Attributes
    ----------
    max_chars
        Characters looked at, from the start; None is all. About 4 MB of text a second are read.
    """

    max_chars: int | None = 100_000


def language(text: str) -> tuple[float, float]:
    """The most likely language of `text` and its probability.

    Returns
    -------
    tuple of float
        Index into LANGUAGES, and the probability among them, 0..1. Both are NaN where the text shows nothing
        that the model knows (empty, white space, marks); digits alone are mostly "zxx".

    Notes
    -----
    Lui and Baldwin 2012. The probability is py3langid's: a softmax tempered by the square root
    of the text's bytes. On texts below some twenty characters it is low and the language often wrong.

    Examples
    --------
    >>> index, score = language("The committee will meet again on Thursday to discuss the report.")
    >>> LANGUAGES[int(index)], score > 0.9
    ('en', True)
    """
    code, score = _identifier().classify(text)
    if score <= _NO_EVIDENCE:
        return math.nan, math.nan
    return float(_indices()[code]), score


def compute(inputs: Inputs, params: LanguageParams, state: State) -> Mapping[str, Array]:
    """`language` (index into LANGUAGES) and `language_score` (0..1), each float32 (n,)."""
    found = [language(text[: params.max_chars]) for text in inputs.texts]
    return {
        "language": as_column([index for index, _ in found]),
        "language_score": as_column([score for _, score in found]),
    }


def _identifier() -> Any:
    """py3langid's model, read once; classifying leaves it unchanged, so threads may share it."""
    with _LOAD:
        return _load()


@cache
def _load() -> Any:
    # The package's own loader reads an npz with allow_pickle=False; a test holds it to that.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def _indices() -> dict[str, int]:
    return {code: index for index, code in enumerate(LANGUAGES)}


_PAPER = "Lui and Baldwin 2012, ACL demo P12-3005; model of py3langid 0.4.0"

SPECS: tuple[ScoreSpec, ...] = (
    ScoreSpec(
        name="language",
        version=1,
        title="Most likely language; NaN where the text shows none",
        unit="label",
        better="neither",
        needs=("text",),
        params=LanguageParams,
        compute=compute,
        paper=_PAPER,
        labels=LANGUAGES,
    ),
    ScoreSpec(
        name="language_score",
        version=1,
        title="Probability of the most likely language; NaN where the text shows none",
        unit="probability",
        better="higher",
        needs=("text",),
        params=LanguageParams,
        compute=compute,
        paper=_PAPER,
    ),
)
