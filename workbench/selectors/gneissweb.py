"""The GneissWeb rule: quality by a classifier, and either a readable text or a usual number of tokens a character."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.checks import Array, BoolArray, FloatArray, check_range
from workbench.errors import InputError
from workbench.selectors.base import Columns, Selection, SelectorSpec, State


@dataclass(frozen=True)
class GneisswebParams:
    """Parameters of `select_gneissweb`.

    Attributes
    ----------
    score
        The quality classifier's score; the paper's first one is DCLM's fastText classifier.
    above
        A document passes the quality gate above it.
    other_score
        A second classifier's score, None for none; the paper's is a fastText classifier of its own.
    other_above
        A document passes above it too.
    category
        The score that says whether a document is of one of the categories: labels, or a number; None: no document is.
    categories
        Of labels, those that count.
    category_above
        Of a number: above it a document is of a category.
    max_eflaw, max_eflaw_in_category
        The document is readable below it.
    min_tokens_per_char, max_tokens_per_char
        Both ends are usual.
    min_tokens_per_char_in_category, max_tokens_per_char_in_category
        The same for a document of a category.
    """

    score: str
    above: float = 0.002
    other_score: str | None = None
    other_above: float = 0.03
    category: str | None = None
    categories: tuple[str, ...] = ("medical", "education", "technology", "science")
    category_above: float = 0.5
    max_eflaw: float = 30.0
    max_eflaw_in_category: float = 70.0
    min_tokens_per_char: float = 0.22
    max_tokens_per_char: float = 0.28
    min_tokens_per_char_in_category: float = 0.1
    max_tokens_per_char_in_category: float = 0.5


def needs_gneissweb(params: GneisswebParams) -> tuple[str, ...]:
    """The scores that the gates read."""
    named = (params.score, params.other_score, params.category)
    return tuple(
        dict.fromkeys((*(name for name in named if name is not None), "eflaw", "n_tokens", "n_chars"))
    )


def select_gneissweb(columns: Columns, params: GneisswebParams, state: State, seed: int) -> Selection:
    """Keep a document iff it passes the quality gate and at least one of readability and tokens per character.

    Parameters
    ----------
    columns
        What `needs_gneissweb` names, each (n,). `eflaw` is in words a sentence.

    Raises
    ------
    InputError
        If a limit is above its partner, or a score isn't of numbers.

    Notes
    -----
    GneissWeb (2025): FT and (READ or EXT), of documents of FineWeb 1.1 without exact copies of substrings. FT: dclm >
    0.002 or own classifier > 0.03. READ: EFLAW below 70 in one of four categories, else below 30. EXT: tokens per
    character in 0.1..0.5 in a category, else in 0.22..0.28.
    """
    check_range(params.min_tokens_per_char, params.max_tokens_per_char)
    check_range(params.min_tokens_per_char_in_category, params.max_tokens_per_char_in_category)
    in_category = _in_category(columns, params)
    quality = _numbers(columns, params.score)
    good: BoolArray = np.asarray(quality > quality.dtype.type(params.above))
    told = [(params.score, quality, params.above)]
    if params.other_score is not None:
        other = _numbers(columns, params.other_score)
        good = good | np.asarray(other > other.dtype.type(params.other_above))
        told.append((params.other_score, other, params.other_above))
    hardest = np.where(in_category, params.max_eflaw_in_category, params.max_eflaw)
    least = np.where(in_category, params.min_tokens_per_char_in_category, params.min_tokens_per_char)
    most = np.where(in_category, params.max_tokens_per_char_in_category, params.max_tokens_per_char)
    ease = columns["eflaw"]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = columns["n_tokens"].astype(np.float64) / columns["n_chars"].astype(np.float64)
    readable = ease < hardest
    usual = (ratio >= least) & (ratio <= most)

    def explain(i: int) -> str:
        reasons = []
        if not good[i]:
            reasons += [f"{name} {values[i]:.6g} is not above {limit:g}" for name, values, limit in told]
        if not (readable[i] or usual[i]):
            kind = "in a category" if in_category[i] else "in no category"
            reasons.append(
                f"eflaw {ease[i]:.6g} is not below {hardest[i]:g} and tokens per character {ratio[i]:.6g} lie "
                f"outside {least[i]:g}..{most[i]:g} ({kind})"
            )
        return "; ".join(reasons)

    keep: BoolArray = good & (readable | usual)
    return Selection(keep, explain)


def _in_category(columns: Columns, params: GneisswebParams) -> BoolArray:
    if params.category is None:
        return np.zeros(len(columns["eflaw"]), dtype=bool)
    found: Array = columns[params.category]
    if np.issubdtype(found.dtype, np.floating):
        return np.asarray(_numbers(columns, params.category) > params.category_above, dtype=bool)
    return np.isin(found, np.array(params.categories, dtype=object))


def _numbers(columns: Columns, name: str) -> FloatArray:
    values = columns[name]
    if values.ndim != 1 or not np.issubdtype(values.dtype, np.floating):
        raise InputError(
            f"{name} holds no numbers to be held to a limit; name a score of one number a document"
        )
    return values


SPEC = SelectorSpec(
    name="gneissweb",
    version=1,
    title="GneissWeb rule: a quality classifier, and readability or usual tokens per character",
    paper="GneissWeb 2025",
    scope="row",
    params=GneisswebParams,
    needs=needs_gneissweb,
    select=select_gneissweb,
    about="Keeps what a quality classifier likes, if it is readable or has a usual number of tokens a character; "
    "documents of knowledge-rich categories are held to wider limits. On FineWeb 1.1 it left some 10 T tokens, +2.73 "
    "points on 11 tasks and +1.75 on 20. The limits of the classifiers hold for the paper's models alone. Short texts "
    "have extreme numbers of tokens a character.",
    assumed=(
        "Tokens per character are those of the tokenizer in use; the paper's limits hold for StarCoder's.",
        "A text without words is dropped; textstat, which the paper takes, calls it the easiest to read.",
    ),
    help={
        "score": "score of the quality classifier (paper: DCLM's)",
        "above": "quality passes above it",
        "other_score": "score of a second classifier, or none",
        "other_above": "quality passes above it too",
        "category": "score that tells a document's category: labels or a number; or none",
        "categories": "the labels that count",
        "category_above": "of a number: a document is of a category above it",
        "max_eflaw": "readable below it, outside the categories",
        "max_eflaw_in_category": "readable below it, in a category",
        "min_tokens_per_char": "fewest tokens a character, outside the categories",
        "max_tokens_per_char": "most tokens a character, outside the categories",
        "min_tokens_per_char_in_category": "fewest tokens a character, in a category",
        "max_tokens_per_char_in_category": "most tokens a character, in a category",
    },
)
