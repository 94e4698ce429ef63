"""Every kind of bad input, through the command line: one sentence with file, row and remedy, and nothing lost."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.engine.commands import Commands
from tests.engine.corpora import make_documents, write_corpus, write_shard
from tests.engine.fakes import install
from tests.engine.outputs import kept_ids, quarantined
from tests.engine.tiny_models import write_tiny_lm
from workbench.scores import SCORES
from workbench.scores.base import Inputs, ScoreSpec

ROWS = [row for row in make_documents(50) if row["text"]]
KEEP_ALL: dict[str, Any] = {"select": "random", "fraction": 1.0}
Make = Callable[[Path], None]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], in_tmp_path: Path) -> Commands:
    """The command line in a folder with a sound corpus, a recipe that keeps everything and its manifest."""
    install(monkeypatch)
    run = Commands(monkeypatch, capfd)
    write_corpus(Path("sound"), ROWS, 2)
    Path("recipe.json").write_text(json.dumps({"format": "selection-recipe/1", "steps": [KEEP_ALL]}))
    result = run("export", "sound", "--recipe", "recipe.json", "--store", "s0", "--out", "m.manifest")
    assert result.code == 0, result.err
    return run


def every_command(corpus: str) -> list[tuple[str | int, ...]]:
    """Every command that reads a corpus."""
    with_recipe = ("--recipe", "recipe.json", "--store", "store")
    return [
        ("sample", corpus, "--n", 20, "--out", "sample.parquet"),
        ("score", corpus, "--scores", "n_chars", "--store", "store"),
        ("select", corpus, *with_recipe),
        ("export", corpus, *with_recipe, "--out", "new.manifest"),
        ("apply", "m.manifest", corpus, "--out", "out"),
    ]


def lines(*values: object) -> bytes:
    return b"".join((v if isinstance(v, bytes) else json.dumps(v).encode()) + b"\n" for v in values)


# ---- files that can't be read: exit code 2, nothing written ------------------------------------------------------


def missing_column(folder: Path) -> None:
    write_shard(folder / "a.jsonl", [{"doc_id": "a", "body": "text"}])


def missing_column_in_parquet(folder: Path) -> None:
    write_shard(folder / "a.parquet", ROWS[:3])
    pq.write_table(pa.table({"doc_id": ["x"], "body": ["text"]}), folder / "b.parquet")


def no_files(folder: Path) -> None:
    folder.mkdir()
    (folder / "readme.txt").write_text("no corpus")


def no_rows(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"")


def truncated_zst(folder: Path) -> None:
    folder.mkdir()
    rng = np.random.default_rng(
        0
    )  # text that can't be compressed away, so that whole rows stand before the cut
    noise = [{"doc_id": f"d{i}", "text": rng.bytes(3000).hex(), "source": "a"} for i in range(300)]
    data = zstandard.ZstdCompressor().compress(lines(*noise))
    (folder / "a.jsonl.zst").write_bytes(data[: len(data) // 2])


def broken_parquet(folder: Path) -> None:
    write_shard(folder / "a.parquet", ROWS)
    data = bytearray((folder / "a.parquet").read_bytes())
    data[-8:-4] = b"\xff\xff\xff\x7f"  # the length of the footer
    (folder / "a.parquet").write_bytes(data)


def parquet_cut_short(folder: Path) -> None:
    write_shard(folder / "a.parquet", ROWS)
    (folder / "a.parquet").write_bytes((folder / "a.parquet").read_bytes()[:300])


def damaged_page(folder: Path) -> None:
    folder.mkdir()
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    pq.write_table(pa.table(columns), folder / "a.parquet", write_page_checksum=True, compression="none")
    data = bytearray((folder / "a.parquet").read_bytes())
    place = data.index(ROWS[20]["text"].encode())
    data[place : place + 3] = b"XXX"
    (folder / "a.parquet").write_bytes(data)


def numbers_for_text(folder: Path) -> None:
    folder.mkdir()
    pq.write_table(pa.table({"doc_id": ["x"], "text": [1.5]}), folder / "a.parquet")


def ids_twice(folder: Path) -> None:
    write_shard(folder / "a.jsonl", ROWS[:9])
    write_shard(folder / "b.jsonl", [*ROWS[9:20], ROWS[4]])


UNREADABLE: dict[str, tuple[Make, tuple[str, ...]]] = {
    "missing column": (
        missing_column,
        ("a.jsonl has no text column 'text'", "it has 'doc_id', 'body'", "name one"),
    ),
    "missing column in one of two": (
        missing_column_in_parquet,
        ("b.parquet has no text column 'text'", "name one"),
    ),
    "no files": (no_files, ("no file to read in bad", "files ending in .parquet")),
    "empty": (no_rows, ("a.jsonl", "give files that hold documents")),
    "truncated zst": (
        truncated_zst,
        ("a.jsonl.zst is truncated or damaged", "the last good row is", "download"),
    ),
    "broken parquet": (broken_parquet, ("a.parquet is no readable parquet file", "download the file again")),
    "parquet cut short": (
        parquet_cut_short,
        ("a.parquet is no readable parquet file", "no row could be read"),
    ),
    "damaged page": (damaged_page, ("a.parquet is damaged", "copy or download the file again")),
    "numbers for text": (
        numbers_for_text,
        ("a.parquet has double in the text column 'text'", "allowed are strings"),
    ),
    "ids twice": (
        ids_twice,
        (repr(ROWS[4]["doc_id"]), "a.jsonl row 4", "b.jsonl row 11", "make the ids unique"),
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_cannot_be_read_is_a_sentence_with_file_and_remedy(what: str, run: Commands) -> None:
    make, said = UNREADABLE[what]
    make(Path("bad"))
    for command in every_command("bad"):
        if what == "empty" and command[0] == "apply":
            continue  # the next test
        sentence = run.fails(*command)
        for part in said:
            assert part in sentence, (command[0], sentence)
    assert not Path("sample.parquet").exists()
    assert not Path("new.manifest").exists()
    assert not Path("out/run.json").exists()


def test_an_empty_corpus_cannot_be_applied_to(run: Commands) -> None:
    no_rows(Path("bad"))
    assert "no readable document" in run.fails("apply", "m.manifest", "bad", "--out", "out")


def test_a_broken_shard_among_sound_ones_loses_nothing_that_was_complete(run: Commands) -> None:
    truncated_zst(Path("bad"))
    write_shard(Path("bad/0.jsonl"), ROWS[:20])
    run.fails("apply", "m.manifest", "bad", "--out", "out")
    write_shard(Path("bad/a.jsonl.zst"), ROWS[20:])
    other = run.fails("apply", "m.manifest", "bad", "--out", "out")
    assert (
        "holds an unfinished run of another manifest, corpus or form; give a new folder, or delete it"
        in other
    )
    assert run("apply", "m.manifest", "bad", "--out", "new").code == 0
    assert kept_ids(Path("new")) == {row["doc_id"] for row in ROWS}


# ---- rows that can't be read: put aside, counted, exit code 3 ---------------------------------------------------

BIG = 50 * 2**20
BAD_ROWS: dict[str, tuple[object, str]] = {
    "not JSON": (b"{not JSON", "not JSON at character"),
    "no object": (b"[1, 2]", "a list, not a JSON object"),
    "null text": (
        {"doc_id": "x", "text": None, "source": "a"},
        "the text column 'text' is null, not a string",
    ),
    "number for text": ({"doc_id": "x", "text": 5, "source": "a"}, "the text column 'text' is an integer"),
    "list for text": ({"doc_id": "x", "text": ["a"], "source": "a"}, "the text column 'text' is a list"),
    "no text": ({"doc_id": "x", "source": "a"}, "the text column 'text' is missing in this row"),
    "invalid UTF-8": (b'{"doc_id": "x", "text": "\xff\xfe", "source": "a"}', "not valid UTF-8 at byte"),
    "lone surrogate": (b'{"doc_id": "x", "text": "\\ud800", "source": "a"}', "surrogate"),
    "null id": ({"doc_id": None, "text": "t", "source": "a"}, "the id column 'doc_id' is null"),
    "50 MB": (
        {"doc_id": "x", "text": "x" * BIG, "source": "a"},
        f"the text has {BIG} bytes, more than max_docu",
    ),
}


@pytest.mark.parametrize("what", BAD_ROWS)
def test_a_row_that_cannot_be_read_is_put_aside_with_file_row_and_reason(what: str, run: Commands) -> None:
    row, reason = BAD_ROWS[what]
    Path("bad").mkdir()
    Path("bad/a.jsonl").write_bytes(lines(*ROWS[:7], row, *ROWS[7:]))
    for command in every_command("bad"):
        result = run(*command, "--json")
        assert result.code == 3, (command[0], result.err)
        assert "1 rows could not be used; see" in result.err
        place = Path(result.err.strip().rsplit("see ", 1)[1])
        (file,) = [place] if place.is_file() else list(place.iterdir())
        (line,) = file.read_text().splitlines()
        value = json.loads(line)
        assert (value["file"], value["row"]) == ("a.jsonl", 7)
        assert reason in value["reason"]
        assert len(line) < 3000
        numbers = json.dumps(result.json)
        assert '"n_quarantined": 1' in numbers or '"quarantined": 1' in numbers or command[0] == "export"
    assert kept_ids(Path("out")) == {row["doc_id"] for row in ROWS}
    assert run("verify", "m.manifest", "out").code == 0


def test_rows_of_a_parquet_file_are_put_aside_too(run: Commands) -> None:
    Path("bad").mkdir()
    texts = pa.array([b"fine", None, b"\xff\xfe", b"also fine"], pa.binary()).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"doc_id": ["a", "b", "c", "d"], "text": texts}), "bad/a.parquet")
    result = run("apply", "m.manifest", "bad", "--out", "out", "--json")
    assert result.code == 3
    assert [(row["row"], row["reason"].split(" is")[0]) for row in quarantined(Path("out"))] == [
        (1, "the text column 'text'"), (2, "the text column 'text'"),
    ]  # fmt: skip
    assert result.json["counts"] == {"read": 4, "kept": 2, "dropped": 0, "quarantined": 2}


def test_a_50_mb_document_fits_if_one_asks_for_it(run: Commands) -> None:
    Path("bad").mkdir()
    Path("bad/a.jsonl").write_bytes(lines({"doc_id": "x", "text": "x" * BIG, "source": "a"}))
    result = run("apply", "m.manifest", "bad", "--out", "out", "--max-document-bytes", 60 * 2**20, "--json")
    assert (result.code, result.json["kept"]["n_bytes"]) == (0, BIG)


# ---- scores ------------------------------------------------------------------------------------------------------


def nan_for_short(inputs: Inputs, params: Any, state: Any) -> dict[str, Any]:
    return {"odd": np.array([np.nan if len(text) < 40 else len(text) for text in inputs.texts])}


def test_a_nan_score_names_row_document_and_remedy(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCORES, "odd", ScoreSpec("odd", 1, "odd", "x", "neither", ("text",), nan_for_short))
    steps = [{"select": "band", "score": "odd", "low": 1}]
    Path("recipe.json").write_text(json.dumps({"format": "selection-recipe/1", "steps": steps}))
    short = [row["doc_id"] for row in sorted(ROWS, key=lambda r: r["doc_id"]) if len(row["text"]) < 40]
    where = sorted(row["doc_id"] for row in ROWS).index(short[0])
    for command in every_command("sound")[2:4]:
        sentence = run.fails(*command)
        assert f"odd is not defined (NaN) for row {where} of the sample (doc_id '{short[0]}')" in sentence
        assert f'and {len(short) - 1} more; add "unscored": "drop" or "keep" to the step' in sentence


# ---- recipes and manifests ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (b"{", "the recipe is not JSON"),
        (b"\xff\xff", "the recipe is not JSON"),
        (b"[" * 99_999, "the recipe is not JSON"),
        (b'{"format": "selection-recipe/9"}', "the recipe's format is 'selection-recipe/9'"),
        (b'{"format": "selection-recipe/1", "steps": [{"select": "band"}]}', "step 1: band needs 'score'"),
        (
            b'{"format": "selection-recipe/1", "steps": [{"select": "band", "score": "n_chars", "low": 9, "high": 3}]}',
            "low must be below high, got low=9, high=3; swap them",
        ),
        (
            b'{"format": "selection-recipe/1", "steps": [{"select": "random", "fraction": 50}]}',
            "fraction must lie in 0..1, got 50; give a fraction, not a percentage",
        ),
        (
            b'{"format": "selection-recipe/1", "steps": [{"select": "semdedup", "epsilon": 2}]}',
            "epsilon must lie in 0..1, got 2",
        ),
        (
            b'{"format": "selection-recipe/1", "steps": [{"select": "semdedup", "n_clusters": 0}]}',
            "n_clusters must be at least 1, got 0",
        ),
        (
            b'{"format": "selection-recipe/1", "steps": [{"select": "category", "score": "source", "values": []}]}',
            "needs at least one value to keep",
        ),
        (
            b'{"format": "selection-recipe/1", "scores": {"prototype_distance": {"n_clusters": "all"}}}',
            "scores: prototype_distance n_clusters must be a whole number, got",
        ),
    ],
)
def test_a_wrong_recipe_is_a_sentence(recipe: bytes, sentence: str, run: Commands) -> None:
    Path("wrong.json").write_bytes(recipe)
    given = ("--recipe", "wrong.json", "--store", "store")
    assert sentence in run.fails("select", "sound", *given)
    assert sentence in run.fails("export", "sound", *given, "--out", "new.manifest")
    assert not Path("new.manifest").exists()


def test_a_manifest_changed_by_one_byte_is_refused_by_all_that_read_it(run: Commands) -> None:
    run("apply", "m.manifest", "sound", "--out", "out")
    path = Path("m.manifest/manifest.json")
    data = path.read_bytes()
    for place in range(0, len(data), 97):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        for command in (("apply", "m.manifest", "sound", "--out", "new"), ("verify", "m.manifest", "out")):
            sentence = run.fails(*command)
            assert "manifest.json" in sentence
            assert "again" in sentence or "install" in sentence or "give a folder" in sentence
    assert not Path("new").exists()
    path.write_bytes(data)
    assert run("verify", "m.manifest", "out").code == 0


def test_a_manifest_of_a_newer_version_is_refused_with_the_remedy(run: Commands) -> None:
    path = Path("m.manifest/manifest.json")
    path.write_bytes(path.read_bytes().replace(b"selection-manifest/1", b"selection-manifest/2"))
    sentence = run.fails("apply", "m.manifest", "sound", "--out", "out")
    assert "has format 'selection-manifest/2'" in sentence
    assert "install a newer selection-workbench" in sentence


def test_a_sample_changed_since_it_was_drawn_is_refused(run: Commands) -> None:
    run("sample", "sound", "--n", 20, "--out", "s.parquet")
    table = pq.read_table("s.parquet")
    texts = ["changed", *table["text"].to_pylist()[1:]]
    place = table.schema.get_field_index("text")
    pq.write_table(table.set_column(place, "text", pa.array(texts)), "s.parquet")
    sentence = run.fails("select", "s.parquet", "--recipe", "recipe.json", "--store", "store")
    assert "s.parquet was changed since it was drawn" in sentence
    assert "draw the sample again" in sentence


# ---- models ------------------------------------------------------------------------------------------------------


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], in_tmp_path: Path) -> Commands:
    """The command line with the real models, in a folder with a corpus and a tiny language model."""
    write_corpus(Path("sound"), ROWS, 2)
    write_tiny_lm(Path("models/tiny-lm"), (row["text"] for row in ROWS))
    steps = [{"select": "band", "score": "n_tokens", "low": 2}]
    Path("recipe.json").write_text(json.dumps({"format": "selection-recipe/1", "steps": steps}))
    return Commands(monkeypatch, capfd)


def test_a_model_folder_that_differs_from_the_manifest_is_refused_by_file_and_digest(plain: Commands) -> None:
    given = ("--recipe", "recipe.json", "--store", "store", "--lm", "models/tiny-lm")
    assert plain("export", "sound", *given, "--out", "m.manifest").code == 0
    tokenizer = Path("models/tiny-lm/tokenizer.json")
    data = tokenizer.read_bytes()
    tokenizer.write_bytes(data.replace(b"}", b"} ", 1))
    sentence = plain.fails("apply", "m.manifest", "sound", "--out", "out", "--lm", "models/tiny-lm")
    assert "tokenizer.json of model 'tiny-lm' has SHA-256" in sentence
    assert "get the model again" in sentence
    assert not Path("out").exists()
    tokenizer.write_bytes(data)
    assert plain("apply", "m.manifest", "sound", "--out", "out", "--lm", "models/tiny-lm").code == 0


def test_a_model_that_is_not_there_or_holds_a_pickle_is_a_sentence(plain: Commands) -> None:
    given = ("select", "sound", "--recipe", "recipe.json", "--store", "store", "--lm")
    assert "there is no model 'nowhere'; give " in plain.fails(*given, "nowhere")
    assert "isn't a model folder" in plain.fails(*given, "sound")
    weights = Path("models/tiny-lm/model.safetensors")
    weights.rename(weights.with_name("pytorch_model.bin"))
    sentence = plain.fails(*given, "models/tiny-lm")
    assert "pytorch_model.bin" in sentence or "safetensors" in sentence


# ---- disk --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("score", "sound", "--scores", "n_chars", "--store", "a-file/store"),
        ("sample", "sound", "--n", "9", "--out", "a-file/s.parquet"),
        ("export", "sound", "--recipe", "recipe.json", "--store", "store", "--out", "a-file/m.manifest"),
        ("apply", "m.manifest", "sound", "--out", "a-file/out"),
    ],
)
def test_a_place_that_cannot_be_written_is_a_sentence(command: tuple[str, ...], run: Commands) -> None:
    Path("a-file").write_text("in the way")
    sentence = run.fails(*command)
    assert "a-file" in sentence
    assert "can't be" in sentence
    assert Path("a-file").read_text() == "in the way"


LIMITED = """
import atexit, resource, sys
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), unlimited[1]))
atexit.register(resource.setrlimit, resource.RLIMIT_FSIZE, unlimited)  # what measures coverage writes at the end
from workbench.cli import main
main()
"""


@pytest.mark.parametrize(
    "command",
    [
        ("score", "{0}/sound", "--scores", "n_chars,n_bytes", "--store", "{0}/new-store"),
        ("sample", "{0}/sound", "--n", "40", "--out", "{0}/s.parquet"),
        ("apply", "{0}/m.manifest", "{0}/sound", "--out", "{0}/out", "--lm", "{0}/models/tiny-lm"),
    ],
    ids=lambda command: command[0],
)
def test_a_disk_that_is_really_full_is_a_sentence_and_the_next_run_ends_well(
    command: tuple[str, ...], plain: Commands, in_tmp_path: Path, root: Path
) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    given = ("--recipe", "recipe.json", "--store", "store", "--lm", "models/tiny-lm")
    assert plain("export", "sound", *given, "--out", "m.manifest").code == 0
    args = [arg.format(in_tmp_path) for arg in command]
    full = subprocess.run(
        [sys.executable, "-c", LIMITED, "200", *args], cwd=root, capture_output=True, text=True
    )
    assert full.returncode == 2, full.stderr
    assert "can't be written" in full.stderr
    assert full.stderr.count("\n") == 1
    assert plain(*args).code == 0


def test_a_store_column_that_was_changed_is_named_and_nothing_else_is_touched(run: Commands) -> None:
    args = ("score", "sound", "--scores", "n_chars", "--store", "store")
    run(*args)
    (part,) = Path("store").glob("n_chars-*/part-*.npy")
    part.write_bytes(part.read_bytes()[:-1] + b"\x01")
    sentence = run.fails(*args)
    assert part.name in sentence
    assert "delete the folder" in sentence
