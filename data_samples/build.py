"""Rebuild the sample corpus byte for byte: `build.py [--out DIR] [--check] [--cache DIR]`.

It fetches the packages pinned in packages.toml with pip and npm, draws the documents that `sample_parts.py`
lists by a seeded hash, plants the near-duplicates of `sample_edits.py`, and writes corpus/, planted.csv,
SOURCES.md, LICENSES/ and SHA256SUMS. With `--check` it builds aside and compares with the SHA256SUMS that is
committed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from sample_edits import plant
from sample_packages import Archive, BuildError, fetch, read_pins
from sample_parts import PARTS, Document, Part, draw, draw_key

SEED = 20261121
HOME = Path(__file__).resolve().parent
COLUMNS = ("doc_id", "text", "source", "lang_hint", "license", "origin")
JSONL_SOURCES = frozenset({"dialogue"})
ROW_GROUP_ROWS = 64
ZSTD_LEVEL = 3
WRITERS = "pyarrow==26.0.1 zstandard==0.25.0"
"""The versions that SHA256SUMS was made with: another writer may store the same rows in other bytes."""


def read_archives(cache: Path) -> dict[str, Archive]:
    """All pinned packages, fetched into `cache` and opened, by package name."""
    return {
        package.name: Archive(package, fetch(package, cache)) for package in read_pins(HOME / "packages.toml")
    }


def draw_corpus(archives: dict[str, Archive], seed: int) -> list[tuple[Part, list[Document]]]:
    """The drawn documents of each part.

    Raises
    ------
    BuildError
        When a package holds fewer documents than its part asks for.
    """
    drawn = [(part, draw(part, archives[part.package], seed)) for part in PARTS]
    for part, documents in drawn:
        if len(documents) < part.take:
            raise BuildError(f"{part.package} gives {len(documents)} {part.what}, {part.take} are asked for")
    return drawn


def mix(drawn: Sequence[tuple[Part, list[Document]]], seed: int) -> dict[str, list[Document]]:
    """The documents by source, the parts of a source mixed by the key of the draw."""
    corpus: dict[str, list[Document]] = {}
    for part, documents in drawn:
        corpus.setdefault(part.source, []).extend(documents)
    return {
        source: sorted(documents, key=lambda document: draw_key(seed, document.origin))
        for source, documents in corpus.items()
    }


def doc_id(source: str, index: int) -> str:
    """The id of the document at a place in its source; ids count from 1."""
    return f"{source}-{index + 1:04d}"


def to_rows(source: str, documents: Sequence[Document]) -> list[dict[str, str]]:
    """Rows in file order, with the columns in the order of `COLUMNS`."""
    return [{"doc_id": doc_id(source, index), **asdict(document)} for index, document in enumerate(documents)]


def write_source(folder: Path, source: str, rows: list[dict[str, str]]) -> None:
    """One file of the corpus; nothing in it depends on the clock, the machine or the number of cores."""
    if source in JSONL_SOURCES:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        packed = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True).compress(lines.encode())
        (folder / f"{source}.jsonl.zst").write_bytes(packed)
        return
    schema = pa.schema([pa.field(name, pa.string(), nullable=False) for name in COLUMNS])
    pq.write_table(
        pa.Table.from_pylist(rows, schema=schema),
        folder / f"{source}.parquet",
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        row_group_size=ROW_GROUP_ROWS,
        use_dictionary=["source", "lang_hint", "license"],
    )


def sources_page(drawn: Sequence[tuple[Part, list[Document]]], archives: dict[str, Archive]) -> str:
    """SOURCES.md: what came from where under which licence, with counts and bytes before planting."""
    lines = [
        *SOURCES_HEAD,
        "| source | package | what was taken | licence | documents | bytes |",
        "|---|---|---|---|---:|---:|",
    ]
    for part, documents in drawn:
        package = archives[part.package].package
        n_bytes = sum(len(document.text.encode()) for document in documents)
        cells = (
            part.source,
            package.label,
            part.what,
            package.license,
            f"{len(documents):,}",
            f"{n_bytes:,}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## Attribution", ""]
    lines += ["| package | registry | copyright | licence | texts |", "|---|---|---|---|---|"]
    for archive in archives.values():
        package = archive.package
        texts = ", ".join(f"`LICENSES/{name}`" for name in notice_files(archive)) or "-"
        credit = (package.label, package.kind, package.copyright, package.license, texts)
        lines.append("| " + " | ".join(credit) + " |")
    return "\n".join([*lines, "", *SOURCES_NOTES, ""])


SOURCES_HEAD = (
    "# Sources of the sample corpus",
    "",
    "Written by `build.py`; do not edit. Counts and bytes of text are those drawn from the packages; 60",
    "edited copies (`planted.csv`) come on top and carry the origin and the licence of their originals. The",
    "full licence texts, as the packages ship them, are in `LICENSES/`.",
    "",
)
SOURCES_NOTES = (
    "Notes:",
    "",
    "- `LicenseRef-public-domain` stands for works of the US government, which have no copyright there.",
    "- The wheel of chatterbot-corpus carries no licence text; the one here is from its source distribution.",
    "- Abseil is taken from the copy inside the npm package re2; nothing else of re2 is, so the licence",
    "  and the copyright given are those of Abseil.",
    "- The legal source consists of paragraphs of permissive licences as the SPDX list prints them; they",
    "  are data and license nothing here.",
)


def notice_files(archive: Archive) -> dict[str, bytes]:
    """Licence files to ship for a package, by the name they get in LICENSES/."""
    package = archive.package
    files = {f"{package.slug}-{_notice_name(member)}.txt": archive.read(member) for member in package.notices}
    held = HOME / "LICENSES" / f"{package.slug}.txt"
    if not package.notices and held.is_file():
        files[held.name] = held.read_bytes()
    return files


def _notice_name(member: str) -> str:
    """File name of a notice, with its folder in front where a package has notices in several folders."""
    *folders, name = member.removesuffix(".txt").removesuffix(".md").split("/")
    return name if len(folders) <= 1 or folders[-1] == "licenses" else f"{folders[-1]}-{name}"


def build(out: Path, cache: Path) -> None:
    """Build everything into `out`; SHA256SUMS is written last, so a build cut short is seen."""
    archives = read_archives(cache)
    drawn = draw_corpus(archives, SEED)
    corpus, planted = plant(mix(drawn, SEED), random.Random(SEED))
    for folder in ("corpus", "LICENSES"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for source, documents in corpus.items():
        write_source(out / "corpus", source, to_rows(source, documents))
    lines = ["planted_id,original_id,edit"]
    lines += [
        f"{doc_id(row.source, row.copy)},{doc_id(row.source, row.original)},{row.edit}" for row in planted
    ]
    (out / "planted.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (out / "SOURCES.md").write_text(sources_page(drawn, archives), encoding="utf-8")
    for archive in archives.values():
        for name, content in notice_files(archive).items():
            (out / "LICENSES" / name).write_bytes(content)
    (out / "SHA256SUMS").write_text(digests(out), encoding="utf-8")


def digests(folder: Path) -> str:
    """SHA-256 and relative path of each built file, sorted by path, in the format of sha256sum."""
    paths = [*(folder / "corpus").iterdir(), *(folder / "LICENSES").iterdir()]
    paths += [folder / "planted.csv", folder / "SOURCES.md"]
    lines = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }
    return "".join(f"{lines[name]}  {name}\n" for name in sorted(lines))


def check(cache: Path) -> None:
    """Build aside and hold the result against the committed SHA256SUMS."""
    recorded = HOME / "SHA256SUMS"
    if not recorded.is_file():
        raise BuildError("data_samples/SHA256SUMS is missing; run the build without --check first")
    with tempfile.TemporaryDirectory() as aside:
        build(Path(aside), cache)
        built = set(digests(Path(aside)).splitlines())
    differing = built ^ set(recorded.read_text(encoding="utf-8").splitlines())
    if differing:
        names = sorted({line.split("  ")[1] for line in differing})
        here = f"pyarrow=={pa.__version__} zstandard=={zstandard.__version__}"
        raise BuildError(
            f"{len(names)} files differ from SHA256SUMS: {', '.join(names)}; "
            f"it was recorded with {WRITERS}, and this is {here}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; 0 when done, 2 when the sample cannot be built or differs."""
    parser = argparse.ArgumentParser(description="Rebuild the sample corpus from pinned packages.")
    parser.add_argument("--out", type=Path, default=HOME, help="folder to build into (default: data_samples)")
    parser.add_argument("--check", action="store_true", help="build aside and compare with SHA256SUMS")
    parser.add_argument("--cache", type=Path, help="folder that keeps the downloaded packages")
    options = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as aside:
            cache = options.cache or Path(aside)
            if options.check:
                check(cache)
            else:
                build(options.out, cache)
    except (BuildError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("the sample corpus is as recorded" if options.check else f"built {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
