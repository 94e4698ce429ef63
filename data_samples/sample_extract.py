"""The extractors: each turns one opened package into candidate documents of one kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from sample_packages import Archive
from sample_text import (
    flatten_profile,
    pack,
    parse_conversations,
    split_markdown,
    split_paragraphs,
    split_sentences,
)

Piece = tuple[str, str, str]
"""Member with an optional `#place` inside it, text, language hint."""

Extractor = Callable[[Archive], Iterator[Piece]]

LONG_SPEECH_BYTES = (50_000, 75_000)
SCRIPTS = {
    "bengali": "bn",
    "hebrew": "he",
    "hindi": "hi",
    "marathi": "mr",
    "oriya": "or",
    "persian": "fa",
    "tamil": "ta",
    "telugu": "te",
    "thai": "th",
    "urdu": "ur",
}
PERMISSIVE = (
    "(0BSD|Apache-|BlueOak|BSD-|BSL-1|CC0|CMU|HPND|ICU|ISC|Libpng|libtiff|MIT|NAIST|NCSA|NTP|PostgreSQL|PSF-"
    "|Python-2|TCL|UCAR|Unicode-(3|D)|Unlicense$|UPL-|W3C|X11|Zlib|ZPL)"
)


def _texts(archive: Archive, pattern: str, n_bytes: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Name and text of the members whose whole name matches and whose size is within the bounds."""
    for name in archive.names():
        if re.fullmatch(pattern, name) and n_bytes[0] <= len(archive.read(name)) <= n_bytes[1]:
            text = archive.text(name)
            if text is not None:
                yield name, text


def whole_files(pattern: str, lang: str, n_bytes: tuple[int, int]) -> Extractor:
    """Each file is a document: code and raw HTML, licence header and boilerplate included."""

    def extract(archive: Archive) -> Iterator[Piece]:
        for name, text in _texts(archive, pattern, n_bytes):
            yield name, text, lang

    return extract


def speech_passages(archive: Archive) -> Iterator[Piece]:
    """Passages of about 1,200 characters of speeches below `LONG_SPEECH_BYTES`."""
    for name, text in _texts(archive, r"package/data/.*\.txt", (0, LONG_SPEECH_BYTES[0] - 1)):
        for index, passage in enumerate(pack(split_sentences(text), n_chars=1_200, glue=" ")):
            if len(passage) < 3_000:
                yield f"{name}#{index}", passage, "en"


def fiction_passages(archive: Archive) -> Iterator[Piece]:
    """Runs of whole paragraphs of the novel, at least 1,000 characters each."""
    for name, text in _texts(archive, r"package/data/.*\.txt", (0, 1_000_000)):
        for index, passage in enumerate(pack(split_paragraphs(text), n_chars=1_000, glue="\n\n")):
            yield f"{name}#{index}", passage, "en"


def markdown_sections(pattern: str, *, n_chars: int = 500) -> Extractor:
    """Sections of Markdown documentation."""

    def extract(archive: Archive) -> Iterator[Piece]:
        for name, text in _texts(archive, pattern, (200, 200_000)):
            for index, section in enumerate(split_markdown(text, n_chars=n_chars)):
                if 250 <= len(section) <= 4_000:
                    yield f"{name}#{index}", section, "en"

    return extract


def translated_lessons(archive: Archive) -> Iterator[Piece]:
    """Lessons of a programming workshop, in every language but English."""
    for name, text in _texts(
        archive, r"package/(problems|exercises)/.*problem[._][a-z-]+\.md", (250, 20_000)
    ):
        yield name, text, name.removesuffix(".md").rsplit("problem", 1)[1][1:]


def conversations(archive: Archive) -> Iterator[Piece]:
    """English conversations, one a document, one turn a line."""
    for name, text in _texts(archive, r"chatterbot_corpus/data/english/.*\.yml", (0, 1_000_000)):
        for index, turns in enumerate(parse_conversations(text)):
            yield f"{name}#{index}", "\n".join(turns), "en"


def foreign_conversations(archive: Archive) -> Iterator[Piece]:
    """Conversations in further languages, packed to about 400 characters: single ones are a few words."""
    for name, text in _texts(
        archive, rf"chatterbot_corpus/data/({'|'.join(SCRIPTS)})/.*\.yml", (0, 1_000_000)
    ):
        joined = ["\n".join(turns) for turns in parse_conversations(text)]
        for index, block in enumerate(pack(joined, n_chars=400, glue="\n\n")):
            if 120 <= len(block) <= 4_000:
                yield f"{name}#{index}", block, SCRIPTS[name.split("/")[2]]


def licence_paragraphs(archive: Archive) -> Iterator[Piece]:
    """Paragraphs of permissive licence texts; alike from licence to licence, as they are in real corpora."""
    for name in archive.names():
        match = re.fullmatch(r"package/licenses/(.+)\.json", name)
        if match and re.match(PERMISSIVE, match[1]):
            body = str(json.loads(archive.read(name))["licenseText"]).replace("\r\n", "\n")
            for index, paragraph in enumerate(split_paragraphs(body)):
                if 200 <= len(paragraph) <= 4_000:
                    yield f"{name}#{index}", paragraph, "en"


def country_profiles(archive: Archive) -> Iterator[Piece]:
    """Sections of country profiles as lines of `Field: value`."""
    for name in archive.names():
        if re.fullmatch(r"package/[a-z-]+/[a-z]{2}\.json", name):
            profile = json.loads(archive.read(name))
            title = _country_name(profile)
            for section, fields in profile.items() if title else ():
                text = "\n".join([f"{title}: {section}", "", *flatten_profile(fields)])
                if 300 <= len(text) <= 3_000:
                    yield f"{name}#{section}", text, "en"


def _country_name(profile: dict[str, dict[str, object]]) -> str:
    """The usual name of the country; empty for the oceans and the world, which have no government."""
    lines = flatten_profile(profile.get("Government", {}).get("Country name", {}))
    named = dict(line.split(": ", 1) for line in lines if ": " in line)
    names = (named.get(f"conventional {kind} form", "none") for kind in ("short", "long"))
    return next((name for name in names if name != "none"), "")
