"""The planted near-duplicates: what is done to a copy, and where it goes.

Every choice is made by the generator that is passed in.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from sample_packages import BuildError
from sample_parts import Document

N_CHARS_PER_TYPO = 150
MAX_TYPOS = 12
MAX_TRIES = 10_000
N_CHARS_OF_ORIGINAL = (120, 12_500)
_UNIT = re.compile(r"[^.!?。!?\n]+[.!?。!?\n]+\s*")

_MARKS = "[,;:\"'\u201c\u201d\u2018\u2019\u3001]"

Edit = Callable[[str, str, random.Random], str]
"""(text, text of another document of the source, generator) -> edited text."""


def typos(text: str, donor: str, rng: random.Random) -> str:
    """One typo per 150 characters (2 to 12): two letters swapped, one dropped or one doubled."""
    letters = list(text)
    for _ in range(min(MAX_TYPOS, max(2, len(text) // N_CHARS_PER_TYPO))):
        places = [i for i in range(1, len(letters) - 1) if letters[i].isalpha() and letters[i + 1].isalpha()]
        if not places:
            break
        place = rng.choice(places)
        kind = rng.choice(("swap", "drop", "double"))
        if kind == "swap":
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
        elif kind == "drop":
            del letters[place]
        else:
            letters.insert(place, letters[place])
    return "".join(letters)


def format_whitespace(text: str, donor: str, rng: random.Random) -> str:
    """Every line break becomes a space and every run of spaces two: what a careless extractor leaves."""
    return re.sub(r"\s+", "  ", text)


def format_case(text: str, donor: str, rng: random.Random) -> str:
    """All letters small."""
    return text.lower()


def format_punctuation(text: str, donor: str, rng: random.Random) -> str:
    """Commas, semicolons, colons and quotation marks gone."""
    return re.sub(_MARKS, "", text)


def sentence_deleted(text: str, donor: str, rng: random.Random) -> str:
    """One sentence (in code: one line) gone; unchanged when there are fewer than four."""
    units = [match.span() for match in _UNIT.finditer(text) if len(match[0].strip()) >= 8]
    if len(units) < 4:
        return text
    start, end = rng.choice(units)
    return text[:start] + text[end:]


def sentence_added(text: str, donor: str, rng: random.Random) -> str:
    """One sentence (in code: one line) of another document of the source put in between two of its own."""
    units = [match for match in _UNIT.finditer(text) if len(match[0].strip()) >= 8]
    longest = max(20, len(text) // 5)
    offers = [match[0] for match in _UNIT.finditer(donor) if 8 <= len(match[0].strip()) <= longest]
    if len(units) < 3 or not offers:
        return text
    place = rng.choice(units).end()
    return text[:place] + rng.choice(offers) + text[place:]


def tail_truncated(text: str, donor: str, rng: random.Random) -> str:
    """The last 5 to 15 % of the characters gone."""
    return text[: len(text) - round(len(text) * rng.uniform(0.05, 0.15))]


def exact(text: str, donor: str, rng: random.Random) -> str:
    """The same text under another id."""
    return text


EDITS: dict[str, tuple[Edit, int]] = {
    "typos": (typos, 15),
    "format_whitespace": (format_whitespace, 5),
    "format_case": (format_case, 5),
    "format_punctuation": (format_punctuation, 5),
    "sentence_deleted": (sentence_deleted, 5),
    "sentence_added": (sentence_added, 5),
    "tail_truncated": (tail_truncated, 5),
    "exact": (exact, 15),
}
"""Each edit with the number of copies planted by it: 60 in all."""


def normalise(text: str) -> str:
    """Small letters and digits only: equal for texts that differ in whitespace, case and punctuation."""
    return "".join(char for char in text.lower() if char.isalnum())


@dataclass(frozen=True)
class Planted:
    """Where a copy and its original stand in their source, and what was done to the copy."""

    source: str
    copy: int
    original: int
    edit: str


def plant(
    corpus: dict[str, list[Document]], rng: random.Random
) -> tuple[dict[str, list[Document]], list[Planted]]:
    """Put the edited copies into the corpus, each in the source of its original at a drawn position.

    The edits go round the sources in turn, so that each source gets copies of several kinds.
    """
    names = sorted(corpus)
    edits = [edit for edit, (_, count) in EDITS.items() for _ in range(count)]
    copies: dict[str, list[_Copy]] = {name: [] for name in names}
    for number, edit in enumerate(edits):
        name = names[number % len(names)]
        copies[name].append(_edited_copy(corpus[name], edit, {copy.original for copy in copies[name]}, rng))
    result: dict[str, list[Document]] = {}
    rows: list[Planted] = []
    for name in names:
        result[name], planted = _interleave(corpus[name], copies[name], rng)
        rows += planted
    return result, rows


@dataclass(frozen=True)
class _Copy:
    """A document on its way into the corpus, with the index of its original; no edit means the original."""

    original: int
    document: Document
    edit: str = ""


def _edited_copy(documents: list[Document], edit: str, used: set[int], rng: random.Random) -> _Copy:
    """An edited copy of a document that is not used yet and has no natural copy."""
    low, high = N_CHARS_OF_ORIGINAL
    counts = Counter(normalise(document.text) for document in documents)
    for _ in range(MAX_TRIES):
        index = rng.randrange(len(documents))
        original = documents[index]
        if index in used or not low <= len(original.text) <= high or counts[normalise(original.text)] > 1:
            continue
        text = EDITS[edit][0](original.text, rng.choice(documents).text, rng)
        if edit == "exact" or (text != original.text and text.strip()):
            return _Copy(index, replace(original, text=text), edit)
    raise BuildError(f"no document of {documents[0].source} can be planted with {edit}; draw more documents")


def _interleave(
    documents: list[Document], copies: list[_Copy], rng: random.Random
) -> tuple[list[Document], list[Planted]]:
    """Insert the copies at drawn places, never beside their originals."""
    ordered = [_Copy(index, document) for index, document in enumerate(documents)]
    for copy in copies:
        places = [
            place
            for place in range(len(ordered) + 1)
            if all(beside.original != copy.original for beside in ordered[max(0, place - 1) : place + 1])
        ]
        ordered.insert(rng.choice(places), copy)
    original_at = {copy.original: place for place, copy in enumerate(ordered) if not copy.edit}
    planted = [
        Planted(copy.document.source, place, original_at[copy.original], copy.edit)
        for place, copy in enumerate(ordered)
        if copy.edit
    ]
    return [copy.document for copy in ordered], planted
