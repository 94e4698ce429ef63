"""Finding the files of a corpus and the columns in them, and reading documents in every format."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import fsspec
import polars as pl
import pytest

from tests.corpus.writers import FORMATS, batches_of, frame_of, write
from workbench.corpus import read
from workbench.errors import InputError

ROWS = [{"text": f"text {i} ä€😀\n\"x\", 'y'", "source": "abc"[i % 3], "n": i} for i in range(30)]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_documents(tmp_path: Path, name: str) -> None:
    frame = frame_of(read(write(tmp_path / name, ROWS)))
    assert frame.columns == ["doc_id", "text", "source", "n"]
    assert frame["text"].to_list() == [row["text"] for row in ROWS]
    assert frame["source"].to_list() == [row["source"] for row in ROWS]
    assert frame["n"].cast(pl.Int64).to_list() == list(range(30))
    want = [hashlib.blake2b(f"{r['source']}\0{r['text']}".encode()).hexdigest()[:24] for r in ROWS]
    assert frame["doc_id"].to_list() == want


@pytest.mark.parametrize("name", FORMATS)
def test_batches_have_fixed_boundaries_row_numbers_and_one_schema(tmp_path: Path, name: str) -> None:
    corpus = read(write(tmp_path / name, ROWS))
    batches = batches_of(corpus, max_rows=8)
    assert [batch.frame.height for batch in batches] == [8, 8, 8, 6] or name.endswith("parquet")
    assert max(batch.frame.height for batch in batches) <= 8
    assert [row for batch in batches for row in batch.rows.tolist()] == list(range(30))
    assert len({tuple(batch.frame.schema.items()) for batch in batches}) == 1
    again = batches_of(corpus, max_rows=8)
    assert [b.rows.tolist() for b in again] == [b.rows.tolist() for b in batches]
    assert 0 < sum(batch.n_bytes_read for batch in batches) <= corpus.n_bytes
    (shard,) = corpus.shards
    assert corpus.further_columns(shard) == {"n": batches[0].frame.schema["n"]}


@pytest.mark.parametrize("name", FORMATS)
def test_a_batch_ends_where_its_bytes_are_reached(tmp_path: Path, name: str) -> None:
    rows = [{"text": "x" * 10_000, "source": "s", "n": i} for i in range(20)]
    batches = batches_of(read(write(tmp_path / name, rows)), max_bytes=30_000)
    assert max(batch.frame.height for batch in batches) <= 3
    assert sum(batch.frame.height for batch in batches) == 20


def test_a_folder_is_read_with_subfolders_and_without_hidden_or_other_files(tmp_path: Path) -> None:
    for name in ["b/c.jsonl", "a.parquet", "b/.hidden/x.jsonl", ".x.jsonl", "b/A.CSV", "b/_SUCCESS", "z.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path)
    names = [shard.name for shard in read(tmp_path).shards]
    assert names == ["a.parquet", "b/A.CSV", "b/c.jsonl"]
    assert [shard.name for shard in read(str(tmp_path) + "/").shards] == names
    assert [s.format for s in read(tmp_path).shards] == ["parquet", "csv", "jsonl"]


def test_globs_and_lists_give_names_below_the_common_folder(tmp_path: Path) -> None:
    for name in ["x/a.jsonl", "x/b.jsonl", "y/a.jsonl", "x/.h.jsonl", "x/c.txt"]:
        write(tmp_path / name, ROWS)
    assert [s.name for s in read(f"{tmp_path}/x/*").shards] == ["a.jsonl", "b.jsonl"]
    assert [s.name for s in read(f"{tmp_path}/**/a.jsonl").shards] == ["x/a.jsonl", "y/a.jsonl"]
    assert [s.name for s in read(f"{tmp_path}/*").shards] == ["x/a.jsonl", "x/b.jsonl", "y/a.jsonl"]
    both = read([tmp_path / "y", tmp_path / "x" / "a.jsonl", str(tmp_path / "x" / "a.jsonl")])
    assert [s.name for s in both.shards] == ["x/a.jsonl", "y/a.jsonl"]


def test_names_with_wildcards_and_colons_are_plain_names(tmp_path: Path) -> None:
    for name in ["a[1].jsonl", "b::c.jsonl", "{x} %s\n.jsonl"]:
        write(tmp_path / name, ROWS)
    assert len(read(tmp_path).whole()) == 90
    assert len(read(tmp_path / "a[1].jsonl").whole()) == 30


def test_other_file_systems_are_read_by_their_url(tmp_path: Path) -> None:
    fs = fsspec.filesystem("memory")
    for name in FORMATS:
        fs.pipe_file(f"/corpus/{name}", write(tmp_path / name, ROWS).read_bytes())
    corpus = read("memory://corpus")
    assert [s.name for s in corpus.shards] == sorted(FORMATS)
    assert len(corpus.whole()) == 180
    fs.pipe_file(f"{tmp_path}/a.jsonl", b'{"text": "x"}')
    mixed = read([f"memory:/{tmp_path}/a.jsonl", tmp_path / "a.jsonl"])
    assert [s.name for s in mixed.shards] == [f"file://{tmp_path}/a.jsonl", f"memory://{tmp_path}/a.jsonl"]
    fs.rm("/", recursive=True)


def test_a_path_that_gives_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"no file to read in .*; files ending in \.parquet, \.jsonl"):
        read(tmp_path)
    with pytest.raises(InputError, match="no file to read in an empty list"):
        read([])
    with pytest.raises(InputError, match=r"notes\.txt has an ending that isn't read"):
        read(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="isn't there; give a file, a folder or a glob"):
        read(tmp_path / "nothing.jsonl")
    with pytest.raises(InputError, match="no file to read in"):
        read(f"{tmp_path}/*.jsonl")
    with pytest.raises(InputError, match=r"nofs://x can't be read"):
        read("nofs://x")


@pytest.mark.parametrize("name", FORMATS)
def test_columns_are_taken_by_name_and_none_is_lost(tmp_path: Path, name: str) -> None:
    rows = [
        {"body": f"t{i}", "key": i, "site": "w", "text": "other", "doc_id": "x", "n": i} for i in range(3)
    ]
    corpus = read(write(tmp_path / name, rows), text_column="body", id_column="key", source_column="site")
    frame = frame_of(corpus)
    assert frame.columns == ["doc_id", "text", "source", "text_", "doc_id_", "n"]
    assert frame["doc_id"].to_list() == ["0", "1", "2"]
    assert frame["text"].to_list() == ["t0", "t1", "t2"]
    assert frame["text_"].to_list() == ["other"] * 3
    assert not corpus.has_content_ids


@pytest.mark.parametrize("name", FORMATS)
def test_default_columns_are_found_and_can_be_declined(tmp_path: Path, name: str) -> None:
    rows = [{"id": f"i{i}", "doc_id": f"d{i}", "text": f"t{i}", "source": "w"} for i in range(3)]
    path = write(tmp_path / name, rows)
    assert frame_of(read(path))["doc_id"].to_list() == ["d0", "d1", "d2"]
    assert frame_of(read(path)).columns == ["doc_id", "text", "source", "id"]
    declined = read(path, id_column="", source_column="")
    assert declined.has_content_ids
    frame = frame_of(declined)
    assert frame.columns == ["doc_id", "text", "source", "id", "doc_id_", "source_"]
    assert frame["source"].to_list() == ["a"] * 3
    path = write(tmp_path / "b" / name, [{"id": i, "text": "t"} for i in range(3)])
    assert frame_of(read(path))["doc_id"].to_list() == ["0", "1", "2"]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("column", ["text_column", "id_column", "source_column"])
def test_a_named_column_that_a_shard_lacks_is_refused(tmp_path: Path, name: str, column: str) -> None:
    write(tmp_path / "a" / name, [{"text": "t", "own": "1"}])
    write(tmp_path / "b" / name, [{"text": "t", "k": "1"}])
    corpus = read(tmp_path, **{column: "own"})
    what = column.removesuffix("_column")
    with pytest.raises(
        InputError, match=rf"b/{name} has no {what} column 'own'; it has 'text', 'k'; name one"
    ):
        corpus.whole()


def test_no_text_column_is_refused_with_what_there_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"content": "x", "n": 1}])
    with pytest.raises(InputError, match=r"no text column 'text'; it has 'content', 'n'; .*--text-column"):
        read(path).whole()


def test_a_column_named_late_in_a_jsonl_is_found(tmp_path: Path) -> None:
    rows = [{"x": 1}] * 1500 + [{"body": "late", "x": 1}]
    corpus = read(write(tmp_path / "a.jsonl", rows), text_column="body")
    assert corpus.whole().texts == ["late"]


def test_shards_with_and_without_ids_are_refused_together(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"id": "x", "text": "t"}])
    write(tmp_path / "b.jsonl", [{"text": "t"}])
    (tmp_path / "c.jsonl").write_bytes(b"")
    with pytest.raises(
        InputError, match=r"a\.jsonl has an id column and b\.jsonl has none; give every file one"
    ):
        read(tmp_path).whole()
    assert len(read(tmp_path, id_column="").whole()) == 2


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_column_that_stands_twice_is_refused(tmp_path: Path, name: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if name == "a.csv":
        (tmp_path / name).write_text("text,n,n\nx,1,2\n")
    else:
        table = pa.Table.from_arrays(
            [pa.array(["x"]), pa.array([1]), pa.array([2])], names=["text", "n", "n"]
        )
        pq.write_table(table, tmp_path / name)
    with pytest.raises(InputError, match="has the column 'n' twice; give each column its own name"):
        read(tmp_path).whole()


def test_missing_sources_get_the_name_of_the_file(tmp_path: Path) -> None:
    rows = [
        {"text": "a", "source": None},
        {"text": "b", "source": ""},
        {"text": "c", "source": 7},
        {"text": "d"},
    ]
    assert frame_of(read(write(tmp_path / "web.jsonl.gz", rows)))["source"].to_list() == [
        "web",
        "web",
        "7",
        "web",
    ]
    table = [{"text": "a", "source": None}, {"text": "b", "source": ""}, {"text": "c", "source": "7"}]
    assert frame_of(read(write(tmp_path / "web.parquet", table)))["source"].to_list() == ["web", "web", "7"]


def test_fingerprints_follow_names_contents_and_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", ROWS)
    first = read(path).fingerprint()
    assert read(tmp_path).fingerprint() == first
    assert read(path, id_column="n").fingerprint() != first
    assert read(path).shards[0].digest() == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_bytes(path.read_bytes().replace(b"text 7", b"text 8"))
    assert read(path).fingerprint() != first
    path.rename(tmp_path / "b.jsonl")
    assert read(tmp_path).fingerprint() != first


def test_a_corpus_travels_to_another_process(tmp_path: Path) -> None:
    corpus = read(write(tmp_path / "a.jsonl", ROWS), storage_options={"secret": "hush"})
    assert "hush" not in repr(corpus)
    again = pickle.loads(pickle.dumps(corpus))
    assert again == corpus
    assert frame_of(again).equals(frame_of(corpus))


def test_scan_is_the_same_documents_lazily(tmp_path: Path) -> None:
    for name in FORMATS:
        write(tmp_path / name, ROWS)
    lazy = read(tmp_path).scan()
    assert lazy.collect_schema().names() == ["doc_id", "text", "source", "n"]
    assert lazy.collect().height == 180
    few = lazy.filter(pl.col("source") == "b").select("text", "n").head(3).collect()
    assert few.height == 3
    assert lazy.select(pl.len()).collect().item() == 180
    (tmp_path / "z.jsonl").write_bytes(b"{}\n" + b'{"text": "x"}\n')
    with pytest.raises(Exception, match=r"z\.jsonl row 0: the text column 'text' is missing"):
        read(tmp_path).scan().collect()


@pytest.mark.parametrize("path", ["", ["part.jsonl", ""]])
def test_an_empty_path_is_not_the_folder_one_stands_in(path: str | list[str]) -> None:
    with pytest.raises(InputError, match=r'the path is empty \(""\), which may be an unset variable'):
        read(path)
